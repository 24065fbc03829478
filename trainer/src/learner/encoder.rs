//! The item encoder, which the three rules share: from trained meta-parameters to what is served,
//! and back for gradients.
//!
//! ```text
//! row_i  = normalise(item_i + sum of its feature embeddings / sqrt(their number))
//! gram   = weight (dim / sum_i weight_i) sum_i weight_i row_i row_i'    (weight_i = 1, but for a sample)
//! served = exp(trained)   for the positive blocks
//! ```

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::BLOCKS;
use super::candidates::Candidates;
use super::parameters::{Block, Parameters, Real};
use super::product::{self, columns, columns_mut, of_rows, view};
use super::vector::{add_scaled, normalise, normalise_reverse};
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
        let gram = match served[Block::GramWeight] {
            [weight] => self.gram(&served[Block::Items], dim, weight),
            _ => DMatrix::zeros(0, 0),
        };
        Encoded { served, lengths, gram }
    }

    /// Turns the gradient of what is served into the gradient of what is trained. `rows' probes` was computed, with these
    /// slopes: probes (dim x m), slopes (items x m).
    pub(crate) fn reverse<T: Real>(
        &self,
        encoded: &Encoded<T>,
        probes: &DMatrix<T>,
        product_slopes: &DMatrix<T>,
        gram_slope: &DMatrix<T>,
        gradient: &mut Parameters<T>,
    ) {
        let dim = gradient.shape.dim;
        let items = gradient.shape.items;
        let symmetric = self.reverse_gram(encoded, gram_slope, gradient);
        let rows = &encoded.served[Block::Items];
        let (probes, product_slopes) = (view(probes), view(product_slopes));
        let chunk = items.div_ceil(BLOCKS).max(1);
        gradient[Block::Items].par_chunks_mut(dim * chunk).enumerate().for_each(|(index, slopes)| {
            let first = index * chunk;
            let count = slopes.len() / dim;
            let rows = &rows[first * dim..][..slopes.len()];
            product::add(columns_mut(slopes, dim), probes, product_slopes.subrows(first, count).transpose());
            if let Some(symmetric) = &symmetric {
                let weighted = self.weighted_rows(rows, first, dim);
                product::add(columns_mut(slopes, dim), view(symmetric), columns(&weighted, dim));
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
        let share = self.gram_share(weight, gradient.shape.dim);
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

    fn gram<T: Real>(&self, rows: &[T], dim: usize, weight: T) -> DMatrix<T> {
        let weighted = self.weighted_rows(rows, 0, dim);
        of_rows(columns(rows, dim), columns(&weighted, dim).transpose()) * self.gram_share(weight, dim)
    }

    /// `rows`, from that of the item `first` on, each times how many it stands for.
    fn weighted_rows<T: Real>(&self, rows: &[T], first: usize, dim: usize) -> Vec<T> {
        let weights = self.weights[first..].iter().map(|&weight| T::of(weight));
        rows.chunks_exact(dim)
            .zip(weights)
            .flat_map(|(row, weight)| row.iter().map(move |&x| x * weight))
            .collect()
    }

    /// What each row's outer product counts for.
    fn gram_share<T: Real>(&self, weight: T, dim: usize) -> T {
        weight * T::of(dim as f64 / self.weights.iter().sum::<f64>())
    }
}
