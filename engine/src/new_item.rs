//! Items that training never saw, embedded by their features and moved by their first raters.

use crate::error::EmbedError;
use crate::kernel::Kernel;
use crate::math::sqrt;
use crate::quantise::quantise_row;
use tinderbox_format::{Model, Rule};

/// Items added at run time, ranked together with the catalogue, without a new model file.
///
/// They are numbered from [`Model::items`] on, in the order given. Their rows lie one after the other and are scored one by
/// one: each takes a ranking 10 ns at dim 32 and 20 at 64 on a server's core, as long as some twenty of the catalogue.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewItems<'a> {
    /// Rows, items x dim.
    pub rows: &'a [i8],
    /// The scale of each row, as [`embed_item`] or [`adapt_item`] returned it.
    pub scales: &'a [f32],
}

/// Somebody who gave feedback on a new item.
#[derive(Clone, Copy, Debug)]
pub struct Rater<'a> {
    /// The rater's embedding, dim floats of any norm: [`Session::user`](crate::Session::user) without the feedback at hand.
    pub user: &'a [f32],
    /// Number of the feedback level in [`Model::levels`].
    pub level: u8,
}

/// The largest dim of a model file: the room that one row needs on the stack.
pub(crate) const MAX_DIM: usize = tinderbox_format::MAX_DIM as usize;

/// What feedback pulls the cosine of rater and item to: (if it counts as liked, if not).
///
/// A little above the mean cosines of trained rows with users, by level: on ML-100K .23 to .26 at four and five stars
/// and .11 to .18 below for `maml` (.15 to .19 and 0 to .08 on ml-latest-small), .36 to .40 and .20 to .30 for
/// `prototypical`, whose users differ less in direction. With the targets of `maml`, ten raters make the
/// rows of `prototypical` worse than none. Targets a third higher or lower do not rank better, nor does one a level.
fn targets(rule: Rule) -> (f32, f32) {
    match rule {
        Rule::Maml { .. } | Rule::Matching { .. } => (0.3, 0.15),
        Rule::Prototypical { .. } => (0.5, 0.3),
    }
}

/// Pull of the item towards what its features say, in raters. From 1 to 3, few raters are used better or many are.
const PULL: f32 = 3.0;

/// Steps towards the item that fits its raters. Three are as good as all for ten raters, eight for a hundred.
const STEPS: usize = 8;

/// Embeds an item that training never saw by its features, into `row` (dim bytes); returns the row's scale.
///
/// `f(item) = normalise(base + sum of the feature embeddings)`, quantised as the rows of the file are.
/// `features` are numbers of [`Model::item_features`]. Cost: features x dim additions; 4 KB of stack.
///
/// # Errors
/// [`EmbedError`]: a row of another length than dim, an unknown feature, features without a direction.
#[inline(never)] // its stack is not to be its caller's
pub fn embed_item(model: &Model<'_>, features: &[u32], row: &mut [i8]) -> Result<f32, EmbedError> {
    let mut item = [0.0; MAX_DIM];
    let item = &mut item[..model.dim()];
    embed(model, Kernel::detect(), features, item)?;
    quantise(item, row)
}

/// Embeds an item by its features and by its first raters; writes `row` and returns its scale as [`embed_item`] does,
/// and without raters the same.
///
/// The item as the task, as users are elsewhere (Vartak et al. 2017): ridge regression on the raters' feedback, from
/// what the features say.
///
/// ```text
/// e  = normalise(base + sum of the feature embeddings)
/// e' = normalise(argmin over x of  sum_j (x . u_j - t_j)^2 + 3 |x - e|^2)    u_j: unit norm; t_j: below
/// ```
///
/// by eight steps of conjugate gradients (Hestenes and Stiefel 1952). Targets: .3 for feedback that counts as liked and
/// .15 for other, under `prototypical` .5 and .3. The order of the raters has no influence beyond
/// the rounding of sums. Under the rule `matching` all raters without user features are alike: they tell how much an
/// item is liked and not by whom. `scratch`: 3 dim floats or more, whatever they hold. Cost: 8 x 3 x raters x dim
/// multiplications; 4 KB of stack.
///
/// # Errors
/// [`EmbedError`]: as [`embed_item`], or scratch that is too short, a rater of another length than dim or without a
/// direction, an unknown level.
#[inline(never)] // its stack is not to be its caller's
pub fn adapt_item(
    model: &Model<'_>,
    features: &[u32],
    raters: &[Rater<'_>],
    scratch: &mut [f32],
    row: &mut [i8],
) -> Result<f32, EmbedError> {
    let (kernel, dim) = (Kernel::detect(), model.dim());
    let too_small = EmbedError::ScratchTooSmall { expected: 3 * dim, found: scratch.len() };
    let (scratch, _) = scratch.split_at_mut_checked(3 * dim).ok_or(too_small)?;
    check(model, kernel, raters)?;
    let mut item = [0.0; MAX_DIM];
    let item = &mut item[..dim];
    embed(model, kernel, features, item)?;
    if !raters.is_empty() {
        fit(model, kernel, raters, scratch, item);
        normalise(kernel, item)?;
    }
    quantise(item, row)
}

/// The unit embedding (dim) that the features alone give.
fn embed(model: &Model<'_>, kernel: Kernel, features: &[u32], item: &mut [f32]) -> Result<(), EmbedError> {
    match model.new_item_base() {
        Some(base) => item.copy_from_slice(base),
        None => item.fill(0.0),
    }
    let table = model.item_features();
    for &found in features {
        let unknown = EmbedError::UnknownFeature { found, features: table.len() };
        kernel.accumulate(table.embedding(found as usize).ok_or(unknown)?, &[1.0], item);
    }
    normalise(kernel, item)
}

fn check(model: &Model<'_>, kernel: Kernel, raters: &[Rater<'_>]) -> Result<(), EmbedError> {
    let (dim, levels) = (model.dim(), model.levels().len());
    for (rater, Rater { user, level }) in raters.iter().enumerate() {
        if user.len() != dim {
            return Err(EmbedError::RaterLength { rater, expected: dim, found: user.len() });
        }
        if usize::from(*level) >= levels {
            return Err(EmbedError::UnknownLevel { found: *level, levels });
        }
        if !is_direction(kernel.dot(user, user)) {
            return Err(EmbedError::RaterWithoutDirection { rater });
        }
    }
    Ok(())
}

/// Moves `item` (dim) to where it fits the raters.
///
/// ```text
/// r = p = U' (t - U e)
/// repeat: q = U' U p + pull p;  a = r.r / p.q;  e += a p;  r -= a q;  p = r + (r.r / old r.r) p
/// ```
fn fit(model: &Model<'_>, kernel: Kernel, raters: &[Rater<'_>], scratch: &mut [f32], item: &mut [f32]) {
    let (residual, rest) = scratch.split_at_mut(item.len());
    let (direction, product) = rest.split_at_mut(item.len());
    let (liked, other) = targets(model.rule());
    residual.fill(0.0);
    for rater in raters {
        let target = if model.levels().liked(usize::from(rater.level)) { liked } else { other };
        rater.add(kernel, |cosine| target - cosine, item, residual);
    }
    direction.copy_from_slice(residual);
    let mut square = kernel.dot(residual, residual);
    for _ in 0..STEPS {
        product.fill(0.0);
        kernel.accumulate(direction, &[PULL], product);
        for rater in raters {
            rater.add(kernel, |cosine| cosine, direction, product);
        }
        let curvature = kernel.dot(direction, product);
        if !(square > 0.0 && curvature > 0.0) {
            return; // nothing is left to fit
        }
        let step = square / curvature;
        kernel.accumulate(direction, &[step], item);
        kernel.accumulate(product, &[-step], residual);
        let before = square;
        square = kernel.dot(residual, residual);
        for (direction, residual) in direction.iter_mut().zip(&*residual) {
            *direction = residual + square / before * *direction;
        }
    }
}

impl Rater<'_> {
    /// `out += coefficient(u . vector) u`, with `u` the rater at unit norm.
    fn add(&self, kernel: Kernel, coefficient: impl Fn(f32) -> f32, vector: &[f32], out: &mut [f32]) {
        let length = sqrt(kernel.dot(self.user, self.user));
        let product = kernel.dot(self.user, vector) / length;
        kernel.accumulate(self.user, &[coefficient(product) / length], out);
    }
}

/// Whether a vector of this squared length can be normalised: subnormal ones would lose their digits.
fn is_direction(square: f32) -> bool {
    (f32::MIN_POSITIVE..f32::INFINITY).contains(&square)
}

fn normalise(kernel: Kernel, item: &mut [f32]) -> Result<(), EmbedError> {
    let square = kernel.dot(item, item);
    if !is_direction(square) {
        return Err(EmbedError::NoDirection);
    }
    let length = sqrt(square);
    item.iter_mut().for_each(|value| *value /= length);
    Ok(())
}

fn quantise(item: &[f32], row: &mut [i8]) -> Result<f32, EmbedError> {
    if row.len() != item.len() {
        return Err(EmbedError::RowLength { expected: item.len(), found: row.len() });
    }
    let scale = quantise_row(item, row);
    if scale > 0.0 { Ok(scale) } else { Err(EmbedError::NoDirection) }
}
