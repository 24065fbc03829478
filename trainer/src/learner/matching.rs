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

use nalgebra::DMatrix;

use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::vector::add_scaled;
use super::{Adaptation, Gradient, Support};

/// Items that attend side by side, so that the compiler vectorises over them. Where fewer are left, zeros fill up.
const ABREAST: usize = 64;

/// A number of each of them.
type Abreast<T> = [T; ABREAST];

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
    fn attend(&self, weights: &[T], attention: &mut [Abreast<T>]) -> Abreast<T> {
        let mut highest = [T::zero(); ABREAST];
        for cosines in &*attention {
            for (highest, &cosine) in highest.iter_mut().zip(cosines) {
                *highest = if cosine > *highest { cosine } else { *highest };
            }
        }
        let mut null = highest.map(|highest| self.null * (-self.sharpness * highest).exponential());
        let mut sum = null;
        for (shares, &weight) in attention.iter_mut().zip(weights) {
            for ((share, &highest), sum) in shares.iter_mut().zip(&highest).zip(&mut sum) {
                *share = weight * (self.sharpness * (*share - highest)).exponential();
                *sum += *share;
            }
        }
        for shares in attention.iter_mut().chain([&mut null]) {
            shares.iter_mut().zip(&sum).for_each(|(share, &sum)| *share /= sum);
        }
        null
    }
}

/// Fills `cosines` (k) with those of the `len` items from `first` on, of the products of `items`.
fn gather<T: Real>(products: &[T], items: usize, first: usize, len: usize, cosines: &mut [Abreast<T>]) {
    for (of_slot, products) in cosines.iter_mut().zip(products[items..].chunks_exact(items)) {
        *of_slot = filled_up(&products[first..][..len]);
    }
}

fn filled_up<T: Real>(values: &[T]) -> Abreast<T> {
    let mut abreast = [T::zero(); ABREAST];
    abreast[..values.len()].copy_from_slice(values);
    abreast
}

/// The feedback that the items attend to.
fn attended_feedback<T: Real>(attention: &[Abreast<T>], targets: &[T]) -> Abreast<T> {
    let mut attended = [T::zero(); ABREAST];
    for (shares, &target) in attention.iter().zip(targets) {
        add_scaled(&mut attended, target, shares);
    }
    attended
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
        let (weights, targets) = (support.weights.as_slice(), support.targets.as_slice());
        let mut attention = vec![[T::zero(); ABREAST]; targets.len()];
        for (first, scores) in (0..).step_by(ABREAST).zip(scores.chunks_mut(ABREAST)) {
            gather(products, items, first, scores.len(), &mut attention);
            self.attend(weights, &mut attention);
            let by_start = &products[first..];
            for ((score, &by_start), attended) in
                scores.iter_mut().zip(by_start).zip(attended_feedback(&attention, targets))
            {
                *score = by_start + attended;
            }
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
        let (weights, targets) = (support.weights.as_slice(), support.targets.as_slice());
        let mut attention = vec![[T::zero(); ABREAST]; targets.len()];
        let mut target_slopes = attention.clone();
        let mut logit_slopes = attention.clone();
        let [mut sharpness_slopes, mut null_slopes] = [[T::zero(); ABREAST]; 2];
        for (first, some) in (0..).step_by(ABREAST).zip(slopes.chunks(ABREAST)) {
            gather(products, items, first, some.len(), &mut attention);
            products[first..][..some.len()].copy_from_slice(some);
            let slopes = filled_up(some);
            let null_shares = self.attend(weights, &mut attention);
            let attended = attended_feedback(&attention, targets);
            for item in 0..ABREAST {
                null_slopes[item] -= slopes[item] * null_shares[item] * attended[item];
            }
            for (slot, shares) in attention.iter().enumerate() {
                let products = &mut products[(1 + slot) * items + first..][..some.len()];
                let mut cosines = filled_up(products);
                for item in 0..ABREAST {
                    let share_slope = slopes[item] * shares[item];
                    let logit_slope = share_slope * (targets[slot] - attended[item]);
                    target_slopes[slot][item] += share_slope;
                    logit_slopes[slot][item] += logit_slope;
                    sharpness_slopes[item] += logit_slope * cosines[item];
                    cosines[item] = logit_slope * self.sharpness;
                }
                products.copy_from_slice(&cosines[..some.len()]);
            }
        }
        let sum = |slopes: Abreast<T>| slopes.into_iter().fold(T::zero(), |sum, slope| sum + slope);
        for (slot, (of_target, of_logit)) in target_slopes.into_iter().zip(logit_slopes).enumerate() {
            support_slope.targets[slot] += sum(of_target);
            support_slope.weights[slot] += sum(of_logit) / weights[slot];
        }
        gradient.served[Block::Sharpness][0] += sum(sharpness_slopes);
        gradient.served[Block::Null][0] += sum(null_slopes) / self.null;
    }

    fn adapt_reverse(
        &self,
        support: &Support<T>,
        (): &(),
        probe_slopes: &[T],
        support_slope: &mut Support<T>,
        _: &mut Gradient<T>,
    ) {
        let (of_start, of_rows) = probe_slopes.split_at(support.start.len());
        add_scaled(support_slope.start.as_mut_slice(), T::one(), of_start);
        add_scaled(support_slope.rows.as_mut_slice(), T::one(), of_rows);
    }
}
