//! The few-shot protocols: held-out users reveal k interactions, the rest of what they like is the query.
//!
//! **P1**: a held-out user's feedback is shuffled, the first half is the support pool, the second half the query.
//! For each k of [`SHOTS`] a method adapts to the first k of the pool, ranks the whole catalogue without those k,
//! and is judged on the liked items of the query. **P1t**: the same in time order. Ten rotated folds of users
//! (80 % training, 10 % validation, 10 % test): with all ten, every user is tested once.
//!
//! **[P2](labelled)**: rated items are ranked among themselves.
//!
//! **P3**: new items. A tenth of the items, rotated like the users, is taken out altogether: no method sees any
//! feedback on them, only their features. A held-out user's feedback on the other items is shuffled into the support
//! pool; a method ranks the new items alone and is judged on those that the user likes. Users who like none of them
//! are left out. `raters=N` shows methods the feedback of the first N training users who rated each new item, and what
//! else these are known for.
//!
//! **[Onboarding](onboarding)**: instead of revealing what they like, held-out users are shown the same few items.
//!
//! Learners are judged by what ships: the exported file, ranked by the engine. Beside each list's accuracy, all lists
//! together are judged by their [`Exposure`], and accuracy is told apart [by part](Found) of the catalogue: the head
//! is what popularity would find as well.

mod few_shot;
pub mod labelled;
mod method;
mod new_items;
pub mod onboarding;
mod trial;

pub use method::{Method, Rated, Variant};

use crate::baseline;
use crate::data::{Dataset, folds};
use crate::export::ExportError;
use crate::exposure::{Exposure, PARTS};
use crate::fit::Progress;
use crate::metrics::{LIST, Metrics, SHOTS};
use crate::train::Config;
use trial::{Judged, Trial};

/// In which order a held-out user's feedback is revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Shuffled.
    P1,
    /// In time order.
    P1t,
    /// Shuffled; new items are ranked.
    P3,
}

impl Protocol {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P1t => "p1t",
            Self::P3 => "p3",
        }
    }

    /// The baselines that can rank what this protocol has ranked.
    pub fn baselines(self) -> &'static [&'static str] {
        match self {
            Self::P1 | Self::P1t => &baseline::NAMES,
            Self::P3 => &baseline::CONTENT_NAMES,
        }
    }
}

/// What an evaluation does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The order of feedback.
    pub protocol: Protocol,
    /// How many of the ten folds, from the first.
    pub folds: usize,
    /// What is compared.
    pub methods: Vec<Method>,
    /// The learners' configuration.
    pub config: Config,
    /// The length of an embedding, where `auto` is not to choose it.
    pub dim: Option<usize>,
    /// Seed of the folds and of the shuffles; the learners' is in `config`.
    pub seed: u64,
}

/// How an evaluation stands.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Fold, from 0.
    pub fold: usize,
    /// The method that is being fitted.
    pub method: &'a str,
    /// How far a learner is.
    pub training: Option<Progress<'a>>,
}

/// How one method did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The method's name.
    pub name: String,
    /// Whether it is a baseline.
    pub is_baseline: bool,
    /// What was chosen on validation, fold by fold.
    pub choices: Vec<String>,
    /// What a device has to hold, mean over folds.
    pub bytes: usize,
    /// Metrics of each test user after each number of interactions; users in the same order for every method.
    pub users: Vec<[Metrics; SHOTS.len()]>,
    /// How many interactions with the catalogue each of them has in the log.
    pub interactions: Vec<u32>,
    /// What the lists find of each part of each user's query.
    pub found: Vec<[Found; SHOTS.len()]>,
    /// What the first ten of all lists show of what is ranked, mean over folds.
    pub exposure: [Exposure; SHOTS.len()],
}

/// Recall@20 of what a user likes in each of the [`PARTS`] of the catalogue; `None` where that is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found(pub [Option<f32>; PARTS.len()]);

impl Found {
    /// Judges `list` against `query`, ascending, of which `part_of` says the part of each.
    fn of(list: &[u32], query: &[u32], part_of: impl Fn(u32) -> usize) -> Self {
        let (mut found, mut wanted) = ([0.0; PARTS.len()], [0.0; PARTS.len()]);
        for &item in query {
            wanted[part_of(item)] += 1.0;
        }
        for &item in list.iter().take(LIST).filter(|item| query.binary_search(item).is_ok()) {
            found[part_of(item)] += 1.0;
        }
        Self(std::array::from_fn(|part| (wanted[part] > 0.0).then(|| found[part] / wanted[part])))
    }
}

/// Evaluates `plan.methods` on `dataset`, which is filtered already. A baseline that is too large for the data, or a
/// method that does not [suit](Method::suits) the protocol, is left out of the outcomes. A learner that differs from the
/// one before it only in how it is judged is not fitted again.
///
/// # Errors
/// [`ExportError`] if a learner's file cannot be written or does not rank as the trainer does.
pub fn evaluate(
    dataset: &Dataset,
    plan: &Plan,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Vec<Outcome>, ExportError> {
    let folds = folds(dataset, plan.seed);
    let outcome = |method: &Method| method.suits(plan.protocol).then(|| Outcome::new(method));
    let mut outcomes: Vec<Option<Outcome>> = plan.methods.iter().map(outcome).collect();
    for fold in 0..plan.folds {
        let split = folds.fold(fold);
        let trial = match plan.protocol {
            Protocol::P1 | Protocol::P1t => Trial::few_shot(dataset, plan, &split),
            Protocol::P3 => Trial::new_items(dataset, plan, &split, fold),
        };
        let mut last_fit = None;
        for (method, slot) in plan.methods.iter().zip(&mut outcomes) {
            let Some(outcome) = slot else { continue };
            progress(Stage { fold, method: method.name(), training: None });
            let judged = match method {
                Method::Baseline(name) => trial.judge_baseline(name, 0, plan),
                Method::Rated(rated) => trial.judge_baseline(rated.name, rated.raters, plan),
                Method::Learner(variant) => {
                    let mut training_progress = |now: Progress<'_>| {
                        progress(Stage { fold, method: method.name(), training: Some(now) })
                    };
                    let fit = trial.fit(variant, plan, last_fit.take(), &mut training_progress)?;
                    Some(trial.judge_learner(last_fit.insert(fit), variant)?)
                }
            };
            match judged {
                Some(judged) => outcome.add(judged, &trial.test.interactions, plan.folds),
                None => *slot = None,
            }
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

impl Outcome {
    fn new(method: &Method) -> Self {
        Self {
            name: method.name().to_owned(),
            is_baseline: !matches!(method, Method::Learner(_)),
            choices: Vec::new(),
            bytes: 0,
            users: Vec::new(),
            interactions: Vec::new(),
            found: Vec::new(),
            exposure: Default::default(),
        }
    }

    fn add(&mut self, judged: Judged, interactions: &[u32], folds: usize) {
        self.choices.push(judged.choice);
        self.bytes += judged.bytes / folds;
        self.users.extend(judged.users);
        self.interactions.extend(interactions);
        self.found.extend(judged.found);
        for (sum, exposure) in self.exposure.iter_mut().zip(judged.exposure) {
            sum.add(exposure, 1.0 / folds as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_query_has_a_recall_of_its_own() {
        let part_of = |item: u32| item as usize / 10;
        let found = Found::of(&[3, 12, 4, 8], &[3, 4, 5, 9, 15], part_of);
        assert_eq!(found, Found([Some(0.5), Some(0.0), None]));
    }
}
