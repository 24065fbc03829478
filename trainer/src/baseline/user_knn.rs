//! Nearest users (Herlocker et al. 1999), with the cosine raised to a power.

use super::{Baseline, Likes, weighted};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;
use std::sync::Arc;

/// Scores an item by the summed similarity of the training users who like it. What no neighbour likes ties at
/// zero, and ties go to the more popular.
///
/// Similarity of the new user to user v:
/// `(overlap / (sqrt(|support likes| |likes of v|) + shrinkage))^power`, where the overlap counts what both
/// like, minus `dislike` for what v likes and the new user does not. The `neighbours` most similar count.
/// A device would have to hold every training user's likes.
pub struct UserKnn {
    likes: Arc<Likes>,
    config: Config,
    levels: Levels,
}

#[derive(Clone, Copy)]
struct Config {
    power: i32,
    shrinkage: f32,
    neighbours: usize,
    dislike: f32,
}

impl UserKnn {
    pub(super) fn grid(set: &TaskSet) -> impl Iterator<Item = Self> + '_ {
        let likes = Arc::new(Likes::of(set));
        let mut points = Vec::new();
        for power in [1, 2, 3, 4] {
            for shrinkage in [0.0, 3.0, 10.0, 30.0] {
                for neighbours in [100, 300] {
                    let dislikes = [0.0, 0.25].into_iter();
                    points.extend(dislikes.map(|dislike| Config { power, shrinkage, neighbours, dislike }));
                }
            }
        }
        points.into_iter().map(move |config| Self {
            likes: likes.clone(),
            config,
            levels: set.levels.clone(),
        })
    }

    /// The most similar training users with their similarity.
    fn neighbours(&self, support: &[Interaction]) -> Vec<(u32, f32)> {
        let mut overlap = vec![0.0_f32; self.likes.by_user.len()];
        let mut liked = 0.0_f32;
        for (item, weight) in weighted(support, &self.levels, self.config.dislike) {
            liked += weight.max(0.0);
            for &user in &self.likes.by_item[item] {
                overlap[user as usize] += weight;
            }
        }
        let similarity = |(user, &overlap): (usize, &f32)| {
            let norm = (liked * self.likes.by_user[user].len() as f32).sqrt();
            let cosine = overlap / (norm + self.config.shrinkage);
            (overlap > 0.0).then(|| (user as u32, cosine.powi(self.config.power)))
        };
        let mut similar: Vec<(u32, f32)> = overlap.iter().enumerate().filter_map(similarity).collect();
        if self.config.neighbours < similar.len() {
            similar.sort_by(|a, b| b.1.total_cmp(&a.1));
            similar.truncate(self.config.neighbours);
        }
        similar
    }
}

impl Scorer for UserKnn {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        for (user, similarity) in self.neighbours(support) {
            for &item in &self.likes.by_user[user as usize] {
                scores[item as usize] += similarity;
            }
        }
    }
}

impl Baseline for UserKnn {
    fn choice(&self) -> String {
        let Config { power, shrinkage, neighbours, dislike } = self.config;
        format!("power {power}, shrinkage {shrinkage}, neighbours {neighbours}, dislike {dislike}")
    }

    fn bytes(&self) -> usize {
        self.likes.by_user.iter().map(|rows| size_of_val(rows.as_slice())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of};

    fn fitted(set: &TaskSet, neighbours: usize) -> UserKnn {
        UserKnn {
            likes: Arc::new(Likes::of(set)),
            config: Config { power: 3, shrinkage: 1.0, neighbours, dislike: 0.25 },
            levels: set.levels.clone(),
        }
    }

    #[test]
    fn a_neighbour_speaks_with_the_power_of_the_shrunk_cosine() {
        let set = set_of(&[&[(0, 5), (1, 5), (2, 5)], &[(0, 5), (3, 5)], &[(1, 5)]]);
        let cosine_of = |overlap: f32, likes: f32| (overlap / ((2.0 * likes).sqrt() + 1.0)).powi(3);
        let scores = scores_of(&fitted(&set, 9), &set, &[rated(0, 5), rated(1, 5)]);
        assert!((scores[2] - cosine_of(2.0, 3.0)).abs() < 1e-5);
        assert!((scores[3] - cosine_of(1.0, 2.0)).abs() < 1e-5);
        let scores = scores_of(&fitted(&set, 1), &set, &[rated(0, 5), rated(1, 5)]);
        assert!(scores[3].abs() < 1e-5, "the second neighbour is not heard");
    }

    #[test]
    fn users_who_like_what_is_disliked_are_further_away() {
        let set = set_of(&[&[(0, 5), (1, 5)], &[(0, 5), (2, 5)]]);
        let scores = scores_of(&fitted(&set, 9), &set, &[rated(0, 5), rated(1, 1)]);
        assert!(scores[2] > 1.5 * scores[1]);
    }

    #[test]
    fn without_neighbours_all_items_tie() {
        let set = set_of(&[&[(0, 5), (1, 5)], &[(0, 5), (2, 1)]]);
        assert_eq!(scores_of(&fitted(&set, 9), &set, &[rated(2, 5)]), [0.0, 0.0, 0.0]);
        assert_eq!(scores_of(&fitted(&set, 9), &set, &[rated(0, 1)]), [0.0, 0.0, 0.0]);
    }
}
