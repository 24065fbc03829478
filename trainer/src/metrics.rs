//! Ranking metrics of one list against the liked items of the query, or of rated items against their ratings.

use crate::data::{HeldOut, Interaction};

/// The support sizes of the few-shot protocols.
pub const SHOTS: [usize; 5] = [1, 2, 5, 10, 20];

/// How long a list must be for [`Metrics::of`].
pub const LIST: usize = 20;

/// Ranking quality of one list, or the mean over many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Normalised discounted cumulative gain of the first 10, binary relevance.
    pub ndcg_10: f64,
    /// Share of the relevant items that are among the first 20.
    pub recall_20: f64,
    /// Whether any of the first 10 is relevant.
    pub hit_10: f64,
    /// Reciprocal rank of the first relevant item among the first 10, or 0.
    pub mrr_10: f64,
}

impl Metrics {
    /// Judges `list`, best first, against `relevant`, ascending and not empty.
    pub fn of(list: &[u32], relevant: &[u32]) -> Self {
        let is_hit = |item: &u32| relevant.binary_search(item).is_ok();
        let found = list.iter().take(LIST).filter(|item| is_hit(item)).count();
        let first = list.iter().take(10).position(is_hit);
        Self {
            ndcg_10: ndcg(list, relevant, 10),
            recall_20: found as f64 / relevant.len() as f64,
            hit_10: f64::from(u8::from(first.is_some())),
            mrr_10: first.map_or(0.0, |position| 1.0 / (position + 1) as f64),
        }
    }
}

/// Where the lists of rated items are cut off.
pub const CUTOFFS: [usize; 3] = [1, 3, 5];

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) of the first 1, 3 and 5 of a list of rated
/// items: graded relevance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Graded {
    /// At each of [`CUTOFFS`].
    pub ndcg: [f64; CUTOFFS.len()],
}

impl Graded {
    /// The mean of some; zero of none.
    pub fn mean(of: &[Self]) -> Self {
        let at =
            |index: usize| of.iter().map(|graded| graded.ndcg[index]).sum::<f64>() / of.len().max(1) as f64;
        Self { ndcg: std::array::from_fn(at) }
    }

    /// Judges `list`, best first, an order of `query`, ascending, whose `gains` are not all zero.
    pub fn of(list: &[u32], query: &[u32], gains: &[f32]) -> Self {
        let gain = |item: &u32| query.binary_search(item).map_or(0.0, |at| gains[at]);
        let found: Vec<f32> = list.iter().map(gain).collect();
        let mut ideal = gains.to_vec();
        ideal.sort_unstable_by(|a, b| b.total_cmp(a));
        Self { ndcg: CUTOFFS.map(|cutoff| discounted(&found, cutoff) / discounted(&ideal, cutoff)) }
    }
}

/// The discounted sum of the first `cutoff` gains.
fn discounted(gains: &[f32], cutoff: usize) -> f64 {
    let first = gains.iter().take(cutoff).enumerate();
    first.map(|(position, &gain)| f64::from(gain) / ((position + 2) as f64).log2()).sum()
}

/// Normalised discounted cumulative gain of the first `depth` of `list`, best first, against `relevant`, ascending and
/// not empty; binary relevance.
pub fn ndcg(list: &[u32], relevant: &[u32], depth: usize) -> f64 {
    let discount = |position: usize| 1.0 / ((position + 2) as f64).log2();
    let first = list.iter().take(depth).enumerate();
    let hits = first.filter(|(_, item)| relevant.binary_search(item).is_ok());
    let ideal: f64 = (0..relevant.len().min(depth)).map(discount).sum();
    hits.map(|(position, _)| discount(position)).sum::<f64>() / ideal
}

/// Scores the whole catalogue for a new user, given some of the user's feedback.
pub trait Scorer: Sync {
    /// Fills `scores`, one per catalogue row, higher is better; rows of the support may hold anything.
    /// `features` are the user's, ascending.
    fn score(&self, support: &[Interaction], features: &[u32], scores: &mut [f32]);
}

/// The rows of the highest scores, best first, ties to the lower row, at most `count`, none of the support. One pass,
/// for short lists.
pub fn best(scores: &mut [f32], support: &[Interaction], count: usize) -> Vec<u32> {
    for interaction in support {
        scores[interaction.item as usize] = f32::NEG_INFINITY;
    }
    let count = count.min(scores.len().saturating_sub(support.len()));
    let mut rows: Vec<u32> = Vec::with_capacity(count + 1);
    let beats = |row: u32, other: u32| scores[row as usize].total_cmp(&scores[other as usize]).is_gt();
    for row in 0..scores.len() as u32 {
        let is_full = rows.len() == count;
        if is_full && rows.last().is_none_or(|&worst| !beats(row, worst)) {
            continue;
        }
        rows.insert(rows.partition_point(|&other| !beats(row, other)), row);
        rows.truncate(count);
    }
    rows
}

/// Judges `scorer` on one held-out user after the first `shots` of the pool.
pub fn judge(scorer: &dyn Scorer, user: &HeldOut, shots: usize, scores: &mut [f32]) -> Metrics {
    let support = &user.pool[..shots.min(user.pool.len())];
    scorer.score(support, &user.features, scores);
    Metrics::of(&best(scores, support, LIST), &user.query)
}

/// Judges `scorer` on the rated items of one held-out user after the whole pool. Ties go to the lower row.
pub fn judge_graded(scorer: &dyn Scorer, user: &HeldOut, gains: &[f32], scores: &mut [f32]) -> Graded {
    scorer.score(&user.pool, &user.features, scores);
    let mut list = user.query.clone();
    list.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize])); // stable
    Graded::of(&list, &user.query, gains)
}

/// Mean NDCG@10 of each user over [`SHOTS`], or the NDCG@5 of rated items: what validation compares.
pub fn validation(scorer: &dyn Scorer, users: &[HeldOut], rows: usize) -> Vec<f64> {
    use rayon::prelude::*;
    let of_user = |scores: &mut Vec<f32>, user: &HeldOut| match &user.gains {
        None => {
            SHOTS.iter().map(|&shots| judge(scorer, user, shots, scores).ndcg_10).sum::<f64>()
                / SHOTS.len() as f64
        }
        Some(gains) => judge_graded(scorer, user, gains, scores).ndcg[CUTOFFS.len() - 1],
    };
    users.par_iter().map_init(|| vec![0.0; rows], of_user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_list_scores_one_and_a_useless_one_zero() {
        let perfect = Metrics::of(&[3, 1, 7, 0], &[1, 3]);
        assert_eq!(perfect, Metrics { ndcg_10: 1.0, recall_20: 1.0, hit_10: 1.0, mrr_10: 1.0 });
        assert_eq!(Metrics::of(&[0, 2, 4], &[1, 3]), Metrics::default());
    }

    #[test]
    fn positions_are_discounted_by_the_base_two_logarithm() {
        let metrics = Metrics::of(&[9, 1], &[1]);
        assert!((metrics.ndcg_10 - 1.0 / 3.0_f64.log2()).abs() < 1e-12);
        assert_eq!(metrics.mrr_10, 0.5);
    }

    #[test]
    fn the_eleventh_counts_for_recall_alone() {
        let list: Vec<u32> = (0..20).collect();
        let metrics = Metrics::of(&list, &[10, 25]);
        assert_eq!(metrics, Metrics { recall_20: 0.5, ..Metrics::default() });
    }

    #[test]
    fn rated_items_are_judged_by_their_gains() {
        let (query, gains) = ([2, 5, 9], [1.0, 31.0, 7.0]);
        assert_eq!(Graded::of(&[5, 9, 2], &query, &gains).ndcg, [1.0; 3]);
        let worst = Graded::of(&[2, 9, 5], &query, &gains).ndcg;
        let third = 1.0 / 3.0_f64.log2();
        let expected = (1.0 + 7.0 * third + 31.0 / 2.0) / (31.0 + 7.0 * third + 1.0 / 2.0);
        assert!((worst[0] - 1.0 / 31.0).abs() < 1e-9 && (worst[2] - expected).abs() < 1e-9, "{worst:?}");
    }

    #[test]
    fn best_leaves_the_support_out_and_breaks_ties_by_row() {
        let support = [Interaction { item: 1, level: 0, time: 0 }];
        assert_eq!(best(&mut [0.5, 9.0, 0.5, 0.7], &support, 2), [3, 0]);
        assert_eq!(best(&mut [0.5, 9.0, 0.5, 0.7], &support, 9), [3, 0, 2]);
    }
}
