//! Closed-form few-shot ridge: the full-rank teacher of the learners. EASE's idea (Steck 2019) made for
//! small supports.

use super::{Baseline, add_scaled, dense, rows_of_users, transpose};
use crate::data::{Interaction, Levels, Sentiment, TaskSet};
use crate::learner::Teacher;
use crate::metrics::{SHOTS, Scorer};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// How strongly [`Ridge`] is regularised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeConfig {
    /// Penalty of every input.
    pub penalty: f32,
    /// More of it for frequent inputs, in units of how often an input is in a support.
    pub frequency: f32,
}

impl RidgeConfig {
    /// The values that served best as a teacher, for explicit and for implicit feedback.
    pub fn teacher(set: &TaskSet) -> Self {
        Self { penalty: 0.1, frequency: if set.levels.like_at.is_some() { 0.0 } else { 0.2 } }
    }
}

/// Scores an item by the least-squares prediction of whether a user with this support likes it.
///
/// Ridge regression with intercept from a support of k to the rest of the user's likes, in expectation over
/// all supports of k random interactions of each training user. Likes and dislikes are separate inputs; an input of a
/// support of k is k^(-1/2). There are two of these regressions: for supports of one or two, averaged over these, and
/// for larger ones, averaged over [`SHOTS`].
///
/// The same bits whatever the number of threads. With n items, F inputs (2 n, or n where dislikes are no input) and m
/// the smaller of F and the number of users, it takes 8 F n bytes to serve, 4 m^2 + 16 F n to fit, and O(m^2 (m + n))
/// time beside that of the co-occurrences.
pub struct Ridge {
    fits: BySize<Fit>,
    config: RidgeConfig,
    levels: Levels,
}

/// One of the two regressions.
struct Fit {
    intercept: Vec<f32>,
    weights: DMatrix<f32>, // items x inputs; column f is what input f adds to every score
}

/// A fit for each of some ranges of support sizes.
///
/// A regression on large supports takes from an item what is said by others that are often liked with it: right where
/// these are in the support too, but an item that is alone there has to speak for them. One for all sizes lost .014 and
/// .013 of NDCG@10 at k = 1 and 2 on MovieLens 100K, .024 and .012 on a log of niches.
pub(super) struct BySize<T> {
    /// What each is averaged over, ascending.
    sizes: &'static [&'static [usize]],
    fits: Vec<T>,
}

/// The sizes of a small support.
pub(super) const FEW: &[usize] = &[1, 2];

/// The support sizes that each regression is averaged over. At a penalty of .3, those of the
/// [`NearRidge`](super::NearRidge) gained .003 of NDCG@10 at k = 5 on MovieLens 100K and cost .004 and .006 at 10 and 20;
/// on ml-latest-small they cost .002 in the mean, at .1 .005.
const SIZES: &[&[usize]] = &[FEW, &SHOTS];

impl<T> BySize<T> {
    /// `None` if `fit` has none for one of `sizes`.
    pub(super) fn of(
        sizes: &'static [&'static [usize]],
        fit: impl Fn(&[usize]) -> Option<T>,
    ) -> Option<Self> {
        let fits = sizes.iter().map(|sizes| fit(sizes)).collect::<Option<Vec<T>>>()?;
        Some(Self { sizes, fits })
    }

    /// The first that saw a support as large as this one, or the last.
    pub(super) fn suited(&self, support: &[Interaction]) -> &T {
        let is_suited = |sizes: &&[usize]| sizes.iter().any(|&size| support.len() <= size);
        &self.fits[self.sizes.iter().position(is_suited).unwrap_or(self.fits.len() - 1)]
    }

    /// The one for the largest supports.
    pub(super) fn many(&self) -> &T {
        &self.fits[self.fits.len() - 1]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.fits.iter()
    }
}

impl<T> BySize<Vec<T>> {
    /// One of each first element, one of each second, and so on.
    pub(super) fn split(self) -> Vec<BySize<T>> {
        let mut fits: Vec<_> = self.fits.into_iter().map(Vec::into_iter).collect();
        let next = || fits.iter_mut().map(Iterator::next).collect::<Option<Vec<T>>>();
        std::iter::from_fn(next).map(|fits| BySize { sizes: self.sizes, fits }).collect()
    }
}

/// From this many items on dislikes are not an input: they double the matrix, and most are rare.
const MANY_ITEMS: usize = 3000;

/// A user with fewer interactions has no support and rest to speak of.
const FEWEST_INTERACTIONS: usize = 4;

/// From scores to logits; the choice of validation cross-entropy on several data sets.
const LOGIT_SCALE: f32 = 8.0;

impl Ridge {
    /// The most bytes of weights that each of the two regressions may have; to fit takes four times as many. 9,500
    /// items.
    pub const LARGEST_MATRIX: usize = 345 << 20;

    /// The regressions on the tasks of `set`.
    ///
    /// `None` if the weights of one of them would take more than [`Ridge::LARGEST_MATRIX`] bytes, if no user has four
    /// interactions, or if the penalty is too small for the system to be solved.
    pub fn fit(set: &TaskSet, config: RidgeConfig) -> Option<Self> {
        let items = set.catalogue.len();
        let with_dislikes = set.levels.like_at.is_some() && items < MANY_ITEMS;
        let inputs = if with_dislikes { 2 * items } else { items };
        if items.checked_mul(inputs)?.checked_mul(size_of::<f32>())? > Self::LARGEST_MATRIX {
            return None;
        }
        let users = inputs_of_users(set, with_dislikes);
        let fits = BySize::of(SIZES, |sizes| {
            let moments: Vec<Moments> = users.iter().map(|rows| Moments::of(rows.len(), sizes)).collect();
            solve(&users, &moments, items, inputs, config)
        });
        Some(Self { fits: fits?, config, levels: set.levels.clone() })
    }

    pub(super) fn grid(set: &TaskSet) -> impl Iterator<Item = Self> + '_ {
        let penalties = [0.1, 0.3, 1.0].into_iter();
        let points =
            penalties.flat_map(|penalty| [0.0, 0.2].map(|frequency| RidgeConfig { penalty, frequency }));
        points.filter_map(|config| Self::fit(set, config))
    }

    /// The input that an interaction is, if it is one.
    fn input(&self, interaction: &Interaction) -> Option<usize> {
        let weights = &self.fits.many().weights;
        let items = weights.nrows();
        let offset = if self.levels.liked(interaction.level) { 0 } else { items };
        Some(interaction.item as usize + offset).filter(|&input| input < weights.ncols())
    }
}

/// The inputs of each training user that has enough: liked rows, then `items +` the others. Everything below
/// a like is a dislike: to leave the neutral ratings out costs .012 of NDCG@10 on ML-100K.
pub(super) fn inputs_of_users(set: &TaskSet, with_dislikes: bool) -> Vec<Vec<u32>> {
    let items = set.catalogue.len() as u32;
    let mut users = rows_of_users(set, |sentiment| sentiment == Sentiment::Liked);
    if with_dislikes {
        let disliked = rows_of_users(set, |sentiment| sentiment != Sentiment::Liked);
        for (liked, disliked) in users.iter_mut().zip(disliked) {
            liked.extend(disliked.iter().map(|row| items + row));
        }
    }
    users.retain(|inputs| inputs.len() >= FEWEST_INTERACTIONS);
    users
}

/// Moments of the support of one user with v inputs, of which q are drawn: inputs are s if drawn, targets 1
/// if not drawn; means over the support sizes.
#[derive(Default)]
pub(super) struct Moments {
    pub(super) input: f32,        // E x_i
    pub(super) square: f32,       // E x_i^2
    pub(super) pair: f32,         // E x_i x_j, i != j
    pub(super) target: f32,       // E y_i
    pub(super) input_target: f32, // E x_i y_j, i != j
}

impl Moments {
    pub(super) fn of(v: usize, sizes: &[usize]) -> Self {
        let mut moments = Self::default();
        let share = 1.0 / sizes.len() as f32;
        for &shots in sizes {
            let q = shots.min((v / 2).max(1)) as f32;
            let v = v as f32;
            let s = q.sqrt().recip();
            moments.input += share * (q / v) * s;
            moments.square += share * (q / v) * s * s;
            moments.pair += share * (q * (q - 1.0)) / (v * (v - 1.0)) * s * s;
            moments.target += share * (1.0 - q / v);
            moments.input_target += share * (q / v) * ((v - q) / (v - 1.0)) * s;
        }
        moments
    }
}

/// Intercept and weights that minimise the expected squared error, intercept eliminated:
///
/// ```text
/// A = E x x' + penalty (1 + frequency E x^2),  g = E x
/// C = E x y' - g c' / users,                   c = E y
/// W = (A - g g' / users)^-1 C,  intercept = (c - W' g) / users,  W[i, i] = 0
/// ```
///
/// with expectations summed over users. The target leaves the support out, so `E x_i y_i = 0`. `A` is what takes time:
/// `g` is one more column to it, and the update of rank one follows (Sherman and Morrison 1950).
fn solve(
    users: &[Vec<u32>],
    moments: &[Moments],
    items: usize,
    inputs: usize,
    config: RidgeConfig,
) -> Option<Fit> {
    if users.is_empty() {
        return None;
    }
    let of_input = transpose(users, inputs);
    let column_of = |moment: fn(&Moments) -> f32| moments.iter().map(moment).collect::<Vec<f32>>();
    let sum_over = |columns: &[Vec<u32>], moment: fn(&Moments) -> f32| {
        let sum = |users: &Vec<u32>| users.iter().map(|&user| moment(&moments[user as usize])).sum();
        DVector::from_iterator(columns.len(), columns.iter().map(sum))
    };
    let count = users.len() as f32;
    let mean_input = sum_over(&of_input, |m| m.input);
    let mean_target = sum_over(&of_input[..items], |m| m.target);
    let square = sum_over(&of_input, |m| m.square);

    let mut right = dense::co_occurrence(users, &column_of(|m| m.input_target), &of_input[..items], inputs);
    right.fill_diagonal(0.0);
    right.ger(-count.recip(), &mean_input, &mean_target, 1.0);
    let mut right = right.insert_column(items, 0.0);
    right.set_column(items, &mean_input);

    let system = System {
        users,
        of_input: &of_input,
        pair: &column_of(|m| m.pair),
        diagonal: square.map(|square| square + config.penalty * (1.0 + config.frequency * square)),
        pairs_of_input: sum_over(&of_input, |m| m.pair),
    };
    let weights = system.solve(right)?;
    let direction = weights.column(items).into_owned();
    let mut weights = weights.remove_column(items);
    let along = weights.tr_mul(&mean_input) / (count - mean_input.dot(&direction));
    weights.ger(1.0, &direction, &along, 1.0);

    let intercept = (mean_target - weights.tr_mul(&mean_input)) / count;
    weights.fill_diagonal(0.0);
    Some(Fit { intercept: intercept.as_slice().to_vec(), weights: weights.transpose() })
}

/// `X' diag(pair) X` with a diagonal of its own; `X` is 0/1, users x inputs.
struct System<'a> {
    users: &'a [Vec<u32>],
    of_input: &'a [Vec<u32>],
    pair: &'a [f32],
    diagonal: DVector<f32>,
    /// The diagonal of `X' diag(pair) X`; below `diagonal` by the penalty or more.
    pairs_of_input: DVector<f32>,
}

impl System<'_> {
    /// `self^-1 right`, by Cholesky on the smaller side.
    fn solve(&self, right: DMatrix<f32>) -> Option<DMatrix<f32>> {
        if self.users.len() < self.of_input.len() {
            self.solve_by_users(right)
        } else {
            self.solve_by_inputs(right)
        }
    }

    fn solve_by_inputs(&self, right: DMatrix<f32>) -> Option<DMatrix<f32>> {
        let mut matrix = dense::co_occurrence(self.users, self.pair, self.of_input, self.of_input.len());
        matrix.set_diagonal(&self.diagonal);
        dense::solve(matrix, right)
    }

    /// With `B = diag(pair)^(1/2) X` and what is left of the diagonal, `D` (Woodbury 1950):
    ///
    /// ```text
    /// (D + B' B)^-1 R = D^-1 (R - B' (I + B D^-1 B')^-1 B D^-1 R)
    /// ```
    fn solve_by_users(&self, mut right: DMatrix<f32>) -> Option<DMatrix<f32>> {
        let (inputs, users) = (self.of_input.len(), self.users.len());
        let inverse = (&self.diagonal - &self.pairs_of_input).map(f32::recip);
        let root: Vec<f32> = self.pair.iter().map(|pair| pair.sqrt()).collect();
        let mut matrix = dense::co_occurrence(self.of_input, inverse.as_slice(), self.users, users);
        for (mut column, of_column) in matrix.column_iter_mut().zip(&root) {
            column.iter_mut().zip(&root).for_each(|(value, of_row)| *value *= of_row * of_column);
        }
        (0..users).for_each(|user| matrix[(user, user)] += 1.0);

        let mut of_users = DMatrix::zeros(users, right.ncols());
        let columns = of_users.as_mut_slice().par_chunks_mut(users).zip(right.as_slice().par_chunks(inputs));
        columns.for_each(|(of_users, right)| {
            for ((value, inputs), root) in of_users.iter_mut().zip(self.users).zip(&root) {
                *value = root * inputs.iter().map(|&i| inverse[i as usize] * right[i as usize]).sum::<f32>();
            }
        });
        let solved = dense::solve(matrix, of_users)?;
        let columns = right.as_mut_slice().par_chunks_mut(inputs).zip(solved.as_slice().par_chunks(users));
        columns.for_each(|(right, solved)| {
            for ((value, users), inverse) in right.iter_mut().zip(self.of_input).zip(&inverse) {
                let shared: f32 = users.iter().map(|&u| root[u as usize] * solved[u as usize]).sum();
                *value = inverse * (*value - shared);
            }
        });
        Some(right)
    }
}

impl Teacher for Ridge {
    fn logits(&self, support: &[Interaction], out: &mut [f32]) {
        self.score(support, &[], out);
        out.iter_mut().for_each(|logit| *logit *= LOGIT_SCALE);
    }

    /// What each like adds to the scores, in the directions in which likes add most: the leading eigenvectors of the
    /// symmetric part of the weights between likes, times their eigenvalues; of the regression on all sizes.
    fn directions(&self, dim: usize, seed: u64) -> Option<DMatrix<f32>> {
        let weights = &self.fits.many().weights;
        let items = weights.nrows();
        let likes = &weights.as_slice()[..items * items];
        dense::directions(|right| dense::symmetric_part_times(likes, right), items, dim, seed)
    }
}

impl Scorer for Ridge {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let inputs: Vec<usize> = support.iter().filter_map(|interaction| self.input(interaction)).collect();
        let weight = (inputs.len().max(1) as f32).sqrt().recip();
        let fit = self.fits.suited(support);
        scores.copy_from_slice(&fit.intercept);
        for input in inputs {
            add_scaled(scores, weight, fit.weights.column(input).as_slice());
        }
    }
}

impl Baseline for Ridge {
    fn choice(&self) -> String {
        let RidgeConfig { penalty, frequency } = self.config;
        format!("penalty {penalty}, frequency {frequency}")
    }

    fn bytes(&self) -> usize {
        let of_fit = |fit: &Fit| size_of_val(fit.weights.as_slice()) + size_of_val(fit.intercept.as_slice());
        self.fits.iter().map(of_fit).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::tests::{rated, scores_of, set_of, two_tastes};

    /// Users of four to six ratings over five items, small enough to enumerate every support.
    fn few() -> TaskSet {
        set_of(&[
            &[(0, 5), (1, 5), (2, 5), (3, 1)],
            &[(0, 5), (1, 4), (2, 2), (3, 4), (4, 1)],
            &[(0, 3), (1, 5), (2, 4), (4, 5)],
            &[(0, 5), (1, 1), (2, 5), (3, 2), (4, 4)],
            &[(0, 4), (1, 5), (3, 5), (4, 3)],
            &[(0, 5), (2, 5)], // too few ratings to count
        ])
    }

    /// All subsets of `rows` of `size`.
    fn subsets(rows: &[u32], size: usize) -> Vec<Vec<u32>> {
        let masks = (0_u32..1 << rows.len()).filter(|mask| mask.count_ones() as usize == size);
        let chosen = |mask: u32| (0..rows.len()).filter(move |bit| mask >> bit & 1 == 1);
        masks.map(|mask| chosen(mask).map(|bit| rows[bit]).collect()).collect()
    }

    /// Intercept and weights (inputs x items) by enumeration: the normal equations of a regression with an
    /// unpenalised constant input, summed over every support of every user.
    fn enumerated(set: &TaskSet, sizes: &[usize], config: RidgeConfig) -> (DVector<f64>, DMatrix<f64>) {
        let items = set.catalogue.len();
        let inputs = 2 * items; // the constant input comes last
        let mut gram = DMatrix::<f64>::zeros(inputs + 1, inputs + 1);
        let mut right = DMatrix::<f64>::zeros(inputs + 1, items);
        for rows in inputs_of_users(set, true) {
            for &shots in sizes {
                let supports = subsets(&rows, shots.min(rows.len() / 2));
                let share = 1.0 / (sizes.len() * supports.len()) as f64;
                for support in &supports {
                    let mut x = DVector::<f64>::zeros(inputs + 1);
                    x[inputs] = 1.0;
                    support.iter().for_each(|&row| x[row as usize] = (support.len() as f64).sqrt().recip());
                    let mut y = DVector::<f64>::zeros(items);
                    let rest = rows.iter().filter(|&&row| row < items as u32 && !support.contains(&row));
                    rest.for_each(|&row| y[row as usize] = 1.0);
                    gram.ger(share, &x, &x, 1.0);
                    right.ger(share, &x, &y, 1.0);
                }
            }
        }
        for input in 0..inputs {
            let square = gram[(input, input)];
            gram[(input, input)] += f64::from(config.penalty) * (1.0 + f64::from(config.frequency) * square);
        }
        let solution = gram.cholesky().expect("positive definite").solve(&right);
        let mut weights = solution.rows(0, inputs).into_owned();
        weights.fill_diagonal(0.0);
        (solution.row(inputs).transpose(), weights)
    }

    #[test]
    fn the_closed_form_is_the_expectation_over_all_supports() {
        let set = few();
        for config in
            [RidgeConfig { penalty: 0.1, frequency: 0.0 }, RidgeConfig { penalty: 0.3, frequency: 0.2 }]
        {
            let ridge = Ridge::fit(&set, config).expect("a fit");
            for (fit, sizes) in ridge.fits.iter().zip(SIZES) {
                let (intercept, weights) = enumerated(&set, sizes, config);
                assert!((DVector::from_vec(fit.intercept.clone()).cast::<f64>() - intercept).amax() < 1e-4);
                assert!((fit.weights.transpose().cast::<f64>() - weights).amax() < 1e-4);
            }
        }
    }

    #[test]
    fn the_side_of_the_users_gives_what_the_side_of_the_inputs_gives() {
        let users = inputs_of_users(&two_tastes(), true);
        let of_input = transpose(&users, 40);
        let pair: Vec<f32> = users.iter().map(|inputs| Moments::of(inputs.len(), &SHOTS).pair).collect();
        let pairs = |users: &Vec<u32>| users.iter().map(|&user| pair[user as usize]).sum::<f32>();
        let pairs_of_input = DVector::from_iterator(40, of_input.iter().map(pairs));
        let diagonal = pairs_of_input.add_scalar(0.3);
        let system = System { users: &users, of_input: &of_input, pair: &pair, diagonal, pairs_of_input };
        let right = DMatrix::from_fn(40, 7, |input, column| ((input * 3 + column * 5) % 11) as f32);
        let by_inputs = system.solve_by_inputs(right.clone()).expect("positive definite");
        let by_users = system.solve_by_users(right).expect("positive definite");
        assert!((&by_inputs - by_users).amax() < 1e-4 * by_inputs.amax());
    }

    #[test]
    fn directions_give_back_the_symmetric_part_where_it_is_positive() {
        let set = two_tastes();
        let ridge = Ridge::fit(&set, RidgeConfig::teacher(&set)).expect("a fit");
        let likes = ridge.fits.many().weights.columns(0, 20).into_owned();
        let symmetric = (&likes + likes.transpose()) / 2.0;
        let rows = ridge.directions(24, 1).expect("finite weights"); // more than there are
        let eigen = symmetric.clone().symmetric_eigen();
        let positive = &eigen.eigenvectors
            * DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.max(0.0).powi(2)))
            * eigen.eigenvectors.transpose();
        assert!((rows.tr_mul(&rows) - positive).amax() < 1e-4 * symmetric.amax());
    }

    #[test]
    fn logits_are_eight_times_the_prediction_for_supports_of_that_size() {
        let set = few();
        let ridge = Ridge::fit(&set, RidgeConfig::teacher(&set)).expect("a fit");
        let support = [rated(1, 5), rated(3, 2), rated(0, 4)];
        let inputs = [1, 5 + 3, 0];
        let fits: Vec<&Fit> = ridge.fits.iter().collect();
        for (size, fit) in [(1, fits[0]), (2, fits[0]), (3, fits[1])] {
            let mut logits = vec![f32::NAN; 5];
            ridge.logits(&support[..size], &mut logits);
            for (item, logit) in logits.iter().enumerate() {
                let sum: f32 = inputs[..size].iter().map(|&input| fit.weights[(item, input)]).sum();
                let prediction = fit.intercept[item] + sum / (size as f32).sqrt();
                assert!((logit - 8.0 * prediction).abs() < 1e-5);
            }
        }
        assert_eq!(scores_of(&ridge, &set, &[]), fits[0].intercept);
    }

    #[test]
    fn without_ratings_likes_are_the_only_input() {
        let mut set = few();
        set.levels.like_at = None;
        let ridge = Ridge::fit(&set, RidgeConfig::teacher(&set)).expect("a fit");
        assert_eq!(ridge.fits.many().weights.shape(), (5, 5));
        assert_eq!(ridge.config, RidgeConfig { penalty: 0.1, frequency: 0.2 });
    }

    #[test]
    fn nobody_with_four_ratings_is_nothing_to_learn_from() {
        let set = set_of(&[&[(0, 5), (1, 5), (2, 5)]]);
        assert!(Ridge::fit(&set, RidgeConfig::teacher(&set)).is_none());
    }

    #[test]
    fn the_teacher_does_not_depend_on_the_number_of_threads() {
        let set = two_tastes();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let fit = || Ridge::fit(&set, RidgeConfig::teacher(&set)).expect("a fit").fits;
            pool.install(fit).iter().map(|fit| fit.weights.clone()).collect::<Vec<_>>()
        };
        assert_eq!(with_threads(1), with_threads(2));
    }
}
