//! Reading files of ratings and of features into a [`Dataset`].

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Fault, ReadError};
use super::features::Sheet;
use super::file::File;
use super::layout::{Layout, Role};
use super::ratings::{self, Log};
use super::{Dataset, Features, Levels};

/// The files of a data set and how to understand them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Ratings, or implicit feedback.
    pub ratings: PathBuf,
    /// Titles and features of items.
    pub items: Option<PathBuf>,
    /// Features of users.
    pub users: Option<PathBuf>,
    /// Names of columns, where they are unusual.
    pub columns: Columns,
    /// The rating from which an item counts as liked; by default 4 on five stars, four fifths of the top of
    /// another scale.
    pub like_at: Option<f32>,
    /// Lowest and highest rating; by default 0.5 to 5, or the one of 0 to 10 and 0 to 100 that holds
    /// `like_at`.
    pub scale: Option<(f32, f32)>,
}

/// Names of the columns of the ratings; the usual ones need none. The names for `user` and `item` are
/// looked for in the feature files too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// The user's id.
    pub user: Option<String>,
    /// The item's id.
    pub item: Option<String>,
    /// The rating.
    pub rating: Option<String>,
    /// When.
    pub timestamp: Option<String>,
}

/// What was found, for the user to see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Rows of the ratings.
    pub rows: usize,
    /// Users with interactions.
    pub users: usize,
    /// Items, new ones included.
    pub items: usize,
    /// Items that only the feature file names.
    pub new_items: usize,
    /// Interactions: rows without duplicates.
    pub interactions: usize,
    /// Rows that a later row for the same user and item replaced.
    pub duplicates: usize,
    /// Users of the feature file that have no interaction.
    pub dropped_users: usize,
    /// Feedback levels.
    pub levels: usize,
    /// From which rating an item counts as liked; `None` for implicit feedback.
    pub like_at: Option<f32>,
    /// Number of item features.
    pub item_features: usize,
    /// Number of user features.
    pub user_features: usize,
    /// What deserves a second look.
    pub notes: Vec<String>,
}

/// Reads a data set; the same rows in another order give the same one, unless two rows agree in user, item
/// and time.
///
/// The layout of each file follows from its name and first line: MovieLens (`u.data`, `u.item`, `u.user`;
/// `*.dat`), RecBole (`*.inter`, `*.item`, `*.user`), otherwise CSV or TSV with a header. Ids are opaque
/// text, as they stand in the file. Without a column of ratings the feedback is implicit.
///
/// # Errors
/// The first thing that is wrong, with its file and line: see [`Fault`].
///
/// # Cost
/// The files are held in memory as text. About a second for a million ratings.
pub fn read(source: &Source) -> Result<(Dataset, Reading), ReadError> {
    let open = |path: &Option<PathBuf>| path.as_deref().map(File::open).transpose();
    let ratings = File::open(&source.ratings)?;
    read_files(&ratings, open(&source.items)?.as_ref(), open(&source.users)?.as_ref(), source)
}

/// As [`read`], from files in memory.
pub(super) fn read_files(
    ratings: &File,
    items: Option<&File>,
    users: Option<&File>,
    source: &Source,
) -> Result<(Dataset, Reading), ReadError> {
    let mut log = Log::read(ratings, source)?;
    let rated_items = log.items.len();
    let mut described = 0; // rows of the item file for items with ratings
    let item_sheet = items.map(|file| {
        let layout = Layout::of(file, Role::Items)?;
        let named = source.columns.item.as_deref();
        Sheet::read(file, &layout, named, ratings::ITEM, |id| {
            let number = log.items.intern(id);
            described += usize::from((number as usize) < rated_items);
            Some(number)
        })
    });
    let item_sheet = item_sheet.transpose()?;
    let user_sheet = users.map(|file| {
        let layout = Layout::of(file, Role::Users)?;
        Sheet::read(file, &layout, source.columns.user.as_deref(), ratings::USER, |id| log.users.get(id))
    });
    let user_sheet = user_sheet.transpose()?;

    let Log { users, items, feedback } = log;
    let (users, user_place) = users.sorted();
    let (items, item_place) = items.sorted();
    let histories = feedback.histories(&user_place, &item_place);
    let features = |sheet: Option<&Sheet>, place: &[u32]| match sheet {
        Some(sheet) => sheet.features(place),
        None => Features { names: Vec::new(), of: vec![Vec::new(); place.len()] },
    };
    let dataset = Dataset {
        titles: item_sheet
            .as_ref()
            .map_or_else(|| vec![None; items.len()], |sheet| sheet.titles(&item_place)),
        item_features: features(item_sheet.as_ref(), &item_place),
        user_features: features(user_sheet.as_ref(), &user_place),
        users,
        items,
        interactions: histories.interactions,
        levels: histories.levels,
    };
    let described = item_sheet.is_some().then_some(described);
    let reading = Reading {
        rows: feedback.len(),
        users: dataset.users.len(),
        items: dataset.items.len(),
        new_items: dataset.items.len() - rated_items,
        interactions: feedback.len() - histories.duplicates,
        duplicates: histories.duplicates,
        dropped_users: user_sheet.as_ref().map_or(0, |sheet| sheet.strangers),
        levels: dataset.levels.values.len(),
        like_at: dataset.levels.like_at,
        item_features: dataset.item_features.names.len(),
        user_features: dataset.user_features.names.len(),
        notes: notes(&dataset.levels, described, user_sheet.map(|sheet| sheet.known)),
    };
    Ok((dataset, reading))
}

/// What deserves a second look, given how many rows of each feature file are for items and users with
/// ratings.
fn notes(levels: &Levels, items: Option<usize>, users: Option<usize>) -> Vec<String> {
    let any_like = (0..levels.values.len()).any(|level| levels.liked(level as u8));
    let notes = [
        (!any_like, "no rating counts as a like: nothing can be learned; see --like-at"),
        (items == Some(0), "the file of items names none that has ratings: are the ids the same?"),
        (users == Some(0), "the file of users names none that has ratings: are the ids the same?"),
    ];
    notes.into_iter().filter(|(applies, _)| *applies).map(|(_, note)| note.to_owned()).collect()
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { users, items, interactions, levels, rows, duplicates, new_items, .. } = self;
        write!(f, "{users} users, {items} items, {interactions} interactions, ")?;
        match self.like_at {
            Some(like_at) => writeln!(f, "{levels} feedback levels, liked from {like_at} on")?,
            None => writeln!(f, "implicit feedback")?,
        }
        writeln!(f, "features: {} of items, {} of users", self.item_features, self.user_features)?;
        write!(
            f,
            "{rows} rows: {duplicates} duplicates (the latest stays), {new_items} items without ratings, "
        )?;
        write!(f, "{} users without ratings dropped", self.dropped_users)?;
        self.notes.iter().try_for_each(|note| write!(f, "\nnote: {note}"))
    }
}

/// What a data set may hold: its ratings first, then the file of items and that of users, any of the names.
type Shape = (&'static str, &'static [&'static str], &'static [&'static str]);

const SHAPES: [Shape; 4] = [
    ("u.data", &["u.item"], &["u.user"]),
    ("ratings.dat", &["movies.dat", "items.dat"], &["users.dat"]),
    ("ratings.csv", &["movies.csv", "items.csv"], &["users.csv"]),
    ("ratings.tsv", &["movies.tsv", "items.tsv"], &["users.tsv"]),
];

/// Recognises the data set in a directory by the names of its files.
///
/// # Errors
/// When there is none, or more than one `*.inter`; the message lists what was looked for.
pub fn find(directory: &Path) -> Result<Source, ReadError> {
    let fail = |fault| ReadError { file: directory.to_owned(), line: None, fault };
    if !directory.is_dir() {
        return Err(fail(Fault::NotDirectory));
    }
    let present = |names: &[&str]| names.iter().map(|name| directory.join(name)).find(|path| path.is_file());
    let atomic = atomic_files(directory).map_err(|error| fail(Fault::Io(error)))?;
    if let [ratings] = atomic.as_slice() {
        let companion = |ending| Some(ratings.with_extension(ending)).filter(|path| path.is_file());
        let (items, users) = (companion("item"), companion("user"));
        return Ok(Source { ratings: ratings.clone(), items, users, ..Source::default() });
    }
    if !atomic.is_empty() {
        let names: Vec<_> =
            atomic.iter().filter_map(|path| path.file_name()).map(|n| n.to_string_lossy()).collect();
        return Err(fail(Fault::ManyRatings(names.join(", "))));
    }
    for (ratings, items, users) in SHAPES {
        if let Some(ratings) = present(&[ratings]) {
            return Ok(Source { ratings, items: present(items), users: present(users), ..Source::default() });
        }
    }
    Err(fail(Fault::NoRatings("*.inter, u.data, ratings.dat, ratings.csv, ratings.tsv")))
}

/// The files `*.inter`, sorted.
fn atomic_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "inter") && path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(ratings: &str, source: &Source) -> Result<(Dataset, Reading), ReadError> {
        read_files(&File::of_text("ratings.csv", ratings.to_owned()), None, None, source)
    }

    fn dataset(ratings: &str) -> Dataset {
        read_text(ratings, &Source::default()).unwrap().0
    }

    #[test]
    fn the_order_of_the_rows_leaves_no_trace() {
        let mut rows: Vec<String> = (0..200_u32)
            .map(|n| format!("u{},i{},{},{}\n", n * 7 % 13, n * 11 % 17, n % 9 / 2 + 1, n * 31 % 97))
            .collect();
        let text = |rows: &[String]| format!("user,item,rating,timestamp\n{}", rows.concat());
        let straight = dataset(&text(&rows));
        rows.reverse();
        assert_eq!(dataset(&text(&rows)), straight);
        rows.sort_by_key(|row| (row.len(), row.bytes().rev().collect::<Vec<_>>()));
        assert_eq!(dataset(&text(&rows)), straight);
    }

    #[test]
    fn ids_are_opaque_and_in_byte_order() {
        let dataset = dataset("user,item\n7,b\n007,B\n7 , b\n10,b\n");
        assert_eq!(dataset.users, ["007", "10", "7", "7 "]);
        assert_eq!(dataset.items, [" b", "B", "b"]);
    }

    #[test]
    fn the_latest_duplicate_stays_and_a_tie_goes_to_the_higher_rating() {
        let (dataset, reading) = read_text(
            "user,item,rating,timestamp\na,x,1,20\na,x,2,10\na,y,4,5\na,y,3,5\n",
            &Source::default(),
        )
        .unwrap();
        assert_eq!((reading.rows, reading.duplicates, reading.interactions), (4, 2, 2));
        let kept: Vec<_> = dataset.interactions[0]
            .iter()
            .map(|i| (i.item, dataset.levels.values[usize::from(i.level)], i.time))
            .collect();
        assert_eq!(kept, [(1, 4.0, 5), (0, 1.0, 20)]);
    }

    #[test]
    fn without_ratings_feedback_is_implicit() {
        let (dataset, reading) = read_text("item_id;userId\nx;a\ny;a\nx;a\n", &Source::default()).unwrap();
        assert_eq!((dataset.levels, reading.duplicates), (crate::data::Levels::implicit(), 1));
    }

    #[test]
    fn many_ratings_become_eleven_levels_that_keep_likes_apart() {
        let mut text = "user,item,rating\n".to_owned();
        (5..=50).for_each(|tenths| text += &format!("a,{tenths:02},{}.{}\n", tenths / 10, tenths % 10));
        let dataset = dataset(&text);
        assert_eq!(dataset.levels.values.len(), 11);
        for interaction in &dataset.interactions[0] {
            let tenths: f32 = dataset.items[interaction.item as usize].parse().unwrap();
            assert_eq!(dataset.levels.liked(interaction.level), tenths >= 40.0, "{tenths}");
        }
    }

    #[test]
    fn the_scale_follows_the_threshold_unless_it_is_given() {
        let with = |rating: &str, like_at, scale| {
            let source = Source { like_at, scale, ..Source::default() };
            read_text(&format!("user,item,rating\na,x,{rating}\n"), &source).map(|read| read.0.levels)
        };
        assert!(with("7", None, None).is_err());
        assert!(with("7", Some(7.0), None).unwrap().liked(0));
        assert!(!with("69", Some(70.0), None).unwrap().liked(0));
        assert_eq!(with("8", None, Some((0.0, 10.0))).unwrap().like_at, Some(8.0));
        assert!(with("3", Some(7.0), Some((1.0, 5.0))).is_err());
    }

    #[test]
    fn columns_with_unusual_names_are_named() {
        let columns = Columns { user: Some("who".into()), item: Some("what".into()), ..Columns::default() };
        let source = Source { columns, ..Source::default() };
        assert_eq!(read_text("what,who\nx,a\n", &source).unwrap().0.users, ["a"]);
    }

    #[test]
    fn items_of_the_feature_file_are_new_and_users_of_it_are_dropped() {
        let file = |name: &str, text: &str| File::of_text(name, text.to_owned());
        let ratings = file("ratings.csv", "user,item\nb,y\n");
        let items = file("items.csv", "item,title\nx,\"New, this\"\ny,Old\n");
        let users = file("users.csv", "user,age\na,3\nb,4\n");
        let (dataset, reading) =
            read_files(&ratings, Some(&items), Some(&users), &Source::default()).unwrap();
        assert_eq!(dataset.items, ["x", "y"]);
        assert_eq!(dataset.titles, [Some("New, this".to_owned()), Some("Old".to_owned())]);
        assert_eq!((dataset.users.len(), reading.new_items, reading.dropped_users), (1, 1, 1));
    }

    #[test]
    fn what_deserves_a_second_look_is_noted() {
        let file = |name: &str, text: &str| File::of_text(name, text.to_owned());
        let (ratings, items) =
            (file("r.csv", "user,item,rating\na,1,3\n"), file("i.csv", "id,title\n01,One\n"));
        let (_, reading) = read_files(&ratings, Some(&items), None, &Source::default()).unwrap();
        let text = reading.to_string();
        assert!(text.contains("no rating counts as a like") && text.contains("the file of items names none"));
    }

    #[test]
    fn movielens_and_recbole_files_of_the_same_data_agree() {
        let file = |name: &str, text: String| File::of_text(name, text);
        let flags = |genre: usize| (0..19).map(|g| if g == genre { "|1" } else { "|0" }).collect::<String>();
        let rows = |user: &str| {
            (0..12).map(|item| format!("{user}\t{item:02}\t{}\t{item}\n", item % 5 + 1)).collect::<String>()
        };
        let (mut pipes, mut tabs) = (
            String::new(),
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tgenre:token_seq\n".to_owned(),
        );
        for item in 0..12 {
            let (genre, name, year) = if item < 6 { (8, "Drama", 1994) } else { (1, "Action", 1987) };
            pipes += &format!("{item:02}|Film {item}|01-Jan-{year}||http://x{}\n", flags(genre));
            tabs += &format!("{item:02}\tFilm {item}\t{year}\t{name}\n");
        }
        let header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
        let movielens = (file("u.data", rows("u")), file("u.item", pipes));
        let recbole = (file("a.inter", header.to_owned() + &rows("u")), file("a.item", tabs));
        let read = |(ratings, items): &(File, File)| {
            read_files(ratings, Some(items), None, &Source::default()).unwrap().0
        };
        assert_eq!(read(&movielens), read(&recbole));
        assert_eq!(
            read(&movielens).item_features.names,
            [
                "genre:Action",
                "genre:Drama",
                "release_year:1980s",
                "release_year:1987",
                "release_year:1990s",
                "release_year:1994"
            ]
        );
    }

    #[test]
    fn dat_files_are_split_at_double_colons() {
        let ratings = File::of_text("ratings.dat", "1::10::5::3\n2::10::4::3\n".to_owned());
        let items =
            File::of_text("movies.dat", "10::2001: A Space Odyssey (1968)::Sci-Fi|Drama\n".to_owned());
        let users = File::of_text("users.dat", (1..8).map(|n| format!("{n}::F::1::10::48067\n")).collect());
        let (dataset, reading) =
            read_files(&ratings, Some(&items), Some(&users), &Source::default()).unwrap();
        assert_eq!(dataset.titles, [Some("2001: A Space Odyssey (1968)".to_owned())]);
        assert_eq!((reading.users, reading.dropped_users), (2, 5));
    }

    #[test]
    fn a_directory_is_recognised_by_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let touch = |name: &str| std::fs::write(directory.path().join(name), "x").unwrap();
        assert!(find(directory.path()).unwrap_err().to_string().contains("looked for *.inter, u.data"));
        touch("ratings.csv");
        touch("items.csv");
        let source = find(directory.path()).unwrap();
        assert_eq!((source.items, source.users), (Some(directory.path().join("items.csv")), None));
        touch("b.inter");
        touch("b.user");
        let source = find(directory.path()).unwrap();
        assert_eq!((source.items, source.users), (None, Some(directory.path().join("b.user"))));
        touch("a.inter");
        assert!(find(directory.path()).unwrap_err().to_string().contains("a.inter, b.inter"));
    }
}
