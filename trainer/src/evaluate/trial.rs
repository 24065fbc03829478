//! One fold of a protocol: what is learned from, and how methods are judged on it.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use tinderbox::{Filter, Model, ModelFile, NewItems, Ranked, Rater, Session, SessionError, adapt_item};

use super::method::{Shown, Variant};
use super::{Found, Plan, Protocol};
use crate::baseline::{self, Tuned};
use crate::data::{Dataset, HeldOut, Interaction, KNOWN_BY, NewItem, Rating, Task};
use crate::export::{ExportError, export};
use crate::exposure::{Exposure, parts};
use crate::fit::{Choice, Progress, Training};
use crate::learner::Learned;
use crate::metrics::{LIST, Metrics, SHOTS, Scorer, best};
use crate::run::Run;
use crate::train::Config;

/// How many places of a list its exposure counts.
const PLACES: usize = 10;

/// What is learned from, and whom and what methods are judged on. Each protocol makes its own.
pub(super) struct Trial<'a> {
    /// What was read, without the feedback on new items.
    pub(super) known: Cow<'a, Dataset>,
    pub(super) training: Training,
    pub(super) test: Tested,
    /// None unless under P3.
    pub(super) new_items: Vec<NewItem>,
    /// How many training users like each candidate: the rows of the catalogue and, behind them, the new items.
    pub(super) likes: Vec<u32>,
}

/// The test users of a fold.
#[derive(Default)]
pub(super) struct Tested {
    /// Queries are candidates.
    pub(super) users: Vec<HeldOut>,
    /// How many interactions each of them has with the catalogue.
    pub(super) interactions: Vec<u32>,
}

/// A learner that was fitted in a fold and exported, and what it was fitted by.
pub(super) struct Fit {
    by: (Choice, Config),
    choice: String,
    pub(super) learned: Learned,
    pub(super) file: ModelFile,
}

/// How one method did on one fold.
pub(super) struct Judged {
    pub(super) choice: String,
    pub(super) bytes: usize,
    pub(super) users: Vec<[Metrics; SHOTS.len()]>,
    pub(super) found: Vec<[Found; SHOTS.len()]>,
    pub(super) exposure: [Exposure; SHOTS.len()],
}

/// The first [`LIST`] of a ranking for one test user at each number of shots.
type Lists = [Vec<u32>; SHOTS.len()];

impl Extend<(HeldOut, usize)> for Tested {
    fn extend<I: IntoIterator<Item = (HeldOut, usize)>>(&mut self, users: I) {
        for (user, interactions) in users {
            self.users.push(user);
            self.interactions.push(interactions as u32);
        }
    }
}

impl FromIterator<(HeldOut, usize)> for Tested {
    fn from_iter<I: IntoIterator<Item = (HeldOut, usize)>>(users: I) -> Self {
        let mut tested = Self::default();
        tested.extend(users);
        tested
    }
}

impl Trial<'_> {
    /// Tunes a baseline and judges it; `None` if the data is too large for it.
    pub(super) fn judge_baseline(&self, name: &str, raters: usize, plan: &Plan) -> Option<Judged> {
        let Training { set, validation, .. } = &self.training;
        let Tuned { choice, scorer, bytes, .. } = match plan.protocol {
            Protocol::P1 | Protocol::P1t => baseline::tune(name, set, validation, plan.seed),
            Protocol::P3 => baseline::tune_content(name, set, validation, &self.new_items, raters, plan.seed),
        }?;
        Some(self.judge(choice, bytes, &self.lists_in_f32(scorer.as_ref(), Shown::Everything)))
    }

    /// Fits a learner and exports it; `last` where that has already been done.
    pub(super) fn fit(
        &self,
        variant: &Variant,
        plan: &Plan,
        last: Option<Fit>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Fit, ExportError> {
        let by = (variant.choice(plan.dim), variant.config(&plan.config));
        if let Some(last) = last.filter(|last| last.by == by) {
            return Ok(last);
        }
        let fitted = self.training.fit(by.0, &by.1, progress);
        let choice = fitted.kept().to_owned();
        let run = Run::new(&self.known, &self.training.set, fitted, plan.seed);
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("fold.tbx");
        export(&run, &path)?;
        Ok(Fit { by, choice, file: ModelFile::read(&path)?, learned: run.learned })
    }

    /// Judges the file of a learner or, where the variant says so, the learner itself.
    pub(super) fn judge_learner(&self, fit: &Fit, variant: &Variant) -> Result<Judged, ExportError> {
        let lists = if variant.in_f32 {
            self.lists_in_f32(&fit.learned, variant.shown)
        } else {
            self.lists_of_file(&fit.file, variant)?
        };
        Ok(self.judge(fit.choice.clone(), fit.file.bytes().len(), &lists))
    }

    fn lists_in_f32(&self, scorer: &dyn Scorer, shown: Shown) -> Vec<Lists> {
        let lists_of_user = |scores: &mut Vec<f32>, user: &HeldOut| {
            SHOTS.map(|shots| {
                let [support, seen] = shown.of(&user.pool, shots, &self.training.set.levels);
                scorer.score(&support, &user.features, scores);
                let mut list = best(scores, &seen, LIST);
                list.retain(|&item| self.ranked().contains(&(item as usize))); // fewer new items than places
                list
            })
        };
        self.test.users.par_iter().map_init(|| vec![0.0; self.likes.len()], lists_of_user).collect()
    }

    /// The engine's rankings: of the catalogue or, if there are any, of the new items alone.
    fn lists_of_file(&self, file: &ModelFile, variant: &Variant) -> Result<Vec<Lists>, ExportError> {
        let model = file.model()?;
        let (rows, scales) = self.embed(model, variant.raters)?;
        let numbers: Vec<u32> = (model.items() as u32..).take(self.new_items.len()).collect();
        let allow = (!numbers.is_empty()).then_some(numbers.as_slice());
        let len = Session::scratch_len(&model, SHOTS[SHOTS.len() - 1]);
        let lists_of_user = |scratch: &mut Vec<f32>, user: &HeldOut| {
            let mut session = Session::new(model, scratch)?;
            session.add_items(NewItems { rows: &rows, scales: &scales })?;
            session.set_features(&user.features)?;
            let mut lists = Lists::default();
            for (list, shots) in lists.iter_mut().zip(SHOTS) {
                let [support, seen] = variant.shown.of(&user.pool, shots, &self.training.set.levels);
                session.adapt(&support.iter().map(as_engine).collect::<Vec<_>>())?;
                let deny = ascending(&seen);
                let mut out = [Ranked::default(); LIST];
                // The filter's lists are ascending and name known items only: nothing could be refused.
                let ranking = session.rank(&Filter { allow, deny: &deny, ..Filter::default() }, &mut out);
                list.extend(ranking.unwrap_or_default().iter().map(|ranked| ranked.item));
            }
            Ok(lists)
        };
        self.test.users.par_iter().map_init(|| vec![0.0; len], lists_of_user).collect()
    }

    /// The rows (items x dim) and scales of the new items, moved by their first `raters`.
    fn embed(&self, model: Model<'_>, raters: usize) -> Result<(Vec<i8>, Vec<f32>), ExportError> {
        let users = if raters > 0 { self.raters(model)? } else { Vec::new() };
        let mut rows = vec![0; self.new_items.len() * model.dim()];
        let mut scratch = vec![0.0; 3 * model.dim()];
        let pairs = rows.chunks_exact_mut(model.dim()).zip(&self.new_items);
        let scales = pairs.map(|(row, item)| {
            let rater = |rating: &Rating| Rater { user: &users[rating.task as usize], level: rating.level };
            let raters: Vec<Rater<'_>> = item.early(raters).iter().map(rater).collect();
            adapt_item(&model, &item.features, &raters, &mut scratch, row)
        });
        let scales = scales.collect::<Result<_, _>>()?;
        Ok((rows, scales))
    }

    /// The embedding of each training user, adapted to what the user is known by.
    fn raters(&self, model: Model<'_>) -> Result<Vec<Vec<f32>>, SessionError> {
        let mut scratch = vec![0.0; Session::scratch_len(&model, KNOWN_BY)];
        let mut session = Session::new(model, &mut scratch)?;
        let embedding = |task: &Task| {
            session.set_features(&task.features)?;
            session.adapt(&task.spread(KNOWN_BY).iter().map(as_engine).collect::<Vec<_>>())?;
            Ok(session.user().to_vec())
        };
        self.training.set.tasks.iter().map(embedding).collect()
    }

    fn judge(&self, choice: String, bytes: usize, lists: &[Lists]) -> Judged {
        let ranked = self.ranked();
        let parts = parts(&self.likes[ranked.clone()]);
        let part_of = |item: u32| usize::from(parts[item as usize - ranked.start]);
        let users = || lists.iter().zip(&self.test.users);
        let metrics = |(lists, user): (&Lists, &HeldOut)| {
            std::array::from_fn(|at| Metrics::of(&lists[at], &user.query))
        };
        let found = |(lists, user): (&Lists, &HeldOut)| {
            std::array::from_fn(|at| Found::of(&lists[at], &user.query, part_of))
        };
        Judged {
            choice,
            bytes,
            users: users().map(metrics).collect(),
            found: users().map(found).collect(),
            exposure: std::array::from_fn(|at| self.exposure(lists.iter().map(|lists| &lists[at]))),
        }
    }

    fn exposure<'l>(&self, lists: impl Iterator<Item = &'l Vec<u32>>) -> Exposure {
        let ranked = self.ranked();
        let mut times = vec![0; ranked.len()];
        for &item in lists.flat_map(|list| list.iter().take(PLACES)) {
            times[item as usize - ranked.start] += 1;
        }
        let users = self.training.set.tasks.len().max(1) as f64;
        let popularity: Vec<f64> = self.likes[ranked].iter().map(|&likes| f64::from(likes) / users).collect();
        Exposure::of(&times, &popularity)
    }

    /// The candidates that a list may hold.
    fn ranked(&self) -> Range<usize> {
        let rows = self.training.set.catalogue.len();
        if self.new_items.is_empty() { 0..rows } else { rows..self.likes.len() }
    }
}

/// An interaction of the trainer as one of the engine: catalogue rows and levels have the same numbers.
pub(super) fn as_engine(interaction: &Interaction) -> tinderbox::Interaction {
    tinderbox::Interaction { item: interaction.item, level: interaction.level }
}

/// The items of interactions with distinct ones.
pub(super) fn ascending(interactions: &[Interaction]) -> Vec<u32> {
    let mut items: Vec<u32> = interactions.iter().map(|interaction| interaction.item).collect();
    items.sort_unstable();
    items
}
