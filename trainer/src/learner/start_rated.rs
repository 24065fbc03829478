//! Where meta-training starts that ranks rated items: a factor model of the ratings.
//!
//! ```text
//! row  = (TASTE loading, generous, MEAN (mean rating of the item - of all), slack)    in stars
//! user = (taste, generosity, 1, 0), known by `row . user = MEAN (rating - mean of all)` on the support
//! ```
//! `generous`, the same for all items, is such that taste and generosity vary alike; then gradient steps from the prior
//! `(0, 0, 1, 0)`, pulled back by `noise TASTE^2`, approach the factor model's posterior mean. Besides, a user may
//! follow the mean more or less than others.

use super::parameters::{Block, Parameters, Shape};
use super::start::fill_positive;
use crate::baseline::{GENEROSITY, RatingFactors};
use crate::data::TaskSet;

/// What a loading is multiplied by.
const TASTE: f32 = 0.5;

/// What a star above or below the mean is worth.
const MEAN: f32 = 0.2;

/// The longest that a row may be without its slack.
const LONGEST: f32 = 0.95;

/// Most axes that the ratings are factorised to; more overfit, and the others start at zero.
const FACTORS: usize = 8;

/// Axes that do not come from the factorisation: generosity, mean and slack.
const AXES: usize = 3;

/// The start values for `shape`, whose `dim` is at least 4.
pub fn start_rated(set: &TaskSet, shape: Shape, seed: u64) -> Parameters<f32> {
    let mut parameters = Parameters::zeros(shape);
    let dim = shape.dim;
    let model = RatingFactors { dim: FACTORS.min(dim - AXES), seed, ..RatingFactors::default() };
    let factors = model.fit(set);
    let rows = parameters[Block::Items].chunks_exact_mut(dim);
    for ((row, loading), mean) in rows.zip(factors.loadings.column_iter()).zip(&factors.means) {
        row.iter_mut().zip(loading.iter()).for_each(|(x, &y)| *x = TASTE * y);
        row[dim - 3] = TASTE * GENEROSITY.sqrt();
        row[dim - 2] = MEAN * (mean - factors.mean);
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > LONGEST {
            row.iter_mut().for_each(|x| *x *= LONGEST / length);
        }
        row[dim - 1] = (1.0 - length.min(LONGEST).powi(2)).sqrt();
    }
    parameters[Block::Prior][dim - 2] = 1.0;
    for (level, target) in parameters[Block::Targets].iter_mut().enumerate() {
        *target = MEAN * (set.levels.stars(level as u8) - factors.mean);
    }
    // The slack does not move at first: as good as equal for all items, it would pass for generosity, unpulled.
    let slack = parameters[Block::Preconditioner].len().saturating_sub(1);
    let axes = parameters[Block::Preconditioner].iter_mut().enumerate().step_by(dim + 1);
    axes.filter(|(at, _)| *at != slack).for_each(|(_, x)| *x = 1.0);
    fill_positive(
        &mut parameters,
        [
            (Block::Temperature, 0.2),
            (Block::StepSizes, 0.2), // diverged from 200 ratings on, had each counted in full
            (Block::GramWeight, 1e-3),
            (Block::Pull, model.noise * TASTE * TASTE),
        ],
    );
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Rank;
    use crate::learner::Kind;
    use crate::metrics::Scorer;
    use crate::train::tests::{config, world};
    use crate::train::{Config, train};

    #[test]
    fn many_untrained_steps_rank_as_the_factor_model_does() {
        let set = world();
        let config = Config { rank: Rank::Rated, steps: 300, epochs: 0, ..config(Kind::Maml) };
        let learned = train(&set, &[], None, &config, &mut |_| {});
        let factors = RatingFactors { dim: FACTORS, seed: config.seed, ..RatingFactors::default() }.fit(&set);
        let mut scores = [vec![0.0; set.catalogue.len()], vec![0.0; set.catalogue.len()]];
        for task in &set.tasks[..8] {
            let support = &task.interactions[..task.interactions.len() / 2];
            learned.score(support, &[], &mut scores[0]);
            factors.score(support, &[], &mut scores[1]);
            let correlation = correlation(&scores[0], &scores[1]);
            assert!(correlation > 0.98, "{correlation}");
        }
    }

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let centred = |x: &[f32]| {
            let mean = x.iter().sum::<f32>() / x.len() as f32;
            nalgebra::DVector::from_iterator(x.len(), x.iter().map(|x| x - mean)).normalize()
        };
        centred(a).dot(&centred(b))
    }
}
