//! Dense symmetric matrices: co-occurrence counts and Cholesky solves for EASE and the ridge, principal axes
//! for iALS.
//!
//! The solves are single-threaded, so that the bits do not depend on the number of threads: the
//! ridge is the learners' teacher.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::{MatMut, MatRef, Par, Spec};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// `L' diag(weight) R` of two sparse 0/1 matrices over the same users: `left` holds the columns of `L` that
/// each user has, `right` the users of each column of `R`. Result `rows` x `right.len()`.
pub(super) fn co_occurrence(
    left: &[Vec<u32>],
    weight: &[f32],
    right: &[Vec<u32>],
    rows: usize,
) -> DMatrix<f32> {
    let mut counts = DMatrix::zeros(rows, right.len());
    counts.as_mut_slice().par_chunks_mut(rows.max(1)).zip(right).for_each(|(column, users)| {
        for &user in users {
            for &row in &left[user as usize] {
                column[row as usize] += weight[user as usize];
            }
        }
    });
    counts
}

/// The inverse of a symmetric positive definite matrix; `None` if it is not. Reads the lower triangle.
pub(super) fn inverse(matrix: DMatrix<f32>) -> Option<DMatrix<f32>> {
    let size = matrix.nrows();
    let factor = cholesky(matrix)?;
    let mut inverse = DMatrix::zeros(size, size);
    let mut memory = MemBuffer::new(llt::inverse::inverse_scratch::<f32>(size, Par::Seq));
    llt::inverse::inverse(view_mut(&mut inverse), view(&factor), Par::Seq, MemStack::new(&mut memory));
    inverse.fill_upper_triangle_with_lower_triangle();
    Some(inverse)
}

/// `matrix^-1 right` for a symmetric positive definite matrix; `None` if it is not. Reads the lower triangle.
pub(super) fn solve(matrix: DMatrix<f32>, mut right: DMatrix<f32>) -> Option<DMatrix<f32>> {
    let factor = cholesky(matrix)?;
    let mut memory =
        MemBuffer::new(llt::solve::solve_in_place_scratch::<f32>(right.nrows(), right.ncols(), Par::Seq));
    llt::solve::solve_in_place(view(&factor), view_mut(&mut right), Par::Seq, MemStack::new(&mut memory));
    Some(right)
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix; `None` if it is not finite. Reads the lower
/// triangle.
///
/// Not nalgebra's `symmetric_eigen`: that returns NaN for some matrices of deficient rank.
pub(super) fn eigen(matrix: &DMatrix<f32>) -> Option<(DVector<f32>, DMatrix<f32>)> {
    let size = matrix.nrows();
    let (mut values, mut vectors) = (DVector::zeros(size), DMatrix::zeros(size, size));
    let scratch =
        evd::self_adjoint_evd_scratch::<f32>(size, ComputeEigenvectors::Yes, Par::Seq, Spec::default());
    let decomposed = evd::self_adjoint_evd(
        view(matrix),
        DiagMut::from_slice_mut(values.as_mut_slice()),
        Some(view_mut(&mut vectors)),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Spec::default(),
    );
    let finite = decomposed.is_ok() && values.iter().all(|value| value.is_finite());
    finite.then_some((values, vectors))
}

/// The lower Cholesky factor; what is above its diagonal is left over from `matrix`.
fn cholesky(mut matrix: DMatrix<f32>) -> Option<DMatrix<f32>> {
    let scratch = llt::factor::cholesky_in_place_scratch::<f32>(matrix.nrows(), Par::Seq, Spec::default());
    let mut memory = MemBuffer::new(scratch);
    let factored = llt::factor::cholesky_in_place(
        view_mut(&mut matrix),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Spec::default(),
    );
    factored.is_ok().then_some(matrix)
}

fn view(matrix: &DMatrix<f32>) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice(matrix.as_slice(), matrix.nrows(), matrix.ncols())
}

fn view_mut(matrix: &mut DMatrix<f32>) -> MatMut<'_, f32> {
    let (rows, columns) = matrix.shape();
    MatMut::from_column_major_slice_mut(matrix.as_mut_slice(), rows, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symmetric, diagonally dominant, of a size that no block size divides.
    fn symmetric() -> DMatrix<f32> {
        DMatrix::from_fn(
            131,
            131,
            |row, column| {
                if row == column { 90.0 } else { ((row * column) % 7) as f32 / 7.0 }
            },
        )
    }

    #[test]
    fn inverse_and_solve_undo_the_matrix() {
        let identity = DMatrix::<f32>::identity(131, 131);
        let inverse = inverse(symmetric()).expect("positive definite");
        assert!((symmetric() * &inverse - &identity).amax() < 1e-5);
        assert!((solve(symmetric(), identity).expect("positive definite") - inverse).amax() < 1e-6);
    }

    #[test]
    fn eigenvectors_diagonalise_even_without_full_rank() {
        let thin = DMatrix::from_fn(64, 20, |row, column| ((row * 3 + column * 5) % 11) as f32 * 1e-3);
        for matrix in [symmetric(), &thin * thin.transpose(), DMatrix::zeros(5, 5)] {
            let (values, vectors) = eigen(&matrix).expect("finite");
            let back = &vectors * DMatrix::from_diagonal(&values) * vectors.transpose();
            assert!((back - &matrix).amax() <= 1e-5 * matrix.amax());
        }
        assert!(eigen(&DMatrix::from_element(3, 3, f32::NAN)).is_none());
    }

    #[test]
    fn an_indefinite_matrix_is_noticed() {
        let mut matrix = symmetric();
        matrix[(70, 70)] = -1.0;
        assert!(inverse(matrix).is_none());
    }

    #[test]
    fn co_occurrence_is_the_weighted_product() {
        let left = [vec![0, 2], vec![1, 2], vec![2]];
        let right = [vec![0, 1], vec![1, 2]]; // users of each column
        let counts = co_occurrence(&left, &[1.0, 10.0, 100.0], &right, 3);
        assert_eq!(counts, DMatrix::from_row_slice(3, 2, &[1.0, 0.0, 10.0, 10.0, 11.0, 110.0]));
    }
}
