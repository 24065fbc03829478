//! Tasks: users as learning problems, over the catalogue of the items that training saw.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, Features, Interaction, Levels};

/// The items of training as rows, most popular first, ties by id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Index into [`Dataset::items`] of each row.
    pub items: Vec<u32>,
    /// How many training users like each row; descending.
    pub likes: Vec<u32>,
    /// The item features, rows as `items`.
    pub features: Features,
    /// Row of each item of the data set; `None` where training never saw it.
    row_of: Vec<Option<u32>>,
}

/// One user, as a learning problem.
#[derive(Clone, Debug)]
pub struct Task {
    /// Index into [`Dataset::users`].
    pub user: u32,
    /// The user's features, ascending.
    pub features: Vec<u32>,
    /// The user's feedback on catalogue rows, in time order.
    pub interactions: Vec<Interaction>,
}

/// What a learner or a baseline is trained on.
#[derive(Clone, Debug)]
pub struct TaskSet {
    /// The rows that are ranked.
    pub catalogue: Catalogue,
    /// One task a training user, in the order of the data set's users.
    pub tasks: Vec<Task>,
    /// The feedback levels.
    pub levels: Levels,
    /// Number of user features.
    pub user_features: usize,
}

/// A held-out user under a few-shot protocol: adapt to the first k of the pool, judge on the query.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// The user's features.
    pub features: Vec<u32>,
    /// Support pool, in the order in which it is revealed.
    pub pool: Vec<Interaction>,
    /// The liked rows of the query half, ascending; never empty.
    pub query: Vec<u32>,
    /// Protocol P2: the query is ranked by itself, after the whole pool, and this is what each of it is worth; not all
    /// zero. `None` where the catalogue is ranked.
    pub gains: Option<Vec<f32>>,
}

/// Rated items that protocol P2 has ranked (Lee et al. 2019, section 4).
pub const LABELLED: usize = 10;

/// The most ratings that are adapted to before that.
pub const LABELLED_POOL: usize = 90;

impl Catalogue {
    /// The catalogue of `users`: every item that one of them gave feedback on.
    pub fn of(dataset: &Dataset, users: &[u32]) -> Self {
        let mut seen = vec![false; dataset.items.len()];
        let mut liked = vec![0_u32; dataset.items.len()];
        for &user in users {
            for interaction in &dataset.interactions[user as usize] {
                seen[interaction.item as usize] = true;
                liked[interaction.item as usize] += u32::from(dataset.levels.liked(interaction.level));
            }
        }
        let mut items: Vec<u32> = (0..seen.len() as u32).filter(|&item| seen[item as usize]).collect();
        items.sort_by_key(|&item| std::cmp::Reverse(liked[item as usize])); // stable: ties stay in id order
        let mut row_of = vec![None; seen.len()];
        for (row, &item) in items.iter().enumerate() {
            row_of[item as usize] = Some(row as u32);
        }
        let features = Features {
            names: dataset.item_features.names.clone(),
            of: items.iter().map(|&item| dataset.item_features.of[item as usize].clone()).collect(),
        };
        let likes = items.iter().map(|&item| liked[item as usize]).collect();
        Self { items, likes, features, row_of }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing to rank.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The row of an item of the data set; `None` where training never saw it.
    pub fn row(&self, item: u32) -> Option<u32> {
        self.row_of[item as usize]
    }

    /// `user` as a task: the feedback on items outside the catalogue is left out.
    pub fn task(&self, dataset: &Dataset, user: u32) -> Task {
        let interactions = dataset.interactions[user as usize].iter();
        Task {
            user,
            features: dataset.user_features.of[user as usize].clone(),
            interactions: interactions
                .filter_map(|&i| Some(Interaction { item: self.row(i.item)?, ..i }))
                .collect(),
        }
    }
}

impl TaskSet {
    /// The tasks of `users` over the catalogue of what they gave feedback on.
    pub fn new(dataset: &Dataset, users: &[u32]) -> Self {
        let catalogue = Catalogue::of(dataset, users);
        Self {
            tasks: users.iter().map(|&user| catalogue.task(dataset, user)).collect(),
            catalogue,
            levels: dataset.levels.clone(),
            user_features: dataset.user_features.names.len(),
        }
    }
}

impl Task {
    /// At most `count` of the interactions, evenly spread in time: what the user is known by to others.
    pub fn spread(&self, count: usize) -> Vec<Interaction> {
        let step = self.interactions.len().div_ceil(count.max(1)).max(1);
        self.interactions.iter().step_by(step).copied().collect()
    }
}

impl HeldOut {
    /// Protocol P1: the feedback in random order, the first half as the pool, the likes of the second as
    /// the query. The order depends on the seed and on the user, not on which other users are held out.
    /// `None` where the pool would be empty or the query without likes.
    pub fn shuffled(task: &Task, levels: &Levels, seed: u64) -> Option<Self> {
        Self::halved(task, shuffled(task, seed), levels)
    }

    /// Protocol P1t: as [`Self::shuffled`], with the earlier half as the pool and the later as the query.
    pub fn in_time_order(task: &Task, levels: &Levels) -> Option<Self> {
        Self::halved(task, task.interactions.clone(), levels)
    }

    /// Protocol P3: all feedback of `task` in random order as the pool, the `liked` new items as the query.
    /// `None` where either would be empty.
    pub fn on_new_items(task: &Task, mut liked: Vec<u32>, seed: u64) -> Option<Self> {
        liked.sort_unstable();
        let usable = !task.interactions.is_empty() && !liked.is_empty();
        usable.then(|| Self {
            features: task.features.clone(),
            pool: shuffled(task, seed),
            query: liked,
            gains: None,
        })
    }

    /// Protocol P2: the feedback in random order, [`LABELLED`] as the query, up to [`LABELLED_POOL`] others as the
    /// pool. `draw` tells several splits of a user apart. `None` where the pool would be empty or nothing in the query
    /// worth anything.
    pub fn labelled(task: &Task, levels: &Levels, seed: u64, draw: u64) -> Option<Self> {
        let mut pool = shuffled(task, seed ^ draw << 32);
        if pool.len() <= LABELLED {
            return None;
        }
        let mut query = pool.split_off(pool.len() - LABELLED);
        query.sort_unstable_by_key(|interaction| interaction.item);
        pool.truncate(LABELLED_POOL);
        let gains: Vec<f32> = query.iter().map(|interaction| levels.gain(interaction.level)).collect();
        let query = query.iter().map(|interaction| interaction.item).collect();
        let usable = gains.iter().any(|&gain| gain > 0.0);
        usable.then(|| Self { features: task.features.clone(), pool, query, gains: Some(gains) })
    }

    /// Cuts in the middle; an odd one out goes to the query.
    fn halved(task: &Task, mut pool: Vec<Interaction>, levels: &Levels) -> Option<Self> {
        let later = pool.split_off(pool.len() / 2);
        let liked = later.iter().filter(|interaction| levels.liked(interaction.level));
        let mut query: Vec<u32> = liked.map(|interaction| interaction.item).collect();
        query.sort_unstable();
        let usable = !pool.is_empty() && !query.is_empty();
        usable.then(|| Self { features: task.features.clone(), pool, query, gains: None })
    }
}

/// The feedback of a task in an order that depends on the seed and on the user alone.
fn shuffled(task: &Task, seed: u64) -> Vec<Interaction> {
    let mut interactions = task.interactions.clone();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(task.user));
    interactions.shuffle(&mut rng);
    interactions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(user: u32, levels: &[u8]) -> Task {
        let interaction = |(item, &level): (usize, &u8)| Interaction { item: item as u32, level, time: 0 };
        Task { user, features: vec![3], interactions: levels.iter().enumerate().map(interaction).collect() }
    }

    fn levels() -> Levels {
        Levels { values: vec![1.0, 5.0], like_at: Some(4.0) }
    }

    #[test]
    fn pool_and_query_are_the_two_halves_in_time_order() {
        let held_out = HeldOut::in_time_order(&task(0, &[1, 0, 1, 0, 1]), &levels()).unwrap();
        assert_eq!(held_out.pool.iter().map(|i| i.item).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((held_out.query, held_out.features), (vec![2, 4], vec![3]));
    }

    #[test]
    fn ten_ratings_are_ranked_after_the_others() {
        let of = |len, draw| HeldOut::labelled(&task(0, &vec![1; len]), &levels(), 7, draw);
        assert!(of(10, 0).is_none());
        for (len, pool) in [(11, 1), (60, 50), (400, LABELLED_POOL)] {
            let held_out = of(len, 0).unwrap();
            assert_eq!((held_out.pool.len(), held_out.query.len()), (pool, LABELLED));
            assert!(held_out.pool.iter().all(|i| held_out.query.binary_search(&i.item).is_err()));
            assert_eq!(held_out.gains, Some(vec![31.0; LABELLED]));
        }
        assert_ne!(of(60, 0).unwrap().query, of(60, 1).unwrap().query);
    }

    #[test]
    fn a_user_without_pool_or_without_likes_in_the_query_is_left_out() {
        assert!(HeldOut::in_time_order(&task(0, &[1]), &levels()).is_none());
        assert!(HeldOut::in_time_order(&task(0, &[1, 0]), &levels()).is_none());
        assert!(HeldOut::in_time_order(&task(0, &[]), &levels()).is_none());
    }

    #[test]
    fn a_spread_covers_the_whole_time_with_no_more_than_asked_for() {
        let items = |count| task(0, &[1; 10]).spread(count).iter().map(|i| i.item).collect::<Vec<_>>();
        assert_eq!(items(20), (0..10).collect::<Vec<_>>());
        assert_eq!(items(5), [0, 2, 4, 6, 8]);
        assert_eq!(items(4), [0, 3, 6, 9]);
        assert!(task(0, &[]).spread(3).is_empty());
    }

    #[test]
    fn shuffling_depends_on_the_seed_and_on_the_user() {
        let order = |user, seed| {
            let held_out = HeldOut::shuffled(&task(user, &[1; 40]), &levels(), seed).unwrap();
            assert!(held_out.query.is_sorted());
            held_out.pool.iter().map(|i| i.item).collect::<Vec<_>>()
        };
        assert_eq!(order(1, 7), order(1, 7));
        assert_ne!(order(1, 7), order(2, 7));
        assert_ne!(order(1, 7), order(1, 8));
    }
}
