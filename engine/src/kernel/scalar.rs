//! The definition of every kernel, in plain Rust that vectorises on any target.
//!
//! The float kernels are `inline(always)`: the files beside this one compile the same bodies for wider
//! vectors. That cannot change a bit, because Rust neither reorders nor fuses float operations.

use super::Attention;
use crate::math::exp;

/// Lanes of [`dot`] and block of [`accumulate`]: the widest vector register there is, in f32.
const LANES: usize = 16;

pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    for ((score, row), scale) in scores.iter_mut().zip(rows.chunks_exact(query.len())).zip(scales) {
        *score = score_of(integer_dot(row, query), *scale, factor);
    }
}

/// The one place that turns an integer dot into a score.
#[inline(always)]
pub(super) fn score_of(dot: i32, scale: f32, factor: f32) -> f32 {
    dot as f32 * scale * factor
}

#[inline(always)]
pub(super) fn integer_dot(row: &[i8], query: &[i16]) -> i32 {
    let mut sum = 0_i32;
    for (&a, &b) in row.iter().zip(query) {
        // A query beyond QUERY_MAX could only come from a caller that broke the contract: no panic for it.
        sum = sum.wrapping_add(i32::from(a) * i32::from(b));
    }
    sum
}

#[inline(always)]
pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    let stride = out.len();
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    let rest_at = blocks.len() * LANES;
    for (block, at) in blocks.iter_mut().zip((0..).step_by(LANES)) {
        let mut sum = *block; // stays in registers over the whole loop
        for (column, &coefficient) in columns.chunks_exact(stride).zip(coefficients) {
            if let Some(column) = column[at..].first_chunk::<LANES>() {
                for (sum, value) in sum.iter_mut().zip(column) {
                    *sum += coefficient * value;
                }
            }
        }
        *block = sum;
    }
    for (column, &coefficient) in columns.chunks_exact(stride.max(1)).zip(coefficients) {
        for (sum, value) in rest.iter_mut().zip(&column[rest_at..]) {
            *sum += coefficient * value;
        }
    }
}

#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    let Attention { sharpness, weight, target } = attention;
    for ((&cosine, attended), total) in cosines.iter().zip(attended).zip(total) {
        let share = weight * exp(sharpness * cosine);
        *attended += share * target;
        *total += share;
    }
}

#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let greater = |a: f32, b: f32| if b > a { b } else { a };
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane = greater(*lane, value);
        }
    }
    rest.iter().fold(lanes.into_iter().fold(f32::NEG_INFINITY, greater), |a, &b| greater(a, b))
}
