//! `--learner auto`: which configurations are tried on a data set, and which is kept.
//!
//! ```text
//! compact   maml at 32 dimensions from smooth start values: the best wherever items have many likes
//! starts    the start values that suit long-tailed data, judged untrained: a matrix factorisation each
//! spread    maml at 128 dimensions, with more of the teacher and smaller steps, if the starts come near compact:
//!           from the best of them, and from smooth ones
//! ```
//!
//! Compact is kept unless one of spread, or the best of the starts as it is, does better on the validation users by
//! more than one standard error of the paired difference.
//!
//! How good start values are says little about how good they get: on dense sets of movie ratings the starts were up
//! to 1.5 times as good as compact's, and .01 worse after training. So they are not compared to compact's start values
//! but to what compact has learned, which they come near on long tails only; and even there, smooth ones (.113
//! before training, .150 after) overtook the best (.129, .135).

use crate::data::TaskSet;
use crate::episode::Rank;
use crate::fit::{Progress, Training, mean, paired};
use crate::learner::{Kind, Learned, Start};
use crate::train::{Config, train};

/// Length of an embedding, weight of the unobserved and regularisation of the starts.
const STARTS: [(usize, f32, f32); 6] = [
    (64, 0.3, 0.03),
    (128, 0.1, 0.01),
    (128, 0.1, 0.03),
    (128, 0.03, 0.01),
    (128, 0.03, 0.03),
    (128, 0.01, 0.03),
];

/// The same of smooth start values.
const SMOOTH: (usize, f32, f32) = (128, 1.0, 0.003);

/// What part of compact's validation the starts must reach to be trained; .82 to .93 on sets where it did not
/// pay, 1.5 where it did.
const PROMISING: f64 = 0.95;

/// Long-tailed data is overfitted within a few epochs without these, relative to what is configured.
const SPREAD_TEACHER: f64 = 3.0;
const SPREAD_RATE: f32 = 0.5;

/// Most episodes of a training, times dimensions: 120 epochs of 8,000 users at 32. More users need fewer epochs.
const MOST_WORK: usize = 32_000_000;

/// A configuration, and what came of it.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) learned: Learned,
    /// Of each validation user.
    pub(crate) validation: Vec<f64>,
}

impl Candidate {
    /// Judges `learned`.
    pub(crate) fn new(name: String, config: Config, learned: Learned, training: &Training) -> Self {
        let validation = learned.validation(&training.validation);
        Self { name, config, learned, validation }
    }

    /// Trains `config`.
    pub(crate) fn train(
        name: String,
        config: Config,
        training: &Training,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Self {
        let learned = training.train(&config, &mut |training| progress(Progress { trial: &name, training }));
        Self::new(name, config, learned, training)
    }

    fn quality(&self) -> f64 {
        mean(&self.validation).unwrap_or(0.0)
    }
}

/// All that was tried, and the index of what to keep. `dim` fixes the length of an embedding.
pub(crate) fn try_all(
    training: &Training,
    dim: Option<usize>,
    config: &Config,
    progress: &mut dyn FnMut(Progress<'_>),
) -> (Vec<Candidate>, usize) {
    let compact = Config { learner: Kind::Maml, dim: dim.unwrap_or(config.dim), ..config.clone() };
    let name = format!("maml, {}", describe(&compact));
    let mut tried = vec![Candidate::train(name, limited(compact, &training.set), training, progress)];
    // What else is tried below starts from likes and ranks the catalogue.
    if training.validation.is_empty() || config.rank == Rank::Rated {
        return (tried, 0);
    }
    tried.extend(starts(training, dim, config));
    let best = (2..tried.len())
        .fold(1, |best, other| if tried[other].quality() > tried[best].quality() { other } else { best });
    let first_spread = tried.len();
    if tried[best].quality() >= PROMISING * tried[0].quality() {
        for from in [tried[best].config.clone(), started(config, dim, SMOOTH)] {
            let spread = Config {
                learner: Kind::Maml,
                teacher_weight: SPREAD_TEACHER * config.teacher_weight,
                learning_rate: SPREAD_RATE * config.learning_rate,
                epochs: config.epochs,
                ..from
            };
            let name = format!("maml, {}", describe(&spread));
            tried.push(Candidate::train(name, limited(spread, &training.set), training, progress));
        }
    }
    let kept = (first_spread..tried.len()).chain([best]).fold(0, |kept, other| {
        let (gain, error) = paired(&tried[other].validation, &tried[kept].validation);
        if gain > error { other } else { kept }
    });
    (tried, kept)
}

/// The start values as they are: prototypes and popularity, with nothing meta-learned.
fn starts(training: &Training, dim: Option<usize>, config: &Config) -> Vec<Candidate> {
    let configs = STARTS.into_iter().map(|values| Config {
        learner: Kind::Prototypical,
        epochs: 0,
        ..started(config, dim, values)
    });
    let judged = configs.map(|config| {
        let name = format!("untrained prototypical, {}", describe(&config));
        let learned = train(&training.set, &[], None, &config, &mut |_| {}); // in no epochs
        Candidate::new(name, config, learned, training)
    });
    judged.collect()
}

/// `config` with other start values, at `dim` if that is given.
fn started(config: &Config, dim: Option<usize>, values: (usize, f32, f32)) -> Config {
    let (length, unobserved, regularisation) = values;
    let start = Start { unobserved, regularisation, ..config.start };
    Config { dim: dim.unwrap_or(length), start, ..config.clone() }
}

fn describe(config: &Config) -> String {
    if config.rank == Rank::Rated {
        return format!("dim {}, for rated items", config.dim);
    }
    let Start { unobserved, regularisation, .. } = config.start;
    format!("dim {}, unobserved {unobserved}, regularisation {regularisation}", config.dim)
}

/// `config` with no more epochs than [`MOST_WORK`] allows, but enough for a few validations.
fn limited(config: Config, set: &TaskSet) -> Config {
    let most = (MOST_WORK / (set.tasks.len() * config.dim).max(1)).clamp(12, u32::MAX as usize);
    Config { epochs: config.epochs.min(most as u32), ..config }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::{config, held_out, world};

    fn training() -> Training {
        let set = world();
        let validation = held_out(&set);
        Training::with_validation(set, validation, Rank::Catalogue)
    }

    fn tried(training: &Training) -> (Vec<Candidate>, usize) {
        try_all(training, Some(16), &config(Kind::Maml), &mut |_| {})
    }

    #[test]
    fn the_choice_is_the_same_with_one_thread_and_with_three() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (tried, kept) = pool.install(|| tried(&training()));
            (kept, tried[kept].learned.clone())
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn nothing_that_was_tried_is_better_than_what_is_kept_by_more_than_a_standard_error() {
        let (tried, kept) = tried(&training());
        assert!(tried.len() > STARTS.len());
        for other in &tried {
            let (gain, error) = paired(&other.validation, &tried[kept].validation);
            assert!(gain <= error, "{} over {}: {gain} ± {error}", other.name, tried[kept].name);
        }
    }

    #[test]
    fn a_given_dim_holds_for_everything_that_is_tried() {
        assert!(tried(&training()).0.iter().all(|candidate| candidate.learned.dim == 16));
    }

    #[test]
    fn without_validation_users_the_compact_learner_is_kept() {
        let training = Training::with_validation(world(), Vec::new(), Rank::Catalogue);
        let (tried, kept) = tried(&training);
        assert_eq!((tried.len(), kept, tried[0].learned.kind()), (1, 0, Kind::Maml));
    }

    #[test]
    fn more_users_get_fewer_epochs() {
        let mut set = world();
        let epochs = |set: &TaskSet, dim| limited(Config { dim, ..Config::default() }, set).epochs;
        assert_eq!(epochs(&set, 128), Config::default().epochs);
        set.tasks = vec![set.tasks[0].clone(); 10_000];
        assert_eq!((epochs(&set, 32), epochs(&set, 128)), (100, 25));
    }
}
