//! AVX-512 with VNNI: like parts of four rows, 64 int8, against two int8 planes of the query at a time, 16 rows abreast.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes and adds each four products to an i32, wrapping. So a row
//! goes in with 128 added to each component (its sign bit flipped), and the query as two planes,
//! `query = 128 * high + low`. What the 128 adds is the same for every row and is taken off at the end; sums
//! may wrap on the way there, the dot product fits an i32 and comes out exact.

use super::{Attention, Planes, TILE, TILE_DIM, scalar};
use core::arch::x86_64::{
    __m512, __m512i, _CMP_GT_OQ, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi32, _mm512_broadcast_i32x4,
    _mm512_castsi128_si512, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32,
    _mm512_mul_ps, _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_srai_epi16,
    _mm512_sub_epi32, _mm512_xor_si512,
};
use tinderbox_format::{BLOCK, MAX_DIM};

// Half as wide, and faster at dim 32.
pub(super) use super::avx2::{accumulate, dot, dots};

/// Rows whose sums are reduced together: one register of sixteen i32.
const ABREAST: usize = 16;
/// Components of a block that one register holds: sixteen of each row.
const WIDE: usize = 64;
/// Components of a query that meet one register.
const PART: usize = WIDE / BLOCK;
/// Registers of the longest row.
const MOST_PARTS: usize = MAX_DIM as usize / PART;
/// How far ahead of the rows in work the cache is told what comes, in bytes: a catalogue beyond the caches
/// is scored a third faster for it, one within them up to a twentieth slower.
const AHEAD: usize = 8192;

/// [`Planes`] as they meet a block: each four components once for each of its rows.
#[derive(Clone, Copy)]
struct Spread {
    high: __m512i,
    low: __m512i,
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn scan(rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
    let dim = query.len();
    let items = scores.len().min(scales.len()).min(rows.len() / (BLOCK * dim) * BLOCK);
    if items.next_multiple_of(BLOCK) < ABREAST || dim > MAX_DIM as usize {
        return scalar::scan(rows, query, scales, factor, scores);
    }
    let (scales, scores) = (&scales[..items], &mut scores[..items]);
    let surplus = query.iter().map(|&value| i32::from(value)).sum::<i32>() << 7;
    match query.as_chunks().0 {
        [a] => {
            let query = [spread(Planes::of(a))];
            score(rows, PART, surplus, scales, factor, scores, |group| dots_of(group, query));
        }
        [a, b] => {
            let query = [spread(Planes::of(a)), spread(Planes::of(b))];
            score(rows, 2 * PART, surplus, scales, factor, scores, |group| dots_of(group, query));
        }
        [a, b, c, d] => {
            let query =
                [spread(Planes::of(a)), spread(Planes::of(b)), spread(Planes::of(c)), spread(Planes::of(d))];
            score(rows, 4 * PART, surplus, scales, factor, scores, |group| dots_of(group, query));
        }
        parts => {
            let mut planes = [Planes::ZERO; MOST_PARTS];
            for (planes, query) in planes.iter_mut().zip(parts) {
                *planes = Planes::of(query);
            }
            let planes = &planes[..parts.len()];
            score(rows, dim, surplus, scales, factor, scores, |group| dots_of_any(group, planes));
        }
    }
}

/// Scores all rows, at least four blocks, by `dots`: those of four blocks, too large by 128 in every component of a row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn score(
    rows: &[i8],
    dim: usize,
    surplus: i32,
    scales: &[f32],
    factor: f32,
    scores: &mut [f32],
    dots: impl Fn(&[[i8; WIDE]]) -> __m512i,
) {
    let (items, places) = (scores.len(), scores.len().next_multiple_of(BLOCK));
    let (rows, surplus, by) = (&rows[..places * dim], _mm512_set1_epi32(surplus), _mm512_set1_ps(factor));
    let groups = rows.chunks_exact(ABREAST * dim).zip(scales.as_chunks::<ABREAST>().0);
    for (scores, (group, scales)) in scores.as_chunks_mut::<ABREAST>().0.iter_mut().zip(groups) {
        let dots = _mm512_cvtepi32_ps(_mm512_sub_epi32(dots(group.as_chunks().0), surplus));
        let scored = _mm512_mul_ps(_mm512_mul_ps(dots, bytemuck::must_cast(*scales)), by); // as `scalar::score`
        *scores = bytemuck::must_cast(scored);
    }
    if !items.is_multiple_of(ABREAST) {
        // The last group ends where the rows end; what it shares with the one before comes out the same.
        let start = places - ABREAST;
        let dots = _mm512_sub_epi32(dots(rows[start * dim..].as_chunks().0), surplus);
        let dots: [i32; ABREAST] = bytemuck::must_cast(dots);
        scalar::score(&dots, &scales[start..], factor, &mut scores[start..]);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn spread(planes: Planes<PART>) -> Spread {
    let fours: __m512i = bytemuck::must_cast([0_i32, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    let spread = |plane: [i8; PART]| {
        _mm512_permutexvar_epi32(fours, _mm512_castsi128_si512(bytemuck::must_cast(plane)))
    };
    Spread { high: spread(planes.high), low: spread(planes.low) }
}

/// The dot products of four blocks of `PARTS` registers each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of<const PARTS: usize>(group: &[[i8; WIDE]], query: [Spread; PARTS]) -> __m512i {
    let mut sums = [(_mm512_setzero_si512(), _mm512_setzero_si512()); ABREAST / BLOCK];
    for (sums, block) in sums.iter_mut().zip(group.as_chunks::<PARTS>().0) {
        for (part, query) in block.iter().zip(query) {
            add_products(sums, part, query);
        }
    }
    add_rows(sums)
}

/// The same for rows of any length, as many registers as `query` has parts.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dots_of_any(group: &[[i8; WIDE]], query: &[Planes<PART>]) -> __m512i {
    let (left, right) = group.split_at(2 * query.len());
    let ((a, b), (c, d)) = (left.split_at(query.len()), right.split_at(query.len()));
    let mut sums = [(_mm512_setzero_si512(), _mm512_setzero_si512()); ABREAST / BLOCK];
    for ((((a, b), c), d), &query) in a.iter().zip(b).zip(c).zip(d).zip(query) {
        let query = spread(query);
        for (sums, part) in sums.iter_mut().zip([a, b, c, d]) {
            add_products(sums, part, query);
        }
    }
    add_rows(sums)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_products((high, low): &mut (__m512i, __m512i), part: &[i8; WIDE], query: Spread) {
    let part = load(part);
    *high = _mm512_dpbusd_epi32(*high, part, query.high);
    *low = _mm512_dpbusd_epi32(*low, part, query.low);
}

/// Like parts of a block's rows, 128 added to each component, as unsigned bytes. Asks for those [`AHEAD`] of them, too.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn load(part: &[i8; WIDE]) -> __m512i {
    _mm_prefetch::<_MM_HINT_T0>(part.as_ptr().wrapping_add(AHEAD)); // a hint: any address may be given
    _mm512_xor_si512(bytemuck::must_cast(*part), _mm512_set1_epi8(i8::MIN))
}

/// The sums of sixteen rows, one to a lane, from those of four blocks, which have four quarters of four rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_rows(sums: [(__m512i, __m512i); ABREAST / BLOCK]) -> __m512i {
    let [a, b, c, d] = sums.map(|(high, low)| _mm512_add_epi32(_mm512_slli_epi32::<7>(high), low));
    add_quarters(add_quarters(a, b), add_quarters(c, d))
}

/// The quarters of `a` added up to two, then those of `b`: the first with the second, the third with the fourth.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn add_quarters(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b))
}

/// Scores the queries that fill tiles, and returns how many these are: none where a row is too long.
///
/// 32 rows at a time are widened to i16 and transposed, once for all queries: then a register holds two components of
/// sixteen rows, a query's two components are broadcast, and `vpdpwssd` adds up sixteen dot products without a sum
/// across lanes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(clippy::needless_range_loop, reason = "through an iterator the sums take the way over the stack")]
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
    if whole == 0 || dim > TILE_DIM || rows.len() < whole * dim {
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
            let sums = tile_dots(pairs, queries);
            for query in 0..TILE {
                let at = tile * TILE + query;
                let scores = scores[at * items + start..].as_chunks_mut::<ABREAST>().0;
                let scales = scales[start..].as_chunks::<ABREAST>().0;
                for half in 0..2 {
                    let dots = _mm512_cvtepi32_ps(sums[query][half]);
                    let dots = _mm512_mul_ps(dots, bytemuck::must_cast(scales[half]));
                    let dots = _mm512_mul_ps(dots, _mm512_set1_ps(factors[at])); // as `scalar::score`
                    scores[half] = bytemuck::must_cast(dots);
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
    let (left, right) = rows.as_chunks::<16>().0.split_at(pairs.len());
    let ((a, b), (c, d)) = (left.split_at(pairs.len() / 2), right.split_at(pairs.len() / 2));
    // The bytes of a pair in the upper halves of its i16, from where a shift brings them down with their sign.
    let first =
        _mm512_broadcast_i32x4(bytemuck::must_cast([0_u8, 0, 0, 1, 4, 4, 4, 5, 8, 8, 8, 9, 12, 12, 12, 13]));
    let last = _mm512_broadcast_i32x4(bytemuck::must_cast([
        2_u8, 2, 2, 3, 6, 6, 6, 7, 10, 10, 10, 11, 14, 14, 14, 15,
    ]));
    for (((a, b), (c, d)), pairs) in a.iter().zip(b).zip(c.iter().zip(d)).zip(pairs.as_chunks_mut::<2>().0) {
        let fours: __m512i = bytemuck::must_cast([*a, *b, *c, *d]);
        pairs[0][half] = _mm512_srai_epi16::<8>(_mm512_shuffle_epi8(fours, first));
        pairs[1][half] = _mm512_srai_epi16::<8>(_mm512_shuffle_epi8(fours, last));
    }
}

/// The dot products of 2 x 16 rows with each query.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn tile_dots(pairs: &[[__m512i; 2]], queries: &[&[i16]; TILE]) -> [[__m512i; 2]; TILE] {
    let mut sums = [[_mm512_setzero_si512(); 2]; TILE];
    let [a, b, c, d, e, f, g, h] = *queries;
    let [a, b, c, d] = [in_pairs(a), in_pairs(b), in_pairs(c), in_pairs(d)]; // `map` is not inlined here
    let [e, f, g, h] = [in_pairs(e), in_pairs(f), in_pairs(g), in_pairs(h)];
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

fn in_pairs(query: &[i16]) -> &[[i16; 2]] {
    query.as_chunks().0
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn attend(cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
    scalar::attend(cosines, attention, attended, total);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn above(scores: &[[f32; 64]], bound: f32, above: &mut [u64]) {
    let bound = _mm512_set1_ps(bound);
    for (above, scores) in above.iter_mut().zip(scores) {
        let [a, b, c, d] = bytemuck::must_cast(*scores);
        let [a, b, c, d] = [exceed(a, bound), exceed(b, bound), exceed(c, bound), exceed(d, bound)];
        *above = a | b << 16 | c << 32 | d << 48;
    }
}

/// Bit i: lane i of `scores` exceeds that of `bound`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn exceed(scores: __m512, bound: __m512) -> u64 {
    u64::from(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(scores, bound))
}
