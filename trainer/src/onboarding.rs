//! Which items to show a new user first, so that what the user says of them tells the most.
//!
//! [`choose`] simulates the interview on the training users and extends the list greedily by the item that helps them
//! most: GreedyExtend (Golbandi, Koren and Lempel 2010), with the learner's adaptation in place of their item-item
//! model. How probable an answer is and how much it tells need no formula: both are in the mean over users, to most
//! of whom an item means nothing. Diversity needs none either: what the items before have told helps no more.
//!
//! ```text
//! for each training user: half of the feedback can answer, the likes of the other half are the query
//! quality = mean over users of how well the query is ranked, after adapting to the answers so far
//! repeat: append the item whose answers raise the quality most
//! ```
//!
//! The ranking is the app's: without what was answered on. Where everything that could be answered on is left out
//! instead, other lists come out ahead by another .01 (their items are rarer, and tell more an answer), which then leave
//! in the app's ranking what the user knows, and cost .04 there.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rayon::prelude::*;

use crate::data::{HeldOut, Interaction, TaskSet};
use crate::learner::Learned;
use crate::metrics::{Scorer, best, ndcg};

/// How many items are chosen, where there are as many.
pub const ITEMS: usize = 20;

/// Most training users that answer: more of them change little and take as long as training.
const MOST_USERS: usize = 1_000;

/// How often each user is split at random.
const SPLITS: u64 = 2;

/// How far down a ranking counts. With 20, and half as many users, the list was worse by .01 on held-out users.
const DEPTH: usize = 10;

/// Most rows that are ranked and asked about, from the most popular on: rare items are hardly ever answered.
const MOST_ROWS: usize = 2_000;

/// Most items to choose from: those with the most answers.
const MOST_CANDIDATES: usize = 150;

/// Chooses the items for `learned` by the tasks that it was trained on: rows of the catalogue, best first, distinct.
///
/// The same list for the same arguments, whatever the number of threads. Cost: some ten thousand adaptations and
/// rankings of at most 2,000 rows.
pub fn choose(learned: &Learned, set: &TaskSet, seed: u64) -> Vec<u32> {
    let rows = set.catalogue.len().min(MOST_ROWS);
    let learned = Learned { rows: learned.rows[..rows * learned.dim].to_vec(), ..learned.clone() };
    let mut interview = Interview::new(&learned, set, rows, seed);
    let mut queue: BinaryHeap<Candidate> =
        interview.candidates().into_iter().map(|item| interview.candidate(item, 0)).collect();
    let mut chosen = Vec::new();
    // Gains only shrink, nearly always, as more is known: one that is still the largest when it is computed anew needs
    // no comparison with the others computed anew (Minoux 1978).
    while let Some(best) = queue.pop().filter(|_| chosen.len() < ITEMS) {
        if best.asked_before == chosen.len() {
            interview.ask(best.item);
            chosen.push(best.item);
        } else {
            queue.push(interview.candidate(best.item, chosen.len()));
        }
    }
    chosen
}

/// An item that may be asked about next.
struct Candidate {
    /// What asking adds to the quality, summed over users.
    gain: f64,
    item: u32,
    /// How many items had been asked about when the gain was computed.
    asked_before: usize,
}

/// The larger gain first, then the lower row.
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.item.cmp(&self.item))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Candidate {}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

/// All simulated users, some way through.
struct Interview<'a> {
    learned: &'a Learned,
    rows: usize,
    users: Vec<User>,
    /// Who can answer on each row, and how: an index into `users` and the interaction.
    answers: Vec<Vec<(usize, Interaction)>>,
}

/// One split of one training user.
struct User {
    features: Vec<u32>,
    /// Ascending.
    query: Vec<u32>,
    answered: Vec<Interaction>,
    quality: f64,
}

impl<'a> Interview<'a> {
    fn new(learned: &'a Learned, set: &TaskSet, rows: usize, seed: u64) -> Self {
        let step = set.tasks.len().div_ceil(MOST_USERS).max(1);
        let tasks = set.tasks.iter().step_by(step);
        let splits = tasks.flat_map(|task| (0..SPLITS).map(move |split| (task, seed.wrapping_add(split))));
        let splits = splits.filter_map(|(task, seed)| HeldOut::shuffled(task, &set.levels, seed));
        let mut answers = vec![Vec::new(); rows];
        let mut users = Vec::new();
        for HeldOut { features, pool, mut query, .. } in splits {
            query.retain(|&item| (item as usize) < rows);
            if query.is_empty() {
                continue;
            }
            for interaction in pool {
                if let Some(answers) = answers.get_mut(interaction.item as usize) {
                    answers.push((users.len(), interaction));
                }
            }
            users.push(User { features, query, answered: Vec::new(), quality: 0.0 });
        }
        let mut interview = Self { learned, rows, users, answers };
        interview.judge_all();
        interview
    }

    fn judge_all(&mut self) {
        let judge = |scores: &mut Vec<f32>, user: &User| self.quality(user, &user.answered, scores);
        let qualities: Vec<f64> = self.users.par_iter().map_init(|| vec![0.0; self.rows], judge).collect();
        for (user, quality) in self.users.iter_mut().zip(qualities) {
            user.quality = quality;
        }
    }

    /// The rows that most users can answer on.
    fn candidates(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..self.rows as u32).collect();
        rows.sort_by_key(|&row| Reverse(self.answers[row as usize].len()));
        rows.truncate(MOST_CANDIDATES);
        rows
    }

    fn candidate(&self, item: u32, asked_before: usize) -> Candidate {
        let gains = self.qualities_after(item).zip(&self.answers[item as usize]);
        let gain = gains.map(|(quality, &(user, _))| quality - self.users[user].quality).sum();
        Candidate { gain, item, asked_before }
    }

    /// The quality for each of those who can answer on `item`, once they have.
    fn qualities_after(&self, item: u32) -> std::vec::IntoIter<f64> {
        let judge = |scores: &mut Vec<f32>, &(user, answer): &(usize, Interaction)| {
            let user = &self.users[user];
            let answered = [user.answered.as_slice(), &[answer]].concat();
            self.quality(user, &answered, scores)
        };
        let answers = self.answers[item as usize].par_iter();
        answers.map_init(|| vec![0.0; self.rows], judge).collect::<Vec<_>>().into_iter()
    }

    /// Takes the answers on `item`.
    fn ask(&mut self, item: u32) {
        let qualities = self.qualities_after(item);
        for (quality, &(user, answer)) in qualities.zip(&self.answers[item as usize]) {
            let user = &mut self.users[user];
            user.quality = quality;
            user.answered.push(answer);
        }
    }

    /// NDCG@[`DEPTH`] of the query in the ranking without what was answered on.
    fn quality(&self, user: &User, answered: &[Interaction], scores: &mut [f32]) -> f64 {
        self.learned.score(answered, &user.features, scores);
        ndcg(&best(scores, answered, DEPTH), &user.query, DEPTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::learner::Kind;
    use crate::train::tests::{config, held_out, world};
    use crate::train::train;

    fn learned(set: &TaskSet) -> Learned {
        train(set, &held_out(set), None, &config(Kind::Maml), &mut |_| {})
    }

    #[test]
    fn the_list_is_of_distinct_rows_and_the_same_with_one_thread_and_with_three() {
        let set = world();
        let learned = learned(&set);
        let choose = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| choose(&learned, &set, 4))
        };
        let list = choose(1);
        assert_eq!(list, choose(3));
        assert_eq!(BTreeSet::from_iter(&list).len(), ITEMS);
        assert!(list.iter().all(|&row| (row as usize) < set.catalogue.len()));
    }

    #[test]
    fn a_catalogue_of_few_items_is_asked_about_as_a_whole() {
        let mut set = world();
        let learned = learned(&set);
        set.catalogue.items.truncate(7);
        set.tasks.iter_mut().for_each(|task| task.interactions.retain(|interaction| interaction.item < 7));
        let mut list = choose(&learned, &set, 4);
        list.sort_unstable();
        assert_eq!(list, [0, 1, 2, 3, 4, 5, 6]);
        set.tasks.clear();
        assert_eq!(choose(&learned, &set, 4).len(), 7);
    }

    #[test]
    fn each_item_is_about_the_best_that_could_follow_those_before() {
        let set = world();
        let learned = learned(&set);
        let mut interview = Interview::new(&learned, &set, set.catalogue.len(), 4);
        let total = |interview: &Interview<'_>| interview.users.iter().map(|user| user.quality).sum::<f64>();
        for (asked, item) in choose(&learned, &set, 4).into_iter().take(5).enumerate() {
            let all = interview.candidates().into_iter().filter(|other| *other != item);
            let best = all.map(|other| interview.candidate(other, asked).gain).fold(f64::MIN, f64::max);
            let before = total(&interview);
            interview.ask(item);
            let gain = total(&interview) - before;
            assert!(gain > 0.0 && gain > 0.8 * best, "{asked}: {gain} {best}");
        }
    }
}
