//! `maml`: a fixed number of gradient steps on the user embedding, from a learned prior.
//!
//! Finn, Abbeel and Levine 2017 (ICML), with a step size per coordinate and step as in Meta-SGD (Li
//! et al. 2017). Inner loss: weighted squared error on the support, plus a pull towards the prior, plus, if
//! configured, `gram`, which stands for all the items without feedback.
//!
//! ```text
//! u = start
//! for a in step sizes:
//!     r = rows' u - targets
//!     g = rows (weights * r) + pull (u - start) [+ gram u]
//!     u = u - a * (preconditioner g)
//! probe = u / |u|
//! ```

use faer::MatRef;
use nalgebra::{DMatrix, DVector};

use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::preconditioner::Preconditioner;
use super::product::{self, view};
use super::vector::{normalise, normalise_reverse};
use super::{Adaptation, Gradient, Support};

/// The rule's own meta-parameters, as served.
pub(super) struct Maml<'a, T: Real> {
    /// dim a step, step after step.
    pub step_sizes: &'a [T],
    pub preconditioner: Preconditioner<'a, T>,
    /// dim x dim, times its weight; zero if absent.
    pub gram: Option<MatRef<'a, T>>,
    pub pull: T,
    /// The way back takes each inner gradient `g` for a constant.
    pub first_order: bool,
}

pub(super) struct Trace<T> {
    steps: Vec<Step<T>>,
    probe: DVector<T>,
    length: T,
}

/// One inner step, as named above.
struct Step<T> {
    user: DVector<T>,
    residuals: DVector<T>,
    inner_gradient: DVector<T>,
    direction: DVector<T>,
}

impl<'a, T: Real> Maml<'a, T> {
    pub(super) fn of(encoded: &'a Encoded<T>, first_order: bool) -> Self {
        let served = &encoded.served;
        Self {
            step_sizes: &served[Block::StepSizes],
            preconditioner: Preconditioner::of(encoded),
            gram: (!encoded.gram.is_empty()).then(|| view(&encoded.gram)),
            pull: served[Block::Pull][0],
            first_order,
        }
    }

    fn step(&self, support: &Support<T>, user: DVector<T>) -> Step<T> {
        let residuals = support.rows.tr_mul(&user) - &support.targets;
        let mut inner_gradient = &support.rows * residuals.component_mul(&support.weights);
        inner_gradient += (&user - &support.start) * self.pull;
        if let Some(gram) = self.gram {
            inner_gradient += product::times(gram, &user);
        }
        let direction = self.preconditioner.turn(&inner_gradient);
        Step { user, residuals, inner_gradient, direction }
    }

    /// Given `eta`, the slope of a step's direction, adds that of all behind it; returns the user's.
    fn step_reverse(
        &self,
        support: &Support<T>,
        step: &Step<T>,
        eta: &DVector<T>,
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    ) -> DVector<T> {
        let slope = self.preconditioner.turn_reverse(eta);
        if self.first_order {
            return DVector::zeros(slope.len());
        }
        let weighted = step.residuals.component_mul(&support.weights);
        let along = support.rows.tr_mul(&slope);
        let residual_slopes = along.component_mul(&support.weights);
        support_slope.rows.ger(T::one(), &slope, &weighted, T::one());
        support_slope.rows.ger(T::one(), &step.user, &residual_slopes, T::one());
        support_slope.weights += along.component_mul(&step.residuals);
        support_slope.targets -= &residual_slopes;
        support_slope.start -= &slope * self.pull;
        gradient.served[Block::Pull][0] += slope.dot(&(&step.user - &support.start));
        let mut user_slope = &support.rows * residual_slopes + &slope * self.pull;
        if let Some(gram) = self.gram {
            gradient.gram.ger(T::one(), &slope, &step.user, T::one());
            user_slope += product::times(gram.transpose(), &slope);
        }
        user_slope
    }
}

impl<T: Real> Adaptation<T> for Maml<'_, T> {
    type Trace = Trace<T>;

    fn adapt(&self, support: &Support<T>) -> (DMatrix<T>, Trace<T>) {
        let dim = support.start.len();
        let mut user = support.start.clone();
        let mut steps = Vec::with_capacity(self.step_sizes.len() / dim);
        for step_sizes in self.step_sizes.chunks_exact(dim) {
            let step = self.step(support, user);
            let step_sizes = DVector::from_column_slice(step_sizes);
            user = &step.user - step_sizes.component_mul(&step.direction);
            steps.push(step);
        }
        let length = normalise(user.as_mut_slice());
        (DMatrix::from_column_slice(dim, 1, user.as_slice()), Trace { steps, probe: user, length })
    }

    fn adapt_reverse(
        &self,
        support: &Support<T>,
        trace: &Trace<T>,
        probe_slopes: &[T],
        support_slope: &mut Support<T>,
        gradient: &mut Gradient<T>,
    ) {
        let dim = support.start.len();
        let mut slope = DVector::from_column_slice(probe_slopes);
        normalise_reverse(trace.probe.as_slice(), trace.length, slope.as_mut_slice());
        let (mut inner_gradients, mut etas) = (Vec::new(), Vec::new());
        for (index, step) in trace.steps.iter().enumerate().rev() {
            let of_step = index * dim..(index + 1) * dim;
            let step_sizes = DVector::from_column_slice(&self.step_sizes[of_step.clone()]);
            let step_size_slopes = &mut gradient.served[Block::StepSizes][of_step];
            for (coordinate, out) in step_size_slopes.iter_mut().enumerate() {
                *out -= slope[coordinate] * step.direction[coordinate];
            }
            let eta = -slope.component_mul(&step_sizes);
            slope += self.step_reverse(support, step, &eta, support_slope, gradient);
            inner_gradients.extend_from_slice(step.inner_gradient.as_slice());
            etas.extend_from_slice(eta.as_slice());
        }
        self.preconditioner.add_slopes(&inner_gradients, &etas, gradient);
        support_slope.start += slope;
    }
}
