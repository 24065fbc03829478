//! The engine's errors as Python exceptions: the same names, the same words.

use std::fmt::Display;
use std::io;

use pyo3::create_exception;
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyPermissionError, PyValueError};
use pyo3::prelude::*;

create_exception!(tinderbox, OpenError, PyValueError, "Why bytes are not a model file.");
create_exception!(tinderbox, VerifyError, PyValueError, "What is damaged in a model file.");
create_exception!(tinderbox, FeedbackError, PyValueError, "Why feedback cannot be adapted to.");
create_exception!(tinderbox, SessionError, PyValueError, "Why a session cannot be made or adapted.");
create_exception!(tinderbox, RankError, PyValueError, "Why a ranking is refused.");
create_exception!(tinderbox, EmbedError, PyValueError, "Why a new item cannot be embedded.");

/// The exception for an error of the engine.
pub(crate) trait Raise {
    fn raise(self) -> PyErr;
}

macro_rules! raise {
    ($($error:ident),*) => {$(
        impl Raise for tinderbox::$error {
            fn raise(self) -> PyErr {
                $error::new_err(self.to_string())
            }
        }
    )*};
}

raise!(OpenError, VerifyError, FeedbackError, SessionError, RankError, EmbedError);

impl Raise for tinderbox::FileError {
    fn raise(self) -> PyErr {
        let text = self.to_string();
        match self.kind() {
            io::ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            io::ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
            _ => PyOSError::new_err(text),
        }
    }
}

/// What was wrong with feedback, and where.
pub(crate) fn feedback_at(place: impl Display, error: tinderbox::FeedbackError) -> PyErr {
    FeedbackError::new_err(format!("{place}: {error}"))
}

/// An item that is damaged in a way that only a whole-file check would have noticed.
pub(crate) fn damaged(item: usize) -> PyErr {
    VerifyError::new_err(format!("item {item} has a damaged id: get the file anew"))
}
