//! The journal of a search: one line of JSON for each training, so that an interrupted search goes on where it was.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tinderbox_format::replace;

use crate::data::{Dataset, Features};
use crate::learner::Check;
use crate::run::TOOL;
use crate::train::Config;

/// What a search depends on. A journal is of use to the same search only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    tool: String,
    data: String,
    config: Config,
}

impl Header {
    /// A search on `dataset` around `config`, whose seed is the search's.
    pub fn new(dataset: &Dataset, config: &Config) -> Self {
        Self { tool: TOOL.to_owned(), data: fingerprint(dataset), config: config.clone() }
    }

    /// The first thing in which the two differ.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let same = [
            ("version of the trainer", self.tool == other.tool),
            ("data", self.data == other.data),
            ("seed", self.config.seed == other.config.seed),
            ("configuration", self.config == other.config),
        ];
        same.iter().find(|(_, same)| !same).map(|(what, _)| *what)
    }
}

/// One training and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Number of the trial; 0 is what `auto` keeps.
    pub trial: usize,
    /// How often the trial was promoted.
    pub rung: usize,
    /// What was trained, and for how many epochs at most.
    pub config: Config,
    /// NDCG@10 of each validation user, mean over the support sizes and over shuffles.
    pub validation: Vec<f64>,
    /// The validations during training.
    pub history: Vec<Check>,
}

/// Why a journal could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("{path}", path = .path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// A line other than the last is no record.
    #[error("{path}: line {line} is no record of a search; remove the file to begin anew", path = .path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// It is that of another search.
    #[error(
        "{path} belongs to a search with another {what}; give another directory, or remove the file to begin anew",
        path = .path.display()
    )]
    Other {
        /// The journal.
        path: PathBuf,
        /// In what they differ.
        what: &'static str,
    },
}

/// The trainings of a search so far, in a file.
pub struct Journal {
    path: PathBuf,
    file: File,
    tried: Vec<Tried>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one. A last line that was cut off while it was written is dropped.
    ///
    /// # Errors
    /// [`JournalError`]: unreadable, damaged before the last line, or of another search.
    pub fn open(path: &Path, header: &Header) -> Result<Self, JournalError> {
        let fail = |source| JournalError::Io { path: path.to_owned(), source };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(fail(error)),
        };
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].split_inclusive(|&byte| byte == b'\n').zip(1..);
        let damaged = |line| JournalError::Damaged { path: path.to_owned(), line };
        let tried = match lines.next() {
            None => {
                replace(path, &line(header).map_err(fail)?).map_err(fail)?;
                Vec::new()
            }
            Some((first, _)) => {
                let found: Header = serde_json::from_slice(first).map_err(|_| damaged(1))?;
                if let Some(what) = found.difference(header) {
                    return Err(JournalError::Other { path: path.to_owned(), what });
                }
                if whole < text.len() {
                    replace(path, &text[..whole]).map_err(fail)?;
                }
                let tried = lines.map(|(text, line)| serde_json::from_slice(text).map_err(|_| damaged(line)));
                tried.collect::<Result<_, _>>()?
            }
        };
        let file = File::options().append(true).open(path).map_err(fail)?;
        Ok(Self { path: path.to_owned(), file, tried })
    }

    /// How many trainings are in it.
    pub fn len(&self) -> usize {
        self.tried.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tried.is_empty()
    }

    /// What came of a training, if it was done.
    pub(super) fn find(&self, trial: usize, rung: usize) -> Option<&Tried> {
        self.tried.iter().find(|tried| (tried.trial, tried.rung) == (trial, rung))
    }

    /// Keeps a training, on disk before it returns.
    pub(super) fn append(&mut self, tried: Tried) -> Result<(), JournalError> {
        let written =
            line(&tried).and_then(|line| self.file.write_all(&line)).and_then(|()| self.file.sync_data());
        written.map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
        self.tried.push(tried);
        Ok(())
    }
}

fn line(record: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

/// A hash of everything that learning sees, and of the names.
fn fingerprint(dataset: &Dataset) -> String {
    let mut hash = Sha256::new();
    let mut number = |number: u64| hash.update(number.to_le_bytes());
    let Dataset { users, items, titles: _, interactions, levels, item_features, user_features } = dataset;
    for value in levels.values.iter().chain(&levels.like_at) {
        number(u64::from(value.to_bits()));
    }
    for of_user in interactions {
        number(of_user.len() as u64);
        for interaction in of_user {
            number(u64::from(interaction.item));
            number(u64::from(interaction.level));
            number(interaction.time.cast_unsigned());
        }
    }
    for Features { of, .. } in [item_features, user_features] {
        for features in of {
            number(features.len() as u64);
            features.iter().for_each(|&feature| number(u64::from(feature)));
        }
    }
    for names in [users, items, &item_features.names, &user_features.names] {
        for name in names {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
        }
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::World;
    use tempfile::TempDir;

    fn world(seed: u64) -> Dataset {
        World { users: 30, items: 40, interactions: 20, seed, ..World::default() }.dataset().unwrap()
    }

    fn tried(trial: usize) -> Tried {
        let validation = vec![0.1 + 0.2, 1.0 / 3.0];
        Tried { trial, rung: 1, config: Config::default(), validation, history: Vec::new() }
    }

    /// A directory with a journal of two trainings, and its header.
    fn two() -> (TempDir, PathBuf, Header) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("search.jsonl");
        let header = Header::new(&world(1), &Config::default());
        let mut journal = Journal::open(&path, &header).unwrap();
        journal.append(tried(3)).unwrap();
        journal.append(tried(4)).unwrap();
        (directory, path, header)
    }

    #[test]
    fn what_was_appended_is_found_again_to_the_bit() {
        let (_directory, path, header) = two();
        let journal = Journal::open(&path, &header).unwrap();
        assert_eq!(journal.len(), 2);
        assert_eq!((journal.find(3, 1), journal.find(3, 0)), (Some(&tried(3)), None));
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped_wherever_it_was_cut() {
        let (_directory, path, header) = two();
        let text = fs::read(&path).unwrap();
        let last = text[..text.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        for cut in [last + 1, (last + text.len()) / 2, text.len() - 1] {
            fs::write(&path, &text[..cut]).unwrap();
            let mut journal = Journal::open(&path, &header).unwrap();
            assert_eq!(journal.len(), 1);
            journal.append(tried(4)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_header_that_was_cut_off_begins_anew() {
        let (_directory, path, header) = two();
        fs::write(&path, "{\"tool\":").unwrap();
        assert!(Journal::open(&path, &header).unwrap().is_empty());
        assert!(Journal::open(&path, &header).unwrap().is_empty());
    }

    #[test]
    fn the_journal_of_another_search_is_refused() {
        let (_directory, path, _header) = two();
        for (dataset, config, what) in [
            (world(2), Config::default(), "another data;"),
            (world(1), Config { seed: 9, ..Config::default() }, "another seed;"),
            (world(1), Config { epochs: 9, ..Config::default() }, "another configuration;"),
        ] {
            let error = Journal::open(&path, &Header::new(&dataset, &config)).err().unwrap().to_string();
            assert!(error.contains(what) && error.contains("another directory"), "{error}");
        }
    }

    #[test]
    fn damage_before_the_last_line_is_an_error_that_names_the_line() {
        let (_directory, path, header) = two();
        let text = fs::read_to_string(&path).unwrap().replacen("{\"trial\":3", "{\"trail\":3", 1);
        fs::write(&path, text).unwrap();
        let error = Journal::open(&path, &header).err().unwrap().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
