//! `trainer fit`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use super::output::ensure_directory;
use crate::args::{DataArgs, LearnerArgs, LearnerName};
use crate::screen::Screen;
use tinderbox_trainer::data::{Dataset, Interaction, hold_out};
use tinderbox_trainer::episode::{Order, Rank};
use tinderbox_trainer::fit::{Choice, Fitted, Training, Trial};
use tinderbox_trainer::onboarding;
use tinderbox_trainer::run::Run;
use tinderbox_trainer::train::{self, Config};

/// Learn from interaction logs; write a run directory that `export` turns into a model file
///
/// Every user is a task: the learner adapts to a few of the user's interactions and is judged on the others. A tenth of
/// the users is kept for validation: they decide when to stop and which learner to keep. What was kept is then trained
/// on all users.
#[derive(Args)]
#[command(after_help = "Example:\n  trainer fit --ratings ratings.csv --items movies.csv --out run && \
                        trainer export run --out movies.tbx")]
pub(crate) struct Fit {
    #[command(flatten)]
    data: DataArgs,

    /// How a new user's feedback becomes a ranking
    #[arg(long, value_enum, default_value = "auto")]
    learner: LearnerName,

    #[command(flatten)]
    learning: LearnerArgs,

    /// Leave out users with fewer interactions
    #[arg(long, value_name = "N", default_value_t = 2)]
    min_user: usize,

    /// Leave out items with fewer interactions; they cannot be recommended then
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_item: usize,

    /// Directory for the result; an earlier run in it is replaced
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
}

/// Share of the users that validation takes.
pub(crate) const VALIDATION: f64 = 0.1;

impl Fit {
    pub(crate) fn run(self) -> Result<()> {
        let config = self.learning.config(Rank::Catalogue)?;
        let (dataset, _) = self.data.read()?;
        let dataset = filtered(dataset, self.min_item, self.min_user);
        fit(&dataset, self.learner.choice(self.learning.dim), &config, &self.out)
    }
}

/// Leaves out items and users with little feedback, and says so on standard error.
pub(crate) fn filtered(dataset: Dataset, min_item: usize, min_user: usize) -> Dataset {
    let (dataset, left_out) = dataset.filter(min_item, min_user);
    if left_out.users > 0 || left_out.interactions > 0 {
        eprintln!(
            "left out for too little feedback: {} users, {} items, {} interactions",
            left_out.users, left_out.items, left_out.interactions
        );
    }
    dataset
}

/// Refuses data from which nothing can be learned about what is to be ranked.
pub(crate) fn ensure_learnable(dataset: &Dataset, config: &Config) -> Result<()> {
    let users = dataset.users.len();
    ensure!(users >= 2, "{users} user with enough feedback: a fit needs two at least");
    let is_liked = |i: &Interaction| dataset.levels.liked(i.level);
    ensure!(
        dataset.interactions.iter().flatten().any(is_liked),
        "no rating counts as a like, so that there is nothing to learn: see --like-at"
    );
    ensure!(
        config.rank == Rank::Catalogue || dataset.levels.values.len() > 1,
        "--rank rated needs more than one rating: here all are the same"
    );
    let has_times = |history: &Vec<Interaction>| history.iter().any(|i| i.time != history[0].time);
    ensure!(
        config.order == Order::Random || dataset.interactions.iter().any(has_times),
        "no user's interactions differ in their times, so that they have no order: see --timestamp-column"
    );
    Ok(())
}

/// Chooses by validation, fits the choice on all users, saves the run and says what was tried.
pub(crate) fn fit(dataset: &Dataset, choice: Choice, config: &Config, out: &Path) -> Result<()> {
    ensure_learnable(dataset, config)?;
    ensure_directory(out)?;
    let users: Vec<u32> = (0..dataset.users.len() as u32).collect();
    let screen = Screen::new("teacher");
    let (train, validation) = hold_out(&users, VALIDATION, config.seed);
    let training = Training::new(dataset, &train, &validation, config.rank, config.seed);
    let fitted = training.fit(choice, config, &mut |now| screen.training(now.trial, now.training));
    drop(training); // two teachers at a time would take twice the memory
    let trials = fitted.trials.clone();
    save(dataset, config, screen, out, |everyone, progress| Ok(fitted.refit(everyone, progress)))?;
    say_trials(&trials, config.rank.validation(), out)
}

/// Trains on all users by `refit`, chooses what to show a new user first, and saves the run.
pub(crate) fn save(
    dataset: &Dataset,
    config: &Config,
    screen: Screen,
    out: &Path,
    refit: impl FnOnce(&Training, &mut dyn FnMut(train::Progress)) -> Result<Fitted>,
) -> Result<()> {
    screen.say("teacher of all users");
    let users: Vec<u32> = (0..dataset.users.len() as u32).collect();
    let everyone = Training::new(dataset, &users, &[], config.rank, config.seed);
    let fitted = refit(&everyone, &mut |training| screen.training("all users", training))?;
    let mut run = Run::new(dataset, &everyone.set, fitted, config.seed);
    screen.say("items to show a new user first");
    run.onboarding = onboarding::choose(&run.learned, &everyone.set, config.seed);
    drop(screen);
    Ok(run.save(out)?)
}

fn say_trials(trials: &[Trial], measure: &str, out: &Path) -> Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "validation {measure}, ± standard error of the difference to what was kept")?;
    for trial in trials {
        let validation = trial.validation.map_or_else(|| "no users".to_owned(), |mean| format!("{mean:.4}"));
        let error = trial.standard_error.map_or_else(String::new, |error| format!("± {error:.4}"));
        let kept = if trial.kept { "kept" } else { "" };
        writeln!(stdout, "  {validation:8} {error:8} {kept:4} {}", trial.name)?;
    }
    writeln!(stdout, "wrote {}", out.display())?;
    Ok(())
}
