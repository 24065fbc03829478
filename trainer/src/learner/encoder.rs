//! The item encoder, which the three rules share: from trained meta-parameters to what is served,
//! and back for gradients.
//!
//! ```text
//! row_i  = normalise(item_i + sum of its feature embeddings / sqrt(their number))
//! gram   = weight (dim / items) sum_i row_i row_i'
//! served = exp(trained)   for the positive blocks
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::BLOCKS;
use super::parameters::{Block, Parameters, Real};
use super::vector::{add_scaled, columns, normalise, normalise_reverse};
use crate::data::Features;

/// The features of the items, both ways.
pub(crate) struct Encoder {
    /// Features of each item, ascending.
    features: Vec<Vec<u32>>,
    /// Items of each feature, ascending.
    members: Vec<Vec<u32>>,
}

/// Meta-parameters as they are served.
pub(crate) struct Encoded<T> {
    /// [`Block::Items`] holds the rows at unit norm, the positive blocks are exponentiated.
    pub served: Parameters<T>,
    /// items x dim: the rows again, transposed, because nalgebra multiplies plain matrices fastest.
    pub catalogue: DMatrix<T>,
    /// Length of each row before it was normalised.
    lengths: Vec<T>,
    /// dim x dim, times its weight; empty for rules without one.
    pub gram: DMatrix<T>,
}

impl Encoder {
    pub(crate) fn new(features: &Features) -> Self {
        let mut members = vec![Vec::new(); features.names.len()];
        for (item, of_item) in features.of.iter().enumerate() {
            for &feature in of_item {
                members[feature as usize].push(item as u32);
            }
        }
        Self { features: features.of.clone(), members }
    }

    /// What one of the features of `item` weighs, so that many say no more than one.
    fn share<T: Real>(&self, item: usize) -> T {
        T::of(1.0 / (self.features[item].len() as f64).sqrt())
    }

    pub(crate) fn encode<T: Real>(&self, parameters: &Parameters<T>) -> Encoded<T> {
        let dim = parameters.shape.dim;
        let mut served = parameters.clone();
        for block in Block::ALL.into_iter().filter(|block| block.is_positive()) {
            served[block].iter_mut().for_each(|value| *value = value.exp());
        }
        let table = &parameters[Block::ItemFeatures];
        let rows = served[Block::Items].par_chunks_exact_mut(dim).enumerate();
        let lengths = rows
            .map(|(item, row)| {
                for &feature in &self.features[item] {
                    add_scaled(row, self.share(item), &table[feature as usize * dim..][..dim]);
                }
                normalise(row)
            })
            .collect();
        let rows = columns(&served[Block::Items], dim);
        let catalogue = rows.transpose();
        let gram = match served[Block::GramWeight] {
            [weight] => gram(rows, &catalogue, weight),
            _ => DMatrix::zeros(0, 0),
        };
        Encoded { served, catalogue, lengths, gram }
    }

    /// Turns the gradient of what is served into the gradient of what is trained. `products` are pairs
    /// of vectors (dim x m) and slopes (m x items): `vectors' rows` was computed, with these slopes.
    pub(crate) fn reverse<T: Real>(
        &self,
        encoded: &Encoded<T>,
        products: &[(DMatrix<T>, DMatrix<T>)],
        gram_slope: &DMatrix<T>,
        gradient: &mut Parameters<T>,
    ) {
        let dim = gradient.shape.dim;
        let items = gradient.shape.items;
        let symmetric = self.reverse_gram(encoded, gram_slope, gradient);
        let rows = &encoded.served[Block::Items];
        let chunk = items.div_ceil(BLOCKS).max(1);
        gradient[Block::Items].par_chunks_mut(dim * chunk).enumerate().for_each(|(index, slopes)| {
            let first = index * chunk;
            let rows = &rows[first * dim..][..slopes.len()];
            let count = slopes.len() / dim;
            let mut sum = DMatrixViewMut::from_slice(slopes, dim, count);
            for (vectors, product_slopes) in products {
                sum.gemm(T::one(), vectors, &product_slopes.columns(first, count), T::one());
            }
            if let Some(symmetric) = &symmetric {
                sum.gemm(T::one(), symmetric, &columns(rows, dim), T::one());
            }
            let lengths = &encoded.lengths[first..];
            for ((slope, row), &length) in
                slopes.chunks_exact_mut(dim).zip(rows.chunks_exact(dim)).zip(lengths)
            {
                normalise_reverse(row, length, slope);
            }
        });
        self.reverse_features(gradient);
        for block in Block::ALL.into_iter().filter(|block| block.is_positive()) {
            let served = &encoded.served[block];
            gradient[block].iter_mut().zip(served).for_each(|(slope, &value)| *slope *= value);
        }
    }

    /// The matrix that takes a row to its slope through the Gram matrix; also adds the weight's slope.
    fn reverse_gram<T: Real>(
        &self,
        encoded: &Encoded<T>,
        gram_slope: &DMatrix<T>,
        gradient: &mut Parameters<T>,
    ) -> Option<DMatrix<T>> {
        let [weight] = encoded.served[Block::GramWeight] else { return None };
        gradient[Block::GramWeight][0] += gram_slope.dot(&encoded.gram) / weight;
        let share = weight * T::of(gradient.shape.dim as f64 / gradient.shape.items as f64);
        Some((gram_slope + gram_slope.transpose()) * share)
    }

    fn reverse_features<T: Real>(&self, gradient: &mut Parameters<T>) {
        let dim = gradient.shape.dim;
        let (items, rest) = gradient.values.split_at_mut(dim * gradient.shape.items);
        let table = &mut rest[..dim * self.members.len()];
        table.par_chunks_exact_mut(dim).zip(&self.members).for_each(|(slope, members)| {
            for &item in members {
                add_scaled(slope, self.share(item as usize), &items[item as usize * dim..][..dim]);
            }
        });
    }
}

/// `weight (dim / items) sum_i row_i row_i'`, in fixed blocks of columns.
fn gram<T: Real>(rows: DMatrixView<'_, T>, catalogue: &DMatrix<T>, weight: T) -> DMatrix<T> {
    let (dim, items) = rows.shape();
    let share = weight * T::of(dim as f64 / items as f64);
    let mut gram = DMatrix::zeros(dim, dim);
    let chunk = dim.div_ceil(BLOCKS);
    gram.as_mut_slice().par_chunks_mut(dim * chunk).enumerate().for_each(|(index, out)| {
        let count = out.len() / dim;
        let mut out = DMatrixViewMut::from_slice(out, dim, count);
        out.gemm(share, &rows, &catalogue.columns(index * chunk, count), T::zero());
    });
    gram
}
