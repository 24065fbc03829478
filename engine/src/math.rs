//! The two functions that `core` lacks, with the same bits on every target.

/// The correctly rounded square root, as IEEE 754 has it; 0 for anything that is not positive.
pub(crate) fn sqrt(x: f32) -> f32 {
    if x.is_nan() || x <= 0.0 {
        return 0.0;
    }
    #[cfg(feature = "std")]
    return x.sqrt();
    #[cfg(all(not(feature = "std"), target_arch = "x86_64"))]
    #[expect(unsafe_code, reason = "a function with a target feature is unsafe to call")]
    // SAFETY: every x86-64 has SSE.
    return unsafe { sse_sqrt(x) };
    #[cfg(not(any(feature = "std", target_arch = "x86_64")))]
    integer_sqrt(x)
}

/// The same by the instruction for it.
#[cfg(all(not(feature = "std"), target_arch = "x86_64"))]
#[target_feature(enable = "sse")]
fn sse_sqrt(x: f32) -> f32 {
    use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
    _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)))
}

/// The same of a positive number in integers: `core` has no square root.
#[cfg(any(test, not(any(feature = "std", target_arch = "x86_64"))))]
fn integer_sqrt(x: f32) -> f32 {
    if x == f32::INFINITY {
        return x;
    }
    // x = mantissa * 2^exponent with 2^48 <= mantissa < 2^50 and an even exponent: the root then has 25
    // bits, one more than an f32 keeps. A tie is impossible: its square would need 49 bits, x has 24.
    let bits = x.to_bits();
    let (mut mantissa, mut exponent) = match bits >> 23 {
        0 => (u64::from(bits), -149),
        biased => (u64::from(bits & 0x7f_ffff | 0x80_0000), biased as i32 - 150),
    };
    let shift = mantissa.leading_zeros() as i32 - 15;
    let shift = shift + ((exponent - shift) & 1);
    mantissa <<= shift;
    exponent -= shift;
    root(mantissa).div_ceil(2) as f32 * power_of_two(exponent / 2 + 1)
}

/// The integer square root of a number below 2^50, bit by bit: `isqrt` of `core` is several times the code.
#[cfg(any(test, not(any(feature = "std", target_arch = "x86_64"))))]
fn root(square: u64) -> u64 {
    (0..25).rev().fold(0, |root, bit| {
        let larger = root | 1 << bit;
        if larger * larger <= square { larger } else { root }
    })
}

/// `e^x` within 2e-7 relative, for any `x` but NaN: saturates at `e^-87` and `e^88`. What `matching` attends by.
///
/// Loops over it vectorise. Cody-Waite reduction to |r| <= ln 2 / 2, then the Taylor polynomial of degree 7.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4; // 10 bits: exact times any |k| < 2^13
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 88.0 { x } else { 88.0 };
    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + coefficient;
    }
    // The integer k, taken from the low bits of `shifted`, becomes the exponent.
    sum * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// `2^exponent` for a normal result.
#[cfg(any(test, not(any(feature = "std", target_arch = "x86_64"))))]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqrt_is_correctly_rounded() {
        let special = [
            0.0,
            1.0,
            2.0,
            4.0,
            0.25,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::from_bits(1),
            f32::from_bits(0x7f_ffff),
        ];
        let sweep = (0..4_000_000_u32).map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761) & 0x7fff_ffff));
        for x in special.into_iter().chain(sweep).filter(|x| x.is_finite()) {
            assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "sqrt({x:e})");
            if x > 0.0 {
                assert_eq!(integer_sqrt(x).to_bits(), x.sqrt().to_bits(), "sqrt({x:e})");
            }
        }
    }

    #[test]
    fn sqrt_takes_anything() {
        assert_eq!(sqrt(-1.0), 0.0);
        assert_eq!(sqrt(f32::NAN), 0.0);
        assert_eq!(sqrt(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn exp_is_within_two_ten_millionths() {
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() <= 2e-7 * exact, "exp({x})");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::MAX).is_finite() && exp(f32::MIN) > 0.0);
        assert_eq!([exp(f32::INFINITY), exp(f32::NEG_INFINITY)], [exp(f32::MAX), exp(f32::MIN)]);
    }
}
