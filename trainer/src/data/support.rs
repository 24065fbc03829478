//! Feedback of new users, to recommend by: read as it stands, for a model to understand.

use std::collections::HashMap;
use std::path::Path;

use super::error::{Fault, ReadError, excerpt};
use super::file::File;
use super::ids;
use super::layout::{Layout, Role};
use super::ratings::Positions;
use super::read::Columns;

/// What one new user said.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// The user's id.
    pub user: String,
    /// The user's feedback, in the order of the file.
    pub feedback: Vec<SupportRow>,
}

/// One row of feedback.
#[derive(Clone, Debug, PartialEq)]
pub struct SupportRow {
    /// The item's id.
    pub item: String,
    /// The rating, finite; `None` where the file has no column for it.
    pub rating: Option<f32>,
    /// Where it stands.
    pub line: usize,
}

/// Reads the feedback of new users from a file in one of the layouts that [`read`](super::read()) knows; users in the
/// order in which they first appear. Whether a rating is on the scale and an item is known, the model says.
///
/// # Errors
/// The first thing that is wrong, with its file and line.
pub fn read_supports(path: &Path, columns: &Columns) -> Result<Vec<Support>, ReadError> {
    let file = File::open(path)?;
    let layout = Layout::of(&file, Role::Ratings)?;
    let at = Positions::of(&file, &layout, columns)?;
    let (mut supports, mut places) = (Vec::<Support>::new(), HashMap::new());
    let mut cells = Vec::new();
    let mut lines = layout.rows(&file)?;
    while let Some(line) = lines.read(&mut cells)? {
        for column in [at.user, at.item] {
            ids::check(&file, line, &layout.columns[column].name, &cells[column])?;
        }
        let rating = at.rating.map(|rating| finite(&cells[rating])).transpose();
        let row = SupportRow {
            item: cells[at.item].to_string(),
            rating: rating.map_err(|fault| file.fail(line, fault))?,
            line,
        };
        let place = *places.entry(cells[at.user].to_string()).or_insert(supports.len());
        if place == supports.len() {
            supports.push(Support { user: cells[at.user].to_string(), feedback: Vec::new() });
        }
        supports[place].feedback.push(row);
    }
    Ok(supports)
}

fn finite(cell: &str) -> Result<f32, Fault> {
    let rating: f32 = cell.trim().parse().map_err(|_| Fault::Rating(excerpt(cell)))?;
    if rating.is_finite() { Ok(rating) } else { Err(Fault::NotFinite(excerpt(cell))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supports(text: &str) -> Result<Vec<Support>, ReadError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("support.tsv");
        std::fs::write(&path, text).unwrap();
        read_supports(&path, &Columns::default())
    }

    #[test]
    fn users_come_in_the_order_of_the_file() {
        let supports = supports("user\titem\trating\nz\ti1\t4\na\ti2\t2.5\nz\t007\t1\n").unwrap();
        let row = |item: &str, rating, line| SupportRow { item: item.into(), rating: Some(rating), line };
        assert_eq!(
            supports,
            [
                Support { user: "z".into(), feedback: vec![row("i1", 4.0, 2), row("007", 1.0, 4)] },
                Support { user: "a".into(), feedback: vec![row("i2", 2.5, 3)] },
            ]
        );
    }

    #[test]
    fn ratings_are_optional_and_checked() {
        assert_eq!(supports("user,item\nu,i\n").unwrap()[0].feedback[0].rating, None);
        let error = supports("user,item,rating\nu,i,nan\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("nan"), "{error}");
    }
}
