//! NEON with `sdot`: like parts of four rows, 16 int8, against two int8 planes of the query, 16 rows abreast.
//!
//! `sdot` adds each four products of int8 to an i32, and can take the same four of the query for each: so the query goes in
//! as two planes, `query = 128 * high + low`. Sums may wrap on the way, the dot product fits an i32 and comes out exact.
//!
//! Only the scan has a use for it; all else is NEON's.

use super::neon::{WIDE, score};
use core::arch::aarch64::{int8x16_t, int32x4_t, vaddq_s32, vdupq_n_s32, vshlq_n_s32};
use core::arch::asm;
use tinderbox_format::{BLOCK, MAX_DIM};

pub(super) use super::neon::{above, accumulate, attend, dot, dots};

/// Rows whose dot products are computed together, so that their sums need not wait for each other.
const ABREAST: usize = 16;
/// Registers that the longest row takes.
const MOST_PARTS: usize = MAX_DIM as usize / WIDE;

/// 16 components of a query, split: `query = 128 * high + low`.
#[derive(Clone, Copy)]
struct Planes {
    high: int8x16_t,
    low: int8x16_t,
}

#[target_feature(enable = "neon,dotprod")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / (BLOCK * dim) * BLOCK);
    let places = items.next_multiple_of(BLOCK);
    if places < ABREAST || dim > MAX_DIM as usize {
        return super::neon::scan(rows, query, scales, factor, scores);
    }
    let (scales, scores) = (&scales[..items], &mut scores[..items]);
    let mut planes = [split(&[0; WIDE]); MOST_PARTS];
    for (planes, query) in planes.iter_mut().zip(query.as_chunks().0) {
        *planes = split(query);
    }
    let planes = &planes[..dim / WIDE];
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(places - ABREAST);
        let dots = dots_of(&rows[start * dim..(start + ABREAST) * dim], planes);
        let (scales, scores) = (scales[start..].chunks(BLOCK), scores[start..].chunks_mut(BLOCK));
        for ((scores, scales), dots) in scores.zip(scales).zip(dots) {
            score(dots, scales, factor, scores);
        }
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn split(query: &[i16; WIDE]) -> Planes {
    let high = query.map(|value| (value.wrapping_add(64) >> 7) as i8); // within ±127 if value is within ±QUERY_MAX
    let low = query.map(|value| (value.wrapping_add(64) & 127).wrapping_sub(64) as i8);
    Planes { high: bytemuck::must_cast(high), low: bytemuck::must_cast(low) }
}

/// The dot products of four blocks.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dots_of(blocks: &[i8], query: &[Planes]) -> [int32x4_t; ABREAST / BLOCK] {
    let (left, right) = blocks.as_chunks::<{ BLOCK * WIDE }>().0.split_at(2 * query.len());
    let ((a, b), (c, d)) = (left.split_at(query.len()), right.split_at(query.len()));
    let mut sums = [(vdupq_n_s32(0), vdupq_n_s32(0)); ABREAST / BLOCK];
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        for (sums, fours) in sums.iter_mut().zip([a, b, c, d]) {
            let [a, b, c, d] = bytemuck::must_cast(*fours);
            for (sum, query) in [(&mut sums.0, query.high), (&mut sums.1, query.low)] {
                *sum = add_products::<0>(*sum, a, query);
                *sum = add_products::<1>(*sum, b, query);
                *sum = add_products::<2>(*sum, c, query);
                *sum = add_products::<3>(*sum, d, query);
            }
        }
    }
    sums.map(|(high, low)| vaddq_s32(vshlq_n_s32::<7>(high), low))
}

/// `sdot` with the query's four components from `4 * FOUR` on: its intrinsic, `vdotq_laneq_s32`, is not stable.
#[inline]
#[target_feature(enable = "neon,dotprod")]
#[expect(unsafe_code, reason = "an instruction that has no stable intrinsic")]
fn add_products<const FOUR: usize>(sum: int32x4_t, part: int8x16_t, query: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // SAFETY: the function has the feature, and the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {part:v}.16b, {query:v}.4b[{four}]",
            sum = inout(vreg) sum,
            part = in(vreg) part,
            query = in(vreg) query,
            four = const FOUR,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
