//! One fold of a protocol: what is learned from, and how methods are judged on it.

use std::borrow::Cow;

use rayon::prelude::*;
use tinderbox::{EmbedError, Filter, Model, ModelFile, NewItems, Ranked, Session, embed_item};

use super::method::Variant;
use super::{Plan, Protocol};
use crate::baseline::{self, Tuned};
use crate::data::{Dataset, HeldOut, Interaction};
use crate::export::{ExportError, export};
use crate::fit::{Progress, Training};
use crate::learner::Learned;
use crate::metrics::{LIST, Metrics, SHOTS, judge};
use crate::run::Run;

/// What is learned from, and whom and what methods are judged on. Each protocol makes its own.
pub(super) struct Trial<'a> {
    /// What was read, without the feedback on new items.
    pub(super) known: Cow<'a, Dataset>,
    pub(super) training: Training,
    /// Queries are rows of the catalogue or, behind them, new items.
    pub(super) test: Vec<HeldOut>,
    /// The features of each new item; none unless under P3.
    pub(super) new_items: Vec<Vec<u32>>,
}

impl Trial<'_> {
    /// Tunes a baseline and judges it; `None` if the data is too large for it.
    pub(super) fn judge_baseline(&self, name: &str, plan: &Plan) -> Option<Judged> {
        let Training { set, validation, .. } = &self.training;
        let Tuned { choice, scorer, bytes, .. } = match plan.protocol {
            Protocol::P1 | Protocol::P1t => baseline::tune(name, set, validation, plan.seed),
            Protocol::P3 => baseline::tune_content(name, set, validation, &self.new_items, plan.seed),
        }?;
        let candidates = set.catalogue.len() + self.new_items.len();
        let users = self.test.par_iter().map_init(
            || vec![0.0; candidates],
            |scores, user| SHOTS.map(|shots| judge(scorer.as_ref(), user, shots, scores)),
        );
        Some(Judged { choice, bytes, users: users.collect() })
    }

    /// Fits a learner, exports it and judges the file.
    pub(super) fn judge_learner(
        &self,
        variant: &Variant,
        plan: &Plan,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, ExportError> {
        let fitted = self.training.fit(variant.choice(plan.dim), &variant.config(&plan.config), progress);
        let kept = fitted.trials.iter().find(|trial| trial.kept);
        let choice = kept.map_or_else(String::new, |trial| trial.name.clone());
        let run = Run::new(&self.known, &self.training.set, fitted, plan.seed);
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("fold.tbx");
        let bytes = export(&run, &path)?.bytes as usize;
        let users = if variant.in_f32 {
            judge_in_f32(&run.learned, &self.test)
        } else {
            judge_file(&ModelFile::read(&path)?, &self.new_items, &self.test)?
        };
        Ok(Judged { choice, bytes, users })
    }
}
/// How one method did on one fold.
pub(super) struct Judged {
    pub(super) choice: String,
    pub(super) bytes: usize,
    pub(super) users: Vec<[Metrics; SHOTS.len()]>,
}
fn judge_in_f32(learned: &Learned, test: &[HeldOut]) -> Vec<[Metrics; SHOTS.len()]> {
    let rows = learned.rows.len() / learned.dim;
    let judge_user =
        |scores: &mut Vec<f32>, user: &HeldOut| SHOTS.map(|shots| judge(learned, user, shots, scores));
    test.par_iter().map_init(|| vec![0.0; rows], judge_user).collect()
}

/// Judges a model file by the engine's rankings: of the catalogue or, if there are any, of the new items alone.
fn judge_file(
    file: &ModelFile,
    new_items: &[Vec<u32>],
    test: &[HeldOut],
) -> Result<Vec<[Metrics; SHOTS.len()]>, ExportError> {
    let model = file.model()?;
    let (rows, scales) = embed(&model, new_items)?;
    let numbers: Vec<u32> = (model.items() as u32..).take(new_items.len()).collect();
    let allow = (!numbers.is_empty()).then_some(numbers.as_slice());
    let filter = Filter { allow, ..Filter::default() };
    let len = Session::scratch_len(&model, SHOTS[SHOTS.len() - 1]);
    let judge_user = |scratch: &mut Vec<f32>, user: &HeldOut| {
        let mut session = Session::new(model, scratch)?;
        session.add_items(NewItems { rows: &rows, scales: &scales })?;
        session.set_features(&user.features)?;
        let mut metrics = [Metrics::default(); SHOTS.len()];
        for (metrics, shots) in metrics.iter_mut().zip(SHOTS) {
            let support: Vec<tinderbox::Interaction> = user.pool.iter().take(shots).map(as_engine).collect();
            session.adapt(&support)?;
            let mut out = [Ranked::default(); LIST];
            // The filter's list is ascending and names known items only: nothing could be refused.
            let list = session.rank(&filter, &mut out).unwrap_or_default();
            *metrics = Metrics::of(&list.iter().map(|ranked| ranked.item).collect::<Vec<_>>(), &user.query);
        }
        Ok(metrics)
    };
    test.par_iter().map_init(|| vec![0.0; len], judge_user).collect()
}

/// The rows (items x dim) and scales of new items with these features.
fn embed(model: &Model<'_>, new_items: &[Vec<u32>]) -> Result<(Vec<i8>, Vec<f32>), EmbedError> {
    let mut rows = vec![0; new_items.len() * model.dim()];
    let pairs = rows.chunks_exact_mut(model.dim()).zip(new_items);
    let scales = pairs.map(|(row, features)| embed_item(model, features, row)).collect::<Result<_, _>>()?;
    Ok((rows, scales))
}

/// An interaction of the trainer as one of the engine: catalogue rows and levels have the same numbers.
fn as_engine(interaction: &Interaction) -> tinderbox::Interaction {
    tinderbox::Interaction { item: interaction.item, level: interaction.level }
}
