//! An order of the best items that trades relevance for variety.

use crate::error::RankError;
use crate::kernel::Kernel;
use crate::quantise::widen;
use crate::rank::Ranked;
use tinderbox_format::{BLOCK, Row, Rows};

/// The candidates of one ranking, side by side in scratch memory, where each keeps its place.
pub(crate) struct Pool<'s> {
    /// The candidates' rows, dim components each, in blocks.
    rows: &'s mut [i8],
    scales: &'s mut [f32],
    /// The largest cosine to an item that has been ordered; negative infinity before the first.
    nearest: &'s mut [f32],
    cosines: &'s mut [f32],
    /// For each of the list that is being ordered its place here.
    places: &'s mut [u32],
    /// Row of the item that was ordered last, dim.
    query: &'s mut [i16],
}

/// Floats of scratch memory for each candidate beside its row: scale, nearest, cosine, place.
const PER_CANDIDATE: usize = 4;

/// Floats for so many candidates; rows take a quarter of a float for each component, the query a half.
pub(crate) fn scratch_len(dim: usize, candidates: usize) -> usize {
    let of_rows = candidates.div_ceil(BLOCK).saturating_mul(BLOCK * dim / 4);
    candidates.saturating_mul(PER_CANDIDATE).saturating_add(of_rows).saturating_add(dim / 2)
}

impl<'s> Pool<'s> {
    pub(crate) fn new(dim: usize, candidates: usize, scratch: &'s mut [f32]) -> Result<Self, RankError> {
        let (expected, found) = (scratch_len(dim, candidates), scratch.len());
        if found < expected {
            return Err(RankError::ScratchTooSmall { expected, found });
        }
        let mut free = scratch;
        let mut take = |len: usize| free.split_off_mut(..len).unwrap_or_default();
        Ok(Self {
            rows: bytemuck::cast_slice_mut(take(candidates.next_multiple_of(BLOCK) * dim / 4)),
            scales: take(candidates),
            nearest: take(candidates),
            cosines: take(candidates),
            places: bytemuck::cast_slice_mut(take(candidates)),
            query: bytemuck::cast_slice_mut(take(dim / 2)),
        })
    }

    /// The row (dim) and scale of candidate `at`.
    pub(crate) fn put(&mut self, at: usize, row: Row<'_>, scale: f32) {
        row.put(self.rows, at);
        self.scales[at] = scale;
        self.places[at] = at as u32;
    }

    /// Reorders `ranked`, whose rows were put, and returns the first `len`.
    ///
    /// ```text
    /// the best score stays at place 0
    /// for place in 1..len:
    ///     nearest_i = max(nearest_i, cos(ranked[place - 1], ranked[i]))    for i >= place
    ///     move to place the best of ranked[place..] by (1 - diversity) score - diversity nearest
    /// ```
    pub(crate) fn order(
        mut self,
        kernel: Kernel,
        diversity: f32,
        len: usize,
        ranked: &mut [Ranked],
    ) -> &[Ranked] {
        let diversity = if diversity > 0.0 { diversity.min(1.0) } else { 0.0 };
        let len = len.min(ranked.len());
        self.nearest.fill(f32::NEG_INFINITY);
        for next in 1..len {
            self.approach(kernel, self.places[next - 1] as usize, ranked.len());
            let best = self.best(diversity, next, ranked);
            ranked.swap(next, best);
            self.places.swap(next, best);
        }
        &ranked[..len]
    }

    /// Who comes next; ties to the lower number.
    fn best(&self, diversity: f32, next: usize, ranked: &[Ranked]) -> usize {
        let nearest = |at: usize| self.nearest[self.places[at] as usize];
        let value = |at: usize| (1.0 - diversity) * ranked[at].score - diversity * nearest(at);
        let (mut best, mut highest) = (next, f32::NEG_INFINITY);
        for at in next..ranked.len() {
            let value = value(at);
            if value > highest || (value == highest && ranked[at].item < ranked[best].item) {
                (best, highest) = (at, value);
            }
        }
        best
    }

    /// Brings `nearest` of the first `len` candidates up to date with the one at `place`; of those that have been ordered
    /// it no longer matters.
    fn approach(&mut self, kernel: Kernel, place: usize, len: usize) {
        if let Some(row) = Rows::new(self.rows, self.query.len()).row(place) {
            widen(row, self.query);
        }
        let cosines = &mut self.cosines[..len];
        kernel.scan(self.rows, self.query, self.scales, self.scales[place], cosines);
        for (nearest, &cosine) in self.nearest.iter_mut().zip(&*cosines) {
            *nearest = if cosine > *nearest { cosine } else { *nearest };
        }
    }
}
