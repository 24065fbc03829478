//! The definition of every kernel, in plain Rust that vectorises on any target.
//!
//! The float kernels are `inline(always)`: the files beside this one compile the same bodies for wider
//! vectors. That cannot change a bit, because Rust neither reorders nor fuses float operations.

use super::Attention;
use crate::math::exp;
use tinderbox_format::{BLOCK, Row};
use wide::{i16x8, i32x4, u8x16, u64x2};

pub(super) const NAME: &str = "scalar";
/// Whether every CPU of the target has vectors: microcontrollers do not, and pages that do have a kernel of their own.
const HAS_VECTORS: bool = !cfg!(any(target_os = "none", target_family = "wasm"));
/// Lanes of [`dot`] and the smaller block of [`accumulate_by`]: the widest vector register there is, in f32.
const LANES: usize = 16;

pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let blocks = rows.chunks_exact(BLOCK * query.len());
    for ((scores, block), scales) in scores.chunks_mut(BLOCK).zip(blocks).zip(scales.chunks(BLOCK)) {
        let dots = dots_of(block.as_chunks().0, query.as_chunks().0);
        // The same twice: of a length that the compiler knows, it takes vectors.
        match (scales.first_chunk::<BLOCK>(), scores.first_chunk_mut::<BLOCK>()) {
            (Some(scales), Some(scores)) => score(&dots, scales, factor, scores),
            _ => score(&dots, scales, factor, scores),
        }
    }
}

/// What turns integer dots into scores.
#[inline(always)]
pub(super) fn score(dots: &[i32], scales: &[f32], factor: f32, scores: &mut [f32]) {
    for ((score, &dot), scale) in scores.iter_mut().zip(dots).zip(scales) {
        *score = dot as f32 * scale * factor;
    }
}

/// [`scan`] for one row, wherever its parts lie.
pub(crate) fn score_row(row: Row<'_>, query: &[i16], scale: f32, factor: f32) -> f32 {
    let mut dot = 0_i32;
    for (row, query) in row.parts().zip(query.as_chunks::<4>().0) {
        for (&row, &query) in row.iter().zip(query) {
            dot = dot.wrapping_add(i32::from(row) * i32::from(query));
        }
    }
    let mut scored = [0.0];
    score(&[dot], &[scale], factor, &mut scored);
    scored[0]
}

/// The dot products of a block's rows, sixteen components of each at a time. A query beyond QUERY_MAX could only come from
/// a caller that broke the contract: the sums wrap, no panic for it.
#[inline(always)]
fn dots_of(block: &[[i8; 64]], query: &[[i16; 16]]) -> [i32; BLOCK] {
    if HAS_VECTORS { wide_dots(block, query) } else { plain_dots(block, query) }
}

/// Two rows to a vector. By hand: left alone, the compiler does not find the instruction that adds up pairs of
/// products (`pmaddwd` on x86-64), and takes twice the time.
#[inline(always)]
fn wide_dots(block: &[[i8; 64]], query: &[[i16; 16]]) -> [i32; BLOCK] {
    let (mut low, mut high) = (i32x4::ZERO, i32x4::ZERO);
    for (parts, query) in block.iter().zip(query) {
        for (part, query) in parts.as_chunks::<16>().0.iter().zip(query.as_chunks::<4>().0) {
            let (part, query): (u8x16, i16x8) =
                (bytemuck::must_cast(*part), bytemuck::must_cast(u64x2::splat(bytemuck::must_cast(*query))));
            low += widen(u8x16::unpack_low(part, part)).dot(query);
            high += widen(u8x16::unpack_high(part, part)).dot(query);
        }
    }
    let ([a, b, c, d], [e, f, g, h]) = (low.to_array(), high.to_array());
    [a.wrapping_add(b), c.wrapping_add(d), e.wrapping_add(f), g.wrapping_add(h)]
}

/// Bytes that stand there twice, as i16: a shift brings the second ones down with their sign.
#[inline(always)]
fn widen(doubled: u8x16) -> i16x8 {
    bytemuck::must_cast::<_, i16x8>(doubled) >> 8
}

/// Without vectors.
#[inline(always)]
fn plain_dots(block: &[[i8; 64]], query: &[[i16; 16]]) -> [i32; BLOCK] {
    let mut sums = [0_i32; BLOCK];
    let parts = block.as_flattened().as_chunks::<16>().0;
    for (part, query) in parts.iter().zip(query.as_flattened().as_chunks::<4>().0) {
        for (sum, row) in sums.iter_mut().zip(part.as_chunks::<4>().0) {
            for (&row, &query) in row.iter().zip(query) {
                *sum = sum.wrapping_add(i32::from(row) * i32::from(query));
            }
        }
    }
    sums
}

pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    accumulate_by::<LANES>(columns, coefficients, out); // eight registers of the narrowest vectors there are
}

/// [`accumulate`], `OUTPUTS` of them at a time, which has no influence on them: as many as suits the registers.
#[inline(always)]
pub(super) fn accumulate_by<const OUTPUTS: usize>(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    let stride = out.len();
    let (blocks, rest) = out.as_chunks_mut::<OUTPUTS>();
    let mut at = 0;
    for block in blocks {
        accumulate_block(columns, stride, at, coefficients, block);
        at += OUTPUTS;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_products_are_the_same_with_and_without_vectors() {
        let block: [[i8; 64]; 3] =
            core::array::from_fn(|part| core::array::from_fn(|at| ((part * 64 + at) * 37 % 255) as i8));
        let query: [[i16; 16]; 3] = core::array::from_fn(|part| {
            core::array::from_fn(|at| ((part * 16 + at) * 1237 % 32_513) as i16 - 16_256)
        });
        assert_eq!(wide_dots(&block, &query), plain_dots(&block, &query));
    }
}
