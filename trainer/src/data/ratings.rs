//! The file of ratings, or of implicit feedback, as interactions.

use super::error::{Fault, ReadError, excerpt};
use super::file::{Cell, File};
use super::ids::{self, Ids};
use super::layout::{Layout, Role};
use super::read::{Columns, Source};
use super::{Interaction, Levels};

/// Usual names of the columns, as [`plain`](super::layout::plain) writes them; the first is ours.
pub(super) const USER: &[&str] =
    &["user", "userid", "uid", "reviewerid", "customer", "customerid", "member", "memberid"];
pub(super) const ITEM: &[&str] = &[
    "item",
    "itemid",
    "movie",
    "movieid",
    "iid",
    "product",
    "productid",
    "article",
    "articleid",
    "book",
    "bookid",
    "isbn",
    "track",
    "trackid",
    "song",
    "songid",
    "artist",
    "artistid",
    "asin",
    "sku",
];
const RATING: &[&str] = &["rating", "ratings", "stars", "score", "bookrating", "overall"];
const TIMESTAMP: &[&str] = &["timestamp", "time", "ts", "unixreviewtime"];

/// More distinct ratings than this are quantised.
const MAX_LEVELS: usize = 32;
/// Number of levels after quantisation.
const QUANTISED: u8 = 11;

/// What ratings may be, and from where on they are likes.
#[derive(Clone, Copy, Debug)]
struct Scale {
    low: f32,
    high: f32,
    like_at: f32,
}

impl Scale {
    /// The scale of `source`; where it says nothing, five stars, or the usual scale that holds `like_at`.
    /// Without `like_at`, a like is four fifths of the highest rating: 4 on five stars.
    fn of(source: &Source) -> Result<Self, Fault> {
        let (low, high) = source.scale.unwrap_or(match source.like_at {
            Some(like_at) if like_at > 10.0 => (0.0, 100.0),
            Some(like_at) if like_at > 5.0 => (0.0, 10.0),
            _ => (0.5, 5.0),
        });
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(Fault::Scale { low, high });
        }
        let like_at = source.like_at.unwrap_or(0.8 * high);
        if !(low < like_at && like_at <= high) {
            return Err(Fault::LikeAt { like_at, low, high });
        }
        Ok(Self { low, high, like_at })
    }

    fn parse(&self, cell: &str) -> Result<f32, Fault> {
        let rating: f32 = cell.trim().parse().map_err(|_| Fault::Rating(excerpt(cell)))?;
        if !rating.is_finite() {
            return Err(Fault::NotFinite(excerpt(cell)));
        }
        if !(self.low..=self.high).contains(&rating) {
            return Err(Fault::OffScale { found: excerpt(cell), low: self.low, high: self.high });
        }
        Ok(rating + 0.0) // -0 becomes 0
    }

    /// The level of each rating: the distinct ratings, or evenly spaced ones where those are too many.
    fn levels(&self, ratings: impl Iterator<Item = f32>) -> Levels {
        let mut values: Vec<f32> = Vec::new();
        for rating in ratings {
            if let Err(place) = values.binary_search_by(|value| value.total_cmp(&rating)) {
                values.insert(place, rating);
            }
            if values.len() > MAX_LEVELS {
                let step = f64::from(self.high - self.low) / f64::from(QUANTISED - 1);
                values = (0..QUANTISED)
                    .map(|level| (f64::from(self.low) + f64::from(level) * step) as f32)
                    .collect();
                break;
            }
        }
        Levels { values, like_at: Some(self.like_at) }
    }
}

/// The level nearest to `rating`, on the same side of `like_at`.
fn nearest(levels: &Levels, rating: f32) -> u8 {
    let is_like = |value: f32| levels.like_at.is_none_or(|like_at| value >= like_at);
    let distance = |level: &usize| (levels.values[*level] - rating).abs();
    let same_side =
        (0..levels.values.len()).filter(|&level| is_like(levels.values[level]) == is_like(rating));
    same_side.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0) as u8
}

/// One row; users and items numbered as they appear.
struct Row {
    user: u32,
    item: u32,
    rating: f32,
    time: i64,
}

/// The file, before users and items are put in order.
pub(super) struct Log<'a> {
    pub(super) users: Ids<'a>,
    pub(super) items: Ids<'a>,
    pub(super) feedback: Feedback,
}

/// The rows in the order of the file.
pub(super) struct Feedback {
    rows: Vec<Row>,
    /// `None` for implicit feedback.
    scale: Option<Scale>,
}

/// The interactions of each user, in canonical order.
pub(super) struct Histories {
    pub(super) interactions: Vec<Vec<Interaction>>,
    pub(super) levels: Levels,
    pub(super) duplicates: usize,
}

/// Where the columns are.
pub(super) struct Positions {
    pub(super) user: usize,
    pub(super) item: usize,
    pub(super) rating: Option<usize>,
    timestamp: Option<usize>,
}

impl Positions {
    pub(super) fn of(file: &File, layout: &Layout, columns: &Columns) -> Result<Self, ReadError> {
        // A column that was named must be there, one with a usual name may be missing.
        let optional = |named: &Option<String>, usual| match named {
            Some(name) => layout.require(file, Some(name), usual).map(Some),
            None => Ok(layout.position(None, usual)),
        };
        Ok(Self {
            user: layout.require(file, columns.user.as_deref(), USER)?,
            item: layout.require(file, columns.item.as_deref(), ITEM)?,
            rating: optional(&columns.rating, RATING)?,
            timestamp: optional(&columns.timestamp, TIMESTAMP)?,
        })
    }
}

impl<'a> Log<'a> {
    pub(super) fn read(file: &'a File, source: &Source) -> Result<Self, ReadError> {
        let layout = Layout::of(file, Role::Ratings)?;
        let at = Positions::of(file, &layout, &source.columns)?;
        let scale = Scale::of(source).map_err(|fault| file.fail(None, fault))?;
        let (mut users, mut items) = (Ids::default(), Ids::default());
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        let mut lines = layout.rows(file)?;
        while let Some(line) = lines.read(&mut cells)? {
            let fail = |fault| file.fail(line, fault);
            for column in [at.user, at.item] {
                ids::check(file, line, &layout.columns[column].name, &cells[column])?;
            }
            rows.push(Row {
                user: users.intern(&cells[at.user]),
                item: items.intern(&cells[at.item]),
                rating: at.rating.map_or(Ok(1.0), |rating| scale.parse(&cells[rating])).map_err(fail)?,
                time: at.timestamp.map_or(Ok(0), |time| timestamp(&cells[time])).map_err(fail)?,
            });
        }
        if rows.is_empty() {
            return Err(file.fail(None, Fault::HeaderOnly));
        }
        Ok(Self { users, items, feedback: Feedback { rows, scale: at.rating.map(|_| scale) } })
    }
}

impl Feedback {
    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Groups the rows by user, given the places of users and items in canonical order. Of rows with the
    /// same user and item the latest stays, among equally late ones the highest rating: the order of the file is of no
    /// consequence.
    pub(super) fn histories(&self, users: &[u32], items: &[u32]) -> Histories {
        let mut of_user: Vec<Vec<(u32, i64, f32)>> = vec![Vec::new(); users.len()];
        for row in &self.rows {
            of_user[users[row.user as usize] as usize].push((items[row.item as usize], row.time, row.rating));
        }
        for history in &mut of_user {
            history.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(b.2.total_cmp(&a.2)));
            history.dedup_by_key(|&mut (item, ..)| item);
            history.sort_unstable_by_key(|&(item, time, _)| (time, item));
        }
        let kept: usize = of_user.iter().map(Vec::len).sum();
        let levels = self.scale.map_or_else(Levels::implicit, |scale| {
            scale.levels(of_user.iter().flatten().map(|&(.., rating)| rating))
        });
        let interaction = |&(item, time, rating): &(u32, i64, f32)| Interaction {
            item,
            level: nearest(&levels, rating),
            time,
        };
        let interactions = of_user.iter().map(|history| history.iter().map(interaction).collect()).collect();
        Histories { interactions, levels, duplicates: self.rows.len() - kept }
    }
}

/// Seconds, or whatever the log counts; fractions are cut off.
fn timestamp(cell: &Cell) -> Result<i64, Fault> {
    let trimmed = cell.trim();
    if let Ok(time) = trimmed.parse() {
        return Ok(time);
    }
    match trimmed.parse::<f64>() {
        Ok(time) if time.is_finite() => Ok(time as i64), // saturates far beyond any clock
        _ => Err(Fault::Timestamp(excerpt(cell))),
    }
}
