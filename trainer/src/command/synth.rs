//! `trainer synth`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use tinderbox_trainer::data::World;

/// Make a synthetic data set: latent tastes, skewed popularity, genres
///
/// Writes ratings.csv, items.csv and users.csv. The same numbers give the same files on every machine.
#[derive(Args)]
#[command(after_help = "Example:\n  trainer synth --out world && trainer evaluate --data world --folds 1")]
pub(crate) struct Synth {
    /// Number of users
    #[arg(long, default_value_t = 1_000)]
    users: usize,

    /// Number of items
    #[arg(long, default_value_t = 1_500)]
    items: usize,

    /// Mean number of interactions of a user, 20 at least
    #[arg(long, default_value_t = 100)]
    interactions: usize,

    /// Leave the ratings out: implicit feedback
    #[arg(long)]
    implicit: bool,

    /// Seed of the world
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Directory for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Synth {
    pub(crate) fn run(self) -> Result<()> {
        let Self { users, items, interactions, implicit, seed, out } = self;
        World { users, items, interactions, implicit, seed }.write(&out)?;
        writeln!(stdout().lock(), "wrote ratings.csv, items.csv and users.csv to {}", out.display())?;
        Ok(())
    }
}
