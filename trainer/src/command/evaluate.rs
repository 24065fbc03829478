//! `trainer evaluate`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::fit::{ensure_learnable, filtered};
use super::output::{ensure_file, write_file};
use crate::args::{DataArgs, LearnerArgs};
use crate::screen::Screen;
use tinderbox_trainer::data::Dataset;
use tinderbox_trainer::episode::{Order, Rank};
use tinderbox_trainer::evaluate::labelled::{self, RATINGS};
use tinderbox_trainer::evaluate::{Method, Outcome, Plan, Protocol, Stage, evaluate, onboarding};
use tinderbox_trainer::report::{self, METRICS, Report, Subject};
use tinderbox_trainer::train::Config;

/// Compare learners and baselines on users that training did not see
///
/// Users are dealt into ten folds: eight train, one validates, one is tested. A tested user's feedback is split in two
/// halves. Methods see the first k interactions of the first half, rank the whole catalogue, and are judged on what the
/// user likes in the second. Learners are judged by the exported file, through the engine; baselines are tuned on the
/// validation users.
#[derive(Args)]
#[command(after_help = "Examples:
  trainer evaluate --data ml-100k --protocol p1 --folds 10
  trainer evaluate --data ml-100k --report report.html
  trainer evaluate --data ml-100k --methods maml,maml:first-order,maml:steps=0,maml:f32,ease
Methods:
  learners   auto maml prototypical matching, changed by :first-order :no-teacher :steps=N :dim=N :gram (a Gram
             matrix in the inner steps), by leaving parts out, :no-step-sizes (one a step) :no-preconditioner
             :no-features :no-popularity, :random-order (under p1t, trained as for p1) and, without another fit, by
             :likes-only (only the likes of the k interactions are shown), :first-likes (the first k likes are shown),
             :f32 (scored in the trainer's f32 arithmetic in place of the exported file)
  baselines  popularity item-knn user-knn ease edlae ials prototypes near-ridge ridge
             under p2: item-mean user-knn-residual rating-factors
             under p3: content-popularity content-ridge, changed by :raters=N
Rated items (p2):
  The users with 13 to 100 ratings, of which ten are drawn at random, several times. Methods see all the others and
  rank those ten, judged by NDCG with gains 2^rating - 1. Learners learn just that, unless --rank says otherwise.
New items (p3):
  A tenth of the items, another one in each fold, is taken out of the log and keeps its features. Methods see the
  first k interactions of a tested user and rank those items alone, judged on the ones that the user likes. Which
  items are out matters more than which users are tested: compare methods by their differences, over all folds.
  With :raters=N each new item also comes with the feedback of N training users, or of as many as rated it.
Onboarding:
  A tested user is shown the first 5, 10 or 20 of a list of items. The user's own ratings answer, half of them; what the
  user has not rated is skipped. The lists: what `fit` chooses for the model file, the most popular items, random ones,
  those with the largest log-popularity times entropy of ratings. --methods names learners [default: all three].")]
pub(crate) struct Evaluate {
    #[command(flatten)]
    data: DataArgs,

    /// p1: feedback in random order; p1t: in time order, learners trained with --time-order; p2: rated items among
    /// themselves; p3: new items, of which only the features are known; onboarding: users are shown the same few items
    /// and rate those that they know
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

    /// The metric of the table, under p1, p1t and p3; ndcg@10 if not given
    #[arg(long, value_parser = METRICS.map(|(name, _)| name))]
    metric: Option<String>,

    /// Also show groups, under p1, p1t and p3: users with little and with much feedback; popular and rare items
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

    /// Write a page with plots and tables there, as one HTML file that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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
        [&self.json, &self.report].into_iter().flatten().try_for_each(|path| ensure_file(path))?;
        match self.protocol {
            ProtocolName::P2 => self.ensure_one_table("p2")?,
            ProtocolName::Onboarding => self.ensure_one_table("onboarding")?,
            ProtocolName::P1 | ProtocolName::P1t | ProtocolName::P3 => {}
        }
        let protocol = match self.protocol {
            ProtocolName::P1 | ProtocolName::Onboarding => Protocol::P1,
            ProtocolName::P1t => Protocol::P1t,
            ProtocolName::P2 => return self.run_labelled(),
            ProtocolName::P3 => Protocol::P3,
        };
        let mut config = self.learning.config(Rank::Catalogue)?;
        if matches!(self.protocol, ProtocolName::P1t) {
            config.order = Order::Time; // trained as it is judged
        }
        let name = self.data.name();
        let (dataset, _) = self.data.read()?;
        let dataset = filtered(dataset, self.min_item.unwrap_or(5), self.min_user.unwrap_or(20));
        if let Some(method) = self.methods.iter().find(|method| !method.suits(protocol)) {
            bail!("protocol {} cannot judge {}", protocol.name(), method.name());
        }
        let mut plan = Plan {
            protocol,
            folds: usize::from(self.folds),
            methods: if self.methods.is_empty() { Method::all(protocol) } else { self.methods.clone() },
            config,
            dim: self.learning.dim,
            seed: self.split_seed,
        };
        if matches!(self.protocol, ProtocolName::Onboarding) {
            if self.methods.is_empty() {
                plan.methods.retain(|method| method.shipped().is_some());
            }
            return onboard(&dataset, &plan, self.json.as_deref());
        }
        let outcomes = compare(&dataset, &plan)?;
        let report = Report::new(&plan, &outcomes);
        let metric = self.metric.as_deref().unwrap_or(METRICS[0].0);
        let mut tables = vec![report.table(metric), report.changes(metric), report.exposure()];
        if self.groups {
            tables.push(report.groups(metric));
        }
        tables.retain(|table| !table.is_empty());
        write!(stdout().lock(), "{}", tables.join("\n"))?;
        if let Some(path) = self.json {
            write_json(&path, &report.json())?;
        }
        if let Some(path) = self.report {
            write_file(&path, &report.page(&Subject::new(name, &dataset))?)?;
        }
        Ok(())
    }

    /// Refuses what asks for more than `protocol`'s one table.
    fn ensure_one_table(&self, protocol: &str) -> Result<()> {
        ensure!(self.report.is_none(), "protocol {protocol} has no page: see --json");
        ensure!(self.metric.is_none(), "protocol {protocol} has its own metric: leave --metric out");
        ensure!(!self.groups, "protocol {protocol} has no groups: leave --groups out");
        Ok(())
    }

    fn run_labelled(self) -> Result<()> {
        let config = self.learning.config(Rank::Rated)?;
        let (dataset, _) = self.data.read()?;
        ensure!(dataset.levels.values.len() > 1, "protocol p2 needs ratings");
        let min_user = self.min_user.unwrap_or(*RATINGS.start());
        let dataset =
            filtered(dataset, self.min_item.unwrap_or(1), min_user).with_users_up_to(*RATINGS.end());
        ensure_testable(&dataset, &config)?;
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
            write_json(&path, &report.json())?;
        }
        Ok(())
    }
}

/// Says what showing items to new users is worth, learner by learner.
fn onboard(dataset: &Dataset, plan: &Plan, json: Option<&Path>) -> Result<()> {
    ensure_testable(dataset, &plan.config)?;
    let mut all = Vec::new();
    for method in &plan.methods {
        let Some(learner) = method.shipped() else {
            bail!("protocol onboarding judges learners as they ship, not {}", method.name());
        };
        let screen = Screen::new("splitting");
        let outcomes = onboarding::ask(dataset, plan, learner, &mut |stage| say(&screen, plan, stage))?;
        drop(screen);
        write!(stdout().lock(), "{}", report::onboarding::table(method.name(), &outcomes))?;
        all.push(report::onboarding::json(method.name(), &outcomes));
    }
    json.map_or(Ok(()), |path| write_json(path, &all.into()))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    write_file(path, &format!("{value:#}\n"))
}

fn ensure_testable(dataset: &Dataset, config: &Config) -> Result<()> {
    ensure!(
        dataset.users.len() >= 10,
        "{} users with enough feedback: ten folds need ten at least (--min-user, --min-item)",
        dataset.users.len()
    );
    ensure_learnable(dataset, config)
}

/// Evaluates under a progress line; says which methods the data does not suit.
pub(crate) fn compare(dataset: &Dataset, plan: &Plan) -> Result<Vec<Outcome>> {
    ensure_testable(dataset, &plan.config)?;
    let screen = Screen::new("splitting");
    let outcomes = evaluate(dataset, plan, &mut |stage| say(&screen, plan, stage))?;
    drop(screen);
    for method in &plan.methods {
        if !outcomes.iter().any(|outcome| outcome.name == method.name()) {
            eprintln!(
                "{} is left out: too much memory for this catalogue, or too little feedback to fit it",
                method.name()
            );
        }
    }
    Ok(outcomes)
}

fn say(screen: &Screen, plan: &Plan, stage: Stage<'_>) {
    let what = format!("fold {} of {}, {}", stage.fold + 1, plan.folds, stage.method);
    match stage.training {
        Some(now) => screen.training(&what, now.training),
        None => screen.say(what),
    }
}
