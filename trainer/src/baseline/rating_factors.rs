//! Factor analysis of ratings with missing values (Tipping and Bishop 1999; Ilin and Raiko 2010), the loadings
//! drawn to what the items' features say (Agarwal and Chen 2009).

use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;

use super::content::FeatureRidge;
use super::{Baseline, mean_rating};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;

/// Variance of how generous users are.
pub(crate) const GENEROSITY: f32 = 0.15;

/// Ratings that the features' word on an item's mean counts for.
const MEAN_PULL: f32 = 5.0;

/// Pull of a feature's part towards zero, in items.
const FEATURE_PULL: f32 = 8.0;

/// Ratings with which an item's loadings weigh half as much as they can for those of its features.
const HALF_WEIGHT: f32 = 3.0;

/// Deviation of the random start.
const START: f32 = 0.1;

/// A model of ratings: `mean_i + generosity_u + loading_i . taste_u + noise`.
///
/// Generosity and taste (standard normal) have a posterior for each user; means and loadings are point estimates,
/// pulled to a linear function of the item's features. Fitted by expectation maximisation. All numbers are in
/// [stars](Levels::stars).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatingFactors {
    /// Length of a loading.
    pub dim: usize,
    /// Variance of the noise; positive.
    pub noise: f32,
    /// Variance of a loading's coordinates around what the features say; positive.
    pub spread: f32,
    /// How often users and items are solved in turn.
    pub sweeps: usize,
    /// Seed of the random start.
    pub seed: u64,
}

impl Default for RatingFactors {
    /// What is best on MovieLens 100K; without the users' covariances it is no better than item means.
    fn default() -> Self {
        Self { dim: 8, noise: 1.0, spread: 0.02, sweeps: 15, seed: 0 }
    }
}

/// A fitted [`RatingFactors`].
pub struct Factors {
    config: RatingFactors,
    /// Mean rating of all.
    pub mean: f32,
    /// Mean rating of each item, shrunk.
    pub means: Vec<f32>,
    /// dim x items.
    pub loadings: DMatrix<f32>,
    levels: Levels,
}

/// A user's generosity, then the taste: mean and covariance.
struct Posterior {
    mean: DVector<f32>,
    covariance: DMatrix<f32>,
}

impl RatingFactors {
    /// Fits the ratings of `set`.
    ///
    /// The same bits for the same set and seed, whatever the number of threads. A sweep costs
    /// O(ratings dim^2 + (users + items) dim^3).
    pub fn fit(&self, set: &TaskSet) -> Factors {
        let ratings = by_item(set);
        let mut factors = self.start(set);
        for _ in 0..self.sweeps {
            let users: Vec<Posterior> =
                set.tasks.par_iter().map(|task| factors.posterior(&task.interactions)).collect();
            let prior = factors.prior(set, &ratings);
            let solved: Vec<DVector<f32>> = ratings
                .par_iter()
                .zip(prior.par_chunks_exact(1 + self.dim))
                .map(|(ratings, prior)| self.solve_item(ratings, &users, prior))
                .collect();
            for (item, solved) in solved.iter().enumerate() {
                factors.means[item] = solved[0];
                factors.loadings.column_mut(item).copy_from(&solved.rows(1, self.dim));
            }
        }
        factors
    }

    pub(super) fn grid(set: &TaskSet, seed: u64) -> impl Iterator<Item = Factors> + '_ {
        let points = [(4, 0.8, 0.05), (8, 0.8, 0.05), (8, 1.0, 0.02), (16, 1.0, 0.02)];
        points.into_iter().map(move |(dim, noise, spread)| {
            RatingFactors { dim, noise, spread, seed, ..RatingFactors::default() }.fit(set)
        })
    }

    fn start(&self, set: &TaskSet) -> Factors {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let normal = Normal::new(0.0, START).expect("the deviation is positive");
        let mean = mean_rating(set);
        Factors {
            config: *self,
            mean,
            means: vec![mean; set.catalogue.len()],
            loadings: DMatrix::from_fn(self.dim, set.catalogue.len(), |_, _| normal.sample(&mut rng)),
            levels: set.levels.clone(),
        }
    }

    /// Mean and loading that explain the (user, rating) pairs best, given `prior`, the same by the features.
    fn solve_item(&self, ratings: &[(u32, f32)], users: &[Posterior], prior: &[f32]) -> DVector<f32> {
        let size = 1 + self.dim;
        let mut pull = DVector::repeat(size, self.noise / self.spread);
        pull[0] = MEAN_PULL;
        let prior = DVector::from_column_slice(prior);
        let mut gram = DMatrix::from_diagonal(&pull);
        let mut right = prior.component_mul(&pull);
        for &(user, rating) in ratings {
            let Posterior { mean, covariance } = &users[user as usize];
            let mut inputs = mean.clone();
            inputs[0] = 1.0;
            gram.ger(1.0, &inputs, &inputs, 1.0);
            right.axpy(rating - mean[0], &inputs, 1.0);
            for axis in 1..size {
                gram.column_mut(axis).rows_mut(1, self.dim).axpy(
                    1.0,
                    &covariance.column(axis).rows(1, self.dim),
                    1.0,
                );
                right[axis] -= covariance[(axis, 0)];
            }
        }
        gram.cholesky().map_or(prior, |factor| factor.solve(&right))
    }
}

/// The (user, rating) pairs of each item.
fn by_item(set: &TaskSet) -> Vec<Vec<(u32, f32)>> {
    let mut ratings = vec![Vec::new(); set.catalogue.len()];
    for (user, task) in (0..).zip(&set.tasks) {
        for interaction in &task.interactions {
            ratings[interaction.item as usize].push((user, set.levels.stars(interaction.level)));
        }
    }
    ratings
}

impl Factors {
    /// What is known of a user with these ratings.
    fn posterior(&self, support: &[Interaction]) -> Posterior {
        let size = 1 + self.config.dim;
        let mut precision = DMatrix::identity(size, size);
        precision[(0, 0)] = GENEROSITY.recip();
        let mut pulled = DVector::zeros(size);
        let weight = self.config.noise.recip();
        for interaction in support {
            let item = interaction.item as usize;
            let mut inputs = DVector::repeat(size, 1.0);
            inputs.rows_mut(1, self.config.dim).copy_from(&self.loadings.column(item));
            precision.ger(weight, &inputs, &inputs, 1.0);
            let rating = self.levels.stars(interaction.level);
            pulled.axpy(weight * (rating - self.means[item]), &inputs, 1.0);
        }
        // Positive definite but for values that are not finite.
        let covariance =
            precision.cholesky().map_or_else(|| DMatrix::zeros(size, size), |factor| factor.inverse());
        Posterior { mean: &covariance * pulled, covariance }
    }

    /// Mean and loading of each item by its features, items x (1 + dim).
    fn prior(&self, set: &TaskSet, ratings: &[Vec<(u32, f32)>]) -> Vec<f32> {
        let rows = self.means.iter().zip(self.loadings.column_iter());
        let targets: Vec<f32> = rows
            .flat_map(|(&mean, loading)| {
                std::iter::once(mean).chain(loading.iter().copied()).collect::<Vec<_>>()
            })
            .collect();
        let weight = |ratings: &Vec<_>| ratings.len() as f32 / (ratings.len() as f32 + HALF_WEIGHT);
        let weights: Vec<f32> = ratings.iter().map(weight).collect();
        let features = &set.catalogue.features;
        let ridge = FeatureRidge::fit(features, &targets, &weights, FEATURE_PULL);
        features.of.iter().flat_map(|of_item| ridge.predict(of_item)).collect()
    }
}

impl Scorer for Factors {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let user = self.posterior(support).mean;
        let taste = user.rows(1, self.config.dim);
        for ((score, mean), loading) in scores.iter_mut().zip(&self.means).zip(self.loadings.column_iter()) {
            *score = mean + loading.dot(&taste);
        }
    }
}

impl Baseline for Factors {
    fn choice(&self) -> String {
        let RatingFactors { dim, noise, spread, .. } = self.config;
        format!("dim {dim}, noise {noise}, spread {spread}")
    }

    fn bytes(&self) -> usize {
        size_of_val(self.means.as_slice()) + size_of_val(self.loadings.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of, two_tastes};

    const MODEL: RatingFactors = RatingFactors { dim: 3, noise: 0.8, spread: 0.3, sweeps: 10, seed: 1 };

    #[test]
    fn without_ratings_a_user_gets_the_means() {
        let set = two_tastes();
        let factors = MODEL.fit(&set);
        assert_eq!(scores_of(&factors, &set, &[]), factors.means);
    }

    #[test]
    fn a_taste_is_known_by_two_ratings() {
        let set = two_tastes();
        let factors = MODEL.fit(&set);
        let scores = scores_of(&factors, &set, &[rated(0, 5), rated(1, 2)]);
        let is_even = |row: usize| set.catalogue.items[row].is_multiple_of(2);
        let mean_of = |even| {
            let rows = (0..20).filter(|&row| is_even(row) == even);
            rows.map(|row| scores[row]).sum::<f32>() / 10.0
        };
        assert!(mean_of(is_even(0)) > mean_of(is_even(1)) + 1.0, "{scores:?}");
    }

    #[test]
    fn the_posterior_solves_the_normal_equations() {
        let factors = MODEL.fit(&two_tastes());
        let support = [rated(3, 5), rated(4, 1), rated(7, 4)];
        let user = factors.posterior(&support).mean;
        let mut slope = user.clone();
        slope[0] /= GENEROSITY;
        for interaction in &support {
            let loading = factors.loadings.column(interaction.item as usize);
            let said = factors.means[interaction.item as usize] + user[0] + loading.dot(&user.rows(1, 3));
            let missed = (said - factors.levels.stars(interaction.level)) / MODEL.noise;
            slope[0] += missed;
            slope.rows_mut(1, 3).axpy(missed, &loading, 1.0);
        }
        assert!(slope.amax() < 1e-4, "{slope}");
    }

    #[test]
    fn few_ratings_are_drawn_to_what_the_features_say() {
        let mut set = set_of(&[
            &[(0, 5), (1, 5), (2, 1), (3, 1)],
            &[(0, 5), (1, 4), (2, 2), (3, 1), (4, 3)],
            &[(0, 4), (1, 5), (2, 1), (3, 2), (5, 3)],
        ]);
        let mean_of_rare = |set: &TaskSet| MODEL.fit(set).means[4] - MODEL.fit(set).means[5];
        assert!(mean_of_rare(&set).abs() < 0.1);
        set.catalogue.features.names = vec!["good".into(), "bad".into()];
        set.catalogue.features.of = [0, 0, 1, 1, 0, 1].map(|feature| vec![feature]).to_vec();
        assert!(mean_of_rare(&set) > 0.1);
    }

    #[test]
    fn the_factors_do_not_depend_on_the_number_of_threads() {
        let set = two_tastes();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let factors = pool.install(|| MODEL.fit(&set));
            (factors.means, factors.loadings)
        };
        assert_eq!(with_threads(1), with_threads(2));
    }
}
