//! `trainer quickstart`.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use super::{evaluate, export, fit, recommend};
use crate::screen::Screen;
use tinderbox::{Feedback, Filter, Model, ModelFile, Session};
use tinderbox_trainer::data::World;
use tinderbox_trainer::data::fetch::fetch_ml_100k;
use tinderbox_trainer::data::{Dataset, find, read};
use tinderbox_trainer::evaluate::{Method, Plan, Protocol};
use tinderbox_trainer::fit::Choice;
use tinderbox_trainer::report::{METRICS, Report};
use tinderbox_trainer::run::Run;
use tinderbox_trainer::train::Config;

/// See it all: get MovieLens 100K, learn, export, compare with baselines, recommend to a new user
///
/// Takes about a minute. Without a network it says so and does the same in a synthetic world.
#[derive(Args)]
pub(crate) struct Quickstart {
    /// Directory for the data, the run and the model file
    #[arg(long, value_name = "DIR", default_value = "quickstart")]
    dir: PathBuf,

    /// Do not try to fetch: use the synthetic world
    #[arg(long)]
    offline: bool,

    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The synthetic world that stands in for MovieLens 100K: of its size.
const WORLD: World = World { users: 943, items: 1_682, interactions: 106, implicit: false, seed: 1 };

impl Quickstart {
    pub(crate) fn run(self) -> Result<()> {
        let start = Instant::now();
        fs::create_dir_all(&self.dir).with_context(|| self.dir.display().to_string())?;
        heading("1. Data: every user is a task")?;
        let dataset = self.data()?;
        heading("2. Learn (fit), and write the model file (export)")?;
        let config = Config { seed: self.seed, ..Config::default() };
        let (run, file) = (self.dir.join("run"), self.dir.join("model.tbx"));
        fit::fit(&dataset, Choice::Auto { dim: None }, &config, &run)?;
        export::write(&Run::load(&run)?, &file)?;
        heading("3. Compare with baselines on users that training did not see: one fold of ten")?;
        compare(&dataset, config)?;
        heading("4. A new user: the list before any feedback, and after three likes and a dislike")?;
        show(&file)?;
        let seconds = start.elapsed().as_secs();
        writeln!(
            stdout().lock(),
            "\nDone in {seconds} s. Try another user: trainer recommend {} --like ID --dislike ID",
            file.display()
        )?;
        Ok(())
    }

    fn data(&self) -> Result<Dataset> {
        let directory = self.fetch().or_else(|| {
            let directory = self.dir.join("world");
            WORLD.write(&directory).map(|()| directory).map_err(|error| eprintln!("error: {error}")).ok()
        });
        let directory = directory.context("no data")?;
        let (dataset, reading) = read(&find(&directory)?)?;
        writeln!(stdout().lock(), "{reading}")?;
        Ok(dataset)
    }

    /// The directory of MovieLens 100K; `None`, and a line that says why, where it cannot be had.
    fn fetch(&self) -> Option<PathBuf> {
        if self.offline {
            return None;
        }
        let screen = Screen::new("fetching MovieLens 100K");
        let fetched = fetch_ml_100k(&self.dir, None);
        drop(screen);
        match fetched {
            Ok(fetched) => {
                println!("{fetched}");
                Some(self.dir.join("ml-100k"))
            }
            Err(error) => {
                println!(
                    "MovieLens 100K cannot be had: {error}\nA synthetic world of the same size takes its place."
                );
                None
            }
        }
    }
}

fn heading(text: &str) -> Result<()> {
    writeln!(stdout().lock(), "\n{text}\n")?;
    Ok(())
}

fn compare(dataset: &Dataset, config: Config) -> Result<()> {
    let (dataset, _) = dataset.filter(5, 20);
    let plan = Plan {
        protocol: Protocol::P1,
        folds: 1,
        methods: Method::all(Protocol::P1),
        config,
        dim: None,
        seed: 1,
    };
    let outcomes = evaluate::compare(&dataset, &plan)?;
    write!(stdout().lock(), "{}", Report::new(&plan, &outcomes).table(METRICS[0].0))?;
    writeln!(
        stdout().lock(),
        "\nOne fold decides nothing; `trainer evaluate --folds 10` measures on every user once."
    )?;
    Ok(())
}

/// Shows what feedback changes. The new user likes three items of one corner of the catalogue that are popular, and
/// dislikes the most popular item that is far from it.
fn show(file: &Path) -> Result<()> {
    let file = ModelFile::read(file)?;
    let model = file.model()?;
    let feedback = example(&model)?;
    let mut stdout = stdout().lock();
    writeln!(stdout, "Before:")?;
    write!(stdout, "{}", recommend::recommend(model, &[], &[], &Filter::default(), 10)?)?;
    writeln!(stdout)?;
    for &(id, said) in &feedback {
        let verb = if said == Feedback::Like { "likes   " } else { "dislikes" };
        let item = model.item(id).unwrap_or_default() as u32;
        writeln!(stdout, "The user {verb} {}", recommend::name(&model, item))?;
    }
    writeln!(stdout, "\nAfter:")?;
    write!(stdout, "{}", recommend::recommend(model, &feedback, &[], &Filter::default(), 10)?)?;
    Ok(())
}

/// Three likes and a dislike that a person could have: the item of the thirty most popular whose like moves the list
/// most, its two nearest neighbours among the two hundred most popular, and of the thirty the one that ends lowest.
fn example<'a>(model: &Model<'a>) -> Result<Vec<(&'a str, Feedback)>> {
    let popular = model.items().min(30) as u32;
    let many = model.items().min(200) as u32;
    let mut scratch = vec![0.0; Session::scratch_len(model, 3)];
    let mut session = Session::new(*model, &mut scratch)?;
    let mut scores_after = |items: &[u32]| -> Result<Vec<f32>> {
        let like = |&item| tinderbox::Interaction::at(model, item, Feedback::Like);
        session.adapt(&items.iter().map(like).collect::<Result<Vec<_>, _>>()?)?;
        Ok((0..many).map(|item| session.score(item)).collect::<Result<_, _>>()?)
    };
    let before = scores_after(&[])?;
    let mut likes = Vec::new();
    let mut largest = 0.0;
    for item in 0..popular {
        let after = scores_after(&[item])?;
        let moved: f32 = after.iter().zip(&before).map(|(after, before)| (after - before).abs()).sum();
        if moved > largest {
            (largest, likes) = (moved, vec![item]);
        }
    }
    while likes.len() < 3.min(many as usize) {
        let after = scores_after(&likes)?;
        let gain = |item: u32| after[item as usize] - before[item as usize];
        let candidates = (0..many).filter(|item| !likes.contains(item));
        likes.extend(candidates.max_by(|&a, &b| gain(a).total_cmp(&gain(b))));
    }
    let after = scores_after(&likes)?;
    let candidates = (0..popular).filter(|item| !likes.contains(item));
    let dislike = candidates.min_by(|&a, &b| after[a as usize].total_cmp(&after[b as usize]));
    let dislike = dislike.filter(|_| model.levels().plain_dislike().is_some());
    let likes = likes.into_iter().map(|item| (item, Feedback::Like));
    let feedback = likes.chain(dislike.map(|item| (item, Feedback::Dislike)));
    feedback
        .map(|(item, said)| Ok((model.id(item as usize).context("an id that is not text")?, said)))
        .collect()
}
