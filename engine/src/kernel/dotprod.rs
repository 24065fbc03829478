//! NEON with `sdot`: 16 int8 of a row against two int8 planes of the query at a time, 4 rows abreast.
//!
//! `sdot` adds each four products of int8 to an i32, so the query goes in as two planes,
//! `query = 128 * high + low`. Sums may wrap on the way, the dot product fits an i32 and comes out exact.
//!
//! Only the scan has a use for it; all else is NEON's.

use super::neon::{ABREAST, Group, WIDE, add_lanes, score};
use core::arch::aarch64::{int8x16_t, int32x4_t, vaddq_s32, vdupq_n_s32, vshlq_n_s32};
use core::arch::asm;
use tinderbox_format::MAX_DIM;

pub(super) use super::neon::{above, accumulate, attend, dot, dots};

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
    let (dim, items) = (query.len(), scores.len().min(scales.len()).min(rows.len() / query.len()));
    if items < ABREAST || !dim.is_multiple_of(WIDE) || dim > MAX_DIM as usize {
        return super::neon::scan(rows, query, scales, factor, scores);
    }
    let mut planes = [split(&[0; WIDE]); MOST_PARTS];
    for (planes, query) in planes.iter_mut().zip(query.as_chunks().0) {
        *planes = split(query);
    }
    let planes = &planes[..dim / WIDE];
    score(rows, dim, &scales[..items], factor, &mut scores[..items], |group| dots_of(group, planes));
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn split(query: &[i16; WIDE]) -> Planes {
    let high = query.map(|value| (value.wrapping_add(64) >> 7) as i8); // within ±127 if value is within ±QUERY_MAX
    let low = query.map(|value| (value.wrapping_add(64) & 127).wrapping_sub(64) as i8);
    Planes { high: bytemuck::must_cast(high), low: bytemuck::must_cast(low) }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dots_of([a, b, c, d]: Group, query: &[Planes]) -> int32x4_t {
    let (mut high, mut low) = ([vdupq_n_s32(0); ABREAST], [vdupq_n_s32(0); ABREAST]);
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        for ((high, low), part) in high.iter_mut().zip(&mut low).zip([a, b, c, d]) {
            *high = add_products(*high, bytemuck::must_cast(*part), query.high);
            *low = add_products(*low, bytemuck::must_cast(*part), query.low);
        }
    }
    vaddq_s32(vshlq_n_s32::<7>(add_lanes(high)), add_lanes(low))
}

/// `sdot`: its intrinsic, `vdotq_s32`, is not stable.
#[inline]
#[target_feature(enable = "neon,dotprod")]
#[expect(unsafe_code, reason = "an instruction that has no stable intrinsic")]
fn add_products(sum: int32x4_t, part: int8x16_t, query: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // SAFETY: the function has the feature, and the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {part:v}.16b, {query:v}.16b",
            sum = inout(vreg) sum,
            part = in(vreg) part,
            query = in(vreg) query,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
