//! Nearest items (Sarwar et al. 2001; shrinkage after Bell and Koren 2007).

use super::{Baseline, Likes, add_scaled, blends, log_popularity, weighted};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;
use rayon::prelude::*;
use std::sync::Arc;

/// Scores an item by the summed similarity to the liked items of the support, minus `dislike` times that to
/// the rest; a share of log-popularity orders what no neighbour reaches.
///
/// Similarity of i and j: `both / (sqrt(likes_i likes_j) + shrinkage)`, kept for the `neighbours` most
/// similar items of j. Memory O(items * neighbours).
pub struct ItemKnn {
    nearest: Arc<Vec<Vec<(u32, f32)>>>, // per item, most similar first
    log_popularity: Arc<Vec<f32>>,
    config: Config,
    levels: Levels,
}

#[derive(Clone, Copy)]
struct Config {
    shrinkage: f32,
    neighbours: usize,
    popularity: f32,
    dislike: f32,
}

/// The longest list of neighbours on the grid.
const MOST_NEIGHBOURS: usize = 400;

impl ItemKnn {
    pub(super) fn grid(set: &TaskSet) -> impl Iterator<Item = Self> + '_ {
        let likes = Likes::of(set);
        let log_popularity = Arc::new(log_popularity(&set.catalogue));
        [3.0, 10.0, 30.0, 100.0].into_iter().flat_map(move |shrinkage| {
            let nearest = Arc::new(nearest(&likes, shrinkage));
            let log_popularity = log_popularity.clone();
            [100, 200, MOST_NEIGHBOURS].into_iter().flat_map(move |neighbours| {
                let (nearest, log_popularity) = (nearest.clone(), log_popularity.clone());
                blends([0.0, 0.03, 0.1, 0.2]).map(move |(popularity, dislike)| Self {
                    nearest: nearest.clone(),
                    log_popularity: log_popularity.clone(),
                    config: Config { shrinkage, neighbours, popularity, dislike },
                    levels: set.levels.clone(),
                })
            })
        })
    }
}

/// The most similar items of each item, ties to the more popular.
fn nearest(likes: &Likes, shrinkage: f32) -> Vec<Vec<(u32, f32)>> {
    let items = likes.by_item.len();
    let norm = |item: usize| (likes.by_item[item].len() as f32).sqrt();
    let nearest_of = |both: &mut Vec<u32>, item: usize| {
        both.fill(0);
        for &user in &likes.by_item[item] {
            for &other in &likes.by_user[user as usize] {
                both[other as usize] += 1;
            }
        }
        both[item] = 0;
        let similarity = |other: usize| both[other] as f32 / (norm(item) * norm(other) + shrinkage);
        let mut similar: Vec<(u32, f32)> = (0..items)
            .filter(|&other| both[other] > 0)
            .map(|other| (other as u32, similarity(other)))
            .collect();
        similar.sort_by(|a, b| b.1.total_cmp(&a.1));
        similar.truncate(MOST_NEIGHBOURS);
        similar
    };
    (0..items).into_par_iter().map_init(|| vec![0; items], nearest_of).collect()
}

impl Scorer for ItemKnn {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        add_scaled(scores, self.config.popularity, &self.log_popularity);
        for (item, weight) in weighted(support, &self.levels, self.config.dislike) {
            for &(other, similarity) in self.nearest[item].iter().take(self.config.neighbours) {
                scores[other as usize] += weight * similarity;
            }
        }
    }
}

impl Baseline for ItemKnn {
    fn choice(&self) -> String {
        let Config { shrinkage, neighbours, popularity, dislike } = self.config;
        format!("shrinkage {shrinkage}, neighbours {neighbours}, popularity {popularity}, dislike {dislike}")
    }

    fn bytes(&self) -> usize {
        let kept: usize = self.nearest.iter().map(|near| near.len().min(self.config.neighbours)).sum();
        kept * size_of::<(u32, f32)>() + size_of_val(self.log_popularity.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of};

    fn fitted(set: &TaskSet, neighbours: usize) -> ItemKnn {
        ItemKnn {
            nearest: Arc::new(nearest(&Likes::of(set), 1.0)),
            log_popularity: Arc::new(log_popularity(&set.catalogue)),
            config: Config { shrinkage: 1.0, neighbours, popularity: 0.0, dislike: 0.5 },
            levels: set.levels.clone(),
        }
    }

    #[test]
    fn similarity_is_the_shrunk_cosine_of_the_likes() {
        // Likes: item 0 by three users, item 1 by two of them, item 2 by one of those two.
        let set = set_of(&[&[(0, 5), (1, 5), (2, 5)], &[(0, 5), (1, 5)], &[(0, 5), (1, 2)]]);
        let scores = scores_of(&fitted(&set, 9), &set, &[rated(0, 5)]);
        assert_eq!(
            scores,
            [0.0, 2.0 / (3.0_f32.sqrt() * 2.0_f32.sqrt() + 1.0), 1.0 / (3.0_f32.sqrt() + 1.0)]
        );
        assert_eq!(scores_of(&fitted(&set, 1), &set, &[rated(0, 5)])[2], 0.0);
    }

    #[test]
    fn a_dislike_counts_against_its_neighbours() {
        let set = set_of(&[&[(0, 5), (1, 5)], &[(0, 5), (1, 5), (2, 3)]]);
        let liked = scores_of(&fitted(&set, 9), &set, &[rated(0, 5)]);
        let disliked = scores_of(&fitted(&set, 9), &set, &[rated(0, 3)]);
        assert!(liked[1] > 0.0);
        assert_eq!(disliked[1], -0.5 * liked[1]);
    }
}
