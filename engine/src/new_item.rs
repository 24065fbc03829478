//! Items that training never saw, embedded by their features.

use crate::error::EmbedError;
use crate::kernel::Kernel;
use crate::math::sqrt;
use crate::quantise::quantise_row;
use tinderbox_format::Model;

/// Items added at run time, ranked together with the catalogue, without a new model file.
///
/// They are numbered from [`Model::items`] on, in the order given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewItems<'a> {
    /// Rows, items x dim.
    pub rows: &'a [i8],
    /// The scale of each row, as [`embed_item`] returned it.
    pub scales: &'a [f32],
}

/// The largest dim of a model file: the room that one row needs on the stack.
const MAX_DIM: usize = 1024;

/// Embeds an item that training never saw by its features, into `row` (dim bytes); returns the row's scale.
///
/// `f(item) = normalise(base + sum of the feature embeddings / sqrt(their number))`, quantised as the rows
/// of the file are. `features` are numbers of [`Model::item_features`]. Cost: features x dim additions;
/// 4 KB of stack.
///
/// # Errors
/// [`EmbedError`]: a row of another length than dim, an unknown feature, features without a direction.
pub fn embed_item(model: &Model<'_>, features: &[u32], row: &mut [i8]) -> Result<f32, EmbedError> {
    let dim = model.dim();
    if row.len() != dim {
        return Err(EmbedError::RowLength { expected: dim, found: row.len() });
    }
    let kernel = Kernel::detect();
    let mut sum = [0.0; MAX_DIM];
    let sum = &mut sum[..dim];
    let table = model.item_features();
    for &found in features {
        let unknown = EmbedError::UnknownFeature { found, features: table.len() };
        kernel.accumulate(table.embedding(found as usize).ok_or(unknown)?, &[1.0], sum);
    }
    let share = if features.is_empty() { 0.0 } else { 1.0 / sqrt(features.len() as f32) };
    sum.iter_mut().for_each(|value| *value *= share);
    if let Some(base) = model.new_item_base() {
        kernel.accumulate(base, &[1.0], sum);
    }
    let length = sqrt(kernel.dot(sum, sum));
    if !(length > 0.0 && length < f32::INFINITY) {
        return Err(EmbedError::NoDirection);
    }
    sum.iter_mut().for_each(|value| *value /= length);
    let scale = quantise_row(sum, row);
    if scale > 0.0 { Ok(scale) } else { Err(EmbedError::NoDirection) }
}
