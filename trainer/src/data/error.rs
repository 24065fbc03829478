//! What can be wrong with an input file.

use std::{fmt, io, path::PathBuf};

/// Names the file, the line and what is wrong there, and says what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", Place(.file, .line))]
pub struct ReadError {
    /// The file, or the directory that was searched.
    pub file: PathBuf,
    /// The line on which the row starts, counted from 1; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a file. Values are shortened to what fits on a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// A directory where a file is wanted.
    #[error("is a directory; name the file in it that holds the rows")]
    Directory,
    /// A file, or nothing, where a directory is wanted.
    #[error("is not a directory; name the directory that holds the files, or the file of ratings itself")]
    NotDirectory,
    /// A directory without ratings.
    #[error("no ratings found; looked for {0}; name the file of ratings itself")]
    NoRatings(&'static str),
    /// A directory with several files of ratings.
    #[error("several files of ratings: {0}; name one of them")]
    ManyRatings(String),
    /// No row at all.
    #[error("is empty; rows of feedback (user, item, rating, timestamp) or of features are wanted")]
    Empty,
    /// A header without rows.
    #[error("has a header and no rows below it")]
    HeaderOnly,
    /// UTF-16, by its byte order mark or by its NUL bytes.
    #[error("is UTF-16; save it as UTF-8")]
    Utf16,
    /// Neither UTF-8 nor Latin-1 text.
    #[error("is not text (binary or compressed); unpack it, or save it as CSV in UTF-8")]
    NotText,
    /// A quote that nothing closes.
    #[error("a quote opens here and nothing closes it; close it, or double it if it belongs to the text")]
    UnclosedQuote,
    /// Text between a closing quote and the next separator.
    #[error("text follows a closing quote: {0:?}; a quote inside a quoted cell is written twice")]
    StrayQuote(String),
    /// A row that is longer or shorter than the header.
    #[error("{found} cells, expected {expected}; quote cells that contain the separator")]
    Ragged {
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A column that is needed and not there.
    #[error(
        "no column {wanted:?}; found: {found}; add a header, or name the column with --user-column, --item-column, --rating-column, --timestamp-column"
    )]
    MissingColumn {
        /// The column's name, given or usual.
        wanted: String,
        /// The names in the header.
        found: String,
    },
    /// An empty id.
    #[error("the {column} is empty; give every row an id, or remove the row")]
    EmptyId {
        /// The column's name.
        column: String,
    },
    /// An id beyond [`MAX_ID`](super::MAX_ID).
    #[error("the {column} has {found} bytes, at most {expected} are taken; is the separator right?")]
    LongId {
        /// The column's name.
        column: String,
        /// The bound.
        expected: usize,
        /// Bytes of the id.
        found: usize,
    },
    /// A rating that is not a number.
    #[error("the rating {0:?} is not a number; correct it or remove the row")]
    Rating(String),
    /// NaN or an infinity.
    #[error("the rating {0:?} is not finite; correct it or remove the row")]
    NotFinite(String),
    /// A rating outside the scale.
    #[error(
        "the rating {found:?} is outside {low} to {high}; set the scale with --scale, \
             or what counts as a like with --like-at"
    )]
    OffScale {
        /// The rating as it stands in the file.
        found: String,
        /// Lowest rating.
        low: f32,
        /// Highest rating.
        high: f32,
    },
    /// A scale that is empty or not finite.
    #[error("the scale {low} to {high} is empty; --scale takes the lowest and the highest rating")]
    Scale {
        /// Lowest rating.
        low: f32,
        /// Highest rating.
        high: f32,
    },
    /// A threshold outside the scale.
    #[error("a like from {like_at} on is outside {low} to {high}; change --like-at, or set --scale")]
    LikeAt {
        /// The rating that would count as a like.
        like_at: f32,
        /// Lowest rating.
        low: f32,
        /// Highest rating.
        high: f32,
    },
    /// A timestamp that is not a number.
    #[error("the timestamp {0:?} is not a number; convert it to seconds, or remove the column")]
    Timestamp(String),
}

/// As much of a cell as a message shows.
pub(super) fn excerpt(value: &str) -> String {
    const SHOWN: usize = 40; // characters
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// `file, line 7`.
struct Place<'a>(&'a PathBuf, &'a Option<usize>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())?;
        self.1.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}
