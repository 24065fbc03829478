//! Where meta-training starts: a matrix factorisation or the teacher's directions for the rows; popularity on an axis
//! of its own.
//!
//! An axis of the embedding carries an item's popularity and another makes up for the length, so that
//! popularity is part of the cosine, and how much of it a user gets is the prior's component there.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::objective::Teacher;
use super::parameters::{Block, Parameters, Shape};
use crate::baseline::Ials;
use crate::data::{Sentiment, TaskSet};

/// Length of the taste in a row that says something of it; the teacher's directions say less of some.
const TASTE: f32 = 0.7;

/// Popularity of an item three standard deviations above the mean, and the most there is.
const POPULAR: f32 = 0.3;

/// Axes that do not come from the factorisation: slack and popularity.
const AXES: usize = 2;

/// Where the rows' start values come from.
///
/// By default from a factorisation: on two dense sets of movie ratings it was as good as the teacher's directions or
/// better by .004 of NDCG@10, and new items with ten raters are placed better by .01 to .04. On long tails the
/// directions are better by far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Start {
    /// From the teacher's directions, if there is a teacher that knows any; else from a factorisation, as below.
    pub from_teacher: bool,
    /// [`Ials::regularisation`].
    pub regularisation: f32,
    /// [`Ials::unobserved`]; long-tailed catalogues want it much smaller.
    pub unobserved: f32,
    /// [`Ials::sweeps`].
    pub sweeps: usize,
}

impl Default for Start {
    fn default() -> Self {
        Self { from_teacher: false, regularisation: 0.01, unobserved: 1.0, sweeps: 10 }
    }
}

/// The start values for `shape`, whose `dim` is at least 3.
pub fn start(
    set: &TaskSet,
    shape: Shape,
    teacher: Option<&dyn Teacher>,
    config: &Start,
    seed: u64,
) -> Parameters<f32> {
    let mut parameters = Parameters::zeros(shape);
    let dim = shape.dim;
    let directions =
        teacher.filter(|_| config.from_teacher).and_then(|teacher| teacher.directions(dim - AXES, seed));
    // The teacher's own lengths, up to the median, gained .001 to .002 of NDCG@10 on two long tails; those of a
    // factorisation nothing on MovieLens 100K: +.001 for maml, -.002 for prototypical.
    let full = directions.as_ref().map_or(0.0, median_length);
    let factors = directions.unwrap_or_else(|| {
        let ials = Ials {
            dim: dim - AXES,
            regularisation: config.regularisation,
            unobserved: config.unobserved,
            sweeps: config.sweeps,
            seed,
        };
        ials.factorise(set)
    });
    let rows = parameters[Block::Items].chunks_exact_mut(dim);
    for ((row, factor), popularity) in rows.zip(factors.column_iter()).zip(popularity(set)) {
        let scale = TASTE / factor.norm().max(full).max(f32::MIN_POSITIVE);
        let taste = scale * factor.norm();
        row.iter_mut().zip(factor.iter()).for_each(|(x, &y)| *x = scale * y);
        row[dim - 2] = (1.0 - taste * taste - popularity * popularity).sqrt();
        row[dim - 1] = popularity;
    }
    parameters[Block::Prior][dim - 1] = 1.0;
    for (level, target) in parameters[Block::Targets].iter_mut().enumerate() {
        *target = match set.levels.sentiment(level as u8) {
            Sentiment::Liked => 1.0,
            Sentiment::Neutral => 0.0,
            Sentiment::Disliked => -0.3,
        };
    }
    parameters[Block::Preconditioner].iter_mut().step_by(dim + 1).for_each(|x| *x = 1.0);
    fill_positive(
        &mut parameters,
        [
            (Block::Temperature, 0.1),
            (Block::StepSizes, 0.1), // from 0.3 the inner loop diverges at first for 20 shots on some data
            (Block::GramWeight, 0.05),
            (Block::Pull, 0.135),
        ],
    );
    parameters
}

/// Fills positive blocks: those given, and those that start alike whatever is ranked.
pub(super) fn fill_positive(parameters: &mut Parameters<f32>, blocks: [(Block, f32); 4]) {
    let alike =
        [(Block::Scale, 2.0), (Block::Shrinkage, 4.0), (Block::Sharpness, 3.0), (Block::Null, 20.0_f32)];
    for (block, value) in blocks.into_iter().chain(alike) {
        parameters[block].fill(value.ln());
    }
}

/// Half of the columns are no longer; 0 without columns.
fn median_length(factors: &DMatrix<f32>) -> f32 {
    let mut lengths: Vec<f32> = factors.column_iter().map(|factor| factor.norm()).collect();
    lengths.sort_unstable_by(f32::total_cmp);
    lengths.get(lengths.len() / 2).copied().unwrap_or(0.0)
}

/// Standardised log-popularity of each row, cut off at three standard deviations, times a third of
/// [`POPULAR`].
fn popularity(set: &TaskSet) -> Vec<f32> {
    let logs: Vec<f64> = set.catalogue.likes.iter().map(|&likes| f64::from(likes).ln_1p()).collect();
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / count;
    let deviation = variance.sqrt().max(f64::MIN_POSITIVE);
    let of = |log: &f64| POPULAR * (((log - mean) / deviation) as f32 / 3.0).clamp(-1.0, 1.0);
    logs.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Interaction;
    use crate::learner::Kind;
    use crate::train::tests::world;

    const DIM: usize = 16;

    /// Knows item i of so many by i times the first axis.
    struct Directed(usize);

    impl Teacher for Directed {
        fn logits(&self, _: &[Interaction], _: &mut [f32]) {}

        fn directions(&self, dim: usize, _: u64) -> Option<DMatrix<f32>> {
            Some(DMatrix::from_fn(dim, self.0, |axis, item| if axis == 0 { item as f32 } else { 0.0 }))
        }
    }

    /// Starts rows, and asserts that all have length 1, and their tastes these.
    fn assert_tastes(set: &TaskSet, teacher: Option<&dyn Teacher>, taste: impl Fn(usize) -> f32) {
        let shape = Shape {
            kind: Kind::Prototypical,
            dim: DIM,
            items: set.catalogue.len(),
            item_features: 0,
            user_features: 0,
            levels: set.levels.values.len(),
            steps: 0,
            gram: false,
        };
        let config = Start { from_teacher: true, ..Start::default() };
        let parameters = start(set, shape, teacher, &config, 1);
        let length = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (item, row) in parameters[Block::Items].chunks_exact(DIM).enumerate() {
            assert!((length(&row[..DIM - AXES]) - taste(item)).abs() < 1e-6, "{row:?}");
            assert!((length(row) - 1.0).abs() < 1e-6, "{row:?}");
        }
    }

    #[test]
    fn what_the_teacher_says_less_of_than_of_the_median_starts_with_less_taste() {
        let set = world();
        let items = set.catalogue.len();
        let median = items / 2;
        let taste = |item| TASTE * (item as f32 / median as f32).min(1.0);
        assert_tastes(&set, Some(&Directed(items)), taste);
    }

    #[test]
    fn all_rows_of_a_factorisation_start_with_as_much_taste() {
        assert_tastes(&world(), None, |_| TASTE);
    }
}
