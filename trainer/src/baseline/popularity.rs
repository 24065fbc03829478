//! The same list for everybody.

use super::Baseline;
use crate::data::{Interaction, TaskSet};
use crate::metrics::Scorer;

/// Scores an item by the number of training users who like it.
pub struct Popularity {
    likes: Vec<f32>,
}

impl Popularity {
    /// Counts the likes.
    pub fn fit(set: &TaskSet) -> Self {
        Self { likes: set.catalogue.likes.iter().map(|&likes| likes as f32).collect() }
    }
}

impl Scorer for Popularity {
    fn score(&self, _: &[Interaction], _: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&self.likes);
    }
}

impl Baseline for Popularity {
    fn choice(&self) -> String {
        String::new()
    }

    fn bytes(&self) -> usize {
        size_of_val(self.likes.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of};

    #[test]
    fn popularity_counts_likes_and_ignores_the_support() {
        let set = set_of(&[&[(0, 5), (1, 4)], &[(0, 4), (2, 3)]]);
        let popularity = Popularity::fit(&set);
        assert_eq!(scores_of(&popularity, &set, &[]), [2.0, 1.0, 0.0]);
        assert_eq!(scores_of(&popularity, &set, &[rated(2, 5)]), [2.0, 1.0, 0.0]);
    }
}
