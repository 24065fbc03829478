//! The adaptation rule of a model and its scalar meta-parameters.

use crate::error::OpenError;
use crate::section::{Kind, refuse};

/// How a model turns feedback into a user embedding, with the rule's scalar meta-parameters.
///
/// The scalars of an opened model are finite and in the range that each field names, so that no
/// denominator of an adaptation is zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Fixed gradient steps from the prior (Finn et al. 2017; Li et al. 2017).
    Maml {
        /// Weight of the pull towards the prior; at least 0.
        pull: f32,
    },
    /// Prior plus a weighted mean of the support (Snell et al. 2017): `scale / (shrinkage + sum of weights)`
    /// times the weighted sum.
    Prototypical {
        /// Length of the mean's contribution; any finite value.
        scale: f32,
        /// Weight of having seen nothing; above 0.
        shrinkage: f32,
    },
    /// Attention over the cosines to the support (Vinyals et al. 2016).
    Matching {
        /// What a cosine is multiplied by before `exp`; any finite value.
        sharpness: f32,
        /// Weight of attending to nothing; above 0.
        null: f32,
    },
}

/// A rule as the header knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum RuleCode {
    Maml = 1,
    Prototypical = 2,
    Matching = 3,
}

impl RuleCode {
    pub(crate) fn new(code: u32) -> Option<Self> {
        [Self::Maml, Self::Prototypical, Self::Matching].into_iter().find(|&rule| rule as u32 == code)
    }

    /// How many scalars the rule has.
    pub(crate) fn scalars(self) -> u64 {
        match self {
            Self::Maml => 1,
            Self::Prototypical | Self::Matching => 2,
        }
    }
}

impl Rule {
    /// `maml`, `prototypical` or `matching`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Maml { .. } => "maml",
            Self::Prototypical { .. } => "prototypical",
            Self::Matching { .. } => "matching",
        }
    }

    /// The rule with these scalars, which are finite.
    pub(crate) fn new(code: RuleCode, scalars: &[f32]) -> Result<Self, OpenError> {
        let refuse = |index, expected| Err(refuse(Kind::RuleScalars, index, expected));
        match (code, scalars) {
            (RuleCode::Maml, &[pull]) if pull >= 0.0 => Ok(Self::Maml { pull }),
            (RuleCode::Maml, _) => refuse(0, "a pull of at least 0"),
            (RuleCode::Prototypical, &[scale, shrinkage]) if shrinkage > 0.0 => {
                Ok(Self::Prototypical { scale, shrinkage })
            }
            (RuleCode::Prototypical, _) => refuse(1, "a shrinkage above 0"),
            (RuleCode::Matching, &[sharpness, null]) if null > 0.0 => Ok(Self::Matching { sharpness, null }),
            (RuleCode::Matching, _) => refuse(1, "a null weight above 0"),
        }
    }

    /// The code of the header.
    #[cfg(feature = "std")]
    pub(crate) fn code(self) -> RuleCode {
        match self {
            Self::Maml { .. } => RuleCode::Maml,
            Self::Prototypical { .. } => RuleCode::Prototypical,
            Self::Matching { .. } => RuleCode::Matching,
        }
    }

    /// The scalars in the order of the file.
    #[cfg(feature = "std")]
    pub(crate) fn scalars(self) -> std::vec::Vec<f32> {
        match self {
            Self::Maml { pull } => std::vec![pull],
            Self::Prototypical { scale, shrinkage } => std::vec![scale, shrinkage],
            Self::Matching { sharpness, null } => std::vec![sharpness, null],
        }
    }
}
