//! A model file in memory of its own: the safe default.

use crate::{Model, OpenError};
use core::fmt;
use std::boxed::Box;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::vec::Vec;

/// A model file, read into aligned memory: nobody can change it under a [`Model`].
#[derive(Debug)]
pub struct ModelFile {
    words: Vec<u64>, // for the alignment
    len: usize,
}

/// Why a file could not be read or mapped.
#[derive(Debug)]
pub struct FileError {
    path: Box<Path>,
    source: io::Error,
}

impl FileError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path: PathBuf = path.into();
        move |source| Self { path: path.into_boxed_path(), source }
    }

    /// What kind of error the operating system gave.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.source)
    }
}

// The message holds the reason: a chain of sources would say it twice.
impl core::error::Error for FileError {}

impl ModelFile {
    /// Reads the whole file. Whether it is a model file is for [`ModelFile::model`] to say.
    ///
    /// # Errors
    /// [`FileError`] names the path and the operating system's reason.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        Self::read_to_end(path).map_err(FileError::at(path))
    }

    fn read_to_end(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        let mut words = std::vec![0; bytes.len().div_ceil(size_of::<u64>())];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
        Ok(Self { words, len: bytes.len() })
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// Opens the model: constant time, see [`Model::open`].
    ///
    /// # Errors
    /// [`OpenError`]: what is wrong with the file.
    pub fn model(&self) -> Result<Model<'_>, OpenError> {
        Model::open(self.bytes())
    }
}
