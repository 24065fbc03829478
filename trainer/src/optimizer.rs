//! The outer step: Adam (Kingma and Ba 2015) on clipped gradients, and the moving average of the
//! meta-parameters that is validated and exported.

use rayon::prelude::*;

use crate::learner::{Block, Parameters};

const MOMENTUM: f32 = 0.9;
const SQUARES: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Longest gradient; longer ones are scaled down to it.
const CLIP: f64 = 1.0;

/// Embeddings take smaller steps: each is seen rarely, and the start values are good.
const EMBEDDING_RATE: f32 = 0.1;

/// Weight of the past in the moving average, per outer step.
const DECAY: f32 = 0.98;

/// Numbers a rayon task has at least.
const GRAIN: usize = 1 << 14;

/// Adam's state.
pub struct Adam {
    learning_rate: f32,
    steps: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// For as many parameters as `parameters` has.
    pub fn new(parameters: &Parameters<f32>, learning_rate: f32) -> Self {
        let zeros = vec![0.0; parameters.values.len()];
        Self { learning_rate, steps: 0, first: zeros.clone(), second: zeros }
    }

    /// One outer step. A gradient that is not finite is ignored: one bad batch must not end training. If `rows` are given,
    /// it has those of the items alone, in their order, and is zero elsewhere.
    pub fn step(
        &mut self,
        parameters: &mut Parameters<f32>,
        gradient: &Parameters<f32>,
        rows: Option<&[u32]>,
    ) {
        let length = length(&gradient.values);
        if !length.is_finite() {
            return;
        }
        self.steps += 1;
        let scale = (CLIP / length.max(CLIP)) as f32;
        let bias = (1.0 - SQUARES.powi(self.steps)).sqrt() / (1.0 - MOMENTUM.powi(self.steps));
        let none = vec![0.0; parameters.shape.dim];
        for block in Block::ALL {
            let range = parameters.range(block);
            let rate = if block.is_embedding() { EMBEDDING_RATE } else { 1.0 };
            let rate = self.learning_rate * rate * bias;
            // The length of a part of the block, and the slopes of each.
            let (len, slopes) = match rows {
                Some(rows) if block == Block::Items => {
                    (none.len(), of_every_row(&gradient[block], rows, &none, parameters.shape.items))
                }
                _ => (GRAIN, gradient[block].chunks(GRAIN).collect()),
            };
            let first = self.first[range.clone()].par_chunks_mut(len);
            let moments = first.zip(self.second[range.clone()].par_chunks_mut(len));
            let parts = moments.zip(parameters.values[range].par_chunks_mut(len)).zip(slopes);
            parts.with_min_len(GRAIN / len).for_each(|(((first, second), values), slopes)| {
                update(first, second, values, slopes.iter().map(|slope| slope * scale), rate);
            });
        }
    }
}

/// The slopes of each of `count` rows: of `rows` those given, in their order, of the others `none`.
fn of_every_row<'a>(slopes: &'a [f32], rows: &[u32], none: &'a [f32], count: usize) -> Vec<&'a [f32]> {
    let mut of_every = vec![none; count];
    for (&row, slopes) in rows.iter().zip(slopes.chunks_exact(none.len())) {
        of_every[row as usize] = slopes;
    }
    of_every
}

/// Moves some parameters and their moments by their slopes.
fn update(
    first: &mut [f32],
    second: &mut [f32],
    values: &mut [f32],
    slopes: impl Iterator<Item = f32>,
    rate: f32,
) {
    for (((first, second), value), slope) in first.iter_mut().zip(second).zip(values).zip(slopes) {
        *first += (1.0 - MOMENTUM) * (slope - *first);
        *second += (1.0 - SQUARES) * (slope * slope - *second);
        *value -= rate * *first / (second.sqrt() + EPSILON);
    }
}

/// Euclidean length, summed in fixed blocks.
fn length(values: &[f32]) -> f64 {
    let squares = |block: &[f32]| block.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
    let sums: Vec<f64> = values.par_chunks(GRAIN).map(squares).collect();
    sums.iter().sum::<f64>().sqrt()
}

/// Moves `average` towards `parameters`, as after every outer step.
pub fn follow(average: &mut Parameters<f32>, parameters: &Parameters<f32>) {
    let values = average.values.par_iter_mut().zip(&parameters.values).with_min_len(GRAIN);
    values.for_each(|(average, &value)| *average += (1.0 - DECAY) * (value - *average));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::{Kind, Shape};

    fn parameters(values: impl Fn(usize) -> f32) -> Parameters<f32> {
        let shape = Shape {
            kind: Kind::Prototypical,
            dim: 2,
            steps: 0,
            gram: false,
            items: 3,
            levels: 1,
            item_features: 0,
            user_features: 0,
        };
        let mut parameters = Parameters::zeros(shape);
        parameters.values.iter_mut().enumerate().for_each(|(index, value)| *value = values(index));
        parameters
    }

    #[test]
    fn the_first_step_is_the_learning_rate_and_a_tenth_of_it_for_embeddings() {
        let mut moved = parameters(|_| 0.0);
        let gradient = parameters(|index| if index % 2 == 0 { 0.2 } else { -0.1 });
        Adam::new(&moved, 0.01).step(&mut moved, &gradient, None);
        for block in Block::ALL {
            let expected = if block.is_embedding() { 0.001 } else { 0.01 };
            for (value, slope) in moved[block].iter().zip(&gradient[block]) {
                assert!((value + expected * slope.signum()).abs() < 1e-6, "{block:?} {value}");
            }
        }
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing() {
        let mut moved = parameters(|index| index as f32);
        let before = moved.clone();
        let mut adam = Adam::new(&moved, 0.01);
        adam.step(&mut moved, &parameters(|index| if index == 4 { f32::NAN } else { 1.0 }), None);
        assert_eq!(moved, before);
    }

    #[test]
    fn rows_that_are_not_given_have_no_slope() {
        let start = parameters(|index| index as f32);
        let whole = parameters(|index| if index / 2 == 1 { 0.0 } else { 0.1 }); // row 1
        let mut few = parameters(|_| 0.1);
        few.shape.items = 2;
        few.values.truncate(few.values.len() - 2);
        let mut moved = [start.clone(), start.clone()];
        let mut adams = [Adam::new(&start, 0.01), Adam::new(&start, 0.01)];
        for _ in 0..3 {
            adams[0].step(&mut moved[0], &whole, None);
            adams[1].step(&mut moved[1], &few, Some(&[0, 2]));
        }
        assert_eq!(moved[0], moved[1]);
        assert_ne!(moved[0], start);
    }

    #[test]
    fn a_minimum_is_found_and_the_average_follows() {
        let mut moved = parameters(|_| 0.0);
        let mut average = moved.clone();
        let mut adam = Adam::new(&moved, 0.05);
        for _ in 0..2000 {
            let mut gradient = moved.clone();
            gradient.values.iter_mut().for_each(|value| *value -= 1.5);
            adam.step(&mut moved, &gradient, None);
            follow(&mut average, &moved);
        }
        assert!(average.values.iter().all(|value| (value - 1.5).abs() < 1e-2), "{:?}", average.values);
    }
}
