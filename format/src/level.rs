//! Feedback levels: what each rating means to an adaptation.

use crate::error::OpenError;
use crate::section::{Kind, Sections, refuse};

/// The level counts as liked.
pub(crate) const LIKED: u32 = 1;
/// The level that a bare like or dislike stands for.
pub(crate) const PLAIN: u32 = 2;

/// The feedback levels of a model: one for each distinct rating, lowest first, at least one.
///
/// Ratings ascend strictly, targets and weights are finite, weights are not negative.
#[derive(Clone, Copy, Debug)]
pub struct Levels<'a> {
    values: &'a [f32],
    targets: &'a [f32],
    weights: &'a [f32],
    flags: &'a [u32],
}

impl<'a> Levels<'a> {
    pub(crate) fn of(sections: &Sections<'a>) -> Self {
        Self {
            values: sections.values(Kind::LevelValues),
            targets: sections.values(Kind::LevelTargets),
            weights: sections.values(Kind::LevelWeights),
            flags: sections.values(Kind::LevelFlags),
        }
    }

    /// What holds of opened levels beside their being finite.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if let Some(below) = self.values.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(refuse(Kind::LevelValues, below + 1, "above the one before"));
        }
        if let Some(index) = self.weights.iter().position(|&weight| weight < 0.0) {
            return Err(refuse(Kind::LevelWeights, index, "at least 0"));
        }
        self.check_flags()
    }

    fn check_flags(&self) -> Result<(), OpenError> {
        let mut plain = [false; 2];
        for (index, &flags) in self.flags.iter().enumerate() {
            if flags & !(LIKED | PLAIN) != 0 {
                return Err(refuse(Kind::LevelFlags, index, "a set of known flags"));
            }
            let taken = &mut plain[(flags & LIKED) as usize];
            if flags & PLAIN != 0 && core::mem::replace(taken, true) {
                return Err(refuse(Kind::LevelFlags, index, "the only plain like or the only plain dislike"));
            }
        }
        Ok(())
    }

    /// Number of levels, 1 to 255.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is a single level: feedback that says no more than that it was given.
    pub fn is_implicit(&self) -> bool {
        self.len() == 1
    }

    /// The raw rating of a level; 0 from [`len`](Self::len) on.
    pub fn value(&self, level: usize) -> f32 {
        self.values.get(level).copied().unwrap_or(0.0)
    }

    /// The score that an adaptation aims at for an item with this feedback; 0 from [`len`](Self::len) on.
    pub fn target(&self, level: usize) -> f32 {
        self.targets.get(level).copied().unwrap_or(0.0)
    }

    /// How much this feedback counts in an adaptation, at least 0; 0 from [`len`](Self::len) on.
    pub fn weight(&self, level: usize) -> f32 {
        self.weights.get(level).copied().unwrap_or(0.0)
    }

    /// Whether a level counts as liked; `false` from [`len`](Self::len) on.
    pub fn liked(&self, level: usize) -> bool {
        self.flags.get(level).is_some_and(|flags| flags & LIKED != 0)
    }

    /// The level whose rating is nearest to `value`, the lower one of two; `None` outside the scale.
    pub fn closest(&self, value: f32) -> Option<usize> {
        let (first, last) = (*self.values.first()?, *self.values.last()?);
        if !(first..=last).contains(&value) {
            return None; // NaN and the infinities too
        }
        let above = self.values.partition_point(|&level| level < value);
        let Some(below) = above.checked_sub(1) else { return Some(above) };
        let (low, high) = (*self.values.get(below)?, *self.values.get(above)?);
        Some(if value - low <= high - value { below } else { above })
    }

    /// The level that a bare like stands for, if the model has one.
    pub fn plain_like(&self) -> Option<usize> {
        self.flags.iter().position(|&flags| flags == LIKED | PLAIN)
    }

    /// The level that a bare dislike stands for, if the model has one.
    pub fn plain_dislike(&self) -> Option<usize> {
        self.flags.iter().position(|&flags| flags == PLAIN)
    }
}
