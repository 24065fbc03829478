//! The file with sketches is made, since data that sketches pay for would be large: 2,500 items, the same on every machine.
//!
//! `TINDERBOX_BLESS=1 cargo test -p tinderbox-golden` writes it anew; its answers change with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use tinderbox::{Rule, quantise_row};
use tinderbox_format::{Category, Contents, Level, MadeSketch};
use tinderbox_golden::MODELS;

/// More than a session scores at a time, and no multiple of anything.
const ITEMS: usize = 2_500;
const DIM: usize = 32;
const STEPS: usize = 3;

/// SplitMix64 (Steele et al. 2014): the file must not change with a crate's version.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `-size .. size`.
    fn floats(&mut self, len: usize, size: f32) -> Vec<f32> {
        (0..len).map(|_| size * ((self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0)).collect()
    }

    /// A direction that lies in its first components mostly, as trained rows do in a few of theirs.
    fn row(&mut self, quantised: &mut [i8]) -> f32 {
        let (mut row, mut size) = (self.floats(DIM, 1.0), 1.0);
        for value in &mut row {
            *value *= size;
            size *= 0.85;
        }
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter_mut().for_each(|value| *value /= length);
        quantise_row(&row, quantised)
    }
}

fn sketched() -> Vec<u8> {
    let mut noise = Noise(1);
    let mut rows = vec![0; ITEMS * DIM];
    let scales: Vec<f32> = rows.chunks_exact_mut(DIM).map(|row| noise.row(row)).collect();
    let level = |value, target, liked| Level { value, target, weight: 1.0, liked, plain: true };
    let ids: Vec<String> = (0..ITEMS).map(|item| item.to_string()).collect();
    let even: Vec<u32> = (0..ITEMS as u32).step_by(2).collect();
    Contents {
        rule: Rule::Maml { pull: 0.1 },
        dim: DIM,
        prior: &noise.floats(DIM, 0.2),
        step_sizes: &noise.floats(STEPS * DIM, 0.3),
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
