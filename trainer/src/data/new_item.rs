//! Items that are ranked as new: what is known of them.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, Interaction, Task, TaskSet};

/// Most interactions that a rater is known by to those who embed new items.
pub const KNOWN_BY: usize = 20;

/// What is known of an item that training has no feedback on, or as if it had none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewItem {
    /// Its features, ascending.
    pub features: Vec<u32>,
    /// Who of the training users rated it, in random order: the first of them are the early raters.
    pub raters: Vec<Rating>,
}

/// Feedback of a training user on a new item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Index into [`TaskSet::tasks`].
    pub task: u32,
    /// The feedback level.
    pub level: u8,
}

impl NewItem {
    /// The items `new` of `dataset`, indices into [`Dataset::items`], with the users of `set` as raters. Their order
    /// depends on the seed and on the item alone.
    pub fn among(dataset: &Dataset, new: &[u32], set: &TaskSet, seed: u64) -> Vec<Self> {
        let mut place = vec![None; dataset.items.len()];
        new.iter().enumerate().for_each(|(at, &item)| place[item as usize] = Some(at));
        let features = |&item: &u32| dataset.item_features.of[item as usize].clone();
        let mut items: Vec<Self> =
            new.iter().map(|item| Self { features: features(item), raters: Vec::new() }).collect();
        for (task, Task { user, .. }) in (0..).zip(&set.tasks) {
            for &Interaction { item, level, .. } in &dataset.interactions[*user as usize] {
                if let Some(at) = place[item as usize] {
                    items[at].raters.push(Rating { task, level });
                }
            }
        }
        items.iter_mut().zip(new).for_each(|(of_item, &item)| of_item.shuffle(item, seed));
        items
    }

    /// Each row of the catalogue as if it were new. Users who are [known by](KNOWN_BY) their feedback on it do not rate
    /// it: that would be circular.
    pub fn rows(set: &TaskSet, seed: u64) -> Vec<Self> {
        let features = set.catalogue.features.of.iter().cloned();
        let mut items: Vec<Self> = features.map(|features| Self { features, raters: Vec::new() }).collect();
        for (task, of_task) in (0..).zip(&set.tasks) {
            let known_by = of_task.spread(KNOWN_BY);
            for &Interaction { item, level, .. } in
                of_task.interactions.iter().filter(|i| !known_by.contains(i))
            {
                items[item as usize].raters.push(Rating { task, level });
            }
        }
        (0..).zip(&mut items).for_each(|(item, of_item)| of_item.shuffle(item, seed));
        items
    }

    /// The first raters, at most `count`.
    pub fn early(&self, count: usize) -> &[Rating] {
        &self.raters[..count.min(self.raters.len())]
    }

    fn shuffle(&mut self, item: u32, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(item));
        self.raters.shuffle(&mut rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::World;

    #[test]
    fn the_raters_of_an_item_are_the_training_users_who_rated_it() {
        let dataset = World { users: 30, items: 40, interactions: 15, ..World::default() }.dataset().unwrap();
        let new = [3, 17, 20];
        let known = dataset.without_feedback_on(&new);
        let set = TaskSet::new(&known, &(0..20).collect::<Vec<_>>());
        let items = NewItem::among(&dataset, &new, &set, 5);
        assert_eq!(items, NewItem::among(&dataset, &new, &set, 5));
        for (item, number) in items.iter().zip(new) {
            assert_eq!(item.features, dataset.item_features.of[number as usize]);
            let mut users: Vec<u32> =
                item.raters.iter().map(|rating| set.tasks[rating.task as usize].user).collect();
            users.sort_unstable();
            let rated = |&user: &u32| dataset.interactions[user as usize].iter().any(|i| i.item == number);
            assert_eq!(users, (0..20).filter(rated).collect::<Vec<_>>());
            assert_eq!(item.early(2), &item.raters[..2.min(item.raters.len())]);
        }
    }

    #[test]
    fn rows_as_new_items_are_rated_by_those_who_are_not_known_by_them() {
        let dataset =
            World { users: 30, items: 120, interactions: 50, ..World::default() }.dataset().unwrap();
        let set = TaskSet::new(&dataset, &(0..30).collect::<Vec<_>>());
        let rows = NewItem::rows(&set, 5);
        let raters = |row: &NewItem| row.raters.len();
        let known_by = |task: &Task| task.spread(KNOWN_BY).len();
        let all: usize = set.tasks.iter().map(|task| task.interactions.len() - known_by(task)).sum();
        assert!(all > 0);
        assert_eq!(rows.iter().map(raters).sum::<usize>(), all);
        for (item, row) in (0..).zip(&rows) {
            for rating in &row.raters {
                let task = &set.tasks[rating.task as usize];
                assert!(task.interactions.iter().any(|i| i.item == item && i.level == rating.level));
                assert!(task.spread(KNOWN_BY).iter().all(|i| i.item != item));
            }
        }
    }
}
