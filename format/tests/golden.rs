//! Version 2 files are readable forever, and written to the same bytes.
//!
//! `TINDERBOX_BLESS=1 cargo test -p tinderbox-format --test golden` writes the files anew. A change that
//! needs this is a change of the format: see `SPEC.md`, Compatibility.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use std::path::PathBuf;

use tinderbox_format::{Model, Rule};
use world::{Aligned, EVERYTHING, Shape, World};

/// Nothing that is optional, and implicit feedback.
const NOTHING: Shape = Shape {
    rule: Rule::Prototypical { scale: 1.25, shrinkage: 0.5 },
    steps: 0,
    levels: 1,
    categories: 0,
    item_features: 0,
    user_features: 0,
    onboarding: 0,
    extras: false,
    ..EVERYTHING
};

const MATCHING: Shape =
    Shape { rule: Rule::Matching { sharpness: 4.0, null: 0.75 }, steps: 0, item_features: 0, ..EVERYTHING };

const SKETCHED: Shape = Shape { items: 40, dim: 32, sketch: true, ..NOTHING };

fn check(name: &str, shape: Shape) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    let world = World::new(shape, 1);
    if std::env::var_os("TINDERBOX_BLESS").is_some() {
        std::fs::write(&path, world.bytes()).unwrap();
    }
    let golden = Aligned::new(&std::fs::read(&path).unwrap());
    let model = Model::open(golden.bytes()).unwrap();
    model.verify().unwrap();
    world.assert_read_back(&model);
    assert!(golden.bytes() == world.bytes(), "{name} is written to other bytes than it used to be");
}

#[test]
fn the_maml_file_is_read_and_written_as_ever() {
    check("v2-maml.tbx", EVERYTHING);
}

#[test]
fn the_prototypical_file_is_read_and_written_as_ever() {
    check("v2-prototypical.tbx", NOTHING);
}

#[test]
fn the_matching_file_is_read_and_written_as_ever() {
    check("v2-matching.tbx", MATCHING);
}

#[test]
fn the_file_with_sketches_is_read_and_written_as_ever() {
    check("v2-sketch.tbx", SKETCHED);
}
