//! What is timed, in criterion's groups, in the latency report and in the gate of instruction counts alike.

use std::hint::black_box;

use arrayvec::ArrayVec;
use tinderbox::kernel::QUERY_MAX;
use tinderbox::{
    Filter, Interaction, Kernel, Model, NewItems, Ranked, Reason, Session, embed_item, rank_batch,
};

use crate::read::read;
use crate::reference::Reference;
use crate::sample::{scratch, users};

/// Interactions that a user has given, where it is not said otherwise.
pub const SUPPORT: usize = 10;
/// The supports that `adapt` is timed with.
const SUPPORTS: [usize; 5] = [1, 3, 5, 10, 20];
/// The longest of them.
const CAPACITY: usize = 20;
/// Users that take turns.
const USERS: usize = 64;
/// Users of a batch.
const BATCH: usize = 32;
/// Candidates of a diverse list.
const CANDIDATES: usize = 50;
/// How much variety weighs in it.
const DIVERSITY: f32 = 0.3;
/// Reasons that `explain` is asked for.
const REASONS: usize = 3;
/// Items that a scan scores at a time, for one user and for a batch: as a ranking, whose scores stay in the first-level
/// cache.
const CHUNKS: [usize; 2] = [512, 256];
/// Features of an item that is added.
const FEATURES: usize = 3;

/// One kind of call into the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reading the rows once: the line that no scan can be faster than.
    Read,
    /// Opening a file that is in memory.
    Open,
    /// Checking every byte of it.
    Verify,
    /// Adapting to a support of this length.
    Adapt(usize),
    /// A list of this length for an adapted user.
    Rank(usize),
    /// What a user waits for: adapting to ten interactions, and a list of this length without them.
    Request(usize),
    /// The same as `Request` of ten in every respect, to show the noise.
    RequestAgain,
    /// Lists of this length for 32 adapted users in one pass.
    Batch(usize),
    /// A list of ten out of fifty candidates, by maximal marginal relevance.
    Diverse,
    /// The ten items that are most similar to one.
    Similar,
    /// Three reasons for an item.
    Explain,
    /// Embedding an item by its features and adding it to a session.
    AddItem,
    /// The scores of an adapted user for all items, by the kernel alone: no list, no exclusion.
    Scan,
    /// The same for 32 users at once.
    ScanBatch,
}

impl Operation {
    /// All that an app calls and `model` can be timed with, with lists of these lengths.
    pub fn all(model: &Model<'_>, tops: &[usize]) -> Vec<Self> {
        let mut all = vec![Self::Read, Self::Open, Self::Verify];
        all.extend(SUPPORTS.map(Self::Adapt));
        all.extend(tops.iter().map(|&top| Self::Rank(top)));
        all.extend(tops.iter().map(|&top| Self::Request(top)));
        all.push(Self::RequestAgain);
        all.extend(tops.iter().map(|&top| Self::Batch(top)));
        all.extend([Self::Diverse, Self::Similar, Self::Explain]);
        all.push(Self::AddItem);
        all.retain(|operation| operation.suits(model));
        all
    }

    /// Whether `model` has what it takes: without item features no item can be added.
    pub fn suits(self, model: &Model<'_>) -> bool {
        self != Self::AddItem || !model.item_features().is_empty()
    }

    /// As in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Open => "open",
            Self::Verify => "verify",
            Self::Adapt(_) => "adapt",
            Self::Rank(_) => "rank",
            Self::Request(_) => "request",
            Self::RequestAgain => "request_again",
            Self::Batch(_) => "batch",
            Self::Diverse => "diverse",
            Self::Similar => "similar",
            Self::Explain => "explain",
            Self::AddItem => "add_item",
            Self::Scan => "scan",
            Self::ScanBatch => "scan_batch",
        }
    }

    /// Whether a session's kernel has a part in it.
    pub fn has_kernel(self) -> bool {
        !matches!(self, Self::Read | Self::Open | Self::Verify | Self::AddItem)
    }

    /// Length of the list; 0 where there is none.
    pub fn top(self) -> usize {
        match self {
            Self::Rank(top) | Self::Request(top) | Self::Batch(top) => top,
            Self::RequestAgain | Self::Diverse | Self::Similar => 10,
            _ => 0,
        }
    }

    /// Interactions that are adapted to, in the call or before it.
    pub fn support(self) -> usize {
        match self {
            Self::Adapt(support) => support,
            Self::Rank(_)
            | Self::Request(_)
            | Self::RequestAgain
            | Self::Batch(_)
            | Self::Diverse
            | Self::Explain
            | Self::Scan
            | Self::ScanBatch => SUPPORT,
            _ => 0,
        }
    }

    /// Users that one call serves.
    pub fn users(self) -> usize {
        if matches!(self, Self::Batch(_) | Self::ScanBatch) { BATCH } else { 1 }
    }

    /// Bytes that one call has to read, where the time should follow from that.
    pub fn bytes(self, model: &Model<'_>) -> usize {
        match self {
            Self::Verify => model.bytes().len(),
            Self::Open | Self::Adapt(_) | Self::Explain | Self::AddItem => 0,
            _ => model.rows().blocks().len(),
        }
    }
}

/// The memory of a [`Bench`].
#[derive(Debug)]
pub struct Memory {
    scratch: Vec<Vec<f32>>,
    /// A new item.
    row: Vec<i8>,
    scale: [f32; 1],
}

impl Memory {
    /// For sessions of this model.
    pub fn new(model: &Model<'_>) -> Self {
        let scratch = vec![scratch(model, CAPACITY); BATCH + 1];
        let mut row = vec![0; model.dim()];
        // A model without features cannot embed: it is not timed with `AddItem` either.
        let scale = embed_item(model, &features(model), &mut row).unwrap_or_default();
        Self { scratch, row, scale: [scale] }
    }
}

/// A model and a kernel with users, ready for every call.
#[derive(Debug)]
pub struct Bench<'a> {
    model: Model<'a>,
    kernel: Kernel,
    /// The users' support sets, [`CAPACITY`] long.
    users: Vec<Vec<Interaction>>,
    /// The session that calls adapt.
    session: Session<'a>,
    /// Sessions that are adapted to one user each.
    adapted: Vec<Session<'a>>,
    new_items: NewItems<'a>,
    /// The features of the item that is added, and its row.
    features: Vec<u32>,
    row: Vec<i8>,
    reasons: [Reason; REASONS],
    /// Scratch memory of a diverse list.
    diverse: Vec<f32>,
    /// List after list.
    out: Vec<Ranked>,
    /// The embeddings of `adapted`, as a scan takes them.
    queries: Vec<Vec<i16>>,
    /// Of a chunk: users x items.
    scores: Vec<f32>,
}

impl<'a> Bench<'a> {
    /// With lists of up to `longest`.
    ///
    /// # Panics
    /// If the engine refuses what its contract allows: then there is nothing to time.
    pub fn new(model: Model<'a>, kernel: Kernel, memory: &'a mut Memory, longest: usize) -> Self {
        let session =
            |scratch| Session::with_kernel(model, kernel, scratch).expect("scratch as long as asked for");
        let mut adapted: Vec<Session<'a>> =
            memory.scratch.iter_mut().map(|scratch| session(scratch)).collect();
        let session = adapted.remove(BATCH);
        let users = users(&model, CAPACITY, USERS);
        for (session, user) in adapted.iter_mut().zip(&users) {
            session.adapt(&user[..SUPPORT]).expect("a support of the catalogue");
        }
        let queries = adapted.iter().map(|session| query(session.user())).collect();
        Self {
            model,
            kernel,
            users,
            session,
            adapted,
            new_items: NewItems { rows: &memory.row, scales: &memory.scale },
            features: features(&model),
            row: vec![0; model.dim()],
            reasons: [Reason::default(); REASONS],
            diverse: vec![0.0; Session::diverse_scratch_len(&model, CANDIDATES)],
            out: vec![Ranked::default(); longest.max(CANDIDATES) * BATCH],
            queries,
            scores: vec![0.0; CHUNKS[0].max(CHUNKS[1] * BATCH)],
        }
    }

    /// Makes one call and checks its answer against the definitions in f64; `reference` is [`Bench::reference`].
    ///
    /// # Panics
    /// If it is wrong.
    pub fn check(&mut self, operation: Operation, reference: &Reference) {
        self.call(operation, 0);
        let (model, support, top) = (&self.model, &self.users[0][..SUPPORT], operation.top());
        match operation {
            Operation::Read | Operation::Open | Operation::Verify | Operation::AddItem => {}
            Operation::Adapt(support) => {
                Reference::check_user(model, &self.users[0][..support], self.session.user());
            }
            Operation::Rank(_) | Operation::Request(_) | Operation::RequestAgain => {
                reference.check_list(&self.out[..top.min(model.items() - SUPPORT)], top);
            }
            Operation::Batch(_) => {
                let mut alone = vec![Ranked::default(); top];
                for (session, together) in self.adapted.iter().zip(self.out.chunks_exact(top)) {
                    let alone = session.rank(&Filter::default(), &mut alone).expect("no filter");
                    assert_eq!(alone, &together[..alone.len()], "a list in a batch is another than alone");
                }
            }
            Operation::Diverse => {
                reference.check_diverse(model, &self.out[..top], CANDIDATES, DIVERSITY.into());
            }
            Operation::Similar => {
                Reference::similar(model, self.item(0), support).check_list(&self.out[..top], top);
            }
            Operation::Explain => {
                Reference::check_reasons(model, support, self.item(0), &self.reasons);
            }
            Operation::Scan | Operation::ScanBatch => self.check_scan(operation.users()),
        }
    }

    /// What the answers to the first user have to be.
    pub fn reference(model: &Model<'_>) -> Reference {
        Reference::of(model, &users(model, CAPACITY, 1)[0][..SUPPORT])
    }

    fn check_scan(&mut self, users: usize) {
        let (model, queries) = (self.model, self.queries.clone());
        self.scan(0, users, |first, scores| {
            for (query, scores) in queries.iter().zip(scores.chunks_exact(scores.len() / users)) {
                Reference::check_scores(&model, query, first, scores);
            }
        });
    }

    /// Scores all items for one user, `at`, or for all of the batch: chunk by chunk, with the number of its first item.
    #[inline]
    fn scan(&mut self, at: usize, users: usize, mut see: impl FnMut(usize, &[f32])) {
        let batch: [&[i16]; BATCH] = std::array::from_fn(|user| &*self.queries[user]);
        let chunk = CHUNKS[usize::from(users > 1)];
        let rows = self.model.rows().blocks().chunks(chunk * self.model.dim());
        for ((at_chunk, rows), scales) in rows.enumerate().zip(self.model.scales().chunks(chunk)) {
            let scores = &mut self.scores[..users * scales.len()];
            if users > 1 {
                self.kernel.scan_batch(rows, &batch, scales, &[1.0; BATCH], scores);
            } else {
                self.kernel.scan(rows, batch[at], scales, 1.0, scores);
            }
            see(at_chunk * chunk, scores);
        }
    }

    /// Not inlined: the requests would stand on the stack of every other call, too.
    #[inline(never)]
    fn batch(&mut self, top: usize) {
        let lists = self.out.chunks_exact_mut(top);
        let mut requests = ArrayVec::<_, BATCH>::new();
        for (session, list) in self.adapted.iter().zip(lists) {
            requests.push(session.request(&Filter::default(), list).expect("no filter"));
        }
        rank_batch(black_box(&mut requests));
        for request in requests.drain(..) {
            black_box(request.ranked());
        }
    }

    /// An item; in large steps, so that neighbours in memory do not follow one another.
    fn item(&self, at: usize) -> u32 {
        (at * 997 % self.model.items()) as u32
    }

    /// One call; `at` says whose turn it is.
    ///
    /// # Panics
    /// As [`Bench::new`].
    #[inline]
    pub fn call(&mut self, operation: Operation, at: usize) {
        let user = &self.users[at % USERS];
        let adapted = at % BATCH;
        match operation {
            Operation::Read => {
                black_box(read(bytemuck::cast_slice(black_box(self.model.rows().blocks()))));
            }
            Operation::Open => {
                black_box(Model::open(black_box(self.model.bytes()))).expect("an opened file");
            }
            Operation::Verify => black_box(self.model).verify().expect("a sound file"),
            Operation::Adapt(support) => {
                self.session.adapt(black_box(&user[..support])).expect("a support of the catalogue");
            }
            Operation::Rank(top) => {
                let list = self.adapted[adapted].rank(&Filter::default(), &mut self.out[..top]);
                black_box(list.expect("no filter"));
            }
            Operation::Request(_) | Operation::RequestAgain => {
                self.session.adapt(black_box(&user[..SUPPORT])).expect("a support of the catalogue");
                let list = self.session.rank(&Filter::default(), &mut self.out[..operation.top()]);
                black_box(list.expect("no filter"));
            }
            Operation::Batch(top) => self.batch(top),
            Operation::Diverse => {
                let (candidates, scratch) = (&mut self.out[..CANDIDATES], &mut self.diverse);
                let session = &self.adapted[adapted];
                let list =
                    session.rank_diverse(&Filter::default(), DIVERSITY, operation.top(), scratch, candidates);
                black_box(list.expect("scratch as long as asked for"));
            }
            Operation::Similar => {
                let (item, out) = (self.item(at), &mut self.out[..operation.top()]);
                let list = self.adapted[adapted].similar(item, &Filter::default(), out);
                black_box(list.expect("an item of the catalogue"));
            }
            Operation::Explain => {
                let item = self.item(at);
                let reasons = self.adapted[adapted].explain(item, &mut self.reasons);
                black_box(reasons.expect("an item of the catalogue"));
            }
            Operation::AddItem => {
                let scale = embed_item(&self.model, black_box(&self.features), &mut self.row);
                black_box(scale.expect("features with a direction"));
                // The session holds on to what it is given, so that it gets a row that stays as it is.
                self.session.add_items(black_box(self.new_items)).expect("a row of the model's dim");
            }
            Operation::Scan | Operation::ScanBatch => {
                self.scan(adapted, operation.users(), |_, scores| {
                    black_box(scores);
                });
            }
        }
    }
}

/// A user embedding in integers, the largest component as large as it may be.
fn query(user: &[f32]) -> Vec<i16> {
    let largest = user.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
    user.iter().map(|value| (value / largest * f32::from(QUERY_MAX)) as i16).collect()
}

/// Features of an item that training never saw.
fn features(model: &Model<'_>) -> Vec<u32> {
    (0..model.item_features().len().min(FEATURES) as u32).collect()
}
