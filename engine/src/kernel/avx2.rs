//! AVX2: like parts of four rows, 16 int8 widened to int16, against four int16 of the query at a time, 8 rows abreast.
//!
//! Tried and slower, at dim 64: a block alone (by a tenth in the caches), four blocks side by side (by a tenth from
//! memory).

use super::{Attention, scalar};
use core::arch::x86_64::{
    __m128, __m256, __m256i, _CMP_GT_OQ, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_movelh_ps, _mm_prefetch, _mm_unpackhi_ps, _mm_unpacklo_ps, _mm256_add_epi32,
    _mm256_add_ps, _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cmp_ps,
    _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps, _mm256_extractf128_ps, _mm256_madd_epi16, _mm256_movemask_ps,
    _mm256_mul_ps, _mm256_permute4x64_epi64, _mm256_set1_epi64x, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_shuffle_ps,
};
use tinderbox_format::BLOCK;

/// Outputs of `accumulate` at a time: eight registers for the even and odd sums, eight for what is added.
const OUTPUTS: usize = 32;
/// Rows whose sums are reduced together: one register of eight i32.
const ABREAST: usize = 8;
/// Components of a block that one register holds once they are widened to i16: four of each row.
const WIDE: usize = 16;
/// Components of a row in a cache line of a block.
const LONG: usize = 16;
/// How far ahead of the rows in work the cache is told what comes, in bytes.
const AHEAD: usize = 8192;

#[target_feature(enable = "avx2")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / (BLOCK * dim) * BLOCK);
    let places = items.next_multiple_of(BLOCK);
    if places < ABREAST {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (scales, scores) = (&scales[..items], &mut scores[..items]);
    let (query, by) = (query.as_chunks().0, _mm256_set1_ps(factor));
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(places - ABREAST);
        let dots = dots_of(&rows[start * dim..(start + ABREAST) * dim], query);
        if let Some(scales) = scales[start..].first_chunk::<ABREAST>()
            && let Some(scores) = scores[start..].first_chunk_mut::<ABREAST>()
        {
            let (dots, scales): (_, __m256) = (_mm256_cvtepi32_ps(dots), bytemuck::must_cast(*scales));
            *scores = bytemuck::must_cast(_mm256_mul_ps(_mm256_mul_ps(dots, scales), by)); // as `scalar::score`
        } else {
            let dots: [i32; ABREAST] = bytemuck::must_cast(dots);
            scalar::score(&dots, &scales[start..], factor, &mut scores[start..]);
        }
    }
}

/// The dot products of 8 rows: two blocks side by side, so that a part of the query is loaded once for both.
#[inline]
#[target_feature(enable = "avx2")]
fn dots_of(blocks: &[i8], query: &[[i16; LONG]]) -> __m256i {
    let (a, b) = blocks.as_chunks::<WIDE>().0.as_chunks::<{ LONG / 4 }>().0.split_at(query.len());
    let mut sums = [_mm256_setzero_si256(); 2];
    for ((a, b), query) in a.iter().zip(b).zip(query) {
        let query: [i64; LONG / 4] = bytemuck::must_cast(*query);
        for block in [a, b] {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().cast::<i8>().wrapping_add(AHEAD)); // a hint: any address may be given
        }
        for (part, query) in query.into_iter().enumerate() {
            let query = _mm256_set1_epi64x(query);
            for (sum, block) in sums.iter_mut().zip([a, b]) {
                let part = _mm256_cvtepi8_epi16(bytemuck::must_cast(block[part]));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(part, query));
            }
        }
    }
    add_pairs(sums[0], sums[1])
}

/// The pairs of lanes of `a` added up, then those of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn add_pairs(a: __m256i, b: __m256i) -> __m256i {
    let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
    let (even, odd) = (_mm256_shuffle_ps::<0b10_00_10_00>(a, b), _mm256_shuffle_ps::<0b11_01_11_01>(a, b));
    let sums = _mm256_add_epi32(_mm256_castps_si256(even), _mm256_castps_si256(odd));
    _mm256_permute4x64_epi64::<0b11_01_10_00>(sums) // the halves of each half were mixed
}

#[target_feature(enable = "avx2")]
pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    scalar::accumulate_by::<OUTPUTS>(columns, coefficients, out);
}

#[target_feature(enable = "avx2")]
pub(super) fn dots(rows: &[f32], vector: &[f32], out: &mut [f32]) {
    let len = vector.len().max(1);
    let items = out.len().min(rows.len() / len);
    let (fours, rest) = out[..items].as_chunks_mut::<4>();
    let (rows_of_fours, rest_rows) = rows.split_at(4 * fours.len() * len);
    for (rows, out) in rows_of_fours.chunks_exact(4 * len).zip(fours) {
        *out = dots_with(rows, vector);
    }
    for (row, out) in rest_rows.chunks_exact(len).zip(rest) {
        *out = dot(row, vector);
    }
}

/// `rows`: 4 x vector. As [`dot`], whose last two sums come for four rows at a time.
#[inline]
#[target_feature(enable = "avx2")]
fn dots_with(rows: &[f32], vector: &[f32]) -> [f32; 4] {
    let (parts, vector) = (rows.as_chunks::<16>().0, vector.as_chunks::<16>().0);
    let (ab, cd) = parts.split_at(2 * vector.len());
    let ((a, b), (c, d)) = (ab.split_at(vector.len()), cd.split_at(vector.len()));
    let mut sums = [[_mm256_setzero_ps(); 2]; 4];
    for ((((a, b), c), d), vector) in a.iter().zip(b).zip(c).zip(d).zip(vector) {
        let vector = bytemuck::must_cast(*vector);
        add_lanes_of(&mut sums[0], a, vector);
        add_lanes_of(&mut sums[1], b, vector);
        add_lanes_of(&mut sums[2], c, vector);
        add_lanes_of(&mut sums[3], d, vector);
    }
    let [a, b, c, d] = sums;
    let [a, b, c, d] = [fold(a), fold(b), fold(c), fold(d)];
    let ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    let cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    bytemuck::must_cast(_mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)))
}

/// `scalar::dot` by hand: the compiler cuts its sixteen lanes in pairs.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 2];
    for (a, b) in a.as_chunks().0.iter().zip(b.as_chunks::<16>().0) {
        add_lanes_of(&mut sums, a, bytemuck::must_cast(*b));
    }
    let four = fold(sums);
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_lanes_of(sums: &mut [__m256; 2], row: &[f32; 16], vector: [__m256; 2]) {
    let row: [__m256; 2] = bytemuck::must_cast(*row);
    sums[0] = _mm256_add_ps(sums[0], _mm256_mul_ps(row[0], vector[0]));
    sums[1] = _mm256_add_ps(sums[1], _mm256_mul_ps(row[1], vector[1]));
}

/// Sixteen lanes become eight, and these four.
#[inline]
#[target_feature(enable = "avx2")]
fn fold(sums: [__m256; 2]) -> __m128 {
    let eight = _mm256_add_ps(sums[0], sums[1]);
    _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight))
}

#[target_feature(enable = "avx2")]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    scalar::attend(cosines, attention, attended, total);
}

#[target_feature(enable = "avx2")]
pub(super) fn above(scores: &[[f32; 64]], bound: f32, above: &mut [u64]) {
    let bound = _mm256_set1_ps(bound);
    let eights = scores.as_flattened().as_chunks::<8>().0;
    for (byte, scores) in bytemuck::cast_slice_mut::<_, u8>(above).iter_mut().zip(eights) {
        *byte = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(bytemuck::must_cast(*scores), bound)) as u8;
    }
}
