//! WebAssembly's SIMD: 16 int8 of a row, widened to int16, against 16 int16 of the query at a time, 4 rows abreast.
//!
//! A module has the feature or has not, as it was compiled: nothing here is unsafe to call.

use super::scalar;
use core::arch::wasm32::{
    f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add,
    i32x4_dot_i16x8, i32x4_shuffle, i32x4_splat, v128,
};

// The whole module is compiled with the feature: what the compiler vectorises needs no other body.
pub(super) use super::scalar::{above, accumulate, attend, dot, dots};

/// Rows whose sums are reduced together: one register of four i32.
const ABREAST: usize = 4;
/// Components of a row that one register holds.
const WIDE: usize = 16;

pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let (dim, items) = (query.len(), scores.len().min(scales.len()).min(rows.len() / query.len()));
    if items < ABREAST || !dim.is_multiple_of(WIDE) {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (scales, scores, query) = (&scales[..items], &mut scores[..items], query.as_chunks::<WIDE>().0);
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(items - ABREAST);
        let group = [0, 1, 2, 3].map(|row| rows[(start + row) * dim..][..dim].as_chunks().0);
        if let Some(scales) = scales[start..].first_chunk::<ABREAST>()
            && let Some(scores) = scores[start..].first_chunk_mut::<ABREAST>()
        {
            let scaled = f32x4_mul(f32x4_convert_i32x4(dots_of(group, query)), bytemuck::must_cast(*scales));
            *scores = bytemuck::must_cast(f32x4_mul(scaled, f32x4_splat(factor))); // `scalar::score_of`
        }
    }
}

#[inline]
fn dots_of([a, b, c, d]: [&[[i8; WIDE]]; ABREAST], query: &[[i16; WIDE]]) -> v128 {
    let mut sums = [i32x4_splat(0); ABREAST];
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        for (sum, part) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = add_products(*sum, bytemuck::must_cast(*part), bytemuck::must_cast(*query));
        }
    }
    add_lanes(sums)
}

#[inline]
fn add_products(sum: v128, part: v128, [a, b]: [v128; 2]) -> v128 {
    let low = i32x4_dot_i16x8(i16x8_extend_low_i8x16(part), a);
    let high = i32x4_dot_i16x8(i16x8_extend_high_i8x16(part), b);
    i32x4_add(sum, i32x4_add(low, high))
}

/// The sum of the lanes of each register.
#[inline]
fn add_lanes([a, b, c, d]: [v128; ABREAST]) -> v128 {
    add_pairs(add_pairs(a, b), add_pairs(c, d))
}

/// The pairs of lanes of `a` added up, then those of `b`.
#[inline]
fn add_pairs(a: v128, b: v128) -> v128 {
    i32x4_add(i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<1, 3, 5, 7>(a, b))
}
