//! WebAssembly's SIMD: like parts of four rows, 16 int8 widened to int16, against four int16 of the query at a time.
//!
//! A module has the feature or has not, as it was compiled: nothing here is unsafe to call, and no other kernel is in it.

use super::scalar;
use core::arch::wasm32::{
    f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add,
    i32x4_dot_i16x8, i32x4_shuffle, i32x4_splat, i64x2_splat, v128,
};
use tinderbox_format::BLOCK;

// The whole module is compiled with the feature: what the compiler vectorises needs no other body.
pub(super) use super::scalar::{above, accumulate, attend, dot, dots};

pub(super) const NAME: &str = "simd128";
/// Components of a block that one register holds: four of each row.
const WIDE: usize = 16;

pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let blocks = rows.chunks_exact(BLOCK * query.len());
    for ((scores, block), scales) in scores.chunks_mut(BLOCK).zip(blocks).zip(scales.chunks(BLOCK)) {
        let dots = dots_of(block.as_chunks().0, query.as_chunks().0);
        if let Some(&scales) = scales.first_chunk::<BLOCK>()
            && let Some(scores) = scores.first_chunk_mut::<BLOCK>()
        {
            let scaled = f32x4_mul(f32x4_convert_i32x4(dots), bytemuck::must_cast(scales));
            *scores = bytemuck::must_cast(f32x4_mul(scaled, f32x4_splat(factor))); // as `scalar::score`
        } else {
            let dots: [i32; BLOCK] = bytemuck::must_cast(dots);
            scalar::score(&dots, scales, factor, scores);
        }
    }
}

/// The dot products of a block's rows.
#[inline]
fn dots_of(block: &[[i8; WIDE]], query: &[[i16; 4]]) -> v128 {
    let (mut low, mut high) = (i32x4_splat(0), i32x4_splat(0));
    for (&part, &query) in block.iter().zip(query) {
        let (part, query): (v128, v128) =
            (bytemuck::must_cast(part), i64x2_splat(bytemuck::must_cast(query)));
        low = i32x4_add(low, i32x4_dot_i16x8(i16x8_extend_low_i8x16(part), query));
        high = i32x4_add(high, i32x4_dot_i16x8(i16x8_extend_high_i8x16(part), query));
    }
    i32x4_add(i32x4_shuffle::<0, 2, 4, 6>(low, high), i32x4_shuffle::<1, 3, 5, 7>(low, high))
}
