//! From f32 to integers: rows to int8 at export and for new items, the user to int16 at request time.

use crate::kernel::{Kernel, QUERY_MAX};
use crate::math::sqrt;
use tinderbox_format::Row;

/// The largest magnitude of a row's component: -128 is left out so that a row can be negated.
const ROW_MAX: f32 = 127.0;

/// Quantises one row so that `row ≈ scale * quantised`, each component within `scale / 2`; returns `scale`.
///
/// `row` and `quantised` are of the same length. A row of zeros, or with a component that is not finite, becomes
/// zeros with scale 0, which no model file may hold. The trainer's export and [`embed_item`](crate::embed_item)
/// share this function, so that both give the same bytes.
pub fn quantise_row(row: &[f32], quantised: &mut [i8]) -> f32 {
    let scale = largest(row) / ROW_MAX;
    for (quantised, &value) in quantised.iter_mut().zip(row) {
        *quantised = if scale > 0.0 { nearest(value / scale).clamp(-ROW_MAX, ROW_MAX) as i8 } else { 0 };
    }
    scale
}

/// Quantises a user embedding for the pass over the catalogue; returns the factor that turns integer dots,
/// times a row's scale, into cosines (`unit`) or plain dot products.
///
/// Sixteen bits instead of eight cost little (the rows are what memory has to bring) and make the first
/// pass exact enough to be the only one: the error of a score is below `dim * 2^-15` of the largest
/// component, so nothing needs to be rescored and a longer list always begins with the shorter one.
pub(crate) fn quantise_user(kernel: Kernel, user: &[f32], unit: bool, query: &mut [i16]) -> f32 {
    let largest = largest(user);
    let length = if unit { sqrt(kernel.dot(user, user)) } else { 1.0 };
    // Below that, the inverse of a step would not be finite.
    if !(largest >= f32::from(QUERY_MAX) * f32::MIN_POSITIVE && length > 0.0 && length < f32::INFINITY) {
        query.fill(0);
        return 0.0;
    }
    let inverse = f32::from(QUERY_MAX) / largest; // a product rounds to QUERY_MAX at most
    for (query, &value) in query.iter_mut().zip(user) {
        *query = nearest_small(value * inverse);
    }
    largest / f32::from(QUERY_MAX) / length
}

/// `floats = scale * row`.
pub(crate) fn embed(row: Row<'_>, scale: f32, floats: &mut [f32]) {
    for (floats, part) in floats.as_chunks_mut().0.iter_mut().zip(row.parts()) {
        *floats = part.map(|value| scale * f32::from(value));
    }
}

/// A row as a query: the same integers, so that the kernels give its dot products with other rows.
pub(crate) fn widen(row: Row<'_>, query: &mut [i16]) {
    for (query, part) in query.as_chunks_mut().0.iter_mut().zip(row.parts()) {
        *query = part.map(i16::from);
    }
}

/// The nearest integer, a half to the even one, of `x` within ±2^15: the low bits of a float in whose scale there
/// are no fractions.
fn nearest_small(x: f32) -> i16 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    (x + ROUND).to_bits() as i16
}

/// The largest finite magnitude; 0 if there is none, or if any component is not finite.
fn largest(values: &[f32]) -> f32 {
    // Magnitudes compare as their bits do, infinity and NaN above all.
    let largest = values.iter().fold(0, |largest, value| largest.max(value.abs().to_bits()));
    if f32::from_bits(largest).is_finite() { f32::from_bits(largest) } else { 0.0 }
}

/// The nearest integer, halves away from zero: `core` has no `round`.
fn nearest(x: f32) -> f32 {
    (if x < 0.0 { x - 0.5 } else { x + 0.5 }) as i32 as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_within_half_a_scale() {
        let row: [f32; 16] = core::array::from_fn(|i| (i as f32 - 7.3) / 19.0);
        let mut quantised = [0_i8; 16];
        let scale = quantise_row(&row, &mut quantised);
        for (value, quantised) in row.iter().zip(quantised) {
            assert!((value - scale * f32::from(quantised)).abs() <= scale * 0.500_01);
        }
        assert!(quantised.contains(&127) || quantised.contains(&-127));
    }

    #[test]
    fn no_user_however_small_leaves_the_range_of_a_query() {
        for exponent in -149..0 {
            for share in [1.0, 1.2, 1.4, 1.6, 1.9] {
                let mut query = [0; 16];
                let user = [share * 2.0_f32.powi(exponent); 16];
                quantise_user(Kernel::scalar(), &user, false, &mut query);
                assert!(query.iter().all(|value| value.abs() <= QUERY_MAX), "{share} * 2^{exponent}");
            }
        }
    }

    #[test]
    fn what_is_not_a_direction_becomes_zeros() {
        let one = |value| core::array::from_fn(|at| if at == 5 { value } else { 1.0 });
        for row in [[0.0; 16], [f32::NAN; 16], [f32::INFINITY; 16], one(f32::NAN), one(f32::NEG_INFINITY)] {
            let mut quantised = [1_i8; 16];
            assert_eq!(quantise_row(&row, &mut quantised), 0.0);
            assert_eq!(quantised, [0; 16]);
            let mut query = [1_i16; 16];
            assert_eq!(quantise_user(Kernel::scalar(), &row, true, &mut query), 0.0);
            assert_eq!(query, [0; 16]);
        }
    }
}
