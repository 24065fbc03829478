//! Protocol P3: items that training never saw are ranked, by their features and maybe by their first raters.

use std::borrow::Cow;

use super::Plan;
use super::trial::Trial;
use crate::data::{Dataset, HeldOut, NewItem, Split, Task, TaskSet, item_fold};
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
        Self {
            new_items: NewItem::among(dataset, &new_items, &set, plan.seed),
            training: Training::with_validation(set, validation, plan.config.rank),
            test,
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
    use crate::evaluate::{Method, Protocol, evaluate};
    use crate::metrics::SHOTS;
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

    #[test]
    fn lists_of_fewer_new_items_than_places_hold_no_known_ones() {
        let dataset = World { users: 60, items: 80, interactions: 20, ..World::default() }.dataset().unwrap();
        let methods = vec!["content-popularity".parse().unwrap(), "content-ridge:raters=3".parse().unwrap()];
        let plan = Plan {
            protocol: Protocol::P3,
            folds: 10,
            methods,
            config: Config::default(),
            dim: None,
            seed: 3,
        };
        for outcome in evaluate(&dataset, &plan, &mut |_| {}).unwrap() {
            assert!(
                outcome.exposure.iter().all(|exposure| exposure.coverage > 0.9),
                "eight of eight are listed"
            );
        }
    }

    #[test]
    fn early_raters_make_new_items_rank_better() {
        let world = World { users: 200, items: 150, interactions: 40, ..World::default() };
        let dataset = world.dataset().unwrap();
        let methods = vec!["maml".parse().unwrap(), "maml:raters=10".parse().unwrap()];
        let config = Config { dim: 16, epochs: 6, ..Config::default() };
        let plan = Plan { protocol: Protocol::P3, folds: 2, methods, config, dim: None, seed: 3 };
        let outcomes = evaluate(&dataset, &plan, &mut |_| {}).unwrap();
        let [alone, rated] = [0, 1].map(|at| {
            let ndcg = outcomes[at].users.iter().flatten().map(|metrics| metrics.ndcg_10);
            ndcg.sum::<f64>() / outcomes[at].users.len() as f64 / SHOTS.len() as f64
        });
        assert!(rated > alone + 0.01, "{alone} {rated}");
    }
}
