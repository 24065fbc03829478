//! `trainer fetch`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::screen::Screen;
use tinderbox_trainer::data::fetch::fetch_ml_100k;

/// Get a public data set
///
/// MovieLens 100K comes with the PyPI package recbole 1.2.1 (2 MB), which this asks pip for, or out of GroupLens' own
/// zip that you give with --from. Sizes and a hash are checked.
#[derive(Args)]
#[command(after_help = "Example:\n  trainer fetch ml-100k && trainer evaluate --data ml-100k --folds 1")]
pub(crate) struct Fetch {
    /// Which data set
    #[arg(value_enum)]
    name: Name,

    /// Directory in which to make `ml-100k`
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// A file that you have: GroupLens' ml-100k.zip, or the recbole wheel
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// MovieLens 100K: 943 users, 1,682 movies, 100,000 ratings
    #[value(name = "ml-100k")]
    Ml100k,
}

impl Fetch {
    pub(crate) fn run(self) -> Result<()> {
        let Name::Ml100k = self.name;
        let screen = Screen::new("fetching MovieLens 100K");
        let fetched = fetch_ml_100k(&self.dir, self.from.as_deref())?;
        drop(screen);
        writeln!(stdout().lock(), "{fetched}")?;
        Ok(())
    }
}
