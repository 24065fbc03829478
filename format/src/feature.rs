//! Features of items or of users: a name and an embedding each.

use core::fmt;

use crate::error::VerifyError;
use crate::names::Names;
use crate::section::{Kind, Sections};
use crate::verify::all_finite;

/// Named feature embeddings, in the order of their names.
#[derive(Clone, Copy)]
pub struct FeatureTable<'a> {
    names: Names<'a>,
    embeddings: &'a [f32], // features x dim
    dim: usize,
    kind: Kind,
}

impl<'a> FeatureTable<'a> {
    pub(crate) fn items(sections: &Sections<'a>, dim: usize) -> Self {
        let names = Names::of(sections, Kind::ItemFeatureNames, Kind::ItemFeatureNameEnds);
        Self { names, embeddings: sections.values(Kind::ItemFeatures), dim, kind: Kind::ItemFeatures }
    }

    pub(crate) fn users(sections: &Sections<'a>, dim: usize) -> Self {
        let names = Names::of(sections, Kind::UserFeatureNames, Kind::UserFeatureNameEnds);
        Self { names, embeddings: sections.values(Kind::UserFeatures), dim, kind: Kind::UserFeatures }
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of a feature, `column:value`; `None` out of range.
    pub fn name(&self, feature: usize) -> Option<&'a str> {
        self.names.get(feature)
    }

    /// The feature of that name, by binary search.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.find(name, Some)
    }

    /// Embedding of a feature, dim values; `None` out of range. Finite in a file that was verified.
    pub fn embedding(&self, feature: usize) -> Option<&'a [f32]> {
        if feature >= self.len() {
            return None;
        }
        self.embeddings.get(feature * self.dim..)?.get(..self.dim)
    }

    pub(crate) fn verify(&self) -> Result<(), VerifyError> {
        self.names.verify()?;
        self.names.verify_order(Some)?;
        all_finite(self.kind, self.embeddings)
    }
}

impl fmt::Debug for FeatureTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureTable")
            .field("len", &self.len())
            .field("dim", &self.dim)
            .finish_non_exhaustive()
    }
}
