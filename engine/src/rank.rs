//! The best of the catalogue, kept while the scores stream by.

use crate::kernel::Kernel;
use crate::sort::{sift_down, sort};
use core::cmp::Ordering;

/// Items that are scored at a time, on the stack: a multiple of 64. Four floats each under `matching`, and firmware has
/// few kilobytes of RAM; no list depends on it.
pub(crate) const CHUNK: usize = if cfg!(target_os = "none") { 64 } else { 512 };

/// Scores whose comparisons with the worst kept one are the bits of a number.
const BLOCK: usize = 64;

/// The longest list that is kept sorted as it fills. Longer ones are kept as a heap.
const SORTED: usize = 128;

/// Classes that a chunk's scores are dealt into to find the bound of a list that is still empty; no list that is longer
/// has one.
const CLASSES: usize = 16;

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
        // Pages and firmware have no room for more.
        if cfg!(any(target_os = "none", target_family = "wasm")) {
            return (first..).zip(scores).for_each(|(item, &score)| self.offer_one(item, score));
        }
        self.foresee(scores);
        self.sift(kernel, first, scores, &|at| scores[at]);
    }

    /// Whether any of these scores, at most [`CHUNK`], would be kept: of the chunks of a long catalogue few have one.
    pub(crate) fn takes_any(&self, kernel: Kernel, scores: &[f32]) -> bool {
        let mut above = [0; CHUNK / BLOCK];
        kernel.above(scores, self.bound, &mut above[..scores.len().div_ceil(BLOCK)]);
        above != [0; CHUNK / BLOCK]
    }

    fn offer_one(&mut self, item: usize, score: f32) {
        if score > self.bound {
            self.keep(Ranked { item: item as u32, score });
        }
    }

    /// Spares an empty list most of what it would keep for a moment: sets its bound to what its worst score will be at
    /// least, once these `scores` have been offered.
    ///
    /// As many classes of them have a score of at least that as the list has places.
    fn foresee(&mut self, scores: &[f32]) {
        if self.len > 0 || !(1..=CLASSES).contains(&self.kept.len()) {
            return;
        }
        let mut largest = [f32::NEG_INFINITY; CLASSES];
        for scores in scores.as_chunks::<CLASSES>().0 {
            for (largest, &score) in largest.iter_mut().zip(scores) {
                *largest = if score > *largest { score } else { *largest };
            }
        }
        let is_reached =
            |bound: f32| largest.iter().filter(|&&score| score >= bound).count() >= self.kept.len();
        let worst = largest.iter().copied().filter(|&score| is_reached(score)).fold(self.bound, f32::max);
        self.bound = worst.next_down(); // what ties with it is kept
    }

    /// The same for scores that are costly: `score(at)` is asked for where `bounds[at]`, which it is not above, would
    /// be kept.
    pub(crate) fn sift(
        &mut self,
        kernel: Kernel,
        first: usize,
        bounds: &[f32],
        score: &dyn Fn(usize) -> f32,
    ) {
        let mut start = 0;
        while start < bounds.len() {
            // Until the list is full every score is above its bound: short parts let the bound take effect.
            let part = if self.len < self.kept.len() { BLOCK } else { CHUNK };
            let part = &bounds[start..bounds.len().min(start + part)];
            let mut above = [0; CHUNK / BLOCK];
            kernel.above(part, self.bound, &mut above[..part.len().div_ceil(BLOCK)]);
            for (from, mut above) in (start..).step_by(BLOCK).zip(above) {
                while above != 0 {
                    let at = from + above.trailing_zeros() as usize;
                    above &= above - 1;
                    if bounds[at] > self.bound {
                        self.offer_one(first + at, score(at));
                    }
                }
            }
            start += part.len();
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
            sift_down(self.kept, 0, &Ranked::order);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few values, so that many tie; what is never kept among them.
    fn scores() -> [f32; 1100] {
        core::array::from_fn(|at| match (at * at + 7 * at) % 97 {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 => f32::INFINITY,
            value => value as f32 / 16.0 - 3.0,
        })
    }

    #[test]
    fn lists_of_every_length_hold_the_best_and_of_ties_the_first() {
        let scores = scores();
        let mut expected = [Ranked::default(); 1100];
        let mut found = 0;
        for (item, &score) in (0..).zip(&scores).filter(|(_, score)| **score > f32::NEG_INFINITY) {
            expected[found] = Ranked { item, score };
            found += 1;
        }
        expected[..found].sort_by(Ranked::order);
        for kernel in Kernel::all() {
            for chunk in [64, CHUNK] {
                for len in (0..=SORTED + 3).chain([1100]) {
                    let mut kept = [Ranked::default(); 1100];
                    let mut best = Best::new(&mut kept[..len]);
                    for (first, scores) in (0..).step_by(chunk).zip(scores.chunks(chunk)) {
                        best.offer(kernel, first, scores);
                    }
                    assert_eq!(best.sorted(), &expected[..len.min(found)], "{len} by {chunk}");
                }
            }
        }
    }

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
