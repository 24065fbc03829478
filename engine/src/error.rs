//! What a caller can get wrong, one enum per boundary; every message says what to do.

use core::fmt;

/// Why a session cannot be made or adapted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SessionError {
    /// The scratch memory is shorter than the model alone needs.
    ScratchTooSmall {
        /// Length for a support of one.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// More feedback than the scratch memory has room for.
    SupportTooLong {
        /// The capacity that the scratch memory gives.
        capacity: usize,
        /// Length given.
        found: usize,
    },
    /// An item number beyond the catalogue and the new items.
    UnknownItem {
        /// Number given.
        found: u32,
        /// How many there are.
        items: usize,
    },
    /// A feedback level that the model does not have.
    UnknownLevel {
        /// Level given.
        found: u8,
        /// How many there are.
        levels: usize,
    },
    /// A user feature that the model does not have.
    UnknownFeature {
        /// Number given.
        found: u32,
        /// How many there are.
        features: usize,
    },
    /// Rows and scales of new items that do not fit each other or the model's dim.
    NewItemsShape {
        /// Bytes that the scales call for.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ScratchTooSmall { expected, found } => write!(
                f,
                "scratch memory of {found} floats, needs {expected} at least: ask Session::scratch_len(&model, capacity)"
            ),
            Self::SupportTooLong { capacity, found } => write!(
                f,
                "{found} interactions, the scratch memory has room for {capacity}: give the latest ones, or more \
                 scratch memory (Session::scratch_len)"
            ),
            Self::UnknownItem { found, items } => {
                write!(
                    f,
                    "item {found} of {items}: look items up with Model::item, each model file has its own numbers"
                )
            }
            Self::UnknownLevel { found, levels } => {
                write!(f, "feedback level {found} of {levels}: make interactions with Interaction::of")
            }
            Self::UnknownFeature { found, features } => {
                write!(
                    f,
                    "user feature {found} of {features}: look features up with Model::user_features().find"
                )
            }
            Self::NewItemsShape { expected, found } => {
                write!(
                    f,
                    "new items of {found} bytes, their scales call for {expected}: give dim bytes for each scale"
                )
            }
        }
    }
}

/// Why feedback cannot be turned into an interaction.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FeedbackError {
    /// No item of the catalogue has this id.
    UnknownId,
    /// The model has no level for a bare dislike: one of implicit feedback has none.
    NoDislikes,
    /// The model has no level for a bare like.
    NoLikes,
    /// A rating off the scale that the model was trained on.
    OffScale {
        /// Rating given.
        found: f32,
        /// Lowest level.
        lowest: f32,
        /// Highest level.
        highest: f32,
    },
}

impl fmt::Display for FeedbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownId => {
                f.write_str("no item of the catalogue has this id: ids are compared letter by letter")
            }
            Self::NoDislikes => f.write_str(
                "the model has no level for a bare dislike: give a rating or, if it has none, leave it out",
            ),
            Self::NoLikes => f.write_str("the model has no level for a bare like: give a rating"),
            Self::OffScale { found, lowest, highest } => {
                write!(f, "rating {found} is off the model's scale: give one from {lowest} to {highest}")
            }
        }
    }
}

/// Why a ranking is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RankError {
    /// A list of items that is not ascending and distinct.
    NotAscending {
        /// Where.
        position: usize,
        /// Item found there.
        found: u32,
    },
    /// An item number beyond the catalogue and the new items.
    UnknownItem {
        /// Number given.
        found: u32,
        /// How many there are.
        items: u32,
    },
    /// A category that the model does not have.
    UnknownCategory {
        /// Number given.
        found: u32,
        /// How many there are.
        categories: u32,
    },
    /// Scratch memory that is too short for the candidates.
    ScratchTooSmall {
        /// Floats needed.
        expected: usize,
        /// Length given.
        found: usize,
    },
}

impl fmt::Display for RankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotAscending { position, found } => {
                write!(
                    f,
                    "item {found} at position {position} is out of order: sort the list and remove duplicates"
                )
            }
            Self::UnknownItem { found, items } => {
                write!(f, "item {found} of {items}: look items up with Model::item")
            }
            Self::UnknownCategory { found, categories } => {
                write!(
                    f,
                    "category {found} of {categories}: look categories up with Model::categories().find"
                )
            }
            Self::ScratchTooSmall { expected, found } => write!(
                f,
                "{found} floats of scratch memory, the candidates need {expected}: see Session::diverse_scratch_len"
            ),
        }
    }
}

/// Why a new item cannot be embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbedError {
    /// A row whose length is not the model's dim.
    RowLength {
        /// The model's dim.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// An item feature that the model does not have.
    UnknownFeature {
        /// Number given.
        found: u32,
        /// How many there are.
        features: usize,
    },
    /// The features say nothing: their embeddings add up to no direction.
    NoDirection,
    /// Scratch memory that is too short.
    ScratchTooSmall {
        /// Floats needed.
        expected: usize,
        /// Floats given.
        found: usize,
    },
    /// A rater whose embedding is not of the model's dim.
    RaterLength {
        /// Place of the rater.
        rater: usize,
        /// The model's dim.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// A rater whose embedding is zero, not finite or too long to be squared.
    RaterWithoutDirection {
        /// Place of the rater.
        rater: usize,
    },
    /// A feedback level that the model does not have.
    UnknownLevel {
        /// Number given.
        found: u8,
        /// How many there are.
        levels: usize,
    },
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RowLength { expected, found } => {
                write!(f, "row of {found} bytes, needs the model's dim, {expected}")
            }
            Self::UnknownFeature { found, features } => {
                write!(
                    f,
                    "item feature {found} of {features}: look features up with Model::item_features().find"
                )
            }
            Self::ScratchTooSmall { expected, found } => {
                write!(f, "scratch memory of {found} floats, needs 3 times the model's dim, {expected}")
            }
            Self::RaterLength { rater, expected, found } => {
                write!(f, "embedding of rater {rater} has {found} floats, needs the model's dim, {expected}")
            }
            Self::RaterWithoutDirection { rater } => {
                write!(f, "embedding of rater {rater} has no direction: take it from Session::user")
            }
            Self::UnknownLevel { found, levels } => {
                write!(f, "feedback level {found} of {levels}: make levels with Interaction::at")
            }
            Self::NoDirection => {
                f.write_str("the features add up to no direction: give at least one that the model knows")
            }
        }
    }
}

impl core::error::Error for SessionError {}
impl core::error::Error for FeedbackError {}
impl core::error::Error for RankError {}
impl core::error::Error for EmbedError {}
