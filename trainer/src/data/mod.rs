//! Interaction logs as tasks: [`read`] turns files into a [`Dataset`], [`Split`] deals its users
//! out, [`TaskSet`] is what learners and baselines see.

mod error;
mod features;
pub mod fetch;
mod file;
mod filter;
mod headed;
mod ids;
mod layout;
mod movielens;
mod new_item;
mod ratings;
mod read;
mod recbole;
mod split;
mod support;
mod synth;
mod task;

pub use error::{Fault, ReadError};
pub use filter::Filtered;
pub use ids::MAX_ID;
pub use new_item::{KNOWN_BY, NewItem, Rating};
pub use read::{Columns, Reading, Source, find, read};
pub use split::{FOLDS, Folds, Split, folds, hold_out, item_fold};
pub use support::{Support, SupportRow, read_supports};
pub use synth::World;
pub use task::{Catalogue, HeldOut, LABELLED, LABELLED_POOL, Task, TaskSet};

use serde::{Deserialize, Serialize};

/// One piece of feedback of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Index of the item: a row of [`Dataset::items`] in a data set, of the [`Catalogue`] in a [`Task`].
    pub item: u32,
    /// Feedback level, an index into [`Levels::values`].
    pub level: u8,
    /// Seconds, or any unit that orders; 0 where the log has no time.
    pub time: i64,
}

/// The feedback levels of a data set: the distinct ratings, ascending; one level if implicit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Raw rating of each level, ascending. `[1.0]` for implicit feedback.
    pub values: Vec<f32>,
    /// The rating from which an item counts as liked; `None` for implicit feedback (all are likes).
    pub like_at: Option<f32>,
}

/// What a feedback level says of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentiment {
    /// The rating is at least `like_at`.
    Liked,
    /// Below `like_at` by no more than a quarter of it (3 on five stars).
    Neutral,
    /// Below that.
    Disliked,
}

impl Levels {
    /// The one level of implicit feedback.
    pub fn implicit() -> Self {
        Self { values: vec![1.0], like_at: None }
    }

    /// What `level` says of an item.
    pub fn sentiment(&self, level: u8) -> Sentiment {
        let value = self.values[usize::from(level)];
        match self.like_at {
            Some(like_at) if value < like_at.min(0.75 * like_at) => Sentiment::Disliked,
            Some(like_at) if value < like_at => Sentiment::Neutral,
            _ => Sentiment::Liked,
        }
    }

    /// The rating of `level` on five stars: in proportion, so that the highest is 5.
    pub fn stars(&self, level: u8) -> f32 {
        let highest = self.values.last().map_or(1.0, |highest| highest.max(f32::MIN_POSITIVE));
        5.0 * self.values[usize::from(level)] / highest
    }

    /// What an item of this level is worth in a ranking of rated items: `2^stars - 1` (Burges et al. 2005), never
    /// negative.
    pub fn gain(&self, level: u8) -> f32 {
        (self.stars(level).exp2() - 1.0).max(0.0)
    }

    /// Whether `level` counts as a like.
    pub fn liked(&self, level: u8) -> bool {
        self.sentiment(level) == Sentiment::Liked
    }
}

/// Categorical features of items or of users, as sparse rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// `column:value`, one per feature, sorted.
    pub names: Vec<String>,
    /// The features of each item or user, ascending; empty where the feature file has no such row.
    pub of: Vec<Vec<u32>>,
}

/// All that was read, ids interned, in canonical order: the order of the input rows leaves no trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Ids of the users with at least one interaction, sorted.
    pub users: Vec<String>,
    /// Ids of the items, sorted; those that only the feature file names are included.
    pub items: Vec<String>,
    /// Title of each item; `None` where there is none. As long as `items`.
    pub titles: Vec<Option<String>>,
    /// Per user, in time order, ties by item. At most one per item and user.
    pub interactions: Vec<Vec<Interaction>>,
    /// The feedback levels.
    pub levels: Levels,
    /// Item features, rows as `items`.
    pub item_features: Features,
    /// User features, rows as `users`.
    pub user_features: Features,
}
