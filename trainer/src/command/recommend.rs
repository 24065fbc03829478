//! `trainer recommend`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::model::read_model;
use crate::args::ColumnArgs;
use tinderbox::{Feedback, FeedbackError, Filter, Interaction, Model, Ranked, Reason, Session};
use tinderbox_trainer::data::{Columns, Support, read_supports};

/// Recommend to one new user, or to many
///
/// One user: say what the user likes, dislikes or rates, by item id; see titles, scores and reasons. Many users: give a
/// table with the columns user, item and, where the model has ratings, rating; get a TSV with the header
/// `user rank item score`, users in input order.
#[derive(Args)]
#[command(after_help = "Examples:
  trainer recommend movies.tbx --like 50 --like 181 --dislike 313 --top 10
  trainer recommend movies.tbx --rate 50=4.5 --category class:Comedy
  trainer recommend movies.tbx --users support.tsv --top 20 > lists.tsv")]
pub(crate) struct Recommend {
    /// The model file
    file: PathBuf,

    /// The user likes this item
    #[arg(long, value_name = "ID", conflicts_with = "users")]
    like: Vec<String>,

    /// The user dislikes this item
    #[arg(long, value_name = "ID", conflicts_with = "users")]
    dislike: Vec<String>,

    /// The user gives this rating, on the scale that the model was trained on
    #[arg(long, value_name = "ID=VALUE", value_parser = rating, conflicts_with = "users")]
    rate: Vec<(String, f32)>,

    /// Feedback of many users: a CSV or TSV with the columns user, item and, optionally, rating
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,

    #[command(flatten)]
    columns: ColumnArgs,

    /// Length of a list
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,

    /// Only items of this category; several add up [see them: trainer inspect FILE --json]
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,

    /// Something known of the user, a user feature by name, like gender:F
    #[arg(long, value_name = "NAME", conflicts_with = "users")]
    feature: Vec<String>,
}

impl Recommend {
    pub(crate) fn run(self) -> Result<()> {
        let file = read_model(&self.file)?;
        let model = file.model().with_context(|| self.file.display().to_string())?;
        let categories = self.categories(&model)?;
        let filter = Filter { categories: &categories, ..Filter::default() };
        match &self.users {
            Some(path) => recommend_to_many(model, path, &self.columns.into(), &filter, self.top),
            None => {
                let features = self.features(&model)?;
                let list = recommend(model, &self.feedback(), &features, &filter, self.top)?;
                write!(stdout().lock(), "{list}")?;
                Ok(())
            }
        }
    }

    fn feedback(&self) -> Vec<(&str, Feedback)> {
        let likes = self.like.iter().map(|id| (id.as_str(), Feedback::Like));
        let dislikes = self.dislike.iter().map(|id| (id.as_str(), Feedback::Dislike));
        let ratings = self.rate.iter().map(|(id, value)| (id.as_str(), Feedback::Rating(*value)));
        likes.chain(dislikes).chain(ratings).collect()
    }

    fn categories(&self, model: &Model<'_>) -> Result<Vec<u32>> {
        let table = model.categories();
        let find = |name: &String| {
            let known = || (0..table.len()).filter_map(|c| table.name(c)).collect::<Vec<_>>().join(", ");
            let found =
                table.find(name).with_context(|| format!("no category {name:?}; known: {}", known()))?;
            Ok(found as u32)
        };
        self.category.iter().map(find).collect()
    }

    fn features(&self, model: &Model<'_>) -> Result<Vec<u32>> {
        let table = model.user_features();
        let find = |name: &String| {
            let known = || (0..table.len()).filter_map(|f| table.name(f)).collect::<Vec<_>>().join(", ");
            let found =
                table.find(name).with_context(|| format!("no user feature {name:?}; known: {}", known()))?;
            Ok(found as u32)
        };
        self.feature.iter().map(find).collect()
    }
}

/// A list with titles, scores and reasons, ready to print.
pub(crate) fn recommend(
    model: Model<'_>,
    feedback: &[(&str, Feedback)],
    features: &[u32],
    filter: &Filter<'_>,
    top: usize,
) -> Result<String> {
    let interaction = |&(id, feedback): &(&str, Feedback)| {
        Interaction::of(&model, id, feedback).with_context(|| format!("item {id:?}"))
    };
    let support: Vec<Interaction> = feedback.iter().map(interaction).collect::<Result<_>>()?;
    let mut scratch = vec![0.0; Session::scratch_len(&model, support.len())];
    let mut session = Session::new(model, &mut scratch)?;
    session.set_features(features)?;
    session.adapt(&support)?;
    let mut out = vec![Ranked::default(); top.min(model.items())];
    let mut text = String::new();
    for (position, ranked) in session.rank(filter, &mut out)?.iter().enumerate() {
        let reason = match session.explain(ranked.item, &mut [Reason::default()])? {
            [reason] if reason.effect > 0.0 => because(&model, &support, reason.item),
            _ => String::new(),
        };
        text += &format!("{:3}  {:6.3}  {}{reason}\n", position + 1, ranked.score, name(&model, ranked.item));
    }
    Ok(text)
}

/// The strongest reason in words.
fn because(model: &Model<'_>, support: &[Interaction], item: u32) -> String {
    let is_liked = |i: &Interaction| i.item == item && model.levels().liked(usize::from(i.level));
    let said = if support.iter().any(is_liked) { "liked" } else { "did not like" };
    format!("  (because you {said} {})", name(model, item))
}

/// Title and id, or the id alone.
pub(crate) fn name(model: &Model<'_>, item: u32) -> String {
    let id = model.id(item as usize).unwrap_or("?");
    match model.title(item as usize) {
        Some(title) if !title.is_empty() => format!("{title} [{id}]"),
        _ => id.to_owned(),
    }
}

/// Lists for all users of a file, in the order in which they first appear.
fn recommend_to_many(
    model: Model<'_>,
    path: &Path,
    columns: &Columns,
    filter: &Filter<'_>,
    top: usize,
) -> Result<()> {
    let supports = read_supports(path, columns)?;
    let mut unknown: HashMap<&str, usize> = HashMap::new();
    let mut repeated = 0;
    let mut out = vec![Ranked::default(); top.min(model.items())];
    let longest = supports.iter().map(|support| support.feedback.len()).max().unwrap_or(0);
    let mut scratch = vec![0.0; Session::scratch_len(&model, longest)];
    let mut session = Session::new(model, &mut scratch)?;
    let mut stdout = BufWriter::new(stdout().lock());
    writeln!(stdout, "user\trank\titem\tscore")?;
    for Support { user, feedback } in &supports {
        let mut support = Vec::with_capacity(feedback.len());
        let mut places = HashMap::new();
        for row in feedback {
            let said =
                row.rating.filter(|_| !model.levels().is_implicit()).map_or(Feedback::Like, Feedback::Rating);
            match Interaction::of(&model, &row.item, said) {
                Ok(interaction) => match places.entry(interaction.item) {
                    Entry::Occupied(place) => {
                        support[*place.get()] = interaction;
                        repeated += 1;
                    }
                    Entry::Vacant(place) => {
                        place.insert(support.len());
                        support.push(interaction);
                    }
                },
                Err(FeedbackError::UnknownId) => *unknown.entry(&row.item).or_default() += 1,
                Err(error) => bail!("{}: line {}: item {:?}: {error}", path.display(), row.line, row.item),
            }
        }
        session.adapt(&support)?;
        for (position, ranked) in session.rank(filter, &mut out)?.iter().enumerate() {
            let id = model.id(ranked.item as usize).unwrap_or("?");
            writeln!(stdout, "{user}\t{}\t{id}\t{}", position + 1, ranked.score)?;
        }
    }
    stdout.flush()?;
    if repeated > 0 {
        eprintln!("{repeated} rows are on an item that the user has a later row on: the last one counts");
    }
    if !unknown.is_empty() {
        let rows: usize = unknown.values().sum();
        eprintln!("passed over {rows} rows on {} items that the model does not know", unknown.len());
    }
    Ok(())
}

fn rating(text: &str) -> Result<(String, f32), String> {
    // The last `=`: an id may hold one.
    let (id, value) = text.rsplit_once('=').ok_or_else(|| format!("{text:?}: give ID=VALUE, like 50=4.5"))?;
    let value: f32 = value.parse().map_err(|_| format!("{value:?} is no rating"))?;
    if value.is_finite() { Ok((id.to_owned(), value)) } else { Err(format!("{value} is no rating")) }
}
