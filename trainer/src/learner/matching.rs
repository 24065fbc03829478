//! `matching`: every item attends over the support by cosine; its score is the feedback it attends to.
//!
//! Vinyals et al. 2016 (NeurIPS). `null` competes with the support for attention, so that a single
//! piece of feedback still tells items apart; the prior's direction ranks what nothing attends to.
//!
//! ```text
//! x_ij    = weight_j exp(sharpness row_i . row_j)            j over the support
//! a_ij    = x_ij / (null + sum_j x_ij)
//! score_i = start . row_i + sum_j a_ij target_j
//! probes  = start, row_1 ... row_k
//! ```

use nalgebra::{DMatrix, DMatrixView};

use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::vector::dot;
use super::{Adaptation, Gradient, Support};

/// The rule's own meta-parameters, as served.
pub(super) struct Matching<T> {
    pub sharpness: T,
    pub null: T,
}

impl<T: Real> Matching<T> {
    pub(super) fn of(encoded: &Encoded<T>) -> Self {
        let served = &encoded.served;
        Self { sharpness: served[Block::Sharpness][0], null: served[Block::Null][0] }
    }

    /// Fills `attention` (k), given cosines in their place; the share that `null` has.
    ///
    /// The highest cosine, if positive, is taken off every exponent: nothing overflows.
    fn attend(&self, weights: &[T], attention: &mut [T]) -> T {
        let highest = attention.iter().fold(T::zero(), |highest, &cosine| highest.max(cosine));
        let null = self.null * (-self.sharpness * highest).exp();
        let mut sum = null;
        for (share, &weight) in attention.iter_mut().zip(weights) {
            *share = weight * (self.sharpness * (*share - highest)).exp();
            sum += *share;
        }
        attention.iter_mut().for_each(|share| *share /= sum);
        null / sum
    }
}

impl<T: Real> Adaptation<T> for Matching<T> {
    type Trace = ();

    fn adapt(&self, support: &Support<T>) -> (DMatrix<T>, ()) {
        let mut probes = DMatrix::zeros(support.start.len(), 1 + support.rows.ncols());
        probes.column_mut(0).copy_from(&support.start);
        probes.columns_mut(1, support.rows.ncols()).copy_from(&support.rows);
        (probes, ())
    }

    fn score(&self, support: &Support<T>, products: &[T], scores: &mut [T]) {
        let items = scores.len();
        let mut attention = vec![T::zero(); support.targets.len()];
        for (item, score) in scores.iter_mut().enumerate() {
            for (slot, cosine) in attention.iter_mut().enumerate() {
                *cosine = products[(1 + slot) * items + item];
            }
            self.attend(support.weights.as_slice(), &mut attention);
            *score = products[item] + dot(&attention, support.targets.as_slice());
        }
    }

    fn score_reverse(
        &self,
        support: &Support<T>,
        products: &mut [T],
        slopes: &[T],
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    ) {
        let items = slopes.len();
        let mut attention = vec![T::zero(); support.targets.len()];
        let (mut sharpness_slope, mut null_slope) = (T::zero(), T::zero());
        for (item, &slope) in slopes.iter().enumerate() {
            products[item] = slope;
            for (slot, cosine) in attention.iter_mut().enumerate() {
                *cosine = products[(1 + slot) * items + item];
            }
            let null_share = self.attend(support.weights.as_slice(), &mut attention);
            let attended = dot(&attention, support.targets.as_slice());
            null_slope -= slope * null_share * attended;
            for (slot, &share) in attention.iter().enumerate() {
                let product = &mut products[(1 + slot) * items + item];
                let logit_slope = slope * share * (support.targets[slot] - attended);
                sharpness_slope += logit_slope * *product;
                *product = logit_slope * self.sharpness;
                support_slope.targets[slot] += slope * share;
                support_slope.weights[slot] += logit_slope / support.weights[slot];
            }
        }
        gradient.served[Block::Sharpness][0] += sharpness_slope;
        gradient.served[Block::Null][0] += null_slope / self.null;
    }

    fn adapt_reverse(
        &self,
        support: &Support<T>,
        (): &(),
        probe_slopes: DMatrixView<'_, T>,
        support_slope: &mut Support<T>,
        _: &mut Gradient<T>,
    ) {
        support_slope.start += probe_slopes.column(0);
        support_slope.rows += probe_slopes.columns(1, support.rows.ncols());
    }
}
