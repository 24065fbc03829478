//! What is compared, by the names of the command line.

use std::str::FromStr;

use super::Protocol;
use crate::baseline;
use crate::data::{Interaction, Levels};
use crate::episode::Order;
use crate::fit::Choice;
use crate::learner::Kind;
use crate::train::{Config, Part, parse_dim, parse_steps};

/// What is compared: a learner, maybe with something changed, or a baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A learner.
    Learner(Variant),
    /// A baseline, by its name in [`baseline::NAMES`].
    Baseline(&'static str),
    /// A baseline of [`baseline::CONTENT_NAMES`] that sees early raters: `content-ridge:raters=3`.
    Rated(Rated),
}

/// A baseline for new items, and how many of an item's first raters it sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Rated {
    text: String,
    pub(super) name: &'static str,
    pub(super) raters: usize,
}

/// A learner with changes to its configuration: `maml:first-order:steps=4`.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    name: String,
    choice: Choice,
    gram: bool,
    first_order: bool,
    no_teacher: bool,
    random_order: bool,
    without: Vec<Part>,
    steps: Option<usize>,
    dim: Option<usize>,
    /// Judged by the trainer's f32 arithmetic in place of the exported file.
    pub(super) in_f32: bool,
    pub(super) shown: Shown,
    /// How many of a new item's first raters move its row.
    pub(super) raters: usize,
}

/// Which of a test user's interactions a learner is shown. Learning is not concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The first k.
    Everything,
    /// The likes among the first k. The others are not ranked either: what is compared is adaptation alone.
    Likes,
    /// The first k likes.
    FirstLikes,
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = baselines().find(|name| *name == text) {
            return Ok(Self::Baseline(name));
        }
        if let Some((name, raters)) = text.split_once(":raters=")
            && let Some(name) = baseline::CONTENT_NAMES.into_iter().find(|known| *known == name)
        {
            let raters = raters.parse().map_err(|_| format!("no number in {raters:?}"))?;
            return Ok(Self::Rated(Rated { text: text.to_owned(), name, raters }));
        }
        let mut parts = text.split(':');
        let learner = parts.next().unwrap_or_default();
        let choice = match Kind::ALL.iter().find(|kind| kind.name() == learner) {
            Some(&kind) => Choice::One(kind),
            None if learner == "auto" => Choice::Auto { dim: None },
            None => {
                return Err(format!(
                    "no method {learner:?}; learners: auto, maml, prototypical, matching; baselines: {}",
                    baselines().collect::<Vec<_>>().join(", ")
                ));
            }
        };
        let mut variant = Variant {
            name: text.to_owned(),
            choice,
            gram: false,
            first_order: false,
            no_teacher: false,
            random_order: false,
            without: Vec::new(),
            steps: None,
            dim: None,
            in_f32: false,
            shown: Shown::Everything,
            raters: 0,
        };
        for change in parts {
            let left_out = change.strip_prefix("no-");
            let part = Part::ALL.into_iter().find(|part| Some(part.name()) == left_out);
            let number = |value: &str| value.parse().map_err(|_| format!("no number in {change:?}"));
            match change.split_once('=') {
                None if change == "gram" => variant.gram = true,
                None if change == "first-order" => variant.first_order = true,
                None if change == "no-teacher" => variant.no_teacher = true,
                None if change == "random-order" => variant.random_order = true,
                None if change == "f32" => variant.in_f32 = true,
                None if change == "likes-only" => variant.shown = Shown::Likes,
                None if change == "first-likes" => variant.shown = Shown::FirstLikes,
                None if part.is_some() => variant.without.extend(part),
                Some(("steps", value)) => variant.steps = Some(parse_steps(value)?),
                Some(("dim", value)) => variant.dim = Some(parse_dim(value)?),
                Some(("raters", value)) => variant.raters = number(value)?,
                _ => {
                    let parts = Part::ALL.map(|part| format!("no-{}", part.name())).join(", ");
                    return Err(format!(
                        "no change {change:?}; known: gram, first-order, no-teacher, random-order, {parts}, steps=N, dim=N, f32, \
                         likes-only, first-likes, raters=N"
                    ));
                }
            }
        }
        Ok(Self::Learner(variant))
    }
}

impl Method {
    /// The name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Learner(variant) => &variant.name,
            Self::Baseline(name) => name,
            Self::Rated(rated) => &rated.text,
        }
    }

    /// The three learners and every baseline that `protocol` has.
    pub fn all(protocol: Protocol) -> Vec<Self> {
        let names = Kind::ALL.iter().map(|kind| kind.name()).chain(protocol.baselines().iter().copied());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// The learner, if it is one and is judged by its file and on all that it is shown.
    pub fn shipped(&self) -> Option<&Variant> {
        match self {
            Self::Learner(variant) if !variant.in_f32 && variant.shown == Shown::Everything => Some(variant),
            _ => None,
        }
    }

    /// Whether `protocol` can judge it.
    pub fn suits(&self, protocol: Protocol) -> bool {
        match self {
            // New items have rows in int8 only, and no others have early raters.
            Self::Learner(variant) if protocol == Protocol::P3 => !variant.in_f32,
            Self::Learner(variant) => variant.raters == 0,
            Self::Rated(_) => protocol == Protocol::P3,
            Self::Baseline(name) => protocol.baselines().contains(name),
        }
    }
}

/// Every baseline of every protocol.
fn baselines() -> impl Iterator<Item = &'static str> {
    baseline::NAMES.into_iter().chain(baseline::LABELLED_NAMES).chain(baseline::CONTENT_NAMES)
}

impl Shown {
    /// What of `pool` is adapted to at `shots`, and what is left out of the ranking.
    pub(super) fn of(self, pool: &[Interaction], shots: usize, levels: &Levels) -> [Vec<Interaction>; 2] {
        let first = || pool.iter().take(shots).copied();
        let is_liked = |interaction: &Interaction| levels.liked(interaction.level);
        let support: Vec<Interaction> = match self {
            Self::Everything => first().collect(),
            Self::Likes => first().filter(is_liked).collect(),
            Self::FirstLikes => pool.iter().copied().filter(is_liked).take(shots).collect(),
        };
        let seen = if self == Self::Likes { first().collect() } else { support.clone() };
        [support, seen]
    }
}

impl Variant {
    /// The name in tables.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `dim` holds where the variant has none of its own.
    pub(super) fn choice(&self, dim: Option<usize>) -> Choice {
        match self.choice {
            Choice::Auto { .. } => Choice::Auto { dim: self.dim.or(dim) },
            one => one,
        }
    }

    pub(super) fn config(&self, base: &Config) -> Config {
        Config {
            gram: self.gram || base.gram,
            first_order: self.first_order || base.first_order,
            teacher_weight: if self.no_teacher { 0.0 } else { base.teacher_weight },
            order: if self.random_order { Order::Random } else { base.order },
            without: self.without.clone(),
            steps: self.steps.unwrap_or(base.steps),
            dim: self.dim.unwrap_or(base.dim),
            ..base.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_baselines_of_its_own() {
        let ease = Method::Baseline("ease");
        let content = Method::Baseline("content-ridge");
        assert!(ease.suits(Protocol::P1t) && !ease.suits(Protocol::P3));
        assert!(content.suits(Protocol::P3) && !content.suits(Protocol::P1));
        for rated in ["maml:raters=3", "content-ridge:raters=3"].map(|text| text.parse::<Method>().unwrap()) {
            assert!(rated.suits(Protocol::P3) && !rated.suits(Protocol::P1));
        }
        for protocol in [Protocol::P1, Protocol::P3] {
            assert!(Method::all(protocol).iter().all(|method| method.suits(protocol)));
        }
    }

    #[test]
    fn what_is_shown_of_a_pool() {
        let levels = Levels { values: vec![1.0, 5.0], like_at: Some(4.0) };
        let said = |item: u32, level| Interaction { item, level, time: 0 };
        let pool = [said(7, 0), said(3, 1), said(9, 1), said(2, 0), said(1, 1)];
        let items = |shown: Shown| {
            shown.of(&pool, 2, &levels).map(|list| list.iter().map(|i| i.item).collect::<Vec<_>>())
        };
        assert_eq!(items(Shown::Everything), [[7, 3], [7, 3]]);
        assert_eq!(items(Shown::Likes), [vec![3], vec![7, 3]]);
        assert_eq!(items(Shown::FirstLikes), [[3, 9], [3, 9]]);
    }

    #[test]
    fn methods_are_read_from_text() {
        assert_eq!("ease".parse(), Ok(Method::Baseline("ease")));
        let Ok(Method::Learner(variant)) = "maml:gram:first-order:no-features:steps=0".parse() else {
            panic!("a learner")
        };
        let config = variant.config(&Config::default());
        assert!(config.gram && config.first_order && config.steps == 0);
        assert_eq!(config.without, [Part::Features]);
        for (text, error) in [
            ("svd", "no method \"svd\"; learners"),
            ("maml:second-order", "no change \"second-order\"; known"),
            ("maml:steps=many", "\"many\" is no number of inner steps"),
            ("maml:steps=65", "\"65\" is no number of inner steps: give one from 0 to 64"),
            ("maml:dim=2", "\"2\" is no length of an embedding"),
            ("auto:dim=1040", "\"1040\" is no length of an embedding: give a multiple of 16 from 16 to 1024"),
            ("maml:raters=few", "no number in \"raters=few\""),
            ("content-ridge:raters=few", "no number in \"few\""),
            ("ease:raters=3", "no method \"ease\"; learners"),
        ] {
            let found = text.parse::<Method>().expect_err("not a method");
            assert!(found.starts_with(error), "{found}");
        }
        assert_eq!(Method::all(Protocol::P1).len(), 3 + baseline::NAMES.len());
    }
}
