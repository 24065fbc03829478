//! A short form of every row that bounds its scores from above, so that most rows of a large catalogue need not be
//! read.

use crate::error::VerifyError;
use crate::rows::Rows;
use crate::section::{Kind, Sections};
use crate::verify::{all_finite, refuse, refuse_minimum, verify_padding};

/// Numbers that a sketch keeps of each row.
pub const SKETCH_DIM: usize = 16;

/// Sketches of the catalogue's rows. With `A` the axes, `e` an embedding and `c` its sketch times the sketch's scale:
///
/// ```text
/// e . u  <=  c . A u  +  2 scale |A u|  +  rest |u - A' A u|
/// ```
///
/// for every `u`, but for rounding: `A e` is within 2 scales of `c` (half a scale in each of 16 numbers), and `rest` is
/// the length of what the axes leave of `e`.
#[derive(Clone, Copy)]
pub struct Sketch<'a> {
    axes: &'a [f32],
    rows: Rows<'a>,
    scales: &'a [f32],
    rests: &'a [f32],
}

impl<'a> Sketch<'a> {
    pub(crate) fn of(sections: &Sections<'a>) -> Option<Self> {
        Some(Self {
            axes: sections.optional(Kind::SketchAxes)?,
            rows: Rows::new(sections.optional(Kind::SketchRows)?, SKETCH_DIM),
            scales: sections.optional(Kind::SketchScales)?,
            rests: sections.optional(Kind::SketchRests)?,
        })
    }

    /// Orthonormal directions, dim x 16: the 16 values of a component are contiguous.
    pub fn axes(&self) -> &'a [f32] {
        self.axes
    }

    /// The sketches, 16 components each.
    pub fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// One scale per sketch.
    pub fn scales(&self) -> &'a [f32] {
        self.scales
    }

    /// For each item the length of the part of its embedding that is orthogonal to the axes.
    pub fn rests(&self) -> &'a [f32] {
        self.rests
    }

    pub(crate) fn verify(&self) -> Result<(), VerifyError> {
        for (kind, values) in [(Kind::SketchScales, self.scales), (Kind::SketchRests, self.rests)] {
            all_finite(kind, values)?;
            if let Some(index) = values.iter().position(|&value| value < 0.0) {
                return Err(refuse(kind, index, "at least 0"));
            }
        }
        let items = self.scales.len();
        verify_padding(Kind::SketchRows, self.rows, items)?;
        let is_sound = !self.rows.blocks().contains(&i8::MIN);
        if is_sound { Ok(()) } else { Err(refuse_minimum(Kind::SketchRows, self.rows)) }
    }
}

#[cfg(feature = "std")]
pub use made::MadeSketch;

#[cfg(feature = "std")]
mod made {
    use super::SKETCH_DIM;
    use std::vec;
    use std::vec::Vec;

    /// Rounds of the subspace iteration. The axes need not be the leading ones to the last digit: any orthonormal
    /// ones give true bounds.
    const ROUNDS: usize = 30;

    /// Added to every rest for what f32 rounds away of the embedding, the axes and itself.
    const ROUNDING: f64 = 1e-5;

    /// The sketches of a catalogue, to be written.
    #[derive(Clone, Debug)]
    pub struct MadeSketch {
        pub(crate) axes: Vec<f32>,   // dim x 16
        pub(crate) rows: Vec<i8>,    // items x 16
        pub(crate) scales: Vec<f32>, // items
        pub(crate) rests: Vec<f32>,  // items
    }

    impl MadeSketch {
        /// Sketches of `rows` (items x dim) with `scales` (items), along the 16 directions in which the catalogue
        /// is largest. `None` where the rows are hardly longer than their sketches: dim below 32.
        ///
        /// Cost: items x dim x (dim + 32) multiplications.
        pub fn of(rows: &[i8], scales: &[f32], dim: usize) -> Option<Self> {
            if dim < 2 * SKETCH_DIM {
                return None;
            }
            let embeddings = || {
                let scaled = |(row, &scale): (&[i8], &f32)| -> Vec<f64> {
                    row.iter().map(|&value| f64::from(value) * f64::from(scale)).collect()
                };
                rows.chunks_exact(dim).zip(scales).map(scaled)
            };
            let axes = leading(&gram(embeddings(), dim), dim);
            let mut sketch =
                Self { axes: vec![0.0; dim * SKETCH_DIM], rows: vec![], scales: vec![], rests: vec![] };
            for (axis, values) in axes.iter().enumerate() {
                for (component, &value) in values.iter().enumerate() {
                    sketch.axes[component * SKETCH_DIM + axis] = value as f32;
                }
            }
            embeddings().for_each(|embedding| sketch.push(&embedding, &axes));
            Some(sketch)
        }

        /// The share of the catalogue's squared length that the axes leave: the smaller, the fewer rows are read.
        pub fn rest_share(&self) -> f32 {
            let squares = self.rests.iter().map(|&rest| f64::from(rest) * f64::from(rest));
            (squares.sum::<f64>() / self.rests.len().max(1) as f64) as f32 // rows have unit norm
        }

        fn push(&mut self, embedding: &[f64], axes: &[Vec<f64>]) {
            let along: Vec<f64> = axes.iter().map(|axis| dot(axis, embedding)).collect();
            let largest = along.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            let scale = (largest / 127.0) as f32;
            let step = f64::from(scale);
            let quantised = |&value: &f64| {
                if scale > 0.0 { (value / step).round().clamp(-127.0, 127.0) as i8 } else { 0 }
            };
            self.rows.extend(along.iter().map(quantised));
            self.scales.push(scale);
            let rest = dot(embedding, embedding) - dot(&along, &along);
            self.rests.push((rest.max(0.0).sqrt() + ROUNDING) as f32);
        }
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The sum of the outer products, dim x dim.
    fn gram(embeddings: impl Iterator<Item = Vec<f64>>, dim: usize) -> Vec<f64> {
        let mut gram = vec![0.0; dim * dim];
        for embedding in embeddings {
            for (row, &a) in gram.chunks_exact_mut(dim).zip(&embedding) {
                row.iter_mut().zip(&embedding).for_each(|(sum, b)| *sum += a * b);
            }
        }
        gram
    }

    /// Orthonormal directions, about the eigenvectors of the largest eigenvalues: subspace iteration (Golub and Van
    /// Loan 2013, §8.2.4).
    fn leading(gram: &[f64], dim: usize) -> Vec<Vec<f64>> {
        let start = |axis: usize| (0..dim).map(|at| scattered((axis * dim + at) as u64)).collect();
        let mut axes: Vec<Vec<f64>> = (0..SKETCH_DIM).map(start).collect();
        orthonormalise(&mut axes);
        for _ in 0..ROUNDS {
            for axis in &mut axes {
                *axis = gram.chunks_exact(dim).map(|row| dot(row, axis)).collect();
            }
            orthonormalise(&mut axes);
        }
        axes
    }

    /// A number of -1 .. 1 that is the same on every machine: Fibonacci hashing.
    fn scattered(index: u64) -> f64 {
        (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) as i64 as f64 / i64::MAX as f64
    }

    /// Gram-Schmidt, twice for the digits. An axis that vanishes becomes the first unit vector that is not nearly spanned.
    fn orthonormalise(axes: &mut [Vec<f64>]) {
        for at in 0..axes.len() {
            let (before, rest) = axes.split_at_mut(at);
            let axis = &mut rest[0];
            let before_length = dot(axis, axis).sqrt();
            let mut length = subtract(before, axis);
            if length <= 1e-9 * before_length {
                // Fifteen directions of sixteen or more leave a quarter or more of some unit vector.
                for unit in 0..axis.len() {
                    axis.fill(0.0);
                    axis[unit] = 1.0;
                    length = subtract(before, axis);
                    if length >= 0.1 {
                        break;
                    }
                }
            }
            axis.iter_mut().for_each(|value| *value /= length);
        }
    }

    /// Takes the parts along `before` (orthonormal) out of `axis`; returns the length that is left.
    fn subtract(before: &[Vec<f64>], axis: &mut [f64]) -> f64 {
        for _ in 0..2 {
            for direction in before {
                let along = dot(direction, axis);
                axis.iter_mut().zip(direction).for_each(|(value, direction)| *value -= along * direction);
            }
        }
        dot(axis, axis).sqrt()
    }
}
