//! Sampled softmax: an outer step that looks at a part of a large catalogue.
//!
//! ```text
//! rows      all that the batch's supports and queries name, and a sample of the others
//! weight_i  1 for the named, 1 / (chance of being drawn) for the others
//! ```
//!
//! Every sum over the catalogue (the softmax's, the teacher's, the Gram matrix) becomes a weighted sum over the
//! rows, which has the right mean (Horvitz and Thompson 1952). Under a softmax, log-weights are added to the
//! logits: the correction of Bengio and Senécal 2008.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::objective::Teacher;
use super::parameters::{Block, Parameters, Real, Shape};
use crate::data::Interaction;
use crate::episode::Episode;

/// How likely each row is to be drawn.
#[derive(Clone, Debug)]
pub struct Sampler {
    chances: Vec<f64>,
}

/// Rows that stand for the whole catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    /// Ascending.
    pub rows: Vec<u32>,
    /// How many rows each stands for; at least 1.
    pub(super) weights: Vec<f64>,
}

impl Sampler {
    /// Draws about `size` rows, each with a chance in proportion to the root of its popularity, so that popular
    /// rows, which have the high scores, are nearly certain and rare ones do not weigh too much. With `size` at
    /// its largest every row is drawn, at weight 1.
    pub fn new(likes: &[u32], size: usize) -> Self {
        let popularity: Vec<f64> = likes.iter().map(|&likes| (1.0 + f64::from(likes)).sqrt()).collect();
        let scale = size as f64 / popularity.iter().sum::<f64>();
        Self { chances: popularity.into_iter().map(|popularity| (scale * popularity).min(1.0)).collect() }
    }

    /// What `episodes` name, and a sample of the rest.
    pub fn draw(&self, episodes: &[Episode], rng: &mut ChaCha8Rng) -> Candidates {
        let mut weights: Vec<Option<f64>> = self
            .chances
            .iter()
            .map(|&chance| (rng.random::<f64>() < chance).then(|| chance.recip()))
            .collect();
        for episode in episodes {
            let support = episode.support.iter().map(|interaction| interaction.item);
            for row in support.chain(episode.query.iter().copied()) {
                weights[row as usize] = Some(1.0);
            }
        }
        let drawn = (0..).zip(weights).filter_map(|(row, weight)| Some((row, weight?)));
        let (rows, weights) = drawn.unzip();
        Candidates { rows, weights }
    }
}

impl Candidates {
    /// `parameters` with these rows alone.
    pub(super) fn gather<T: Real>(&self, parameters: &Parameters<T>) -> Parameters<T> {
        let shape = parameters.shape;
        let items = &parameters[Block::Items];
        let mut values =
            Vec::with_capacity(parameters.values.len() - items.len() + shape.dim * self.rows.len());
        for &row in &self.rows {
            values.extend_from_slice(&items[row as usize * shape.dim..][..shape.dim]);
        }
        values.extend_from_slice(&parameters.values[items.len()..]);
        Parameters { shape: Shape { items: self.rows.len(), ..shape }, values }
    }

    /// `episodes`, all of whose items are candidates, with positions among the candidates for rows.
    pub(super) fn renumber(&self, episodes: &[Episode]) -> Vec<Episode> {
        let position = |item: u32| self.rows.partition_point(|&row| row < item) as u32;
        let renumbered = |episode: &Episode| Episode {
            features: episode.features.clone(),
            support: episode.support.iter().map(|i| Interaction { item: position(i.item), ..*i }).collect(),
            query: episode.query.iter().map(|&item| position(item)).collect(),
            gains: episode.gains.clone(),
        };
        episodes.iter().map(renumbered).collect()
    }
}

/// A teacher over the candidates.
pub(super) struct Among<'a> {
    pub(super) teacher: &'a dyn Teacher,
    pub(super) candidates: &'a Candidates,
    /// Rows of the catalogue.
    pub(super) items: usize,
}

impl Teacher for Among<'_> {
    fn logits(&self, support: &[Interaction], out: &mut [f32]) {
        let rows = &self.candidates.rows;
        let support: Vec<Interaction> =
            support.iter().map(|i| Interaction { item: rows[i.item as usize], ..*i }).collect();
        let mut all = vec![0.0; self.items];
        self.teacher.logits(&support, &mut all);
        out.iter_mut().zip(rows).for_each(|(out, &row)| *out = all[row as usize]);
    }
}
