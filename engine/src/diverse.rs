//! An order of the best items that trades relevance for variety.

use crate::error::RankError;
use crate::kernel::Kernel;
use crate::quantise::widen;
use crate::rank::Ranked;

/// The candidates of one ranking, side by side in scratch memory.
pub(crate) struct Pool<'s> {
    /// candidates x dim
    rows: &'s mut [i8],
    scales: &'s mut [f32],
    /// The largest cosine to an item that has a place; negative infinity before the first.
    nearest: &'s mut [f32],
    cosines: &'s mut [f32],
    /// Row of the item that was placed last, dim.
    query: &'s mut [i16],
}

/// Floats of scratch memory for each candidate beside its row: scale, nearest, cosine.
const PER_CANDIDATE: usize = 3;

/// Floats for so many candidates; rows take a quarter of a float for each component, the query a half.
pub(crate) fn scratch_len(dim: usize, candidates: usize) -> usize {
    candidates.saturating_mul(dim / 4 + PER_CANDIDATE).saturating_add(dim / 2)
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
            rows: bytemuck::cast_slice_mut(take(candidates * dim / 4)),
            scales: take(candidates),
            nearest: take(candidates),
            cosines: take(candidates),
            query: bytemuck::cast_slice_mut(take(dim / 2)),
        })
    }

    /// The row (dim) and scale of candidate `at`.
    pub(crate) fn put(&mut self, at: usize, row: &[i8], scale: f32) {
        self.rows[at * row.len()..][..row.len()].copy_from_slice(row);
        self.scales[at] = scale;
    }

    /// Reorders `ranked`, whose rows were put, and returns the first `len`.
    ///
    /// ```text
    /// the best score stays at place 0
    /// for place in 1..len:
    ///     move to place the best of ranked[place..] by (1 - diversity) score - diversity nearest
    ///     nearest_i = max(nearest_i, cos(ranked[place], ranked[i]))    for i > place
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
        for place in 0..len {
            let best = if place == 0 { 0 } else { self.best(diversity, place, ranked) };
            self.swap(place, best);
            ranked.swap(place, best);
            self.approach(kernel, place, ranked.len());
        }
        &ranked[..len]
    }

    /// Who gets the next place; ties to the lower number.
    fn best(&self, diversity: f32, place: usize, ranked: &[Ranked]) -> usize {
        let value = |at: usize| (1.0 - diversity) * ranked[at].score - diversity * self.nearest[at];
        let mut best = place;
        for at in place + 1..ranked.len() {
            let (new, old) = (value(at), value(best));
            if new > old || (new == old && ranked[at].item < ranked[best].item) {
                best = at;
            }
        }
        best
    }

    fn swap(&mut self, a: usize, b: usize) {
        if a != b {
            let dim = self.query.len();
            let (low, high) = self.rows.split_at_mut(a.max(b) * dim);
            low[a.min(b) * dim..][..dim].swap_with_slice(&mut high[..dim]);
            self.scales.swap(a, b);
            self.nearest.swap(a, b);
        }
    }

    /// Brings `nearest` of the candidates behind `place` up to date with the item there.
    fn approach(&mut self, kernel: Kernel, place: usize, end: usize) {
        let dim = self.query.len();
        widen(&self.rows[place * dim..][..dim], self.query);
        let behind = place + 1..end;
        let cosines = &mut self.cosines[behind.clone()];
        let rows = &self.rows[behind.start * dim..behind.end * dim];
        kernel.scan(rows, self.query, &self.scales[behind.clone()], self.scales[place], cosines);
        for (nearest, &cosine) in self.nearest[behind].iter_mut().zip(&*cosines) {
            *nearest = if cosine > *nearest { cosine } else { *nearest };
        }
    }
}
