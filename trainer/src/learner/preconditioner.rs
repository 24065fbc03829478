//! A learned matrix that turns the direction of an inner step, and its reverse.

use nalgebra::{DMatrixView, DVector};

use super::Gradient;
use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::vector::{add_outer, columns};

/// dim x dim; the identity if absent.
pub(super) struct Preconditioner<'a, T: Real>(pub Option<DMatrixView<'a, T>>);

impl<'a, T: Real> Preconditioner<'a, T> {
    pub(super) fn of(encoded: &'a Encoded<T>) -> Self {
        let served = &encoded.served;
        Self(Some(columns(&served[Block::Preconditioner], served.shape.dim)))
    }

    pub(super) fn turn(&self, vector: &DVector<T>) -> DVector<T> {
        match &self.0 {
            Some(matrix) => matrix * vector,
            None => vector.clone(),
        }
    }

    /// The slope of `vector`, given that of what it was turned into; adds the matrix's own.
    pub(super) fn turn_reverse(
        &self,
        vector: &DVector<T>,
        slope: &DVector<T>,
        gradient: &mut Gradient<T>,
    ) -> DVector<T> {
        let Some(matrix) = &self.0 else { return slope.clone() };
        add_outer(&mut gradient.served[Block::Preconditioner], slope, vector);
        matrix.tr_mul(slope)
    }
}
