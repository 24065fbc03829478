//! Protocols P1 and P1t: the whole catalogue is ranked for users who reveal k interactions.

use std::borrow::Cow;

use super::trial::Trial;
use super::{Plan, Protocol};
use crate::data::{Dataset, HeldOut, Split, Task, TaskSet};
use crate::fit::Training;

impl<'a> Trial<'a> {
    /// Learns from the training users; a half of what the others said is the pool, the other half the query.
    pub(super) fn few_shot(dataset: &'a Dataset, plan: &Plan, split: &Split) -> Self {
        let set = TaskSet::new(dataset, &split.train);
        let hold_out = |task: &Task| match plan.protocol {
            Protocol::P1t => HeldOut::in_time_order(task, &set.levels),
            Protocol::P1 | Protocol::P3 => HeldOut::shuffled(task, &set.levels, plan.seed),
        };
        let task = |&user: &u32| set.catalogue.task(dataset, user);
        let validation = split.validation.iter().map(task).filter_map(|task| hold_out(&task)).collect();
        let tested = |task: Task| Some((hold_out(&task)?, task.interactions.len()));
        Self {
            known: Cow::Borrowed(dataset),
            test: split.test.iter().map(task).filter_map(tested).collect(),
            new_items: Vec::new(),
            likes: set.catalogue.likes.clone(),
            training: Training::with_validation(set, validation, plan.config.rank),
        }
    }
}
