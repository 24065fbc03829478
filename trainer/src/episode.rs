//! Episodes: a task split at random into what is adapted to and what is judged on.

use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::{Interaction, Task, TaskSet};

/// The support sizes that training draws from.
pub const SHOTS: [usize; 8] = [1, 2, 3, 5, 7, 10, 15, 20];

/// The stream of an epoch that orders its episodes; those below belong to users.
const ORDER: u32 = u32::MAX;

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
    /// The liked items to be ranked high; never empty.
    pub query: Vec<u32>,
}

impl Episode {
    /// A split of `task`: the support has a random size out of [`SHOTS`], at most half of the feedback. At random,
    /// the query is what is liked among the rest; in time order, the support is the earliest feedback, and the query
    /// what is liked in the later half. `None` if nothing there is.
    fn draw(set: &TaskSet, task: &Task, order: Order, rng: &mut ChaCha8Rng) -> Option<Self> {
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
        usable.then(|| Self { features: task.features.clone(), support, query })
    }
}

/// The episodes of one epoch, at most one a task, in random order: a function of the task set, `order`,
/// `seed` and `epoch` alone. Tasks with fewer than two interactions, or no like in the query, are left out.
pub fn epoch(set: &TaskSet, order: Order, seed: u64, epoch: u32) -> Vec<Episode> {
    let stream = |index: u32| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(epoch) << 32 | u64::from(index));
        rng
    };
    let draw = |task: &Task| Episode::draw(set, task, order, &mut stream(task.user));
    let mut episodes: Vec<Episode> = set.tasks.iter().filter_map(draw).collect();
    episodes.shuffle(&mut stream(ORDER));
    episodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::world;
    use std::collections::BTreeSet;

    #[test]
    fn the_query_is_what_is_liked_outside_the_support() {
        let set = world();
        for task in &set.tasks {
            let alone = TaskSet { tasks: vec![task.clone()], ..set.clone() };
            for episode in (0..20).flat_map(|number| epoch(&alone, Order::Random, 1, number)) {
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
    fn in_time_order_the_support_is_the_earliest_and_the_query_of_the_later_half() {
        let set = world();
        for task in &set.tasks {
            let alone = TaskSet { tasks: vec![task.clone()], ..set.clone() };
            let (earlier, later) = task.interactions.split_at(task.interactions.len() / 2);
            for episode in (0..20).flat_map(|number| epoch(&alone, Order::Time, 1, number)) {
                assert!(earlier.starts_with(&episode.support));
                let liked = later.iter().filter(|i| set.levels.liked(i.level)).map(|i| i.item);
                assert!(liked.eq(episode.query));
            }
        }
    }

    #[test]
    fn an_epoch_is_a_function_of_its_seed_and_number() {
        let set = world();
        assert_eq!(epoch(&set, Order::Random, 1, 1), epoch(&set, Order::Random, 1, 1));
        assert_ne!(epoch(&set, Order::Random, 1, 1), epoch(&set, Order::Random, 1, 2));
        assert_ne!(epoch(&set, Order::Random, 1, 1), epoch(&set, Order::Random, 2, 1));
    }

    #[test]
    fn tasks_that_cannot_be_split_are_left_out() {
        let mut set = world();
        let whole = epoch(&set, Order::Random, 1, 1).len();
        set.tasks[0].interactions.truncate(1);
        set.tasks[1].interactions.iter_mut().for_each(|interaction| interaction.level = 0);
        assert_eq!(epoch(&set, Order::Random, 1, 1).len(), whole - 2);
    }
}
