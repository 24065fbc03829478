//! Attention over the support with the ranking cosine (Matching Networks, Vinyals et al. 2016).
//!
//! ```text
//! a_ij    = w_j exp(sharpness cos(e_j, e_i)) / (null + sum_j w_j exp(sharpness cos(e_j, e_i)))
//! score_i = b . e_i + sum_j a_ij y_j
//! ```
//!
//! Without the null slot one interaction would get all the attention of every item, and a list after one
//! like would be the prior's.

use crate::kernel::{Attention, Kernel, Scan};
use crate::rank::CHUNK;

/// One support item as a query.
pub(crate) struct Attended<'a> {
    /// dim
    pub(crate) query: &'a [i16],
    /// The scale of its row.
    pub(crate) scale: f32,
    /// How it is attended to.
    pub(crate) attention: Attention,
}

/// Adds the attended feedback to `scores`, at most [`CHUNK`] of them, which hold the prior's part.
///
/// `scan` goes over the rows of the scores. Cost: one pass over them and one exponential an item for each interaction.
pub(crate) fn attend<'a>(
    kernel: Kernel,
    null: f32,
    support: impl Iterator<Item = Attended<'a>>,
    scan: Scan<'_>,
    scores: &mut [f32],
) {
    let (mut cosines, mut attended, mut total) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
    let [cosines, attended, total] =
        [&mut cosines, &mut attended, &mut total].map(|values| &mut values[..scores.len()]);
    total.fill(null);
    for item in support {
        scan(item.query, item.scale, cosines);
        kernel.attend(cosines, item.attention, attended, total);
    }
    for ((score, &mut attended), &mut total) in scores.iter_mut().zip(attended).zip(total) {
        if total > 0.0 {
            *score += attended / total;
        }
    }
}
