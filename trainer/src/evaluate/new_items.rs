//! Protocol P3: items that training never saw are ranked, by their features.

use std::borrow::Cow;

use super::Plan;
use super::trial::Trial;
use crate::data::{Dataset, HeldOut, Split, Task, TaskSet, item_fold};
use crate::fit::Training;

impl<'a> Trial<'a> {
    /// Learns from the training users' feedback on the items that stay; the likes of the others among the items taken
    /// out are the query.
    pub(super) fn new_items(dataset: &'a Dataset, plan: &Plan, split: &Split, fold: usize) -> Self {
        let new_items = item_fold(dataset.items.len(), plan.seed, fold);
        let known = dataset.without_feedback_on(&new_items);
        let set = TaskSet::new(&known, &split.train);
        let tested = |&user: &u32| {
            let liked = liked_among(dataset, user, &new_items);
            let numbers = liked.map(|place| (set.catalogue.len() + place) as u32).collect();
            let task = set.catalogue.task(&known, user);
            Some((HeldOut::on_new_items(&task, numbers, plan.seed)?, task.interactions.len()))
        };
        let test = split.test.iter().filter_map(tested).collect();
        let task = |&user: &u32| set.catalogue.task(&known, user);
        let hold_out = |task: Task| HeldOut::shuffled(&task, &set.levels, plan.seed);
        let validation = split.validation.iter().map(task).filter_map(hold_out).collect();
        let mut likes = set.catalogue.likes.clone();
        likes.resize(likes.len() + new_items.len(), 0);
        for place in split.train.iter().flat_map(|&user| liked_among(dataset, user, &new_items)) {
            likes[set.catalogue.len() + place] += 1;
        }
        let features_of = |&item: &u32| dataset.item_features.of[item as usize].clone();
        Self {
            training: Training::with_validation(set, validation, plan.config.rank),
            test,
            new_items: new_items.iter().map(features_of).collect(),
            likes,
            known: Cow::Owned(known),
        }
    }
}

/// Places in `items` of those that `user` likes.
fn liked_among(dataset: &Dataset, user: u32, items: &[u32]) -> impl Iterator<Item = usize> {
    let interactions = dataset.interactions[user as usize].iter();
    let liked = interactions.filter(|interaction| dataset.levels.liked(interaction.level));
    liked.filter_map(|interaction| items.iter().position(|&item| item == interaction.item))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{World, folds};
    use crate::evaluate::{Method, Protocol};
    use crate::train::Config;

    #[test]
    fn no_feedback_on_new_items_is_learned_from_or_shown() {
        let dataset = World { users: 60, items: 80, interactions: 20, ..World::default() }.dataset().unwrap();
        let protocol = Protocol::P3;
        let methods = Method::all(protocol);
        let plan = Plan { protocol, folds: 10, methods, config: Config::default(), dim: None, seed: 3 };
        let folds = folds(&dataset, 3);
        let mut times_new = vec![0; dataset.items.len()];
        for fold in 0..10 {
            let new = item_fold(dataset.items.len(), 3, fold);
            new.iter().for_each(|&item| times_new[item as usize] += 1);
            let trial = Trial::new_items(&dataset, &plan, &folds.fold(fold), fold);
            let Training { set, validation, .. } = &trial.training;
            assert!(set.catalogue.items.iter().all(|item| !new.contains(item)));
            assert!(trial.known.interactions.iter().flatten().all(|i| !new.contains(&i.item)));
            let rows = set.catalogue.len() as u32;
            let of_pools = trial.test.users.iter().chain(validation).flat_map(|user| &user.pool);
            assert!(of_pools.into_iter().all(|interaction| interaction.item < rows));
            assert!(!trial.test.users.is_empty() && trial.new_items.len() == new.len());
            let queried = trial.test.users.iter().flat_map(|user| &user.query);
            assert!(queried.into_iter().all(|&item| (rows..rows + new.len() as u32).contains(&item)));
        }
        assert!(times_new.iter().all(|&times| times == 1));
    }
}
