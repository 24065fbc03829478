//! Every kernel that this CPU has gives the golden answers.
//!
//! `TINDERBOX_BLESS=1 cargo test -p tinderbox-golden` writes the answers anew, and answers to new questions. A change
//! that needs this for a question that was there changes what users see: say so in `CHANGELOG.md`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fmt::Write;
use tinderbox::{Kernel, Model, Rule};
use tinderbox_golden::{MODELS, Memory, REQUESTS, report, run};

#[test]
fn every_kernel_gives_the_golden_answers() {
    if std::env::var_os("TINDERBOX_BLESS").is_some() {
        bless();
        return;
    }
    for kernel in Kernel::all() {
        let mut said = String::new();
        assert!(report(kernel, &mut Memory::new(), &mut said), "{said}");
        print!("{said}");
    }
}

/// Writes the file with the answers of the definition.
fn bless() {
    let mut answers = BTreeMap::new();
    run(Kernel::scalar(), &mut Memory::new(), |answered| {
        answers.insert(answered.line, answered.answer.to_string());
    })
    .unwrap();
    let mut text = String::new();
    for (number, line) in (1..).zip(REQUESTS.lines()) {
        if !line.starts_with('=') {
            writeln!(text, "{line}").unwrap();
        }
        if let Some(answer) = answers.get(&number) {
            writeln!(text, "{answer}").unwrap();
        }
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/requests.txt"), text).unwrap();
}

#[test]
fn the_trained_files_have_every_section_that_their_rule_may_have() {
    for (name, bytes) in MODELS.into_iter().filter(|(name, _)| *name != "sketched") {
        let model = Model::open(bytes).unwrap();
        model.verify().unwrap();
        let sections = match model.rule() {
            Rule::Maml { .. } => 28,
            Rule::Prototypical { .. } => 26, // neither step sizes nor a Gram matrix
            Rule::Matching { .. } => 25,     // nor a preconditioner
        };
        assert_eq!(model.sections().count(), sections, "{name}");
    }
}
