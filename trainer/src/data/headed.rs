//! CSV and TSV files with a header.

use super::error::ReadError;
use super::file::File;
use super::layout::{Column, Kind, Layout};

/// Separators, the likelier first: ties in the header go to the earlier one.
const SEPARATORS: [&str; 4] = ["\t", ",", ";", "|"];

/// The separator is the one that occurs most often in the header.
pub(super) fn layout(file: &File) -> Result<Layout, ReadError> {
    let header = file.first_line();
    let mut separator = SEPARATORS[0];
    for candidate in SEPARATORS {
        if header.matches(candidate).count() > header.matches(separator).count() {
            separator = candidate;
        }
    }
    let mut names = Vec::new();
    file.rows(separator, true).read(&mut names)?;
    let columns = names.iter().map(|name| Column::new(name.trim(), Kind::Token)).collect();
    Ok(Layout { separator, quotes: true, header: true, columns })
}
