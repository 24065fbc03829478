//! GroupLens' own files without a header: `u.data`, `u.item`, `u.user` of MovieLens-100K (READMEs at
//! <https://grouplens.org/datasets/movielens/>) and the `.dat` files of MovieLens-1M and -10M, which
//! MovieTweetings has too.

use super::file::File;
use super::layout::{Column, Kind, Layout, Role};

/// The genres of MovieLens-100K, in the order of the flags of `u.item`.
pub(super) const GENRES: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];

/// The age codes of MovieLens-1M.
const AGES: &[(&str, &str)] = &[
    ("1", "under 18"),
    ("18", "18-24"),
    ("25", "25-34"),
    ("35", "35-44"),
    ("45", "45-49"),
    ("50", "50-55"),
    ("56", "56+"),
];

/// The occupation codes of MovieLens-1M.
const OCCUPATIONS: &[(&str, &str)] = &[
    ("0", "other"),
    ("1", "academic/educator"),
    ("2", "artist"),
    ("3", "clerical/admin"),
    ("4", "college/grad student"),
    ("5", "customer service"),
    ("6", "doctor/health care"),
    ("7", "executive/managerial"),
    ("8", "farmer"),
    ("9", "homemaker"),
    ("10", "K-12 student"),
    ("11", "lawyer"),
    ("12", "programmer"),
    ("13", "retired"),
    ("14", "sales/marketing"),
    ("15", "scientist"),
    ("16", "self-employed"),
    ("17", "technician/engineer"),
    ("18", "tradesman/craftsman"),
    ("19", "unemployed"),
    ("20", "writer"),
];

/// The layout of one of these files; `None` for other files.
pub(super) fn layout(file: &File, role: Role) -> Option<Layout> {
    let (name, line) = (file.name(), file.first_line());
    let (separator, columns) = if name.ends_with(".dat") && line.contains("::") {
        ("::", dat(role, line.split("::").count()))
    } else if name == "u.data" && role == Role::Ratings {
        ("\t", ratings())
    } else if name == "u.item" && role == Role::Items {
        ("|", items())
    } else if name == "u.user" && role == Role::Users {
        ("|", tokens(&["user", "age", "gender", "occupation", "zip_code"]))
    } else {
        return None;
    };
    Some(Layout { separator, quotes: false, header: false, columns })
}

fn dat(role: Role, width: usize) -> Vec<Column> {
    match role {
        Role::Ratings => ratings(),
        Role::Items => tokens(&["item", "title", "genre"]),
        // MovieTweetings: the second cell is the user's number at Twitter.
        Role::Users if width == 2 => vec![Column::new("user", Kind::Token), ignored()],
        Role::Users => vec![
            Column::new("user", Kind::Token),
            Column::new("gender", Kind::Token),
            Column::new("age", Kind::Code(AGES)),
            Column::new("occupation", Kind::Code(OCCUPATIONS)),
            Column::new("zip_code", Kind::Token),
        ],
    }
}

fn ratings() -> Vec<Column> {
    tokens(&["user", "item", "rating", "timestamp"])
}

/// Id, title, release date, release date of the video, address, genre flags.
fn items() -> Vec<Column> {
    let mut columns = tokens(&["item", "title", "release_year"]);
    columns.extend([ignored(), ignored()]);
    columns.extend(GENRES.map(|genre| Column::new("genre", Kind::Flag(genre))));
    columns
}

fn tokens(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column::new(name, Kind::Token)).collect()
}

fn ignored() -> Column {
    Column::new("", Kind::Ignored)
}
