//! Models and support sets to measure with.

use crate::run::is_smoke;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::path::Path;
use tinderbox::{Interaction, Model, ModelFile, Rule, Session, quantise_row};
use tinderbox_format::{Contents, Features, Level, MadeSketch};

/// The three adaptation rules.
pub const RULES: [Rule; 3] = [
    Rule::Maml { pull: 0.1 },
    Rule::Prototypical { scale: 2.0, shrinkage: 0.7 },
    Rule::Matching { sharpness: 5.0, null: 3.0 },
];

/// Items x dim: from ML-100K, in the first- or second-level cache, to 128 MB of rows, in none.
pub const SIZES: [(usize, usize); 12] = [
    (1_682, 32),
    (10_000, 32),
    (100_000, 32),
    (1_000_000, 32),
    (1_682, 64),
    (10_000, 64),
    (100_000, 64),
    (1_000_000, 64),
    (1_682, 128),
    (10_000, 128),
    (100_000, 128),
    (1_000_000, 128),
];

/// The largest catalogue of a smoke run: to make and to check a million items takes seconds.
const SMOKE_ITEMS: usize = 10_000;

/// Names a model file to measure in addition to the made ones.
const MODEL_VARIABLE: &str = "TINDERBOX_MODEL";

/// The name under which it is measured.
const GIVEN: &str = "file";

/// How fast the components of a sketched model fade: a tenth of the rows' squared length is outside 16 directions.
const FADING: f32 = 0.93;

/// Inner steps of a made `maml` model.
const STEPS: usize = 5;

/// Item features of a made model.
const FEATURES: usize = 20;

/// A model file in memory.
#[derive(Debug)]
pub struct Sample {
    name: String,
    file: ModelFile,
}

impl Sample {
    /// A model with all that the trainer writes for its rule, the same on every machine: random directions, popular items
    /// closer to the prior.
    pub fn made(rule: Rule, items: usize, dim: usize) -> Self {
        Self::with_fading(rule, items, dim, 1.0)
    }

    /// The same with rows and users that mostly lie along the same few directions, and with sketches: where they pay.
    pub fn sketched(rule: Rule, items: usize, dim: usize) -> Self {
        Self::with_fading(rule, items, dim, FADING)
    }

    /// Each component of prior and rows is `fading` times the size of the one before; with sketches if that is not 1.
    fn with_fading(rule: Rule, items: usize, dim: usize, fading: f32) -> Self {
        // The generator is named: what it gives does not change with a crate's version.
        let mut noise = SplitMix64::seed_from_u64(items as u64 * 31 + dim as u64);
        let mut prior = floats(&mut noise, dim, 0.5);
        fade(&mut prior, fading);
        let (rows, scales) = catalogue(&mut noise, &prior, items, fading);
        let sketch = if fading < 1.0 { MadeSketch::of(&rows, &scales, dim) } else { None };
        let is_maml = matches!(rule, Rule::Maml { .. });
        let mut step_sizes = floats(&mut noise, STEPS * dim, 0.3);
        step_sizes.chunks_exact_mut(dim).for_each(|step| fade(step, fading));
        let preconditioner = floats(&mut noise, dim * dim, 0.2);
        let ids: Vec<String> = (0..items).map(|item| item.to_string()).collect();
        let features: Vec<String> = (0..FEATURES).map(|feature| format!("genre:{feature:02}")).collect();
        let embeddings = floats(&mut noise, FEATURES * dim, 0.2);
        let bytes = Contents {
            rule,
            dim,
            prior: &prior,
            step_sizes: if is_maml { &step_sizes } else { &[] },
            preconditioner: (!matches!(rule, Rule::Matching { .. })).then_some(&preconditioner),
            levels: &levels(),
            rows: &rows,
            scales: &scales,
            ids: &ids,
            item_features: Features { names: &features, embeddings: &embeddings },
            sketch: sketch.as_ref(),
            ..Contents::default()
        }
        .to_bytes()
        .unwrap_or_else(|error| panic!("a made model does not fit the format: {error}"));
        Self::of(format!("{items}x{dim}"), &bytes)
    }

    /// The model file that `TINDERBOX_MODEL` names, if it is set.
    ///
    /// # Panics
    /// If the file cannot be read or is no model file.
    fn given() -> Option<Self> {
        let path = std::env::var_os(MODEL_VARIABLE)?;
        let sample = Self::read(GIVEN, Path::new(&path));
        Some(sample.unwrap_or_else(|error| panic!("{MODEL_VARIABLE}: {error}")))
    }

    /// The model file at `path`, under this name.
    ///
    /// # Errors
    /// That it cannot be read or is no model file, in words.
    pub fn read(name: &str, path: &Path) -> Result<Self, String> {
        let file = ModelFile::read(path).map_err(|error| error.to_string())?;
        file.model().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { name: name.to_owned(), file })
    }

    /// Models of these sizes, each made when its turn comes, and the given one if it is of the same rule. A smoke
    /// run leaves the large ones out.
    pub(crate) fn all(rule: Rule, sizes: &[(usize, usize)]) -> impl Iterator<Item = Self> {
        let most = if is_smoke() { SMOKE_ITEMS } else { usize::MAX };
        let sizes = sizes.iter().filter(move |&&(items, _)| items <= most);
        let given = Self::given().filter(|sample| sample.model().rule().name() == rule.name());
        sizes.map(move |&(items, dim)| Self::made(rule, items, dim)).chain(given)
    }

    fn of(name: String, bytes: &[u8]) -> Self {
        Self { name, file: ModelFile::from(bytes) }
    }

    /// `1682x32`, or `file`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the model file that `TINDERBOX_MODEL` names.
    pub(crate) fn is_given(&self) -> bool {
        self.name == GIVEN
    }

    /// The bytes of the file, aligned.
    pub fn bytes(&self) -> &[u8] {
        self.file.bytes()
    }

    /// The opened model.
    pub fn model(&self) -> Model<'_> {
        self.file.model().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Feedback on `len` distinct items over the more popular part of the catalogue, on every level in turn.
pub fn support(model: &Model<'_>, len: usize) -> Vec<Interaction> {
    let (items, levels) = (model.items() as u32, model.levels().len());
    let step = (items / 2 / len.max(1) as u32).max(1);
    (0..len as u32)
        .map(|at| Interaction { item: at * step + 3, level: ((levels - 1 + 3 * at as usize) % levels) as u8 })
        .collect()
}

/// Feedback of `count` users on `len` items each, at random: a kernel that learns one user's branches by heart is
/// not faster for the next.
pub fn users(model: &Model<'_>, len: usize, count: usize) -> Vec<Vec<Interaction>> {
    let (items, levels) = (model.items() as u64, model.levels().len() as u64);
    let mut noise = SplitMix64::seed_from_u64(len as u64);
    let user = |_| {
        let mut support: Vec<Interaction> = Vec::with_capacity(len);
        while support.len() < len.min(items as usize) {
            let (item, level) = ((noise.next_u64() % items) as u32, (noise.next_u64() % levels) as u8);
            if support.iter().all(|interaction| interaction.item != item) {
                support.push(Interaction { item, level });
            }
        }
        support
    };
    (0..count).map(user).collect()
}

/// Scratch memory for a session with room for `capacity` interactions.
pub fn scratch(model: &Model<'_>, capacity: usize) -> Vec<f32> {
    vec![0.0; Session::scratch_len(model, capacity)]
}

/// Rows, items x dim, and scales; the pull towards the prior fades with the item's number.
fn catalogue(noise: &mut SplitMix64, prior: &[f32], items: usize, fading: f32) -> (Vec<i8>, Vec<f32>) {
    let dim = prior.len();
    let mut rows = vec![0; items * dim];
    let scales = rows.chunks_exact_mut(dim).enumerate().map(|(item, quantised)| {
        let popularity = 1.0 / (1.0 + item as f32 / 100.0);
        let mut row = floats(noise, dim, 1.0);
        fade(&mut row, fading);
        row.iter_mut().zip(prior).for_each(|(value, prior)| *value += popularity * prior);
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter_mut().for_each(|value| *value /= length);
        quantise_row(&row, quantised)
    });
    let scales = scales.collect();
    (rows, scales)
}

/// Makes each component `fading` times the size of the one before.
fn fade(values: &mut [f32], fading: f32) {
    values.iter_mut().enumerate().for_each(|(component, value)| *value *= fading.powi(component as i32));
}

/// Five stars.
fn levels() -> [Level; 5] {
    let level = |value, target, weight| Level {
        value,
        target,
        weight,
        liked: value >= 4.0,
        plain: value == 1.0 || value == 4.0,
    };
    [
        level(1.0, -0.4, 1.2),
        level(2.0, -0.2, 1.0),
        level(3.0, 0.05, 0.6),
        level(4.0, 0.9, 1.0),
        level(5.0, 1.1, 1.3),
    ]
}

/// Uniform in `-size .. size`.
fn floats(noise: &mut SplitMix64, len: usize, size: f32) -> Vec<f32> {
    (0..len).map(|_| size * ((noise.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0)).collect()
}
