//! The sieve of a large catalogue: bounds from the sketches say which rows are worth reading.

use crate::kernel::Kernel;
use crate::math::sqrt;
use crate::new_item::MAX_DIM;
use crate::quantise::quantise_user;
use tinderbox_format::{SKETCH_DIM, Sketch};

/// Added to every bound for what f32 rounds away: scores are cosines, sums of at most a thousand terms of which each
/// is rounded by 2^-24.
const ROUNDING: f32 = 1e-4;

/// A query in the terms of a model's sketches.
pub(crate) struct Sieve<'a> {
    sketch: Sketch<'a>,
    /// What the axes see of the query.
    query: [i16; SKETCH_DIM],
    factor: f32,
    /// What they do not see of it: its length.
    rest: f32,
    /// How far a sketch may be off, in scales.
    blur: f32,
    /// The same whatever the item.
    slack: f32,
}

impl<'a> Sieve<'a> {
    /// `query` (dim) times `factor` is what the rows' embeddings are multiplied with. Cost: 16 x dim
    /// multiplications; 4 KB of stack.
    #[inline(never)] // its stack is not to be its caller's
    pub(crate) fn new(kernel: Kernel, sketch: Sketch<'a>, query: &[i16], factor: f32) -> Self {
        let mut user = [0.0; MAX_DIM];
        let user = &mut user[..query.len()];
        for (user, &value) in user.iter_mut().zip(query) {
            *user = f32::from(value) * factor;
        }
        let mut along = [0.0; SKETCH_DIM];
        kernel.accumulate(sketch.axes(), user, &mut along);
        let (whole, seen) = (kernel.dot(user, user), kernel.dot(&along, &along));
        let mut sieve = Self {
            sketch,
            query: [0; SKETCH_DIM],
            factor: 0.0,
            rest: sqrt(whole - seen + ROUNDING * whole),
            blur: 2.0 * sqrt(seen),
            slack: 0.0,
        };
        sieve.factor = quantise_user(kernel, &along, false, &mut sieve.query);
        // Rounding `along` moves it by half a step in 16 numbers: 2 steps times a sketch no longer than 1.
        sieve.slack = ROUNDING * sqrt(whole) + 2.0 * sieve.factor;
        sieve
    }

    /// No score of the items from `first` on, where a block begins, is above its bound.
    pub(crate) fn bounds(&self, kernel: Kernel, first: usize, bounds: &mut [f32]) {
        let end = first + bounds.len();
        let (rows, scales) =
            (&self.sketch.rows().blocks()[first * SKETCH_DIM..], &self.sketch.scales()[first..end]);
        kernel.scan(rows, &self.query, scales, self.factor, bounds);
        for ((bound, scale), rest) in bounds.iter_mut().zip(scales).zip(&self.sketch.rests()[first..end]) {
            *bound += self.blur * scale + self.rest * rest + self.slack;
        }
    }
}
