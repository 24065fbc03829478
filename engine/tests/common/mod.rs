//! Small models with every section, the same on every machine.

use tinderbox::{ModelFile, Rule, quantise_row};
use tinderbox_format::{Category, Contents, Features, Level, MadeSketch};

pub(crate) const RULES: [Rule; 3] = [
    Rule::Maml { pull: 0.1 },
    Rule::Prototypical { scale: 2.0, shrinkage: 0.7 },
    Rule::Matching { sharpness: 5.0, null: 3.0 },
];

pub(crate) const LEVELS: [(f32, f32, f32, bool, bool); 5] = [
    (1.0, -0.4, 1.2, false, true),
    (2.0, -0.2, 1.0, false, false),
    (3.0, 0.05, 0.6, false, false),
    (4.0, 0.9, 1.0, true, true),
    (5.0, 1.1, 1.3, true, false),
];

/// Repeatable numbers in -1..1.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 200_001) as f32 / 1e5 - 1.0
    }
}

/// A model file of `items` x `dim`; category c holds the items that c + 2 divides.
///
/// Each component of a row is `decay` times the size of the one before.
pub(crate) fn bytes(rule: Rule, items: usize, dim: usize, decay: f32, sketched: bool) -> Vec<u8> {
    let mut next = noise((items * dim) as u64);
    let mut floats = |len: usize, size: f32| -> Vec<f32> { (0..len).map(|_| size * next()).collect() };
    let (mut rows, mut scales) = (vec![0; items * dim], Vec::new());
    for row in rows.chunks_exact_mut(dim) {
        let mut floats = floats(dim, 1.0);
        floats.iter_mut().enumerate().for_each(|(at, value)| *value *= decay.powi(at as i32));
        let length = floats.iter().map(|x| x * x).sum::<f32>().sqrt();
        scales.push(quantise_row(&floats.iter().map(|x| x / length).collect::<Vec<_>>(), row));
    }
    let sketch = if sketched { MadeSketch::of(&rows, &scales, dim) } else { None };
    let is_maml = matches!(rule, Rule::Maml { .. });
    let (step_sizes, gram, preconditioner) =
        (floats(3 * dim, 0.3), floats(dim * dim, 0.02), floats(dim * dim, 0.2));
    let levels =
        LEVELS.map(|(value, target, weight, liked, plain)| Level { value, target, weight, liked, plain });
    let ids: Vec<String> = (0..items).map(|item| format!("id-{item}")).collect();
    let titles: Vec<String> = (0..items).map(|item| format!("Title {item}")).collect();
    let members: Vec<Vec<u32>> =
        (2..5).map(|by| (0..items as u32).filter(|item| item % by == 0).collect()).collect();
    let categories: Vec<Category<'_>> = ["two", "zthree", "zzfour"]
        .iter()
        .zip(&members)
        .map(|(name, items)| Category { name, items })
        .collect();
    let item_names = ["genre:a".to_owned(), "genre:b".to_owned()];
    let user_names = ["age:old".to_owned(), "age:young".to_owned()];
    Contents {
        rule,
        dim,
        prior: &floats(dim, 0.5),
        step_sizes: if is_maml { &step_sizes } else { &[] },
        gram: is_maml.then_some(&gram),
        preconditioner: (!matches!(rule, Rule::Matching { .. })).then_some(&preconditioner),
        levels: &levels,
        rows: &rows,
        scales: &scales,
        ids: &ids,
        titles: Some(&titles),
        categories: &categories,
        item_features: Features { names: &item_names, embeddings: &floats(2 * dim, 1.0) },
        new_item_base: Some(&floats(dim, 0.2)),
        user_features: Features { names: &user_names, embeddings: &floats(2 * dim, 0.3) },
        onboarding: &[1, 0],
        card: "{}",
        sketch: sketch.as_ref(),
    }
    .to_bytes()
    .expect("consistent contents")
}

/// The same as a file on disk would be read.
pub(crate) fn file(rule: Rule, items: usize, dim: usize) -> ModelFile {
    on_disk(&bytes(rule, items, dim, 1.0, false))
}

/// Bytes written and read, which aligns them.
pub(crate) fn on_disk(bytes: &[u8]) -> ModelFile {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("model.tbx");
    std::fs::write(&path, bytes).expect("a writable directory");
    ModelFile::read(&path).expect("the file just written")
}
