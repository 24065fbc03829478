//! The few-shot protocols: held-out users reveal k interactions, the rest of what they like is the query.
//!
//! **P1**: a held-out user's feedback is shuffled, the first half is the support pool, the second half the query.
//! For each k of [`SHOTS`] a method adapts to the first k of the pool, ranks the whole catalogue without those k,
//! and is judged on the liked items of the query. **P1t**: the same in time order. Ten rotated folds of users
//! (80 % training, 10 % validation, 10 % test): with all ten, every user is tested once.
//!
//! Learners are judged by what ships: the exported file, ranked by the engine.

use std::str::FromStr;

use rayon::prelude::*;
use tinderbox::{Filter, ModelFile, Ranked, Session};

use crate::baseline::{self, Tuned};
use crate::data::{Dataset, HeldOut, Interaction, Levels, Split, Task, TaskSet, folds};
use crate::export::{ExportError, export};
use crate::fit::{Choice, Progress, Training};
use crate::learner::{Kind, Learned};
use crate::metrics::{LIST, Metrics, SHOTS, judge};
use crate::run::Run;
use crate::train::Config;

/// In which order a held-out user's feedback is revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Shuffled.
    P1,
    /// In time order.
    P1t,
}

impl Protocol {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P1t => "p1t",
        }
    }

    fn hold_out(self, task: &Task, levels: &Levels, seed: u64) -> Option<HeldOut> {
        match self {
            Self::P1 => HeldOut::shuffled(task, levels, seed),
            Self::P1t => HeldOut::in_time_order(task, levels),
        }
    }
}

/// What is compared: a learner, maybe with something changed, or a baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A learner.
    Learner(Variant),
    /// A baseline, by its name in [`baseline::NAMES`].
    Baseline(&'static str),
}

/// A learner with changes to its configuration: `maml:first-order:steps=4`.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    name: String,
    choice: Choice,
    first_order: bool,
    no_teacher: bool,
    steps: Option<usize>,
    dim: Option<usize>,
    /// Judged by the trainer's f32 arithmetic in place of the exported file.
    in_f32: bool,
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = baseline::NAMES.iter().find(|name| **name == text) {
            return Ok(Self::Baseline(name));
        }
        let mut parts = text.split(':');
        let learner = parts.next().unwrap_or_default();
        let choice = match Kind::ALL.iter().find(|kind| kind.name() == learner) {
            Some(&kind) => Choice::One(kind),
            None if learner == "auto" => Choice::Auto { dim: None },
            None => {
                return Err(format!(
                    "no method {learner:?}; learners: auto, maml, prototypical, matching; baselines: {}",
                    baseline::NAMES.join(", ")
                ));
            }
        };
        let mut variant = Variant {
            name: text.to_owned(),
            choice,
            first_order: false,
            no_teacher: false,
            steps: None,
            dim: None,
            in_f32: false,
        };
        for change in parts {
            let number = |value: &str| value.parse().map_err(|_| format!("no number in {change:?}"));
            match change.split_once('=') {
                None if change == "first-order" => variant.first_order = true,
                None if change == "no-teacher" => variant.no_teacher = true,
                None if change == "f32" => variant.in_f32 = true,
                Some(("steps", value)) => variant.steps = Some(number(value)?),
                Some(("dim", value)) => variant.dim = Some(number(value)?),
                _ => {
                    return Err(format!(
                        "no change {change:?}; known: first-order, no-teacher, steps=N, dim=N, f32"
                    ));
                }
            }
        }
        Ok(Self::Learner(variant))
    }
}

impl Method {
    /// The name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Learner(variant) => &variant.name,
            Self::Baseline(name) => name,
        }
    }

    /// The three learners and every baseline.
    pub fn all() -> Vec<Self> {
        let names = Kind::ALL.iter().map(|kind| kind.name()).chain(baseline::NAMES);
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

impl Variant {
    /// `dim` holds where the variant has none of its own.
    fn choice(&self, dim: Option<usize>) -> Choice {
        match self.choice {
            Choice::Auto { .. } => Choice::Auto { dim: self.dim.or(dim) },
            one => one,
        }
    }

    fn config(&self, base: &Config) -> Config {
        Config {
            first_order: self.first_order || base.first_order,
            teacher_weight: if self.no_teacher { 0.0 } else { base.teacher_weight },
            steps: self.steps.unwrap_or(base.steps),
            dim: self.dim.unwrap_or(base.dim),
            ..base.clone()
        }
    }
}

/// What an evaluation does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The order of feedback.
    pub protocol: Protocol,
    /// How many of the ten folds, from the first.
    pub folds: usize,
    /// What is compared.
    pub methods: Vec<Method>,
    /// The learners' configuration.
    pub config: Config,
    /// The length of an embedding, where `auto` is not to choose it.
    pub dim: Option<usize>,
    /// Seed of the folds and of the shuffles; the learners' is in `config`.
    pub seed: u64,
}

/// How an evaluation stands.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Fold, from 0.
    pub fold: usize,
    /// The method that is being fitted.
    pub method: &'a str,
    /// How far a learner is.
    pub training: Option<Progress<'a>>,
}

/// How one method did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The method's name.
    pub name: String,
    /// Whether it is a baseline.
    pub is_baseline: bool,
    /// What was chosen on validation, fold by fold.
    pub choices: Vec<String>,
    /// What a device has to hold, mean over folds.
    pub bytes: usize,
    /// Metrics of each test user after each number of interactions; users in the same order for every method.
    pub users: Vec<[Metrics; SHOTS.len()]>,
}

/// Evaluates `plan.methods` on `dataset`, which is filtered already. A baseline that is too large for the data is
/// left out of the outcomes.
///
/// # Errors
/// [`ExportError`] if a learner's file cannot be written or does not rank as the trainer does.
pub fn evaluate(
    dataset: &Dataset,
    plan: &Plan,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Vec<Outcome>, ExportError> {
    let folds = folds(dataset, plan.seed);
    let mut outcomes: Vec<Option<Outcome>> =
        plan.methods.iter().map(|method| Some(Outcome::new(method))).collect();
    for fold in 0..plan.folds {
        let Split { train, validation, test } = folds.fold(fold);
        let set = TaskSet::new(dataset, &train);
        let held_out = |users: &[u32]| -> Vec<HeldOut> {
            let tasks = users.iter().map(|&user| set.catalogue.task(dataset, user));
            tasks.filter_map(|task| plan.protocol.hold_out(&task, &set.levels, plan.seed)).collect()
        };
        let (validation, test) = (held_out(&validation), held_out(&test));
        let training = Training::with_validation(set, validation);
        for (method, slot) in plan.methods.iter().zip(&mut outcomes) {
            let Some(outcome) = slot else { continue };
            progress(Stage { fold, method: method.name(), training: None });
            let judged = match method {
                Method::Baseline(name) => judge_baseline(name, &training, &test, plan.seed),
                Method::Learner(variant) => {
                    let mut training_progress = |now: Progress<'_>| {
                        progress(Stage { fold, method: method.name(), training: Some(now) })
                    };
                    Some(judge_learner(dataset, variant, plan, &training, &test, &mut training_progress)?)
                }
            };
            match judged {
                Some(judged) => outcome.add(judged, plan.folds),
                None => *slot = None,
            }
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// How one method did on one fold.
struct Judged {
    choice: String,
    bytes: usize,
    users: Vec<[Metrics; SHOTS.len()]>,
}

impl Outcome {
    fn new(method: &Method) -> Self {
        Self {
            name: method.name().to_owned(),
            is_baseline: matches!(method, Method::Baseline(_)),
            choices: Vec::new(),
            bytes: 0,
            users: Vec::new(),
        }
    }

    fn add(&mut self, judged: Judged, folds: usize) {
        self.choices.push(judged.choice);
        self.bytes += judged.bytes / folds;
        self.users.extend(judged.users);
    }
}

fn judge_baseline(name: &str, training: &Training, test: &[HeldOut], seed: u64) -> Option<Judged> {
    let Tuned { choice, scorer, bytes, .. } =
        baseline::tune(name, &training.set, &training.validation, seed)?;
    let rows = training.set.catalogue.len();
    let users = test.par_iter().map_init(
        || vec![0.0; rows],
        |scores, user| SHOTS.map(|shots| judge(scorer.as_ref(), user, shots, scores)),
    );
    Some(Judged { choice, bytes, users: users.collect() })
}

fn judge_learner(
    dataset: &Dataset,
    variant: &Variant,
    plan: &Plan,
    training: &Training,
    test: &[HeldOut],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Judged, ExportError> {
    let fitted = training.fit(variant.choice(plan.dim), &variant.config(&plan.config), progress);
    let kept = fitted.trials.iter().find(|trial| trial.kept);
    let choice = kept.map_or_else(String::new, |trial| trial.name.clone());
    let run = Run::new(dataset, &training.set, fitted, plan.seed);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("fold.tbx");
    let bytes = export(&run, &path)?.bytes as usize;
    let users = if variant.in_f32 {
        judge_in_f32(&run.learned, test)
    } else {
        judge_file(&ModelFile::read(&path)?, test)?
    };
    Ok(Judged { choice, bytes, users })
}

fn judge_in_f32(learned: &Learned, test: &[HeldOut]) -> Vec<[Metrics; SHOTS.len()]> {
    let rows = learned.rows.len() / learned.dim;
    let judge_user =
        |scores: &mut Vec<f32>, user: &HeldOut| SHOTS.map(|shots| judge(learned, user, shots, scores));
    test.par_iter().map_init(|| vec![0.0; rows], judge_user).collect()
}

/// Judges a model file by the engine's rankings.
fn judge_file(file: &ModelFile, test: &[HeldOut]) -> Result<Vec<[Metrics; SHOTS.len()]>, ExportError> {
    let model = file.model()?;
    let len = Session::scratch_len(&model, SHOTS[SHOTS.len() - 1]);
    let judge_user = |scratch: &mut Vec<f32>, user: &HeldOut| {
        let mut session = Session::new(model, scratch)?;
        session.set_features(&user.features)?;
        let mut metrics = [Metrics::default(); SHOTS.len()];
        for (metrics, shots) in metrics.iter_mut().zip(SHOTS) {
            let support: Vec<tinderbox::Interaction> = user.pool.iter().take(shots).map(as_engine).collect();
            session.adapt(&support)?;
            let mut out = [Ranked::default(); LIST];
            // The default filter has nothing that could be refused.
            let list = session.rank(&Filter::default(), &mut out).unwrap_or_default();
            *metrics = Metrics::of(&list.iter().map(|ranked| ranked.item).collect::<Vec<_>>(), &user.query);
        }
        Ok(metrics)
    };
    test.par_iter().map_init(|| vec![0.0; len], judge_user).collect()
}

/// An interaction of the trainer as one of the engine: catalogue rows and levels have the same numbers.
fn as_engine(interaction: &Interaction) -> tinderbox::Interaction {
    tinderbox::Interaction { item: interaction.item, level: interaction.level }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_from_text() {
        assert_eq!("ease".parse(), Ok(Method::Baseline("ease")));
        let Ok(Method::Learner(variant)) = "maml:first-order:steps=0".parse() else { panic!("a learner") };
        let config = variant.config(&Config::default());
        assert!(config.first_order && config.steps == 0);
        for (text, error) in [
            ("svd", "no method \"svd\"; learners"),
            ("maml:second-order", "no change \"second-order\"; known"),
            ("maml:steps=many", "no number in \"steps=many\""),
        ] {
            let found = text.parse::<Method>().expect_err("not a method");
            assert!(found.starts_with(error), "{found}");
        }
        assert_eq!(Method::all().len(), 3 + baseline::NAMES.len());
    }
}
