//! `trainer`: from interaction logs to a Tinderbox model file, and what it is worth.
//!
//! Exit codes: 0 done, 1 data or input/output, 2 usage.

#![forbid(unsafe_code)]

mod args;
mod command;
mod screen;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use command::{demo, evaluate, export, fetch, fit, inspect, quickstart, recommend, synth, tune};
use screen::Form;

/// Meta-learns recommenders for new users from interaction logs, and exports them as compact model files that the
/// engine ranks by on the user's own device.
///
/// The usual way: `trainer fit` learns from your logs, `trainer evaluate` says what that is worth on users that it
/// did not see, `trainer export` writes the model file, `trainer recommend` tries it. `trainer quickstart` does all of
/// it on MovieLens 100K.
#[derive(Parser)]
#[command(name = "trainer", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How progress is shown on standard error
    #[arg(long, global = true, value_enum, default_value = "line", hide_possible_values = true)]
    progress: Form,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 a problem with data, files or the network; 2 wrong usage.";

#[derive(Subcommand)]
enum Command {
    Quickstart(quickstart::Quickstart),
    Fetch(fetch::Fetch),
    Synth(synth::Synth),
    Fit(fit::Fit),
    Tune(tune::Tune),
    Export(export::Export),
    Evaluate(evaluate::Evaluate),
    Inspect(inspect::Inspect),
    Recommend(recommend::Recommend),
    Demo(demo::Demo),
}

fn main() -> ExitCode {
    let Cli { command, progress } = Cli::parse();
    screen::show(progress);
    let result = match command {
        Command::Quickstart(command) => command.run(),
        Command::Fetch(command) => command.run(),
        Command::Synth(command) => command.run(),
        Command::Fit(command) => command.run(),
        Command::Tune(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Evaluate(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Recommend(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has had enough: `trainer recommend ... | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut io_errors = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io_errors.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
