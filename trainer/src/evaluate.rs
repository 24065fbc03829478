//! The few-shot protocols: held-out users reveal k interactions, the rest of what they like is the query.
//!
//! **P1**: a held-out user's feedback is shuffled, the first half is the support pool, the second half the query.
//! For each k of [`SHOTS`] a method adapts to the first k of the pool, ranks the whole catalogue without those k,
//! and is judged on the liked items of the query. **P1t**: the same in time order. Ten rotated folds of users
//! (80 % training, 10 % validation, 10 % test): with all ten, every user is tested once.
//!
//! **P3**: new items. A tenth of the items, rotated like the users, is taken out altogether: no method sees any
//! feedback on them, only their features. A held-out user's feedback on the other items is shuffled into the support
//! pool; a method ranks the new items alone and is judged on those that the user likes. Users who like none of them
//! are left out.
//!
//! Learners are judged by what ships: the exported file, ranked by the engine.

use std::borrow::Cow;
use std::str::FromStr;

use rayon::prelude::*;
use tinderbox::{EmbedError, Filter, Model, ModelFile, NewItems, Ranked, Session, embed_item};

use crate::baseline::{self, Tuned};
use crate::data::{Dataset, HeldOut, Interaction, Split, Task, TaskSet, folds, item_fold};
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
    /// Shuffled; new items are ranked.
    P3,
}

impl Protocol {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P1t => "p1t",
            Self::P3 => "p3",
        }
    }

    /// The baselines that can rank what this protocol has ranked.
    pub fn baselines(self) -> &'static [&'static str] {
        match self {
            Self::P1 | Self::P1t => &baseline::NAMES,
            Self::P3 => &baseline::CONTENT_NAMES,
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
        if let Some(name) = baselines().find(|name| *name == text) {
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
                    baselines().collect::<Vec<_>>().join(", ")
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

    /// The three learners and every baseline that `protocol` has.
    pub fn all(protocol: Protocol) -> Vec<Self> {
        let names = Kind::ALL.iter().map(|kind| kind.name()).chain(protocol.baselines().iter().copied());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// Whether `protocol` can judge it.
    pub fn suits(&self, protocol: Protocol) -> bool {
        match self {
            // New items have rows in int8 only.
            Self::Learner(variant) => !(variant.in_f32 && protocol == Protocol::P3),
            Self::Baseline(name) => protocol.baselines().contains(name),
        }
    }
}

/// Every baseline of every protocol.
fn baselines() -> impl Iterator<Item = &'static str> {
    baseline::NAMES.into_iter().chain(baseline::CONTENT_NAMES)
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

/// Evaluates `plan.methods` on `dataset`, which is filtered already. A baseline that is too large for the data, or a
/// method that does not [suit](Method::suits) the protocol, is left out of the outcomes.
///
/// # Errors
/// [`ExportError`] if a learner's file cannot be written or does not rank as the trainer does.
pub fn evaluate(
    dataset: &Dataset,
    plan: &Plan,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Vec<Outcome>, ExportError> {
    let folds = folds(dataset, plan.seed);
    let outcome = |method: &Method| method.suits(plan.protocol).then(|| Outcome::new(method));
    let mut outcomes: Vec<Option<Outcome>> = plan.methods.iter().map(outcome).collect();
    for fold in 0..plan.folds {
        let trial = Trial::new(dataset, plan, &folds.fold(fold), fold);
        for (method, slot) in plan.methods.iter().zip(&mut outcomes) {
            let Some(outcome) = slot else { continue };
            progress(Stage { fold, method: method.name(), training: None });
            let judged = match method {
                Method::Baseline(name) => trial.judge_baseline(name, plan),
                Method::Learner(variant) => {
                    let mut training_progress = |now: Progress<'_>| {
                        progress(Stage { fold, method: method.name(), training: Some(now) })
                    };
                    Some(trial.judge_learner(variant, plan, &mut training_progress)?)
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

/// One fold: what is learned from, and whom and what it is judged on.
struct Trial<'a> {
    /// What was read, without the feedback on new items.
    known: Cow<'a, Dataset>,
    training: Training,
    /// Queries are rows of the catalogue or, behind them, new items.
    test: Vec<HeldOut>,
    /// The features of each new item; none unless under P3.
    new_items: Vec<Vec<u32>>,
}

impl<'a> Trial<'a> {
    fn new(dataset: &'a Dataset, plan: &Plan, split: &Split, fold: usize) -> Self {
        let new_items = match plan.protocol {
            Protocol::P1 | Protocol::P1t => Vec::new(),
            Protocol::P3 => item_fold(dataset.items.len(), plan.seed, fold),
        };
        let known = match new_items.as_slice() {
            [] => Cow::Borrowed(dataset),
            items => Cow::Owned(dataset.without_feedback_on(items)),
        };
        let set = TaskSet::new(&known, &split.train);
        let tasks = |users: &[u32]| -> Vec<Task> {
            users.iter().map(|&user| set.catalogue.task(&known, user)).collect()
        };
        let hold_out = |task: &Task| match plan.protocol {
            Protocol::P1 | Protocol::P3 => HeldOut::shuffled(task, &set.levels, plan.seed),
            Protocol::P1t => HeldOut::in_time_order(task, &set.levels),
        };
        let on_new_items = |task: &Task| {
            let liked = liked_among(dataset, task.user, &new_items);
            let numbers = liked.map(|place| (set.catalogue.len() + place) as u32).collect();
            HeldOut::on_new_items(task, numbers, plan.seed)
        };
        let validation = tasks(&split.validation).iter().filter_map(hold_out).collect();
        let test = tasks(&split.test);
        let test = match plan.protocol {
            Protocol::P1 | Protocol::P1t => test.iter().filter_map(hold_out).collect(),
            Protocol::P3 => test.iter().filter_map(on_new_items).collect(),
        };
        let new_items = new_items.iter().map(|&item| dataset.item_features.of[item as usize].clone());
        Self {
            new_items: new_items.collect(),
            test,
            training: Training::with_validation(set, validation),
            known,
        }
    }

    fn judge_baseline(&self, name: &str, plan: &Plan) -> Option<Judged> {
        let Training { set, validation, .. } = &self.training;
        let Tuned { choice, scorer, bytes, .. } = match plan.protocol {
            Protocol::P1 | Protocol::P1t => baseline::tune(name, set, validation, plan.seed),
            Protocol::P3 => baseline::tune_content(name, set, validation, &self.new_items, plan.seed),
        }?;
        let candidates = set.catalogue.len() + self.new_items.len();
        let users = self.test.par_iter().map_init(
            || vec![0.0; candidates],
            |scores, user| SHOTS.map(|shots| judge(scorer.as_ref(), user, shots, scores)),
        );
        Some(Judged { choice, bytes, users: users.collect() })
    }

    fn judge_learner(
        &self,
        variant: &Variant,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, ExportError> {
        let fitted = self.training.fit(variant.choice(plan.dim), &variant.config(&plan.config), progress);
        let kept = fitted.trials.iter().find(|trial| trial.kept);
        let choice = kept.map_or_else(String::new, |trial| trial.name.clone());
        let run = Run::new(&self.known, &self.training.set, fitted, plan.seed);
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("fold.tbx");
        let bytes = export(&run, &path)?.bytes as usize;
        let users = if variant.in_f32 {
            judge_in_f32(&run.learned, &self.test)
        } else {
            judge_file(&ModelFile::read(&path)?, &self.new_items, &self.test)?
        };
        Ok(Judged { choice, bytes, users })
    }
}

/// Places in `items` of those that `user` likes.
fn liked_among(dataset: &Dataset, user: u32, items: &[u32]) -> impl Iterator<Item = usize> {
    let interactions = dataset.interactions[user as usize].iter();
    let liked = interactions.filter(|interaction| dataset.levels.liked(interaction.level));
    liked.filter_map(|interaction| items.iter().position(|&item| item == interaction.item))
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

fn judge_in_f32(learned: &Learned, test: &[HeldOut]) -> Vec<[Metrics; SHOTS.len()]> {
    let rows = learned.rows.len() / learned.dim;
    let judge_user =
        |scores: &mut Vec<f32>, user: &HeldOut| SHOTS.map(|shots| judge(learned, user, shots, scores));
    test.par_iter().map_init(|| vec![0.0; rows], judge_user).collect()
}

/// Judges a model file by the engine's rankings: of the catalogue or, if there are any, of the new items alone.
fn judge_file(
    file: &ModelFile,
    new_items: &[Vec<u32>],
    test: &[HeldOut],
) -> Result<Vec<[Metrics; SHOTS.len()]>, ExportError> {
    let model = file.model()?;
    let (rows, scales) = embed(&model, new_items)?;
    let numbers: Vec<u32> = (model.items() as u32..).take(new_items.len()).collect();
    let allow = (!numbers.is_empty()).then_some(numbers.as_slice());
    let filter = Filter { allow, ..Filter::default() };
    let len = Session::scratch_len(&model, SHOTS[SHOTS.len() - 1]);
    let judge_user = |scratch: &mut Vec<f32>, user: &HeldOut| {
        let mut session = Session::new(model, scratch)?;
        session.add_items(NewItems { rows: &rows, scales: &scales })?;
        session.set_features(&user.features)?;
        let mut metrics = [Metrics::default(); SHOTS.len()];
        for (metrics, shots) in metrics.iter_mut().zip(SHOTS) {
            let support: Vec<tinderbox::Interaction> = user.pool.iter().take(shots).map(as_engine).collect();
            session.adapt(&support)?;
            let mut out = [Ranked::default(); LIST];
            // The filter's list is ascending and names known items only: nothing could be refused.
            let list = session.rank(&filter, &mut out).unwrap_or_default();
            *metrics = Metrics::of(&list.iter().map(|ranked| ranked.item).collect::<Vec<_>>(), &user.query);
        }
        Ok(metrics)
    };
    test.par_iter().map_init(|| vec![0.0; len], judge_user).collect()
}

/// The rows (items x dim) and scales of new items with these features.
fn embed(model: &Model<'_>, new_items: &[Vec<u32>]) -> Result<(Vec<i8>, Vec<f32>), EmbedError> {
    let mut rows = vec![0; new_items.len() * model.dim()];
    let pairs = rows.chunks_exact_mut(model.dim()).zip(new_items);
    let scales = pairs.map(|(row, features)| embed_item(model, features, row)).collect::<Result<_, _>>()?;
    Ok((rows, scales))
}

/// An interaction of the trainer as one of the engine: catalogue rows and levels have the same numbers.
fn as_engine(interaction: &Interaction) -> tinderbox::Interaction {
    tinderbox::Interaction { item: interaction.item, level: interaction.level }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::World;

    fn plan(protocol: Protocol) -> Plan {
        let methods = Method::all(protocol);
        Plan { protocol, folds: 10, methods, config: Config::default(), dim: None, seed: 3 }
    }

    #[test]
    fn no_feedback_on_new_items_is_learned_from_or_shown() {
        let dataset = World { users: 60, items: 80, interactions: 20, ..World::default() }.dataset().unwrap();
        let folds = folds(&dataset, 3);
        let mut times_new = vec![0; dataset.items.len()];
        for fold in 0..10 {
            let new = item_fold(dataset.items.len(), 3, fold);
            new.iter().for_each(|&item| times_new[item as usize] += 1);
            let trial = Trial::new(&dataset, &plan(Protocol::P3), &folds.fold(fold), fold);
            let Training { set, validation, .. } = &trial.training;
            assert!(set.catalogue.items.iter().all(|item| !new.contains(item)));
            assert!(trial.known.interactions.iter().flatten().all(|i| !new.contains(&i.item)));
            let rows = set.catalogue.len() as u32;
            let of_pools = trial.test.iter().chain(validation).flat_map(|user| &user.pool);
            assert!(of_pools.into_iter().all(|interaction| interaction.item < rows));
            assert!(!trial.test.is_empty() && trial.new_items.len() == new.len());
            let queried = trial.test.iter().flat_map(|user| &user.query);
            assert!(queried.into_iter().all(|&item| (rows..rows + new.len() as u32).contains(&item)));
        }
        assert!(times_new.iter().all(|&times| times == 1));
    }

    #[test]
    fn each_protocol_has_baselines_of_its_own() {
        let ease = Method::Baseline("ease");
        let content = Method::Baseline("content-ridge");
        assert!(ease.suits(Protocol::P1t) && !ease.suits(Protocol::P3));
        assert!(content.suits(Protocol::P3) && !content.suits(Protocol::P1));
        for protocol in [Protocol::P1, Protocol::P3] {
            assert!(Method::all(protocol).iter().all(|method| method.suits(protocol)));
        }
    }

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
        assert_eq!(Method::all(Protocol::P1).len(), 3 + baseline::NAMES.len());
    }
}
