//! From the prior and the support to what ranks: one file per adaptation rule, each one function.

mod maml;
pub(crate) mod matching;
mod prototypical;

use crate::kernel::Kernel;
use crate::quantise::quantise_user;
use tinderbox_format::{Model, Rule};

/// The longest support whose feedback counts in full.
const LONGEST: f32 = 20.0;

/// What each interaction of a support of `len` counts: training adapts to at most 20, and the steps that it learns for so
/// many overshoot on several times their weight (NDCG@10 of `maml` fell by a third from 20 to 150 interactions).
pub fn feedback_share(len: usize) -> f32 {
    if len as f32 > LONGEST { LONGEST / len as f32 } else { 1.0 }
}

/// The support set as the adaptation rules read it; k = number of interactions.
pub(crate) struct Support<'a> {
    /// Embeddings of the support, k x dim.
    pub(crate) rows: &'a [f32],
    /// Target of each interaction, k.
    pub(crate) targets: &'a [f32],
    /// Weight of each interaction, k; zero takes an interaction out.
    pub(crate) weights: &'a [f32],
}

/// What one adaptation computes with, and where.
pub(crate) struct Work<'a> {
    pub(crate) kernel: Kernel,
    /// k
    pub(crate) residual: &'a mut [f32],
    /// dim
    pub(crate) gradient: &'a mut [f32],
    /// dim
    pub(crate) direction: &'a mut [f32],
}

/// One adaptation: from the prior and the support to the user as it meets the rows.
pub(crate) struct Adaptation<'a> {
    pub(crate) model: &'a Model<'a>,
    /// The prior and the user's features, dim.
    pub(crate) base: &'a [f32],
    pub(crate) support: Support<'a>,
    pub(crate) work: Work<'a>,
    /// The adapted user embedding, dim; under the rule `matching`, the base.
    pub(crate) user: &'a mut [f32],
    /// The same in integers, dim.
    pub(crate) query: &'a mut [i16],
}

impl Adaptation<'_> {
    /// Returns what turns an integer dot product of row and query, times the row's scale, into a score.
    pub(crate) fn run(self) -> f32 {
        let Self { model, base, support, mut work, user, query } = self;
        let unit = match model.rule() {
            Rule::Maml { pull } => {
                maml::adapt(model, pull, base, &support, &mut work, user);
                true
            }
            Rule::Prototypical { scale, shrinkage } => {
                prototypical::adapt(model, scale, shrinkage, base, &support, &mut work, user);
                true
            }
            Rule::Matching { .. } => {
                user.copy_from_slice(base);
                false
            }
        };
        quantise_user(work.kernel, user, unit, query)
    }
}

/// `direction = P gradient`, the learned preconditioner being the identity where the file has none.
fn precondition(preconditioner: Option<&[f32]>, work: &mut Work<'_>) {
    match preconditioner {
        Some(columns) => {
            work.direction.fill(0.0);
            work.kernel.accumulate(columns, work.gradient, work.direction);
        }
        None => work.direction.copy_from_slice(work.gradient),
    }
}
