//! `trainer tune`.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use super::fit::{VALIDATION, ensure_learnable, filtered, save};
use super::output::ensure_directory;
use crate::args::{DataArgs, threads};
use crate::screen::Screen;
use tinderbox_trainer::data::hold_out;
use tinderbox_trainer::fit::Training;
use tinderbox_trainer::report::search;
use tinderbox_trainer::train::Config;
use tinderbox_trainer::tune::{Header, Journal, Parameter, SPACE, Search};

/// Search for a better configuration than `fit` finds; write a run directory that `export` turns into a model file
///
/// The first trial is what `fit --learner auto` keeps, the others are drawn at random. All are trained briefly, the
/// best third of them three times as long, and the best third of those to the end. The best on the validation users is
/// then trained on all users. Interrupt the search whenever you like: the same call goes on where it was, and one with
/// more trials or minutes goes on from there.
#[derive(Args)]
#[command(after_help = after_help())]
pub(crate) struct Tune {
    #[command(flatten)]
    data: DataArgs,

    /// How many configurations to try, with those of earlier calls [default: 30, or any number within --minutes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    trials: Option<u32>,

    /// Begin no training after so many minutes; the last training on all users comes on top
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,

    /// Leave out users with fewer interactions
    #[arg(long, value_name = "N", default_value_t = 2)]
    min_user: usize,

    /// Leave out items with fewer interactions; they cannot be recommended then
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_item: usize,

    /// Most epochs of a training
    #[arg(long, default_value_t = Config::default().epochs)]
    epochs: u32,

    /// Seed of everything random
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,

    /// Threads [default: one for each core]; the result does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Directory for the result and the journal of the search (search.jsonl)
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
}

/// Trials, unless anything is said.
const TRIALS: u32 = 30;
/// The journal's name in the run directory.
const JOURNAL: &str = "search.jsonl";

fn after_help() -> String {
    let line = |parameter: &Parameter| {
        format!("  {:14}  {:30}  {}\n", parameter.name, parameter.values.to_string(), parameter.about)
    };
    let space: String = SPACE.iter().map(line).collect();
    format!(
        "Examples:
  trainer tune --ratings ratings.csv --items movies.csv --trials 40 --out tuned
  trainer tune --data ml-100k --minutes 30 --out tuned && trainer export tuned --out movies.tbx
What is drawn:
{space}How much to believe it:
  The best of many trials looks better on the validation users than it is. A gain of less than two
  standard errors over trial 0 is nothing to rely on; `trainer evaluate` says what configurations
  are worth on users that did not choose them."
    )
}

impl Tune {
    pub(crate) fn run(self) -> Result<()> {
        let start = Instant::now();
        threads(self.threads)?;
        let config = Config { epochs: self.epochs, seed: self.seed, ..Config::default() };
        let (dataset, _) = self.data.read()?;
        let dataset = filtered(dataset, self.min_item, self.min_user);
        ensure_learnable(&dataset, &config)?;
        ensure_directory(&self.out)?;
        let mut journal = Journal::open(&self.out.join(JOURNAL), &Header::new(&dataset, &config))?;
        if !journal.is_empty() {
            eprintln!("{} trainings of an earlier call are taken over", journal.len());
        }
        let screen = Screen::new("teacher");
        let users: Vec<u32> = (0..dataset.users.len() as u32).collect();
        let (train, validation) = hold_out(&users, VALIDATION, config.seed);
        let training = Training::new(&dataset, &train, &validation, config.rank, config.seed);
        let any = if self.minutes.is_some() { u32::MAX } else { TRIALS };
        let trials = self.trials.unwrap_or(any) as usize;
        let limit = self.minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
        let mut keep_going = || limit.is_none_or(|limit| start.elapsed() < limit);
        let tuning = Search::new(&dataset, &validation, &training, &config, trials);
        let tuned =
            tuning.run(&mut journal, &mut keep_going, &mut |now| screen.training(now.trial, now.training))?;
        drop(tuning);
        drop(training); // two teachers at a time would take twice the memory
        save(&dataset, &config, screen, &self.out, |everyone, progress| {
            tuned.refit(everyone, progress).context("nothing was tried")
        })?;
        let out = self.out.display();
        write!(stdout().lock(), "{}", search::table(&tuned))?;
        writeln!(stdout().lock(), "wrote {out}; next: trainer export {out} --out model.tbx")?;
        Ok(())
    }
}
