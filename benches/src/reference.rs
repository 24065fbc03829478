//! What the answers have to be: the definitions of `SPEC.md`, naively, in f64.

use tinderbox::{Interaction, Model, Ranked, Reason, Row, Rule};

/// What a score may differ by: a user embedding is rounded to 15 bits before it meets the rows.
const SCORE_ERROR: f64 = 2e-4;
/// What a component of a user embedding may differ by, relative to the largest: f32 against f64.
const USER_ERROR: f64 = 1e-4;

/// The right answers for one user.
#[derive(Debug)]
pub struct Reference {
    /// One for each item of the catalogue.
    scores: Vec<f64>,
    /// The items that a ranking leaves out.
    support: Vec<u32>,
}

/// One interaction: the item's row, and the level's target and weight.
struct Shot {
    row: Vec<f64>,
    target: f64,
    weight: f64,
}

impl Reference {
    /// Adapts to the support and scores the whole catalogue.
    pub fn of(model: &Model<'_>, support: &[Interaction]) -> Self {
        let shots = shots(model, support);
        let user = adapt(model, &shots);
        let scores = (0..model.items()).map(|item| score(model, &user, &shots, item)).collect();
        Self { scores, support: support.iter().map(|interaction| interaction.item).collect() }
    }

    /// What is like `item`, whatever the user thinks of it.
    pub fn similar(model: &Model<'_>, item: u32, support: &[Interaction]) -> Self {
        let user = row(model, item as usize);
        let scores = (0..model.items()).map(|other| project(model, other, &user)).collect();
        let support = support.iter().map(|interaction| interaction.item).chain([item]).collect();
        Self { scores, support }
    }

    /// # Panics
    /// If `user` is not the user embedding adapted to `support`, within rounding.
    pub fn check_user(model: &Model<'_>, support: &[Interaction], user: &[f32]) {
        let by_definition = adapt(model, &shots(model, support));
        let largest = by_definition.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        assert_eq!(user.len(), by_definition.len(), "dim of the user embedding");
        for (component, (&found, &expected)) in user.iter().zip(&by_definition).enumerate() {
            assert!(
                (f64::from(found) - expected).abs() <= USER_ERROR * largest,
                "component {component} of the user embedding is {found}, expected {expected}"
            );
        }
    }

    /// # Panics
    /// If `scores` are not those of a query in integers, for the items from `first` on, within the rounding of the dot
    /// product and of its product with the scale.
    pub fn check_scores(model: &Model<'_>, query: &[i16], first: usize, scores: &[f32]) {
        let query: Vec<f64> = query.iter().copied().map(f64::from).collect();
        for (item, &score) in (first..).zip(scores) {
            let expected = project(model, item, &query);
            assert!(
                (f64::from(score) - expected).abs() <= 2.0 * f64::from(f32::EPSILON) * expected.abs(),
                "item {item} has score {score}, expected {expected}"
            );
        }
    }

    /// # Panics
    /// If `list` is not a list of the best `len` items outside the support, best first, with their scores,
    /// within rounding: items whose scores differ by less may change places.
    pub fn check_list(&self, list: &[Ranked], len: usize) {
        let mut best: Vec<(u32, f64)> =
            (0..).zip(self.scores.iter().copied()).filter(|(item, _)| !self.support.contains(item)).collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(len);
        assert_eq!(list.len(), best.len(), "length of the list");
        assert!(list.is_sorted_by(|a, b| a.score >= b.score), "the list is not sorted: {list:?}");
        for (rank, (ranked, &(item, expected))) in list.iter().zip(&best).enumerate() {
            let Ranked { item: found, score } = *ranked;
            let by_definition = self.scores[found as usize];
            assert!(
                (f64::from(score) - by_definition).abs() <= SCORE_ERROR,
                "item {found} has score {score}, expected {by_definition}"
            );
            assert!(
                (by_definition - expected).abs() <= 2.0 * SCORE_ERROR,
                "rank {rank} is item {found} ({by_definition}), expected {item} ({expected})"
            );
            assert!(!self.support.contains(&found), "item {found} is in the support");
            assert!(list[..rank].iter().all(|above| above.item != found), "item {found} occurs twice");
        }
    }

    /// # Panics
    /// If `list` does not give each place to the candidate with the largest `(1 - diversity) score - diversity nearest`,
    /// within rounding, of the best `candidates` items.
    pub fn check_diverse(&self, model: &Model<'_>, list: &[Ranked], candidates: usize, diversity: f64) {
        let mut pool: Vec<u32> =
            (0..model.items() as u32).filter(|item| !self.support.contains(item)).collect();
        let score = |item: u32| self.scores[item as usize];
        pool.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        pool.truncate(candidates);
        let mut placed: Vec<Vec<f64>> = Vec::new();
        for (place, ranked) in list.iter().enumerate() {
            let value = |item: u32| {
                let cosines = placed.iter().map(|above| project(model, item as usize, above));
                let nearest = cosines.fold(f64::NEG_INFINITY, f64::max);
                if placed.is_empty() {
                    score(item)
                } else {
                    (1.0 - diversity) * score(item) - diversity * nearest
                }
            };
            let free = pool.iter().filter(|&&item| list[..place].iter().all(|above| above.item != item));
            let best = free.map(|&item| value(item)).fold(f64::NEG_INFINITY, f64::max);
            let found = value(ranked.item);
            assert!(
                (found - best).abs() <= 2.0 * SCORE_ERROR,
                "place {place} is item {} ({found}), expected one of {best}",
                ranked.item
            );
            placed.push(row(model, ranked.item as usize));
        }
    }

    /// # Panics
    /// If an effect is not the score of `item` with the whole support minus that without one interaction, within
    /// rounding, or the reasons are not the strongest, strongest first.
    pub fn check_reasons(model: &Model<'_>, support: &[Interaction], item: u32, reasons: &[Reason]) {
        let score_after = |support: &[Interaction]| {
            let shots = shots(model, support);
            score(model, &adapt(model, &shots), &shots, item as usize)
        };
        let all = score_after(support);
        let effect = |left_out: usize| {
            let mut others = support.to_vec();
            (others.remove(left_out).item, all - score_after(&others))
        };
        let mut effects: Vec<(u32, f64)> = (0..support.len()).map(effect).collect();
        effects.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (place, (reason, (_, expected))) in reasons.iter().zip(&effects).enumerate() {
            let of_item = effects.iter().find(|(item, _)| *item == reason.item).map(|(_, effect)| *effect);
            let found = f64::from(reason.effect);
            assert!(
                of_item.is_some_and(|effect| (found - effect).abs() <= 2.0 * SCORE_ERROR)
                    && (found - expected).abs() <= 2.0 * SCORE_ERROR,
                "reason {place} is item {} ({found}), expected one of {expected}",
                reason.item
            );
        }
    }
}

fn shots(model: &Model<'_>, support: &[Interaction]) -> Vec<Shot> {
    let levels = model.levels();
    let shot = |&Interaction { item, level }: &Interaction| Shot {
        row: row(model, item as usize),
        target: levels.target(level.into()).into(),
        weight: levels.weight(level.into()).into(),
    };
    support.iter().map(shot).collect()
}

/// The user embedding; for `matching`, the prior.
fn adapt(model: &Model<'_>, shots: &[Shot]) -> Vec<f64> {
    let prior = wide(model.prior());
    match model.rule() {
        Rule::Maml { pull } => maml(model, pull.into(), prior, shots),
        Rule::Prototypical { scale, shrinkage } => {
            let total: f64 = shots.iter().map(|shot| shot.weight).sum();
            let mut mean = vec![0.0; prior.len()];
            for shot in shots {
                add(&mut mean, shot.weight * shot.target, &shot.row);
            }
            let mut user = prior;
            let share = f64::from(scale) / (f64::from(shrinkage) + total);
            add(&mut user, share, &precondition(model, mean));
            user
        }
        Rule::Matching { .. } => prior,
    }
}

fn maml(model: &Model<'_>, pull: f64, prior: Vec<f64>, shots: &[Shot]) -> Vec<f64> {
    let mut user = prior.clone();
    for step_sizes in model.step_sizes().chunks_exact(model.dim()) {
        let mut gradient = model.gram().map_or(vec![0.0; user.len()], |gram| times(gram, &user));
        add(&mut gradient, pull, &user);
        add(&mut gradient, -pull, &prior);
        for shot in shots {
            add(&mut gradient, shot.weight * (dot(&shot.row, &user) - shot.target), &shot.row);
        }
        let direction = precondition(model, gradient);
        for ((value, &step_size), direction) in user.iter_mut().zip(step_sizes).zip(direction) {
            *value -= f64::from(step_size) * direction;
        }
    }
    user
}

fn score(model: &Model<'_>, user: &[f64], shots: &[Shot], item: usize) -> f64 {
    let Rule::Matching { sharpness, null } = model.rule() else {
        return project(model, item, user) / dot(user, user).sqrt();
    };
    let (mut attended, mut total) = (0.0, f64::from(null));
    for shot in shots {
        let share = shot.weight * (f64::from(sharpness) * project(model, item, &shot.row)).exp();
        attended += share * shot.target;
        total += share;
    }
    project(model, item, user) + attended / total
}

fn precondition(model: &Model<'_>, gradient: Vec<f64>) -> Vec<f64> {
    model.preconditioner().map_or_else(|| gradient.clone(), |columns| times(columns, &gradient))
}

/// The embedding of an item.
fn row(model: &Model<'_>, item: usize) -> Vec<f64> {
    let scale = f64::from(model.scales()[item]);
    quantised(model, item).map(|value| scale * f64::from(value)).collect()
}

/// The dot product of an item's embedding with a vector; of a million items, so without a vector for each.
fn project(model: &Model<'_>, item: usize, vector: &[f64]) -> f64 {
    let row = quantised(model, item);
    f64::from(model.scales()[item])
        * row.zip(vector).map(|(value, other)| f64::from(value) * other).sum::<f64>()
}

fn quantised<'a>(model: &Model<'a>, item: usize) -> impl Iterator<Item = i8> + use<'a> {
    model.rows().row(item).into_iter().flat_map(Row::components)
}

/// A square matrix, column after column, times a vector.
fn times(columns: &[f32], vector: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; vector.len()];
    for (column, &value) in columns.chunks_exact(vector.len()).zip(vector) {
        add(&mut product, value, &wide(column));
    }
    product
}

fn add(sum: &mut [f64], factor: f64, vector: &[f64]) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += factor * value);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bench, Memory, Operation, RULES, Sample, scratch, support};
    use std::panic::catch_unwind;
    use tinderbox::{Filter, Kernel, Session};

    #[test]
    fn every_operation_of_every_rule_and_kernel_answers_by_the_definitions() {
        for sample in RULES.iter().map(|&rule| Sample::made(rule, 300, 32)) {
            let model = sample.model();
            let reference = Bench::reference(&model);
            for kernel in Kernel::all() {
                let mut memory = Memory::new(&model);
                let mut bench = Bench::new(model, kernel, &mut memory, 100);
                let of_kernels = [Operation::Scan, Operation::ScanBatch];
                for operation in Operation::all(&model, &[10, 100]).into_iter().chain(of_kernels) {
                    bench.check(operation, &reference);
                }
            }
        }
    }

    #[test]
    fn a_wrong_order_and_a_wrong_effect_are_noticed() {
        let sample = Sample::made(RULES[0], 300, 32);
        let model = sample.model();
        let (support, mut scratch) = (support(&model, 10), scratch(&model, 10));
        let mut session = Session::new(model, &mut scratch).expect("scratch memory as asked for");
        session.adapt(&support).expect("a support of the catalogue");
        let reference = Reference::of(&model, &support);
        let (mut pool, mut memory) =
            ([Ranked::default(); 50], vec![0.0; Session::diverse_scratch_len(&model, 50)]);
        let list = session.rank_diverse(&Filter::default(), 0.3, 10, &mut memory, &mut pool);
        let list = list.expect("scratch as long as asked for").to_vec();
        reference.check_diverse(&model, &list, 50, 0.3);
        assert!(catch_unwind(|| reference.check_diverse(&model, &list, 50, 0.9)).is_err(), "diversity");
        let mut reasons = [Reason::default(); 10];
        let reasons = session.explain(7, &mut reasons).expect("an item of the catalogue").to_vec();
        Reference::check_reasons(&model, &support, 7, &reasons);
        let mut spoilt = reasons.clone();
        spoilt.swap(0, 9);
        assert!(catch_unwind(|| Reference::check_reasons(&model, &support, 7, &spoilt)).is_err(), "effect");
    }

    #[test]
    fn a_right_answer_passes_and_every_wrong_one_is_noticed() {
        for rule in RULES {
            let sample = Sample::made(rule, 300, 32);
            let model = sample.model();
            let (support, mut scratch) = (support(&model, 10), scratch(&model, 10));
            let mut session = Session::new(model, &mut scratch).expect("scratch memory as asked for");
            session.adapt(&support).expect("a support of the catalogue");
            let mut out = [Ranked::default(); 11];
            let list = session.rank(&Filter::default(), &mut out).expect("no filter");
            let reference = Reference::of(&model, &support);
            Reference::check_user(&model, &support, session.user());
            reference.check_list(list, 11);

            let passes = |list: &[Ranked], len| catch_unwind(|| reference.check_list(list, len)).is_ok();
            let spoilt = |spoil: fn(&mut [Ranked])| {
                let mut list = list.to_vec();
                spoil(&mut list);
                list
            };
            assert!(!passes(list, 10) && !passes(&list[1..], 10));
            assert!(!passes(&spoilt(|list| list.swap(0, 10)), 11), "order");
            assert!(!passes(&spoilt(|list| list[0].score += 1e-3), 11), "score");
            assert!(!passes(&spoilt(|list| list[1] = list[0]), 11), "repetition");
            let liked =
                Ranked { item: support[0].item, score: reference.scores[support[0].item as usize] as f32 };
            assert!(!passes(&[liked], 1), "support");
            let mut user = session.user().to_vec();
            user[0] += 1e-2;
            assert!(catch_unwind(|| Reference::check_user(&model, &support, &user)).is_err(), "user");
        }
    }
}
