//! How a file is laid out: its separator and what its columns hold.

use super::error::{Fault, ReadError, excerpt};
use super::file::{File, Rows};
use super::{headed, movielens, recbole};

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Ratings,
    Items,
    Users,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// One value, or several separated by `|`.
    Token,
    /// Several values separated by spaces.
    Sequence,
    /// A number.
    Number,
    /// `1` where the row carries this value of the column.
    Flag(&'static str),
    /// Codes for values; others stand for themselves.
    Code(&'static [(&'static str, &'static str)]),
    /// Nothing that a feature could be made of.
    Ignored,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Column {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) separator: &'static str,
    /// Whether cells may stand in double quotes.
    pub(super) quotes: bool,
    /// Whether the first row names the columns.
    pub(super) header: bool,
    pub(super) columns: Vec<Column>,
}

impl Layout {
    /// Recognises the layout by the file's name and its first line.
    pub(super) fn of(file: &File, role: Role) -> Result<Self, ReadError> {
        if file.first_line().is_empty() {
            return Err(file.fail(None, Fault::Empty));
        }
        if let Some(layout) = movielens::layout(file, role).or_else(|| recbole::layout(file)) {
            return Ok(layout);
        }
        headed::layout(file)
    }

    /// The rows below the header.
    pub(super) fn rows<'a>(&self, file: &'a File) -> Result<Rows<'a>, ReadError> {
        let mut rows = file.rows(self.separator, self.quotes).of_width(self.columns.len());
        if self.header {
            rows.read(&mut Vec::new())?;
        }
        Ok(rows)
    }

    /// Where the column `named` is; without a name, where the first column is that has a usual name.
    pub(super) fn position(&self, named: Option<&str>, usual: &[&str]) -> Option<usize> {
        match named {
            Some(name) => self.columns.iter().position(|column| column.name == name),
            None => self.columns.iter().position(|column| usual.contains(&plain(&column.name).as_str())),
        }
    }

    /// As [`Self::position`]; an error that lists the columns where there is none.
    pub(super) fn require(
        &self,
        file: &File,
        named: Option<&str>,
        usual: &[&str],
    ) -> Result<usize, ReadError> {
        self.position(named, usual).ok_or_else(|| {
            const SHOWN: usize = 20; // columns
            let names: Vec<String> =
                self.columns.iter().take(SHOWN).map(|column| excerpt(&column.name)).collect();
            let wanted = named.unwrap_or(usual[0]).to_owned();
            file.fail(None, Fault::MissingColumn { wanted, found: names.join(", ") })
        })
    }
}

/// A column's name as names are compared: `movieId`, `movie_id` and `Movie ID` are one.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
