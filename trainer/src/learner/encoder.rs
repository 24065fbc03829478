//! The item encoder, which the three rules share: from trained meta-parameters to what is served,
//! and back for gradients.
//!
//! ```text
//! row_i  = normalise(item_i + sum of its feature embeddings / sqrt(their number))
//! gram   = weight (dim / sum_i weight_i) sum_i weight_i row_i row_i'    (weight_i = 1, but for a sample)
//! served = exp(trained)   for the positive blocks
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;

use super::BLOCKS;
use super::candidates::Candidates;
use super::parameters::{Block, Parameters, Real};
use super::vector::{add_scaled, columns, normalise, normalise_reverse};
use crate::data::Features;

/// The features of the items, both ways.
pub(crate) struct Encoder {
    /// Features of each item, ascending.
    features: Vec<Vec<u32>>,
    /// Items of each feature, ascending.
    members: Vec<Vec<u32>>,
    /// How many rows of the catalogue each item stands for; 1, but for a sample.
    weights: Vec<f64>,
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
        Self::weighted(features.of.clone(), features.names.len(), vec![1.0; features.of.len()])
    }

    /// The encoder of a sample of the catalogue.
    pub(crate) fn among(&self, candidates: &Candidates) -> Self {
        let features = candidates.rows.iter().map(|&row| self.features[row as usize].clone());
        Self::weighted(features.collect(), self.members.len(), candidates.weights.clone())
    }

    fn weighted(features: Vec<Vec<u32>>, names: usize, weights: Vec<f64>) -> Self {
        let mut members = vec![Vec::new(); names];
        for (item, of_item) in features.iter().enumerate() {
            for &feature in of_item {
                members[feature as usize].push(item as u32);
            }
        }
        Self { features, members, weights }
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
            .with_min_len(parameters.shape.items.div_ceil(BLOCKS).max(1)) // a row alone is less work than to hand it over
            .map(|(item, row)| {
                for &feature in &self.features[item] {
                    add_scaled(row, self.share(item), &table[feature as usize * dim..][..dim]);
                }
                normalise(row)
            })
            .collect();
        let rows = columns(&served[Block::Items], dim);
        let catalogue = transposed(&served[Block::Items], dim);
        let gram = match served[Block::GramWeight] {
            [weight] => self.gram(rows, &catalogue, weight),
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
                let mut weighted = columns(rows, dim).into_owned();
                for (mut row, &weight) in weighted.column_iter_mut().zip(&self.weights[first..]) {
                    row *= T::of(weight);
                }
                sum.gemm(T::one(), symmetric, &weighted, T::one());
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
        let share = weight * self.gram_share(gradient.shape.dim);
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

    /// The Gram matrix, in fixed blocks of columns.
    fn gram<T: Real>(&self, rows: DMatrixView<'_, T>, catalogue: &DMatrix<T>, weight: T) -> DMatrix<T> {
        let dim = rows.nrows();
        let share = weight * self.gram_share(dim);
        let mut gram = DMatrix::zeros(dim, dim);
        let chunk = dim.div_ceil(BLOCKS);
        gram.as_mut_slice().par_chunks_mut(dim * chunk).enumerate().for_each(|(index, out)| {
            let count = out.len() / dim;
            let mut weighted = catalogue.columns(index * chunk, count).into_owned();
            for mut axis in weighted.column_iter_mut() {
                axis.iter_mut().zip(&self.weights).for_each(|(x, &weight)| *x *= T::of(weight));
            }
            DMatrixViewMut::from_slice(out, dim, count).gemm(share, &rows, &weighted, T::zero());
        });
        gram
    }

    /// What each row's outer product counts for.
    fn gram_share<T: Real>(&self, dim: usize) -> T {
        T::of(dim as f64 / self.weights.iter().sum::<f64>())
    }
}

/// `rows` (dim x items) as items x dim, some axes a task.
fn transposed<T: Real>(rows: &[T], dim: usize) -> DMatrix<T> {
    let items = rows.len() / dim;
    let mut transposed = DMatrix::zeros(items, dim);
    let chunk = dim.div_ceil(BLOCKS);
    transposed.as_mut_slice().par_chunks_mut((items * chunk).max(1)).enumerate().for_each(|(index, out)| {
        for (item, row) in rows.chunks_exact(dim).enumerate() {
            let axes = out[item..].iter_mut().step_by(items);
            axes.zip(&row[index * chunk..]).for_each(|(out, &value)| *out = value);
        }
    });
    transposed
}
