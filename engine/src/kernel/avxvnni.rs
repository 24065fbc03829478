//! AVX-VNNI, for CPUs that have VNNI and no AVX-512: like parts of four rows, 32 int8, against two int8 planes of the
//! query at a time, 16 rows abreast.
//!
//! The surplus and why the sums may wrap: as in `avx512.rs`. Only the scan has a use for it; all else is AVX2's.

use super::{Planes, avx2, scalar};
use core::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi32, _mm256_dpbusd_avx_epi32, _mm256_permute2x128_si256,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_set1_epi64x,
    _mm256_setzero_si256, _mm256_slli_epi32, _mm256_sub_epi32, _mm256_xor_si256,
};
use tinderbox_format::{BLOCK, MAX_DIM};

pub(super) use super::avx2::{above, accumulate, attend, dot, dots};

/// Rows whose sums are reduced together: two registers of eight i32.
const ABREAST: usize = 16;
/// Components of a block that one register holds: eight of each row.
const WIDE: usize = 32;
/// Components of a query that meet one register.
const PART: usize = WIDE / BLOCK;
/// Registers of the longest row.
const MOST_PARTS: usize = MAX_DIM as usize / PART;
/// How far ahead of the rows in work the cache is told what comes, in bytes.
const AHEAD: usize = 8192;

#[target_feature(enable = "avx2,avxvnni")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    if query.len() > MAX_DIM as usize {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let mut planes = [Planes::ZERO; MOST_PARTS];
    for (planes, query) in planes.iter_mut().zip(query.as_chunks().0) {
        *planes = Planes::of(query);
    }
    let planes = &planes[..query.len() / PART];
    let surplus = _mm256_set1_epi32(query.iter().map(|&value| i32::from(value)).sum::<i32>() << 7);
    avx2::scan_by(rows, query, scales, factor, scores, |group| {
        dots_of(group, planes).map(|dots| _mm256_sub_epi32(dots, surplus))
    });
}

/// The dot products of four blocks, too large by 128 in every component of a row.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dots_of(group: &[i8], query: &[Planes<PART>]) -> [__m256i; 2] {
    let (left, right) = group.as_chunks::<WIDE>().0.split_at(2 * query.len());
    let ((a, b), (c, d)) = (left.split_at(query.len()), right.split_at(query.len()));
    let mut sums = [(_mm256_setzero_si256(), _mm256_setzero_si256()); ABREAST / BLOCK];
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        let (high, low) = (spread(query.high), spread(query.low));
        for ((of_high, of_low), part) in sums.iter_mut().zip([a, b, c, d]) {
            let part = load(part);
            *of_high = _mm256_dpbusd_avx_epi32(*of_high, part, high);
            *of_low = _mm256_dpbusd_avx_epi32(*of_low, part, low);
        }
    }
    let [a, b, c, d] = sums.map(|(high, low)| _mm256_add_epi32(_mm256_slli_epi32::<7>(high), low));
    [add_halves(a, b), add_halves(c, d)]
}

/// A plane as it meets a block: each four components once for each of its rows.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn spread(plane: [i8; PART]) -> __m256i {
    let fours = bytemuck::must_cast([0_i32, 0, 0, 0, 1, 1, 1, 1]);
    _mm256_permutevar8x32_epi32(_mm256_set1_epi64x(bytemuck::must_cast(plane)), fours)
}

/// Like parts of a block's rows, 128 added to each component, as unsigned bytes. Asks for those [`AHEAD`] of them, too.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn load(part: &[i8; WIDE]) -> __m256i {
    _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().wrapping_add(AHEAD)); // a hint: any address may be given
    _mm256_xor_si256(bytemuck::must_cast(*part), _mm256_set1_epi8(i8::MIN))
}

/// The halves of `a` added up, then those of `b`: each has one sum of each of four rows.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn add_halves(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
}
