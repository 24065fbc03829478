//! From the prior and the support to what ranks: one file per adaptation rule, each one function.

pub(crate) mod maml;
pub(crate) mod matching;
pub(crate) mod prototypical;

use crate::kernel::Kernel;
use tinderbox_format::Model;

/// The longest support whose feedback counts in full.
const LONGEST: f32 = 20.0;

/// What each interaction of a support of `len` counts: training adapts to at most 20, and the steps that it learns for so
/// many overshoot on several times their weight (NDCG@10 of `maml` fell by a third from 20 to 150 interactions).
pub fn feedback_share(len: usize) -> f32 {
    if len as f32 > LONGEST { LONGEST / len as f32 } else { 1.0 }
}

/// A support is padded to a multiple of this many interactions, with weight 0, for the sake of wide registers; bare metal
/// has narrow ones, and no memory to pad. No result depends on it.
pub(crate) const LANES: usize = if cfg!(target_os = "none") { 1 } else { 16 };

/// The support set as the adaptation rules read it. k = number of interactions, `width` = k rounded up to
/// a multiple of [`LANES`].
pub(crate) struct Support<'a> {
    /// Embeddings of the support, k x dim.
    pub(crate) rows: &'a [f32],
    /// The same transposed, dim x width, padded with zeros.
    pub(crate) columns: &'a [f32],
    /// Target of each interaction, width, padded with zeros.
    pub(crate) targets: &'a [f32],
    /// Weight of each interaction, width, padded with zeros; zero also takes an interaction out.
    pub(crate) weights: &'a [f32],
}

/// Memory for one adaptation.
pub(crate) struct Work<'a> {
    /// width
    pub(crate) residual: &'a mut [f32],
    /// dim
    pub(crate) gradient: &'a mut [f32],
    /// dim
    pub(crate) direction: &'a mut [f32],
}

/// `direction = P gradient`, the learned preconditioner being the identity where the file has none.
fn precondition(model: &Model<'_>, kernel: Kernel, gradient: &[f32], direction: &mut [f32]) {
    match model.preconditioner() {
        Some(columns) => {
            direction.fill(0.0);
            kernel.accumulate(columns, gradient, direction);
        }
        None => direction.copy_from_slice(gradient),
    }
}
