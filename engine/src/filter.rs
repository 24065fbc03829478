//! Which items a ranking may contain.

use crate::error::RankError;
use tinderbox_format::{Categories, Model};

/// Which items a ranking may contain; the default is every item but those of the support.
///
/// Items that were added at run time ([`NewItems`](crate::NewItems)) are numbered from
/// [`Model::items`] on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only these items, ascending and distinct. `None`: all.
    pub allow: Option<&'a [u32]>,
    /// None of these items, ascending and distinct.
    pub deny: &'a [u32],
    /// Only items in at least one of these categories, by their number in [`Model::categories`]. Empty:
    /// whatever the category. Items that were added at run time have none.
    pub categories: &'a [u32],
    /// Whether the items of the support may appear, too.
    pub keep_support: bool,
}

/// A checked filter on its way through the catalogue: chunks must be visited in ascending order.
pub(crate) struct Pass<'a> {
    /// Items of the catalogue.
    items: usize,
    table: Categories<'a>,
    allow: Option<Ascending<'a>>,
    deny: Ascending<'a>,
    support: Ascending<'a>,
    itself: Ascending<'a>,
    categories: &'a [u32],
}

impl<'a> Filter<'a> {
    /// Checks the filter against the catalogue of `items`; `support` is ascending, `itself` an item to leave out in
    /// any case, or none.
    pub(crate) fn pass(
        &self,
        model: &Model<'a>,
        items: usize,
        support: &'a [u32],
        itself: &'a [u32],
    ) -> Result<Pass<'a>, RankError> {
        let categories = model.categories().len();
        if let Some(&category) = self.categories.iter().find(|&&category| category as usize >= categories) {
            return Err(RankError::UnknownCategory { found: category, categories: categories as u32 });
        }
        Ok(Pass {
            items: model.items(),
            table: model.categories(),
            allow: self.allow.map(|allow| Ascending::checked(allow, items)).transpose()?,
            deny: Ascending::checked(self.deny, items)?,
            support: Ascending { items: if self.keep_support { &[] } else { support } },
            itself: Ascending { items: itself },
            categories: self.categories,
        })
    }
}

impl Pass<'_> {
    /// Whether the chunk of `len` items from `first` may hold an allowed item; where not, it need not be
    /// scored at all.
    pub(crate) fn wants(&mut self, first: usize, len: usize) -> bool {
        self.allow.as_mut().is_none_or(|allow| allow.within(first, len).next().is_some())
    }

    /// No chunk is wanted from now on.
    pub(crate) fn close(&mut self) {
        self.allow = Some(Ascending { items: &[] });
    }

    /// Sets the scores of the items that may not appear to negative infinity; `scores[0]` is item `first`.
    pub(crate) fn apply(&mut self, first: usize, scores: &mut [f32]) {
        for left_out in [&mut self.deny, &mut self.support, &mut self.itself] {
            for item in left_out.within(first, scores.len()) {
                scores[item - first] = f32::NEG_INFINITY;
            }
        }
        if let Some(allow) = &mut self.allow {
            let mut next = first;
            for item in allow.within(first, scores.len()) {
                scores[next - first..item - first].fill(f32::NEG_INFINITY);
                next = item + 1;
            }
            scores[next - first..].fill(f32::NEG_INFINITY);
        }
        if !self.categories.is_empty() {
            self.keep_categories(first, scores);
        }
    }

    /// The part of [`Pass::apply`] for categories, 64 items at a time: `first` is a multiple of 64 or
    /// beyond the catalogue, where no item has a category.
    fn keep_categories(&self, first: usize, scores: &mut [f32]) {
        for (word, scores) in (first / 64..).zip(scores.chunks_mut(64)) {
            let bitmaps = self.categories.iter().filter_map(|&category| self.table.bitmap(category as usize));
            let kept =
                if first < self.items { bitmaps.fold(0, |kept, bitmap| kept | bitmap[word]) } else { 0 };
            for (item, score) in scores.iter_mut().enumerate() {
                if kept >> item & 1 == 0 {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
    }
}

/// Ascending item numbers of which the part before the present chunk has been dropped.
struct Ascending<'a> {
    items: &'a [u32],
}

impl<'a> Ascending<'a> {
    fn checked(items: &'a [u32], count: usize) -> Result<Self, RankError> {
        if let Some(position) = items.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(RankError::NotAscending { position: position + 1, found: items[position + 1] });
        }
        match items.last() {
            Some(&found) if found as usize >= count => {
                Err(RankError::UnknownItem { found, items: count as u32 })
            }
            _ => Ok(Self { items }),
        }
    }

    /// The items of `first..first + len`.
    fn within(&mut self, first: usize, len: usize) -> impl Iterator<Item = usize> + use<'a> {
        while let [item, rest @ ..] = self.items
            && (*item as usize) < first
        {
            self.items = rest;
        }
        self.items.iter().map(|&item| item as usize).take_while(move |&item| item < first + len)
    }
}
