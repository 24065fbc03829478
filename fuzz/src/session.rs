//! What a session promises.

use crate::file::{Aligned, split};
use crate::{bits, list};
use arbitrary::{Arbitrary, Result, Unstructured};
use tinderbox::{
    Filter, Interaction, Kernel, Model, NewItems, Ranked, Rater, Reason, Session, adapt_item, embed_item,
    rank_batch,
};

/// On any file that opens, verified or not, with any calls: nothing panics; wrong calls are refused, right
/// ones are not; a ranking is the items that the filter lets through, sorted, with the bits of
/// `Session::score` (unless the file has sketches, which are believed); a batch gives the same list; an order for variety
/// has items of it; `explain` leaves the session as it was; and the kernel makes no difference.
///
/// The bytes are a model file, as long as its header says, whose checksums are made right; what an app does
/// with it follows.
pub fn session(bytes: &[u8]) {
    let (file, calls) = split(bytes);
    let file = Aligned::sealed(file);
    let Ok(model) = Model::open(file.bytes()) else { return };
    let Ok(calls) = Calls::arbitrary(&mut Unstructured::new(calls)) else { return };
    let calls = if calls.sound { calls.made_sound(&model) } else { calls };
    let expected = calls.play(model, Kernel::scalar());
    for kernel in Kernel::all() {
        assert_eq!(calls.play(model, kernel), expected, "{} differs from scalar", kernel.name());
    }
}

/// More items than a session scores at a time.
const CROWD: usize = 600;

/// What an app asks of a session.
#[derive(Arbitrary, Debug)]
struct Calls {
    /// Whether the numbers below are to be brought into range.
    sound: bool,
    capacity: u8,
    #[arbitrary(with = list)]
    user_features: Vec<u8>,
    #[arbitrary(with = list)]
    item_features: Vec<u8>,
    #[arbitrary(with = list)]
    new_rows: Vec<i8>,
    #[arbitrary(with = list)]
    new_scales: Vec<f32>,
    /// Whether to repeat the new items until they need more than one chunk.
    crowded: bool,
    #[arbitrary(with = list)]
    support: Vec<(u16, u8)>,
    #[arbitrary(with = some_list)]
    allow: Option<Vec<u16>>,
    #[arbitrary(with = list)]
    deny: Vec<u16>,
    #[arbitrary(with = list)]
    categories: Vec<u8>,
    keep_support: bool,
    list: u8,
    explained: u16,
    reasons: u8,
}

/// What it gets; floats as bits.
#[derive(Debug, PartialEq)]
struct Answers {
    user: Vec<u32>,
    list: Option<Vec<(u32, u32)>>,
    similar: Option<Vec<(u32, u32)>>,
    diverse: Option<Vec<(u32, u32)>>,
    reasons: Option<Vec<(u32, u32)>>,
}

/// What a filter borrows.
struct Lists {
    allow: Option<Vec<u32>>,
    deny: Vec<u32>,
    categories: Vec<u32>,
    keep_support: bool,
}

impl Lists {
    fn filter(&self) -> Filter<'_> {
        Filter {
            allow: self.allow.as_deref(),
            deny: &self.deny,
            categories: &self.categories,
            keep_support: self.keep_support,
        }
    }
}

impl Calls {
    /// The same, with every number in range, and lists ascending.
    fn made_sound(mut self, model: &Model<'_>) -> Self {
        if self.crowded {
            self.new_scales = self.new_scales.into_iter().cycle().take(CROWD).collect();
        }
        let new_bytes = self.new_scales.len() * model.dim();
        self.new_rows.push(1); // so that there is something to repeat
        self.new_rows = self.new_rows.into_iter().cycle().take(new_bytes).collect();
        let items = model.items() + self.new_scales.len();
        self.support.truncate(self.capacity());
        self.support.retain(|_| items > 0);
        for (item, level) in &mut self.support {
            *item = (usize::from(*item) % items) as u16;
            *level = (usize::from(*level) % model.levels().len()) as u8;
        }
        self.deny = below(items, self.deny);
        self.allow = self.allow.map(|allow| below(items, allow));
        self.categories = below(model.categories().len(), self.categories);
        self.user_features = below(model.user_features().len(), self.user_features);
        self.item_features = below(model.item_features().len(), self.item_features);
        self
    }

    /// Interactions that the scratch memory has room for.
    fn capacity(&self) -> usize {
        usize::from(self.capacity % 40) + 1
    }

    fn play(&self, model: Model<'_>, kernel: Kernel) -> Answers {
        self.embed(&model);
        let mut scratch = vec![f32::NAN; Session::scratch_len(&model, self.capacity())];
        let mut session = Session::with_kernel(model, kernel, &mut scratch)
            .expect("scratch memory of the length asked for");
        let new_items = NewItems { rows: &self.new_rows, scales: &self.new_scales };
        let fits = self.new_rows.len() == self.new_scales.len() * model.dim();
        assert_eq!(session.add_items(new_items).is_ok(), fits);
        let items = model.items() + if fits { self.new_scales.len() } else { 0 };

        let features = wide(&self.user_features);
        let known = features.iter().all(|&feature| (feature as usize) < model.user_features().len());
        assert_eq!(session.set_features(&features).is_ok(), known);
        let support = self.adapt(&mut session, items);

        self.rate(&session);
        let user = session.user().iter().copied().map(bits).collect();
        let list = self.rank(&session, &support, items);
        let similar = self.similar(&session, items);
        let diverse = self.diverse(&session, list.as_deref());
        let reasons = self.explain(&mut session, support.len(), items);
        assert_eq!(self.rank(&session, &support, items), list, "explaining changed the session");
        Answers { user, list, similar, diverse, reasons }
    }

    fn embed(&self, model: &Model<'_>) {
        let mut row = vec![0; model.dim()];
        if let Ok(scale) = embed_item(model, &wide(&self.item_features), &mut row) {
            assert!(scale > 0.0 && scale.is_finite() && !row.contains(&i8::MIN));
        }
    }

    /// The user rates a new item.
    fn rate(&self, session: &Session<'_>) {
        let model = session.model();
        let (mut scratch, mut row) = (vec![f32::NAN; 3 * model.dim()], vec![0; model.dim()]);
        let raters = self.support.iter().map(|&(_, level)| Rater { user: session.user(), level });
        let (features, raters) = (wide(&self.item_features), raters.collect::<Vec<_>>());
        if let Ok(scale) = adapt_item(&model, &features, &raters, &mut scratch, &mut row) {
            assert!(scale > 0.0 && scale.is_finite() && !row.contains(&i8::MIN));
        }
    }

    /// Adapts; returns the items that the session has adapted to.
    fn adapt(&self, session: &mut Session<'_>, items: usize) -> Vec<u32> {
        let support: Vec<Interaction> =
            self.support.iter().map(|&(item, level)| Interaction { item: item.into(), level }).collect();
        let levels = session.model().levels().len();
        let known = |i: &Interaction| (i.item as usize) < items && usize::from(i.level) < levels;
        let fits = support.len() <= self.capacity() && support.iter().all(known);
        assert_eq!(session.adapt(&support).is_ok(), fits);
        if fits { support.iter().map(|interaction| interaction.item).collect() } else { Vec::new() }
    }

    fn lists(&self) -> Lists {
        Lists {
            allow: self.allow.as_deref().map(wide),
            deny: wide(&self.deny),
            categories: wide(&self.categories),
            keep_support: self.keep_support,
        }
    }

    fn rank(&self, session: &Session<'_>, support: &[u32], items: usize) -> Option<Vec<(u32, u32)>> {
        let lists = self.lists();
        let filter = lists.filter();
        let table = session.model().categories();
        let ascends = |list: &[u32]| {
            list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|&item| (item as usize) < items)
        };
        let sound = filter.allow.is_none_or(ascends)
            && ascends(filter.deny)
            && filter.categories.iter().all(|&category| (category as usize) < table.len());
        let mut out = vec![Ranked::default(); self.list.into()];
        let list = session.rank(&filter, &mut out);
        assert_eq!(list.is_ok(), sound, "{filter:?}");
        let list = pairs(list.ok()?);
        let passes = |item: &u32| {
            filter.allow.is_none_or(|allow| allow.contains(item))
                && !filter.deny.contains(item)
                && (filter.keep_support || !support.contains(item))
                && (filter.categories.is_empty()
                    || filter
                        .categories
                        .iter()
                        .any(|&category| table.contains(category as usize, *item as usize)))
        };
        if session.model().sketch().is_none() {
            let candidates = (0..items as u32).filter(passes);
            assert_eq!(list, pairs(&sorted(session, candidates, self.list.into())), "{filter:?}");
        }
        let mut outs = [vec![Ranked::default(); self.list.into()], vec![Ranked::default(); self.list.into()]];
        let mut requests = outs.each_mut().map(|out| session.request(&filter, out).expect("a sound filter"));
        rank_batch(&mut requests);
        for request in requests {
            assert_eq!(pairs(request.ranked()), list, "a batch differs");
        }
        Some(list)
    }

    fn similar(&self, session: &Session<'_>, items: usize) -> Option<Vec<(u32, u32)>> {
        let item = u32::from(self.explained);
        let mut out = vec![Ranked::default(); self.list.into()];
        let list = session.similar(item, &Filter::default(), &mut out);
        assert_eq!(list.is_ok(), (item as usize) < items);
        let list = list.ok()?;
        assert!(list.iter().all(|ranked| ranked.item != item));
        assert!(list.is_sorted_by(|a, b| a.score >= b.score));
        Some(pairs(list))
    }

    /// Some of the items of a sound `list`, which is as long as there are candidates.
    fn diverse(&self, session: &Session<'_>, list: Option<&[(u32, u32)]>) -> Option<Vec<(u32, u32)>> {
        let list = list?;
        let lists = self.lists();
        let filter = lists.filter();
        let mut out = vec![Ranked::default(); self.list.into()];
        let mut scratch = vec![f32::NAN; Session::diverse_scratch_len(&session.model(), out.len())];
        let (diversity, len) = (f32::from(self.reasons) / 255.0, usize::from(self.capacity));
        let found = session.rank_diverse(&filter, diversity, len, &mut scratch, &mut out);
        let found = pairs(found.expect("a sound filter and enough scratch"));
        assert_eq!(found.len(), len.min(list.len()));
        assert!(found.iter().all(|item| list.contains(item)));
        Some(found)
    }

    fn explain(&self, session: &mut Session<'_>, support: usize, items: usize) -> Option<Vec<(u32, u32)>> {
        let item = u32::from(self.explained);
        let mut out = vec![Reason::default(); self.reasons.into()];
        let reasons = session.explain(item, &mut out);
        assert_eq!(reasons.is_ok(), (item as usize) < items);
        let reasons = reasons.ok()?;
        assert_eq!(reasons.len(), support.min(self.reasons.into()));
        let numbers = reasons.iter().all(|reason| !reason.effect.is_nan());
        assert!(!numbers || reasons.is_sorted_by(|a, b| a.effect >= b.effect));
        Some(reasons.iter().map(|reason| (reason.item, bits(reason.effect))).collect())
    }
}

fn some_list<'a, T: Arbitrary<'a>>(input: &mut Unstructured<'a>) -> Result<Option<Vec<T>>> {
    if input.arbitrary()? { list(input).map(Some) } else { Ok(None) }
}

/// A ranking by its definition: score each candidate on its own and sort. What has no score is left out.
fn sorted(session: &Session<'_>, candidates: impl Iterator<Item = u32>, len: usize) -> Vec<Ranked> {
    let score = |item| Ranked { item, score: session.score(item).expect("a known item") };
    let mut list: Vec<Ranked> = candidates.map(score).filter(|r| r.score > f32::NEG_INFINITY).collect();
    list.sort_by(|a, b| b.score.partial_cmp(&a.score).expect("no NaN").then(a.item.cmp(&b.item)));
    list.truncate(len);
    list
}

fn pairs(list: &[Ranked]) -> Vec<(u32, u32)> {
    list.iter().map(|ranked| (ranked.item, bits(ranked.score))).collect()
}

fn wide<T: Copy + Into<u32>>(numbers: &[T]) -> Vec<u32> {
    numbers.iter().map(|&number| number.into()).collect()
}

/// `numbers` brought below `limit`, ascending and distinct.
fn below<T: Copy + Ord + Into<u32> + TryFrom<u32>>(limit: usize, numbers: Vec<T>) -> Vec<T> {
    let limit = limit.min(u32::MAX as usize) as u32;
    let rest = |number: T| number.into().checked_rem(limit).and_then(|rest| T::try_from(rest).ok());
    let mut numbers: Vec<T> = numbers.into_iter().filter_map(rest).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
