//! Vectors in slices: what the rules and the encoder share.

use super::parameters::Real;

/// Shorter vectors are normalised as if they were this long.
const SHORTEST: f64 = 1e-12;

/// Scales `vector` to unit norm; its length before.
pub(super) fn normalise<T: Real>(vector: &mut [T]) -> T {
    let squares = vector.iter().fold(T::zero(), |sum, &x| sum + x * x);
    let length = squares.sqrt().max(T::of(SHORTEST));
    vector.iter_mut().for_each(|x| *x /= length);
    length
}

/// Turns the slope of `unit`, a vector normalised from `length`, into the slope of that vector.
pub(super) fn normalise_reverse<T: Real>(unit: &[T], length: T, slope: &mut [T]) {
    let along = unit.iter().zip(&*slope).fold(T::zero(), |sum, (&u, &s)| sum + u * s);
    slope.iter_mut().zip(unit).for_each(|(slope, &unit)| *slope = (*slope - along * unit) / length);
}

/// `sum += scale * vector`.
pub(super) fn add_scaled<T: Real>(sum: &mut [T], scale: T, vector: &[T]) {
    sum.iter_mut().zip(vector).for_each(|(sum, &x)| *sum += scale * x);
}

/// Numbers that are folded side by side, because the compiler may not reorder sums and comparisons of floats.
const LANES: usize = 8;

/// The highest of `values`, which are not NaN; negative infinity if there are none.
pub(super) fn highest<T: Real>(values: &[T]) -> T {
    let mut lanes = [T::of(f64::NEG_INFINITY); LANES];
    let (eights, rest) = values.as_chunks::<LANES>();
    for eight in eights {
        for (lane, &value) in lanes.iter_mut().zip(eight) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(lanes[0], |highest, value| highest.max(value))
}

pub(super) fn sum<T: Real>(values: &[T]) -> T {
    let mut lanes = [T::zero(); LANES];
    let (eights, rest) = values.as_chunks::<LANES>();
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, &value)| *lane += value);
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(T::zero(), |sum, value| sum + value)
}

/// Of vectors of one length.
pub(super) fn dot<T: Real>(left: &[T], right: &[T]) -> T {
    let mut lanes = [T::zero(); LANES];
    let ((lefts, left), (rights, right)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    for (left, right) in lefts.iter().zip(rights) {
        for ((lane, &left), &right) in lanes.iter_mut().zip(left).zip(right) {
            *lane += left * right;
        }
    }
    let rest = left.iter().zip(right).map(|(&left, &right)| left * right);
    lanes.into_iter().chain(rest).fold(T::zero(), |sum, product| sum + product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_is_found_wherever_it_is() {
        for len in 1..20 {
            for place in 0..len {
                let values: Vec<f32> = (0..len).map(|at| if at == place { -1.0 } else { -2.0 }).collect();
                assert_eq!(highest(&values), -1.0, "at {place} of {len}");
            }
        }
        assert_eq!(highest::<f64>(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn sums_and_products_take_every_number() {
        for len in 0..20_u32 {
            let values: Vec<f64> = (1..=len).map(f64::from).collect();
            assert_eq!(sum(&values), f64::from(len * (len + 1) / 2));
            assert_eq!(dot(&values, &values), f64::from(len * (len + 1) * (2 * len + 1) / 6));
        }
    }
}
