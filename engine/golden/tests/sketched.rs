//! The file with sketches is made, since data that sketches pay for would be large: 2,500 items, the same on every machine.
//!
//! `TINDERBOX_BLESS=1 cargo test -p tinderbox-golden` writes it anew; its answers change with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use tinderbox::{Rule, quantise_row};
use tinderbox_format::{Category, Contents, Level, MadeSketch};
use tinderbox_golden::MODELS;

/// More than a session scores at a time, and no multiple of anything.
const ITEMS: usize = 2_500;
const DIM: usize = 32;
const STEPS: usize = 3;

/// Uniform in `-size .. size`.
fn floats(noise: &mut SplitMix64, len: usize, size: f32) -> Vec<f32> {
    (0..len).map(|_| size * ((noise.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0)).collect()
}

/// A direction that lies in its first components mostly, as trained rows do in a few of theirs; its scale.
fn row(noise: &mut SplitMix64, quantised: &mut [i8]) -> f32 {
    let (mut row, mut size) = (floats(noise, DIM, 1.0), 1.0);
    for value in &mut row {
        *value *= size;
        size *= 0.85;
    }
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.iter_mut().for_each(|value| *value /= length);
    quantise_row(&row, quantised)
}

fn sketched() -> Vec<u8> {
    // The generator is named: what it gives does not change with a crate's version.
    let mut noise = SplitMix64::seed_from_u64(1);
    let mut rows = vec![0; ITEMS * DIM];
    let scales: Vec<f32> = rows.chunks_exact_mut(DIM).map(|quantised| row(&mut noise, quantised)).collect();
    let level = |value, target, liked| Level { value, target, weight: 1.0, liked, plain: true };
    let ids: Vec<String> = (0..ITEMS).map(|item| item.to_string()).collect();
    let even: Vec<u32> = (0..ITEMS as u32).step_by(2).collect();
    Contents {
        rule: Rule::Maml { pull: 0.1 },
        dim: DIM,
        prior: &floats(&mut noise, DIM, 0.2),
        step_sizes: &floats(&mut noise, STEPS * DIM, 0.3),
        levels: &[level(0.0, -0.3, false), level(1.0, 0.9, true)],
        rows: &rows,
        scales: &scales,
        ids: &ids,
        categories: &[Category { name: "even", items: &even }],
        sketch: MadeSketch::of(&rows, &scales, DIM).as_ref(),
        ..Contents::default()
    }
    .to_bytes()
    .unwrap()
}

#[test]
fn the_sketched_file_is_made_as_ever() {
    let made = sketched();
    if std::env::var_os("TINDERBOX_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/sketched.tbx"), made).unwrap();
        return;
    }
    let (_, golden) = MODELS.into_iter().find(|(name, _)| *name == "sketched").unwrap();
    assert!(golden == made, "sketched.tbx is made of other bytes than it used to be");
}
