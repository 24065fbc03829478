//! Products of the catalogue's rows with many vectors, and of small matrices with one: by faer, which takes a transpose
//! as it lies and is fast on few columns, too.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::BLOCKS;
use super::parameters::Real;

/// A matrix in a slice, by columns of `rows` numbers.
pub(super) fn columns<T: Real>(values: &[T], rows: usize) -> MatRef<'_, T> {
    MatRef::from_column_major_slice(values, rows, values.len() / rows)
}

/// [`columns`], to write to.
pub(super) fn columns_mut<T: Real>(values: &mut [T], rows: usize) -> MatMut<'_, T> {
    let columns = values.len() / rows;
    MatMut::from_column_major_slice_mut(values, rows, columns)
}

/// A matrix of nalgebra's.
pub(super) fn view<T: Real>(matrix: &DMatrix<T>) -> MatRef<'_, T> {
    MatRef::from_column_major_slice(matrix.as_slice(), matrix.nrows(), matrix.ncols())
}

/// [`view`], to write to.
fn view_mut<T: Real>(matrix: &mut DMatrix<T>) -> MatMut<'_, T> {
    let (rows, columns) = matrix.shape();
    MatMut::from_column_major_slice_mut(matrix.as_mut_slice(), rows, columns)
}

/// `sum += left right`.
pub(super) fn add<T: Real>(sum: MatMut<'_, T>, left: MatRef<'_, T>, right: MatRef<'_, T>) {
    matmul(sum, Accum::Add, left, right, T::one(), Par::Seq);
}

/// `matrix vector`.
pub(super) fn times<T: Real>(matrix: MatRef<'_, T>, vector: &DVector<T>) -> DVector<T> {
    let mut product = DVector::zeros(matrix.nrows());
    add(
        columns_mut(product.as_mut_slice(), matrix.nrows()),
        matrix,
        columns(vector.as_slice(), vector.len()),
    );
    product
}

/// `rows' vectors` (items x m), of rows (dim x items) and vectors (dim x m).
pub(super) fn with_rows<T: Real>(rows: MatRef<'_, T>, vectors: &DMatrix<T>) -> DMatrix<T> {
    let mut products = DMatrix::zeros(rows.ncols(), vectors.ncols());
    let parts = view_mut(&mut products).par_row_partition_mut(BLOCKS);
    let vectors = view(vectors);
    parts.zip(rows.transpose().par_row_partition(BLOCKS)).for_each(|(part, rows)| add(part, rows, vectors));
    products
}

/// `rows weights` (dim x m), of rows (dim x items) and weights (items x m), summed in fixed blocks of items.
pub(super) fn of_rows<T: Real>(rows: MatRef<'_, T>, weights: MatRef<'_, T>) -> DMatrix<T> {
    let (dim, count) = (rows.nrows(), weights.ncols());
    let parts = rows.par_col_partition(BLOCKS).zip(weights.par_row_partition(BLOCKS));
    let sums: Vec<DMatrix<T>> = parts
        .map(|(rows, weights)| {
            let mut sum = DMatrix::zeros(dim, count);
            add(view_mut(&mut sum), rows, weights);
            sum
        })
        .collect();
    sums.into_iter().fold(DMatrix::zeros(dim, count), |sum, part| sum + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_nalgebras_for_any_number_of_items_and_vectors() {
        let matrix = |rows, columns, seed: usize| {
            DMatrix::from_fn(rows, columns, |row, column| ((row * 7 + column * 5 + seed) % 11) as f64 - 5.0)
        };
        for items in 0..20 {
            let rows = matrix(3, items, 1);
            for count in 1..4 {
                let (vectors, weights) = (matrix(3, count, 2), matrix(items, count, 3));
                assert_eq!(with_rows(view(&rows), &vectors), rows.transpose() * vectors);
                assert_eq!(of_rows(view(&rows), view(&weights)), &rows * weights);
            }
        }
        let (square, vector) = (matrix(3, 3, 4), DVector::from_vec(vec![1.0, 2.0, 3.0]));
        assert_eq!(times(view(&square), &vector), &square * &vector);
        assert_eq!(times(view(&square).transpose(), &vector), square.tr_mul(&vector));
    }
}
