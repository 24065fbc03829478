//! `trainer evaluate`.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::args::{DataArgs, LearnerArgs};
use crate::screen::Screen;
use tinderbox_trainer::data::Dataset;
use tinderbox_trainer::episode::Rank;
use tinderbox_trainer::evaluate::labelled::{self, RATINGS};
use tinderbox_trainer::evaluate::{Method, Outcome, Plan, Protocol, Stage, evaluate, onboarding};
use tinderbox_trainer::report::{self, METRICS, Report};

/// Compare learners and baselines on users that training did not see
///
/// Users are dealt into ten folds: eight train, one validates, one is tested. A tested user's feedback is split in two
/// halves. Methods see the first k interactions of the first half, rank the whole catalogue, and are judged on what the
/// user likes in the second. Learners are judged by the exported file, through the engine; baselines are tuned on the
/// validation users.
#[derive(Args)]
#[command(after_help = "Examples:
  trainer evaluate --data ml-100k --protocol p1 --folds 10
  trainer evaluate --data ml-100k --methods maml,maml:first-order,maml:steps=0,maml:f32,ease
Methods:
  learners   auto maml prototypical matching, changed by :first-order :no-teacher :steps=N :dim=N
             and, without another fit, by :likes-only (only the likes of the k interactions are shown),
             :first-likes (the first k likes are shown), :f32 (scored in the trainer's f32 arithmetic in place of the
             exported file)
  baselines  popularity item-knn user-knn ease edlae ials prototypes ridge
             under p2: item-mean user-knn-residual rating-factors
             under p3: content-popularity content-ridge
Rated items (p2):
  The users with 13 to 100 ratings, of which ten are drawn at random, several times. Methods see all the others and
  rank those ten, judged by NDCG with gains 2^rating - 1. Learners learn just that, unless --rank says otherwise.
New items (p3):
  A tenth of the items, another one in each fold, is taken out of the log and keeps its features. Methods see the
  first k interactions of a tested user and rank those items alone, judged on the ones that the user likes. Which
  items are out matters more than which users are tested: compare methods by their differences, over all folds.")]
pub(crate) struct Evaluate {
    #[command(flatten)]
    data: DataArgs,

    /// p1: feedback in random order; p1t: in time order; p2: rated items among themselves; p3: new items, of which only
    /// the features are known; onboarding: users are asked about the same few items
    #[arg(long, value_enum, default_value = "p1")]
    protocol: ProtocolName,

    /// How many of the ten folds
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=10))]
    folds: u8,

    /// What to compare, separated by commas [default: the three learners and all baselines]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    methods: Vec<Method>,

    /// Leave out items with fewer interactions [default: 5; under p2: 1]
    #[arg(long, value_name = "N")]
    min_item: Option<usize>,

    /// Leave out users with fewer interactions [default: 20; under p2: 13]
    #[arg(long, value_name = "N")]
    min_user: Option<usize>,

    /// The metric of the table
    #[arg(long, default_value = METRICS[0].0, value_parser = METRICS.map(|(name, _)| name))]
    metric: String,

    /// Also show groups: users with little and with much feedback; popular and rare items
    #[arg(long)]
    groups: bool,

    /// Seed of the folds and of the order of feedback
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    split_seed: u64,

    #[command(flatten)]
    learning: LearnerArgs,

    /// Write all figures there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProtocolName {
    P1,
    P1t,
    P2,
    P3,
    Onboarding,
}

impl Evaluate {
    pub(crate) fn run(self) -> Result<()> {
        let protocol = match self.protocol {
            ProtocolName::P1 | ProtocolName::Onboarding => Protocol::P1,
            ProtocolName::P1t => Protocol::P1t,
            ProtocolName::P2 => return self.run_labelled(),
            ProtocolName::P3 => Protocol::P3,
        };
        let config = self.learning.config(Rank::Catalogue)?;
        let (dataset, _) = self.data.read()?;
        let (dataset, _) = dataset.filter(self.min_item.unwrap_or(5), self.min_user.unwrap_or(20));
        if let Some(method) = self.methods.iter().find(|method| !method.suits(protocol)) {
            bail!("protocol {} cannot judge {}", protocol.name(), method.name());
        }
        let learners = match self.methods.as_slice() {
            [] => vec!["maml".parse().map_err(anyhow::Error::msg)?],
            methods => methods.to_vec(),
        };
        let plan = Plan {
            protocol,
            folds: usize::from(self.folds),
            methods: if self.methods.is_empty() { Method::all(protocol) } else { self.methods },
            config,
            dim: self.learning.dim,
            seed: self.split_seed,
        };
        if matches!(self.protocol, ProtocolName::Onboarding) {
            return onboard(&dataset, &plan, learners, self.json.as_deref());
        }
        let outcomes = compare(&dataset, &plan)?;
        let report = Report::new(&plan, &outcomes);
        let mut tables = vec![report.table(&self.metric), report.changes(&self.metric), report.exposure()];
        if self.groups {
            tables.push(report.groups(&self.metric));
        }
        tables.retain(|table| !table.is_empty());
        write!(stdout().lock(), "{}", tables.join("\n"))?;
        if let Some(path) = self.json {
            fs::write(&path, format!("{:#}\n", report.json())).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    fn run_labelled(self) -> Result<()> {
        let config = self.learning.config(Rank::Rated)?;
        let (dataset, _) = self.data.read()?;
        ensure!(dataset.levels.values.len() > 1, "protocol p2 needs ratings");
        let min_user = self.min_user.unwrap_or(*RATINGS.start());
        let (dataset, _) = dataset.filter(self.min_item.unwrap_or(1), min_user);
        let dataset = dataset.with_users_up_to(*RATINGS.end());
        ensure_folds(&dataset)?;
        if let Some(method) = self.methods.iter().find(|method| !labelled::suits(method)) {
            bail!("protocol p2 cannot judge {}", method.name());
        }
        let plan = Plan {
            protocol: Protocol::P1,
            folds: usize::from(self.folds),
            methods: if self.methods.is_empty() { labelled::methods() } else { self.methods },
            config,
            dim: self.learning.dim,
            seed: self.split_seed,
        };
        let screen = Screen::new("splitting");
        let outcomes = labelled::evaluate(&dataset, &plan, &mut |stage| say(&screen, &plan, stage))?;
        drop(screen);
        let report = report::labelled::Report::new(&plan, &outcomes);
        write!(stdout().lock(), "{}", report.table())?;
        if let Some(path) = self.json {
            fs::write(&path, format!("{:#}\n", report.json())).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// Says what asking new users about items is worth, learner by learner.
fn onboard(dataset: &Dataset, plan: &Plan, learners: Vec<Method>, json: Option<&Path>) -> Result<()> {
    let mut all = Vec::new();
    for learner in &learners {
        let Method::Learner(variant) = learner else {
            bail!("protocol onboarding judges learners, not {}", learner.name());
        };
        let screen = Screen::new("splitting");
        let outcomes = onboarding::ask(dataset, plan, variant, &mut |stage| say(&screen, plan, stage))?;
        drop(screen);
        write!(stdout().lock(), "{}", report::onboarding::table(learner.name(), &outcomes))?;
        all.push(report::onboarding::json(learner.name(), &outcomes));
    }
    if let Some(path) = json {
        fs::write(path, format!("{:#}\n", serde_json::Value::from(all)))
            .with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn ensure_folds(dataset: &Dataset) -> Result<()> {
    ensure!(
        dataset.users.len() >= 10,
        "{} users with enough feedback: ten folds need ten at least (--min-user, --min-item)",
        dataset.users.len()
    );
    Ok(())
}

fn say(screen: &Screen, plan: &Plan, stage: Stage<'_>) {
    let what = format!("fold {} of {}, {}", stage.fold + 1, plan.folds, stage.method);
    match stage.training {
        Some(now) => screen.training(&what, now.training),
        None => screen.say(what),
    }
}

/// Evaluates under a progress line; says which methods the data is too large for.
pub(crate) fn compare(dataset: &Dataset, plan: &Plan) -> Result<Vec<Outcome>> {
    ensure_folds(dataset)?;
    let screen = Screen::new("splitting");
    let outcomes = evaluate(dataset, plan, &mut |stage| say(&screen, plan, stage))?;
    drop(screen);
    for method in &plan.methods {
        if !outcomes.iter().any(|outcome| outcome.name == method.name()) {
            eprintln!("{} is left out: its matrix would be too large for this catalogue", method.name());
        }
    }
    Ok(outcomes)
}
