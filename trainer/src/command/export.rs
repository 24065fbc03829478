//! `trainer export`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use tinderbox_trainer::export::export;
use tinderbox_trainer::report::size;
use tinderbox_trainer::run::Run;

/// Write the model file of a run, and check that the engine ranks by it as the trainer does
///
/// Rows become int8. The file is read back, verified, and the engine's scores are compared with the trainer's; an
/// existing file is replaced only by a whole new one.
#[derive(Args)]
#[command(after_help = "Example:\n  trainer export run --out movies.tbx")]
pub(crate) struct Export {
    /// Directory that `trainer fit` wrote
    run: PathBuf,

    /// The model file
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(crate) fn run(self) -> Result<()> {
        write(&self.run, &self.out)
    }
}

/// Exports `run` to `out` and says what came of it.
pub(crate) fn write(run: &Path, out: &Path) -> Result<()> {
    let exported = export(&Run::load(run)?, out)?;
    writeln!(
        stdout().lock(),
        "wrote {}: {}, content id {:016x}, scores within {:.4} of f32",
        out.display(),
        size(exported.bytes as usize),
        exported.content_id,
        exported.largest_difference,
    )?;
    Ok(())
}
