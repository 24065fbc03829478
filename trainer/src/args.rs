//! Arguments that several commands share.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use tinderbox_trainer::data::{Columns, Dataset, Reading, Source, find, read};
use tinderbox_trainer::episode::{Order, Rank};
use tinderbox_trainer::fit::Choice;
use tinderbox_trainer::learner::Kind;
use tinderbox_trainer::train::{Config, parse_dim, parse_steps};

/// Where the interactions are, and how to read them.
#[derive(Args)]
pub(crate) struct DataArgs {
    /// Directory with a data set in a known layout: MovieLens (u.data, ratings.dat or ratings.csv), RecBole (.inter)
    #[arg(long, value_name = "DIR", required_unless_present = "ratings", conflicts_with_all = ["ratings", "items", "users"])]
    data: Option<PathBuf>,

    /// Interactions: u.data, ratings.dat, ratings.csv, .inter, or any CSV/TSV with a header and the columns user,
    /// item and, optionally, rating and timestamp. Without ratings everything is a like
    #[arg(long, value_name = "FILE")]
    ratings: Option<PathBuf>,

    /// Item features: a file with the item's id, maybe a title, and any feature columns; several values in a cell are
    /// separated by `|`
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,

    /// User features: a file with the user's id and any feature columns
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,

    /// The rating from which an item counts as liked [default: 4, on five stars]
    #[arg(long, value_name = "RATING")]
    like_at: Option<f32>,

    /// Lowest and highest rating of the scale, like 1..10 [default: 0.5..5, or the scale that --like-at suggests]
    #[arg(long, value_name = "MIN..MAX", value_parser = scale)]
    scale: Option<(f32, f32)>,

    #[command(flatten)]
    columns: ColumnArgs,
}

/// What the columns are called.
#[derive(Args)]
pub(crate) struct ColumnArgs {
    /// Name of the column with the user's id
    #[arg(long, value_name = "NAME")]
    user_column: Option<String>,

    /// Name of the column with the item's id
    #[arg(long, value_name = "NAME")]
    item_column: Option<String>,

    /// Name of the column with the rating
    #[arg(long, value_name = "NAME")]
    rating_column: Option<String>,

    /// Name of the column with the time
    #[arg(long, value_name = "NAME")]
    timestamp_column: Option<String>,
}

/// How to learn.
#[derive(Args)]
pub(crate) struct LearnerArgs {
    /// Length of an embedding: a multiple of 16. 32 suits dense data, long-tailed catalogues want more [default: auto
    /// chooses, the others take 32, or 16 for rated items]
    #[arg(long, value_parser = parse_dim)]
    pub(crate) dim: Option<usize>,

    /// Inner steps (maml) [default: 8; 16 to rank rated items]
    #[arg(long, value_parser = parse_steps)]
    steps: Option<usize>,

    /// What the learners learn to rank [default: catalogue; rated under evaluate's protocol p2]
    #[arg(long, value_enum)]
    rank: Option<RankName>,

    /// Drop the second-order terms of the gradient (maml): for comparison, it costs accuracy
    #[arg(long)]
    first_order: bool,

    /// Weight of the closed-form teacher's predictions beside the users' own likes; 0 trains without a teacher, in time
    /// order it is three tenths
    #[arg(long, value_name = "WEIGHT", default_value_t = Config::default().teacher_weight)]
    teacher_weight: f64,

    /// Train on early feedback followed by late, in place of a random split: for new users whose first feedback is
    /// unlike what they like later. Needs times in the log
    #[arg(long)]
    time_order: bool,

    /// Most epochs; training stops earlier when validation no longer improves
    #[arg(long, default_value_t = Config::default().epochs)]
    epochs: u32,

    /// Seed of everything random: the same seed and data give the same file
    #[arg(long, default_value_t = Config::default().seed)]
    pub(crate) seed: u64,

    /// Threads [default: one for each core]; the result does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// What is ranked, by name.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RankName {
    /// The whole catalogue: what the user likes above everything else
    Catalogue,
    /// Rated items among themselves: what the user rates high above what the user rates low
    Rated,
}

/// A learner by name.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LearnerName {
    /// Try some, keep the best on validation
    Auto,
    /// Gradient steps from a learned prior, with learned step sizes
    Maml,
    /// Prior plus weighted mean of the support
    Prototypical,
    /// Attention over the support
    Matching,
}

impl LearnerName {
    /// `dim`: the length of an embedding, if it was given.
    pub(crate) fn choice(self, dim: Option<usize>) -> Choice {
        match self {
            Self::Auto => Choice::Auto { dim },
            Self::Maml => Choice::One(Kind::Maml),
            Self::Prototypical => Choice::One(Kind::Prototypical),
            Self::Matching => Choice::One(Kind::Matching),
        }
    }
}

impl DataArgs {
    /// Reads the data set and says on standard error what was found.
    pub(crate) fn read(self) -> Result<(Dataset, Reading)> {
        let source = self.source()?;
        let (dataset, reading) = read(&source)?;
        eprintln!("{reading}");
        Ok((dataset, reading))
    }

    /// What to call the data set: the name of its directory, or of its ratings without the ending.
    pub(crate) fn name(&self) -> String {
        let name = match (&self.data, &self.ratings) {
            (Some(directory), _) => directory.file_name(),
            (None, ratings) => ratings.as_ref().and_then(|path| path.file_stem()),
        };
        name.map_or_else(|| "this data".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    fn source(self) -> Result<Source> {
        let found = match (self.data, self.ratings) {
            (Some(directory), _) => find(&directory).with_context(|| {
                let is_known = directory.ends_with("ml-100k") && !directory.exists();
                if is_known { "get it with `trainer fetch ml-100k`" } else { "no data set" }
            })?,
            (None, ratings) => Source {
                ratings: ratings.unwrap_or_default(),
                items: self.items,
                users: self.users,
                ..Source::default()
            },
        };
        Ok(Source { columns: self.columns.into(), like_at: self.like_at, scale: self.scale, ..found })
    }
}

impl From<ColumnArgs> for Columns {
    fn from(names: ColumnArgs) -> Self {
        Self {
            user: names.user_column,
            item: names.item_column,
            rating: names.rating_column,
            timestamp: names.timestamp_column,
        }
    }
}

impl LearnerArgs {
    /// The configuration, which ranks what `rank` says unless told otherwise, and the thread pool that everything after
    /// runs on.
    pub(crate) fn config(&self, rank: Rank) -> Result<Config> {
        threads(self.threads)?;
        let default = Config::for_rank(match self.rank {
            Some(RankName::Catalogue) => Rank::Catalogue,
            Some(RankName::Rated) => Rank::Rated,
            None => rank,
        });
        Ok(Config {
            dim: self.dim.unwrap_or(default.dim),
            steps: self.steps.unwrap_or(default.steps),
            first_order: self.first_order,
            teacher_weight: self.teacher_weight,
            order: if self.time_order { Order::Time } else { Order::Random },
            epochs: self.epochs,
            seed: self.seed,
            ..default
        })
    }
}

/// Makes the thread pool that everything after runs on, where a number was given.
pub(crate) fn threads(number: Option<usize>) -> Result<()> {
    match number {
        Some(number) => {
            rayon::ThreadPoolBuilder::new().num_threads(number).build_global().context("no thread pool")
        }
        None => Ok(()),
    }
}

fn scale(text: &str) -> Result<(f32, f32), String> {
    let error = || format!("{text:?} is no scale: give the lowest and the highest rating, like 1..10");
    let (lowest, highest) = text.split_once("..").ok_or_else(error)?;
    let number = |text: &str| text.parse::<f32>().ok().filter(|value| value.is_finite()).ok_or_else(error);
    let (lowest, highest) = (number(lowest)?, number(highest)?);
    if lowest < highest { Ok((lowest, highest)) } else { Err(error()) }
}
