//! EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data") and EDLAE (Steck 2020,
//! "Autoencoders that don't overfit towards the identity"): item-item regression in closed form.

use super::{Baseline, Likes, add_scaled, blends, dense, log_popularity, weighted};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;
use nalgebra::DMatrix;
use std::sync::Arc;

/// Which autoencoder a grid searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Ridge regression of each item on all others.
    Ease,
    /// The same in expectation over dropped inputs.
    Edlae,
}

/// Scores an item by the regression of its likes on the support, plus a share of log-popularity: with one
/// like most weights are close to nothing.
///
/// `B = I - P / diag(P)`, `P = (X'X + dropout / (1 - dropout) diag(X'X) + lambda I)^-1`, X = users x items.
/// Time O(n^3), memory 4 n^2 bytes to serve and three times that to fit.
pub struct Ease {
    weights: Arc<DMatrix<f32>>, // items x items; column j is what a like of j adds to every score
    log_popularity: Arc<Vec<f32>>,
    config: Config,
    levels: Levels,
}

#[derive(Clone, Copy)]
struct Config {
    lambda: f32,
    dropout: f32,
    popularity: f32,
    dislike: f32,
}

impl Ease {
    /// The most rows for which the matrix is built: 12,000 rows take 600 MB, and 1.8 GB to fit.
    pub const LARGEST_CATALOGUE: usize = 12_000;

    pub(super) fn grid(set: &TaskSet, objective: Objective) -> impl Iterator<Item = Self> + '_ {
        let (lambdas, dropouts): (&[f32], &[f32]) = match objective {
            Objective::Ease => (&[100.0, 300.0, 1000.0, 3000.0], &[0.0]),
            Objective::Edlae => (&[30.0, 100.0, 300.0], &[0.3, 0.5, 0.7, 0.8, 0.9]),
        };
        let fits = set.catalogue.len() <= Self::LARGEST_CATALOGUE;
        let pairs = lambdas.iter().flat_map(move |&lambda| dropouts.iter().map(move |&p| (lambda, p)));
        let likes = Likes::of(set);
        let log_popularity = Arc::new(log_popularity(&set.catalogue));
        pairs
            .filter(move |_| fits)
            .filter_map(move |(lambda, dropout)| {
                Some((lambda, dropout, Arc::new(regression(&likes, lambda, dropout)?)))
            })
            .flat_map(move |(lambda, dropout, weights)| {
                let log_popularity = log_popularity.clone();
                blends([0.0, 0.003, 0.01, 0.03]).map(move |(popularity, dislike)| Self {
                    weights: weights.clone(),
                    log_popularity: log_popularity.clone(),
                    config: Config { lambda, dropout, popularity, dislike },
                    levels: set.levels.clone(),
                })
            })
    }
}

/// The weights of [`Ease`]; `None` if rounding left the system indefinite, which takes a lambda near 0.
fn regression(likes: &Likes, lambda: f32, dropout: f32) -> Option<DMatrix<f32>> {
    let items = likes.by_item.len();
    let mut gram =
        dense::co_occurrence(&likes.by_user, &vec![1.0; likes.by_user.len()], &likes.by_item, items);
    for item in 0..items {
        gram[(item, item)] += dropout / (1.0 - dropout) * gram[(item, item)] + lambda;
    }
    let mut weights = dense::inverse(gram)?;
    let scale = weights.diagonal().map(|diagonal| -diagonal.recip());
    for (item, mut column) in weights.column_iter_mut().enumerate() {
        column.component_mul_assign(&scale);
        column[item] = 0.0;
    }
    Some(weights)
}

impl Scorer for Ease {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        add_scaled(scores, self.config.popularity, &self.log_popularity);
        for (item, weight) in weighted(support, &self.levels, self.config.dislike) {
            add_scaled(scores, weight, self.weights.column(item).as_slice());
        }
    }
}

impl Baseline for Ease {
    fn choice(&self) -> String {
        let Config { lambda, dropout, popularity, dislike } = self.config;
        format!("lambda {lambda}, dropout {dropout}, popularity {popularity}, dislike {dislike}")
    }

    fn bytes(&self) -> usize {
        size_of_val(self.weights.as_slice()) + size_of_val(self.log_popularity.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, two_tastes};
    use nalgebra::DVector;

    /// The regression of item `target` on all others, each with its own penalty, in f64 and without
    /// Steck's identity.
    fn direct(likes: &Likes, target: usize, lambda: f64, dropout: f64) -> DVector<f64> {
        let (users, items) = (likes.by_user.len(), likes.by_item.len());
        let x = DMatrix::from_fn(users, items, |user, item| {
            f64::from(u8::from(likes.by_user[user].contains(&(item as u32))))
        });
        let others = x.clone().remove_column(target);
        let mut gram = others.transpose() * &others;
        for other in 0..items - 1 {
            gram[(other, other)] += lambda + dropout / (1.0 - dropout) * gram[(other, other)];
        }
        let right = others.transpose() * x.column(target);
        gram.cholesky().expect("positive definite").solve(&right).insert_row(target, 0.0)
    }

    #[test]
    fn each_item_is_regressed_on_all_others() {
        let likes = Likes::of(&two_tastes());
        for dropout in [0.0, 0.5] {
            let weights = regression(&likes, 10.0, dropout as f32).expect("positive definite");
            for target in 0..likes.by_item.len() {
                let expected = direct(&likes, target, 10.0, dropout);
                let found = weights.row(target).transpose().cast::<f64>();
                assert!((found - expected).amax() < 1e-5, "item {target}, dropout {dropout}");
            }
        }
    }

    #[test]
    fn a_support_adds_up() {
        let set = two_tastes();
        let ease = Ease::grid(&set, Objective::Ease).next().expect("a grid");
        let of = |support: &[Interaction]| scores_of(&ease, &set, support);
        let (first, second, both) = (of(&[rated(0, 5)]), of(&[rated(3, 4)]), of(&[rated(0, 5), rated(3, 4)]));
        for item in 0..set.catalogue.len() {
            assert!((first[item] + second[item] - both[item]).abs() < 1e-6);
        }
    }
}
