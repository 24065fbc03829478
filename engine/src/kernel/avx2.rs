//! AVX2: like parts of four rows, 16 int8 widened to int16, against four int16 of the query at a time, 16 rows abreast.
//!
//! Two blocks side by side instead of four are a twentieth slower in the caches, and a tenth faster from memory.

use super::{Attention, scalar};
use core::arch::x86_64::{
    __m128, __m256, __m256i, _CMP_GT_OQ, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_movelh_ps, _mm_prefetch, _mm_unpackhi_ps, _mm_unpacklo_ps, _mm256_add_epi32,
    _mm256_add_ps, _mm256_blend_epi32, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_cvtepi8_epi16,
    _mm256_cvtepi32_ps, _mm256_extractf128_ps, _mm256_madd_epi16, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi64x, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_slli_epi64, _mm256_srli_epi64,
};
use tinderbox_format::BLOCK;

/// Outputs of `accumulate` at a time: eight registers for the even and odd sums, eight for what is added.
const OUTPUTS: usize = 32;
/// Rows whose sums are reduced together: two registers of eight i32.
const ABREAST: usize = 16;
/// Components of a block that one register holds once they are widened to i16: four of each row.
const WIDE: usize = 16;
/// Components of a row in a cache line of a block.
const LONG: usize = 16;
/// How far ahead of the rows in work the cache is told what comes, in bytes.
const AHEAD: usize = 8192;

#[target_feature(enable = "avx2")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let parts = query.as_chunks().0;
    scan_by(rows, query, scales, factor, scores, |group| dots_of(group, parts));
}

/// [`scan`] with `dots`: the dot products of the query with 16 rows.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn scan_by(
    rows: &[i8],
    query: &[i16],
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dots: impl Fn(&[i8]) -> [__m256i; 2],
) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / (BLOCK * dim) * BLOCK);
    let places = items.next_multiple_of(BLOCK);
    if places < ABREAST {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (rows, scales, scores) = (&rows[..places * dim], &scales[..items], &mut scores[..items]);
    let by = _mm256_set1_ps(factor);
    let groups = rows.chunks_exact(ABREAST * dim).zip(scales.as_chunks::<ABREAST>().0);
    for (scores, (group, scales)) in scores.as_chunks_mut::<ABREAST>().0.iter_mut().zip(groups) {
        let [a, b] = dots(group);
        let scales: [__m256; 2] = bytemuck::must_cast(*scales);
        let a = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(a), scales[0]), by); // as `scalar::score`
        let b = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(b), scales[1]), by);
        *scores = bytemuck::must_cast([a, b]);
    }
    if !items.is_multiple_of(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = places - ABREAST;
        let dots: [i32; ABREAST] = bytemuck::must_cast(dots(&rows[start * dim..]));
        scalar::score(&dots, &scales[start..], factor, &mut scores[start..]);
    }
}

/// The dot products of 16 rows: four blocks side by side, so that a part of the query is loaded once for all.
#[inline]
#[target_feature(enable = "avx2")]
fn dots_of(group: &[i8], query: &[[i16; LONG]]) -> [__m256i; 2] {
    let (left, right) = group.as_chunks::<WIDE>().0.as_chunks::<{ LONG / 4 }>().0.split_at(2 * query.len());
    let ((a, b), (c, d)) = (left.split_at(query.len()), right.split_at(query.len()));
    let mut sums = [_mm256_setzero_si256(); ABREAST / BLOCK];
    for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        for block in [a, b, c, d] {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().cast::<i8>().wrapping_add(AHEAD)); // a hint: any address may be given
        }
        let query: [i64; LONG / 4] = bytemuck::must_cast(*query);
        for (part, query) in query.into_iter().enumerate() {
            let query = _mm256_set1_epi64x(query);
            for (sum, block) in sums.iter_mut().zip([a, b, c, d]) {
                let part = _mm256_cvtepi8_epi16(bytemuck::must_cast(block[part]));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(part, query));
            }
        }
    }
    let [a, b, c, d] = sums;
    [add_pairs(a, b), add_pairs(c, d)]
}

/// The pairs of lanes of `a` added up, then those of `b`. By shifts, since of shuffles the compiler makes a `vphaddd`, which
/// has a tenth of the throughput on a Zen 5.
#[inline]
#[target_feature(enable = "avx2")]
fn add_pairs(a: __m256i, b: __m256i) -> __m256i {
    let even = _mm256_blend_epi32::<0b1010_1010>(a, _mm256_slli_epi64::<32>(b));
    let odd = _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(a), b);
    let order = bytemuck::must_cast([0_i32, 2, 4, 6, 1, 3, 5, 7]);
    _mm256_permutevar8x32_epi32(_mm256_add_epi32(even, odd), order)
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
