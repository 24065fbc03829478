//! `latency`: what a user waits for, call by call, and how that spreads.
//!
//! Exit codes: 0 done, 1 data or input/output, 2 usage.

mod clock;
mod compare;
mod fresh;
mod machine;
mod measure;
mod memory;
mod page;
mod record;
mod table;
mod words;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use record::Record;

/// Times single calls of the engine and shows how they spread: from the median to the slowest in a thousand.
///
/// Answers are checked before anything is timed. Every operation with every kernel that the CPU has, in turns; users
/// take turns, too. Phases apart: open, verify, the first request of a fresh process with the file's pages in memory
/// and evicted, adapting to k interactions, ranking, whole requests, batches, diverse lists, similar items,
/// explanations, adding an item; beside them the line of reading the rows once, and one operation twice, for the noise.
///
/// Without --model it times made models of several sizes, which have no accuracy; with it, your file, and says how
/// accurate its lists are.
#[derive(Parser)]
#[command(name = "latency", version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    measure: measure::Measure,

    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  latency --quick                                      under half a minute
  latency --model movies.tbx --json a.json --html a.html
  latency --items 100000 --dim 64 --kernel avx2 --seconds 2
  latency show a.json --html a.html                    a page from another device's figures
  latency compare a.json b.json                        before and after, or device and device

Exit codes: 0 done; 1 a problem with files; 2 wrong usage.";

/// Where figures go, beside the terminal.
#[derive(clap::Args)]
struct Output {
    /// Write the records there: an array with `operation`, `items`, `dim`, `top`, `kernel`, `p50_ns`, ...
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a page with plots there, as one HTML file that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Show the figures of a JSON file
    Show {
        /// What --json wrote
        file: PathBuf,

        #[command(flatten)]
        output: Output,
    },
    Compare(compare::Compare),
    /// What a fresh process does
    #[command(name = fresh::COMMAND, hide = true)]
    FirstRequest {
        /// The model file
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has had enough: `latency show a.json | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        None => cli.output.show(&cli.measure.run(&mut |model| eprintln!("timing {model}"))?),
        Some(Command::Show { file, output }) => output.show(&record::read(&file)?),
        Some(Command::Compare(compare)) => print(&compare.run()?),
        Some(Command::FirstRequest { file }) => fresh::request(&file),
    }
}

impl Output {
    fn show(&self, records: &[Record]) -> Result<()> {
        if let Some(path) = &self.json {
            record::write(path, records)?;
        }
        if let Some(path) = &self.html {
            write(path, &page::page(records)?)?;
        }
        print(&text(records))
    }
}

/// Everything for a terminal.
fn text(records: &[Record]) -> String {
    let mut text = table::tables(records);
    if let Some(first) = records.first() {
        for (name, value) in words::facts(&first.run) {
            text += &format!("{name}: {value}\n");
        }
        text += &format!("Command: {}\n", first.run.command);
    }
    text += &format!("\n{}\n", words::memory(records));
    if let Some(noise) = words::noise(records) {
        text += &format!("{noise}\n");
    }
    text + words::LABELS + "\n" + words::LIMITS + "\n"
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn print(text: &str) -> Result<()> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut io_errors = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io_errors.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
