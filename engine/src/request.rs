//! One list on its way: a filter, what is ranked for, and the best so far. Alone or in a batch it takes the same way.

use crate::error::RankError;
use crate::filter::{Filter, Pass};
use crate::kernel::{Kernel, Scan, score_row};
use crate::rank::{Best, CHUNK, Ranked};
use crate::session::Session;
use crate::sketch::Sieve;
use tinderbox_format::{BLOCK, Row, Rule};

/// Requests that go over the catalogue together.
const BATCH: usize = 16;
/// Items that tiles score at a time for them, on the stack: a multiple of 64, no more than [`CHUNK`]; 16 KB for 16.
const BATCH_CHUNK: usize = if CHUNK < 256 { CHUNK } else { 256 };

/// From this item on it pays to ask whether a chunk has anything for the list before its scores are filtered. Pages and
/// firmware have no catalogue that is long enough, and no room for the question.
const LONG: Option<usize> =
    if cfg!(any(target_os = "none", target_family = "wasm")) { None } else { Some(8192) };

/// A user's ranking that is still to be done: made by [`Session::request`], done by [`rank_batch`].
pub struct Request<'r, 'o> {
    session: &'r Session<'r>,
    /// dim
    query: &'r [i16],
    /// Turns an integer dot, times a row's scale, into a score.
    factor: f32,
    /// Whether the user's feedback is attended to: not for what is like an item.
    attends: bool,
    pass: Pass<'r>,
    best: Best<'o>,
}

/// Does the rankings of many users in one pass over the catalogue: each list is, to the bit, that of
/// [`Session::rank`].
///
/// Neighbours in `requests` that rank the same model share the pass; sort them by model where there are several. A
/// request that is done stays as it is. Cost: the rows are read once for each 16 requests; 16 to 46 KB of stack, by
/// kernel (`latency` of the benchmarks measures it).
pub fn rank_batch(requests: &mut [Request<'_, '_>]) {
    for group in requests.chunk_by_mut(|a, b| a.shares_catalogue(b)) {
        match &mut *group {
            [alone] => alone.rank_catalogue(),
            // No sieve: to many users one row costs less than as many bounds.
            group => group.chunks_mut(BATCH).for_each(rank_catalogue),
        }
        group.iter_mut().for_each(Request::rank_new_items);
    }
}

/// Ranks the catalogue for at most [`BATCH`] requests that share it.
fn rank_catalogue(requests: &mut [Request<'_, '_>]) {
    let Some(first) = requests.first() else { return };
    let Session { model, kernel, .. } = first.session;
    if kernel.shares_rows(requests.len(), model.dim()) {
        rank_by_tiles(requests);
    } else {
        rank_in_turns(requests);
    }
}

/// Chunk by chunk, so that its rows come from a near cache to all but the first.
#[inline(never)] // its stack is not to be its caller's
fn rank_in_turns(requests: &mut [Request<'_, '_>]) {
    let Some(first) = requests.first() else { return };
    let model = first.session.model;
    let mut scores = [0.0; CHUNK];
    for (first, rows, scales) in chunks(CHUNK, 0, model.dim(), model.rows().blocks(), model.scales()) {
        for request in &mut *requests {
            let scan = scan_of(request.session.kernel, rows, scales);
            request.score_chunk(first, &scan, &mut scores[..scales.len()]);
        }
    }
}

/// Chunk by chunk for all at once: each load of a row serves several.
#[inline(never)] // its stack is not to be its caller's
fn rank_by_tiles(requests: &mut [Request<'_, '_>]) {
    let Some(first) = requests.first() else { return };
    let Session { model, kernel, .. } = first.session;
    let (mut queries, mut factors) = ([first.query; BATCH], [first.factor; BATCH]);
    for ((query, factor), request) in queries.iter_mut().zip(&mut factors).zip(&*requests) {
        (*query, *factor) = (request.query, request.factor);
    }
    let (queries, factors) = (&queries[..requests.len()], &factors[..requests.len()]);
    let mut scores = [0.0; BATCH * BATCH_CHUNK]; // requests x items
    for (first, rows, scales) in chunks(BATCH_CHUNK, 0, model.dim(), model.rows().blocks(), model.scales()) {
        let scores = &mut scores[..requests.len() * scales.len()];
        kernel.scan_batch(rows, queries, scales, factors, scores);
        let scan = scan_of(*kernel, rows, scales);
        for (request, scores) in requests.iter_mut().zip(scores.chunks_exact_mut(scales.len())) {
            if request.pass.wants(first, scales.len()) {
                request.take_chunk(first, &scan, scores);
            }
        }
    }
}

/// The rows of items numbered from `first` on, `len` at a time, a multiple of [`BLOCK`]: number of the first item, rows,
/// scales.
fn chunks<'r>(
    len: usize,
    first: usize,
    dim: usize,
    rows: &'r [i8],
    scales: &'r [f32],
) -> impl Iterator<Item = (usize, &'r [i8], &'r [f32])> {
    let chunks = rows.chunks(len * dim).zip(scales.chunks(len));
    (first..).step_by(len).zip(chunks).map(|(first, (rows, scales))| (first, rows, scales))
}

/// [`Kernel::scan`] over a chunk of the catalogue.
fn scan_of<'r>(
    kernel: Kernel,
    rows: &'r [i8],
    scales: &'r [f32],
) -> impl Fn(&[i16], f32, &mut [f32]) + use<'r> {
    move |query, factor, scores| kernel.scan(rows, query, scales, factor, scores)
}

impl<'r, 'o> Request<'r, 'o> {
    pub(crate) fn of_user(
        session: &'r Session<'_>,
        filter: &Filter<'r>,
        out: &'o mut [Ranked],
    ) -> Result<Self, RankError> {
        let pass = filter.pass(&session.model, session.items(), session.left_out(), &[])?;
        let (query, factor) = session.query();
        Ok(Self { session, query, factor, attends: true, pass, best: Best::new(out) })
    }

    /// What is like `item`, whose row is `query` (dim) times `scale`.
    pub(crate) fn of_item(
        session: &'r Session<'_>,
        item: &'r u32,
        query: &'r [i16],
        scale: f32,
        filter: &Filter<'r>,
        out: &'o mut [Ranked],
    ) -> Result<Self, RankError> {
        let itself = core::slice::from_ref(item);
        let pass = filter.pass(&session.model, session.items(), session.left_out(), itself)?;
        Ok(Self { session, query, factor: scale, attends: false, pass, best: Best::new(out) })
    }

    /// The list, best first: as many as exist, up to the length of `out`. Empty before [`rank_batch`].
    pub fn ranked(self) -> &'o mut [Ranked] {
        self.best.sorted()
    }

    /// [`rank_batch`] for this one alone.
    pub(crate) fn rank(mut self) -> &'o mut [Ranked] {
        self.rank_catalogue();
        self.rank_new_items();
        self.ranked()
    }

    #[inline(never)] // its stack is not to be its caller's
    fn rank_catalogue(&mut self) {
        let Session { model, kernel, .. } = self.session;
        let sieve = self.sieve();
        let mut scores = [0.0; CHUNK];
        for (first, rows, scales) in chunks(CHUNK, 0, model.dim(), model.rows().blocks(), model.scales()) {
            let scan = scan_of(*kernel, rows, scales);
            let scores = &mut scores[..scales.len()];
            match &sieve {
                // The first chunk sets the score that the bounds have to reach.
                Some(sieve) if first > 0 => self.sift_chunk(sieve, first, rows, scales, scores),
                _ => self.score_chunk(first, &scan, scores),
            }
        }
    }

    /// Ends the pass. New items are few, and so are not in blocks: each is scored alone.
    #[inline(never)] // its stack is not to be its caller's
    fn rank_new_items(&mut self) {
        let Session { model, new_items, .. } = self.session;
        let dim = model.dim();
        for (first, rows, scales) in chunks(CHUNK, model.items(), dim, new_items.rows, new_items.scales) {
            let scan = |query: &[i16], factor: f32, scores: &mut [f32]| {
                for ((score, row), &scale) in scores.iter_mut().zip(rows.chunks_exact(dim)).zip(scales) {
                    *score = score_row(Row::whole(row), query, scale, factor);
                }
            };
            self.score_chunk(first, &scan, &mut [0.0; CHUNK][..scales.len()]);
        }
        self.pass.close();
    }

    fn shares_catalogue(&self, other: &Self) -> bool {
        let (a, b) = (self.session.model.rows(), other.session.model.rows());
        core::ptr::eq(a.blocks(), b.blocks())
    }

    /// Chunks come in ascending order. `scan` goes over the rows of the `scores`, whatever these hold.
    #[inline(never)] // called in two places
    fn score_chunk(&mut self, first: usize, scan: Scan<'_>, scores: &mut [f32]) {
        if self.pass.wants(first, scores.len()) {
            scan(self.query, self.factor, scores);
            self.take_chunk(first, scan, scores);
        }
    }

    /// Offers a wanted chunk whose `scores` are so far those by the query.
    #[inline(never)] // called in two places
    fn take_chunk(&mut self, first: usize, scan: Scan<'_>, scores: &mut [f32]) {
        let kernel = self.session.kernel;
        if self.attends {
            self.session.attend(scan, scores);
        }
        if LONG.is_none_or(|long| first < long) || self.best.takes_any(kernel, scores) {
            self.pass.apply(first, scores);
            self.best.offer(kernel, first, scores);
        }
    }

    /// The sieve for a catalogue with sketches; scores by attention have no bound. Bare metal and pages
    /// have no catalogue that is large enough, and the sieve's code costs them room.
    fn sieve(&self) -> Option<Sieve<'r>> {
        if cfg!(any(target_os = "none", target_family = "wasm")) {
            return None;
        }
        let Session { kernel, model, .. } = self.session;
        let sketch =
            model.sketch().filter(|_| !(self.attends && matches!(model.rule(), Rule::Matching { .. })))?;
        Some(Sieve::new(*kernel, sketch, self.query, self.factor))
    }

    /// The same result as [`Request::score_chunk`], from the rows whose bounds reach the list.
    fn sift_chunk(
        &mut self,
        sieve: &Sieve<'_>,
        first: usize,
        rows: &[i8],
        scales: &[f32],
        bounds: &mut [f32],
    ) {
        if self.pass.wants(first, scales.len()) {
            let kernel = self.session.kernel;
            sieve.bounds(kernel, first, bounds);
            self.pass.apply(first, bounds);
            let dim = self.query.len();
            self.best.sift(kernel, first, bounds, &|at| {
                let block = at / BLOCK * BLOCK;
                let mut scores = [0.0; BLOCK];
                kernel.scan(
                    &rows[block * dim..][..BLOCK * dim],
                    self.query,
                    &scales[block..],
                    self.factor,
                    &mut scores,
                );
                scores[at % BLOCK]
            });
        }
    }
}
