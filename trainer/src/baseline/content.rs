//! Items that training never saw, by what their features tell of the items that it did see.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::{Baseline, FoldIn, Tuned, best_of, dense};
use crate::data::{Features, HeldOut, Interaction, KNOWN_BY, Levels, NewItem, TaskSet};
use crate::metrics::Scorer;

/// The names that [`tune_content`] knows, in the order of a report.
pub const CONTENT_NAMES: [&str; 2] = ["content-popularity", "content-ridge"];

/// Fits of [`FeatureRidge::cross_fit`], each without one item in so many.
const PARTS: usize = 5;

/// More features than this are not fitted: the rarest then tell nothing. 4 bytes times its square of memory.
const MOST_FEATURES: usize = 4096;

/// Numbers of an item as a linear function of its features: `base + sum of the features'`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRidge {
    /// What an item without features is predicted, dim.
    pub base: Vec<f32>,
    /// What each feature adds, features x dim.
    pub table: Vec<f32>,
}

impl FeatureRidge {
    /// The weighted ridge regression of `targets` (items x dim) on `features`.
    ///
    /// `pull` shrinks the features' part, not the base, towards zero as if that many items of mean weight
    /// said so for each feature. The same bits whatever the number of threads. Cost: O(features^3) once, then
    /// O(features^2 dim).
    pub fn fit(features: &Features, targets: &[f32], weights: &[f32], pull: f32) -> Self {
        Self::fit_to(features, targets, weights, pull, |_| true)
    }

    /// The prediction for each item (items x dim) by a fit that did not see it: of five fits, the one
    /// without every fifth item.
    pub fn cross_fit(features: &Features, targets: &[f32], weights: &[f32], pull: f32) -> Vec<f32> {
        let dim = targets.len() / weights.len().max(1);
        let mut predicted = vec![0.0; targets.len()];
        for part in 0..PARTS {
            let ridge = Self::fit_to(features, targets, weights, pull, |item| item % PARTS != part);
            for (item, row) in predicted.chunks_exact_mut(dim.max(1)).enumerate().skip(part).step_by(PARTS) {
                row.copy_from_slice(&ridge.predict(&features.of[item]));
            }
        }
        predicted
    }

    fn fit_to(
        features: &Features,
        targets: &[f32],
        weights: &[f32],
        pull: f32,
        chosen: impl Fn(usize) -> bool,
    ) -> Self {
        let items = || (0..weights.len()).filter(|&item| chosen(item) && weights[item] > 0.0);
        let dim = targets.len() / weights.len().max(1);
        let columns = columns(features);
        let fitted = 1 + columns.iter().flatten().count();
        let (mut gram, mut right) = (DMatrix::zeros(fitted, fitted), DMatrix::zeros(fitted, dim));
        for item in items() {
            let inputs = inputs(&features.of[item], &columns);
            for &row in &inputs {
                inputs.iter().for_each(|&column| gram[(row, column)] += weights[item]);
                let target = &targets[item * dim..][..dim];
                target
                    .iter()
                    .enumerate()
                    .for_each(|(axis, target)| right[(row, axis)] += weights[item] * target);
            }
        }
        let total: f32 = items().map(|item| weights[item]).sum();
        let pull = (pull * total / items().count().max(1) as f32).max(f32::MIN_POSITIVE);
        (1..fitted).for_each(|feature| gram[(feature, feature)] += pull);
        // Nothing is known of new items where no item has weight.
        let solved = dense::solve(gram, right).unwrap_or_else(|| DMatrix::zeros(fitted, dim));
        let values = |at: usize| solved.row(at).iter().copied().collect::<Vec<f32>>();
        Self {
            base: values(0),
            table: columns.iter().flat_map(|at| at.map_or_else(|| vec![0.0; dim], values)).collect(),
        }
    }

    /// What an item with these features is predicted.
    pub fn predict(&self, features: &[u32]) -> Vec<f32> {
        let mut sum = self.base.clone();
        for &feature in features {
            super::add_scaled(&mut sum, 1.0, &self.table[feature as usize * self.base.len()..]);
        }
        sum
    }
}

/// The column of each feature in the regression, from 1; `None` for those that are too rare.
fn columns(features: &Features) -> Vec<Option<usize>> {
    let mut carriers = vec![0_u32; features.names.len()];
    features.of.iter().flatten().for_each(|&feature| carriers[feature as usize] += 1);
    let mut order: Vec<usize> = (0..carriers.len()).collect();
    order.sort_by_key(|&feature| std::cmp::Reverse(carriers[feature]));
    let mut columns = vec![None; carriers.len()];
    for (column, &feature) in (1..).zip(order.iter().take(MOST_FEATURES)) {
        columns[feature] = Some(column);
    }
    columns
}

/// The columns of the regression that an item has a one in.
fn inputs(features: &[u32], columns: &[Option<usize>]) -> Vec<usize> {
    std::iter::once(0).chain(features.iter().filter_map(|&feature| columns[feature as usize])).collect()
}

/// Scores by predictions from features: rows of the catalogue when it is tuned, new items when it is judged.
struct Content {
    user: User,
    pull: f32,
    /// How much early raters count; `None` without.
    trust: Option<f32>,
    /// dim of each candidate.
    predicted: Vec<f32>,
    /// Rows before the first candidate, which are not to be ranked.
    before: usize,
}

/// What the predicted numbers of an item are multiplied by.
#[derive(Clone)]
enum User {
    /// The number is the logarithm of the likes.
    Anyone,
    /// The numbers are the factors.
    FoldIn(Arc<FoldIn>),
}

impl User {
    /// The numbers that are predicted, items x dim.
    fn targets(&self, set: &TaskSet) -> Vec<f32> {
        match self {
            Self::Anyone => set.catalogue.likes.iter().map(|&likes| (likes as f32).ln_1p()).collect(),
            Self::FoldIn(fold_in) => fold_in.factors().to_vec(),
        }
    }

    /// The numbers of someone with this feedback.
    fn of(&self, support: &[Interaction]) -> Vec<f32> {
        match self {
            Self::Anyone => vec![1.0],
            Self::FoldIn(fold_in) => fold_in.user(support).as_slice().to_vec(),
        }
    }
}

/// Pulls towards the mean item, in items per feature.
const PULLS: [f32; 4] = [3.0, 10.0, 30.0, 100.0];

/// How much early raters count: see [`Early::adapt`].
const TRUSTS: [f32; 6] = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0];

/// As [`tune`](super::tune), for ranking items that training never saw: `new_items`, by their features and by their
/// first `raters`, which are scored behind the rows of the catalogue.
///
/// On `users` each row of the catalogue is scored as if it were new, by the features of the others.
/// `content-popularity` predicts the logarithm of the likes, `content-ridge` the item factors of [`Ials`](super::Ials),
/// whose user factor is exact. Early raters then move the prediction: by the share of likes among them, or as the
/// targets of an item's factor. `None` if there is no such baseline.
pub fn tune_content(
    name: &str,
    set: &TaskSet,
    users: &[HeldOut],
    new_items: &[NewItem],
    raters: usize,
    seed: u64,
) -> Option<Tuned> {
    let name = *CONTENT_NAMES.iter().find(|known| **known == name)?;
    let kinds: Box<dyn Iterator<Item = User>> = match name {
        "content-popularity" => Box::new(std::iter::once(User::Anyone)),
        _ => Box::new(FoldIn::grid(set, seed).map(|fold_in| User::FoldIn(fold_in.into()))),
    };
    let weights = vec![1.0; set.catalogue.len()];
    let features = &set.catalogue.features;
    let grid = kinds.flat_map(|user| {
        let targets = user.targets(set);
        PULLS.map(|pull| Content {
            user: user.clone(),
            pull,
            trust: None,
            predicted: FeatureRidge::cross_fit(features, &targets, &weights, pull),
            before: 0,
        })
    });
    let mut best = best_of(grid, users, set)?;
    let early = (raters > 0).then(|| Early::new(set, &best.user, raters));
    if let Some(early) = &early {
        let rows = NewItem::rows(set, seed);
        let grid = TRUSTS.map(|trust| Content {
            user: best.user.clone(),
            trust: Some(trust),
            predicted: early.adapt(&best.predicted, &rows, trust),
            ..best
        });
        best = best_of(grid, users, set)?;
    }
    let Content { user, pull, trust, .. } = best;
    let ridge = FeatureRidge::fit(features, &user.targets(set), &weights, pull);
    let mut predicted: Vec<f32> = new_items.iter().flat_map(|item| ridge.predict(&item.features)).collect();
    if let (Some(early), Some(trust)) = (&early, trust) {
        predicted = early.adapt(&predicted, new_items, trust);
    }
    Some(Tuned::new(name, Content { user, pull, trust, predicted, before: set.catalogue.len() }))
}

/// Early raters of new items.
struct Early<'a> {
    levels: &'a Levels,
    /// Of each training user the numbers that an item's are multiplied by.
    users: Vec<DVector<f32>>,
    /// Mean square of their lengths.
    square: f32,
    /// How many of an item's raters are early.
    raters: usize,
    /// Share of likes in all feedback.
    liked: f32,
}

impl<'a> Early<'a> {
    fn new(set: &'a TaskSet, user: &User, raters: usize) -> Self {
        let users: Vec<DVector<f32>> =
            set.tasks.par_iter().map(|task| user.of(&task.spread(KNOWN_BY)).into()).collect();
        let feedback: usize = set.tasks.iter().map(|task| task.interactions.len()).sum();
        Self {
            levels: &set.levels,
            square: users.iter().map(|user| user.norm_squared()).sum::<f32>() / users.len().max(1) as f32,
            users,
            raters,
            liked: set.catalogue.likes.iter().sum::<u32>() as f32 / feedback.max(1) as f32,
        }
    }

    /// The numbers (items x dim) moved by the first raters: ridge regression of the feedback, 1 for a like, on the
    /// raters' numbers, pulled towards the prediction by as much as 1 / `trust` raters of mean length. Of one number,
    /// which is not a prediction of feedback, the raters' surplus of likes is added instead.
    fn adapt(&self, predicted: &[f32], items: &[NewItem], trust: f32) -> Vec<f32> {
        let dim = predicted.len() / items.len().max(1);
        let mut adapted = predicted.to_vec();
        adapted.par_chunks_exact_mut(dim.max(1)).zip(items).for_each(|(numbers, item)| {
            let ratings = item.early(self.raters);
            let liked = ratings.iter().map(|rating| f32::from(u8::from(self.levels.liked(rating.level))));
            let liked = DVector::from_iterator(ratings.len(), liked);
            if dim == 1 {
                let surplus = liked.sum() - self.liked * ratings.len() as f32;
                numbers[0] += trust * surplus / (3.0 + ratings.len() as f32);
            } else if trust > 0.0 && !ratings.is_empty() {
                let users: Vec<_> =
                    ratings.iter().map(|rating| self.users[rating.task as usize].clone()).collect();
                let users = DMatrix::from_columns(&users); // dim x raters
                let residual = liked - users.tr_mul(&DVector::from_column_slice(numbers));
                let pull = DMatrix::identity(ratings.len(), ratings.len()) * (self.square / trust);
                let right = DMatrix::from_column_slice(ratings.len(), 1, residual.as_slice());
                if let Some(solved) = dense::solve(users.tr_mul(&users) + pull, right) {
                    super::add_scaled(numbers, 1.0, (users * solved).as_slice());
                }
            }
        });
        adapted
    }
}

impl Scorer for Content {
    fn score(&self, support: &[Interaction], _: &[u32], scores: &mut [f32]) {
        let user = self.user.of(support);
        let (known, candidates) = scores.split_at_mut(self.before);
        known.fill(f32::NEG_INFINITY);
        for (score, item) in candidates.iter_mut().zip(self.predicted.chunks_exact(user.len())) {
            *score = item.iter().zip(&user).map(|(item, user)| item * user).sum();
        }
    }
}

impl Baseline for Content {
    fn choice(&self) -> String {
        let trust = self.trust.map_or(String::new(), |trust| format!(", trust {trust}"));
        match &self.user {
            User::Anyone => format!("pull {}{trust}", self.pull),
            User::FoldIn(fold_in) => format!("{}, pull {}{trust}", fold_in.choice(), self.pull),
        }
    }

    fn bytes(&self) -> usize {
        let catalogue = match &self.user {
            User::Anyone => 0,
            User::FoldIn(fold_in) => fold_in.bytes(),
        };
        catalogue + size_of_val(self.predicted.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of twelve items the even ones carry the first feature, every third the second.
    fn features() -> Features {
        let of = |item: u32| [0, 1].into_iter().filter(|feature| item.is_multiple_of(feature + 2)).collect();
        Features { names: vec!["a".into(), "b".into()], of: (0..12).map(of).collect() }
    }

    /// What the features say exactly, two numbers an item.
    fn targets() -> Vec<f32> {
        let truth = FeatureRidge { base: vec![1.0, -2.0], table: vec![0.5, 3.0, -1.0, 4.0] };
        features().of.iter().flat_map(|of_item| truth.predict(of_item)).collect()
    }

    #[test]
    fn what_is_linear_in_the_features_is_found() {
        let ridge = FeatureRidge::fit(&features(), &targets(), &[1.0; 12], 1e-6);
        for (found, expected) in ridge.base.iter().chain(&ridge.table).zip([1.0, -2.0, 0.5, 3.0, -1.0, 4.0]) {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn a_strong_pull_leaves_the_weighted_mean() {
        let mut weights = [1.0; 12];
        weights[1] = 3.0;
        let targets: Vec<f32> = (0..12).map(|item| item as f32).collect();
        let ridge = FeatureRidge::fit(&features(), &targets, &weights, 1e6);
        assert!((ridge.base[0] - 68.0 / 14.0).abs() < 1e-3, "{ridge:?}");
        assert!(ridge.table.iter().all(|value| value.abs() < 1e-3), "{ridge:?}");
    }

    #[test]
    fn no_item_is_predicted_by_a_fit_that_saw_it() {
        let predicted = FeatureRidge::cross_fit(&features(), &targets(), &[1.0; 12], 1.0);
        for item in 0..12 {
            let mut changed = targets();
            changed[2 * item] += 100.0;
            let again = FeatureRidge::cross_fit(&features(), &changed, &[1.0; 12], 1.0);
            assert_eq!(predicted[2 * item], again[2 * item]);
            assert_ne!(predicted, again);
        }
    }

    #[test]
    fn without_features_or_items_there_is_still_a_prediction() {
        let none = Features { names: Vec::new(), of: vec![Vec::new(); 4] };
        assert_eq!(FeatureRidge::fit(&none, &[1.0, 3.0, 1.0, 3.0], &[1.0; 4], 1.0).predict(&[]), [2.0]);
        assert!(FeatureRidge::fit(&Features::default(), &[], &[], 1.0).predict(&[]).is_empty());
    }
}
