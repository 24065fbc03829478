//! AVX-512 with VNNI: 64 int8 of a row against two int8 planes of the query at a time, 16 rows abreast.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes and adds each four products to an i32, wrapping. So a row
//! goes in with 128 added to each component (its sign bit flipped), and the query as two planes,
//! `query = 128 * high + low`. What the 128 adds is the same for every row and is taken off at the end; sums
//! may wrap on the way there, the dot product fits an i32 and comes out exact.
//!
//! Tried and slower: rows widened to i16 for `vpdpwssd`, by a tenth at dim 64.

use super::{Attention, TILE, TILE_DIM, scalar, suits_tiles};
use core::arch::x86_64::{
    __m512, __m512i, __mmask64, _CMP_GT_OQ, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi32, _mm512_cmp_ps_mask,
    _mm512_cvtepi8_epi16, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32,
    _mm512_maskz_loadu_epi8, _mm512_mul_ps, _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_sub_epi32,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    _mm512_xor_si512,
};
use tinderbox_format::MAX_DIM;

// Half as wide, and faster at dim 32.
pub(super) use super::avx2::{accumulate, dot, dots};

/// Rows whose sums are reduced together: one register of sixteen i32.
const ABREAST: usize = 16;
/// Components of a row that one register holds.
const WIDE: usize = 64;
/// Registers that the longest row takes.
const MOST_PARTS: usize = MAX_DIM as usize / WIDE;
/// How far ahead of the rows in work the cache is told what comes, in bytes: a catalogue beyond the caches
/// is scored a third faster for it, one within them up to a twentieth slower.
const AHEAD: usize = 8192;

/// 64 components of a query, split: `query = 128 * high + low`.
#[derive(Clone, Copy)]
struct Planes {
    high: __m512i,
    low: __m512i,
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / dim);
    if items < ABREAST || dim > MAX_DIM as usize {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (rows, scales, scores) = (&rows[..items * dim], &scales[..items], &mut scores[..items]);
    let surplus = query.iter().map(|&value| i32::from(value)).sum::<i32>() << 7;
    match query.as_chunks::<WIDE>() {
        ([one], []) => {
            let planes = split(one);
            score(rows, WIDE, surplus, scales, factor, scores, |rows| dots_of_whole(rows, planes));
        }
        ([], half) if half.len() == WIDE / 2 => {
            let twice = split(&repeated(half));
            score(rows, WIDE / 2, surplus, scales, factor, scores, |rows| dots_of_halves(rows, twice));
        }
        ([], quarter) if quarter.len() == WIDE / 4 => {
            let fourfold = split(&repeated(quarter));
            score(rows, WIDE / 4, surplus, scales, factor, scores, |rows| dots_of_quarters(rows, fourfold));
        }
        (parts, rest) => {
            let mut last = [0; WIDE];
            last[..rest.len()].copy_from_slice(rest);
            let mut planes =
                [Planes { high: _mm512_setzero_si512(), low: _mm512_setzero_si512() }; MOST_PARTS];
            for (planes, query) in planes.iter_mut().zip(parts.iter().chain([&last])) {
                *planes = split(query);
            }
            let planes = &planes[..dim.div_ceil(WIDE)];
            score(rows, dim, surplus, scales, factor, scores, |rows| dots_of_any(rows, dim, planes));
        }
    }
}

/// Scores all rows, at least sixteen, by `dots`: those of sixteen rows, too large by 128 in every component of a row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn score(
    rows: &[i8],
    dim: usize,
    surplus: i32,
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dots: impl Fn(&[i8]) -> __m512i,
) {
    let items = scores.len();
    let (surplus, factor) = (_mm512_set1_epi32(surplus), _mm512_set1_ps(factor));
    for start in (0..items).step_by(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = start.min(items - ABREAST);
        let group = &rows[start * dim..(start + ABREAST) * dim];
        let dots = _mm512_cvtepi32_ps(_mm512_sub_epi32(dots(group), surplus));
        if let Some(scales) = scales[start..].first_chunk::<ABREAST>()
            && let Some(scores) = scores[start..].first_chunk_mut::<ABREAST>()
        {
            let scales: __m512 = bytemuck::must_cast(*scales);
            *scores = bytemuck::must_cast(_mm512_mul_ps(_mm512_mul_ps(dots, scales), factor)); // `scalar::score_of`
        }
    }
}

/// A query of a part of a register, as often as it fits.
fn repeated(query: &[i16]) -> [i16; WIDE] {
    let mut whole = [0; WIDE];
    whole.chunks_exact_mut(query.len()).for_each(|part| part.copy_from_slice(query));
    whole
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn split(query: &[i16; WIDE]) -> Planes {
    let (mut high, mut low) = ([0_i8; WIDE], [0_i8; WIDE]);
    for ((high, low), &value) in high.iter_mut().zip(&mut low).zip(query) {
        *high = (value.wrapping_add(64) >> 7) as i8; // within ±127 if value is within ±QUERY_MAX
        *low = value.wrapping_sub(i16::from(*high) << 7) as i8;
    }
    Planes { high: bytemuck::must_cast(high), low: bytemuck::must_cast(low) }
}

/// In each 128 bits the sums of products of `a`, `b`, `c`, `d` there, each 64 components of a row or of shorter ones.
///
/// The rows of a pair are interleaved before they are multiplied, not their sums behind it: half the sums to shift and
/// to add, a seventh fewer instructions.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_four([a, b, c, d]: &[[i8; WIDE]; 4], query: Planes) -> __m512i {
    let (ab, cd) = (products(load(a), load(b), query), products(load(c), load(d), query));
    _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd))
}

/// In each 128 bits sums of products: of `a`, of `b`, of `a`, of `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn products(a: __m512i, b: __m512i, query: Planes) -> __m512i {
    let first = |query| _mm512_unpacklo_epi32(query, query);
    let last = |query| _mm512_unpackhi_epi32(query, query);
    let (low, high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), low, first(query.high));
    let sums = _mm512_slli_epi32::<7>(_mm512_dpbusd_epi32(sums, high, last(query.high)));
    let sums = _mm512_dpbusd_epi32(sums, low, first(query.low));
    _mm512_dpbusd_epi32(sums, high, last(query.low))
}

/// `rows`: 16 x 32, two in a register; `twice`: the query, twice.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_halves(rows: &[i8], twice: Planes) -> __m512i {
    let [a, b] = fours(rows, twice);
    // Now rows 0 2 4 6, 1 3 5 7, 8 10 12 14, 9 11 13 15.
    let order = [0_i32, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15];
    _mm512_permutexvar_epi32(bytemuck::must_cast(order), add_quarters(a, b))
}

/// `rows`: 16 x 16, four in a register; `fourfold`: the query, four times.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_quarters(rows: &[i8], fourfold: Planes) -> __m512i {
    let [dots] = fours(rows, fourfold);
    // The first quarter has rows 0 4 8 12, the next one 1 5 9 13.
    let order = [0_i32, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
    _mm512_permutexvar_epi32(bytemuck::must_cast(order), dots)
}

/// `rows`: 16 x 64.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_whole(rows: &[i8], query: Planes) -> __m512i {
    let [a, b, c, d] = fours(rows, query);
    add_quarters(add_quarters(a, b), add_quarters(c, d))
}

/// [`dots_of_four`] of each four registers that sixteen rows fill.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn fours<const FOURS: usize>(rows: &[i8], query: Planes) -> [__m512i; FOURS] {
    let mut fours = [_mm512_setzero_si512(); FOURS];
    for (dots, parts) in fours.iter_mut().zip(rows.as_chunks::<WIDE>().0.as_chunks::<4>().0) {
        *dots = dots_of_four(parts, query);
    }
    fours
}

/// `rows`: 16 x dim, four at a time so that their sums stay in registers; `query`: dim.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_any(rows: &[i8], dim: usize, query: &[Planes]) -> __m512i {
    let mut quads = [_mm512_setzero_si512(); ABREAST / 4];
    for (quad, rows) in quads.iter_mut().zip(rows.chunks_exact(4 * dim)) {
        let (first, second) = rows.split_at(2 * dim);
        let ((a, b), (c, d)) = (first.split_at(dim), second.split_at(dim));
        let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] =
            [a, b, c, d].map(|row| row.as_chunks::<WIDE>());
        let mut sums = [(_mm512_setzero_si512(), _mm512_setzero_si512()); 4];
        for ((((a, b), c), d), query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
            for (sums, part) in sums.iter_mut().zip([a, b, c, d]) {
                add_products(sums, load(part), query);
            }
        }
        if !a_rest.is_empty()
            && let Some(query) = query.last()
        {
            for (sums, rest) in sums.iter_mut().zip([a_rest, b_rest, c_rest, d_rest]) {
                add_products(sums, load_rest(rest), query);
            }
        }
        let [a, b, c, d] = sums.map(|(high, low)| _mm512_add_epi32(_mm512_slli_epi32::<7>(high), low));
        *quad = add_fours(a, b, c, d);
    }
    let [a, b, c, d] = quads;
    add_quarters(add_quarters(a, b), add_quarters(c, d))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_products((high, low): &mut (__m512i, __m512i), part: __m512i, query: &Planes) {
    *high = _mm512_dpbusd_epi32(*high, part, query.high);
    *low = _mm512_dpbusd_epi32(*low, part, query.low);
}

/// 64 components of a row, 128 added to each, as unsigned bytes. Asks for those [`AHEAD`] of them, too.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn load(part: &[i8; WIDE]) -> __m512i {
    _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().wrapping_add(AHEAD)); // a hint: any address may be given
    flip(bytemuck::must_cast(*part))
}

/// Fewer than 64 components of a row, and zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(unsafe_code, reason = "a load of a part of a register takes a pointer")]
fn load_rest(rest: &[i8]) -> __m512i {
    let bytes: __mmask64 = (1 << (rest.len() % WIDE)) - 1;
    // SAFETY: the mask selects no more than the `rest.len()` bytes that there are; others are not read.
    flip(unsafe { _mm512_maskz_loadu_epi8(bytes, rest.as_ptr()) })
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn flip(part: __m512i) -> __m512i {
    _mm512_xor_si512(part, _mm512_set1_epi8(i8::MIN))
}

/// In each 128 bits the sums of the four lanes of `a`, `b`, `c`, `d` there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_fours(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    let a = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let c = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    _mm512_add_epi32(_mm512_unpacklo_epi64(a, c), _mm512_unpackhi_epi64(a, c))
}

/// The quarters of `a` added up to two, then those of `b`: the first with the second, the third with the fourth.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b))
}

/// Scores the queries that fill tiles, and returns how many these are: none where a row is too long, or of a length
/// that cannot be transposed in whole blocks.
///
/// 32 rows at a time are widened to i16 and transposed, once for all queries: then a register holds two components of
/// sixteen rows, a query's two components are broadcast, and `vpdpwssd` adds up sixteen dot products without a sum
/// across lanes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn scan_tiles(
    rows: &[i8],
    queries: &[&[i16]],
    scales: &[f32],
    factors: &[f32],
    scores: &mut [f32],
) -> usize {
    let (items, dim) = (scales.len(), queries.first().map_or(0, |query| query.len()));
    let whole = items - items % (2 * ABREAST);
    let (tiles, _) = queries.as_chunks::<TILE>();
    if whole == 0 || !suits_tiles(dim) || rows.len() < whole * dim {
        return 0;
    }
    let mut pairs = [[_mm512_setzero_si512(); 2]; TILE_DIM / 2];
    let pairs = &mut pairs[..dim / 2];
    for start in (0..whole).step_by(2 * ABREAST) {
        for half in 0..2 {
            let from = (start + half * ABREAST) * dim;
            transpose_rows(&rows[from..from + ABREAST * dim], pairs, half);
        }
        for (tile, queries) in tiles.iter().enumerate() {
            let factors = &factors[tile * TILE..];
            let scores = scores[tile * TILE * items..].chunks_exact_mut(items);
            // By reference: registers that are moved through an iterator take the way over the stack.
            for ((sums, &factor), scores) in tile_dots(pairs, queries).iter().zip(factors).zip(scores) {
                let scores = scores[start..].as_chunks_mut::<ABREAST>().0;
                let scales = scales[start..].as_chunks::<ABREAST>().0;
                for ((&dots, scales), scores) in sums.iter().zip(scales).zip(scores) {
                    let dots = _mm512_mul_ps(_mm512_cvtepi32_ps(dots), bytemuck::must_cast(*scales));
                    let dots = _mm512_mul_ps(dots, _mm512_set1_ps(factor)); // `scalar::score_of`
                    *scores = bytemuck::must_cast(dots);
                }
            }
        }
    }
    let done = tiles.len() * TILE;
    for ((query, &factor), scores) in
        queries.iter().zip(factors).zip(scores.chunks_exact_mut(items)).take(done)
    {
        scan(&rows[whole * dim..], query, &scales[whole..], factor, &mut scores[whole..]);
    }
    done
}

/// `pairs[p][half]`: components 2p and 2p + 1 of each of the sixteen rows, as i16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn transpose_rows(rows: &[i8], pairs: &mut [[__m512i; 2]], half: usize) {
    let dim = 2 * pairs.len();
    for (at, pairs) in pairs.as_chunks_mut::<ABREAST>().0.iter_mut().enumerate() {
        let mut block = [_mm512_setzero_si512(); ABREAST];
        for (wide, row) in block.iter_mut().zip(rows.chunks_exact(dim)) {
            if let Some(part) = row[at * 32..].first_chunk::<32>() {
                *wide = _mm512_cvtepi8_epi16(bytemuck::must_cast(*part));
            }
        }
        for (pair, &column) in pairs.iter_mut().zip(&transpose(block)) {
            pair[half] = column;
        }
    }
}

/// Lane i of register j becomes lane j of register i.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn transpose(rows: [__m512i; ABREAST]) -> [__m512i; ABREAST] {
    let mut fours = [_mm512_setzero_si512(); ABREAST]; // [4 q + l]: in each 128 bits lane l of there, of rows 4 q ..
    for (to, from) in fours.as_chunks_mut::<4>().0.iter_mut().zip(rows.as_chunks::<4>().0) {
        let [a, b, c, d] = *from;
        let (low, high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (low2, high2) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        *to = [
            _mm512_unpacklo_epi64(low, low2),
            _mm512_unpackhi_epi64(low, low2),
            _mm512_unpacklo_epi64(high, high2),
            _mm512_unpackhi_epi64(high, high2),
        ];
    }
    let mut columns = [_mm512_setzero_si512(); ABREAST];
    for lane in 0..4 {
        let [a, b, c, d] = [fours[lane], fours[4 + lane], fours[8 + lane], fours[12 + lane]];
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (even2, odd2) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        columns[lane] = _mm512_shuffle_i32x4::<0x88>(even, even2);
        columns[8 + lane] = _mm512_shuffle_i32x4::<0xdd>(even, even2);
        columns[4 + lane] = _mm512_shuffle_i32x4::<0x88>(odd, odd2);
        columns[12 + lane] = _mm512_shuffle_i32x4::<0xdd>(odd, odd2);
    }
    columns
}

/// The dot products of 2 x 16 rows with each query.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn tile_dots(pairs: &[[__m512i; 2]], queries: &[&[i16]; TILE]) -> [[__m512i; 2]; TILE] {
    let mut sums = [[_mm512_setzero_si512(); 2]; TILE];
    let [a, b, c, d, e, f, g, h] = queries.map(|query| query.as_chunks::<2>().0);
    let (left, right) = (a.iter().zip(b).zip(c).zip(d), e.iter().zip(f).zip(g).zip(h));
    for (pair, ((((a, b), c), d), (((e, f), g), h))) in pairs.iter().zip(left.zip(right)) {
        for (sums, query) in sums.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            let query = _mm512_set1_epi32(bytemuck::must_cast(*query));
            sums[0] = _mm512_dpwssd_epi32(sums[0], pair[0], query);
            sums[1] = _mm512_dpwssd_epi32(sums[1], pair[1], query);
        }
    }
    sums
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    scalar::attend(cosines, attention, attended, total);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn above(scores: &[[f32; 64]], bound: f32, above: &mut [u64]) {
    let bound = _mm512_set1_ps(bound);
    for (above, scores) in above.iter_mut().zip(scores) {
        let lanes = scores.as_chunks::<16>().0.iter().zip((0..).step_by(16));
        *above = lanes.fold(0, |above, (lanes, at)| {
            let exceeds = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(bytemuck::must_cast(*lanes), bound);
            above | u64::from(exceeds) << at
        });
    }
}
