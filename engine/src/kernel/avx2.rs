//! AVX2: 16 int8 of a row against 16 int16 of the query at a time, 8 rows abreast.

use super::{Attention, Task, scalar};
use core::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_hadd_epi32, _mm256_madd_epi16,
    _mm256_permute2x128_si256, _mm256_setzero_si256,
};

/// Outputs of `accumulate` at a time: eight registers for the even and odd sums, eight for what is added.
const BLOCK: usize = 32;
/// Rows whose sums are reduced together: one register of eight i32.
const ABREAST: usize = 8;
/// Components of a row that one register holds once they are widened to i16.
const WIDE: usize = 16;

#[target_feature(enable = "avx2")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let groups = rows.chunks_exact(ABREAST * dim).zip(scales.as_chunks::<ABREAST>().0);
    let mut done = 0;
    for ((rows, scales), scores) in groups.zip(scores.as_chunks_mut::<ABREAST>().0) {
        let dots: [i32; ABREAST] = bytemuck::must_cast(eight_dots(rows, query));
        for ((score, dot), scale) in scores.iter_mut().zip(dots).zip(scales) {
            *score = scalar::score_of(dot, *scale, factor);
        }
        done += ABREAST;
    }
    let rest = rows.chunks_exact(dim).zip(scales).zip(scores).skip(done);
    for ((row, scale), score) in rest {
        *score = scalar::score_of(scalar::integer_dot(row, query), *scale, factor);
    }
}

/// The dot products of eight rows, `rows`: 8 x dim, in the order of the rows.
#[target_feature(enable = "avx2")]
fn eight_dots(rows: &[i8], query: &[i16]) -> __m256i {
    let dim = query.len();
    let mut sums = [_mm256_setzero_si256(); ABREAST];
    for (part, query) in query.as_chunks::<WIDE>().0.iter().enumerate() {
        let query: __m256i = bytemuck::must_cast(*query);
        for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(dim)) {
            if let Some(row) = row[part * WIDE..].first_chunk::<WIDE>() {
                let row: __m128i = bytemuck::must_cast(*row);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(row), query));
            }
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    // Each `hadd` halves the sums of two registers within their 128-bit halves; the last step adds the halves.
    let low = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let high = _mm256_hadd_epi32(_mm256_hadd_epi32(e, f), _mm256_hadd_epi32(g, h));
    let first_halves = _mm256_permute2x128_si256::<0x20>(low, high);
    let second_halves = _mm256_permute2x128_si256::<0x31>(low, high);
    _mm256_add_epi32(first_halves, second_halves)
}

#[target_feature(enable = "avx2")]
pub(super) fn run<T: Task>(task: T) -> T::Output {
    task.run::<BLOCK>()
}

#[target_feature(enable = "avx2")]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    scalar::dot(a, b)
}

#[target_feature(enable = "avx2")]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    scalar::attend(cosines, attention, attended, total);
}

#[target_feature(enable = "avx2")]
pub(super) fn largest(values: &[f32]) -> f32 {
    scalar::largest(values)
}
