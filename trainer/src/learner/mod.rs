//! The three learners: how a handful of feedback becomes scores for the whole catalogue, and the
//! exact gradient of the query's loss with respect to every meta-parameter.
//!
//! They share one encoder, one loss and one training loop, and differ in one trait, `Adaptation`:
//!
//! ```text
//! encode   meta-parameters -> rows (items, unit norm)      encoder
//! adapt    support -> probes, one or more vectors          maml, prototypical, matching
//! score    rows . probes -> one score an item              matching; the others use the product itself
//! judge    softmax cross-entropy against query and teacher objective
//! ```
//! and the same in reverse for the gradient.

mod candidates;
mod encoder;
mod learned;
mod maml;
mod matching;
mod new_item;
mod objective;
mod parameters;
mod preconditioner;
mod product;
mod prototypical;
mod start;
mod start_rated;
mod vector;

pub use candidates::{Candidates, Sampler};
pub use learned::{Check, Learned, Rule, best_epoch};
pub use objective::{Objective, Taught, Teacher};
pub use parameters::{Block, Parameters, Real, Shape};
pub use start::{Start, start};
pub use start_rated::start_rated;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::data::Interaction;
use tinderbox::feedback_share;
use vector::add_scaled;

/// Work is cut into about this many parts, however many threads there are: sums then have one order.
const BLOCKS: usize = 8;

/// Which rule adapts to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Gradient steps from a learned prior (Finn et al. 2017; Li et al. 2017).
    Maml,
    /// A step towards the weighted mean of the support (Snell et al. 2017).
    Prototypical,
    /// Attention over the support (Vinyals et al. 2016).
    Matching,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Maml, Self::Prototypical, Self::Matching];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Maml => "maml",
            Self::Prototypical => "prototypical",
            Self::Matching => "matching",
        }
    }
}

/// What a rule adapts to, or the slope of each of these numbers.
struct Support<T> {
    /// dim: the prior plus the embeddings of the user's features.
    start: DVector<T>,
    /// dim x k: the rows of the items.
    rows: DMatrix<T>,
    /// k: what each item's product with the user is pulled to.
    targets: DVector<T>,
    /// k: how hard.
    weights: DVector<T>,
}

/// The slopes that a rule adds to beside those of its [`Support`].
struct Gradient<T> {
    /// Of the served values; the item blocks are empty.
    served: Parameters<T>,
    /// dim x dim, or empty.
    gram: DMatrix<T>,
}

/// An adaptation rule over served meta-parameters, and its reverse.
trait Adaptation<T: Real>: Sync {
    /// What the way forward keeps for the way back.
    type Trace: Send;

    /// Vectors (dim x m) whose products with every row the scores are made of.
    fn adapt(&self, support: &Support<T>) -> (DMatrix<T>, Self::Trace);

    /// Fills `scores` (items) from the products (items x m, column-major).
    fn score(&self, support: &Support<T>, products: &[T], scores: &mut [T]) {
        let _ = support;
        scores.copy_from_slice(products);
    }

    /// Turns products into their slopes, given those of the scores.
    fn score_reverse(
        &self,
        support: &Support<T>,
        products: &mut [T],
        slopes: &[T],
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    ) {
        let _ = (support, support_slope, gradient);
        products.copy_from_slice(slopes);
    }

    /// Adds what the slopes of the probes (dim x m, column-major) mean for the support and the meta-parameters.
    fn adapt_reverse(
        &self,
        support: &Support<T>,
        trace: &Self::Trace,
        probe_slopes: &[T],
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    );
}

/// The served meta-parameters that every rule needs, borrowed.
#[derive(Clone, Copy)]
struct Served<'a, T> {
    dim: usize,
    rows: &'a [T],
    prior: &'a [T],
    user_features: &'a [T],
    targets: &'a [T],
    weights: &'a [T],
}

impl<'a, T: Real> Served<'a, T> {
    fn of(served: &'a Parameters<T>) -> Self {
        Self {
            dim: served.shape.dim,
            rows: &served[Block::Items],
            prior: &served[Block::Prior],
            user_features: &served[Block::UserFeatures],
            targets: &served[Block::Targets],
            weights: &served[Block::Weights],
        }
    }

    fn support(&self, interactions: &[Interaction], features: &[u32]) -> Support<T> {
        let mut start = DVector::from_column_slice(self.prior);
        for &feature in features {
            let embedding = &self.user_features[feature as usize * self.dim..][..self.dim];
            add_scaled(start.as_mut_slice(), T::one(), embedding);
        }
        let mut rows = DMatrix::zeros(self.dim, interactions.len());
        for (mut column, interaction) in rows.column_iter_mut().zip(interactions) {
            column.copy_from_slice(&self.rows[interaction.item as usize * self.dim..][..self.dim]);
        }
        let per_level = |table: &[T]| {
            let of = interactions.iter().map(|interaction| table[usize::from(interaction.level)]);
            DVector::from_iterator(interactions.len(), of)
        };
        let weights = per_level(self.weights) * T::of(feedback_share(interactions.len()).into());
        Support { start, rows, targets: per_level(self.targets), weights }
    }
}

impl<T: Real> Support<T> {
    fn zeros_like(&self) -> Self {
        Self {
            start: DVector::zeros(self.start.len()),
            rows: DMatrix::zeros(self.rows.nrows(), self.rows.ncols()),
            targets: DVector::zeros(self.targets.len()),
            weights: DVector::zeros(self.weights.len()),
        }
    }
}
