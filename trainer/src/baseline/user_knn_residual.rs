//! Nearest users by their ratings' residuals (Herlocker et al. 1999).

use super::{Baseline, ItemMean};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;
use std::sync::Arc;

/// Ratings by which a user's own mean residual is shrunk to zero.
const USER_PULL: f32 = 5.0;

/// Similarity by which what the neighbours say is shrunk to zero.
const DOUBT: f32 = 0.5;

/// Scores an item by its shrunk mean rating plus what similar users think beyond it.
///
/// A residual is a rating minus the item's mean and the user's shrunk mean residual. Similarity of two users:
/// `a . b / (|a| |b| + shrinkage)` over their residuals. An item's score is its mean plus the residuals of all who
/// rated it, averaged by similarity, which may be negative. A device would have to hold every training user's
/// ratings.
pub struct UserKnnResidual {
    residuals: Arc<Residuals>,
    shrinkage: f32,
    levels: Levels,
}

struct Residuals {
    item_mean: ItemMean,
    /// (row, residual) of each training user.
    by_user: Vec<Vec<(u32, f32)>>,
    /// (user, residual) of each row.
    by_item: Vec<Vec<(u32, f32)>>,
    /// Length of each training user's residuals.
    lengths: Vec<f32>,
}

impl UserKnnResidual {
    pub(super) fn grid(set: &TaskSet) -> impl Iterator<Item = Self> + '_ {
        ItemMean::grid(set).flat_map(|item_mean| {
            let residuals = Arc::new(Residuals::of(set, item_mean));
            [10.0, 30.0, 100.0].map(|shrinkage| Self {
                residuals: residuals.clone(),
                shrinkage,
                levels: set.levels.clone(),
            })
        })
    }

    /// Similarity of each training user.
    fn similarities(&self, support: &[Interaction]) -> Vec<f32> {
        let own = self.residuals.item_mean.residuals(support, &self.levels);
        let mut similarities = vec![0.0_f32; self.residuals.by_user.len()];
        for &(row, residual) in &own {
            for &(user, other) in &self.residuals.by_item[row as usize] {
                similarities[user as usize] += residual * other;
            }
        }
        let length = length(&own);
        for (similarity, other) in similarities.iter_mut().zip(&self.residuals.lengths) {
            *similarity /= length * other + self.shrinkage;
        }
        similarities
    }
}

impl Residuals {
    fn of(set: &TaskSet, item_mean: ItemMean) -> Self {
        let of_task = |task: &crate::data::Task| item_mean.residuals(&task.interactions, &set.levels);
        let by_user: Vec<Vec<(u32, f32)>> = set.tasks.iter().map(of_task).collect();
        let mut by_item = vec![Vec::new(); set.catalogue.len()];
        for (user, residuals) in (0..).zip(&by_user) {
            residuals.iter().for_each(|&(row, residual)| by_item[row as usize].push((user, residual)));
        }
        let lengths = by_user.iter().map(|residuals| length(residuals)).collect();
        Self { item_mean, by_user, by_item, lengths }
    }
}

impl ItemMean {
    /// (row, residual) of each of a user's ratings.
    fn residuals(&self, ratings: &[Interaction], levels: &Levels) -> Vec<(u32, f32)> {
        let beyond = |i: &Interaction| (i.item, levels.stars(i.level) - self.means[i.item as usize]);
        let mut residuals: Vec<(u32, f32)> = ratings.iter().map(beyond).collect();
        let own =
            residuals.iter().map(|(_, beyond)| beyond).sum::<f32>() / (ratings.len() as f32 + USER_PULL);
        residuals.iter_mut().for_each(|(_, beyond)| *beyond -= own);
        residuals
    }
}

fn length(residuals: &[(u32, f32)]) -> f32 {
    residuals.iter().map(|(_, residual)| residual * residual).sum::<f32>().sqrt()
}

impl Scorer for UserKnnResidual {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let similarities = self.similarities(support);
        let beyond = |raters: &Vec<(u32, f32)>| {
            let (mut sum, mut weight) = (0.0, DOUBT);
            for &(user, residual) in raters {
                sum += similarities[user as usize] * residual;
                weight += similarities[user as usize].abs();
            }
            sum / weight
        };
        let rows = self.residuals.item_mean.means.iter().zip(&self.residuals.by_item);
        scores.iter_mut().zip(rows).for_each(|(score, (mean, raters))| *score = mean + beyond(raters));
    }
}

impl Baseline for UserKnnResidual {
    fn choice(&self) -> String {
        format!("{}, shrinkage {}", self.residuals.item_mean.choice(), self.shrinkage)
    }

    fn bytes(&self) -> usize {
        let ratings: usize = self.residuals.by_user.iter().map(|of| size_of_val(of.as_slice())).sum();
        self.residuals.item_mean.bytes() + ratings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of};

    #[test]
    fn who_rates_alike_is_believed_and_who_rates_the_other_way_is_believed_the_contrary() {
        let set = set_of(&[
            &[(0, 5), (1, 1), (2, 5), (3, 3)],
            &[(0, 1), (1, 5), (3, 3)],
            &[(0, 3), (1, 3), (2, 3)],
        ]);
        let knn = UserKnnResidual::grid(&set).next().expect("a grid");
        let support = [rated(0, 5), rated(1, 1)];
        let similarities = knn.similarities(&support);
        assert!(similarities[0] > 0.05 && similarities[1] < -0.05, "{similarities:?}");
        let (alike, contrary) =
            (scores_of(&knn, &set, &support), scores_of(&knn, &set, &[rated(0, 1), rated(1, 5)]));
        assert!(alike[2] > knn.residuals.item_mean.means[2] && contrary[2] < alike[2]);
    }

    #[test]
    fn without_support_or_neighbours_the_mean_is_left() {
        let set = set_of(&[&[(0, 5), (1, 2)], &[(1, 3)]]);
        for knn in UserKnnResidual::grid(&set) {
            assert_eq!(scores_of(&knn, &set, &[]), knn.residuals.item_mean.means);
        }
    }
}
