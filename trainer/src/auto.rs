//! `--learner auto`: which configurations are tried on a data set, and which is kept.
//!
//! ```text
//! compact   maml at 32 dimensions, started from a factorisation: the best wherever most items have many likes
//! close     the same with ten times as much of the teacher, started from its directions: where there are few users
//! spread    maml at 128, started from the teacher's directions, with more of it and smaller steps; where users are
//!           few, mixtures of them besides, which the teacher judges
//! strict    spread with as much of the teacher as close and that sharpened, where the near teacher still ranks better
//! smooth    spread, started from a factorisation in place of the full teacher, if spread was worth it
//! wide      maml at 256, from the best of these three
//! attentive spread by the rule matching, where the teacher still ranks better by more than one standard error
//! ```
//!
//! Before that, the teacher is chosen: the ridge of each item on all others where that can be fitted, the ridge on its
//! nearest alone where it ranks better on the validation users by more than one standard error or there is no other. On
//! long tails that gained .02. All then start from the near teacher's directions: compact would be close with less of it,
//! and smooth has nothing to win, so these two are left out. Where the near teacher is better by less, close is trained by
//! each, and the best of the small ones chooses: taught by the near one alone, close came to .250 on ml-latest-small, and
//! the choice to .262.
//!
//! The best of the small ones is kept unless larger ones do better on the validation users by more than one standard error
//! of the paired difference; of these, the best. To ask the widest for a standard error more cost .015 of NDCG@10 on one
//! fold of a set of niches. Close cost .007 of NDCG@10 on MovieLens 100K and gained .010 on MovieTweetings, where
//! validation saw it in every fold. Whether spread is worth it cannot be told from its start values: untrained they came to
//! .78 of what close had learned where it gained .05, and to .81 where it lost.
//!
//! Strict is tried where the near teacher is ahead, in the mean, of what was trained before it. That is evidence for it, so
//! it need not be better by a standard error. Without mixtures it gained .010 where spread was behind the teacher, and cost
//! .001, .004, .011 and .014 where it was level or ahead.
//!
//! Attentive is for niches. What many of them ask for at once is no single direction: on the synonyms of a thesaurus maml
//! at 256 dimensions came to .430 of NDCG@10, its teacher to .447 and matching at 128 to .442. Elsewhere it is level with
//! maml or behind (Debian's packages .483 to .498, Book-Crossing's ratings .057 to .062), and a request costs a pass over
//! the rows for each interaction: it is kept only where it is better by more than one standard error.

use crate::data::TaskSet;
use crate::episode::Rank;
use crate::fit::{Progress, Training, is_better, mean};
use crate::learner::{Kind, Learned, Start};
use crate::train::{Config, Regression};

/// Lengths of an embedding.
const SPREAD: usize = 128;
const WIDE: usize = 256;

/// Weight of the teacher in close, relative to what is configured.
const MUCH_TEACHER: f64 = 10.0;

/// Relative to what is configured; many dimensions are overfitted within a few epochs without.
const MORE_TEACHER: f64 = 3.0;
const SMALLER_STEPS: f32 = 0.5;

/// Sharpness of the teacher in strict. On 44,000 books 1 came to .092 of NDCG@10 on the validation users, 2 to .096 and 4
/// to .095 after 24 epochs; spread to .086.
const SHARP: f32 = 2.0;

/// Mixtures beside each user's own task in spread and what follows it: as many as make up for users that are short of
/// this, within bounds. With three, strict came to .063 of NDCG@10 in place of .058 on Book-Crossing's ratings, where 1,350
/// users teach and the near teacher itself has .064, and with seven to no more; spread gained .005 on MovieTweetings,
/// .003 to .005 on Epinions, and was level on four other sets. On MovieLens 100K, where it is ahead of its
/// teacher, compact lost .006: it and close have none.
const ENOUGH_USERS: usize = 8_000;
const MOST_MIXED: usize = 3;

/// Regularisation of the smooth factorisation: many dimensions want less of it than few.
const SMOOTH: f32 = 0.003;

/// Most episodes of a training, times what each costs: 120 epochs of 4,400 users at 32. More users need fewer epochs.
const MOST_WORK: usize = 44_000_000;

/// What an episode costs beside its dimensions, in dimensions. On 30,000 users and 40,000 items an epoch took 5.2 s at 32,
/// 10.9 s at 128 and 18.5 s at 256.
const OVERHEAD: usize = 52;

/// What an episode of matching counts. It takes two to three times as long as another, and on the thesaurus 27 epochs
/// of it were as good as 55.
const ATTENTIVE: usize = 2;

/// Fewest validations of a training, and fewest epochs.
const FEWEST_CHECKS: u32 = 4;

/// A configuration, and what came of it.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) learned: Learned,
    /// Of each validation user.
    pub(crate) validation: Vec<f64>,
}

impl Candidate {
    /// Trains `config`.
    pub(crate) fn train(
        name: String,
        config: Config,
        training: &Training,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Self {
        let learned = training.train(&config, &mut |training| progress(Progress { trial: &name, training }));
        let validation = learned.validation(&training.validation);
        Self { name, config, learned, validation }
    }

    fn quality(&self) -> f64 {
        mean(&self.validation).unwrap_or(0.0)
    }

    fn is_better_than(&self, other: &Self) -> bool {
        is_better(&self.validation, &other.validation)
    }
}

/// All that was tried, and the index of what to keep. `dim` fixes the length of an embedding.
pub(crate) fn try_all(
    training: &Training,
    dim: Option<usize>,
    config: &Config,
    progress: &mut dyn FnMut(Progress<'_>),
) -> (Vec<Candidate>, usize) {
    let mut train = |config: Config| {
        let config = training.suited(limited(config, &training.set));
        Candidate::train(describe(&config, training), config, training, progress)
    };
    let compact = Config { learner: Kind::Maml, dim: dim.unwrap_or(config.dim), ..config.clone() };
    // Spread starts from likes and ranks the catalogue.
    if training.validation.is_empty() || config.rank == Rank::Rated {
        return (vec![train(compact)], 0);
    }
    let has_teacher = training.teacher(&compact).is_some();
    let regressions = if has_teacher { training.good_regressions() } else { Vec::new() };
    let mut tried = Vec::new();
    tried.extend((regressions != [Regression::Near]).then(|| train(compact.clone())));
    let taught = Start { from_teacher: true, ..compact.start };
    let much = MUCH_TEACHER * compact.teacher_weight;
    let close = Config { teacher_weight: much, start: taught, ..compact.clone() };
    tried.extend(regressions.into_iter().map(|regression| train(Config { regression, ..close.clone() })));
    let small = best(&tried);
    let regression = tried[small].config.regression;
    let is_near = has_teacher && regression == Regression::Near;
    let smooth = Start { from_teacher: false, regularisation: SMOOTH, ..compact.start };
    let spread = Config {
        dim: dim.unwrap_or(SPREAD),
        teacher_weight: MORE_TEACHER * compact.teacher_weight,
        learning_rate: SMALLER_STEPS * compact.learning_rate,
        mixed: if has_teacher { mixtures(&training.set) } else { 0 },
        regression,
        start: if has_teacher { taught } else { smooth },
        ..compact
    };
    let first = tried.len();
    tried.push(train(spread.clone()));
    let of_teacher = training.validation_of_teacher(&spread);
    let is_behind = is_near && mean(&of_teacher) > mean(&tried[best(&tried)].validation);
    let strict = is_behind.then(|| {
        tried.push(train(Config { teacher_weight: much, teacher_sharpness: SHARP, ..spread.clone() }));
        tried.len() - 1
    });
    let is_worth_it = |tried: &[Candidate], large: usize| {
        let is_ahead = tried[large].quality() > tried[small].quality();
        tried[large].is_better_than(&tried[small]) || is_ahead && strict == Some(large)
    };
    if (first..tried.len()).any(|large| is_worth_it(&tried, large)) {
        let may_be_smooth = has_teacher && !is_near;
        tried.extend(may_be_smooth.then(|| train(Config { start: smooth, ..spread.clone() })));
        let larger = first + best(&tried[first..]);
        let wide = Config { dim: WIDE, ..tried[larger].config.clone() };
        tried.extend(dim.is_none().then(|| train(wide)));
    }
    let kept = (first..tried.len()).filter(|&large| is_worth_it(&tried, large));
    let kept = kept.fold(small, |kept, large| better(&tried, kept, large));
    if !is_better(&of_teacher, &tried[kept].validation) {
        return (tried, kept);
    }
    let attentive = train(Config { learner: Kind::Matching, ..spread });
    let kept = if attentive.is_better_than(&tried[kept]) { tried.len() } else { kept };
    tried.push(attentive);
    (tried, kept)
}

/// How many mixtures of users are worth it for each user of `set`.
fn mixtures(set: &TaskSet) -> usize {
    (ENOUGH_USERS / set.tasks.len().max(1)).min(MOST_MIXED)
}

/// The first of the best.
fn best(candidates: &[Candidate]) -> usize {
    (1..candidates.len()).fold(0, |best, other| better(candidates, best, other))
}

/// The better of two; the first of equals.
fn better(candidates: &[Candidate], first: usize, second: usize) -> usize {
    if candidates[second].quality() > candidates[first].quality() { second } else { first }
}

fn describe(config: &Config, training: &Training) -> String {
    let start = match config.start {
        _ if config.rank == Rank::Rated => "the factors of the ratings".to_owned(),
        Start { from_teacher: true, .. } if training.teacher(config).is_some() => "the teacher".to_owned(),
        Start { regularisation, .. } => format!("a factorisation regularised by {regularisation}"),
    };
    let taught = match training.teacher(config) {
        Some(_) => {
            let near = if config.regression == Regression::Near { "near " } else { "" };
            let sharp = match config.teacher_sharpness {
                1.0 => String::new(),
                sharpness => format!(" sharpened by {sharpness}"),
            };
            let mixed = match config.mixed {
                0 => String::new(),
                mixed => format!(" on mixtures too ({mixed} a user)"),
            };
            format!(", {near}teacher{sharp} weight {}{mixed}", config.teacher_weight)
        }
        None => String::new(),
    };
    format!("{}, dim {}{taught}, started from {start}", config.learner.name(), config.dim)
}

/// `config` with no more epochs than [`MOST_WORK`] allows, but enough for a few validations.
pub(crate) fn limited(config: Config, set: &TaskSet) -> Config {
    let fewest = FEWEST_CHECKS as usize;
    let cost = if config.learner == Kind::Matching { ATTENTIVE } else { 1 };
    let episodes = set.tasks.len() * (1 + config.mixed) * cost;
    let most = (MOST_WORK / (episodes * (OVERHEAD + config.dim)).max(1)).clamp(fewest, u32::MAX as usize);
    let epochs = config.epochs.min(most as u32);
    Config { epochs, check_every: config.check_every.min(epochs / FEWEST_CHECKS).max(1), ..config }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::paired;
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
        assert!(tried.len() > 1);
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
    fn the_fewer_users_the_more_mixtures() {
        let mut set = world();
        let task = set.tasks[0].clone();
        let mixtures_of = |users: usize| {
            set.tasks = vec![task.clone(); users];
            mixtures(&set)
        };
        assert_eq!([600, 3_600, 30_000].map(mixtures_of), [3, 2, 0]);
    }

    #[test]
    fn more_users_get_fewer_epochs() {
        let mut set = world();
        let epochs = |set: &TaskSet, dim| limited(Config { dim, ..Config::default() }, set).epochs;
        assert_eq!(epochs(&set, 128), Config::default().epochs);
        set.tasks = vec![set.tasks[0].clone(); 10_000];
        assert_eq!((epochs(&set, 32), epochs(&set, 128)), (52, 24));
        set.tasks = vec![set.tasks[0].clone(); 30_000];
        let largest = limited(Config { dim: 256, ..Config::default() }, &set);
        assert_eq!((largest.epochs, largest.check_every), (4, 1));
        set.tasks.truncate(2_000);
        let mixed = |mixed| limited(Config { dim: 128, mixed, ..Config::default() }, &set).epochs;
        assert_eq!((mixed(0), mixed(3)), (120, 30));
        let learner = Kind::Matching;
        assert_eq!(limited(Config { dim: 128, learner, ..Config::default() }, &set).epochs, 61);
    }
}
