//! The few-shot ridge of long-tailed data and of catalogues of any size: each item is regressed on its nearest items
//! alone.

use super::dense::{self, COLUMNS};
use super::ridge::{BySize, FEW, Moments, RidgeConfig, inputs_of_users};
use super::{Baseline, add_scaled, transpose};
use crate::data::{Interaction, Levels, TaskSet};
use crate::learner::Teacher;
use crate::metrics::Scorer;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::cmp::Ordering;

/// Scores an item by the least-squares prediction of whether a user with this support likes it, as
/// [`Ridge`](super::Ridge) does, with likes as the only inputs and few of them for an item.
///
/// In a support of one or two, each like predicts as if it were the only one. In a larger one, an item is predicted from
/// its hundred best single predictors, by one regression for supports of up to five and one for the rest: SLIM on
/// selected features (Ning and Karypis 2011), in closed form and for small supports. The other likes count for a fifth of
/// what they say alone: an item that many like has more good predictors than these. Alone, a like speaks of the hundred
/// items of which it says most.
///
/// On long tails it is as good as the full ridge or better, where most weights are noise; and it can be had for
/// catalogues of any size.
///
/// The same bits whatever the number of threads. With n items, m = 100 predictors and users of l likes, it takes
/// 40 m n bytes to serve and about half as much again to fit, and O(l^2) time a user and O(m^3 + likes of the m) an item.
pub struct NearRidge {
    fits: BySize<Fit>,
    config: RidgeConfig,
    levels: Levels,
}

/// One of the regressions.
struct Fit {
    intercept: Vec<f32>,
    /// Per input, ascending: the items that a like of it adds to, and how much.
    weights: Vec<Sparse>,
}

/// Inputs of each regression, at most. 50 cost .007 of NDCG@10 on 40,000 items; 200 gained .002 there at twice the
/// time, and cost as much on 8,700 items.
const NEAREST: usize = 100;
const _: () = assert!(NEAREST <= u128::BITS as usize); // [`Memory`] has a bit for each

/// Share of what a like says alone that counts for an item which has it not among its nearest inputs. On two sets with
/// long tails, 0 cost .006 and .001 of NDCG@10 in the mean over k, .5 cost .008 and .001.
const BEYOND: f32 = 0.2;

/// How an input is penalised where the nearest are chosen, whatever the configuration: their systems then differ by the
/// diagonal alone. .3 cost .002 of NDCG@10 on ratings of books, and no other set of seven told the two apart.
const SELECTING: RidgeConfig = RidgeConfig { penalty: 1.0, frequency: 0.0 };

/// The support sizes that each regression is averaged over. One over all five for the larger supports lost .003 to .018
/// of NDCG@10 at k = 20 on five sets, at the best penalty for each; at one too low for long tails it was better than two.
const SIZES: &[&[usize]] = &[FEW, &[5], &[10, 20]];

/// From scores to logits; of 8, 16 and 32 the choice of validation cross-entropy on three long-tailed sets.
const LOGIT_SCALE: f32 = 16.0;

impl NearRidge {
    /// The regressions on the tasks of `set`; `None` if no user has four likes.
    pub fn fit(set: &TaskSet, config: RidgeConfig) -> Option<Self> {
        Self::fit_each(set, &[config]).pop()
    }

    /// With each of `configs`, all held at once, in far less time than one after another; none if no user has four likes.
    fn fit_each(set: &TaskSet, configs: &[RidgeConfig]) -> Vec<Self> {
        let users = inputs_of_users(set, false);
        if users.is_empty() {
            return Vec::new();
        }
        let items = set.catalogue.len();
        let fits = BySize::of(SIZES, |sizes| {
            let expected = Expected::over(&users, items, sizes);
            Some(if sizes == FEW { expected.alone_all(configs) } else { expected.regress_all(configs) })
        });
        let fits = fits.map_or_else(Vec::new, BySize::split);
        let with = |(&config, fits)| Self { fits, config, levels: set.levels.clone() };
        configs.iter().zip(fits).map(with).collect()
    }

    /// With this penalty.
    pub(crate) fn penalised(set: &TaskSet, penalty: f32) -> Option<Self> {
        Self::fit(set, RidgeConfig { penalty, ..RidgeConfig::teacher(set) })
    }

    /// With each penalty; the first is the one to take where there is nobody to judge them. Niches want little of it
    /// (Debian's packages .1) and long tails of taste much (three of them 1): .003 to .008 of NDCG@10 against the first.
    pub(crate) fn grid(set: &TaskSet) -> Vec<Self> {
        let config = |penalty| RidgeConfig { penalty, ..RidgeConfig::teacher(set) };
        Self::fit_each(set, &[0.3, 1.0, 0.1].map(config))
    }

    pub(crate) fn penalty(&self) -> f32 {
        self.config.penalty
    }

    /// `(weights + weights') / 2 * right`
    fn symmetric_part_times(&self, right: &DMatrix<f32>) -> DMatrix<f32> {
        let weights = &self.fits.many().weights;
        let items = weights.len();
        let mut product = DMatrix::zeros(items, right.ncols());
        let parts = product.as_mut_slice().par_chunks_mut(items * COLUMNS);
        parts.zip(right.as_slice().par_chunks(items * COLUMNS)).for_each(|(product, right)| {
            let mut abreast = vec![[0.0; COLUMNS]; items]; // a weight is read once for all columns
            for (column, right) in right.chunks_exact(items).enumerate() {
                abreast.iter_mut().zip(right).for_each(|(abreast, &value)| abreast[column] = value);
            }
            let mut sums = vec![[0.0; COLUMNS]; items];
            for (input, weights) in weights.iter().enumerate() {
                let mut sum = [0.0; COLUMNS];
                for &(item, weight) in weights {
                    add_scaled(&mut sums[item as usize], 0.5 * weight, &abreast[input]);
                    add_scaled(&mut sum, weight, &abreast[item as usize]);
                }
                add_scaled(&mut sums[input], 0.5, &sum);
            }
            for (column, product) in product.chunks_exact_mut(items).enumerate() {
                product.iter_mut().zip(&sums).for_each(|(product, sum)| *product = sum[column]);
            }
        });
        product
    }
}

/// What [`Ridge`](super::Ridge) regresses by: moments over supports, summed over users.
struct Expected<'a> {
    users: &'a [Vec<u32>],
    moments: Vec<Moments>,
    of_item: Vec<Vec<u32>>,
    /// E x
    input: Vec<f32>,
    /// E y
    target: Vec<f32>,
    /// E x^2
    square: Vec<f32>,
}

/// The nearest inputs of an item, ascending, and their weights: a column for each configuration.
struct Regression {
    nearest: Vec<u32>,
    weights: DMatrix<f32>,
}

/// Items, ascending unless told otherwise, and a number of each.
type Sparse = Vec<(u32, f32)>;

/// What a thread works in. Between two items all is zero.
struct Memory {
    /// items: E x y of each with one
    products: Vec<f32>,
    /// users: which of the inputs each of them likes, a bit an input
    liked_inputs: Vec<u128>,
}

impl Memory {
    fn new(items: usize, users: usize) -> Self {
        Self { products: vec![0.0; items], liked_inputs: vec![0; users] }
    }
}

impl<'a> Expected<'a> {
    fn over(users: &'a [Vec<u32>], items: usize, sizes: &[usize]) -> Self {
        let moments: Vec<Moments> = users.iter().map(|likes| Moments::of(likes.len(), sizes)).collect();
        let of_item = transpose(users, items);
        let sum_over = |moment: fn(&Moments) -> f32| -> Vec<f32> {
            let sum = |users: &Vec<u32>| users.iter().map(|&user| moment(&moments[user as usize])).sum();
            of_item.iter().map(sum).collect()
        };
        let [input, target, square] = [sum_over(|m| m.input), sum_over(|m| m.target), sum_over(|m| m.square)];
        Self { users, moments, of_item, input, target, square }
    }

    /// The regression of each item on each like alone, for each of `configs`.
    fn alone_all(&self, configs: &[RidgeConfig]) -> Vec<Fit> {
        let alone = self.of_each(Self::alone);
        let fit = |config: &RidgeConfig| {
            let intercept = self.target.iter().map(|target| target / self.users.len() as f32).collect();
            let weights = alone.iter().enumerate().map(|(input, alone)| {
                let variance = self.variance(input, config);
                alone.iter().map(|&(item, covariance)| (item, covariance / variance)).collect()
            });
            Fit { intercept, weights: weights.collect() }
        };
        configs.iter().map(fit).collect()
    }

    /// The regression of each item on its nearest, and [`BEYOND`] of what the other likes say alone, for each of
    /// `configs`.
    fn regress_all(&self, configs: &[RidgeConfig]) -> Vec<Fit> {
        let regressions = self.of_each(|expected, item, memory| expected.regress(item, configs, memory));
        let alone = self.of_each(Self::alone);
        let fit = |(which, config): (usize, &RidgeConfig)| {
            let mut weights = vec![Vec::new(); self.of_item.len()];
            for (item, regression) in (0..).zip(&regressions) {
                for (&input, &weight) in regression.nearest.iter().zip(&regression.weights.column(which)) {
                    weights[input as usize].push((item, weight));
                }
            }
            for (input, (weights, alone)) in weights.iter_mut().zip(&alone).enumerate() {
                let (near, variance) = (weights.len(), self.variance(input, config));
                for &(item, covariance) in alone {
                    if weights[..near].binary_search_by_key(&item, |near| near.0).is_err() {
                        weights.push((item, BEYOND * covariance / variance));
                    }
                }
                weights.shrink_to_fit();
                weights.sort_unstable_by_key(|weight| weight.0);
            }
            self.fit_with(weights)
        };
        configs.iter().enumerate().map(fit).collect()
    }

    /// With the intercepts that make the predictions right in the mean.
    fn fit_with(&self, weights: Vec<Sparse>) -> Fit {
        let mut intercept = self.target.clone();
        for (input, weights) in self.input.iter().zip(&weights) {
            for &(item, weight) in weights {
                intercept[item as usize] -= weight * input;
            }
        }
        intercept.iter_mut().for_each(|sum| *sum /= self.users.len() as f32);
        Fit { intercept, weights }
    }

    fn of_each<T: Send>(&self, compute: impl Fn(&Self, usize, &mut Memory) -> T + Sync) -> Vec<T> {
        let items = self.of_item.len();
        let memory = || Memory::new(items, self.users.len());
        (0..items).into_par_iter().map_init(memory, |memory, item| compute(self, item, memory)).collect()
    }

    /// With `x` the nearest inputs and `y` the target, both less their means:
    /// `w = (E x x' + penalty)^-1 E x y`. An item without inputs, and one whose system rounding left indefinite, is
    /// predicted by its mean.
    fn regress(&self, item: usize, configs: &[RidgeConfig], memory: &mut Memory) -> Regression {
        let nearest = self.nearest(item, memory);
        let right = DVector::from_iterator(nearest.len(), nearest.iter().map(|&(_, covariance)| covariance));
        let nearest: Vec<u32> = nearest.into_iter().map(|(input, _)| input).collect();
        let covariances = self.covariances(&nearest, memory);
        let mut weights = DMatrix::zeros(nearest.len(), configs.len());
        for (config, mut weights) in configs.iter().zip(weights.column_iter_mut()) {
            let mut penalised = covariances.clone();
            for (at, &input) in nearest.iter().enumerate() {
                penalised[(at, at)] = self.variance(input as usize, config);
            }
            if let Some(factor) = penalised.cholesky() {
                weights.copy_from(&factor.solve(&right));
            }
        }
        Regression { nearest, weights }
    }

    /// `E x^2` of an input and the penalty on it, less the mean.
    fn variance(&self, input: usize, config: &RidgeConfig) -> f32 {
        let [mean, square] = [&self.input, &self.square].map(|moment| moment[input]);
        let penalised = square + config.penalty * (1.0 + config.frequency * square);
        penalised - mean * mean / self.users.len() as f32
    }

    /// The items of which a like of `input` says most where it is the only predictor, and `E x y` less the means, which
    /// is positive: over the variance of the input, it is the weight.
    fn alone(&self, input: usize, memory: &mut Memory) -> Sparse {
        let mean = self.input[input] / self.users.len() as f32;
        let mut covariances = self.products(input, memory);
        for (item, covariance) in &mut covariances {
            *covariance -= mean * self.target[*item as usize];
        }
        covariances.retain(|&(_, covariance)| covariance > 0.0);
        keep_first(&mut covariances, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        covariances
    }

    /// `E x y` of an item with each other that somebody likes together with it; in no order.
    fn products(&self, item: usize, memory: &mut Memory) -> Sparse {
        let mut together = Vec::new();
        for &user in &self.of_item[item] {
            for &other in &self.users[user as usize] {
                let sum = &mut memory.products[other as usize];
                if *sum == 0.0 && other as usize != item {
                    together.push(other);
                }
                *sum += self.moments[user as usize].input_target;
            }
        }
        memory.products[item] = 0.0;
        together
            .into_iter()
            .map(|other| (other, std::mem::take(&mut memory.products[other as usize])))
            .collect()
    }

    /// The inputs that explain most of the target when each of them is taken alone, and their covariance with it, which
    /// is positive; ties to the more popular.
    fn nearest(&self, item: usize, memory: &mut Memory) -> Sparse {
        let count = self.users.len() as f32;
        let mut nearest = self.products(item, memory);
        for (input, covariance) in &mut nearest {
            *covariance -= self.input[*input as usize] * self.target[item] / count;
        }
        nearest.retain(|&(_, covariance)| covariance > 0.0);
        let explained = |&(input, covariance): &(u32, f32)| {
            covariance * covariance / self.variance(input as usize, &SELECTING)
        };
        keep_first(&mut nearest, |a, b| explained(b).total_cmp(&explained(a)).then(a.0.cmp(&b.0)));
        nearest
    }

    /// Lower triangle of the covariances of `inputs`, its diagonal apart.
    fn covariances(&self, inputs: &[u32], memory: &mut Memory) -> DMatrix<f32> {
        let count = self.users.len() as f32;
        let users_of = |&input: &u32| self.of_item[input as usize].iter().map(|&user| user as usize);
        let mut covariances = DMatrix::zeros(inputs.len(), inputs.len());
        for (row, input) in inputs.iter().enumerate() {
            for user in users_of(input) {
                let liked = &mut memory.liked_inputs[user];
                for column in ones(*liked) {
                    covariances[(row, column)] += self.moments[user].pair;
                }
                *liked |= 1 << row;
            }
        }
        for user in inputs.iter().flat_map(users_of) {
            memory.liked_inputs[user] = 0;
        }
        for (column, &of_column) in inputs.iter().enumerate() {
            for (row, &of_row) in inputs.iter().enumerate().skip(column + 1) {
                let means = self.input[of_row as usize] * self.input[of_column as usize];
                covariances[(row, column)] -= means / count;
            }
        }
        covariances
    }
}

/// Which bits are one, ascending.
fn ones(mut bits: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        first
    })
}

/// Keeps the [`NEAREST`] that come first in `order`, and no memory for more; ascending.
fn keep_first(items: &mut Sparse, order: impl FnMut(&(u32, f32), &(u32, f32)) -> Ordering) {
    if items.len() > NEAREST {
        items.select_nth_unstable_by(NEAREST, order);
        items.truncate(NEAREST);
    }
    items.shrink_to_fit();
    items.sort_unstable_by_key(|item| item.0);
}

impl Teacher for NearRidge {
    fn logits(&self, support: &[Interaction], out: &mut [f32]) {
        self.score(support, &[], out);
        out.iter_mut().for_each(|logit| *logit *= LOGIT_SCALE);
    }

    /// As those of the [`Ridge`](super::Ridge), of the regression on the largest supports.
    fn directions(&self, dim: usize, seed: u64) -> Option<DMatrix<f32>> {
        dense::directions(|right| self.symmetric_part_times(right), self.fits.many().weights.len(), dim, seed)
    }
}

impl Scorer for NearRidge {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let fit = self.fits.suited(support);
        scores.copy_from_slice(&fit.intercept);
        let liked = || support.iter().filter(|interaction| self.levels.liked(interaction.level));
        let share = (liked().count() as f32).sqrt().recip();
        for like in liked() {
            for &(item, weight) in &fit.weights[like.item as usize] {
                scores[item as usize] += share * weight;
            }
        }
    }
}

impl Baseline for NearRidge {
    fn choice(&self) -> String {
        let RidgeConfig { penalty, frequency } = self.config;
        format!("penalty {penalty}, frequency {frequency}")
    }

    fn bytes(&self) -> usize {
        let of_fit = |fit: &Fit| {
            let weights: usize = fit.weights.iter().map(Vec::len).sum();
            weights * size_of::<(u32, f32)>() + size_of_val(fit.intercept.as_slice())
        };
        self.fits.iter().map(of_fit).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of, two_tastes};
    use crate::metrics::SHOTS;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::collections::BTreeSet;

    const CONFIG: RidgeConfig = RidgeConfig { penalty: 0.3, frequency: 0.2 };
    const OTHER: RidgeConfig = RidgeConfig { penalty: 1.0, frequency: 0.0 };

    /// E x x' and the penalty, and E x y, both less the means, from their definitions and in f64.
    fn moments(users: &[Vec<u32>], items: usize, sizes: &[usize]) -> (DMatrix<f64>, DMatrix<f64>) {
        let count = users.len() as f64;
        let (mut inputs, mut targets) =
            (DMatrix::<f64>::zeros(items, items), DMatrix::<f64>::zeros(items, items));
        let (mut mean_input, mut mean_target) = (DVector::<f64>::zeros(items), DVector::<f64>::zeros(items));
        for likes in users {
            let of_user = Moments::of(likes.len(), sizes);
            for &i in likes {
                let i = i as usize;
                mean_input[i] += f64::from(of_user.input);
                mean_target[i] += f64::from(of_user.target);
                inputs[(i, i)] += f64::from(of_user.square);
                for j in likes.iter().map(|&j| j as usize).filter(|&j| j != i) {
                    inputs[(i, j)] += f64::from(of_user.pair);
                    targets[(i, j)] += f64::from(of_user.input_target);
                }
            }
        }
        for i in 0..items {
            inputs[(i, i)] +=
                f64::from(CONFIG.penalty) * (1.0 + f64::from(CONFIG.frequency) * inputs[(i, i)]);
        }
        inputs -= &mean_input * mean_input.transpose() / count;
        targets -= &mean_input * mean_target.transpose() / count;
        (inputs, targets)
    }

    /// Users with more items than an item has inputs, and the number of items.
    fn many_tastes() -> (Vec<Vec<u32>>, usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut likes_of = |_| -> Vec<(u32, u8)> {
            (0..3 * NEAREST as u32)
                .filter(|item| rng.random_ratio(1 + item % 4, 10))
                .map(|item| (item, 5))
                .collect()
        };
        let users: Vec<_> = (0..200).map(&mut likes_of).collect();
        let set = set_of(&users.iter().map(Vec::as_slice).collect::<Vec<_>>());
        (inputs_of_users(&set, false), set.catalogue.len())
    }

    #[test]
    fn each_item_is_regressed_on_its_nearest() {
        let set = two_tastes();
        let items = set.catalogue.len();
        let users = inputs_of_users(&set, false);
        let (inputs, targets) = moments(&users, items, &SHOTS);
        let expected = Expected::over(&users, items, &SHOTS);
        let mut memory = Memory::new(items, users.len());
        for item in 0..items {
            let found = expected.regress(item, &[OTHER, CONFIG], &mut memory);
            let chosen: Vec<usize> = found.nearest.iter().map(|&input| input as usize).collect();
            let positive = |&input: &usize| targets[(input, item)] > 1e-6;
            assert_eq!(
                chosen.iter().copied().collect::<BTreeSet<_>>(),
                (0..items).filter(positive).collect::<BTreeSet<_>>()
            );
            let gram = inputs.select_rows(&chosen).select_columns(&chosen);
            let right = targets.column(item).select_rows(&chosen);
            let weights = gram.cholesky().expect("positive definite").solve(&right);
            for (&found, expected) in found.weights.column(1).iter().zip(&weights) {
                assert!((f64::from(found) - expected).abs() < 1e-4, "{found} {expected}");
            }
        }
    }

    #[test]
    fn the_nearest_are_the_best_single_predictors() {
        let (users, items) = many_tastes();
        let (_, targets) = moments(&users, items, &SHOTS);
        let expected = Expected::over(&users, items, &SHOTS);
        let nearest = expected.nearest(5, &mut Memory::new(items, users.len()));
        let explained =
            |input: usize| targets[(input, 5)].powi(2) / f64::from(expected.variance(input, &SELECTING));
        let chosen: BTreeSet<usize> = nearest.iter().map(|&(input, _)| input as usize).collect();
        let worst = chosen.iter().map(|&input| explained(input)).fold(f64::INFINITY, f64::min);
        let others = (0..items).filter(|input| targets[(*input, 5)] > 0.0 && !chosen.contains(input));
        assert_eq!(chosen.len(), NEAREST);
        assert!(others.clone().count() > 0);
        assert!(others.into_iter().all(|other| explained(other) < worst * (1.0 + 1e-4)));
    }

    #[test]
    fn a_like_alone_adds_what_the_regression_on_it_alone_says() {
        let set = two_tastes();
        let items = set.catalogue.len();
        let users = inputs_of_users(&set, false);
        let (inputs, targets) = moments(&users, items, FEW);
        let fit = &Expected::over(&users, items, FEW).alone_all(&[OTHER, CONFIG])[1];
        for (input, weights) in fit.weights.iter().enumerate() {
            let alone = |item: usize| targets[(input, item)] / inputs[(input, input)];
            let positive = (0..items as u32).filter(|&item| alone(item as usize) > 1e-6);
            assert_eq!(
                weights.iter().map(|weight| weight.0).collect::<Vec<_>>(),
                positive.collect::<Vec<_>>()
            );
            assert!(
                weights.iter().all(|&(item, found)| (f64::from(found) - alone(item as usize)).abs() < 1e-5)
            );
        }
    }

    #[test]
    fn a_like_alone_speaks_of_the_items_of_which_it_says_most() {
        let (users, items) = many_tastes();
        let (_, targets) = moments(&users, items, &SHOTS);
        let expected = Expected::over(&users, items, &SHOTS);
        let positive = |input: &usize| (0..items).filter(|&item| targets[(*input, item)] > 1e-3).count();
        let input = (0..items).find(|input| positive(input) > NEAREST).expect("a like of much");
        let chosen = expected.alone(input, &mut Memory::new(items, users.len()));
        let covariance = |item: usize| targets[(input, item)];
        let least = chosen.iter().map(|weight| covariance(weight.0 as usize)).fold(f64::INFINITY, f64::min);
        let left_out = |item: &usize| chosen.iter().all(|weight| weight.0 as usize != *item);
        assert_eq!(chosen.len(), NEAREST);
        assert!((0..items).filter(left_out).all(|item| covariance(item) < least + 1e-4));
    }

    #[test]
    fn a_like_that_is_not_among_the_nearest_counts_for_a_fifth_of_what_it_says_alone() {
        let (users, items) = many_tastes();
        let expected = Expected::over(&users, items, &SHOTS);
        let fit = &expected.regress_all(&[OTHER, CONFIG])[1];
        let near = expected.of_each(|expected, item, memory| expected.regress(item, &[CONFIG], memory));
        let alone = expected.of_each(Expected::alone);
        let mut beyond = 0;
        for (input, weights) in fit.weights.iter().enumerate() {
            for &(item, weight) in weights {
                let Regression { nearest, weights } = &near[item as usize];
                let near = nearest.iter().position(|&near| near as usize == input).map(|at| weights[at]);
                beyond += usize::from(near.is_none());
                let alone = alone[input].iter().find(|alone| alone.0 == item);
                let alone = alone.map(|alone| BEYOND * alone.1 / expected.variance(input, &CONFIG));
                assert_eq!(Some(weight), near.or(alone));
            }
        }
        assert!(beyond > 0);
    }

    #[test]
    fn the_regression_is_right_in_the_mean() {
        let (users, items) = many_tastes();
        let expected = Expected::over(&users, items, &SHOTS);
        let fit = &expected.regress_all(&[CONFIG])[0];
        for (item, (intercept, target)) in (0..).zip(fit.intercept.iter().zip(&expected.target)) {
            let of_item = |weights: &Sparse| weights.iter().find(|w| w.0 == item).map_or(0.0, |w| w.1);
            let predicted: f32 = expected
                .input
                .iter()
                .zip(&fit.weights)
                .map(|(input, weights)| input * of_item(weights))
                .sum();
            let count = users.len() as f32;
            assert!((count * intercept + predicted - target).abs() < 1e-3 * count);
        }
    }

    #[test]
    fn directions_give_back_the_symmetric_part_where_it_is_positive() {
        let set = two_tastes();
        let ridge = NearRidge::fit(&set, CONFIG).expect("a fit");
        let symmetric = ridge.symmetric_part_times(&DMatrix::identity(20, 20));
        assert_eq!(symmetric, symmetric.transpose());
        let rows = ridge.directions(24, 1).expect("finite weights"); // more than there are
        let eigen = symmetric.clone().symmetric_eigen();
        let positive = &eigen.eigenvectors
            * DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.max(0.0).powi(2)))
            * eigen.eigenvectors.transpose();
        assert!((rows.tr_mul(&rows) - positive).amax() < 1e-4 * symmetric.amax());
    }

    #[test]
    fn likes_share_what_they_add_and_logits_are_sixteen_times_the_prediction() {
        let set = two_tastes();
        let ridge = NearRidge::fit(&set, CONFIG).expect("a fit");
        let support = [0, 1, 2, 3, 4, 5].map(|item| rated(item, if item < 2 { 5 } else { 1 }));
        let fits: Vec<&Fit> = ridge.fits.iter().collect();
        for (size, fit) in [(1, fits[0]), (2, fits[0]), (3, fits[1]), (5, fits[1]), (6, fits[2])] {
            let scores = scores_of(&ridge, &set, &support[..size]);
            let mut logits = scores.clone();
            ridge.logits(&support[..size], &mut logits);
            let likes = size.min(2);
            for (item, score) in scores.iter().enumerate() {
                let of_item = |weights: &Vec<(u32, f32)>| {
                    weights.iter().find(|weight| weight.0 as usize == item).map_or(0.0, |weight| weight.1)
                };
                let sum: f32 = fit.weights[..likes].iter().map(of_item).sum();
                assert!((score - fit.intercept[item] - sum / (likes as f32).sqrt()).abs() < 1e-6);
                assert_eq!(logits[item], 16.0 * score);
            }
        }
        assert_eq!(scores_of(&ridge, &set, &[rated(2, 1)]), fits[0].intercept);
    }

    #[test]
    fn nobody_with_four_likes_is_nothing_to_learn_from() {
        assert!(NearRidge::fit(&set_of(&[&[(0, 5), (1, 5), (2, 5)]]), CONFIG).is_none());
    }

    #[test]
    fn the_weights_do_not_depend_on_the_number_of_threads() {
        let set = two_tastes();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let fit = || NearRidge::fit(&set, CONFIG).expect("a fit").fits;
            pool.install(fit).iter().map(|fit| fit.weights.clone()).collect::<Vec<_>>()
        };
        assert_eq!(with_threads(1), with_threads(2));
    }
}
