//! What is written is what is read, and what cannot be read is not written.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use std::io::Read;

use proptest::prelude::*;
use tinderbox_format::{
    Category, Contents, Features, Level, MadeSketch, Model, OpenError, Row, Rule, SKETCH_DIM, VerifyError,
    WriteError,
};
use world::{Aligned, EVERYTHING, Shape, World};

fn shapes() -> impl Strategy<Value = Shape> {
    let rules = prop_oneof![
        (0.0..9.0_f32).prop_map(|pull| Rule::Maml { pull }),
        (-9.0..9.0_f32, 0.01..9.0_f32).prop_map(|(scale, shrinkage)| Rule::Prototypical { scale, shrinkage }),
        (-9.0..9.0_f32, 0.01..9.0_f32).prop_map(|(sharpness, null)| Rule::Matching { sharpness, null }),
    ];
    let counts = (0..200_usize, 1..5_usize, 0..4_usize, 1..12_usize);
    let tables = (0..5_usize, 0..5_usize, 0..5_usize, 0..9_usize, any::<bool>());
    (rules, counts, tables).prop_map(|(rule, (items, sixteens, steps, levels), tables)| Shape {
        rule,
        items,
        dim: 16 * sixteens,
        steps: if matches!(rule, Rule::Maml { .. }) { steps } else { 0 },
        levels,
        categories: tables.0,
        item_features: tables.1,
        user_features: tables.2,
        onboarding: tables.3,
        extras: tables.4,
        sketch: tables.4 && sixteens > 1 && !matches!(rule, Rule::Matching { .. }),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_written_is_read_back(shape in shapes(), seed in any::<u64>()) {
        let world = World::new(shape, seed);
        let file = Aligned::new(&world.bytes());
        let model = Model::open(file.bytes()).unwrap();
        prop_assert_eq!(model.verify(), Ok(()));
        world.assert_read_back(&model);
        prop_assert!(file.bytes() == world.bytes());
    }
}

#[test]
fn a_file_is_replaced_and_its_old_bytes_stay_with_whoever_holds_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.tbx");
    World::new(EVERYTHING, 1).contents(&[]).write(&path).unwrap();
    let old = std::fs::read(&path).unwrap();
    let mut held = std::fs::File::open(&path).unwrap();
    World::new(EVERYTHING, 2).contents(&[]).write(&path).unwrap();
    let mut still = Vec::new();
    held.read_to_end(&mut still).unwrap();
    assert!(still == old);
    assert!(std::fs::read(&path).unwrap() == World::new(EVERYTHING, 2).contents(&[]).to_bytes().unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "a temporary file was left");
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(EVERYTHING, 1);
    let contents = world.contents(&[]);
    let error = contents.write(&directory.path().join("missing/model.tbx")).unwrap_err();
    assert!(matches!(error, WriteError::Io(_)), "{error}");
    let error = Contents { card: "[]", ..contents }.write(&directory.path().join("model.tbx")).unwrap_err();
    assert!(matches!(error, WriteError::Verify(_)), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// The error of writing `EVERYTHING` after `spoil` has been at it.
fn refusal(spoil: impl FnOnce(Contents<'_>) -> Result<Vec<u8>, WriteError>) -> String {
    spoil(World::new(EVERYTHING, 1).contents(&[])).unwrap_err().to_string()
}

#[test]
fn contents_that_do_not_fit_are_refused_by_name() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let mut twins = World::new(EVERYTHING, 1).contents(&[]).ids.to_vec();
    twins[4] = twins[9].clone();
    let unsorted = Features { names: &texts(&["b", "a"]), embeddings: &[0.0; 32] };
    let mut nameless = twins.clone();
    nameless[4] = String::new();
    let level = Level { value: 1.0, target: 0.0, weight: 1.0, liked: true, plain: true };
    let stranger = [Category { name: "drama", items: &[20] }];
    let table = [
        (refusal(|c| Contents { prior: &[0.0; 15], ..c }.to_bytes()), "prior has 15 values, expected 16"),
        (
            refusal(|c| Contents { step_sizes: &[0.0; 17], ..c }.to_bytes()),
            "step sizes has 17 values, expected 32",
        ),
        (refusal(|c| Contents { scales: &[0.1; 19], ..c }.to_bytes()), "scales has 19 values, expected 20"),
        (refusal(|c| Contents { gram: Some(&[]), ..c }.to_bytes()), "gram has 0 values, expected 256"),
        (
            refusal(|c| Contents { prior: &[f32::NAN; 16], ..c }.to_bytes()),
            "value 0 of section 'prior' is not finite",
        ),
        (
            refusal(|c| Contents { scales: &[f32::INFINITY; 20], ..c }.to_bytes()),
            "'scales' is not finite and above 0",
        ),
        (refusal(|c| Contents { scales: &[0.5; 20], ..c }.to_bytes()), "'rows' is not of unit norm"),
        (refusal(|c| Contents { rows: &[-128; 320], ..c }.to_bytes()), "'rows' is not from -127 to 127"),
        (refusal(|c| Contents { ids: &twins, ..c }.to_bytes()), "two items have the id"),
        (refusal(|c| Contents { ids: &nameless, ..c }.to_bytes()), "'ids' is not unique, not empty"),
        (refusal(|c| Contents { levels: &[], ..c }.to_bytes()), "levels is 0, expected from 1 to 255"),
        (
            refusal(|c| Contents { levels: &[level, level], ..c }.to_bytes()),
            "'level values' is not above the one before",
        ),
        (
            refusal(|c| Contents { user_features: unsorted, ..c }.to_bytes()),
            "'user feature names' is not unique",
        ),
        (
            refusal(|c| Contents { categories: &stranger, ..c }.to_bytes()),
            "'drama' names item 20, expected less than 20",
        ),
        (refusal(|c| Contents { onboarding: &[20], ..c }.to_bytes()), "'onboarding' is not an item"),
        (refusal(|c| Contents { onboarding: &[3, 3], ..c }.to_bytes()), "'onboarding' is not distinct"),
        (refusal(|c| Contents { dim: usize::MAX, ..c }.to_bytes()), "dim: more than the format can address"),
        (refusal(|c| Contents { dim: 65_536, ..c }.to_bytes()), "dim is 65536, expected a multiple of 16"),
        (refusal(|_| Contents::default().to_bytes()), "dim is 0, expected a multiple of 16"),
    ];
    for (found, expected) in table {
        assert!(found.contains(expected), "{found}\n  does not say\n{expected}");
    }
}

#[test]
fn a_part_of_another_rule_is_refused() {
    let world = World::new(EVERYTHING, 1);
    let rule = Rule::Prototypical { scale: 1.0, shrinkage: 1.0 };
    let contents = Contents { rule, ..world.contents(&[]) };
    let refusal = |contents: Contents<'_>| match contents.to_bytes() {
        Err(WriteError::Open(error)) => Some(error),
        _ => None,
    };
    assert!(matches!(refusal(contents), Some(OpenError::Limit { field: "steps", found: 2, .. })));
    let contents = Contents { step_sizes: &[], ..contents };
    assert_eq!(refusal(contents), Some(OpenError::UnexpectedSection { section: "gram" }));
    assert_eq!(refusal(Contents { gram: None, ..contents }), None);
}

#[test]
fn a_row_at_the_edge_of_rounding_is_accepted_and_one_beyond_is_not() {
    let world = World::new(EVERYTHING, 1);
    let contents = world.contents(&[]);
    let stretched = |by: f32| contents.scales.iter().map(|scale| scale * by).collect::<Vec<_>>();
    // sqrt(16) / 2 * scale is between 2 / 127 / 4 and 2 / 127.
    assert!(Contents { scales: &stretched(1.003), ..contents }.to_bytes().is_ok());
    let error = Contents { scales: &stretched(1.02), ..contents }.to_bytes().unwrap_err();
    assert!(
        matches!(error, WriteError::Verify(VerifyError::Value { section: "rows", index: 0, .. })),
        "{error}"
    );
}

#[test]
fn the_closest_level_is_the_nearest_rating_on_the_scale() {
    let world = World::new(EVERYTHING, 1);
    let file = Aligned::new(&world.bytes());
    let levels = Model::open(file.bytes()).unwrap().levels();
    let table =
        [(1.0, Some(0)), (1.5, Some(0)), (1.6, Some(1)), (4.4, Some(3)), (5.0, Some(4)), (-0.0, None)];
    for (value, level) in table {
        assert_eq!(levels.closest(value), level, "{value}");
    }
    for value in [0.99, 5.01, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(levels.closest(value), None, "{value}");
    }
}

#[test]
fn a_sketch_bounds_every_score_from_above() {
    for dim in [32, 48, 64, 256] {
        let world = World::new(Shape { dim, items: 70, sketch: true, ..EVERYTHING }, 3);
        let file = Aligned::new(&world.bytes());
        let model = Model::open(file.bytes()).unwrap();
        let sketch = model.sketch().unwrap();
        let users = World::new(Shape { dim, items: 50, ..EVERYTHING }, 4);
        let users = Aligned::new(&users.bytes());
        let users = Model::open(users.bytes()).unwrap();
        for user in users.rows().iter().take(users.items()) {
            let user: Vec<f64> = user.components().map(|value| f64::from(value) / 400.0).collect();
            let mut along = [0.0; SKETCH_DIM];
            for (values, component) in sketch.axes().chunks(SKETCH_DIM).zip(&user) {
                along.iter_mut().zip(values).for_each(|(sum, &value)| *sum += f64::from(value) * component);
            }
            let square = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
            let rest = (square(&user) - square(&along)).max(0.0).sqrt();
            for item in 0..70 {
                let scaled = |row: Row<'_>, scale: f32, with: &[f64]| -> f64 {
                    row.components().zip(with).map(|(a, b)| f64::from(a) * b).sum::<f64>() * f64::from(scale)
                };
                let score = scaled(model.rows().row(item).unwrap(), model.scales()[item], &user);
                let scale = sketch.scales()[item];
                let bound = scaled(sketch.rows().row(item).unwrap(), scale, &along)
                    + 2.0 * f64::from(scale) * square(&along).sqrt()
                    + f64::from(sketch.rests()[item]) * rest;
                assert!(score <= bound + 1e-5, "dim {dim}, item {item}: {score} above {bound}");
            }
        }
    }
}

#[test]
fn rows_that_are_hardly_longer_than_a_sketch_have_none() {
    assert!(MadeSketch::of(&[1; 160], &[0.25; 10], 16).is_none());
}

#[test]
fn a_catalogue_in_few_directions_is_sketched_whole() {
    let rows: Vec<i8> =
        (0..64).flat_map(|item| (0..32).map(move |at| i8::from(at == item % 12) * 127)).collect();
    let sketch = MadeSketch::of(&rows, &[1.0 / 127.0; 64], 32).unwrap();
    assert!(sketch.rest_share() < 1e-6, "{}", sketch.rest_share());
    let empty = MadeSketch::of(&[], &[], 32).unwrap();
    assert_eq!(empty.rest_share(), 0.0);
}
