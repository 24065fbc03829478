//! Dense symmetric matrices: co-occurrence counts and Cholesky solves for EASE and the ridge, principal axes
//! for iALS, leading eigenvectors for the learners' start values.
//!
//! The solves are single-threaded, so that the bits do not depend on the number of threads: the
//! ridge is the learners' teacher.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Spec};
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
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

/// Passes of [`leading`]. The spectra are flat, and start values need no exact eigenvectors.
const PASSES: usize = 5;

/// Directions that [`leading`] iterates beside those asked for.
const SPARE: usize = 16;

/// Columns of a product that one task computes.
pub(super) const COLUMNS: usize = 16;

/// The leading eigenvectors of the matrix that [`leading`] is told, each times its eigenvalue, as rows: `dim` x `size`.
/// Where the eigenvalue is negative, or there are fewer, they are zero.
pub(super) fn directions(
    times: impl Fn(&DMatrix<f32>) -> DMatrix<f32>,
    size: usize,
    dim: usize,
    seed: u64,
) -> Option<DMatrix<f32>> {
    let (values, vectors) = leading(times, size, dim, seed)?;
    Some(DMatrix::from_fn(dim, size, |axis, item| {
        values.get(axis).map_or(0.0, |value| value.max(0.0) * vectors[(item, axis)])
    }))
}

/// The `count` largest eigenvalues of a symmetric matrix (size x size), which is given by what it makes of others,
/// descending, and their eigenvectors (columns); all of them if there are fewer, `None` if the matrix is not finite.
///
/// By subspace iteration from a random start (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.3): approximate
/// where the spectrum is flat. The same bits whatever the number of threads, if that holds for `times`.
fn leading(
    times: impl Fn(&DMatrix<f32>) -> DMatrix<f32>,
    size: usize,
    count: usize,
    seed: u64,
) -> Option<(Vec<f32>, DMatrix<f32>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normal = Normal::new(0.0, 1.0).ok()?;
    let mut basis = DMatrix::from_fn(size, (count + SPARE).min(size), |_, _| normal.sample(&mut rng));
    for _ in 0..PASSES {
        basis = times(&basis).qr().q();
    }
    let small = basis.transpose() * times(&basis);
    let (values, vectors) = eigen(&small)?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(count);
    let vectors = basis * vectors.select_columns(&order);
    Some((order.iter().map(|&axis| values[axis]).collect(), vectors))
}

/// `(matrix + matrix') / 2 * right`, the square matrix column after column.
pub(super) fn symmetric_part_times(matrix: &[f32], right: &DMatrix<f32>) -> DMatrix<f32> {
    let size = right.nrows();
    let matrix = MatRef::from_column_major_slice(matrix, size, size);
    let mut product = DMatrix::zeros(size, right.ncols());
    let parts = product.as_mut_slice().par_chunks_mut(size * COLUMNS);
    parts.zip(right.as_slice().par_chunks(size * COLUMNS)).for_each(|(product, right)| {
        let right = MatRef::from_column_major_slice(right, size, right.len() / size);
        let mut product = MatMut::from_column_major_slice_mut(product, size, right.ncols());
        matmul(product.as_mut(), Accum::Replace, matrix, right, 0.5, Par::Seq);
        matmul(product, Accum::Add, matrix.transpose(), right, 0.5, Par::Seq);
    });
    product
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
    fn the_leading_eigenvectors_are_those_of_the_symmetric_part() {
        let skewed = DMatrix::from_fn(131, 131, |row, column| {
            let both = if row == column { 1.0 / (1 + row) as f32 } else { 0.0 };
            both + (row as f32 - column as f32) * 1e-3
        });
        let (values, vectors) =
            leading(|right| symmetric_part_times(skewed.as_slice(), right), 131, 4, 1).expect("finite");
        for (axis, value) in values.iter().enumerate() {
            assert!((value - 1.0 / (1 + axis) as f32).abs() < 1e-3, "{values:?}");
            assert!((vectors[(axis, axis)].abs() - 1.0).abs() < 1e-2);
        }
        assert!(leading(|right| right * f32::NAN, 3, 2, 1).is_none());
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
