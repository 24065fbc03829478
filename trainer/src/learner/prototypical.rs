//! `prototypical`: one step from the prior towards the weighted mean of the support, likes and
//! dislikes.
//!
//! Snell, Swersky and Zemel 2017 (NeurIPS), with the step's length learned: the less feedback, the
//! closer to the prior.
//!
//! ```text
//! prototype = rows (weights * targets)
//! u = start + scale / (shrinkage + sum of weights) preconditioner prototype
//! probe = u / |u|
//! ```

use nalgebra::{DMatrix, DVector};

use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::preconditioner::Preconditioner;
use super::vector::{normalise, normalise_reverse};
use super::{Adaptation, Gradient, Support};

/// The rule's own meta-parameters, as served.
pub(super) struct Prototypical<'a, T: Real> {
    pub scale: T,
    pub shrinkage: T,
    pub preconditioner: Preconditioner<'a, T>,
}

pub(super) struct Trace<T> {
    prototype: DVector<T>,
    direction: DVector<T>,
    probe: DVector<T>,
    length: T,
}

impl<'a, T: Real> Prototypical<'a, T> {
    pub(super) fn of(encoded: &'a Encoded<T>) -> Self {
        let served = &encoded.served;
        Self {
            scale: served[Block::Scale][0],
            shrinkage: served[Block::Shrinkage][0],
            preconditioner: Preconditioner::of(encoded),
        }
    }

    fn step(&self, support: &Support<T>) -> T {
        self.scale / (self.shrinkage + support.weights.sum())
    }
}

impl<T: Real> Adaptation<T> for Prototypical<'_, T> {
    type Trace = Trace<T>;

    fn adapt(&self, support: &Support<T>) -> (DMatrix<T>, Trace<T>) {
        let prototype = &support.rows * support.weights.component_mul(&support.targets);
        let direction = self.preconditioner.turn(&prototype);
        let mut user = &support.start + &direction * self.step(support);
        let length = normalise(user.as_mut_slice());
        let probe = DMatrix::from_column_slice(user.len(), 1, user.as_slice());
        (probe, Trace { prototype, direction, probe: user, length })
    }

    fn adapt_reverse(
        &self,
        support: &Support<T>,
        trace: &Trace<T>,
        probe_slopes: &[T],
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    ) {
        let mut slope = DVector::from_column_slice(probe_slopes);
        normalise_reverse(trace.probe.as_slice(), trace.length, slope.as_mut_slice());
        support_slope.start += &slope;

        let step = self.step(support);
        let step_slope = slope.dot(&trace.direction);
        let shrinkage_slope = -step_slope * step / (self.shrinkage + support.weights.sum());
        gradient.served[Block::Scale][0] += step_slope * step / self.scale;
        gradient.served[Block::Shrinkage][0] += shrinkage_slope;

        slope *= step;
        self.preconditioner.add_slopes(trace.prototype.as_slice(), slope.as_slice(), gradient);
        let slope = self.preconditioner.turn_reverse(&slope);
        let along = support.rows.tr_mul(&slope);
        let pulls = support.weights.component_mul(&support.targets);
        support_slope.rows.ger(T::one(), &slope, &pulls, T::one());
        support_slope.targets += along.component_mul(&support.weights);
        support_slope.weights += along.component_mul(&support.targets);
        support_slope.weights.add_scalar_mut(shrinkage_slope);
    }
}
