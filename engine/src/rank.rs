//! The best of the catalogue, kept while the scores stream by.

use crate::kernel::Kernel;
use crate::sort::sort;
use core::cmp::Ordering;

/// Items that are scored at a time, on the stack: a multiple of 64. Four floats each under `matching`, and firmware has
/// few kilobytes of RAM; no list depends on it.
pub(crate) const CHUNK: usize = if cfg!(target_os = "none") { 64 } else { 512 };

/// Scores that are compared with the worst kept one at once, one to a bit.
const BLOCK: usize = 64;

/// The longest list that is kept sorted as it fills. Longer ones are kept as a heap.
const SORTED: usize = 128;

/// An item and its score. The default is item 0 with score 0, for filling output slices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)] // the C interface lends arrays of them
pub struct Ranked {
    /// Number of the item; from [`Model::items`](crate::Model::items) on, the items added at run time.
    pub item: u32,
    /// Cosine to the user, or attended feedback: comparable within one list.
    pub score: f32,
}

impl Ranked {
    /// Best first: by score, ties to the lower number, which is the more popular item.
    ///
    /// Not `total_cmp`: it puts 0 above -0, which [`Best::sift`] does not, and then a longer list would not
    /// begin with the shorter one. No NaN is ever kept, so this is a total order.
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.partial_cmp(&self.score).unwrap_or(Ordering::Equal);
        by_score.then(self.item.cmp(&other.item))
    }
}

/// The best so far, in the caller's memory: sorted, or a heap with the worst at its root.
pub(crate) struct Best<'a> {
    kept: &'a mut [Ranked],
    len: usize,
    /// What a score must exceed to be kept.
    bound: f32,
}

impl<'a> Best<'a> {
    pub(crate) fn new(kept: &'a mut [Ranked]) -> Self {
        let bound = if kept.is_empty() { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { kept, len: 0, bound }
    }

    /// Offers a chunk; `scores[0]` is item `first`. Chunks come in ascending order, so that an item that
    /// ties with a kept one loses to it. Negative infinity and NaN are never kept.
    pub(crate) fn offer(&mut self, kernel: Kernel, first: usize, scores: &[f32]) {
        self.sift(kernel, first, scores, |at| scores[at]);
    }

    /// The same for scores that are costly: `score(at)` is asked for where `bounds[at]`, which it is not above, would
    /// be kept.
    pub(crate) fn sift(
        &mut self,
        kernel: Kernel,
        first: usize,
        bounds: &[f32],
        score: impl Fn(usize) -> f32,
    ) {
        for (start, block) in (0..).step_by(BLOCK).zip(bounds.chunks(BLOCK)) {
            let mut above = kernel.above(block, self.bound);
            while above != 0 {
                let at = start + above.trailing_zeros() as usize;
                above &= above - 1;
                if bounds[at] > self.bound {
                    let score = score(at);
                    if score > self.bound {
                        self.keep(Ranked { item: (first + at) as u32, score });
                    }
                }
            }
        }
    }

    /// The kept items, best first.
    pub(crate) fn sorted(self) -> &'a mut [Ranked] {
        let is_heap = self.is_heap();
        let kept = &mut self.kept[..self.len];
        if is_heap {
            sort(kept, Ranked::order);
        }
        kept
    }

    fn is_heap(&self) -> bool {
        self.kept.len() > SORTED
    }

    fn keep(&mut self, ranked: Ranked) {
        let full = self.len == self.kept.len();
        if !full {
            self.len += 1;
        }
        if !self.is_heap() {
            self.insert(ranked);
        } else if full {
            self.kept[0] = ranked;
            self.sift_down();
        } else {
            self.kept[self.len - 1] = ranked;
            self.sift_up(self.len - 1);
        }
        if self.len == self.kept.len() {
            self.bound = self.kept[if self.is_heap() { 0 } else { self.len - 1 }].score;
        }
    }

    /// Moves `ranked` up from the last place to behind all that it does not beat.
    fn insert(&mut self, ranked: Ranked) {
        let mut place = self.len - 1;
        while place > 0 && ranked.score > self.kept[place - 1].score {
            self.kept[place] = self.kept[place - 1];
            place -= 1;
        }
        self.kept[place] = ranked;
    }

    fn sift_up(&mut self, mut child: usize) {
        while child > 0 {
            let parent = (child - 1) / 2;
            if self.kept[child].order(&self.kept[parent]) != Ordering::Greater {
                break;
            }
            self.kept.swap(child, parent);
            child = parent;
        }
    }

    fn sift_down(&mut self) {
        let mut parent = 0;
        loop {
            let worse =
                |a: usize, b: usize| b < self.len && self.kept[b].order(&self.kept[a]) == Ordering::Greater;
            let (left, right) = (2 * parent + 1, 2 * parent + 2);
            let mut worst = parent;
            if worse(worst, left) {
                worst = left;
            }
            if worse(worst, right) {
                worst = right;
            }
            if worst == parent {
                break;
            }
            self.kept.swap(parent, worst);
            parent = worst;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_either_sign_tie() {
        for len in 1..4 {
            let mut heap = [Ranked::default(); 3];
            let mut best = Best::new(&mut heap[..len]);
            best.offer(Kernel::scalar(), 0, &[-0.0, 0.0, -0.0]);
            let items = best.sorted().iter().map(|ranked| ranked.item);
            assert!(items.eq(0..len as u32), "the shorter list does not begin the longer one");
        }
    }
}
