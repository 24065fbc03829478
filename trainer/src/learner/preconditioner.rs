//! A learned matrix that turns the direction of an inner step, and its reverse.

use faer::MatRef;
use nalgebra::DVector;

use super::Gradient;
use super::encoder::Encoded;
use super::parameters::{Block, Real};
use super::product::{self, columns, columns_mut};

/// dim x dim; the identity if absent.
pub(super) struct Preconditioner<'a, T: Real>(pub Option<MatRef<'a, T>>);

impl<'a, T: Real> Preconditioner<'a, T> {
    pub(super) fn of(encoded: &'a Encoded<T>) -> Self {
        let served = &encoded.served;
        Self(Some(columns(&served[Block::Preconditioner], served.shape.dim)))
    }

    pub(super) fn turn(&self, vector: &DVector<T>) -> DVector<T> {
        match self.0 {
            Some(matrix) => product::times(matrix, vector),
            None => vector.clone(),
        }
    }

    /// The slope of a vector, given that of what it was turned into.
    pub(super) fn turn_reverse(&self, slope: &DVector<T>) -> DVector<T> {
        match self.0 {
            Some(matrix) => product::times(matrix.transpose(), slope),
            None => slope.clone(),
        }
    }

    /// Adds the slopes of the matrix, given vectors that were turned, one after the other, and the slopes of what they
    /// were turned into.
    pub(super) fn add_slopes(&self, vectors: &[T], slopes: &[T], gradient: &mut Gradient<T>) {
        let Some(matrix) = self.0 else { return };
        let dim = matrix.nrows();
        let sum = columns_mut(&mut gradient.served[Block::Preconditioner], dim);
        product::add(sum, columns(slopes, dim), columns(vectors, dim).transpose());
    }
}
