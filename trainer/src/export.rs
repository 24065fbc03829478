//! From a run to a model file: int8 rows, and the proof that the engine ranks by it as the trainer does.

use std::io;
use std::path::Path;

use tinderbox::{
    EmbedError, FileError, Filter, Interaction, ModelFile, OpenError, RankError, Ranked, Session,
    SessionError, VerifyError, quantise_row,
};
use tinderbox_format as format;
use tinderbox_format::{
    Category, Contents, Level, MadeSketch, Model, SKETCH_DIM, Sketch, WriteError, replace,
};

use crate::learner::Rule;
use crate::metrics::Scorer;
use crate::run::Run;

/// More item features than this are not worth a category each: the most common ones get one.
const MOST_CATEGORIES: usize = 32;

/// The supports on which the two are compared; the last is longer than what counts in full.
const SUPPORTS: [usize; 4] = [1, 5, 20, 60];

/// The largest difference between a score of the engine and of the trainer that passes for rounding. Of int8 it was
/// below .01 on all data so far, up to 128 dimensions and 40,000 items; a transposed matrix or a forgotten factor
/// makes several tenths.
const TOLERANCE: f32 = 0.03;

/// From where on sketches pay: with fewer items or dimensions there is less to gain than the file grows by. Ranking
/// 1,000,000 x 64 made items took .3 to .4 of the time of the plain pass (AVX-512) where rows and users lie along the
/// same few directions, and 1.5 times as long where they do not.
const SKETCHED_ITEMS: usize = 100_000;
const SKETCHED_DIM: usize = 64;

/// The largest share of rows that may have to be read in spite of the sketches, in the mean over a few users.
const MOST_READ: f32 = 0.02;

/// Users for that, and the interactions of each.
const SKETCHED_USERS: usize = 16;
const SKETCHED_SUPPORT: usize = 10;

/// What an export found when it checked its own file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported {
    /// Size of the file.
    pub bytes: u64,
    /// Content id of the file.
    pub content_id: u64,
    /// The largest difference between a score by the engine and by the trainer in f32, over a few supports.
    pub largest_difference: f32,
}

/// Why a model file was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is no room for a temporary file.
    #[error("no temporary file")]
    Temporary(#[from] io::Error),
    /// The parts do not fit the format, or the file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file could not be read back.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The file that was written does not open.
    #[error("the exported file does not open")]
    Open(#[from] OpenError),
    /// The file that was written is damaged.
    #[error("the exported file is damaged")]
    Verify(#[from] VerifyError),
    /// The engine refuses what the trainer gives it.
    #[error("the engine refuses the exported model")]
    Session(#[from] SessionError),
    /// The engine refuses to rank.
    #[error("the engine refuses to rank by the exported model")]
    Rank(#[from] RankError),
    /// A new item has no direction to be ranked by.
    #[error("a new item cannot be embedded by its features")]
    Embed(#[from] EmbedError),
    /// The engine scores otherwise than the trainer.
    #[error(
        "item {item} scores {found} in the engine and {expected} in the trainer: more than rounding explains; \
         no file was written"
    )]
    Parity {
        /// Row of the item.
        item: usize,
        /// The trainer's score.
        expected: f32,
        /// The engine's score.
        found: f32,
    },
}

/// Makes a model file of `run`, opens and verifies it, compares the engine's scores with the trainer's, and only then
/// writes it to `path`. An existing file is replaced, never changed.
///
/// # Errors
/// [`ExportError`]; what was at `path` is still there, unless only the last step, syncing the directory, failed.
pub fn export(run: &Run, path: &Path) -> Result<Exported, ExportError> {
    let mut file = file_of(run, true)?;
    if let Some(sketch) = file.model()?.sketch()
        && share_read(file.model()?, sketch)? > MOST_READ
    {
        file = file_of(run, false)?;
    }
    let model = file.model()?;
    let largest_difference = largest_difference(run, &file)?;
    replace(path, file.bytes()).map_err(WriteError::Io)?;
    Ok(Exported { bytes: file.bytes().len() as u64, content_id: model.content_id(), largest_difference })
}

/// A verified file, in memory.
fn file_of(run: &Run, with_sketches: bool) -> Result<ModelFile, WriteError> {
    let learned = &run.learned;
    let (rows, scales) = quantise(&learned.rows, learned.dim);
    let levels = levels(run);
    let members = members(run);
    let sketch = if with_sketches { sketch(run, &rows, &scales) } else { None };
    let categories: Vec<Category<'_>> =
        members.iter().map(|(name, items)| Category { name, items: items.as_slice() }).collect();
    let contents = Contents {
        rule: match learned.rule {
            Rule::Maml { pull } => format::Rule::Maml { pull },
            Rule::Prototypical { scale, shrinkage } => format::Rule::Prototypical { scale, shrinkage },
            Rule::Matching { sharpness, null } => format::Rule::Matching { sharpness, null },
        },
        dim: learned.dim,
        prior: &learned.prior,
        step_sizes: &learned.step_sizes,
        gram: learned.gram.as_deref(),
        preconditioner: learned.preconditioner.as_deref(),
        levels: &levels,
        rows: &rows,
        scales: &scales,
        ids: &run.ids,
        titles: run.titles.iter().any(|title| !title.is_empty()).then_some(&run.titles),
        categories: &categories,
        item_features: format::Features {
            names: &run.item_features.names,
            embeddings: &learned.item_features,
        },
        new_item_base: Some(&learned.new_item_base),
        user_features: format::Features { names: &run.user_features, embeddings: &learned.user_features },
        onboarding: &run.onboarding,
        card: &run.card,
        sketch: sketch.as_ref(),
    };
    Ok(ModelFile::from(&*contents.to_bytes()?))
}

/// Sketches of the rows, for a catalogue that is large enough.
fn sketch(run: &Run, rows: &[i8], scales: &[f32]) -> Option<MadeSketch> {
    let dim = run.learned.dim;
    let is_by_cosine = !matches!(run.learned.rule, Rule::Matching { .. });
    let is_large = dim >= SKETCHED_DIM && scales.len() >= SKETCHED_ITEMS;
    if is_by_cosine && is_large { MadeSketch::of(rows, scales, dim) } else { None }
}

/// The share of rows that sketches leave to be read for the best ten, in the mean over users who like popular items.
///
/// Whether rows lie along a few directions is not enough: under `maml` users may lie across them, and no bound is tight.
fn share_read(model: Model<'_>, sketch: Sketch<'_>) -> Result<f32, ExportError> {
    let (items, like) = (model.items(), model.levels().plain_like().unwrap_or_default() as u8);
    let mut scratch = vec![0.0; Session::scratch_len(&model, SKETCHED_SUPPORT)];
    let mut session = Session::new(model, &mut scratch)?;
    let mut read = 0;
    for user in 0..SKETCHED_USERS {
        let item = |at: usize| (user + at * SKETCHED_USERS * (at + 1)) % items;
        let support: Vec<Interaction> =
            (0..SKETCHED_SUPPORT).map(|at| Interaction { item: item(at) as u32, level: like }).collect();
        session.adapt(&support)?;
        let mut best = [Ranked::default(); 10];
        let worst = session.rank(&Filter::default(), &mut best)?.last().map_or(0.0, |ranked| ranked.score);
        read += bounds(sketch, session.user()).filter(|&bound| bound > worst).count();
    }
    Ok(read as f32 / (SKETCHED_USERS * items.max(1)) as f32)
}

/// What the sketches say that no item's cosine to `user` is above: SPEC, *Sketches*.
fn bounds<'a>(sketch: Sketch<'a>, user: &[f32]) -> impl Iterator<Item = f32> + use<'a> {
    let length = norm(user).max(f32::MIN_POSITIVE);
    let mut along = [0.0; SKETCH_DIM];
    for (values, component) in sketch.axes().chunks_exact(SKETCH_DIM).zip(user) {
        along.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * component / length);
    }
    let seen = norm(&along);
    let rest = (1.0 - seen * seen).max(0.0).sqrt();
    let rows = sketch.rows().iter().zip(sketch.scales()).zip(sketch.rests());
    rows.map(move |((row, scale), row_rest)| {
        let dot: f32 = row.components().zip(along).map(|(value, along)| f32::from(value) * along).sum();
        scale * (dot + 2.0 * seen) + rest * row_rest
    })
}

fn norm(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Rows (items x dim) as int8, and the scale of each.
fn quantise(rows: &[f32], dim: usize) -> (Vec<i8>, Vec<f32>) {
    let mut quantised = vec![0; rows.len()];
    let pairs = rows.chunks_exact(dim).zip(quantised.chunks_exact_mut(dim));
    let scales = pairs.map(|(row, quantised)| quantise_row(row, quantised)).collect();
    (quantised, scales)
}

fn levels(run: &Run) -> Vec<Level> {
    let parts = run.levels.values.iter().zip(&run.learned.targets).zip(&run.learned.weights);
    let level = |(level, ((&value, &target), &weight)): (u8, ((&f32, &f32), &f32))| Level {
        value,
        target,
        weight,
        liked: run.levels.liked(level),
        plain: run.plain.0 == Some(level) || run.plain.1 == Some(level),
    };
    (0..).zip(parts).map(level).collect()
}

/// The items of each item feature, for filters; of the most common features if there are many. By name.
fn members(run: &Run) -> Vec<(&str, Vec<u32>)> {
    let mut members: Vec<(&str, Vec<u32>)> =
        run.item_features.names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    for (item, features) in run.item_features.of.iter().enumerate() {
        for &feature in features {
            members[feature as usize].1.push(item as u32);
        }
    }
    members.sort_by_key(|(name, items)| (std::cmp::Reverse(items.len()), *name));
    members.truncate(MOST_CATEGORIES);
    members.sort_unstable();
    members
}

/// Compares all scores after a few supports that mix every level with popular and rare items.
fn largest_difference(run: &Run, file: &ModelFile) -> Result<f32, ExportError> {
    let model = file.model()?;
    let (items, levels) = (model.items(), model.levels().len());
    let mut scratch = vec![0.0; Session::scratch_len(&model, SUPPORTS[SUPPORTS.len() - 1])];
    let mut session = Session::new(model, &mut scratch)?;
    let (mut expected, mut largest) = (vec![0.0; items], 0.0_f32);
    for shots in SUPPORTS.map(|shots| shots.min(items)) {
        let spread = |at: usize| (at * at * items / (shots * shots), (at + levels - 1) % levels);
        let mut support: Vec<(usize, usize)> = (0..shots).map(spread).collect();
        support.dedup_by_key(|(item, _)| *item);
        let of_engine =
            |&(item, level): &(usize, usize)| Interaction { item: item as u32, level: level as u8 };
        let of_trainer = |&(item, level): &(usize, usize)| crate::data::Interaction {
            item: item as u32,
            level: level as u8,
            time: 0,
        };
        session.adapt(&support.iter().map(of_engine).collect::<Vec<_>>())?;
        run.learned.score(&support.iter().map(of_trainer).collect::<Vec<_>>(), &[], &mut expected);
        for (item, &expected) in expected.iter().enumerate() {
            let found = session.score(item as u32)?;
            let difference = (found - expected).abs();
            if difference.is_nan() || difference > TOLERANCE {
                return Err(ExportError::Parity { item, expected, found });
            }
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}
