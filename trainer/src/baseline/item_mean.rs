//! The mean rating of an item, the same for everyone.

use super::{Baseline, mean_rating};
use crate::data::{Interaction, TaskSet};
use crate::metrics::Scorer;

/// Scores an item by its mean rating, shrunk to the mean of all ratings as if `pull` more of them said so.
pub struct ItemMean {
    pull: f32,
    /// In stars, one per row.
    pub(super) means: Vec<f32>,
}

impl ItemMean {
    pub(super) fn grid(set: &TaskSet) -> impl Iterator<Item = Self> + '_ {
        [1.0, 3.0, 5.0, 10.0].into_iter().map(|pull| Self::fit(set, pull))
    }

    /// The shrunk means of `set`; `pull` must be positive.
    pub(super) fn fit(set: &TaskSet, pull: f32) -> Self {
        let mean = mean_rating(set);
        let mut sums = vec![pull * mean; set.catalogue.len()];
        let mut counts = vec![pull; set.catalogue.len()];
        for interaction in set.tasks.iter().flat_map(|task| &task.interactions) {
            sums[interaction.item as usize] += set.levels.stars(interaction.level);
            counts[interaction.item as usize] += 1.0;
        }
        Self { pull, means: sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect() }
    }
}

impl Scorer for ItemMean {
    fn score(&self, _: &[Interaction], _: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&self.means);
    }
}

impl Baseline for ItemMean {
    fn choice(&self) -> String {
        format!("pull {}", self.pull)
    }

    fn bytes(&self) -> usize {
        size_of_val(self.means.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{scores_of, set_of};

    #[test]
    fn few_ratings_are_drawn_to_the_mean_of_all() {
        let set = set_of(&[&[(0, 5), (1, 5)], &[(0, 5), (2, 1)], &[(0, 4)]]);
        let scores = scores_of(&ItemMean::fit(&set, 2.0), &set, &[]);
        for (score, expected) in scores.iter().zip([22.0 / 5.0, 13.0 / 3.0, 3.0]) {
            assert!((score - expected).abs() < 1e-6, "{score} {expected}");
        }
    }
}
