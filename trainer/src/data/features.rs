//! Feature files: the columns of items or users as categorical features.
//!
//! A feature is `column:value`. Numbers become quantile bands, years decades and years. What fewer than
//! [`MIN_ROWS`] rows carry cannot be learned from, what all rows carry tells nothing: neither is a feature.

use std::collections::{BTreeMap, BTreeSet};

use super::Features;
use super::error::ReadError;
use super::file::{Cell, File};
use super::ids;
use super::layout::{Kind, Layout, plain};

/// Rows that must carry a feature.
const MIN_ROWS: usize = 5;
/// Numeric columns with more distinct values than this are cut into bands.
const MAX_DISTINCT: usize = 12;
/// Bands that a numeric column is cut into, at most.
const BANDS: usize = 8;

const TITLE: &[&str] = &["title", "movietitle", "itemtitle", "booktitle", "name", "itemname", "productname"];
/// How files write that there is no value.
const MISSING: &[&str] = &["", "nan", "NaN", "null", "NULL", "\\N", "(no genres listed)"];

/// A feature file, by columns. Rows are numbered by the caller.
pub(super) struct Sheet<'a> {
    columns: Vec<Values<'a>>,
    titles: BTreeMap<u32, Cell<'a>>,
    /// Rows that the caller has no number for.
    pub(super) strangers: usize,
    /// Rows that the caller has a number for.
    pub(super) known: usize,
}

/// The values of one column, with the rows that carry them.
struct Values<'a> {
    name: String,
    numeric: bool,
    of: BTreeSet<(Cell<'a>, u32)>,
}

impl<'a> Sheet<'a> {
    /// Reads `file`, whose column of ids is called `named` or has a usual name. `number` gives the row of an
    /// id. An id that occurs again adds to its row; of several titles the first in byte order stays.
    pub(super) fn read(
        file: &'a File,
        layout: &Layout,
        named: Option<&str>,
        usual: &[&str],
        mut number: impl FnMut(&Cell<'a>) -> Option<u32>,
    ) -> Result<Self, ReadError> {
        // The name given is that of the ratings' column; the feature file may have its own.
        let id = match layout.position(named, &[]).or_else(|| layout.position(None, usual)) {
            Some(id) => id,
            None => layout.position(None, &["id"]).map_or_else(|| layout.require(file, named, usual), Ok)?,
        };
        let title = layout.columns.iter().position(|column| TITLE.contains(&plain(&column.name).as_str()));
        let mut sheet = Self { columns: Vec::new(), titles: BTreeMap::new(), strangers: 0, known: 0 };
        let target = layout.columns.iter().enumerate().map(|(position, column)| {
            let is_feature = position != id && Some(position) != title && column.kind != Kind::Ignored;
            is_feature.then(|| sheet.column(&column.name, column.kind))
        });
        let target: Vec<Option<usize>> = target.collect();
        let (mut rows, mut cells) = (layout.rows(file)?, Vec::new());
        while let Some(line) = rows.read(&mut cells)? {
            ids::check(file, line, &layout.columns[id].name, &cells[id])?;
            let Some(row) = number(&cells[id]) else {
                sheet.strangers += 1;
                continue;
            };
            sheet.known += 1;
            for (position, cell) in cells.drain(..).enumerate() {
                if let Some(column) = target[position] {
                    sheet.columns[column].add(layout.columns[position].kind, cell, row);
                } else if Some(position) == title {
                    sheet.add_title(cell, row);
                }
            }
        }
        Ok(sheet)
    }

    /// The place of the values of a column; columns of flags share their name.
    fn column(&mut self, name: &str, kind: Kind) -> usize {
        self.columns.iter().position(|values| values.name == name).unwrap_or_else(|| {
            self.columns.push(Values {
                name: name.to_owned(),
                numeric: kind == Kind::Number,
                of: BTreeSet::new(),
            });
            self.columns.len() - 1
        })
    }

    fn add_title(&mut self, cell: Cell<'a>, row: u32) {
        let title = trimmed(cell);
        if !title.is_empty() && self.titles.get(&row).is_none_or(|other| title < *other) {
            self.titles.insert(row, title);
        }
    }

    /// The titles, given the place of each row.
    pub(super) fn titles(&self, place: &[u32]) -> Vec<Option<String>> {
        let mut titles = vec![None; place.len()];
        for (&row, title) in &self.titles {
            titles[place[row as usize] as usize] = Some(title.clone().into_owned());
        }
        titles
    }

    /// The features, given the place of each row. Where no column holds years, those at the end of titles,
    /// as in `Heat (1995)`, are taken.
    pub(super) fn features(&self, place: &[u32]) -> Features {
        let mut carriers: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        let mut carry = |column: &str, value: &str, row: u32| {
            carriers.entry(format!("{column}:{value}")).or_default().insert(place[row as usize]);
        };
        for column in &self.columns {
            column.label(&mut carry);
        }
        if !self.columns.iter().any(Values::holds_years) {
            for (&row, title) in &self.titles {
                if let Some(year) = year_of_title(title) {
                    carry_year(&mut carry, "release_year", year, row);
                }
            }
        }
        carriers.retain(|_, rows| (MIN_ROWS..place.len()).contains(&rows.len()));
        let mut of = vec![Vec::new(); place.len()];
        for (feature, rows) in carriers.values().enumerate() {
            for &row in rows {
                of[row as usize].push(feature as u32);
            }
        }
        Features { names: carriers.into_keys().collect(), of }
    }
}

impl<'a> Values<'a> {
    fn add(&mut self, kind: Kind, cell: Cell<'a>, row: u32) {
        match kind {
            Kind::Flag(value) if cell.trim() == "1" => drop(self.of.insert((value.into(), row))),
            Kind::Flag(_) | Kind::Ignored => {}
            Kind::Number => self.insert(cell, row),
            Kind::Code(codes) => {
                let meaning = codes.iter().find(|(code, _)| *code == cell.trim());
                self.insert(meaning.map_or(cell, |(_, meaning)| (*meaning).into()), row);
            }
            Kind::Token | Kind::Sequence => {
                let separator = if kind == Kind::Token { '|' } else { ' ' };
                match cell {
                    Cell::Borrowed(text) => {
                        text.split(separator).for_each(|value| self.insert(value.into(), row))
                    }
                    Cell::Owned(text) => {
                        text.split(separator).for_each(|value| self.insert(value.to_owned().into(), row));
                    }
                }
            }
        }
    }

    fn insert(&mut self, value: Cell<'a>, row: u32) {
        let value = trimmed(value);
        if !MISSING.contains(&value.as_ref()) {
            self.of.insert((value, row));
        }
    }

    fn holds_years(&self) -> bool {
        let name = plain(&self.name);
        name.ends_with("year") || name.ends_with("date")
    }

    /// Hands out (column, feature value, row).
    fn label(&self, carry: &mut impl FnMut(&str, &str, u32)) {
        if self.holds_years() {
            for (value, row) in &self.of {
                if let Some(year) = year(value) {
                    carry_year(carry, &self.name, year, *row);
                }
            }
        } else if let Some(bands) = self.bands() {
            for (value, row) in &self.of {
                if let Some(band) =
                    number(value).and_then(|number| bands.iter().find(|band| number <= band.high))
                {
                    carry(&self.name, &band.name(), *row);
                }
            }
        } else {
            for (value, row) in &self.of {
                carry(&self.name, value, *row);
            }
        }
    }

    /// The quantile bands of a column of many numbers; `None` for other columns. Numbers that name things
    /// (ids, zip codes) are not numbers.
    fn bands(&self) -> Option<Vec<Band>> {
        let name = self.name.to_lowercase();
        if name.ends_with("_id")
            || self.name.ends_with("Id")
            || ["zip", "postal", "postcode"].iter().any(|n| name.contains(n))
        {
            return None;
        }
        let mut numbers = Vec::with_capacity(self.of.len());
        for (value, _) in &self.of {
            match number(value) {
                Some(number) => numbers.push(number),
                None if self.numeric || value == "NA" => {} // no number here, but the column is one of numbers
                None => return None,
            }
        }
        numbers.sort_unstable_by(f64::total_cmp);
        let distinct = numbers.chunk_by(|a, b| a == b).count();
        (distinct > MAX_DISTINCT).then(|| cut(&numbers))
    }
}

/// Numbers from `low` to `high`, both included.
#[derive(Debug, PartialEq)]
struct Band {
    low: f64,
    high: f64,
}

impl Band {
    fn name(&self) -> String {
        if self.low == self.high { self.low.to_string() } else { format!("{}..{}", self.low, self.high) }
    }
}

/// Cuts ascending numbers into at most [`BANDS`] bands of about as many numbers each. Equal numbers share a
/// band, the one that their middle rank falls into.
fn cut(numbers: &[f64]) -> Vec<Band> {
    let (mut bands, mut last, mut below) = (Vec::new(), None, 0);
    for equal in numbers.chunk_by(|a, b| a == b) {
        let band = BANDS * (2 * below + equal.len()) / (2 * numbers.len());
        match bands.last_mut() {
            Some(Band { high, .. }) if last == Some(band) => *high = equal[0],
            _ => bands.push(Band { low: equal[0], high: equal[0] }),
        }
        last = Some(band);
        below += equal.len();
    }
    bands
}

/// A finite number. With a leading zero it is a code: `007` is not 7.
fn number(value: &str) -> Option<f64> {
    let is_code = value.len() > 1 && value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|number: &f64| number.is_finite() && !is_code)
}

/// The year in `1995`, `01-Jan-1995` or `1995-01-01`: the first run of four digits.
fn year(value: &str) -> Option<u16> {
    let mut runs = value.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() == 4).and_then(|run| run.parse().ok())
}

/// The year of `Heat (1995)` or `Babylon 5 (1994-1998)`.
pub(super) fn year_of_title(title: &str) -> Option<u16> {
    let (_, end) = title.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    end.chars().all(|c| c.is_ascii_digit() || "-– ".contains(c)).then(|| year(end))?
}

/// A year is two features: its decade, and itself, which tells much of how many know an item that is new.
fn carry_year(carry: &mut impl FnMut(&str, &str, u32), column: &str, year: u16, row: u32) {
    carry(column, &format!("{}s", year / 10 * 10), row);
    carry(column, &year.to_string(), row);
}

fn trimmed(cell: Cell<'_>) -> Cell<'_> {
    match cell {
        Cell::Borrowed(text) => text.trim().into(),
        Cell::Owned(text) => text.trim().to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The features of `text`, a CSV file with the ids `0`, `1`, ….
    fn features(text: &str, rows: u32) -> Features {
        let file = File::of_text("items.csv", text.to_owned());
        let layout = crate::data::headed::layout(&file).unwrap();
        let sheet = Sheet::read(&file, &layout, None, &["item"], |id| id.parse().ok()).unwrap();
        sheet.features(&(0..rows).collect::<Vec<_>>())
    }

    fn csv(header: &str, rows: u32, cells: impl Fn(u32) -> String) -> String {
        (0..rows).fold(format!("item,{header}\n"), |text, row| format!("{text}{row},{}\n", cells(row)))
    }

    #[test]
    fn a_cell_holds_several_values() {
        let text = csv("genre", 10, |row| if row < 5 { "A|B".into() } else { "B| C ".into() });
        let features = features(&text, 10);
        assert_eq!(features.names, ["genre:A", "genre:C"]); // all carry B
        assert_eq!((&features.of[0], &features.of[9]), (&vec![0], &vec![1]));
    }

    #[test]
    fn what_four_rows_carry_is_dropped_and_what_five_carry_stays() {
        let text = csv("tag", 12, |row| ["few", "enough", "x"][[0, 1, 2][(row / 4).min(2) as usize]].into());
        assert!(features(&text, 12).names.is_empty());
        let text = csv("tag", 13, |row| {
            if row < 4 {
                "few".into()
            } else if row < 9 {
                "enough".into()
            } else {
                row.to_string()
            }
        });
        assert_eq!(features(&text, 13).names, ["tag:enough"]);
    }

    #[test]
    fn many_numbers_become_bands_and_few_stay() {
        let many = features(&csv("age", 80, |row| (10 + row).to_string()), 80);
        assert_eq!(many.names.len(), BANDS);
        assert_eq!(many.names[0], "age:10..19");
        let few = features(&csv("age", 60, |row| (row % 12).to_string()), 60);
        assert_eq!(few.names.len(), 12);
    }

    #[test]
    fn equal_numbers_share_a_band() {
        let mut numbers = vec![1.0; 50];
        numbers.extend((2..52).map(f64::from));
        let bands = cut(&numbers);
        assert_eq!(bands[0], Band { low: 1.0, high: 1.0 });
        assert!(bands.len() <= BANDS);
        assert!(bands.windows(2).all(|pair| pair[0].high < pair[1].low));
    }

    #[test]
    fn numbers_that_name_things_are_no_numbers() {
        assert!(
            features(&csv("zip_code,imdbId", 40, |row| format!("{},{}", 10000 + row, row)), 40)
                .names
                .is_empty()
        );
        assert_eq!((number("007"), number("0.5"), number("inf")), (None, Some(0.5), None));
    }

    #[test]
    fn years_become_decades_and_years_wherever_they_stand() {
        let dates = csv("release_date", 12, |row| format!("01-Jan-{}", if row < 6 { 1994 } else { 2001 }));
        let expected = ["1990s", "1994", "2000s", "2001"];
        assert_eq!(features(&dates, 12).names, expected.map(|year| format!("release_date:{year}")));
        let titles = csv("title", 12, |row| format!("Film {row} ({})", if row < 6 { 1994 } else { 2001 }));
        assert_eq!(features(&titles, 12).names, expected.map(|year| format!("release_year:{year}")));
        assert_eq!(year_of_title("Murder at 1600"), None);
        assert_eq!(year_of_title("Babylon 5 (1994-1998) "), Some(1994));
        assert_eq!(year_of_title("Seven (Se7en)"), None);
        assert_eq!(year_of_title("The best of the (1960s)"), None);
    }
}
