//! A model file in memory of its own: the safe default.

use crate::{Model, OpenError};
use core::fmt;
use std::boxed::Box;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::vec::Vec;

/// A model file, read into memory that begins with a cache line: nobody can change it under a [`Model`], and none of its
/// vectors lies across more lines than it must, which spares an adaptation a seventh of its time.
#[derive(Debug)]
pub struct ModelFile {
    words: Vec<u64>, // for the alignment
    /// The first word of the file.
    start: usize,
    /// Bytes of the file.
    len: usize,
}

/// Bytes of a cache line.
const LINE: usize = 64;

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

impl From<&[u8]> for ModelFile {
    /// A copy of the bytes of a file, in aligned memory.
    fn from(bytes: &[u8]) -> Self {
        const WORD: usize = size_of::<u64>();
        let mut words = std::vec![0_u64; (bytes.len() + LINE).div_ceil(WORD)];
        let start = words.as_ptr().align_offset(LINE).min(LINE / WORD);
        bytemuck::cast_slice_mut(&mut words[start..])[..bytes.len()].copy_from_slice(bytes);
        Self { words, start, len: bytes.len() }
    }
}

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
        Ok(Self::from(&*bytes))
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words[self.start..])[..self.len]
    }

    /// Opens the model: constant time, see [`Model::open`].
    ///
    /// # Errors
    /// [`OpenError`]: what is wrong with the file.
    pub fn model(&self) -> Result<Model<'_>, OpenError> {
        Model::open(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_begins_with_a_line() {
        for len in [0, 1, 7, 8, 63, 64, 65, 1_000, 300_000] {
            let bytes: Vec<u8> = (0..len).map(|at| (at * 31 % 251) as u8).collect();
            let file = ModelFile::from(&*bytes);
            assert_eq!(file.bytes(), bytes);
            assert!(file.bytes().as_ptr().addr().is_multiple_of(LINE), "{len}");
        }
    }
}
