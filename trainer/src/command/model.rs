//! The model file that a command reads.

use std::path::Path;

use anyhow::{Result, ensure};

use tinderbox::ModelFile;

/// Reads the model file at `path`; says how a run of `fit`, which is easily given in its place, becomes one.
pub(super) fn read_model(path: &Path) -> Result<ModelFile> {
    let shown = path.display();
    ensure!(
        !path.is_dir(),
        "{shown}: is a directory, expected a model file; of a run, `trainer export {shown} --out model.tbx` makes one"
    );
    Ok(ModelFile::read(path)?)
}
