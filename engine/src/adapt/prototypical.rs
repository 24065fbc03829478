//! The prior moved by the shrunk, weighted mean of the support embeddings (Prototypical Networks, Snell et
//! al. 2017); dislikes have negative targets.
//!
//! ```text
//! u = b + scale / (shrinkage + sum_j w_j) P sum_j w_j y_j e_j
//! ```

use super::{Support, Work, precondition};
use tinderbox_format::Model;

/// Adapts `user` (dim) from `base` (dim) to the support. Cost: (k + dim) * dim multiplications.
pub(super) fn adapt(
    model: &Model<'_>,
    scale: f32,
    shrinkage: f32,
    base: &[f32],
    support: &Support<'_>,
    work: &mut Work<'_>,
    user: &mut [f32],
) {
    let mut total = shrinkage;
    for ((residual, target), weight) in work.residual.iter_mut().zip(support.targets).zip(support.weights) {
        *residual = weight * target;
        total += weight;
    }
    work.gradient.fill(0.0);
    work.kernel.accumulate(support.rows, work.residual, work.gradient);
    precondition(model.preconditioner(), work);
    let share = scale / total; // shrinkage is above zero
    for ((user, base), direction) in user.iter_mut().zip(base).zip(&*work.direction) {
        *user = base + share * direction;
    }
}
