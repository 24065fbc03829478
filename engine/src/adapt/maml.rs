//! Gradient steps from a learned prior (Finn et al. 2017) with learned step sizes (Meta-SGD, Li et al.
//! 2017), on the weighted squared error of the support.
//!
//! ```text
//! u = b                                               the prior and the user's features
//! for t in 0..T:
//!     r_j = w_j (e_j . u - y_j)
//!     g   = sum_j r_j e_j + pull (u - b) + G u        G: the catalogue's Gram matrix, scaled; stands
//!     u  -= a_t * (P g)                               for "all the other items"
//! ```

use super::{Support, Work, precondition};
use tinderbox_format::Model;

/// Adapts `user` (dim) from `base` (dim) to the support. Cost: T * (2 k + 2 dim) * dim multiplications.
pub(super) fn adapt(
    model: &Model<'_>,
    pull: f32,
    base: &[f32],
    support: &Support<'_>,
    work: &mut Work<'_>,
    user: &mut [f32],
) {
    let kernel = work.kernel;
    let (gram, preconditioner) = (model.gram(), model.preconditioner());
    user.copy_from_slice(base);
    for step_sizes in model.step_sizes().chunks_exact(base.len()) {
        kernel.dots(support.rows, user, work.residual);
        for ((residual, target), weight) in work.residual.iter_mut().zip(support.targets).zip(support.weights)
        {
            *residual = weight * (*residual - target);
        }
        for ((gradient, user), base) in work.gradient.iter_mut().zip(&*user).zip(base) {
            *gradient = pull * (user - base);
        }
        kernel.accumulate(support.rows, work.residual, work.gradient);
        if let Some(gram) = gram {
            kernel.accumulate(gram, user, work.gradient);
        }
        precondition(preconditioner, work);
        for ((user, step_size), direction) in user.iter_mut().zip(step_sizes).zip(&*work.direction) {
            *user -= step_size * direction;
        }
    }
}
