//! What training leaves: the meta-parameters in the form in which the engine uses them.

use faer::MatRef;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::encoder::{Encoded, Encoder};
use super::maml::Maml;
use super::matching::Matching;
use super::objective::side_by_side;
use super::parameters::{Block, Parameters};
use super::preconditioner::Preconditioner;
use super::product::{columns, with_rows};
use super::prototypical::Prototypical;
use super::{Adaptation, Kind, Served};
use crate::data::{HeldOut, Interaction};
use crate::metrics::{self, LIST, Metrics, SHOTS, Scorer, best};

/// Users that are validated together: enough for wide matrix products, few enough for the memory.
const TOGETHER: usize = 4;

/// An adaptation rule and its scalars; the same as the model file's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Gradient steps.
    Maml {
        /// Strength of the pull towards the prior.
        pull: f32,
    },
    /// A step towards the prototype.
    Prototypical {
        /// Length of the step under much feedback.
        scale: f32,
        /// Weight of feedback at which the step is half as long.
        shrinkage: f32,
    },
    /// Attention over the support.
    Matching {
        /// What cosines are multiplied by before the attention.
        sharpness: f32,
        /// What feedback competes with for attention; compares to a weight times an exponential.
        null: f32,
    },
}

/// How training stood at one validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Epochs done.
    pub epoch: u32,
    /// Mean loss of the last epoch; `None` before the first.
    pub loss: Option<f64>,
    /// Mean NDCG@10 over the validation users and the five support sizes, or their NDCG@5 of rated items.
    pub validation: f64,
}

/// The epoch that was best on validation, the first of equals; `None` without validation.
pub fn best_epoch(history: &[Check]) -> Option<u32> {
    let checks = history.iter().rev(); // of equals, `max_by` takes the last
    checks.max_by(|a, b| a.validation.total_cmp(&b.validation)).map(|check| check.epoch)
}

/// The meta-parameters as they are served: features folded into the rows, rows at unit norm, positive
/// ones exponentiated. Matrices lie column-major, embeddings one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// The rule and its scalars.
    pub rule: Rule,
    /// Length of an embedding.
    pub dim: usize,
    /// Inner steps.
    pub steps: usize,
    /// dim.
    pub prior: Vec<f32>,
    /// items x dim, item after item.
    pub rows: Vec<f32>,
    /// One per feedback level.
    pub targets: Vec<f32>,
    /// One per feedback level, positive.
    pub weights: Vec<f32>,
    /// steps x dim, step after step; empty unless maml.
    pub step_sizes: Vec<f32>,
    /// dim x dim, times its weight; maml only.
    pub gram: Option<Vec<f32>>,
    /// dim x dim; not for matching.
    pub preconditioner: Option<Vec<f32>>,
    /// dim: what all items that training never saw share.
    pub new_item_base: Vec<f32>,
    /// item features x dim, to embed an item that training never saw.
    pub item_features: Vec<f32>,
    /// user features x dim, added to the prior.
    pub user_features: Vec<f32>,
    /// The validations, oldest first.
    pub history: Vec<Check>,
}

impl Learned {
    pub(crate) fn of(encoder: &Encoder, parameters: &Parameters<f32>) -> Self {
        let Encoded { served, gram, .. } = encoder.encode(parameters);
        let shape = served.shape;
        let scalar = |block| served[block][0];
        let rule = match shape.kind {
            Kind::Maml => Rule::Maml { pull: scalar(Block::Pull) },
            Kind::Prototypical => {
                Rule::Prototypical { scale: scalar(Block::Scale), shrinkage: scalar(Block::Shrinkage) }
            }
            Kind::Matching => {
                Rule::Matching { sharpness: scalar(Block::Sharpness), null: scalar(Block::Null) }
            }
        };
        let matrix = |values: &[f32]| (!values.is_empty()).then(|| values.to_vec());
        Self {
            rule,
            dim: shape.dim,
            steps: served[Block::StepSizes].len() / shape.dim,
            prior: served[Block::Prior].to_vec(),
            rows: served[Block::Items].to_vec(),
            targets: served[Block::Targets].to_vec(),
            weights: served[Block::Weights].to_vec(),
            step_sizes: served[Block::StepSizes].to_vec(),
            gram: matrix(gram.as_slice()),
            preconditioner: matrix(&served[Block::Preconditioner]),
            new_item_base: Vec::new(),
            item_features: Vec::new(),
            user_features: served[Block::UserFeatures].to_vec(),
            history: Vec::new(),
        }
    }

    /// Which rule it is.
    pub fn kind(&self) -> Kind {
        match self.rule {
            Rule::Maml { .. } => Kind::Maml,
            Rule::Prototypical { .. } => Kind::Prototypical,
            Rule::Matching { .. } => Kind::Matching,
        }
    }

    /// What [`crate::metrics::validation`] says of this scorer; mean NDCG@10 of each user over [`SHOTS`] much faster.
    pub fn validation(&self, users: &[HeldOut]) -> Vec<f64> {
        if users.iter().any(|user| user.gains.is_some()) {
            return metrics::validation(self, users, self.rows.len() / self.dim);
        }
        let ndcg = |users: &[HeldOut]| match self.rule {
            Rule::Maml { pull } => self.ndcg_by(&self.maml(pull), users),
            Rule::Prototypical { scale, shrinkage } => {
                self.ndcg_by(&self.prototypical(scale, shrinkage), users)
            }
            Rule::Matching { sharpness, null } => self.ndcg_by(&Matching { sharpness, null }, users),
        };
        users.par_chunks(TOGETHER).flat_map_iter(ndcg).collect()
    }

    fn ndcg_by<R: Adaptation<f32>>(&self, rule: &R, users: &[HeldOut]) -> Vec<f64> {
        let served = self.served();
        let rows = columns(&self.rows, self.dim);
        let items = rows.ncols();
        let supports: Vec<_> = users
            .iter()
            .flat_map(|user| SHOTS.map(|shots| (user, &user.pool[..shots.min(user.pool.len())])))
            .map(|(user, pool)| (user, pool, served.support(pool, &user.features)))
            .collect();
        let probes: Vec<_> = supports.iter().map(|(.., support)| rule.adapt(support).0).collect();
        let products = with_rows(rows, &side_by_side(&probes)); // items x m
        let mut scores = vec![0.0; items];
        let mut rest = products.as_slice();
        let ndcg = supports.iter().zip(&probes).map(|((user, pool, support), probes)| {
            let (own, others) = rest.split_at(items * probes.ncols());
            rest = others;
            rule.score(support, own, &mut scores);
            Metrics::of(&best(&mut scores, pool, LIST), &user.query).ndcg_10
        });
        let ndcg: Vec<f64> = ndcg.collect();
        ndcg.chunks(SHOTS.len()).map(|of_user| of_user.iter().sum::<f64>() / SHOTS.len() as f64).collect()
    }

    fn score_by<R: Adaptation<f32>>(
        &self,
        rule: &R,
        interactions: &[Interaction],
        features: &[u32],
        scores: &mut [f32],
    ) {
        let support = self.served().support(interactions, features);
        let (probes, _) = rule.adapt(&support);
        let products = with_rows(columns(&self.rows, self.dim), &probes);
        rule.score(&support, products.as_slice(), scores);
    }

    fn served(&self) -> Served<'_, f32> {
        Served {
            dim: self.dim,
            rows: &self.rows,
            prior: &self.prior,
            user_features: &self.user_features,
            targets: &self.targets,
            weights: &self.weights,
        }
    }

    fn maml(&self, pull: f32) -> Maml<'_, f32> {
        Maml {
            step_sizes: &self.step_sizes,
            preconditioner: Preconditioner(self.square(&self.preconditioner)),
            gram: self.square(&self.gram),
            pull,
            first_order: false,
        }
    }

    fn prototypical(&self, scale: f32, shrinkage: f32) -> Prototypical<'_, f32> {
        Prototypical { scale, shrinkage, preconditioner: Preconditioner(self.square(&self.preconditioner)) }
    }

    fn square<'a>(&self, values: &'a Option<Vec<f32>>) -> Option<MatRef<'a, f32>> {
        values.as_ref().map(|values| columns(values, self.dim))
    }
}

/// The reference in `f32` of what the engine does on the quantised rows.
impl Scorer for Learned {
    fn score(&self, support: &[Interaction], features: &[u32], scores: &mut [f32]) {
        match self.rule {
            Rule::Maml { pull } => self.score_by(&self.maml(pull), support, features, scores),
            Rule::Prototypical { scale, shrinkage } => {
                self.score_by(&self.prototypical(scale, shrinkage), support, features, scores);
            }
            Rule::Matching { sharpness, null } => {
                self.score_by(&Matching { sharpness, null }, support, features, scores);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TaskSet;
    use crate::train::tests::{config, held_out, world};
    use crate::train::{Config, train};

    fn learned(kind: Kind, set: &TaskSet) -> Learned {
        train(set, &held_out(set), None, &config(kind), &mut |_| {})
    }

    fn with_gram(set: &TaskSet) -> Learned {
        train(set, &held_out(set), None, &Config { gram: true, ..config(Kind::Maml) }, &mut |_| {})
    }

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// `matrix vector`, written out.
    fn times(matrix: &[f32], vector: &[f32]) -> Vec<f32> {
        let dim = vector.len();
        (0..dim).map(|row| (0..dim).map(|column| matrix[column * dim + row] * vector[column]).sum()).collect()
    }

    /// The score of a row.
    type Score<'a> = Box<dyn Fn(&[f32]) -> f32 + 'a>;

    /// The serving forms of the design, coordinate by coordinate.
    fn by_hand(learned: &Learned, support: &[Interaction], features: &[u32]) -> Vec<f32> {
        let dim = learned.dim;
        let row = |item: u32| &learned.rows[item as usize * dim..][..dim];
        let own = |f: u32, c: usize| learned.user_features[f as usize * dim + c];
        let extra = |c: usize| features.iter().map(|&f| own(f, c)).sum::<f32>();
        let start: Vec<f32> = (0..dim).map(|c| learned.prior[c] + extra(c)).collect();
        let weight = |i: &Interaction| learned.weights[usize::from(i.level)];
        let target = |i: &Interaction| learned.targets[usize::from(i.level)];
        let score: Score<'_> = match learned.rule {
            Rule::Maml { pull } => {
                let mut user = start.clone();
                for step_sizes in learned.step_sizes.chunks(dim) {
                    let gram = learned.gram.as_ref();
                    let mut gradient = gram.map_or(vec![0.0; dim], |gram| times(gram, &user));
                    for c in 0..dim {
                        gradient[c] += pull * (user[c] - start[c]);
                        for i in support {
                            gradient[c] += weight(i) * (dot(row(i.item), &user) - target(i)) * row(i.item)[c];
                        }
                    }
                    let direction = times(learned.preconditioner.as_ref().unwrap(), &gradient);
                    user = (0..dim).map(|c| user[c] - step_sizes[c] * direction[c]).collect();
                }
                Box::new(move |row| dot(row, &user) / dot(&user, &user).sqrt())
            }
            Rule::Prototypical { scale, shrinkage } => {
                let pulled = |c: usize| support.iter().map(|i| weight(i) * target(i) * row(i.item)[c]).sum();
                let prototype: Vec<f32> = (0..dim).map(pulled).collect();
                let direction = times(learned.preconditioner.as_ref().unwrap(), &prototype);
                let step = scale / (shrinkage + support.iter().map(weight).sum::<f32>());
                let user: Vec<f32> = (0..dim).map(|c| start[c] + step * direction[c]).collect();
                Box::new(move |row| dot(row, &user) / dot(&user, &user).sqrt())
            }
            Rule::Matching { sharpness, null } => Box::new(move |own| {
                let near = |i: &Interaction| weight(i) * (sharpness * dot(row(i.item), own)).exp();
                let attended: f32 = support.iter().map(|i| near(i) * target(i)).sum();
                dot(&start, own) + attended / (null + support.iter().map(near).sum::<f32>())
            }),
        };
        learned.rows.chunks(dim).map(score).collect()
    }

    #[test]
    fn scores_are_the_serving_forms_written_out() {
        let set = world();
        for learned in Kind::ALL.map(|kind| learned(kind, &set)).into_iter().chain([with_gram(&set)]) {
            let mut scores = vec![0.0; set.catalogue.len()];
            for task in &set.tasks[..6] {
                let support = &task.interactions[..task.user as usize % 4];
                learned.score(support, &task.features, &mut scores);
                for (score, expected) in scores.iter().zip(by_hand(&learned, support, &task.features)) {
                    assert!((score - expected).abs() < 1e-5, "{:?} {score} {expected}", learned.rule);
                }
            }
        }
    }

    #[test]
    fn validation_together_is_validation_one_by_one() {
        let set = world();
        let users = held_out(&set);
        for kind in Kind::ALL {
            let learned = learned(kind, &set);
            assert_eq!(
                learned.validation(&users),
                metrics::validation(&learned, &users, set.catalogue.len())
            );
        }
    }

    #[test]
    fn rows_have_unit_norm() {
        let set = world();
        let learned = learned(Kind::Maml, &set);
        assert!(learned.rows.chunks(learned.dim).all(|row| (dot(row, row) - 1.0).abs() < 1e-5));
    }
}
