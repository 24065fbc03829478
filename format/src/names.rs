//! Lists of text: the bytes of all, and where each ends.

use core::cmp::Ordering;
use core::ops::Range;

use crate::error::{OpenError, VerifyError};
use crate::section::{Kind, Sections};
use crate::verify::refuse;

/// A list of texts. Each begins where the one before it ends.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    kind: Kind,
}

impl<'a> Names<'a> {
    /// The texts of two sections; none where they are not there.
    pub(crate) fn of(sections: &Sections<'a>, bytes_kind: Kind, ends_kind: Kind) -> Self {
        Self { bytes: sections.values(bytes_kind), ends: sections.values(ends_kind), kind: bytes_kind }
    }

    /// Checks that both sections are there, or none, and that the last text ends where the bytes do.
    pub(crate) fn check(sections: &Sections<'_>, bytes_kind: Kind, ends_kind: Kind) -> Result<(), OpenError> {
        sections.check_all_or_none(&[bytes_kind, ends_kind])?;
        let names = Names::of(sections, bytes_kind, ends_kind);
        let expected = u64::from(names.ends.last().copied().unwrap_or(0));
        let found = names.bytes.len() as u64;
        if expected == found {
            return Ok(());
        }
        Err(OpenError::SectionLength { section: bytes_kind.name(), expected, found })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Text `index`; `None` out of range, or where the file is damaged.
    pub(crate) fn get(&self, index: usize) -> Option<&'a str> {
        core::str::from_utf8(self.raw(index)?).ok()
    }

    /// Index of `name`, by binary search over positions `0..len()`, which `at` maps to indices.
    /// On a damaged file any index below `len()`, or `None`.
    pub(crate) fn find(&self, name: &str, at: impl Fn(usize) -> Option<usize>) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let index = at(middle)?;
            match self.raw(index)?.cmp(name.as_bytes()) {
                Ordering::Equal => return Some(index),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The whole-file check: texts follow each other, each is UTF-8.
    pub(crate) fn verify(&self) -> Result<(), VerifyError> {
        // All at once, then each by its ends alone: most texts are too short for the checker's stride.
        let whole = core::str::from_utf8(self.bytes).ok();
        let is_text = |index: &usize| match whole {
            Some(whole) => self.place(*index).is_some_and(|place| whole.get(place).is_some()),
            None => self.get(*index).is_some(),
        };
        match (0..self.len()).find(|index| !is_text(index)) {
            Some(index) => Err(self.refuse(index, "text in UTF-8")),
            None => Ok(()),
        }
    }

    /// The whole-file check of texts that are looked up: none is empty, and they ascend strictly in the
    /// order in which `at` maps positions to indices. `at` is then a permutation.
    pub(crate) fn verify_order(&self, at: impl Fn(usize) -> Option<usize>) -> Result<(), VerifyError> {
        let mut previous: &[u8] = &[];
        for position in 0..self.len() {
            let index = at(position).unwrap_or(position);
            match self.raw(index) {
                Some(name) if name > previous => previous = name,
                _ => return Err(self.refuse(index, "unique, not empty and in the order of its bytes")),
            }
        }
        Ok(())
    }

    fn raw(&self, index: usize) -> Option<&'a [u8]> {
        self.bytes.get(self.place(index)?)
    }

    fn place(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        Some(start..end)
    }

    fn refuse(&self, index: usize, expected: &'static str) -> VerifyError {
        refuse(self.kind, index, expected)
    }
}
