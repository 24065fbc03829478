//! Tells the programs what they were built from and how, so that their reports can say so on any machine.

use std::env;
use std::process::Command;

/// Directories whose change may change the speed, beside this package's own.
const SOURCES: [&str; 2] = ["../engine", "../format"];

fn main() {
    let commit = output("git", &["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
    let rustc = output(&variable("RUSTC"), &["--version"]);
    println!("cargo::rustc-env=BUILT_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILT_RUSTC={}", rustc.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILT_TARGET={}", variable("TARGET"));
    println!("cargo::rustc-env=BUILT_OPT_LEVEL={}", variable("OPT_LEVEL"));
    println!("cargo::rustc-env=BUILT_RUSTFLAGS={}", variable("CARGO_ENCODED_RUSTFLAGS").replace('\x1f', " "));
    println!("cargo::rustc-env=BUILT_FEATURES={}", variable("CARGO_CFG_TARGET_FEATURE"));
    for source in SOURCES.iter().chain(&["."]) {
        println!("cargo::rerun-if-changed={source}");
    }
    // A commit changes this file and no source.
    if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// What a command prints, without the end of the line; `None` where it does not run.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
