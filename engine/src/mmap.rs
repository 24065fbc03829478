//! A model file mapped into memory: the one place that maps a file.

use crate::{FileError, Model, OpenError};
use std::fs::File;
use std::path::Path;

/// A model file, mapped read-only: opening costs microseconds whatever its size, processes share its pages.
#[derive(Debug)]
pub struct MappedModel {
    map: memmap2::Mmap,
}

impl MappedModel {
    /// Maps the file. Whether it is a model file is for [`MappedModel::model`] to say.
    ///
    /// # Errors
    /// [`FileError`] names the path and the operating system's reason.
    ///
    /// # Safety
    /// **The file must not be changed or truncated while it is mapped**, by this process or any other:
    /// that is undefined behaviour which no check can catch. Replace model files by renaming a new one
    /// over the old, as the trainer does; the old pages then live on. Where that cannot be ensured, use
    /// [`ModelFile::read`](crate::ModelFile::read).
    #[expect(unsafe_code, reason = "a mapping is memory that others can change")]
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(FileError::at(path))?;
        // SAFETY: the bytes are only read, through `&self`, and the caller answers for their not changing;
        // memmap2 keeps the mapping alive as long as `map`.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(FileError::at(path))?;
        Ok(Self { map })
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Opens the model: constant time, see [`Model::open`].
    ///
    /// # Errors
    /// [`OpenError`]: what is wrong with the file.
    pub fn model(&self) -> Result<Model<'_>, OpenError> {
        Model::open(self.bytes())
    }
}
