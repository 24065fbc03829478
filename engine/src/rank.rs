//! The best of the catalogue, kept while the scores stream by.

use crate::kernel::Kernel;
use crate::sort::sort;
use core::cmp::Ordering;

/// Items that are scored at a time, on the stack: a multiple of 64. Four floats each under `matching`, and firmware has
/// few kilobytes of RAM; no list depends on it.
pub(crate) const CHUNK: usize = if cfg!(target_os = "none") { 64 } else { 512 };

/// Scores that are compared with the worst kept one at once.
const BLOCK: usize = 32;

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
    /// Not `total_cmp`: it puts 0 above -0, which [`Best::takes`] does not, and then a longer list would not
    /// begin with the shorter one. No NaN is ever kept, so this is a total order.
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.partial_cmp(&self.score).unwrap_or(Ordering::Equal);
        by_score.then(self.item.cmp(&other.item))
    }
}

/// A heap in the caller's memory with the worst kept item at its root.
pub(crate) struct Best<'a> {
    heap: &'a mut [Ranked],
    len: usize,
}

impl<'a> Best<'a> {
    pub(crate) fn new(heap: &'a mut [Ranked]) -> Self {
        Self { heap, len: 0 }
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
            if self.takes(kernel.largest(block)) {
                for (at, &bound) in (start..).zip(block) {
                    if self.takes(bound) {
                        let score = score(at);
                        if self.takes(score) {
                            self.keep(Ranked { item: (first + at) as u32, score });
                        }
                    }
                }
            }
        }
    }

    /// The kept items, best first.
    pub(crate) fn sorted(self) -> &'a mut [Ranked] {
        let kept = &mut self.heap[..self.len];
        sort(kept, Ranked::order);
        kept
    }

    fn takes(&self, score: f32) -> bool {
        if self.len < self.heap.len() {
            score > f32::NEG_INFINITY
        } else {
            self.heap.first().is_some_and(|worst| score > worst.score)
        }
    }

    fn keep(&mut self, ranked: Ranked) {
        if self.len < self.heap.len() {
            self.heap[self.len] = ranked;
            self.len += 1;
            self.sift_up(self.len - 1);
        } else {
            self.heap[0] = ranked;
            self.sift_down();
        }
    }

    fn sift_up(&mut self, mut child: usize) {
        while child > 0 {
            let parent = (child - 1) / 2;
            if self.heap[child].order(&self.heap[parent]) != Ordering::Greater {
                break;
            }
            self.heap.swap(child, parent);
            child = parent;
        }
    }

    fn sift_down(&mut self) {
        let mut parent = 0;
        loop {
            let worse =
                |a: usize, b: usize| b < self.len && self.heap[b].order(&self.heap[a]) == Ordering::Greater;
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
            self.heap.swap(parent, worst);
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
