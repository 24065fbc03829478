//! Where results go. That they can is proved before the work that makes them, which may take hours.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use tinderbox_format::replace;

/// Makes `directory` where there is none, and proves that files can be made in it.
pub(super) fn ensure_directory(directory: &Path) -> Result<()> {
    let context = || directory.display().to_string();
    fs::create_dir_all(directory).with_context(context)?;
    tempfile::tempfile_in(directory).map(drop).with_context(context)
}

/// Proves that [`write_file`] can write `path`: its directory is there, and what stands at `path` is no directory.
pub(super) fn ensure_file(path: &Path) -> Result<()> {
    let context = || path.display().to_string();
    ensure!(!path.is_dir(), "{}: is a directory, expected the name of a file", path.display());
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    tempfile::tempfile_in(parent.unwrap_or(Path::new("."))).map(drop).with_context(context)
}

/// Puts `text` at `path`, whole or not at all.
pub(super) fn write_file(path: &Path, text: &str) -> Result<()> {
    replace(path, text.as_bytes()).with_context(|| path.display().to_string())
}
