//! `trainer tune`: a seeded random search that spends most of its time on what looks good.
//!
//! Successive halving (Jamieson and Talwalkar 2016; the inner loop of Hyperband, Li et al. 2018) in the asynchronous
//! form (Li et al. 2020), one training at a time, which needs no number of trials in advance:
//!
//! ```text
//! trial 0: what `auto` keeps, trained to the end
//! loop  if a rung has a trial among its best third that was not promoted: train it three times as long, on the next rung
//!       else if trials are left: draw one, train it on the lowest rung
//! at the end, thirds are rounded up, so that something reaches the top
//! ```
//!
//! Trials are compared on validation users under several shuffles of their feedback: one shuffle of a hundred users
//! has a standard error above most differences. Every training is a function of the data, the seed and its place, and
//! is kept in a [`Journal`]: a search that is interrupted and resumed ends as one that was not.

mod journal;
mod space;

pub use journal::{Header, Journal, JournalError, Tried};
pub use space::{Parameter, SPACE, Values};

use crate::auto::limited;
use crate::data::{Dataset, HeldOut};
use crate::fit::{Choice, Fitted, MOST_VALIDATION, Progress, Training, Trial, mean, paired};
use crate::learner::{Learned, best_epoch};
use crate::train::{self, Config};

/// A promotion trains this many times as long, and one trial in so many is promoted.
const FACTOR: usize = 3;

/// The rung on which trials are trained to the end; the lowest is 0.
const TOP: usize = 2;

/// Most shuffles of a validation user's feedback.
const SHUFFLES: usize = 5;

/// A search on one data set.
pub struct Search<'a> {
    training: &'a Training,
    config: &'a Config,
    /// Validation users, each under every shuffle in which there is something to judge.
    judges: Vec<Vec<HeldOut>>,
    trials: usize,
}

/// What a search leaves.
pub struct Tuned {
    /// The trials that were trained to the end, best first; [`SPACE`] says what differs.
    pub finalists: Vec<Tried>,
    /// How many trials there were.
    pub trials: usize,
}

/// A trial and the rung on which it is to be trained.
type Place = (usize, usize);

impl<'a> Search<'a> {
    /// A search of at most `trials` trials (one at least) around `config`. `training` has `users` of `dataset` as its
    /// validation users.
    pub fn new(
        dataset: &Dataset,
        users: &[u32],
        training: &'a Training,
        config: &'a Config,
        trials: usize,
    ) -> Self {
        let users: Vec<u32> =
            users.iter().copied().step_by(users.len().div_ceil(MOST_VALIDATION).max(1)).collect();
        let shuffles = (MOST_VALIDATION / users.len().max(1)).clamp(1, SHUFFLES) as u64;
        let set = &training.set;
        let judge = |&user: &u32| {
            let task = set.catalogue.task(dataset, user);
            let shuffled = |at| HeldOut::shuffled(&task, &set.levels, config.seed.wrapping_add(at));
            (0..shuffles).filter_map(shuffled).collect()
        };
        let judges = users.iter().map(judge).filter(|shuffles: &Vec<_>| !shuffles.is_empty());
        Self { training, config, judges: judges.collect(), trials }
    }

    /// Searches, until `trials` are done or `keep_going` says no; it is asked before each training but the first. What
    /// the journal has is not trained again. The same result for the same search and number of trials, whatever the
    /// number of threads and of interruptions.
    ///
    /// # Errors
    /// [`JournalError`] if a training cannot be kept.
    pub fn run(
        &self,
        journal: &mut Journal,
        keep_going: &mut dyn FnMut() -> bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Tuned, JournalError> {
        // (trial, rung) of each training, in order.
        let mut done: Vec<Tried> = Vec::new();
        while let Some((trial, rung)) = self.next(&done) {
            let tried = match journal.find(trial, rung) {
                Some(tried) => tried.clone(),
                None if trial > 0 && !keep_going() => break,
                None => {
                    let tried = self.try_one((trial, rung), &done, progress);
                    journal.append(tried.clone())?;
                    tried
                }
            };
            done.push(tried);
        }
        let trials = done.iter().map(|tried| tried.trial + 1).max().unwrap_or(0);
        let mut finalists: Vec<Tried> = done.into_iter().filter(|tried| tried.rung == TOP).collect();
        finalists.sort_by(|a, b| b.quality().total_cmp(&a.quality())); // stable: of equals the earlier trial
        Ok(Tuned { finalists, trials })
    }

    /// What is to be trained after `done`; `None` when all is.
    fn next(&self, done: &[Tried]) -> Option<Place> {
        let trials = done.iter().map(|tried| tried.trial + 1).max().unwrap_or(0);
        let is_last = trials >= self.trials.max(1);
        match (0..TOP).rev().find_map(|rung| Some((promotable(done, rung, is_last)?, rung + 1))) {
            None if trials == 0 => Some((0, TOP)),
            None if !is_last => Some((trials, 0)),
            promotion => promotion,
        }
    }

    fn try_one(&self, (trial, rung): Place, done: &[Tried], progress: &mut dyn FnMut(Progress<'_>)) -> Tried {
        if trial == 0 {
            let Fitted { learned, config, .. } =
                self.training.fit(Choice::Auto { dim: None }, self.config, progress);
            return self.judge((trial, rung), config, &learned);
        }
        let drawn = limited(space::draw(self.config, self.config.seed, trial), &self.training.set);
        let drawn = self.training.suited(drawn);
        let config = Config { epochs: epochs(&drawn, rung), ..drawn };
        // Training that ended before it had to would end the same way if it was allowed more.
        let below = done.iter().find(|tried| rung > 0 && (tried.trial, tried.rung) == (trial, rung - 1));
        if let Some(below) = below.filter(|below| below.stopped()) {
            return Tried { rung, config, ..below.clone() };
        }
        let name = format!("trial {trial}, rung {} of {}", rung + 1, TOP + 1);
        let mut progress = |training: train::Progress| progress(Progress { trial: &name, training });
        let learned = self.training.train(&config, &mut progress);
        self.judge((trial, rung), config, &learned)
    }

    fn judge(&self, (trial, rung): Place, config: Config, learned: &Learned) -> Tried {
        let users: Vec<HeldOut> = self.judges.iter().flatten().cloned().collect();
        let all = learned.validation(&users);
        let mut rest = all.as_slice();
        let of_user = |shuffles: &Vec<HeldOut>| {
            let (own, others) = rest.split_at(shuffles.len());
            rest = others;
            mean(own).unwrap_or(0.0)
        };
        let validation = self.judges.iter().map(of_user).collect();
        Tried { trial, rung, config, validation, history: learned.history.clone() }
    }
}

/// The best trial of a rung that is in its best part and was not promoted yet.
fn promotable(done: &[Tried], rung: usize, is_last: bool) -> Option<usize> {
    let mut here: Vec<&Tried> = done.iter().filter(|tried| tried.rung == rung).collect();
    here.sort_by(|a, b| b.quality().total_cmp(&a.quality()));
    let promoted = if is_last { here.len().div_ceil(FACTOR) } else { here.len() / FACTOR };
    let is_above = |trial: usize| done.iter().any(|tried| (tried.trial, tried.rung) == (trial, rung + 1));
    here.iter().take(promoted).map(|tried| tried.trial).find(|&trial| !is_above(trial))
}

/// Most epochs on a rung; enough for one validation.
fn epochs(config: &Config, rung: usize) -> u32 {
    let part = (FACTOR as u32).pow((TOP - rung) as u32);
    config.epochs.div_ceil(part).max(config.check_every).min(config.epochs)
}

impl Tried {
    /// Mean NDCG@10 over the validation users; negative without any, so that it sorts.
    pub fn quality(&self) -> f64 {
        mean(&self.validation).unwrap_or(f64::NEG_INFINITY)
    }

    /// Whether training ended before the last epoch.
    fn stopped(&self) -> bool {
        self.history.last().is_some_and(|check| check.epoch < self.config.epochs)
    }

    /// All of [`SPACE`], in words.
    fn describe(&self) -> String {
        let words =
            SPACE.iter().map(|parameter| format!("{} {}", parameter.name, parameter.show(&self.config)));
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Tuned {
    /// Trains the best once more, on `everyone` and for as many epochs as served it best, as [`Fitted::refit`] does;
    /// `None` if nothing was tried.
    pub fn refit(&self, everyone: &Training, progress: &mut dyn FnMut(train::Progress)) -> Option<Fitted> {
        let best = self.finalists.first()?;
        let epochs = best_epoch(&best.history).unwrap_or(best.config.epochs);
        let config = Config { epochs, ..best.config.clone() };
        let learned = Learned { history: best.history.clone(), ..everyone.train(&config, progress) };
        let trials = self.finalists.iter().enumerate().map(|(place, tried)| Trial {
            name: format!("trial {}: {}", tried.trial, tried.describe()),
            validation: mean(&tried.validation),
            standard_error: (place > 0).then(|| paired(&tried.validation, &best.validation).1),
            kept: place == 0,
        });
        Some(Fitted { learned, config, trials: trials.collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{World, hold_out};
    use crate::learner::Kind;

    const TRIALS: usize = 8;

    fn world() -> Dataset {
        World { users: 60, items: 40, interactions: 20, seed: 2, ..World::default() }.dataset().unwrap()
    }

    fn config() -> Config {
        Config { learner: Kind::Maml, dim: 16, epochs: 9, seed: 4, ..Config::default() }
    }

    /// A search of so many trials, stopped after so many trainings; how many there were, and what came of it.
    fn search(directory: &Path, trials: usize, stop_after: usize) -> (usize, Tuned) {
        let (dataset, config) = (world(), config());
        let users: Vec<u32> = (0..dataset.users.len() as u32).collect();
        let (train, validation) = hold_out(&users, 0.2, config.seed);
        let training = Training::new(&dataset, &train, &validation, config.rank, config.seed);
        let search = Search::new(&dataset, &validation, &training, &config, trials);
        let header = Header::new(&dataset, &config);
        let mut journal = Journal::open(&directory.join("search.jsonl"), &header).unwrap();
        let before = journal.len();
        let mut asked = 0;
        let mut keep_going = || {
            asked += 1;
            asked < stop_after
        };
        let tuned = search.run(&mut journal, &mut keep_going, &mut |_| {}).unwrap();
        (journal.len() - before, tuned)
    }

    #[test]
    fn an_interrupted_search_ends_as_one_that_was_not() {
        let (once, thrice) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (trainings, whole) = search(once.path(), TRIALS, usize::MAX);
        let parts = [1, 5, usize::MAX].map(|stop_after| search(thrice.path(), TRIALS, stop_after));
        assert_eq!(parts.iter().map(|(trainings, _)| trainings).sum::<usize>(), trainings);
        assert!(parts.iter().all(|(trainings, _)| *trainings > 0));
        assert_eq!(parts[2].1.finalists, whole.finalists);
        let read = |directory: &Path| std::fs::read(directory.join("search.jsonl")).unwrap();
        assert_eq!(read(once.path()), read(thrice.path()));
    }

    #[test]
    fn more_trials_later_are_as_many_at_once() {
        let (once, later) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (_, whole) = search(once.path(), TRIALS, usize::MAX);
        search(later.path(), 3, usize::MAX);
        assert_eq!(search(later.path(), TRIALS, usize::MAX).1.finalists, whole.finalists);
    }

    #[test]
    fn a_budget_of_trials_is_spent_to_the_last() {
        for trials in [1, 2, TRIALS] {
            let directory = tempfile::tempdir().unwrap();
            let (_, tuned) = search(directory.path(), trials, usize::MAX);
            assert_eq!(tuned.trials, trials);
            assert!(tuned.finalists.len() > usize::from(trials > 1), "something is trained to the end");
        }
    }

    #[test]
    fn what_auto_keeps_is_a_finalist_and_nothing_below_it_wins() {
        let directory = tempfile::tempdir().unwrap();
        let (_, tuned) = search(directory.path(), TRIALS, usize::MAX);
        let default = tuned.finalists.iter().find(|tried| tried.trial == 0).unwrap();
        assert!(tuned.finalists[0].quality() >= default.quality());
        assert!(tuned.finalists.is_sorted_by(|a, b| a.quality() >= b.quality()));
    }

    #[test]
    fn a_search_is_the_same_with_one_thread_and_with_three() {
        let run = |threads| {
            let directory = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| search(directory.path(), 4, usize::MAX).1.finalists)
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn the_best_third_of_a_rung_is_promoted_once() {
        let tried = |trial, rung, quality| Tried {
            trial,
            rung,
            config: config(),
            validation: vec![quality],
            history: Vec::new(),
        };
        let mut done = vec![tried(1, 0, 0.2), tried(2, 0, 0.4), tried(3, 0, 0.3)];
        assert_eq!(promotable(&done[..2], 0, false), None);
        assert_eq!(promotable(&done, 0, false), Some(2));
        done.push(tried(2, 1, 0.5));
        assert_eq!(promotable(&done, 0, false), None);
        assert_eq!(promotable(&done, 1, true), Some(2), "at the end thirds are rounded up");
    }

    #[test]
    fn rungs_are_three_times_as_long_as_the_one_below() {
        let config = Config { epochs: 120, check_every: 3, ..config() };
        assert_eq!([0, 1, 2].map(|rung| epochs(&config, rung)), [14, 40, 120]);
        let short = Config { epochs: 2, ..config };
        assert_eq!([0, 1, 2].map(|rung| epochs(&short, rung)), [2, 2, 2]);
    }
}
