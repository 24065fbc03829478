//! Episodes: a task split at random into what is adapted to and what is judged on.

use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::{Interaction, LABELLED, LABELLED_POOL, Task, TaskSet};

/// The support sizes that training draws from.
pub const SHOTS: [usize; 8] = [1, 2, 3, 5, 7, 10, 15, 20];

/// The stream of an epoch that orders its episodes; those below belong to users.
const ORDER: u32 = u32::MAX;

/// What a learner learns to rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// The whole catalogue: what is liked above everything else.
    #[default]
    Catalogue,
    /// Rated items among themselves: what is rated high above what is rated low.
    Rated,
}

impl Rank {
    /// What validation measures.
    pub fn validation(self) -> &'static str {
        match self {
            Self::Catalogue => "mean NDCG@10 after 1, 2, 5, 10 and 20 interactions",
            Self::Rated => "NDCG@5 of ten rated items",
        }
    }
}

/// How tasks are split into episodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// At random, as P1 judges.
    #[default]
    Random,
    /// In time order, as P1t judges.
    Time,
}

/// One task, split. Support and query are disjoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Features of the user, ascending.
    pub features: Vec<u32>,
    /// What is adapted to: likes and dislikes, at most one per item.
    pub support: Vec<Interaction>,
    /// The items to be ranked high; empty where a teacher alone says which.
    pub query: Vec<u32>,
    /// What each item of the query is worth, where they are ranked among themselves; not all zero. `None` where all
    /// are worth the same and ranked against the catalogue.
    pub gains: Option<Vec<f32>>,
}

impl Episode {
    /// A split of `task` for what is to be ranked. `None` if nothing there is.
    fn draw(set: &TaskSet, task: &Task, rank: Rank, order: Order, rng: &mut ChaCha8Rng) -> Option<Self> {
        match rank {
            Rank::Catalogue => Self::draw_liked(set, task, order, rng),
            Rank::Rated => Self::draw_rated(set, task, order, rng),
        }
    }

    /// The support has a random size out of [`SHOTS`], at most half of the feedback. At random, the query is what is
    /// liked among the rest; in time order, the support is the earliest feedback, and the query what is liked in the
    /// later half.
    fn draw_liked(set: &TaskSet, task: &Task, order: Order, rng: &mut ChaCha8Rng) -> Option<Self> {
        let mut support = task.interactions.clone();
        let half = support.len() / 2;
        let rest = match order {
            Order::Random => {
                support.shuffle(rng);
                let shots = *SHOTS.choose(rng)?;
                support.split_off(shots.min(half))
            }
            Order::Time => {
                let rest = support.split_off(half);
                support.truncate(*SHOTS.choose(rng)?);
                rest
            }
        };
        let liked = rest.iter().filter(|interaction| set.levels.liked(interaction.level));
        let query: Vec<u32> = liked.map(|interaction| interaction.item).collect();
        let usable = !support.is_empty() && !query.is_empty();
        usable.then(|| Self { features: task.features.clone(), support, query, gains: None })
    }

    /// A user between two: half of the support is of `task`'s user, half of one drawn at random, and nobody knows the
    /// query. The features are the first user's. As [`Self::draw_liked`], it takes at most half of what each has said, but
    /// at random whatever the order.
    fn mix(set: &TaskSet, task: &Task, rng: &mut ChaCha8Rng) -> Option<Self> {
        let shots = *SHOTS.choose(rng)?;
        let other = set.tasks.choose(rng)?;
        let mut some_of = |task: &Task, most: usize| {
            let mut interactions = task.interactions.clone();
            interactions.shuffle(rng);
            interactions.truncate(most.min(interactions.len() / 2));
            interactions
        };
        let mut support = some_of(task, shots.div_ceil(2));
        let others = some_of(other, shots / 2);
        let own: Vec<u32> = support.iter().map(|interaction| interaction.item).collect();
        support.extend(others.into_iter().filter(|interaction| !own.contains(&interaction.item)));
        let usable = !support.is_empty();
        usable.then(|| Self { features: task.features.clone(), support, query: Vec::new(), gains: None })
    }

    /// Support and query are as large as under protocol P2; of less feedback, the query is half. In time order, the
    /// query is the latest feedback.
    fn draw_rated(set: &TaskSet, task: &Task, order: Order, rng: &mut ChaCha8Rng) -> Option<Self> {
        let mut support = task.interactions.clone();
        if order == Order::Random {
            support.shuffle(rng);
        }
        let rest = support.split_off(support.len() - LABELLED.min(support.len() / 2));
        support.truncate(LABELLED_POOL);
        let gains: Vec<f32> = rest.iter().map(|interaction| set.levels.gain(interaction.level)).collect();
        let query = rest.iter().map(|interaction| interaction.item).collect();
        let usable = gains.iter().any(|&gain| gain > 0.0);
        usable.then(|| Self { features: task.features.clone(), support, query, gains: Some(gains) })
    }
}

/// The episodes of one epoch, at most one a task and `mixed` mixtures of two, in random order: a function of the
/// arguments alone. Tasks with fewer than two interactions, or nothing in the query to be ranked high, are left out.
pub fn epoch(set: &TaskSet, rank: Rank, order: Order, mixed: usize, seed: u64, epoch: u32) -> Vec<Episode> {
    let stream = |index: u32| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(epoch) << 32 | u64::from(index));
        rng
    };
    let draw = |task: &Task| -> Vec<Episode> {
        let mut rng = stream(task.user);
        let own = Episode::draw(set, task, rank, order, &mut rng);
        own.into_iter().chain((0..mixed).filter_map(|_| Episode::mix(set, task, &mut rng))).collect()
    };
    let mut episodes: Vec<Episode> = set.tasks.iter().flat_map(draw).collect();
    episodes.shuffle(&mut stream(ORDER));
    episodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::world;
    use std::collections::BTreeSet;

    fn liked(set: &TaskSet, order: Order, seed: u64, number: u32) -> Vec<Episode> {
        epoch(set, Rank::Catalogue, order, 0, seed, number)
    }

    #[test]
    fn the_query_is_what_is_liked_outside_the_support() {
        let set = world();
        for task in &set.tasks {
            let alone = TaskSet { tasks: vec![task.clone()], ..set.clone() };
            for episode in (0..20).flat_map(|number| liked(&alone, Order::Random, 1, number)) {
                let most = task.interactions.len() / 2;
                assert!(SHOTS.contains(&episode.support.len()) || episode.support.len() == most);
                assert!(episode.support.len() <= most);
                assert!(episode.support.iter().all(|interaction| task.interactions.contains(interaction)));
                let rest = task.interactions.iter().filter(|i| !episode.support.contains(i));
                let liked = rest.filter(|i| set.levels.liked(i.level)).map(|i| i.item);
                assert_eq!(BTreeSet::from_iter(episode.query), liked.collect());
            }
        }
    }

    #[test]
    fn rated_items_are_a_query_of_ten_or_of_half_the_feedback() {
        let mut set = world();
        set.tasks[0].interactions.truncate(7);
        let task_of = |episode: &Episode| {
            let holds = |task: &&Task| episode.support.iter().all(|i| task.interactions.contains(i));
            let len = episode.support.len() + episode.query.len();
            set.tasks.iter().find(|task| task.interactions.len() == len && holds(task)).cloned()
        };
        for episode in epoch(&set, Rank::Rated, Order::Random, 0, 1, 1) {
            let task = task_of(&episode).expect("support and query are the task");
            assert_eq!(episode.query.len(), LABELLED.min(task.interactions.len() / 2));
            for (item, gain) in episode.query.iter().zip(episode.gains.expect("ranked among themselves")) {
                let rating = task.interactions.iter().find(|i| i.item == *item).expect("rated");
                assert!(!episode.support.contains(rating));
                assert_eq!(gain, set.levels.gain(rating.level));
            }
        }
    }

    #[test]
    fn in_time_order_the_support_is_the_earliest_and_the_query_of_the_later_half() {
        let set = world();
        for task in &set.tasks {
            let alone = TaskSet { tasks: vec![task.clone()], ..set.clone() };
            let (earlier, later) = task.interactions.split_at(task.interactions.len() / 2);
            for episode in (0..20).flat_map(|number| liked(&alone, Order::Time, 1, number)) {
                assert!(earlier.starts_with(&episode.support));
                let liked = later.iter().filter(|i| set.levels.liked(i.level)).map(|i| i.item);
                assert!(liked.eq(episode.query));
            }
            for episode in epoch(&alone, Rank::Rated, Order::Time, 0, 1, 1) {
                assert!(task.interactions.starts_with(&episode.support));
                assert!(
                    task.interactions.iter().map(|i| i.item).rev().take(episode.query.len()).eq(episode
                        .query
                        .iter()
                        .rev()
                        .copied())
                );
            }
        }
    }

    #[test]
    fn an_epoch_is_a_function_of_its_seed_and_number() {
        let set = world();
        assert_eq!(liked(&set, Order::Random, 1, 1), liked(&set, Order::Random, 1, 1));
        assert_ne!(liked(&set, Order::Random, 1, 1), liked(&set, Order::Random, 1, 2));
        assert_ne!(liked(&set, Order::Random, 1, 1), liked(&set, Order::Random, 2, 1));
    }

    #[test]
    fn a_mixture_has_the_support_of_two_users_and_no_query() {
        let set = world();
        let (own, all) =
            (liked(&set, Order::Random, 1, 1), epoch(&set, Rank::Catalogue, Order::Random, 2, 1, 1));
        let (mixtures, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|e| e.query.is_empty());
        assert_eq!(mixtures.len(), 2 * set.tasks.len());
        assert!(others.len() == own.len() && own.iter().all(|episode| others.contains(episode)));
        let holds = |task: &Task, i: &Interaction| task.interactions.contains(i);
        for Episode { support, .. } in &mixtures {
            let items: BTreeSet<u32> = support.iter().map(|interaction| interaction.item).collect();
            assert_eq!(items.len(), support.len());
            let is_of = |a: &Task, b: &Task| support.iter().all(|i| holds(a, i) || holds(b, i));
            assert!(set.tasks.iter().any(|a| set.tasks.iter().any(|b| is_of(a, b))));
        }
        let of_one = |e: &&Episode| set.tasks.iter().any(|task| e.support.iter().all(|i| holds(task, i)));
        assert!(mixtures.iter().filter(of_one).count() < mixtures.len());
    }

    #[test]
    fn tasks_that_cannot_be_split_are_left_out() {
        let mut set = world();
        let whole = liked(&set, Order::Random, 1, 1).len();
        set.tasks[0].interactions.truncate(1);
        set.tasks[1].interactions.iter_mut().for_each(|interaction| interaction.level = 0);
        assert_eq!(liked(&set, Order::Random, 1, 1).len(), whole - 2);
    }
}
