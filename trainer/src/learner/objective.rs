//! The meta-objective: how well a user is ranked after adapting to the support, and its gradient.
//!
//! With `z` the scores over the temperature, outside the support,
//! `loss = CE(query, softmax z) + weight CE(softmax teacher, softmax z)`, mean over the episodes; where an episode has no
//! query, the second term alone.
//!
//! Where an episode's query has gains, the softmax runs over the query alone, and the query's share of an item is its
//! share of the gains (ListNet, Cao et al. 2007).

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::candidates::{Among, Candidates};
use super::encoder::{Encoded, Encoder};
use super::learned::Learned;
use super::maml::Maml;
use super::matching::Matching;
use super::parameters::{Block, Parameters, Real};
use super::product::{self, of_rows, view, with_rows};
use super::prototypical::Prototypical;
use super::vector::{add_scaled, dot, highest, sum};
use super::{Adaptation, BLOCKS, Gradient, Kind, Served, Support};
use crate::data::{Features, Interaction};
use crate::episode::Episode;

/// A recommender that a learner is distilled from.
pub trait Teacher: Sync {
    /// Fills `out`, one logit per catalogue row, for a user with this feedback.
    fn logits(&self, support: &[Interaction], out: &mut [f32]);

    /// Rows to start from (dim x items), one column an item; `None` if the teacher knows of none.
    fn directions(&self, dim: usize, seed: u64) -> Option<DMatrix<f32>> {
        let _ = (dim, seed);
        None
    }
}

/// How a teacher teaches.
#[derive(Clone, Copy)]
pub struct Taught<'a> {
    /// By whom.
    pub by: &'a dyn Teacher,
    /// Weight of the teacher's cross-entropy beside the query's.
    pub weight: f64,
    /// Times the teacher's logits.
    pub sharpness: f32,
}

/// What meta-training minimises.
pub struct Objective<'a> {
    encoder: Encoder,
    taught: Option<Taught<'a>>,
    first_order: bool,
    /// Added to every logit: logarithms of how many rows each stands for. Empty where each is itself.
    log_weights: Vec<f64>,
}

/// An episode between adapting and the way back.
struct Adapted<'a, T, Trace> {
    episode: &'a Episode,
    support: Support<T>,
    trace: Trace,
    /// Of the support.
    slopes: Support<T>,
}

impl<'a> Objective<'a> {
    /// The objective over a catalogue with these item features.
    ///
    /// `first_order` takes the inner gradients of `maml` for constants, as first-order MAML does: what
    /// lies behind them (targets, weights, pull, Gram weight) is then not trained.
    pub fn new(features: &Features, taught: Option<Taught<'a>>, first_order: bool) -> Self {
        Self { encoder: Encoder::new(features), taught, first_order, log_weights: Vec::new() }
    }

    /// Mean loss over `episodes`, at least one, and its exact gradient (unless first-order).
    ///
    /// The same bits whatever the number of threads. Support and query of an episode must be disjoint.
    /// Memory: (items x probes) numbers, one probe an episode or, for matching, one more than its support.
    pub fn gradient<T: Real>(
        &self,
        parameters: &Parameters<T>,
        episodes: &[Episode],
    ) -> (f64, Parameters<T>) {
        let encoded = self.encoder.encode(parameters);
        match parameters.shape.kind {
            Kind::Maml => self.gradient_by(&Maml::of(&encoded, self.first_order), &encoded, episodes),
            Kind::Prototypical => self.gradient_by(&Prototypical::of(&encoded), &encoded, episodes),
            Kind::Matching => self.gradient_by(&Matching::of(&encoded), &encoded, episodes),
        }
    }

    /// [`Self::gradient`] with `candidates`, drawn for these episodes, in place of the catalogue: an estimate, exact
    /// if all rows are candidates. Theirs are the rows of the gradient. Costs as if there were no others, but for a
    /// teacher's logits.
    pub fn sampled_gradient<T: Real>(
        &self,
        candidates: &Candidates,
        parameters: &Parameters<T>,
        episodes: &[Episode],
    ) -> (f64, Parameters<T>) {
        let items = parameters.shape.items;
        let among = self.taught.map(|Taught { by, .. }| Among { teacher: by, candidates, items });
        let taught = self.taught.zip(among.as_ref()).map(|(taught, by)| Taught { by, ..taught });
        let few = Objective {
            encoder: self.encoder.among(candidates),
            taught,
            first_order: self.first_order,
            log_weights: candidates.weights.iter().map(|weight| weight.ln()).collect(),
        };
        few.gradient(&candidates.gather(parameters), &candidates.renumber(episodes))
    }

    /// `parameters` in the form that is served.
    pub fn learned(&self, parameters: &Parameters<f32>) -> Learned {
        Learned::of(&self.encoder, parameters)
    }

    fn gradient_by<T: Real, R: Adaptation<T>>(
        &self,
        rule: &R,
        encoded: &Encoded<T>,
        episodes: &[Episode],
    ) -> (f64, Parameters<T>) {
        let served = Served::of(&encoded.served);
        let rows = product::columns(served.rows, served.dim);
        let adapted = episodes.par_iter().map(|episode| {
            let support = served.support(&episode.support, &episode.features);
            let (probes, trace) = rule.adapt(&support);
            let slopes = support.zeros_like();
            (probes, Adapted { episode, support, trace, slopes })
        });
        let (probes, mut adapted): (Vec<_>, Vec<_>) = adapted.unzip();
        let all_probes = side_by_side(&probes);
        let mut products = with_rows(rows, &all_probes);

        let share = 1.0 / episodes.len() as f64;
        let part = episodes.len().div_ceil(BLOCKS);
        let mut own = of_each(&mut products, &probes);
        let judged = adapted.par_chunks_mut(part).zip(own.par_chunks_mut(part));
        let judged =
            judged.map(|(adapted, products)| self.judge_all(rule, encoded, adapted, products, share));
        let (losses, mut gradients): (Vec<f64>, Vec<Gradient<T>>) = judged.unzip();

        let mut probe_slopes = of_rows(rows, view(&products));
        let own = of_each(&mut probe_slopes, &probes);
        let parts = adapted.par_chunks_mut(part).zip(own.par_chunks(part)).zip(&mut gradients);
        parts.for_each(|((adapted, probe_slopes), gradient)| {
            for (Adapted { episode, support, trace, slopes }, probe_slopes) in
                adapted.iter_mut().zip(probe_slopes)
            {
                rule.adapt_reverse(support, trace, probe_slopes, slopes, gradient);
                add_support_slopes(&mut gradient.served, episode, slopes);
            }
        });

        let mut gradient = Parameters::zeros(encoded.served.shape);
        let mut gram = encoded.gram.map(|_| T::zero());
        for part in gradients {
            gradient.add(&part.served);
            gram += part.gram;
        }
        for Adapted { episode, slopes, .. } in &adapted {
            add_row_slopes(&mut gradient, &episode.support, &slopes.rows);
        }
        self.encoder.reverse(encoded, &all_probes, &products, &gram, &mut gradient);
        (losses.iter().sum(), gradient)
    }

    /// The loss of some episodes, times `share`, and what they add to the gradient by their scores; turns their products
    /// into slopes.
    fn judge_all<T: Real, R: Adaptation<T>>(
        &self,
        rule: &R,
        encoded: &Encoded<T>,
        adapted: &mut [Adapted<'_, T, R::Trace>],
        products: &mut [&mut [T]],
        share: f64,
    ) -> (f64, Gradient<T>) {
        let shape = encoded.served.shape;
        let gram = encoded.gram.map(|_| T::zero());
        let mut gradient = Gradient { served: Parameters::zeros(shape.without_items()), gram };
        let mut scores = vec![T::zero(); shape.items];
        let mut loss = 0.0;
        for (Adapted { episode, support, slopes, .. }, products) in adapted.iter_mut().zip(products) {
            rule.score(support, products, &mut scores);
            let temperature = encoded.served[Block::Temperature][0];
            let judged = self.judge(episode, temperature, T::of(share), &mut scores);
            loss += judged.loss * share;
            gradient.served[Block::Temperature][0] += judged.temperature_slope;
            rule.score_reverse(support, products, &scores, slopes, &mut gradient);
        }
        (loss, gradient)
    }

    /// The loss of one episode; replaces its scores by their slopes, times `share`.
    fn judge<T: Real>(&self, episode: &Episode, temperature: T, share: T, scores: &mut [T]) -> Judged<T> {
        let target = self.target(episode, scores.len());
        let of_query = if episode.query.is_empty() { 0.0 } else { 1.0 };
        let total = T::of(of_query + self.taught.map_or(0.0, |taught| taught.weight));
        scores.iter_mut().for_each(|score| *score /= temperature);
        let mut shares = scores.to_vec();
        self.add_log_weights(&mut shares);
        let log_sum = softmax(episode, &mut shares);
        let loss = (total * log_sum - dot(&target, scores)).f64();
        for (slope, &target) in shares.iter_mut().zip(&target) {
            *slope = (total * *slope - target) * share / temperature;
        }
        let temperature_slope = -dot(&shares, scores);
        scores.copy_from_slice(&shares);
        Judged { loss, temperature_slope }
    }

    /// The query's share of each item plus the weighted teacher's; zero on the support.
    fn target<T: Real>(&self, episode: &Episode, items: usize) -> Vec<T> {
        let mut target = vec![T::zero(); items];
        if let Some(Taught { by, weight, sharpness }) = self.taught {
            let mut logits = vec![0.0; items];
            by.logits(&episode.support, &mut logits);
            target = logits.into_iter().map(|logit| T::of(f64::from(sharpness * logit))).collect();
            self.add_log_weights(&mut target);
            softmax(episode, &mut target);
            target.iter_mut().for_each(|share| *share *= T::of(weight));
        }
        let equal = vec![1.0; episode.query.len()];
        let gains = episode.gains.as_ref().unwrap_or(&equal);
        let total: f32 = gains.iter().sum();
        for (&item, &gain) in episode.query.iter().zip(gains) {
            target[item as usize] += T::of(f64::from(gain) / f64::from(total));
        }
        target
    }

    fn add_log_weights<T: Real>(&self, logits: &mut [T]) {
        logits.iter_mut().zip(&self.log_weights).for_each(|(logit, &weight)| *logit += T::of(weight));
    }
}

struct Judged<T> {
    loss: f64,
    temperature_slope: T,
}

/// Softmax over the items that compete in `episode`, zero elsewhere; the logarithm of the sum of exponentials.
fn softmax<T: Real>(episode: &Episode, logits: &mut [T]) -> T {
    match episode.gains {
        None => softmax_outside(&episode.support, logits),
        Some(_) => softmax_within(&episode.query, logits),
    }
}

/// Softmax over `query`, zero elsewhere; the logarithm of the sum of exponentials.
fn softmax_within<T: Real>(query: &[u32], logits: &mut [T]) -> T {
    let own: Vec<T> = query.iter().map(|&item| logits[item as usize]).collect();
    let highest = highest(&own);
    let sum = own.iter().fold(T::zero(), |sum, &logit| sum + (logit - highest).exp());
    logits.fill(T::zero());
    for (&item, &logit) in query.iter().zip(&own) {
        logits[item as usize] = (logit - highest).exp() / sum;
    }
    highest + sum.ln()
}

/// Softmax over the items outside `support`, zero on it; the logarithm of the sum of exponentials.
fn softmax_outside<T: Real>(support: &[Interaction], logits: &mut [T]) -> T {
    for interaction in support {
        logits[interaction.item as usize] = T::of(f64::NEG_INFINITY);
    }
    let highest = highest(logits);
    logits.iter_mut().for_each(|logit| *logit = (*logit - highest).exponential());
    for interaction in support {
        logits[interaction.item as usize] = T::zero();
    }
    let sum = sum(logits);
    logits.iter_mut().for_each(|share| *share /= sum);
    highest + sum.ln()
}

/// The columns of `matrix` that belong to each of `probes`, which are side by side in it.
fn of_each<'a, T: Real>(matrix: &'a mut DMatrix<T>, probes: &[DMatrix<T>]) -> Vec<&'a mut [T]> {
    let rows = matrix.nrows();
    let mut rest = matrix.as_mut_slice();
    probes.iter().map(|probes| rest.split_off_mut(..rows * probes.ncols()).unwrap_or_default()).collect()
}

pub(super) fn side_by_side<T: Real>(matrices: &[DMatrix<T>]) -> DMatrix<T> {
    let rows = matrices[0].nrows();
    let values = matrices.iter().flat_map(|matrix| matrix.iter().copied()).collect();
    let columns = matrices.iter().map(DMatrix::ncols).sum();
    DMatrix::from_vec(rows, columns, values)
}

/// What the slopes of a support, rows aside, mean for the meta-parameters behind it.
fn add_support_slopes<T: Real>(gradient: &mut Parameters<T>, episode: &Episode, slopes: &Support<T>) {
    let start = slopes.start.as_slice();
    add_scaled(&mut gradient[Block::Prior], T::one(), start);
    for &feature in &episode.features {
        let embedding = feature as usize * start.len()..(feature as usize + 1) * start.len();
        add_scaled(&mut gradient[Block::UserFeatures][embedding], T::one(), start);
    }
    let share = T::of(tinderbox::feedback_share(episode.support.len()).into());
    for (slot, interaction) in episode.support.iter().enumerate() {
        let level = usize::from(interaction.level);
        gradient[Block::Targets][level] += slopes.targets[slot];
        gradient[Block::Weights][level] += share * slopes.weights[slot];
    }
}

fn add_row_slopes<T: Real>(gradient: &mut Parameters<T>, support: &[Interaction], slopes: &DMatrix<T>) {
    let dim = slopes.nrows();
    let rows = &mut gradient[Block::Items];
    for (interaction, slope) in support.iter().zip(slopes.as_slice().chunks_exact(dim)) {
        add_scaled(&mut rows[interaction.item as usize * dim..][..dim], T::one(), slope);
    }
}
