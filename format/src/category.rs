//! Categories: named sets of items, for filters.

use core::fmt;

use crate::error::VerifyError;
use crate::names::Names;
use crate::section::{Kind, Sections};

/// The categories of a model: named sets of items as bitmaps, in the order of their names.
#[derive(Clone, Copy)]
pub struct Categories<'a> {
    names: Names<'a>,
    bitmaps: &'a [u64], // categories x ceil(items / 64)
    items: usize,
}

impl<'a> Categories<'a> {
    pub(crate) fn of(sections: &Sections<'a>, items: usize) -> Self {
        let names = Names::of(sections, Kind::CategoryNames, Kind::CategoryNameEnds);
        Self { names, bitmaps: sections.values(Kind::CategoryBitmaps), items }
    }

    /// Number of categories.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of a category; `None` out of range.
    pub fn name(&self, category: usize) -> Option<&'a str> {
        self.names.get(category)
    }

    /// The category of that name, by binary search.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.find(name, Some)
    }

    /// The items of a category: bit `i % 64` of word `i / 64` is set for item `i`; `None` out of range.
    /// In a file that was not verified, bits beyond the last item may be set.
    pub fn bitmap(&self, category: usize) -> Option<&'a [u64]> {
        if category >= self.len() {
            return None;
        }
        let words = self.items.div_ceil(64);
        self.bitmaps.get(category * words..)?.get(..words)
    }

    /// Whether an item is in a category; `false` out of range.
    pub fn contains(&self, category: usize, item: usize) -> bool {
        let word = self.bitmap(category).and_then(|bitmap| bitmap.get(item / 64));
        item < self.items && word.is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    pub(crate) fn verify(&self) -> Result<(), VerifyError> {
        self.names.verify()?;
        self.names.verify_order(Some)?;
        let used = self.items % 64;
        let is_clean = |category: &usize| {
            let last = self.bitmap(*category).and_then(|bitmap| bitmap.last());
            used == 0 || last.is_none_or(|word| word >> used == 0)
        };
        match (0..self.len()).find(|category| !is_clean(category)) {
            Some(index) => Err(VerifyError::Value {
                section: Kind::CategoryBitmaps.name(),
                index,
                expected: "zero beyond the last item",
            }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Categories<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Categories").field("len", &self.len()).finish_non_exhaustive()
    }
}
