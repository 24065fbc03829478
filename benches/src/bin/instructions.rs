//! The gate of instruction counts: fixed requests under callgrind, against the figures in `instructions.json`.
//!
//! Times of a shared machine drift by more than most changes are worth; instructions that are executed do not drift at
//! all, so that a loss of a few per cent shows. They depend on the compiler, which the file names. Valgrind knows no
//! AVX-512: what is counted is the scalar and the AVX2 kernel.
//!
//! Exit codes: 0 done, 1 a count that differs or a problem with valgrind, 2 usage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};
use tinderbox::Kernel;
use tinderbox_benches::{Bench, Memory, Operation, RULES, Sample};

/// What a count may differ by from the one on record.
const SLACK: f64 = 0.02;
/// Kernels that valgrind can run, on x86-64.
const KERNELS: [&str; 2] = ["scalar", "avx2"];
/// Length of lists.
const TOP: usize = 10;
/// The function whose instructions count, as callgrind names it.
const COUNTED: &str = "instructions::counted*";

/// Counts the instructions of fixed requests under callgrind and compares them with those on record.
///
/// Fails where a count differs by more than 2 %: upwards it is a loss, downwards a gain that the record has to know of,
/// or else the next loss hides behind it.
#[derive(Parser)]
#[command(name = "instructions", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Put what was counted on record
    #[arg(long)]
    accept: bool,

    /// The record
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json"))]
    record: PathBuf,

    /// Do this request, under callgrind
    #[arg(long, hide = true)]
    request: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  ./ci.sh instructions                                                              the gate
  cargo run --release -p tinderbox-benches --bin instructions -- --accept           new figures

Exit codes: 0 done; 1 a count that differs, or a problem with valgrind; 2 wrong usage.";

/// What is checked in.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Counts {
    /// The compiler that made what was counted.
    rustc: String,
    /// Instructions by request.
    instructions: BTreeMap<String, u64>,
}

/// A fixed request.
struct Request {
    name: String,
    kernel: &'static str,
    /// Which of [`RULES`].
    rule: usize,
    items: usize,
    dim: usize,
    operation: Operation,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    if let Some(name) = cli.request {
        return perform(&name);
    }
    let mut found = Counts { rustc: env!("BUILT_RUSTC").to_owned(), instructions: BTreeMap::new() };
    for request in requests() {
        let instructions = count(&request.name)?;
        println!("{instructions:>10}  {}", request.name);
        found.instructions.insert(request.name, instructions);
    }
    if cli.accept {
        let text = serde_json::to_string_pretty(&found)? + "\n";
        return fs::write(&cli.record, text).with_context(|| cli.record.display().to_string());
    }
    let differences = differences(&read(&cli.record)?, &found);
    ensure!(
        differences.is_empty(),
        "{}\nIf that is meant to be, put the new counts on record:\n\
         cargo run --release -p tinderbox-benches --bin instructions -- --accept",
        differences.join("\n")
    );
    println!("all within {:.0} % of the record", 100.0 * SLACK);
    Ok(())
}

fn read(path: &Path) -> Result<Counts> {
    let context = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(context)?;
    serde_json::from_str(&text).with_context(context)
}

/// Everything that the engine does, for the smallest catalogue; what depends on the rule or the size for others, too.
fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for kernel in KERNELS {
        let mut add = |rule: usize, items: usize, dim: usize, operation: Operation| {
            let what = match operation {
                Operation::Adapt(support) => format!("adapt-{support}"),
                operation => operation.name().to_owned(),
            };
            let kernel_name = if operation.has_kernel() { format!("/{kernel}") } else { String::new() };
            let name = format!("{what}{kernel_name}/{}/{items}x{dim}", RULES[rule].name());
            requests.push(Request { name, kernel, rule, items, dim, operation });
        };
        for operation in [
            Operation::Open,
            Operation::Verify,
            Operation::Adapt(1),
            Operation::Adapt(10),
            Operation::Rank(TOP),
            Operation::Request(TOP),
            Operation::Batch(TOP),
            Operation::Diverse,
            Operation::Similar,
            Operation::Explain,
            Operation::AddItem,
        ] {
            // What has no kernel of its own is counted once.
            if operation.has_kernel() || kernel == KERNELS[0] {
                add(0, 1_682, 32, operation);
            }
        }
        add(0, 10_000, 64, Operation::Request(TOP));
        add(0, 1_682, 128, Operation::Request(TOP));
        add(1, 1_682, 32, Operation::Request(TOP));
        add(2, 1_682, 32, Operation::Request(TOP));
    }
    requests
}

/// Runs this program under callgrind, which counts in [`counted`] alone.
fn count(request: &str) -> Result<u64> {
    let out = tempfile::NamedTempFile::new()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", &format!("--toggle-collect={COUNTED}")])
        .arg(format!("--callgrind-out-file={}", out.path().display()))
        .arg(std::env::current_exe().context("this program's own path")?)
        .args(["--request", request])
        .stderr(Stdio::inherit())
        .output()
        .context("valgrind, which counts, does not run: install it (Debian: apt-get install valgrind)")?;
    ensure!(output.status.success(), "{request} under valgrind: {}", output.status);
    let text = fs::read_to_string(out.path())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: u64 = total.context("callgrind wrote no totals")?.trim().parse()?;
    ensure!(total > 0, "{request}: callgrind did not see {COUNTED}");
    Ok(total)
}

/// Performs a request twice, the second time in [`counted`]: the first one finds out what the CPU has.
fn perform(name: &str) -> Result<()> {
    let Some(request) = requests().into_iter().find(|request| request.name == name) else {
        bail!("no request '{name}'");
    };
    let kernel = Kernel::all().find(|kernel| kernel.name() == request.kernel);
    let kernel = kernel.with_context(|| format!("this CPU has no kernel '{}'", request.kernel))?;
    let sample = Sample::made(RULES[request.rule], request.items, request.dim);
    let model = sample.model();
    let mut memory = Memory::new(&model);
    let mut bench = Bench::new(model, kernel, &mut memory, TOP);
    bench.call(request.operation, 0);
    counted(&mut bench, request.operation);
    Ok(())
}

#[inline(never)]
fn counted(bench: &mut Bench<'_>, operation: Operation) {
    bench.call(operation, 1);
}

/// What is not as on record, in words.
fn differences(expected: &Counts, found: &Counts) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, &count) in &found.instructions {
        let Some(&expected) = expected.instructions.get(name) else {
            differences.push(format!("{name}: expected nothing, found {count} instructions"));
            continue;
        };
        if count.abs_diff(expected) as f64 > SLACK * expected as f64 {
            let change = count as f64 / expected as f64 - 1.0;
            differences.push(format!(
                "{name}: expected {expected} instructions, found {count} ({:+.1} %)",
                100.0 * change
            ));
        }
    }
    let missing = expected.instructions.keys().filter(|name| !found.instructions.contains_key(*name));
    differences.extend(missing.map(|name| format!("{name}: on record, but no longer a request")));
    if !differences.is_empty() && expected.rustc != found.rustc {
        differences.push(format!("the record is of {}, this is {}", expected.rustc, found.rustc));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: &[(&str, u64)]) -> Counts {
        let instructions = instructions.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        Counts { rustc: "rustc".to_owned(), instructions }
    }

    #[test]
    fn losses_gains_and_other_requests_are_told_and_two_per_cent_are_not() {
        let expected =
            counts(&[("same", 1_000), ("within", 1_000), ("more", 1_000), ("less", 1_000), ("gone", 1)]);
        let found = counts(&[("same", 1_000), ("within", 1_020), ("more", 1_021), ("less", 979), ("new", 7)]);
        assert_eq!(
            differences(&expected, &found),
            [
                "less: expected 1000 instructions, found 979 (-2.1 %)",
                "more: expected 1000 instructions, found 1021 (+2.1 %)",
                "new: expected nothing, found 7 instructions",
                "gone: on record, but no longer a request",
            ]
        );
        assert!(differences(&expected, &expected).is_empty());
    }

    #[test]
    fn every_request_on_record_is_made() {
        let record =
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")).expect("the record");
        let names: Vec<String> = requests().into_iter().map(|request| request.name).collect();
        let on_record: Vec<&String> = record.instructions.keys().collect();
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        assert_eq!(on_record, sorted);
    }
}
