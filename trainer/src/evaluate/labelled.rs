//! Protocol P2: the order of a user's rated items among themselves.
//!
//! The users with 13 to 100 ratings are dealt into ten folds as under P1, the others left out. Of a held-out user's
//! ratings, ten drawn at random are the query; a method sees all the others and ranks those ten, judged by NDCG with
//! gains `2^rating - 1`, mean over several draws. Items that no training user rated are left out first.
//!
//! Tables of meta-learned recommenders use it (Lee et al. 2019, section 4; RecBole-MetaRec, whose NDCG@5 on MovieLens
//! 100K are .53 to .71). The item's mean rating, the same for every user, reaches .757, and .758 if a rating of 4 or 5
//! counts as 1 and others as 0.
//!
//! Learners are judged by what ships: the exported file, ranked by the engine.

use std::ops::RangeInclusive;

use rayon::prelude::*;
use tinderbox::{Filter, ModelFile, Ranked, Session};

use super::method::Shown;
use super::trial::as_engine;
use super::{Method, Plan, Stage, Variant};
use crate::baseline::{self, LABELLED_NAMES, Tuned};
use crate::data::{Dataset, HeldOut, LABELLED, LABELLED_POOL, Split, Task, TaskSet, folds};
use crate::export::{ExportError, export};
use crate::fit::{Progress, Training, rated_draws};
use crate::learner::Kind;
use crate::metrics::{Graded, Scorer, judge_graded};
use crate::run::Run;

/// How many ratings the users of the protocol have.
pub const RATINGS: RangeInclusive<usize> = 13..=LABELLED + LABELLED_POOL;

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
    /// Metrics of each test user; users in the same order for every method.
    pub users: Vec<Graded>,
}

/// The three learners and every baseline of the protocol.
pub fn methods() -> Vec<Method> {
    let names = Kind::ALL.iter().map(|kind| kind.name()).chain(LABELLED_NAMES);
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Whether the protocol can judge `method`.
pub fn suits(method: &Method) -> bool {
    match method {
        Method::Learner(variant) => variant.shown == Shown::Everything && variant.raters == 0,
        Method::Baseline(name) => LABELLED_NAMES.contains(name),
        Method::Rated(_) => false,
    }
}

/// Evaluates those of `plan.methods` that [suit](suits) on `dataset`, whose users have [`RATINGS`] ratings each; users
/// with no more than ten on the items of training are not tested. Of `plan.protocol` nothing is used.
///
/// # Errors
/// [`ExportError`] if a learner's file cannot be written or does not rank as the trainer does.
pub fn evaluate(
    dataset: &Dataset,
    plan: &Plan,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Vec<Outcome>, ExportError> {
    let folds = folds(dataset, plan.seed);
    let methods: Vec<&Method> = plan.methods.iter().filter(|method| suits(method)).collect();
    let mut outcomes: Vec<Outcome> = methods.iter().map(|method| Outcome::new(method)).collect();
    for fold in 0..plan.folds {
        let trial = Trial::new(dataset, plan, &folds.fold(fold));
        for (method, outcome) in methods.iter().zip(&mut outcomes) {
            progress(Stage { fold, method: method.name(), training: None });
            let judged = match method {
                Method::Baseline(name) => trial.judge_baseline(name, plan),
                Method::Rated(_) => None, // does not suit
                Method::Learner(variant) => Some(trial.judge_learner(variant, plan, &mut |now| {
                    progress(Stage { fold, method: method.name(), training: Some(now) });
                })?),
            };
            if let Some(judged) = judged {
                outcome.add(judged, plan.folds);
            }
        }
    }
    Ok(outcomes)
}

impl Outcome {
    fn new(method: &Method) -> Self {
        Self {
            name: method.name().to_owned(),
            is_baseline: !matches!(method, Method::Learner(_)),
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

/// How one method did on one fold.
struct Judged {
    choice: String,
    bytes: usize,
    users: Vec<Graded>,
}

/// One fold.
struct Trial<'a> {
    dataset: &'a Dataset,
    training: Training,
    /// Of each user, several draws of the query.
    test: Vec<Vec<HeldOut>>,
}

impl<'a> Trial<'a> {
    fn new(dataset: &'a Dataset, plan: &Plan, split: &Split) -> Self {
        let set = TaskSet::new(dataset, &split.train);
        let tasks = |users: &[u32]| -> Vec<Task> {
            users.iter().map(|&user| set.catalogue.task(dataset, user)).collect()
        };
        let draws = |task: &Task| rated_draws(task, &set, plan.seed);
        let validation = tasks(&split.validation).iter().flat_map(draws).collect();
        let test = tasks(&split.test).iter().map(draws).filter(|draws| !draws.is_empty()).collect();
        Self { dataset, test, training: Training::with_validation(set, validation, plan.config.rank) }
    }

    fn judge_baseline(&self, name: &str, plan: &Plan) -> Option<Judged> {
        let Training { set, validation, .. } = &self.training;
        let Tuned { choice, scorer, bytes, .. } =
            baseline::tune_labelled(name, set, validation, plan.config.seed)?;
        Some(Judged { choice, bytes, users: self.judge_scorer(scorer.as_ref()) })
    }

    fn judge_learner(
        &self,
        variant: &Variant,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, ExportError> {
        let fitted = self.training.fit(variant.choice(plan.dim), &variant.config(&plan.config), progress);
        let choice = fitted.kept().to_owned();
        let run = Run::new(self.dataset, &self.training.set, fitted, plan.seed);
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("fold.tbx");
        let bytes = export(&run, &path)?.bytes as usize;
        let users = if variant.in_f32 {
            self.judge_scorer(&run.learned)
        } else {
            judge_file(&ModelFile::read(&path)?, &self.test)?
        };
        Ok(Judged { choice, bytes, users })
    }

    fn judge_scorer(&self, scorer: &dyn Scorer) -> Vec<Graded> {
        let rows = self.training.set.catalogue.len();
        let judge_user = |scores: &mut Vec<f32>, draws: &Vec<HeldOut>| {
            let judge_draw = |user: &HeldOut| {
                judge_graded(scorer, user, user.gains.as_deref().unwrap_or_default(), scores)
            };
            Graded::mean(&draws.iter().map(judge_draw).collect::<Vec<_>>())
        };
        self.test.par_iter().map_init(|| vec![0.0; rows], judge_user).collect()
    }
}

/// Judges a model file by the engine's order of the query.
fn judge_file(file: &ModelFile, test: &[Vec<HeldOut>]) -> Result<Vec<Graded>, ExportError> {
    let model = file.model()?;
    let len = Session::scratch_len(&model, LABELLED_POOL);
    let judge_draw = |scratch: &mut Vec<f32>, user: &HeldOut| {
        let mut session = Session::new(model, scratch)?;
        session.set_features(&user.features)?;
        session.adapt(&user.pool.iter().map(as_engine).collect::<Vec<_>>())?;
        let filter = Filter { allow: Some(&user.query), ..Filter::default() };
        let mut out = [Ranked::default(); LABELLED];
        // The query is ascending and in the catalogue: nothing could be refused.
        let list = session.rank(&filter, &mut out).unwrap_or_default();
        let list: Vec<u32> = list.iter().map(|ranked| ranked.item).collect();
        Ok(Graded::of(&list, &user.query, user.gains.as_deref().unwrap_or_default()))
    };
    let judge_user = |scratch: &mut Vec<f32>, draws: &Vec<HeldOut>| {
        let judged = draws.iter().map(|user| judge_draw(scratch, user));
        Ok(Graded::mean(&judged.collect::<Result<Vec<_>, ExportError>>()?))
    };
    test.par_iter().map_init(|| vec![0.0; len], judge_user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::World;
    use crate::episode::Rank;
    use crate::evaluate::Protocol;
    use crate::train::Config;

    #[test]
    fn every_user_is_judged_once_and_the_file_ranks_as_the_trainer_does() {
        let world = World { users: 60, items: 80, interactions: 40, ..World::default() }.dataset().unwrap();
        let plan = Plan {
            protocol: Protocol::P1,
            folds: 10,
            methods: ["item-mean", "ease", "maml", "maml:f32"].map(|name| name.parse().unwrap()).to_vec(),
            config: Config { dim: 16, epochs: 3, ..Config::for_rank(Rank::Rated) },
            dim: Some(16),
            seed: 3,
        };
        let outcomes = evaluate(&world, &plan, &mut |_| {}).unwrap();
        let [item_mean, file, in_f32] = outcomes.as_slice() else { panic!("all but ease") };
        assert!(outcomes.iter().all(|outcome| outcome.users.len() == 60 && outcome.bytes > 0));
        let quality = |outcome: &Outcome| Graded::mean(&outcome.users).ndcg;
        for (file, in_f32) in quality(file).into_iter().zip(quality(in_f32)) {
            assert!((file - in_f32).abs() < 0.01, "{file} {in_f32}");
        }
        assert!(quality(file)[2] > quality(item_mean)[2]);
    }

    #[test]
    fn what_the_protocol_cannot_judge_does_not_suit() {
        assert!(methods().iter().all(suits));
        for name in ["ease", "content-ridge", "content-ridge:raters=3", "maml:likes-only", "maml:raters=3"] {
            assert!(!suits(&name.parse().unwrap()), "{name}");
        }
    }
}
