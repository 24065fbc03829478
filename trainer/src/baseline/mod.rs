//! What a learner has to beat. Each baseline is a [`Scorer`] fitted on a [`TaskSet`]; [`tune`] picks the
//! best of a small grid on validation users, as honestly as the learners are tuned.

mod content;
mod dense;
mod ease;
mod ials;
mod item_knn;
mod item_mean;
mod near_ridge;
mod popularity;
mod prototypes;
mod rating_factors;
mod ridge;
mod user_knn;
mod user_knn_residual;

pub use content::{CONTENT_NAMES, FeatureRidge, tune_content};
pub use ease::{Ease, Objective};
pub use ials::{FoldIn, Ials};
pub use item_knn::ItemKnn;
pub use item_mean::ItemMean;
pub use near_ridge::NearRidge;
pub use popularity::Popularity;
pub use prototypes::Prototypes;
pub(crate) use rating_factors::GENEROSITY;
pub use rating_factors::{Factors, RatingFactors};
pub use ridge::{Ridge, RidgeConfig};
pub use user_knn::UserKnn;
pub use user_knn_residual::UserKnnResidual;

use crate::data::{Catalogue, HeldOut, Interaction, Levels, Sentiment, TaskSet};
use crate::metrics::{Scorer, validation};

/// The names that [`tune`] knows, in the order of a report.
pub const NAMES: [&str; 9] =
    ["popularity", "item-knn", "user-knn", "ease", "edlae", "ials", "prototypes", "near-ridge", "ridge"];

/// The names that [`tune_labelled`] knows, in the order of a report.
pub const LABELLED_NAMES: [&str; 3] = ["item-mean", "user-knn-residual", "rating-factors"];

/// A baseline at the best point of its grid.
pub struct Tuned {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// The point of the grid, e.g. `lambda 300, popularity 0.01`; empty where there is nothing to choose.
    pub choice: String,
    /// The fitted baseline.
    pub scorer: Box<dyn Scorer + Send>,
    /// What a device would have to hold to serve it.
    pub bytes: usize,
}

/// A fitted baseline that can say what it is.
trait Baseline: Scorer + Send {
    /// The point of the grid that it was fitted with.
    fn choice(&self) -> String;

    /// What a device would have to hold to serve it: f32 values, u32 indices, no catalogue texts.
    fn bytes(&self) -> usize;
}

/// Fits `name` on `set` for every point of its grid and keeps the one with the best mean NDCG@10 over the
/// five support sizes on `users`; the first of equals.
///
/// `None` if there is no such baseline, or if its dense item-item matrix would be too large: EASE and EDLAE
/// above [`Ease::LARGEST_CATALOGUE`] rows, the ridge above [`Ridge::LARGEST_MATRIX`] bytes. All others hold
/// sparse data or thin matrices only. `seed` starts the factorisation of `ials` and `prototypes`.
pub fn tune(name: &str, set: &TaskSet, users: &[HeldOut], seed: u64) -> Option<Tuned> {
    let name = *NAMES.iter().find(|known| **known == name)?;
    match name {
        "popularity" => Tuned::best(name, [Popularity::fit(set)], users, set),
        "item-knn" => Tuned::best(name, ItemKnn::grid(set), users, set),
        "user-knn" => Tuned::best(name, UserKnn::grid(set), users, set),
        "ease" => Tuned::best(name, Ease::grid(set, Objective::Ease), users, set),
        "edlae" => Tuned::best(name, Ease::grid(set, Objective::Edlae), users, set),
        "ials" => Tuned::best(name, FoldIn::grid(set, seed), users, set),
        "prototypes" => Tuned::best(name, Prototypes::grid(set, seed), users, set),
        "near-ridge" => Tuned::best(name, NearRidge::grid(set), users, set),
        _ => Tuned::best(name, Ridge::grid(set), users, set),
    }
}

/// As [`tune`], for what ranks a user's rated items by how they are rated; judged by the NDCG@5 of `users`. `None` if
/// there is no such baseline.
pub fn tune_labelled(name: &str, set: &TaskSet, users: &[HeldOut], seed: u64) -> Option<Tuned> {
    let name = *LABELLED_NAMES.iter().find(|known| **known == name)?;
    match name {
        "item-mean" => Tuned::best(name, ItemMean::grid(set), users, set),
        "user-knn-residual" => Tuned::best(name, UserKnnResidual::grid(set), users, set),
        _ => Tuned::best(name, RatingFactors::grid(set, seed), users, set),
    }
}

impl Tuned {
    fn new(name: &'static str, baseline: impl Baseline + 'static) -> Self {
        Self { name, choice: baseline.choice(), bytes: baseline.bytes(), scorer: Box::new(baseline) }
    }

    fn best<B: Baseline + 'static>(
        name: &'static str,
        candidates: impl IntoIterator<Item = B>,
        users: &[HeldOut],
        set: &TaskSet,
    ) -> Option<Self> {
        best_of(candidates, users, set).map(|baseline| Self::new(name, baseline))
    }
}

/// The best of `candidates` on `users`, the first of equals. At most two are alive at a time when the grid fits lazily.
pub(crate) fn best_of<S: Scorer>(
    candidates: impl IntoIterator<Item = S>,
    users: &[HeldOut],
    set: &TaskSet,
) -> Option<S> {
    let mut best: Option<(f64, S)> = None;
    for candidate in candidates {
        let total: f64 = validation(&candidate, users, set.catalogue.len()).iter().sum();
        if best.as_ref().is_none_or(|(most, _)| total > *most) {
            best = Some((total, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The liked rows of each training user and the users who like each row, ascending.
struct Likes {
    by_user: Vec<Vec<u32>>,
    by_item: Vec<Vec<u32>>,
}

impl Likes {
    fn of(set: &TaskSet) -> Self {
        let by_user = rows_of_users(set, |sentiment| sentiment == Sentiment::Liked);
        let by_item = transpose(&by_user, set.catalogue.len());
        Self { by_user, by_item }
    }
}

/// The rows that each training user feels about as `chosen` says, ascending.
fn rows_of_users(set: &TaskSet, chosen: impl Fn(Sentiment) -> bool) -> Vec<Vec<u32>> {
    let rows_of = |interactions: &[Interaction]| {
        let matching = interactions.iter().filter(|i| chosen(set.levels.sentiment(i.level)));
        let mut rows: Vec<u32> = matching.map(|i| i.item).collect();
        rows.sort_unstable();
        rows
    };
    set.tasks.iter().map(|task| rows_of(&task.interactions)).collect()
}

/// The other side of a sparse 0/1 matrix: for each of `columns` columns, the rows that hold it, ascending.
fn transpose(rows: &[Vec<u32>], columns: usize) -> Vec<Vec<u32>> {
    let mut transposed = vec![Vec::new(); columns];
    for (index, row) in rows.iter().enumerate() {
        for &column in row {
            transposed[column as usize].push(index as u32);
        }
    }
    transposed
}

/// Mean rating of the training users, in stars; 0 without ratings.
fn mean_rating(set: &TaskSet) -> f32 {
    let ratings = || set.tasks.iter().flat_map(|task| &task.interactions);
    let sum: f64 = ratings().map(|i| f64::from(set.levels.stars(i.level))).sum();
    (sum / ratings().count().max(1) as f64) as f32
}

/// The support as (row, weight): 1 for a like, minus `dislike` for everything below.
fn weighted<'a>(
    support: &'a [Interaction],
    levels: &'a Levels,
    dislike: f32,
) -> impl Iterator<Item = (usize, f32)> + 'a {
    support.iter().map(move |i| (i.item as usize, if levels.liked(i.level) { 1.0 } else { -dislike }))
}

/// The part of a grid that several baselines share: each weight of log-popularity with each weight of a
/// dislike.
fn blends(popularity: [f32; 4]) -> impl Iterator<Item = (f32, f32)> {
    popularity.into_iter().flat_map(|popularity| [0.0, 0.25].map(|dislike| (popularity, dislike)))
}

/// log(1 + likes) of each row, standardised; zeros if all rows are equally popular.
fn log_popularity(catalogue: &Catalogue) -> Vec<f32> {
    let logs: Vec<f64> = catalogue.likes.iter().map(|&likes| f64::from(likes).ln_1p()).collect();
    let count = logs.len().max(1) as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let deviation = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = if deviation > 0.0 { deviation.recip() } else { 0.0 };
    logs.iter().map(|log| ((log - mean) * scale) as f32).collect()
}

/// `sum += weight * row`
fn add_scaled(sum: &mut [f32], weight: f32, row: &[f32]) {
    for (value, &added) in sum.iter_mut().zip(row) {
        *value += weight * added;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Features};
    use rand::{RngExt, SeedableRng};

    /// Training users as lists of (item, rating). Items should be named most popular first, so that rows and
    /// items have the same numbers.
    pub(super) fn set_of(users: &[&[(u32, u8)]]) -> TaskSet {
        let items = users.iter().flat_map(|ratings| ratings.iter()).map(|rating| rating.0 + 1).max();
        let items = items.unwrap_or(0) as usize;
        let interactions_of =
            |ratings: &&[(u32, u8)]| ratings.iter().map(|&(item, stars)| rated(item, stars)).collect();
        let dataset = Dataset {
            users: (0..users.len()).map(|user| format!("{user}")).collect(),
            items: (0..items).map(|item| format!("{item:03}")).collect(),
            titles: vec![None; items],
            interactions: users.iter().map(interactions_of).collect(),
            levels: Levels { values: vec![1.0, 2.0, 3.0, 4.0, 5.0], like_at: Some(4.0) },
            item_features: Features { names: Vec::new(), of: vec![Vec::new(); items] },
            user_features: Features { names: Vec::new(), of: vec![Vec::new(); users.len()] },
        };
        TaskSet::new(&dataset, &(0..users.len() as u32).collect::<Vec<u32>>())
    }

    pub(super) fn rated(item: u32, stars: u8) -> Interaction {
        Interaction { item, level: stars - 1, time: 0 }
    }

    pub(super) fn scores_of(scorer: &dyn Scorer, set: &TaskSet, support: &[Interaction]) -> Vec<f32> {
        let mut scores = vec![f32::NAN; set.catalogue.len()];
        scorer.score(support, &[], &mut scores);
        scores
    }

    /// Forty users of two tastes over twenty items, the even and the odd ones.
    pub(super) fn two_tastes() -> TaskSet {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut ratings_of = |user: u32| -> Vec<(u32, u8)> {
            let seen = (0..20).filter(|item| rng.random_ratio(20 - item / 2, 22)).collect::<Vec<u32>>();
            seen.into_iter().map(|item| (item, if (item + user).is_multiple_of(2) { 5 } else { 2 })).collect()
        };
        let users: Vec<Vec<(u32, u8)>> = (0..40).map(&mut ratings_of).collect();
        set_of(&users.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// The training users themselves, each with half of the ratings as the pool.
    fn held_out(set: &TaskSet) -> Vec<HeldOut> {
        let split = |task: &crate::data::Task| {
            let (pool, rest) = task.interactions.split_at(task.interactions.len() / 2);
            let liked = rest.iter().filter(|i| set.levels.liked(i.level)).map(|i| i.item);
            let mut query: Vec<u32> = liked.collect();
            query.sort_unstable();
            HeldOut { features: Vec::new(), pool: pool.to_vec(), query, gains: None }
        };
        set.tasks.iter().map(split).filter(|user| !user.query.is_empty()).collect()
    }

    #[test]
    fn every_name_is_tuned_and_no_other() {
        let set = two_tastes();
        let users = held_out(&set);
        for name in NAMES {
            let tuned = tune(name, &set, &users, 1).expect(name);
            assert_eq!(tuned.name, name);
            assert!(tuned.bytes > 0);
            assert_eq!(tuned.choice.is_empty(), name == "popularity", "{name}: {}", tuned.choice);
            assert!(scores_of(&*tuned.scorer, &set, &[]).iter().all(|score| score.is_finite()), "{name}");
        }
        assert!(tune("Popularity", &set, &users, 1).is_none());
    }

    #[test]
    fn all_but_popularity_find_the_taste_of_two_tastes() {
        let set = two_tastes();
        let users = held_out(&set);
        let quality = |name| {
            let tuned = tune(name, &set, &users, 1).expect(name);
            validation(&*tuned.scorer, &users, set.catalogue.len()).iter().sum::<f64>() / users.len() as f64
        };
        let popularity = quality("popularity");
        for name in &NAMES[1..] {
            assert!(quality(name) > popularity + 0.2, "{name} {} {popularity}", quality(name));
        }
    }

    #[test]
    fn rated_items_are_ranked_by_taste_and_not_by_their_means_alone() {
        let set = two_tastes();
        let draws = |task| crate::data::HeldOut::labelled(task, &set.levels, 1, 0);
        let users: Vec<HeldOut> = set.tasks.iter().filter_map(draws).collect();
        let quality = |name| {
            let tuned = tune_labelled(name, &set, &users, 1).expect(name);
            validation(&*tuned.scorer, &users, set.catalogue.len()).iter().sum::<f64>() / users.len() as f64
        };
        assert!(!users.is_empty());
        let mean = quality("item-mean");
        for name in &LABELLED_NAMES[1..] {
            assert!(quality(name) > mean + 0.1, "{name} {} {mean}", quality(name));
        }
        assert!(tune_labelled("popularity", &set, &users, 1).is_none());
    }

    #[test]
    fn log_popularity_is_standardised_and_zero_where_all_are_alike() {
        let skewed = log_popularity(&set_of(&[&[(0, 5), (1, 5)], &[(0, 5), (2, 1)]]).catalogue);
        assert!(skewed.iter().sum::<f32>().abs() < 1e-6);
        assert!((skewed.iter().map(|z| z * z).sum::<f32>() - 3.0).abs() < 1e-5);
        assert!(skewed[0] > skewed[1] && skewed[1] > skewed[2]);
        assert_eq!(log_popularity(&set_of(&[&[(0, 5), (1, 5)]]).catalogue), [0.0, 0.0]);
    }
}
