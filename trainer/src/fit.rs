//! From tasks to meta-parameters: the teacher, the trials of a learner, the choice by validation.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::auto::{self, Candidate};
use crate::baseline::{NearRidge, Ridge, RidgeConfig, best_of};
use crate::data::{Dataset, HeldOut, Interaction, Task, TaskSet};
use crate::episode::{Order, Rank};
use crate::learner::{Kind, Learned, Start, Teacher, best_epoch};
use crate::metrics::{self, Scorer};
use crate::train::{self, Config, Regression, train};

/// Which learner to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Several, of which validation keeps one.
    Auto {
        /// The length of an embedding, where it is not to be chosen.
        dim: Option<usize>,
    },
    /// This one.
    One(Kind),
}

/// More validation users than this say little more, and take as long as training.
pub(crate) const MOST_VALIDATION: usize = 500;

/// What the teacher weighs in time order, relative to what is configured: it predicts random splits. On ten folds of
/// MovieLens 100K under P1t maml, prototypical and matching have an NDCG@10 of .134 .137 .134 so, and .132 .136 .127
/// without it; all of its weight cost the prototypical rule .005 on four folds.
const TIMELESS: f64 = 0.3;

/// How often the ratings of a held-out user are split.
const RATED_DRAWS: u64 = 5;

/// What a fit learns from.
pub struct Training {
    /// The tasks and the catalogue.
    pub set: TaskSet,
    /// The users that decide when to stop and what to keep.
    pub validation: Vec<HeldOut>,
    rank: Rank,
    /// The teachers, fitted when they are first asked for; `None` where there is none.
    ridge: OnceLock<Option<Ridge>>,
    near_ridge: OnceLock<Option<NearRidge>>,
}

/// One configuration that was tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// The learner, and what is special about it.
    pub name: String,
    /// Mean NDCG@10 on the validation users over the five support sizes, or NDCG@5 of rated items; `None` without such
    /// users.
    pub validation: Option<f64>,
    /// Standard error of the paired difference to the trial that was kept.
    pub standard_error: Option<f64>,
    /// Whether it was kept.
    pub kept: bool,
}

/// What a fit leaves.
pub struct Fitted {
    /// The meta-parameters.
    pub learned: Learned,
    /// What they were trained with.
    pub config: Config,
    /// All that was tried, in order.
    pub trials: Vec<Trial>,
}

/// How a fit stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is being trained.
    pub trial: &'a str,
    /// How far it is.
    pub training: train::Progress,
}

impl Training {
    /// Learns from `train`; `validation` users are judged on what `rank` asks for: on shuffled halves of their feedback,
    /// or as under protocol P2.
    pub fn new(dataset: &Dataset, train: &[u32], validation: &[u32], rank: Rank, seed: u64) -> Self {
        let set = TaskSet::new(dataset, train);
        let tasks = validation.iter().map(|&user| set.catalogue.task(dataset, user));
        let validation = match rank {
            Rank::Catalogue => tasks.filter_map(|task| HeldOut::shuffled(&task, &set.levels, seed)).collect(),
            Rank::Rated => tasks.flat_map(|task| rated_draws(&task, &set, seed)).collect(),
        };
        Self::with_validation(set, validation, rank)
    }

    /// Learns from `set`, judged by `validation`, of which some are left out if they are very many.
    pub fn with_validation(set: TaskSet, validation: Vec<HeldOut>, rank: Rank) -> Self {
        let validation =
            validation.iter().step_by(validation.len().div_ceil(MOST_VALIDATION).max(1)).cloned().collect();
        Self { set, validation, rank, ridge: OnceLock::new(), near_ridge: OnceLock::new() }
    }

    /// Trains one configuration: without the teacher if its weight is 0, and with three tenths of its weight in time order.
    pub fn train(&self, config: &Config, progress: &mut dyn FnMut(train::Progress)) -> Learned {
        let weight = match config.order {
            Order::Random => config.teacher_weight,
            Order::Time => TIMELESS * config.teacher_weight,
        };
        let taught = Config { teacher_weight: weight, ..config.clone() };
        train(&self.set, &self.validation, self.teacher(config), &taught, progress)
    }

    /// The teacher that `config` wants, if it wants one: the near ridge too where the data is too large for the other.
    pub(crate) fn teacher(&self, config: &Config) -> Option<&dyn Teacher> {
        let is_wanted = config.teacher_weight > 0.0 && self.rank == Rank::Catalogue;
        let full = || self.ridge().map(|ridge| ridge as &dyn Teacher);
        let near = || self.near_ridge(config.penalty).map(|ridge| ridge as &dyn Teacher);
        match config.regression {
            _ if !is_wanted => None,
            Regression::Full => full().or_else(near),
            Regression::Near => near(),
        }
    }

    /// `config` as this data wants it: where the near ridge teaches, as on long tails, by the penalty that validation chose,
    /// and started from its directions, by far the better start (NDCG@10 of .089 against .030 after few epochs on 40,000
    /// items).
    pub(crate) fn suited(&self, config: Config) -> Config {
        let is_near = self.teacher(&config).is_some()
            && (config.regression == Regression::Near || self.ridge().is_none());
        let near = if is_near { self.near_ridge(config.penalty) } else { None };
        let start = Start { from_teacher: config.start.from_teacher || is_near, ..config.start };
        Config { start, penalty: near.map(NearRidge::penalty), ..config }
    }

    /// The teachers to try: the full one unless there is none or the near one ranks better on the validation users by more
    /// than one standard error; and the near one where it ranks better.
    pub(crate) fn good_regressions(&self) -> Vec<Regression> {
        let (near, full) = match (self.near_ridge(None), self.ridge()) {
            (Some(near), Some(full)) => (near, full),
            (Some(_), None) => return vec![Regression::Near],
            (None, _) => return vec![Regression::Full],
        };
        worth_trying(&self.validation_of(near), &self.validation_of(full))
    }

    /// Of the teacher of `config`, each validation user; empty without one.
    pub(crate) fn validation_of_teacher(&self, config: &Config) -> Vec<f64> {
        self.teacher(config).map_or_else(Vec::new, |teacher| self.validation_of(&ByLogits(teacher)))
    }

    fn validation_of(&self, scorer: &dyn Scorer) -> Vec<f64> {
        metrics::validation(scorer, &self.validation, self.set.catalogue.len())
    }

    fn ridge(&self) -> Option<&Ridge> {
        self.ridge.get_or_init(|| Ridge::fit(&self.set, RidgeConfig::teacher(&self.set))).as_ref()
    }

    /// With `penalty`, or the one that is best on the validation users. It is fitted once: who asks again names the same
    /// penalty, or none.
    fn near_ridge(&self, penalty: Option<f32>) -> Option<&NearRidge> {
        let fit = || match penalty {
            Some(penalty) => NearRidge::penalised(&self.set, penalty),
            None => best_of(NearRidge::grid(&self.set), &self.validation, &self.set),
        };
        self.near_ridge.get_or_init(fit).as_ref()
    }

    /// Fits what `choice` says; `config.learner` is overruled by it, and with [`Choice::Auto`] so is what suits only
    /// some data: dimensions, start values, teacher weight, learning rate.
    ///
    /// `Auto` trains one or two small configurations and keeps the better one on the validation users, and one or more
    /// large ones, of which one is kept if it is better by more than one standard error of the paired difference:
    /// validation noise would otherwise choose at random. One that a better teacher speaks for need only be better. Where the
    /// teacher is better than what is kept by as much, `matching` is tried as well.
    pub fn fit(&self, choice: Choice, config: &Config, progress: &mut dyn FnMut(Progress<'_>)) -> Fitted {
        let (mut tried, kept) = match choice {
            Choice::Auto { dim } => auto::try_all(self, dim, config, progress),
            Choice::One(learner) => {
                let config = self.suited(Config { learner, ..config.clone() });
                (vec![Candidate::train(learner.name().to_owned(), config, self, progress)], 0)
            }
        };
        let trials = tried.iter().enumerate().map(|(at, candidate)| Trial {
            name: candidate.name.clone(),
            validation: mean(&candidate.validation),
            standard_error: (at != kept && !candidate.validation.is_empty())
                .then(|| paired(&candidate.validation, &tried[kept].validation).1),
            kept: at == kept,
        });
        let trials = trials.collect();
        let Candidate { config, learned, .. } = tried.swap_remove(kept);
        Fitted { learned, config, trials }
    }
}

/// A teacher as a recommender.
struct ByLogits<'a>(&'a dyn Teacher);

impl Scorer for ByLogits<'_> {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        self.0.logits(support, scores);
    }
}

/// A held-out user under protocol P2. Ten ratings are a noisy judge: they are drawn several times.
pub(crate) fn rated_draws(task: &Task, set: &TaskSet, seed: u64) -> Vec<HeldOut> {
    (0..RATED_DRAWS).filter_map(|draw| HeldOut::labelled(task, &set.levels, seed, draw)).collect()
}

impl Fitted {
    /// The name of the trial that was kept.
    pub fn kept(&self) -> &str {
        self.trials.iter().find(|trial| trial.kept).map_or("", |trial| &trial.name)
    }

    /// Trains what was kept once more, on `everyone` and for as many epochs as served it best: the validation users
    /// teach too, and what only they know joins the catalogue.
    pub fn refit(self, everyone: &Training, progress: &mut dyn FnMut(train::Progress)) -> Self {
        let config =
            Config { epochs: best_epoch(&self.learned.history).unwrap_or(self.config.epochs), ..self.config };
        let learned = Learned { history: self.learned.history, ..everyone.train(&config, progress) };
        Self { learned, config, trials: self.trials }
    }
}

/// [`Training::good_regressions`], by what both teachers come to on each validation user.
fn worth_trying(near: &[f64], full: &[f64]) -> Vec<Regression> {
    match paired(near, full) {
        (gain, error) if gain > error => vec![Regression::Near],
        (gain, _) if gain > 0.0 => vec![Regression::Full, Regression::Near],
        _ => vec![Regression::Full],
    }
}

/// Mean of `a - b` over users, 0 without any, and its standard error: infinite for fewer than two users, of whom nothing
/// can be concluded.
pub fn paired(a: &[f64], b: &[f64]) -> (f64, f64) {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let error = if differences.len() > 1 { standard_error(&differences) } else { f64::INFINITY };
    (mean(&differences).unwrap_or(0.0), error)
}

/// Whether `a` is better in the mean than `b` by more than one standard error of the paired difference.
pub(crate) fn is_better(a: &[f64], b: &[f64]) -> bool {
    let (gain, error) = paired(a, b);
    gain > error
}

/// The mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard error of the mean of `values`; 0 for fewer than two.
pub fn standard_error(values: &[f64]) -> f64 {
    let Some(mean) = mean(values).filter(|_| values.len() > 1) else { return 0.0 };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64 / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::{config, held_out, world};

    #[test]
    fn where_the_near_teacher_ranks_better_than_its_students_another_is_taught_strictly() {
        let is_strict = |has_full_teacher: bool| {
            let set = world();
            let validation = held_out(&set);
            let training = Training::with_validation(set, validation, Rank::Catalogue);
            assert!(has_full_teacher || training.ridge.set(None).is_ok()); // as if the catalogue were too large for it
            let untrained = Config { epochs: 0, ..config(Kind::Maml) };
            let fitted = training.fit(Choice::Auto { dim: Some(16) }, &untrained, &mut |_| {});
            fitted.trials.iter().any(|trial| trial.name.contains("sharpened"))
        };
        assert!(is_strict(false));
        assert!(!is_strict(true));
    }

    #[test]
    fn where_the_teacher_ranks_better_than_maml_matching_is_tried() {
        let is_tried = |penalty, config: Config| {
            let set = world();
            let training = Training::with_validation(set.clone(), held_out(&set), Rank::Catalogue);
            assert!(training.ridge.set(Ridge::fit(&set, RidgeConfig { penalty, frequency: 0.0 })).is_ok());
            assert!(training.near_ridge.set(None).is_ok());
            let fitted = training.fit(Choice::Auto { dim: Some(16) }, &config, &mut |_| {});
            fitted.trials.iter().any(|trial| trial.name.starts_with("matching"))
        };
        let untrained = Config { epochs: 0, ..config(Kind::Maml) };
        assert!(is_tried(0.1, untrained.clone()));
        assert!(!is_tried(1000.0, config(Kind::Maml))); // knows what is popular, and no more
        assert!(!is_tried(0.1, Config { teacher_weight: 0.0, ..untrained }));
    }

    #[test]
    fn a_near_teacher_that_is_better_is_tried_and_a_much_better_one_alone() {
        let full = [0.1, 0.2, 0.3];
        let regressions =
            |gains: [f64; 3]| worth_trying(&[0, 1, 2].map(|user| full[user] + gains[user]), &full);
        assert_eq!(regressions([0.2, 0.1, 0.1]), [Regression::Near]);
        assert_eq!(regressions([0.2, -0.1, -0.05]), [Regression::Full, Regression::Near]);
        assert_eq!(regressions([0.2, -0.1, -0.15]), [Regression::Full]);
        assert_eq!(worth_trying(&[], &[]), [Regression::Full]);
    }

    #[test]
    fn where_the_near_teacher_is_ahead_by_little_close_is_taught_by_each() {
        let set = world();
        let judged = |(users, penalty)| {
            let validation = held_out(&set).into_iter().take(users).collect();
            let training = Training::with_validation(set.clone(), validation, Rank::Catalogue);
            assert!(training.ridge.set(Ridge::fit(&set, RidgeConfig { penalty, frequency: 0.0 })).is_ok());
            training
        };
        let few = (2..16).flat_map(|users| [1.0, 10.0, 100.0, 1000.0].map(|penalty| (users, penalty)));
        let training = few.map(judged).find(|training| training.good_regressions().len() == 2);
        let untrained = Config { epochs: 0, ..config(Kind::Maml) };
        let fitted = training.expect("level").fit(Choice::Auto { dim: Some(16) }, &untrained, &mut |_| {});
        for teacher in [", teacher weight 10,", ", near teacher weight 10,"] {
            assert_eq!(fitted.trials.iter().filter(|trial| trial.name.contains(teacher)).count(), 1);
        }
    }

    #[test]
    fn validation_chooses_the_penalty_of_the_near_teacher() {
        let set = world();
        let training = Training::with_validation(set.clone(), held_out(&set), Rank::Catalogue);
        let others: Vec<_> =
            NearRidge::grid(&set).iter().map(|near| mean(&training.validation_of(near))).collect();
        let near = Config { regression: Regression::Near, ..Config::default() };
        let chosen = mean(&training.validation_of_teacher(&near));
        assert!(others.iter().all(|other| other <= &chosen) && others.iter().any(|other| other < &chosen));
        assert!(others.contains(&chosen));
    }

    #[test]
    fn what_is_kept_learns_of_all_users_by_the_penalty_that_validation_chose() {
        let set = world();
        let judged = |user: HeldOut| Training::with_validation(set.clone(), vec![user], Rank::Catalogue);
        let near = Config { regression: Regression::Near, epochs: 0, ..config(Kind::Maml) };
        let mut chosen = held_out(&set).into_iter().map(|user| {
            let fitted = judged(user).fit(Choice::One(Kind::Maml), &near, &mut |_| {});
            (fitted.config.penalty, fitted)
        });
        let unjudged = Training::with_validation(set.clone(), Vec::new(), Rank::Catalogue);
        let first = unjudged.near_ridge(None).map(NearRidge::penalty);
        let (penalty, fitted) = chosen.find(|(penalty, _)| *penalty != first).expect("another penalty");
        let everyone = Training::with_validation(set.clone(), Vec::new(), Rank::Catalogue);
        let refitted = fitted.refit(&everyone, &mut |_| {});
        assert_eq!(everyone.near_ridge(None).map(NearRidge::penalty), penalty);
        assert_eq!(refitted.config.penalty, penalty);
    }

    #[test]
    fn the_standard_error_is_that_of_the_mean() {
        assert!((standard_error(&[1.0, 2.0, 3.0, 4.0]) - (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(standard_error(&[7.0]), 0.0);
        assert_eq!(paired(&[3.0, 5.0], &[1.0, 3.0]), (2.0, 0.0));
        assert_eq!(paired(&[5.0], &[3.0]), (2.0, f64::INFINITY));
        assert_eq!(paired(&[], &[]), (0.0, f64::INFINITY));
    }
}
