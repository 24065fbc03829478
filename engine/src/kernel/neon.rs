//! NEON: like parts of four rows, 16 int8 widened to int16, against four int16 of the query at a time, 4 rows abreast.

use super::{Attention, scalar};
use core::arch::aarch64::{
    float32x4_t, int8x16_t, int16x4_t, int32x4_t, vcvtq_f32_s32, vdupq_n_s32, vget_high_s16, vget_low_s8,
    vget_low_s16, vmlal_s16, vmovl_high_s8, vmovl_s8, vmulq_f32, vmulq_n_f32, vpaddq_s32,
};
use tinderbox_format::BLOCK;

/// Outputs of `accumulate` at a time: eight registers each for the even and the odd sums, of thirty-two.
const OUTPUTS: usize = 32;
/// Components of a block that one register holds: four of each row.
pub(super) const WIDE: usize = 16;

#[target_feature(enable = "neon")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let blocks = rows.chunks_exact(BLOCK * query.len());
    for ((scores, block), scales) in scores.chunks_mut(BLOCK).zip(blocks).zip(scales.chunks(BLOCK)) {
        score(dots_of(block.as_chunks().0, query.as_chunks().0), scales, factor, scores);
    }
}

/// Scores the rows of a block, or as many of them as there are scores and scales.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn score(dots: int32x4_t, scales: &[f32], factor: f32, scores: &mut [f32]) {
    if let Some(&scales) = scales.first_chunk::<BLOCK>()
        && let Some(scores) = scores.first_chunk_mut::<BLOCK>()
    {
        let scales: float32x4_t = bytemuck::must_cast(scales);
        let scored = vmulq_n_f32(vmulq_f32(vcvtq_f32_s32(dots), scales), factor); // as `scalar::score`
        *scores = bytemuck::must_cast(scored);
    } else {
        let dots: [i32; BLOCK] = bytemuck::must_cast(dots);
        scalar::score(&dots, scales, factor, scores);
    }
}

/// The dot products of a block's rows.
#[inline]
#[target_feature(enable = "neon")]
fn dots_of(block: &[[i8; WIDE]], query: &[[i16; 4]]) -> int32x4_t {
    let mut sums = [vdupq_n_s32(0); BLOCK];
    for (&part, &query) in block.iter().zip(query) {
        let (part, query): (int8x16_t, int16x4_t) = (bytemuck::must_cast(part), bytemuck::must_cast(query));
        let (low, high) = (vmovl_s8(vget_low_s8(part)), vmovl_high_s8(part));
        let rows = [vget_low_s16(low), vget_high_s16(low), vget_low_s16(high), vget_high_s16(high)];
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = vmlal_s16(*sum, row, query);
        }
    }
    let [a, b, c, d] = sums;
    vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d))
}

#[target_feature(enable = "neon")]
pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    scalar::accumulate_by::<OUTPUTS>(columns, coefficients, out);
}

#[target_feature(enable = "neon")]
pub(super) fn dots(rows: &[f32], vector: &[f32], out: &mut [f32]) {
    scalar::dots(rows, vector, out);
}

#[target_feature(enable = "neon")]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    scalar::dot(a, b)
}

#[target_feature(enable = "neon")]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    scalar::attend(cosines, attention, attended, total);
}

#[target_feature(enable = "neon")]
pub(super) fn above(scores: &[[f32; 64]], bound: f32, above: &mut [u64]) {
    scalar::above(scores, bound, above);
}
