//! Every promise on random mutations of its corpus, without a nightly compiler: the stand-in for cargo-fuzz.
//!
//! `stable SECONDS [SEED]` runs each target that long and prints how many inputs it tried. The corpus itself
//! comes first and is never cut short; what follows depends on it and on the seed alone. An input that breaks
//! a promise is written to `artifacts/TARGET/`, and the exit code is 1. There is no guidance by coverage:
//! cargo-fuzz finds more.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tinderbox_fuzz::{PROMISES, Promise};
use twox_hash::XxHash3_64;

/// Inputs between two looks at the clock.
const BATCH: usize = 64;
/// The longest input: twice what libFuzzer takes by default.
const MAX_LEN: usize = 8192;
/// Words that stand at the edge of some range, integer or float.
const EDGES: [u32; 12] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7f80_0000, // infinity
    0x7fc0_0000, // NaN
    0x0000_8000, // a subnormal number
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().ok_or("usage: stable SECONDS [SEED]")?.parse()?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let mut broken = false;
    for (target, promise) in PROMISES {
        let corpus = read_corpus(target)?;
        let run = run(promise, &corpus, Duration::from_secs(seconds), seed);
        println!("{target}: {} seeds, {} executions, seed {seed}", corpus.len(), run.executions);
        if let Some(input) = run.failure {
            println!("{target}: BROKEN by {}", save(target, &input)?.display());
            broken = true;
        }
    }
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a target was put through.
struct Run {
    executions: usize,
    /// The input that broke the promise, and ended the run.
    failure: Option<Vec<u8>>,
}

fn run(promise: Promise, corpus: &[Vec<u8>], time: Duration, seed: u64) -> Run {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start = Instant::now();
    let mutations = std::iter::from_fn(|| Some(mutation(corpus, &mut rng)));
    let mut executions = 0;
    let mut inputs = corpus.iter().cloned().chain(mutations);
    while executions < corpus.len() || start.elapsed() < time {
        for input in inputs.by_ref().take(BATCH) {
            executions += 1;
            if catch_unwind(|| promise(&input)).is_err() {
                return Run { executions, failure: Some(input) };
            }
        }
    }
    Run { executions, failure: None }
}

/// One input of the corpus with one to eight changes.
fn mutation(corpus: &[Vec<u8>], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = corpus[rng.random_range(0..corpus.len())].clone();
    for _ in 0..1 << rng.random_range(0..4) {
        change(&mut input, corpus, rng);
    }
    input.truncate(MAX_LEN);
    input
}

/// Most changes are in place: one that moves what follows takes a file apart at once.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut ChaCha8Rng) {
    if input.is_empty() {
        input.push(rng.random());
    }
    let at = if rng.random_ratio(1, 4) {
        // The calls of `session` are few bytes at the end of many.
        input.len() - 1 - rng.random_range(0..input.len().min(256))
    } else {
        rng.random_range(0..input.len())
    };
    match rng.random_range(0..16) {
        0..4 => input[at] ^= 1 << rng.random_range(0..8),
        4..7 => input[at] = rng.random(),
        7..10 => overwrite(input, at & !3, &EDGES[rng.random_range(0..EDGES.len())].to_le_bytes()),
        10 => overwrite(input, at & !3, &rng.next_u32().to_le_bytes()),
        11..13 => {
            let other = &corpus[rng.random_range(0..corpus.len())];
            let from = at.min(other.len());
            let len = rng.random_range(0..=64.min(other.len() - from));
            overwrite(input, at, &other[from..from + len]);
        }
        13 => input.truncate(at),
        14 => input.insert(at, rng.random()),
        _ => input.extend((0..rng.random_range(0..64)).map(|_| rng.random::<u8>())),
    }
}

/// Puts `bytes` at `at`, as far as there is room.
fn overwrite(input: &mut [u8], at: usize, bytes: &[u8]) {
    input[at..].iter_mut().zip(bytes).for_each(|(place, &byte)| *place = byte);
}

/// The inputs in the order of their file names.
fn read_corpus(target: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let directory = here().join("corpus").join(target);
    let entries = fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>, std::io::Error>>()?;
    paths.sort_unstable();
    if paths.is_empty() {
        return Err(format!("{}: no seeds", directory.display()).into());
    }
    Ok(paths.iter().map(fs::read).collect::<Result<_, _>>()?)
}

fn save(target: &str, input: &[u8]) -> Result<PathBuf, std::io::Error> {
    let directory = here().join("artifacts").join(target);
    fs::create_dir_all(&directory)?;
    let path = directory.join(format!("stable-{:016x}", XxHash3_64::oneshot(input)));
    fs::write(&path, input)?;
    Ok(path)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
