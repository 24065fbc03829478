//! AVX2: 16 int8 of a row, widened to int16, against 16 int16 of the query at a time, 8 rows abreast.
//!
//! Tried and slower: even and odd components apart without widening (by a tenth). `vphaddd` for the
//! sums: a tenth of the throughput of unpacking on a Zen 5.

use super::{Attention, scalar};
use core::arch::x86_64::{
    __m128, __m256, __m256i, _CMP_GT_OQ, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_movelh_ps, _mm_prefetch, _mm_unpackhi_ps, _mm_unpacklo_ps, _mm256_add_epi32,
    _mm256_add_ps, _mm256_blend_epi32, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_cvtepi8_epi16,
    _mm256_cvtepi32_ps, _mm256_extractf128_ps, _mm256_madd_epi16, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_permute2x128_si256, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

/// Outputs of `accumulate` at a time: eight registers for the even and odd sums, eight for what is added.
const BLOCK: usize = 32;
/// Rows whose sums are reduced together: one register of eight i32.
const ABREAST: usize = 8;
/// Components of a row that one register holds once they are widened to i16.
const WIDE: usize = 16;
/// How far ahead of the rows in work the cache is told what comes, in bytes.
const AHEAD: usize = 8192;

#[target_feature(enable = "avx2")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / dim);
    if items < ABREAST || !dim.is_multiple_of(WIDE) {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (rows, scales, scores) = (&rows[..items * dim], &scales[..items], &mut scores[..items]);
    let query = query.as_chunks::<WIDE>().0;
    match query {
        [a, b] => {
            let query = [a, b].map(|part| bytemuck::must_cast(*part));
            score(rows, 2 * WIDE, scales, factor, scores, |rows| dots_of(query, rows));
        }
        [a, b, c, d] => {
            let query = [a, b, c, d].map(|part| bytemuck::must_cast(*part));
            score(rows, 4 * WIDE, scales, factor, scores, |rows| dots_of(query, rows));
        }
        _ => score(rows, dim, scales, factor, scores, |rows| dots_of_any(query, rows)),
    }
}

/// Scores all rows, at least eight, by `dots`: those of eight rows.
#[inline]
#[target_feature(enable = "avx2")]
fn score(
    rows: &[i8],
    dim: usize,
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dots: impl Fn(&[[i8; WIDE]]) -> __m256i,
) {
    let (items, factor) = (scores.len(), _mm256_set1_ps(factor));
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(items - ABREAST);
        let dots = dots(rows[start * dim..(start + ABREAST) * dim].as_chunks().0);
        if let Some(scales) = scales[start..].first_chunk::<ABREAST>()
            && let Some(scores) = scores[start..].first_chunk_mut::<ABREAST>()
        {
            let (dots, scales): (_, __m256) = (_mm256_cvtepi32_ps(dots), bytemuck::must_cast(*scales));
            *scores = bytemuck::must_cast(_mm256_mul_ps(_mm256_mul_ps(dots, scales), factor)); // `scalar::score_of`
        }
    }
}

/// `rows`: 8 x parts, `query`: parts, their number known to the compiler.
#[inline]
#[target_feature(enable = "avx2")]
fn dots_of<const PARTS: usize>(query: [__m256i; PARTS], rows: &[[i8; WIDE]]) -> __m256i {
    let mut sums = [_mm256_setzero_si256(); ABREAST];
    for (sum, row) in sums.iter_mut().zip(rows.as_chunks::<PARTS>().0) {
        prefetch(&row[0]);
        for (part, query) in row.iter().zip(query) {
            *sum = add_products(*sum, part, query);
        }
    }
    add_lanes(sums)
}

/// `rows`: 8 x parts, two of each at a time.
#[inline]
#[target_feature(enable = "avx2")]
fn dots_of_any(query: &[[i16; WIDE]], rows: &[[i8; WIDE]]) -> __m256i {
    let len = query.len();
    let row = |at: usize| &rows[at * len..(at + 1) * len];
    let rows = [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)]; // `from_fn` is not inlined here
    let mut sums = [_mm256_setzero_si256(); ABREAST];
    let (pairs, last) = query.as_chunks::<2>();
    for (pair, query) in pairs.iter().enumerate() {
        let query: [__m256i; 2] = query.map(bytemuck::must_cast);
        for (sum, row) in sums.iter_mut().zip(rows) {
            let parts = &row[2 * pair..2 * pair + 2];
            prefetch(&parts[0]);
            for (part, query) in parts.iter().zip(query) {
                *sum = add_products(*sum, part, query);
            }
        }
    }
    for query in last {
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = add_products(*sum, &row[len - 1], bytemuck::must_cast(*query));
        }
    }
    add_lanes(sums)
}

/// Asks for what comes [`AHEAD`] of this part.
#[inline]
#[target_feature(enable = "avx2")]
fn prefetch(part: &[i8; WIDE]) {
    _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().wrapping_add(AHEAD)); // a hint: any address may be given
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_products(sum: __m256i, part: &[i8; WIDE], query: __m256i) -> __m256i {
    let part = _mm256_cvtepi8_epi16(bytemuck::must_cast(*part));
    _mm256_add_epi32(sum, _mm256_madd_epi16(part, query))
}

/// The sum of the lanes of each register.
#[inline]
#[target_feature(enable = "avx2")]
fn add_lanes([a, b, c, d, e, f, g, h]: [__m256i; ABREAST]) -> __m256i {
    add_halves(add_fours(a, b, c, d), add_fours(e, f, g, h))
}

/// The two halves of `a` added up, then those of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn add_halves(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(_mm256_blend_epi32::<0b1111_0000>(a, b), _mm256_permute2x128_si256::<0x21>(a, b))
}

/// In each 128 bits the sums of the four lanes of `a`, `b`, `c`, `d` there.
#[inline]
#[target_feature(enable = "avx2")]
fn add_fours(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let a = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let c = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    _mm256_add_epi32(_mm256_unpacklo_epi64(a, c), _mm256_unpackhi_epi64(a, c))
}

#[target_feature(enable = "avx2")]
pub(super) fn accumulate(columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
    scalar::accumulate_by::<BLOCK>(columns, coefficients, out);
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
