//! Implicit alternating least squares with frequency-scaled regularisation (Hu, Koren and Volinsky
//! 2008; Rendle, Krichene, Zhang and Koren 2022, "Revisiting the performance of iALS").

use super::{Baseline, Likes, dense};
use crate::data::{Interaction, Levels, TaskSet};
use crate::metrics::Scorer;
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;
use std::sync::Arc;

/// A matrix factorisation of the likes.
///
/// Minimises, over user factors `w` and item factors `h`,
///
/// ```text
/// sum over likes (w_u . h_i - 1)^2 + unobserved * sum over all pairs (w_u . h_i)^2
///   + regularisation * sum_u (|I_u| + unobserved * items) |w_u|^2
///   + regularisation * sum_i (|U_i| + unobserved * users) |h_i|^2
/// ```
///
/// which is Rendle et al.'s objective with nu = 1. `regularisation` and `unobserved` must be positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ials {
    /// Length of a factor.
    pub dim: usize,
    /// Pull towards zero, per unit of weight that a user or an item has in the sum above.
    pub regularisation: f32,
    /// Weight of a pair without a like; that of a like is 1 more.
    pub unobserved: f32,
    /// How often both sides are solved.
    pub sweeps: usize,
    /// Seed of the random start.
    pub seed: u64,
}

impl Ials {
    /// Item factors, dim x items, one column an item.
    ///
    /// The same bits for the same set and seed, whatever the number of threads. A sweep costs
    /// O(l^2 d) for a row with l < d likes, O(l d^2 + d^3) otherwise.
    pub fn factorise(&self, set: &TaskSet) -> DMatrix<f32> {
        let likes = Likes::of(set);
        let mut items = self.start(set.catalogue.len());
        for _ in 0..self.sweeps {
            let users = self.solve_rows(&Axes::of(items), &likes.by_user);
            items = self.solve_rows(&Axes::of(users), &likes.by_item);
        }
        items
    }

    fn start(&self, items: usize) -> DMatrix<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let normal = Normal::new(0.0, 0.1 / (self.dim as f32).sqrt()).expect("the deviation is positive");
        DMatrix::from_fn(self.dim, items, |_, _| normal.sample(&mut rng))
    }

    /// The factors of one side given those of the other; `rows` holds the likes of each.
    fn solve_rows(&self, other: &Axes, rows: &[Vec<u32>]) -> DMatrix<f32> {
        let mut solved = DMatrix::zeros(self.dim, rows.len());
        solved.as_mut_slice().par_chunks_mut(self.dim).zip(rows).for_each(|(column, row)| {
            let targets = DVector::repeat(row.len(), 1.0);
            column.copy_from_slice(self.solve(other, row, &targets).as_slice());
        });
        solved
    }

    /// The factor of one row that was `observed` with `targets`: the exact minimiser given the other
    /// side. Zero if nothing was observed.
    fn solve(&self, other: &Axes, observed: &[u32], targets: &DVector<f32>) -> DVector<f32> {
        if observed.is_empty() {
            return DVector::zeros(self.dim);
        }
        let weight = observed.len() as f32 + self.unobserved * other.factors.ncols() as f32;
        other.ridge(observed, targets, self.unobserved, self.regularisation * weight)
    }
}

/// The factors of one side, turned to the principal axes of their Gram matrix. Dot products with the
/// other side do not change, and the part of the normal equations that all rows share is diagonal.
struct Axes {
    factors: DMatrix<f32>, // dim x rows
    gram: DVector<f32>,    // diagonal of factors * factors'
}

impl Axes {
    /// Factors that are not finite become zero.
    fn of(factors: DMatrix<f32>) -> Self {
        let (dim, rows) = factors.shape();
        match dense::eigen(&(&factors * factors.transpose())) {
            Some((values, vectors)) => Self {
                factors: vectors.transpose() * factors,
                gram: values.map(|value| value.max(0.0)), // rounding
            },
            None => Self { factors: DMatrix::zeros(dim, rows), gram: DVector::zeros(dim) },
        }
    }

    /// `w` that minimises `|H' w - targets|^2 + unobserved * w' Gram w + pull * |w|^2`, where the
    /// columns of `H` are the observed factors.
    ///
    /// With `D = unobserved * Gram + pull` and `S = D^(-1/2) H` this is
    /// `D^(-1/2) (I + S S')^-1 S targets = D^(-1/2) S (I + S' S)^-1 targets`: the smaller system is solved.
    fn ridge(&self, observed: &[u32], targets: &DVector<f32>, unobserved: f32, pull: f32) -> DVector<f32> {
        let scale = self.gram.map(|gram| (unobserved * gram + pull).sqrt().recip());
        let scaled = DMatrix::from_fn(scale.len(), observed.len(), |axis, row| {
            scale[axis] * self.factors[(axis, observed[row] as usize)]
        });
        let solved = if observed.len() < scale.len() {
            &scaled * solve_shifted(scaled.transpose() * &scaled, targets.clone())
        } else {
            solve_shifted(&scaled * scaled.transpose(), &scaled * targets)
        };
        solved.component_mul(&scale)
    }
}

/// `(I + gram)^-1 right`, or zero where `gram` is not finite.
fn solve_shifted(mut gram: DMatrix<f32>, mut right: DVector<f32>) -> DVector<f32> {
    for axis in 0..gram.nrows() {
        gram[(axis, axis)] += 1.0;
    }
    match gram.cholesky() {
        Some(factor) => factor.solve_mut(&mut right),
        None => right.fill(0.0),
    }
    right
}

/// Scores a new user by the exact user factor: the minimiser of the training objective given the item
/// factors, computed at request time.
///
/// A like is observed with target 1. A dislike is observed with target `dislike`, or passed over.
pub struct FoldIn {
    ials: Ials,
    items: Arc<Axes>,
    dislike: Option<f32>,
    levels: Levels,
}

impl FoldIn {
    pub(super) fn grid(set: &TaskSet, seed: u64) -> impl Iterator<Item = Self> + '_ {
        // The longer the tail of the data, the less the unobserved must weigh and the more dimensions help.
        // With weight 1 the optimum is narrow: .003 overfits a single like, .03 leaves only popularity.
        let points = [
            (32, 1.0, 0.01),
            (32, 1.0, 0.015),
            (64, 1.0, 0.01),
            (64, 1.0, 0.015),
            (64, 0.3, 0.01),
            (64, 0.3, 0.03),
            (128, 0.1, 0.003),
            (128, 0.1, 0.01),
            (128, 0.1, 0.03),
            (128, 0.03, 0.003),
            (128, 0.03, 0.01),
            (128, 0.03, 0.03),
        ];
        let ials = move |(dim, unobserved, regularisation)| Ials {
            dim,
            regularisation,
            unobserved,
            sweeps: 10,
            seed,
        };
        points.into_iter().map(ials).flat_map(|ials| {
            let items = Arc::new(Axes::of(ials.factorise(set)));
            [None, Some(0.0)].map(|dislike| Self {
                ials,
                items: items.clone(),
                dislike,
                levels: set.levels.clone(),
            })
        })
    }
}

impl FoldIn {
    /// The user factor.
    pub(super) fn user(&self, support: &[Interaction]) -> DVector<f32> {
        let target = |i: &Interaction| if self.levels.liked(i.level) { Some(1.0) } else { self.dislike };
        let (observed, targets): (Vec<u32>, Vec<f32>) =
            support.iter().filter_map(|i| Some((i.item, target(i)?))).unzip();
        self.ials.solve(&self.items, &observed, &targets.into())
    }

    /// The item factors, items x dim.
    pub(super) fn factors(&self) -> &[f32] {
        self.items.factors.as_slice()
    }
}

impl Scorer for FoldIn {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let user = self.user(support);
        for (score, item) in scores.iter_mut().zip(self.items.factors.column_iter()) {
            *score = item.dot(&user);
        }
    }
}

impl Baseline for FoldIn {
    fn choice(&self) -> String {
        let Ials { dim, regularisation, unobserved, .. } = self.ials;
        let dislike = self.dislike.map_or(String::new(), |target| format!(", dislike {target}"));
        format!("dim {dim}, regularisation {regularisation}, unobserved {unobserved}{dislike}")
    }

    fn bytes(&self) -> usize {
        size_of_val(self.items.factors.as_slice()) + size_of_val(self.items.gram.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, two_tastes};

    const IALS: Ials = Ials { dim: 6, regularisation: 0.01, unobserved: 0.3, sweeps: 4, seed: 5 };

    /// The objective in the words of its definition, in f64.
    fn objective(ials: &Ials, likes: &Likes, users: &DMatrix<f32>, items: &DMatrix<f32>) -> f64 {
        let (alpha, lambda) = (f64::from(ials.unobserved), f64::from(ials.regularisation));
        let scores = users.tr_mul(items).cast::<f64>();
        let missed = |(user, rows): (usize, &Vec<u32>)| {
            rows.iter().map(|&row| (scores[(user, row as usize)] - 1.0).powi(2)).sum::<f64>()
        };
        let pull = |factors: &DMatrix<f32>, likes: &[Vec<u32>], others: usize| {
            let weight = |row: usize| likes[row].len() as f64 + alpha * others as f64;
            factors
                .column_iter()
                .enumerate()
                .map(|(row, f)| weight(row) * f64::from(f.norm_squared()))
                .sum::<f64>()
        };
        likes.by_user.iter().enumerate().map(missed).sum::<f64>()
            + alpha * scores.norm_squared()
            + lambda * pull(users, &likes.by_user, items.ncols())
            + lambda * pull(items, &likes.by_item, users.ncols())
    }

    #[test]
    fn each_half_sweep_lowers_the_objective() {
        let set = two_tastes();
        let likes = Likes::of(&set);
        let mut items = IALS.start(set.catalogue.len());
        let mut last = f64::INFINITY;
        for _ in 0..6 {
            let axes = Axes::of(items);
            let users = IALS.solve_rows(&axes, &likes.by_user);
            let after_users = objective(&IALS, &likes, &users, &axes.factors);
            let axes = Axes::of(users);
            items = IALS.solve_rows(&axes, &likes.by_item);
            let after_items = objective(&IALS, &likes, &axes.factors, &items);
            assert!(after_users <= last && after_items <= after_users, "{last} {after_users} {after_items}");
            last = after_items;
        }
    }

    #[test]
    fn the_small_and_the_large_system_solve_the_same_normal_equations() {
        let axes = Axes::of(IALS.factorise(&two_tastes()));
        let (unobserved, pull) = (0.3, 0.2);
        for count in [1, 5, 6, 15] {
            let observed: Vec<u32> = (0..count).collect();
            let targets = DVector::from_fn(observed.len(), |row, _| if row % 3 == 2 { -0.5 } else { 1.0 });
            let user = axes.ridge(&observed, &targets, unobserved, pull);
            let chosen = axes
                .factors
                .select_columns(observed.iter().map(|&row| row as usize).collect::<Vec<_>>().iter());
            let shared = unobserved * (&axes.factors * axes.factors.transpose() * &user) + pull * &user;
            let residual = &chosen * (chosen.transpose() * &user - targets) + shared;
            assert!(residual.amax() < 1e-4, "{count} observed: {residual}");
        }
    }

    #[test]
    fn a_training_user_folds_in_to_the_same_scores() {
        let set = two_tastes();
        let likes = Likes::of(&set);
        let items = Arc::new(Axes::of(IALS.factorise(&set)));
        let users = IALS.solve_rows(&items, &likes.by_user);
        let fold_in = FoldIn { ials: IALS, items, dislike: None, levels: set.levels.clone() };
        for (task, user) in set.tasks.iter().zip(users.column_iter()) {
            let scores = scores_of(&fold_in, &set, &task.interactions);
            let expected = fold_in.items.factors.tr_mul(&user);
            assert!((DVector::from_vec(scores) - expected).amax() < 1e-5);
        }
    }

    #[test]
    fn an_empty_support_scores_nothing() {
        let set = two_tastes();
        let fold_in = FoldIn::grid(&set, 1).next().expect("a grid");
        assert!(scores_of(&fold_in, &set, &[rated(0, 1)]).iter().all(|&score| score == 0.0));
    }

    #[test]
    fn the_factors_do_not_depend_on_the_number_of_threads() {
        let set = two_tastes();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| IALS.factorise(&set))
        };
        assert_eq!(with_threads(1), with_threads(2));
    }
}
