//! Why a request cannot be played.

use core::fmt;
use tinderbox::{EmbedError, FeedbackError, OpenError, RankError, SessionError};

/// Why a request cannot be played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failure {
    /// Line of the requests, from 1.
    pub line: usize,
    /// What is wrong there.
    pub cause: Cause,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// It is not written as `README.md` says.
    Syntax,
    /// It lists more than [`Memory`](crate::Memory) has room for.
    TooLong,
    /// No model file has this name.
    UnknownModel,
    /// The model file is refused.
    Open(OpenError),
    /// The session refuses.
    Session(SessionError),
    /// The feedback is refused.
    Feedback(FeedbackError),
    /// The ranking is refused.
    Rank(RankError),
    /// The new item is refused.
    Embed(EmbedError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "requests.txt, line {}: {}", self.line, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("not as README.md says"),
            Self::TooLong => f.write_str("more than memory.rs has room for"),
            Self::UnknownModel => f.write_str("no model file has this name"),
            Self::Open(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::Feedback(error) => error.fmt(f),
            Self::Rank(error) => error.fmt(f),
            Self::Embed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Failure {}

macro_rules! causes {
    ($($cause:ident($error:ty)),*) => {$(
        impl From<$error> for Cause {
            fn from(error: $error) -> Self {
                Self::$cause(error)
            }
        }
    )*};
}

causes!(Open(OpenError), Session(SessionError), Feedback(FeedbackError), Rank(RankError), Embed(EmbedError));
