//! NEON: 16 int8 of a row, widened to int16, against 16 int16 of the query at a time, 4 rows abreast.

use super::{Attention, scalar};
use core::arch::aarch64::{
    float32x4_t, int8x16_t, int16x8_t, int32x4_t, vcvtq_f32_s32, vdupq_n_s32, vget_low_s8, vget_low_s16,
    vmlal_high_s16, vmlal_s16, vmovl_high_s8, vmovl_s8, vmulq_f32, vmulq_n_f32, vpaddq_s32,
};

/// Outputs of `accumulate` at a time: eight registers each for the even and the odd sums, of thirty-two.
const BLOCK: usize = 32;
/// Rows whose sums are reduced together: one register of four i32.
pub(super) const ABREAST: usize = 4;
/// Components of a row that one register holds.
pub(super) const WIDE: usize = 16;

/// Four rows, in parts.
pub(super) type Group<'a> = [&'a [[i8; WIDE]]; ABREAST];

#[target_feature(enable = "neon")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let (dim, items) = (query.len(), scores.len().min(scales.len()).min(rows.len() / query.len()));
    if items < ABREAST || !dim.is_multiple_of(WIDE) {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let query = query.as_chunks::<WIDE>().0;
    score(rows, dim, &scales[..items], factor, &mut scores[..items], |group| dots_of(group, query));
}

/// Scores all rows, at least four, by `dots`: those of four rows.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn score(
    rows: &[i8],
    dim: usize,
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dots: impl Fn(Group) -> int32x4_t,
) {
    let items = scores.len();
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(items - ABREAST);
        let group = [0, 1, 2, 3].map(|row| rows[(start + row) * dim..][..dim].as_chunks().0);
        if let Some(scales) = scales[start..].first_chunk::<ABREAST>()
            && let Some(scores) = scores[start..].first_chunk_mut::<ABREAST>()
        {
            let scales: float32x4_t = bytemuck::must_cast(*scales);
            let scaled = vmulq_f32(vcvtq_f32_s32(dots(group)), scales);
            *scores = bytemuck::must_cast(vmulq_n_f32(scaled, factor)); // `scalar::score_of`
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn dots_of([a, b, c, d]: Group, query: &[[i16; WIDE]]) -> int32x4_t {
    let mut sums = [vdupq_n_s32(0); ABREAST];
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        for (sum, part) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = add_products(*sum, bytemuck::must_cast(*part), bytemuck::must_cast(*query));
        }
    }
    add_lanes(sums)
}

#[inline]
#[target_feature(enable = "neon")]
fn add_products(sum: int32x4_t, part: int8x16_t, [a, b]: [int16x8_t; 2]) -> int32x4_t {
    let (low, high) = (vmovl_s8(vget_low_s8(part)), vmovl_high_s8(part));
    let sum = vmlal_high_s16(vmlal_s16(sum, vget_low_s16(low), vget_low_s16(a)), low, a);
    vmlal_high_s16(vmlal_s16(sum, vget_low_s16(high), vget_low_s16(b)), high, b)
}

/// The sum of the lanes of each register.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_lanes([a, b, c, d]: [int32x4_t; ABREAST]) -> int32x4_t {
    vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d))
}

#[target_feature(enable = "neon")]
pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    scalar::accumulate_by::<BLOCK>(columns, coefficients, out);
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
