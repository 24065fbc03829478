//! What the C interface promises.

#![expect(unsafe_code, reason = "C's pointers")]

use crate::file::{Aligned, split};
use crate::{bits, list};
use arbitrary::{Arbitrary, Result, Unstructured};
use std::cell::Cell;
use tinderbox::{Feedback, Filter, Interaction, Model, Ranked, Reason, Session, embed_item};
use tinderbox_c::{self as c, Status};

/// On any file, with any numbers, lists and texts (but for batches and raters): a call is refused where the engine in
/// Rust refuses it, and answers the same where it does not; one of its pointers being null or misaligned, it is refused
/// and writes nothing; and nothing is ever written beyond the room that was given.
///
/// The bytes are a model file, as long as its header says, whose checksums are made right; what a program does with it
/// follows.
pub fn c(bytes: &[u8]) {
    let (file, calls) = split(bytes);
    let file = Aligned::sealed(file);
    let Ok(calls) = Calls::arbitrary(&mut Unstructured::new(calls)) else { return };
    calls.play(file.bytes());
}

/// What rooms hold before the call: a byte that is no likely answer.
const BLANK: u8 = 0xa5;

/// What a program does.
#[derive(Arbitrary, Debug)]
struct Calls {
    /// Which pointer of each call is wrong at first, if the call has so many.
    wrong: u8,
    /// Whether that is null, or misaligned where it can be.
    is_null: bool,
    capacity: u8,
    #[arbitrary(with = list)]
    id: Vec<u8>,
    #[arbitrary(with = list)]
    support: Vec<(u8, u8)>,
    rating: f32,
    #[arbitrary(with = numbers)]
    user_features: Vec<u32>,
    #[arbitrary(with = numbers)]
    item_features: Vec<u32>,
    #[arbitrary(with = numbers)]
    allow: Vec<u32>,
    allows: bool,
    #[arbitrary(with = numbers)]
    deny: Vec<u32>,
    #[arbitrary(with = numbers)]
    categories: Vec<u32>,
    keep_support: bool,
    list: u8,
    item: u8,
    diversity: f32,
}

/// Hands pointers to a call, one of them wrong.
struct Lender {
    wrong: Option<u8>,
    is_null: bool,
    lent: Cell<u8>,
    was_wrong: Cell<bool>,
}

impl Lender {
    fn lend<T>(&self, pointer: *mut T) -> *mut T {
        let at = self.lent.replace(self.lent.get() + 1);
        if self.wrong != Some(at) {
            return pointer;
        }
        self.was_wrong.set(true);
        if self.is_null || align_of::<T>() == 1 { std::ptr::null_mut() } else { pointer.wrapping_byte_add(1) }
    }

    fn lend_const<T>(&self, pointer: *const T) -> *const T {
        self.lend(pointer.cast_mut())
    }

    /// A handle: aligned to a word, whatever its type says.
    fn lend_word<T>(&self, handle: *const T) -> *const T {
        self.lend_const(handle.cast::<u64>()).cast()
    }

    /// Room for nothing may be null, and is not lent then.
    fn lend_list_mut<T: Element>(&self, room: &Room<T>) -> *mut T {
        if room.len() == 0 { room.pointer() } else { self.lend(room.pointer()) }
    }

    /// A list may be null where it is empty, and is not lent then.
    fn lend_list<T>(&self, list: &[T]) -> *const T {
        if list.is_empty() { list.as_ptr() } else { self.lend_const(list.as_ptr()) }
    }
}

/// What results are made of.
trait Element: bytemuck::AnyBitPattern + bytemuck::NoUninit {}

impl<T: bytemuck::AnyBitPattern + bytemuck::NoUninit> Element for T {}

/// Room for results, with some more on either side that must stay blank. Cells, for C writes there.
struct Room<T>(Vec<Cell<T>>);

impl<T: Element> Room<T> {
    fn of(len: usize) -> Self {
        let mut blank = T::zeroed();
        bytemuck::bytes_of_mut(&mut blank).fill(BLANK);
        Self(vec![Cell::new(blank); len + 2])
    }

    fn pointer(&self) -> *mut T {
        self.0[1..].as_ptr().cast::<T>().cast_mut()
    }

    fn len(&self) -> usize {
        self.0.len() - 2
    }

    /// Whether all but the first `len` elements are blank.
    fn is_blank_from(&self, len: usize) -> bool {
        let is_blank = |cell: &Cell<T>| bytemuck::bytes_of(&cell.get()).iter().all(|&byte| byte == BLANK);
        is_blank(&self.0[0]) && self.0[1 + len..].iter().all(is_blank)
    }

    /// The first `len` elements; nothing from `written` on may be.
    fn take(&self, len: usize, written: usize) -> Vec<T> {
        assert!(self.is_blank_from(written), "written beyond what is told");
        self.0[1..][..len].iter().map(Cell::get).collect()
    }

    /// The value in room for one.
    fn value(&self) -> T {
        self.take(1, 1)[0]
    }
}

/// Memory for a handle or for scratch.
struct Words(Vec<Cell<u64>>);

impl Words {
    fn of(size: usize) -> Self {
        Self(vec![Cell::new(u64::from_ne_bytes([BLANK; 8])); size / size_of::<u64>()])
    }

    fn pointer(&self) -> *mut u64 {
        self.0.as_ptr().cast::<u64>().cast_mut()
    }

    fn size(&self) -> usize {
        size_of_val(&*self.0)
    }
}

impl Calls {
    /// Makes a call, with a wrong pointer first if it lends so many; `is_blank`: whether its rooms are.
    fn call(&self, call: impl Fn(&Lender) -> Status, is_blank: impl Fn() -> bool) -> Status {
        let lender =
            |wrong| Lender { wrong, is_null: self.is_null, lent: Cell::new(0), was_wrong: Cell::new(false) };
        let wrong = lender(Some(self.wrong));
        let status = call(&wrong);
        if !wrong.was_wrong.get() {
            return status;
        }
        assert_ne!(status, Status::Ok, "{self:?}"); // for the pointer, or for what is wrong beside it
        assert!(is_blank(), "refused, and written");
        call(&lender(None))
    }

    /// [`Calls::call`] for a list, if it was not refused. `written`: how much of the room may be, if more than the list.
    fn list<T: Element>(
        &self,
        room: &Room<T>,
        written: Option<usize>,
        call: impl Fn(&Lender, *mut T, *mut usize) -> Status,
    ) -> Option<Vec<T>> {
        let len = Room::<usize>::of(1);
        let status = self.call(
            |lender| call(lender, lender.lend_list_mut(room), lender.lend(len.pointer())),
            || room.is_blank_from(0) && len.is_blank_from(0),
        );
        if status != Status::Ok {
            return None;
        }
        let len = len.value();
        Some(room.take(len, written.unwrap_or(len)))
    }

    fn play(&self, file: &[u8]) {
        let memory = Words::of(c::tbx_model_size());
        let handle = Room::<usize>::of(1);
        let opened = Model::open(file);
        let status = self.call(
            // SAFETY: as many bytes as the lengths say.
            |lender| unsafe {
                c::tbx_open(
                    lender.lend_const(file.as_ptr().cast::<u64>()).cast(),
                    file.len(),
                    lender.lend(memory.pointer()).cast(),
                    memory.size(),
                    lender.lend(handle.pointer()).cast(),
                )
            },
            || handle.is_blank_from(0),
        );
        assert_eq!(status == Status::Ok, opened.is_ok());
        let Ok(model) = opened else { return };
        let handle = handle.value() as *const c::ModelHandle;
        self.find(&model, handle);
        self.embed(&model, handle);
        self.rank(&model, handle);
    }

    fn find(&self, model: &Model<'_>, handle: *const c::ModelHandle) {
        let item = Room::<u32>::of(1);
        let id = std::str::from_utf8(&self.id).ok();
        let status = self.call(
            // SAFETY: the id has that length.
            |lender| unsafe {
                let id = lender.lend_list(&self.id).cast();
                c::tbx_item(lender.lend_word(handle), id, self.id.len(), lender.lend(item.pointer()))
            },
            || item.is_blank_from(0),
        );
        match id.and_then(|id| model.item(id)) {
            Some(known) => assert_eq!((status, item.value() as usize), (Status::Ok, known)),
            None => assert!([Status::NotUtf8, Status::UnknownId].contains(&status) && item.is_blank_from(0)),
        }
    }

    fn embed(&self, model: &Model<'_>, handle: *const c::ModelHandle) {
        let (row, scale) = (Room::<i8>::of(model.dim()), Room::<f32>::of(1));
        let features = &self.item_features;
        let status = self.call(
            // SAFETY: lists and rooms have those lengths.
            |lender| unsafe {
                let features = (lender.lend_list(features), features.len());
                let row = (lender.lend(row.pointer()), row.len());
                let scale = lender.lend(scale.pointer());
                c::tbx_embed_item(lender.lend_word(handle), features.0, features.1, row.0, row.1, scale)
            },
            || row.is_blank_from(0) && scale.is_blank_from(0),
        );
        let mut expected = vec![0; model.dim()];
        match embed_item(model, features, &mut expected) {
            Ok(expected_scale) => {
                assert_eq!((status, row.take(model.dim(), model.dim())), (Status::Ok, expected));
                assert_eq!(scale.value(), expected_scale);
            }
            Err(_) => assert!(status != Status::Ok && scale.is_blank_from(0)),
        }
    }

    fn rank(&self, model: &Model<'_>, handle: *const c::ModelHandle) {
        let capacity = usize::from(self.capacity % 40);
        // SAFETY: a model.
        let memory = Words::of(unsafe { c::tbx_session_size(handle, capacity) });
        let session = Room::<usize>::of(1);
        let status = self.call(
            // SAFETY: memory of that size, which stays.
            |lender| unsafe {
                let memory = (lender.lend(memory.pointer()).cast(), memory.size());
                let session = lender.lend(session.pointer()).cast();
                c::tbx_session_new(lender.lend_word(handle), memory.0, memory.1, session)
            },
            || session.is_blank_from(0),
        );
        assert_eq!(status, Status::Ok);
        let session = session.value() as *mut c::SessionHandle;
        let mut scratch = vec![0.0; Session::scratch_len(model, capacity)];
        let mut expected =
            Session::new(*model, &mut scratch).expect("scratch memory of the length asked for");
        self.adapt(model, handle, session, &mut expected);
        self.lists(handle, session, &mut expected);
    }

    fn adapt(
        &self,
        model: &Model<'_>,
        handle: *const c::ModelHandle,
        session: *mut c::SessionHandle,
        expected: &mut Session<'_>,
    ) {
        let status = self.call(
            // SAFETY: the list has that length.
            |lender| unsafe {
                let features = lender.lend_list(&self.user_features);
                c::tbx_set_features(lender.lend_word(session).cast_mut(), features, self.user_features.len())
            },
            || true,
        );
        assert_eq!(status == Status::Ok, expected.set_features(&self.user_features).is_ok());
        let mut support: Vec<Interaction> = self
            .support
            .iter()
            .map(|&(item, level)| Interaction { item: item.into(), level: level % 8 })
            .collect();
        let rated = Room::<u64>::of(1);
        let status = self.call(
            // SAFETY: room for one interaction.
            |lender| unsafe {
                let rated = lender.lend(rated.pointer()).cast();
                c::tbx_rate(lender.lend_word(handle), self.item.into(), self.rating, rated)
            },
            || rated.is_blank_from(0),
        );
        match Interaction::at(model, self.item.into(), Feedback::Rating(self.rating)) {
            Ok(expected) => {
                assert_eq!(status, Status::Ok);
                assert!(rated.is_blank_from(1));
                // SAFETY: written. As itself, not as the room's word: it has padding.
                let rated = unsafe { rated.pointer().cast::<c::Interaction>().read() };
                assert_eq!((rated.item, rated.level), (expected.item, expected.level));
                support.push(expected);
            }
            Err(_) => assert!(status != Status::Ok && rated.is_blank_from(0)),
        }
        let said: Vec<c::Interaction> =
            support.iter().map(|&Interaction { item, level }| c::Interaction { item, level }).collect();
        let status = self.call(
            // SAFETY: the list has that length.
            |lender| unsafe {
                c::tbx_adapt(lender.lend_word(session).cast_mut(), lender.lend_list(&said), said.len())
            },
            || true,
        );
        assert_eq!(status == Status::Ok, expected.adapt(&support).is_ok(), "{status:?}");
    }

    fn lists(
        &self,
        handle: *const c::ModelHandle,
        session: *mut c::SessionHandle,
        expected: &mut Session<'_>,
    ) {
        let filter = Filter {
            allow: self.allows.then_some(&self.allow[..]),
            deny: &self.deny,
            categories: &self.categories,
            keep_support: self.keep_support,
        };
        let c_filter = c::Filter {
            allow: if self.allows { self.allow.as_ptr() } else { std::ptr::null() },
            allow_len: if self.allows { self.allow.len() } else { 0 },
            deny: self.deny.as_ptr(),
            deny_len: self.deny.len(),
            categories: self.categories.as_ptr(),
            categories_len: self.categories.len(),
            keep_support: self.keep_support.into(),
        };
        let top = usize::from(self.list);
        let room = Room::<[u32; 2]>::of(top);
        let found = self.list(&room, None, |lender, out, len| {
            // SAFETY: room for that many.
            unsafe { c::tbx_rank(lender.lend_word(session), &c_filter, out.cast(), top, len) }
        });
        let mut out = vec![Ranked::default(); top];
        let ranked = expected.rank(&filter, &mut out).ok();
        assert_eq!(found, ranked.map(pairs));

        let room = Room::<[u32; 2]>::of(top);
        let found = self.list(&room, None, |lender, out, len| {
            // SAFETY: room for that many.
            unsafe {
                c::tbx_similar(lender.lend_word(session), self.item.into(), &c_filter, out.cast(), top, len)
            }
        });
        let mut out = vec![Ranked::default(); top];
        assert_eq!(found, expected.similar(self.item.into(), &filter, &mut out).ok().map(pairs));

        let model = expected.model();
        // SAFETY: a model.
        let scratch = Words::of(unsafe { c::tbx_rank_diverse_size(handle, top) });
        let room = Room::<[u32; 2]>::of(top);
        let first = usize::from(self.capacity);
        let found = self.list(&room, Some(top), |lender, out, len| {
            let (session, memory) = (lender.lend_word(session), lender.lend(scratch.pointer()).cast());
            let (filter, out) = (&raw const c_filter, out.cast());
            // SAFETY: room for that many, and memory of that size.
            unsafe {
                c::tbx_rank_diverse(
                    session,
                    filter,
                    self.diversity,
                    first,
                    memory,
                    scratch.size(),
                    out,
                    top,
                    len,
                )
            }
        });
        let mut floats = vec![0.0; Session::diverse_scratch_len(&model, top)];
        let mut out = vec![Ranked::default(); top];
        let diverse = expected.rank_diverse(&filter, self.diversity, first, &mut floats, &mut out);
        assert_eq!(found, diverse.ok().map(pairs));

        let room = Room::<[u32; 2]>::of(top);
        let found = self.list(&room, None, |lender, out, len| {
            let session = lender.lend_word(session).cast_mut();
            // SAFETY: room for that many.
            unsafe { c::tbx_explain(session, self.item.into(), out.cast(), top, len) }
        });
        let mut out = vec![Reason::default(); top];
        let reasons = expected.explain(self.item.into(), &mut out).ok();
        let reasons = reasons.map(|list| list.iter().map(|r| [r.item, bits(r.effect)]).collect::<Vec<_>>());
        assert_eq!(found.map(nan_alike), reasons);
    }
}

fn pairs(list: &[Ranked]) -> Vec<[u32; 2]> {
    list.iter().map(|ranked| [ranked.item, ranked.score.to_bits()]).collect()
}

/// Effects may be NaN, of whatever bits.
fn nan_alike(list: Vec<[u32; 2]>) -> Vec<[u32; 2]> {
    list.into_iter().map(|[item, effect]| [item, bits(f32::from_bits(effect))]).collect()
}

/// Small enough to be known to a model now and then, and mostly ascending.
fn numbers(input: &mut Unstructured<'_>) -> Result<Vec<u32>> {
    let steps: Vec<u8> = list(input)?;
    let ascending = steps.into_iter().scan(0, |number, step| {
        *number = (*number + u32::from(step % 8)) % 256;
        Some(*number)
    });
    Ok(ascending.collect())
}
