//! The definition of every kernel, in plain Rust that vectorises on any target.
//!
//! The float kernels are `inline(always)`: the files beside this one compile the same bodies for wider
//! vectors. That cannot change a bit, because Rust neither reorders nor fuses float operations.

use super::Attention;
use crate::math::exp;
use core::sync::atomic::{Ordering, compiler_fence};

/// Lanes of [`dot`] and the smaller block of [`accumulate_by`]: the widest vector register there is, in f32.
const LANES: usize = 16;

pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    match query.len().trailing_zeros() {
        _ if cfg!(target_os = "none") => score(rows, query, scales, factor, scores, integer_dot),
        0..4 => score(rows, query, scales, factor, scores, integer_dot),
        4 => score(rows, query, scales, factor, scores, dot_of_parts::<16>),
        5 => score(rows, query, scales, factor, scores, dot_of_parts::<32>),
        6.. => score(rows, query, scales, factor, scores, dot_of_parts::<64>),
    }
}

#[inline(always)]
fn score(
    rows: &[i8],
    query: &[i16],
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dot: impl Fn(&[i8], &[i16]) -> i32,
) {
    for ((score, row), scale) in scores.iter_mut().zip(rows.chunks_exact(query.len())).zip(scales) {
        *score = score_of(dot(row, query), *scale, factor);
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

/// As [`integer_dot`], where the length is a multiple of `LEN`.
#[inline(always)]
fn dot_of_parts<const LEN: usize>(row: &[i8], query: &[i16]) -> i32 {
    let parts = row.as_chunks::<LEN>().0.iter().zip(query.as_chunks::<LEN>().0);
    parts.fold(0, |sum, (row, query)| sum.wrapping_add(part_dot(row, query)))
}

/// Of a length that the compiler knows, and by pairs of products: so it finds the instruction that adds up such pairs,
/// `pmaddwd` on x86-64, and uses all of it. In a plain loop it uses half.
#[inline(always)]
fn part_dot<const LEN: usize>(row: &[i8; LEN], query: &[i16; LEN]) -> i32 {
    // No instruction, but a loop with it is not vectorised over its rounds, which is six times slower.
    compiler_fence(Ordering::SeqCst);
    let pairs = row.as_chunks::<2>().0.iter().zip(query.as_chunks::<2>().0);
    pairs.fold(0, |sum, (row, query)| {
        let products = i32::from(row[0]) * i32::from(query[0]) + i32::from(row[1]) * i32::from(query[1]);
        sum.wrapping_add(products)
    })
}

pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    accumulate_by::<LANES>(columns, coefficients, out); // eight registers of the narrowest vectors there are
}

/// [`accumulate`], `BLOCK` outputs at a time, which has no influence on them: as many as suits the registers.
#[inline(always)]
pub(super) fn accumulate_by<const BLOCK: usize>(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    let stride = out.len();
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let mut at = 0;
    for block in blocks {
        accumulate_block(columns, stride, at, coefficients, block);
        at += BLOCK;
    }
    for block in rest.as_chunks_mut::<LANES>().0 {
        accumulate_block(columns, stride, at, coefficients, block);
        at += LANES;
    }
}

/// [`accumulate`] for the outputs from `at` on; their sums stay in registers over all columns.
#[inline(always)]
fn accumulate_block<const LEN: usize>(
    columns: &[f32],
    stride: usize,
    at: usize,
    coefficients: &[f32],
    out: &mut [f32; LEN],
) {
    // Of a whole column, so that the compiler checks this once for all.
    let part = |column: &[f32]| column.get(at..)?.first_chunk::<LEN>().copied();
    let (mut even, mut odd) = (*out, [0.0; LEN]);
    let (pairs, last) = coefficients.as_chunks::<2>();
    let mut columns = columns;
    for &[a, b] in pairs {
        let Some((pair, rest)) = columns.split_at_checked(2 * stride) else { break };
        let (one, two) = pair.split_at(stride);
        if let (Some(one), Some(two)) = (part(one), part(two)) {
            add(a, &one, &mut even);
            add(b, &two, &mut odd);
        }
        columns = rest;
    }
    if let (&[a], Some(column)) = (last, columns.get(..stride).and_then(part)) {
        add(a, &column, &mut even);
    }
    for (out, (even, odd)) in out.iter_mut().zip(even.iter().zip(&odd)) {
        *out = even + odd;
    }
}

#[inline(always)]
fn add<const LEN: usize>(coefficient: f32, column: &[f32; LEN], sum: &mut [f32; LEN]) {
    for (sum, value) in sum.iter_mut().zip(column) {
        *sum += coefficient * value;
    }
}

#[inline(always)]
pub(super) fn dots(rows: &[f32], vector: &[f32], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(vector.len().max(1)).zip(out) {
        *out = lane_sum(&lane_products(row, vector));
    }
}

#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    lane_sum(&lane_products(a, b))
}

/// The products of `a` and `b`, each added to those of its lane.
#[inline(always)]
fn lane_products(a: &[f32], b: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes
}

/// The upper half is added to the lower one until one lane is left.
#[inline(always)]
fn lane_sum(lanes: &[f32; LANES]) -> f32 {
    let mut lanes = *lanes;
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

pub(super) fn above(scores: &[[f32; 64]], bound: f32, above: &mut [u64]) {
    // Byte by byte, for the compiler makes one comparison and one mask of eight scores. All targets are little-endian.
    let eights = scores.as_flattened().as_chunks::<8>().0;
    for (byte, scores) in bytemuck::cast_slice_mut(above).iter_mut().zip(eights) {
        *byte = (0..).zip(scores).fold(0_u8, |byte, (bit, &score)| byte | u8::from(score > bound) << bit);
    }
}
