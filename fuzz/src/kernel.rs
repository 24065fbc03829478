//! What the kernels promise.

use crate::bits;
use arbitrary::{Arbitrary, Result, Unstructured};
use tinderbox::Kernel;
use tinderbox::kernel::{Attention, QUERY_MAX};

/// More rows than any kernel takes abreast, and more floats than any takes at once.
const MAX_ROWS: usize = 40;
const MAX_LEN: usize = 100;
/// More than any kernel takes abreast.
const MAX_QUERIES: usize = 10;
const MAX_COLUMNS: usize = 20;

/// Every kernel that this CPU has equals `scalar`, bit for bit, on every length,
/// infinities and NaN included; none panics.
pub fn kernel(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    // Exhausted input gives zeros, so that this never fails; were it to, there would be nothing to check.
    let _ = scan(&mut input)
        .and_then(|()| accumulate(&mut input))
        .and_then(|()| dot_and_above(&mut input))
        .and_then(|()| attend(&mut input))
        .and_then(|()| scan_batch(&mut input));
}

fn scan(input: &mut Unstructured<'_>) -> Result<()> {
    let dim = 16 * input.int_in_range(0..=8)?;
    let rows = input.int_in_range(0..=MAX_ROWS * dim)?; // also with a part of a row at the end
    let query = query(input, dim)?;
    let rows: Vec<i8> = draw(input, rows)?;
    let scales = floats(input, MAX_ROWS)?;
    let factor: f32 = input.arbitrary()?;
    let scores = input.int_in_range(0..=MAX_ROWS)?;
    assert_equal("scan", |kernel| {
        let mut scores = vec![9.0; scores];
        kernel.scan(&rows, &query, &scales, factor, &mut scores);
        scores
    });
    Ok(())
}

fn scan_batch(input: &mut Unstructured<'_>) -> Result<()> {
    let dim = 16 * input.int_in_range(0..=4)?;
    let queries = input.int_in_range(0..=MAX_QUERIES)?;
    let queries = (0..queries).map(|_| query(input, dim)).collect::<Result<Vec<_>>>()?;
    let queries: Vec<&[i16]> = queries.iter().map(Vec::as_slice).collect();
    let factors: Vec<f32> = draw(input, queries.len())?;
    let rows = input.int_in_range(0..=MAX_ROWS * dim)?;
    let rows: Vec<i8> = draw(input, rows)?;
    let scales = floats(input, MAX_ROWS)?;
    let scores = input.int_in_range(0..=MAX_ROWS * MAX_QUERIES)?; // also too few
    assert_equal("scan_batch", |kernel| {
        let mut scores = vec![9.0; scores];
        kernel.scan_batch(&rows, &queries, &scales, &factors, &mut scores);
        scores
    });
    Ok(())
}

fn accumulate(input: &mut Unstructured<'_>) -> Result<()> {
    let (out, columns) = (floats(input, MAX_LEN)?, floats(input, MAX_COLUMNS)?);
    let matrix: Vec<f32> = draw(input, out.len() * columns.len())?;
    assert_equal("accumulate", |kernel| {
        let mut out = out.clone();
        kernel.accumulate(&matrix, &columns, &mut out);
        out
    });
    Ok(())
}

fn dot_and_above(input: &mut Unstructured<'_>) -> Result<()> {
    let (a, b) = (floats(input, MAX_LEN)?, floats(input, MAX_LEN)?);
    assert_equal("dot", |kernel| vec![kernel.dot(&a, &b)]);
    assert_equal("above", |kernel| {
        let mut above = vec![0; a.len().div_ceil(64)];
        kernel.above(&a, b.first().copied().unwrap_or(0.0), &mut above);
        above.into_iter().flat_map(|mask| mask.to_le_bytes().map(f32::from)).collect()
    });
    Ok(())
}

fn attend(input: &mut Unstructured<'_>) -> Result<()> {
    let [cosines, attended, total] =
        [floats(input, MAX_LEN)?, floats(input, MAX_LEN)?, floats(input, MAX_LEN)?];
    let attention =
        Attention { sharpness: input.arbitrary()?, weight: input.arbitrary()?, target: input.arbitrary()? };
    assert_equal("attend", |kernel| {
        let (mut attended, mut total) = (attended.clone(), total.clone());
        kernel.attend(&cosines, attention, &mut attended, &mut total);
        attended.extend(total);
        attended
    });
    Ok(())
}

fn assert_equal(what: &str, compute: impl Fn(Kernel) -> Vec<f32>) {
    let compute = |kernel| compute(kernel).into_iter().map(bits).collect::<Vec<_>>();
    let expected = compute(Kernel::scalar());
    for kernel in Kernel::all() {
        assert_eq!(compute(kernel), expected, "{what}: {} differs from scalar", kernel.name());
    }
}

/// Within the contract: beyond it kernels with eight-bit multipliers differ.
fn query(input: &mut Unstructured<'_>, dim: usize) -> Result<Vec<i16>> {
    (0..dim).map(|_| Ok(i16::arbitrary(input)?.clamp(-QUERY_MAX, QUERY_MAX))).collect()
}

/// Up to `most` floats, of any bits.
fn floats(input: &mut Unstructured<'_>, most: usize) -> Result<Vec<f32>> {
    let len = input.int_in_range(0..=most)?;
    draw(input, len)
}

fn draw<'a, T: Arbitrary<'a>>(input: &mut Unstructured<'a>, len: usize) -> Result<Vec<T>> {
    (0..len).map(|_| input.arbitrary()).collect()
}
