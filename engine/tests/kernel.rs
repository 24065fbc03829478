//! Every kernel that this CPU has equals `scalar`, bit for bit, on every length.

use proptest::prelude::*;
use tinderbox::Kernel;
use tinderbox::kernel::{Attention, QUERY_MAX};
use tinderbox_format::in_blocks;

const DIMS: [usize; 7] = [16, 32, 48, 64, 128, 256, 1024];

/// A cheap, repeatable stream of numbers.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

fn floats(seed: u64, len: usize) -> Vec<f32> {
    let mut next = noise(seed);
    (0..len).map(|_| (next() % 20_001) as f32 / 1e4 - 1.0).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Runs `compute` with every kernel and compares with the definition.
fn assert_equal(what: &str, compute: impl Fn(Kernel) -> Vec<f32>) {
    let expected = bits(&compute(Kernel::scalar()));
    for kernel in Kernel::all() {
        assert_eq!(bits(&compute(kernel)), expected, "{what}: {} differs from scalar", kernel.name());
    }
}

#[test]
fn scan_equals_scalar_on_every_number_of_rows_and_dim() {
    for dim in DIMS {
        let mut next = noise(dim as u64);
        let query: Vec<i16> = (0..dim).map(|_| (next() % 32_513) as i16 - QUERY_MAX).collect();
        for items in 0..=70 {
            let rows: Vec<i8> = (0..items * dim).map(|_| (next() % 255) as i8).map(|v| v.max(-127)).collect();
            let scales = floats(7, items);
            let naive = rows.chunks_exact(dim).zip(&scales).map(|(row, scale)| {
                let dot: i32 = row.iter().zip(&query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                dot as f32 * scale * 0.37
            });
            let naive: Vec<f32> = naive.collect();
            let rows = in_blocks(&rows, dim);
            let mut defined = vec![0.0; items];
            Kernel::scalar().scan(&rows, &query, &scales, 0.37, &mut defined);
            assert_eq!(bits(&defined), bits(&naive), "{items} x {dim}");
            assert_equal(&format!("scan {items} x {dim}"), |kernel| {
                let mut scores = vec![0.0; items];
                kernel.scan(&rows, &query, &scales, 0.37, &mut scores);
                scores
            });
        }
    }
}

#[test]
fn a_batch_of_queries_equals_as_many_scans() {
    let mut cases = 0;
    for dim in DIMS {
        let mut next = noise(dim as u64);
        for queries in [1, 2, 7, 8, 9, 16, 31, 32] {
            let queries: Vec<Vec<i16>> = (0..queries)
                .map(|_| (0..dim).map(|_| (next() % 32_513) as i16 - QUERY_MAX).collect())
                .collect();
            let queries: Vec<&[i16]> = queries.iter().map(Vec::as_slice).collect();
            let factors = floats(5, queries.len());
            for items in [0, 1, 15, 16, 31, 32, 33, 64, 70, 127, 128] {
                let rows: Vec<i8> =
                    (0..items * dim).map(|_| (next() % 255) as i8).map(|v| v.max(-127)).collect();
                let rows = in_blocks(&rows, dim);
                let scales = floats(7, items);
                let mut expected = Vec::new();
                for (query, &factor) in queries.iter().zip(&factors) {
                    let mut scores = vec![0.0; items];
                    Kernel::scalar().scan(&rows, query, &scales, factor, &mut scores);
                    expected.extend(bits(&scores));
                }
                for kernel in Kernel::all() {
                    let mut scores = vec![0.0; items * queries.len()];
                    kernel.scan_batch(&rows, &queries, &scales, &factors, &mut scores);
                    assert_eq!(
                        bits(&scores),
                        expected,
                        "{} {items} x {dim}, {} queries",
                        kernel.name(),
                        queries.len()
                    );
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} batches");
}

#[test]
fn scan_is_exact_at_the_extremes() {
    let dim = 1024;
    for (row, query) in [(127_i8, QUERY_MAX), (-127, QUERY_MAX), (127, -QUERY_MAX), (-127, -QUERY_MAX)] {
        let exact = i64::from(row) * i64::from(query) * dim as i64;
        for kernel in Kernel::all() {
            let mut scores = [0.0; 9];
            kernel.scan(&vec![row; 12 * dim], &vec![query; dim], &[1.0; 9], 1.0, &mut scores);
            assert_eq!(scores, [exact as f32; 9], "{}", kernel.name());
        }
    }
}

#[test]
fn a_shorter_slice_leaves_the_rest_alone() {
    for kernel in Kernel::all() {
        let mut scores = [9.0; 12];
        kernel.scan(&[1; 16 * 20], &[1; 16], &[1.0; 10], 1.0, &mut scores);
        assert_eq!(scores[..10], [16.0; 10]);
        assert_eq!(scores[10..], [9.0; 2], "{}", kernel.name());
    }
}

#[test]
fn an_empty_query_scores_nothing() {
    for kernel in Kernel::all() {
        let mut scores = [9.0; 12];
        kernel.scan(&[1; 32], &[], &[1.0; 12], 1.0, &mut scores);
        assert_eq!(scores, [9.0; 12], "{}", kernel.name());
    }
}

#[test]
fn accumulate_equals_scalar_on_every_length() {
    for len in 0..=100 {
        for columns in 0..=20 {
            let (matrix, coefficients) = (floats(1, len * columns), floats(2, columns));
            assert_equal(&format!("accumulate {columns} x {len}"), |kernel| {
                let mut out = floats(3, len);
                kernel.accumulate(&matrix, &coefficients, &mut out);
                out
            });
        }
    }
}

#[test]
fn a_column_that_is_not_whole_is_left_out() {
    for columns in 0..5 {
        let whole = floats(1, 70 * columns);
        let longer = [&whole[..], &[1.0; 69]].concat();
        let expected = bits(&{
            let mut out = floats(3, 70);
            Kernel::scalar().accumulate(&whole, &[0.3; 5][..columns], &mut out);
            out
        });
        for kernel in Kernel::all() {
            let mut out = floats(3, 70);
            kernel.accumulate(&longer, &[0.3; 5], &mut out);
            assert_eq!(bits(&out), expected, "{columns} columns: {}", kernel.name());
        }
    }
}

#[test]
fn dot_and_above_equal_scalar_on_every_length() {
    for len in 0..=200 {
        let (a, b) = (floats(4, len), floats(5, len));
        assert_equal(&format!("dot {len}"), |kernel| vec![kernel.dot(&a, &b)]);
        let bound = b.first().copied().unwrap_or(0.0);
        let bit = |at: usize| u64::from(a.get(at).is_some_and(|&a| a > bound)) << (at % 64);
        for masks in 0..=5 {
            let mut expected = vec![7; masks];
            for (mask, bits) in expected.iter_mut().take(len.div_ceil(64)).enumerate() {
                *bits = (0..64).map(|at| bit(64 * mask + at)).sum();
            }
            for kernel in Kernel::all() {
                assert_eq!(above(kernel, &a, bound, masks), expected, "{} {len}", kernel.name());
            }
        }
    }
}

fn above(kernel: Kernel, scores: &[f32], bound: f32, masks: usize) -> Vec<u64> {
    let mut above = vec![7; masks];
    kernel.above(scores, bound, &mut above);
    above
}

#[test]
fn dots_equal_dot_row_by_row() {
    for len in (16..=144).step_by(16) {
        for count in 0..=20 {
            let (rows, vector) = (floats(4, len * count), floats(5, len));
            assert_equal(&format!("dots {count} x {len}"), |kernel| {
                let mut out = vec![0.0; count];
                kernel.dots(&rows, &vector, &mut out);
                let one_by_one = rows.chunks(len).map(|row| Kernel::scalar().dot(row, &vector));
                assert!(one_by_one.map(f32::to_bits).eq(out.iter().map(|dot| dot.to_bits())));
                out
            });
        }
    }
}

#[test]
fn attend_equals_scalar_on_every_length() {
    for len in 0..=70 {
        let cosines = floats(6, len);
        for sharpness in [0.0, 1.0, 8.5, 300.0, -4.0] {
            assert_equal(&format!("attend {len} at {sharpness}"), |kernel| {
                let (mut attended, mut total) = (floats(8, len), vec![0.5; len]);
                kernel.attend(
                    &cosines,
                    Attention { sharpness, weight: 0.7, target: -0.3 },
                    &mut attended,
                    &mut total,
                );
                attended.extend(total);
                attended
            });
        }
    }
}

#[test]
fn nothing_but_what_exceeds_the_bound_is_above() {
    let scores = [f32::NAN, 1.0, f32::NEG_INFINITY, 3.0, -0.0, 0.0, f32::INFINITY, f32::NAN].repeat(8);
    for kernel in Kernel::all() {
        for (bound, byte) in
            [(f32::NEG_INFINITY, 0b0111_1010), (0.0, 0b0100_1010), (3.0, 0b0100_0000), (f32::NAN, 0)]
        {
            let expected = u64::from_le_bytes([byte; 8]);
            assert_eq!(above(kernel, &scores, bound, 1), [expected], "{} {bound}", kernel.name());
            assert_eq!(
                above(kernel, &scores[..13], bound, 1),
                [expected & 0x1fff],
                "{} {bound}",
                kernel.name()
            );
        }
    }
}

proptest! {
    #[test]
    fn any_rows_and_query_give_the_same_bits(
        parts in 1_usize..9,
        rows in proptest::collection::vec(-127_i8..=127, 0..3000),
        query in proptest::collection::vec(-QUERY_MAX..=QUERY_MAX, 128),
        factor in -1e3_f32..1e3,
    ) {
        let query = &query[..parts * 16];
        let items = rows.len() / query.len();
        let scales = floats(11, items);
        assert_equal("scan", |kernel| {
            let mut scores = vec![0.0; items];
            kernel.scan(&rows, query, &scales, factor, &mut scores);
            scores
        });
    }
}
