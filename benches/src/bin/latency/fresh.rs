//! First requests: an app has just started, and its user waits for a list.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::fs::{Advice, fadvise};
use serde::{Deserialize, Serialize};
use tinderbox::{Filter, MappedModel, Ranked, Session};
use tinderbox_benches::{SUPPORT, scratch, support};

use crate::machine::{Faults, peak_bytes};

/// The subcommand under which this program calls itself.
pub(crate) const COMMAND: &str = "first-request";
/// Length of the list.
pub(crate) const TOP: usize = 10;

/// One process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Fresh {
    /// From before the file is opened until the list is there.
    pub(crate) ns: u64,
    pub(crate) minor_faults: Option<u64>,
    pub(crate) major_faults: Option<u64>,
    pub(crate) peak_bytes: Option<u64>,
}

/// The process itself: maps the file, opens it, adapts, ranks, and prints a [`Fresh`].
///
/// # Errors
/// A file that is no model, or a broken pipe.
#[expect(unsafe_code, reason = "as apps do, it maps the file")]
pub(crate) fn request(path: &Path) -> Result<()> {
    let before = Faults::so_far();
    let start = Instant::now();
    // SAFETY: the run before wrote the file, and changes it no more.
    let file = unsafe { MappedModel::open(path) }?;
    let model = file.model()?;
    let mut scratch = scratch(&model, SUPPORT);
    let mut session = Session::new(model, &mut scratch)?;
    session.adapt(&support(&model, SUPPORT))?;
    let mut out = [Ranked::default(); TOP];
    let list = session.rank(&Filter::default(), &mut out)?;
    let ns = start.elapsed().as_nanos() as u64;
    let faults = Faults::so_far().zip(before).map(|(now, before)| now.since(before));
    ensure!(!list.is_empty(), "{}: an empty list", path.display());
    let fresh = Fresh {
        ns,
        minor_faults: faults.map(|faults| faults.minor),
        major_faults: faults.map(|faults| faults.major),
        peak_bytes: peak_bytes(),
    };
    println!("{}", serde_json::to_string(&fresh)?);
    Ok(())
}

/// Runs that many processes one after the other, the file's pages in memory or (`evicted`) not.
///
/// # Errors
/// A process that fails.
pub(crate) fn requests(path: &Path, processes: usize, evicted: bool) -> Result<Vec<Fresh>> {
    let program = std::env::current_exe().context("this program's own path")?;
    let file = File::open(path).with_context(|| path.display().to_string())?;
    file.sync_all()?; // only pages that are on the disk can be evicted
    let process = |_| {
        if evicted {
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        let mut command = Command::new(&program);
        let output = command.arg(COMMAND).arg(path).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{COMMAND}: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    (0..processes).map(process).collect()
}
