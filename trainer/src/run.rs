//! The run directory: what `fit` leaves and `export` reads.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tinderbox_format::replace;

use crate::data::{Dataset, Features, Levels, Sentiment, TaskSet};
use crate::fit::{Fitted, Trial};
use crate::learner::Learned;
use crate::train::Config;

/// Which trainer wrote a run or a model file.
pub const TOOL: &str = concat!("tinderbox-trainer ", env!("CARGO_PKG_VERSION"));

/// All that a model file is made of, in full precision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The meta-parameters.
    pub learned: Learned,
    /// The feedback levels.
    pub levels: Levels,
    /// The levels that a bare like and a bare dislike stand for.
    pub plain: (Option<u8>, Option<u8>),
    /// Id of each row.
    pub ids: Vec<String>,
    /// Title of each row, empty where there is none.
    pub titles: Vec<String>,
    /// Item features, rows as `ids`.
    pub item_features: Features,
    /// Names of the user features.
    pub user_features: Vec<String>,
    /// Rows to show a new user first, best first, distinct; none until they are
    /// [chosen](crate::onboarding::choose).
    pub onboarding: Vec<u32>,
    /// The model card: JSON that names no user.
    pub card: String,
}

/// Why a run could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}", path = .path.display())]
pub struct RunError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0}")]
    Io(io::Error),
    #[error("{0}; a run is the directory that `trainer fit --out` made")]
    Unread(io::Error),
    #[error("not a run of this trainer ({TOOL}): {0}; fit again")]
    Damaged(postcard::Error),
    #[error("written by {0}, this is {TOOL}; fit again")]
    OtherTool(String),
}

/// The meta-parameters, for `export`.
const LEARNED: &str = "learned.postcard";
/// The model card, for people.
const CARD: &str = "run.json";

impl Run {
    /// Puts what `fitted` learned on `set` together with the texts of the catalogue.
    pub fn new(dataset: &Dataset, set: &TaskSet, fitted: Fitted, seed: u64) -> Self {
        let titles =
            set.catalogue.items.iter().map(|&item| dataset.titles[item as usize].clone().unwrap_or_default());
        Self {
            plain: plain_levels(set),
            ids: set.catalogue.items.iter().map(|&item| dataset.items[item as usize].clone()).collect(),
            titles: titles.collect(),
            card: card(set, &fitted.config, &fitted.trials, seed),
            learned: fitted.learned,
            levels: set.levels.clone(),
            item_features: set.catalogue.features.clone(),
            user_features: dataset.user_features.names.clone(),
            onboarding: Vec::new(),
        }
    }

    /// Saves the run into `directory`, which is made if need be; an earlier run there is replaced file by file.
    ///
    /// # Errors
    /// [`RunError`] names the file and the operating system's reason.
    pub fn save(&self, directory: &Path) -> Result<(), RunError> {
        let at = |path: PathBuf| move |error| RunError { path, reason: Reason::Io(error) };
        fs::create_dir_all(directory).map_err(at(directory.to_owned()))?;
        let path = directory.join(LEARNED);
        let bytes = postcard::to_stdvec(&(TOOL, self))
            .map_err(|error| RunError { path: path.clone(), reason: Reason::Damaged(error) })?;
        replace(&path, &bytes).map_err(at(path))?;
        let path = directory.join(CARD);
        replace(&path, self.card.as_bytes()).map_err(at(path))
    }

    /// Loads what [`Run::save`] saved.
    ///
    /// # Errors
    /// [`RunError`]: no such run, a damaged one, or one of another version of the trainer.
    pub fn load(directory: &Path) -> Result<Self, RunError> {
        let path = directory.join(LEARNED);
        let fail = |reason| RunError { path: path.clone(), reason };
        let bytes = fs::read(&path).map_err(|error| fail(Reason::Unread(error)))?;
        let (tool, rest): (String, _) =
            postcard::take_from_bytes(&bytes).map_err(|error| fail(Reason::Damaged(error)))?;
        if tool != TOOL {
            let is_text = tool.starts_with("tinderbox-trainer") && tool.len() < 64;
            let error = postcard::Error::DeserializeBadEncoding;
            return Err(fail(if is_text { Reason::OtherTool(tool) } else { Reason::Damaged(error) }));
        }
        postcard::from_bytes(rest).map_err(|error| fail(Reason::Damaged(error)))
    }
}

/// The most common liked level, and the most common disliked one (neutral where nothing is disliked).
fn plain_levels(set: &TaskSet) -> (Option<u8>, Option<u8>) {
    let mut counts = vec![0_usize; set.levels.values.len()];
    for interaction in set.tasks.iter().flat_map(|task| &task.interactions) {
        counts[usize::from(interaction.level)] += 1;
    }
    let most_common = |sentiment| {
        let levels = (0..counts.len() as u8).filter(|&level| set.levels.sentiment(level) == sentiment);
        levels.filter(|&level| counts[usize::from(level)] > 0).max_by_key(|&level| counts[usize::from(level)])
    };
    let dislike = most_common(Sentiment::Disliked).or_else(|| most_common(Sentiment::Neutral));
    (most_common(Sentiment::Liked), dislike)
}

/// The model card: what the model was made of and how it did, without a user id, a path or a date.
fn card(set: &TaskSet, config: &Config, trials: &[Trial], seed: u64) -> String {
    let interactions: usize = set.tasks.iter().map(|task| task.interactions.len()).sum();
    let card = json!({
        "tool": TOOL,
        "learner": config.learner,
        "data": {
            "users": set.tasks.len(),
            "items": set.catalogue.len(),
            "interactions": interactions,
            "feedback": if set.levels.like_at.is_some() { "explicit" } else { "implicit" },
            "levels": set.levels.values,
            "liked from": set.levels.like_at,
            "item features": set.catalogue.features.names.len(),
            "user features": set.user_features,
        },
        "validation": format!("{}, on users that training did not see", config.rank.validation()),
        "tried": trials,
        "configuration": config,
        "seed": seed,
    });
    format!("{card:#}\n")
}
