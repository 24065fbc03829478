//! Exports on a session: feedback in, ranking out.

#![expect(unsafe_code, reason = "exports have names of their own and take addresses")]

use crate::list::{list, list_mut};
use crate::model::Opened;
use crate::reply::Reply;
use core::mem::{MaybeUninit, offset_of};
use tinderbox::{Filter, Interaction, NewItems, Ranked, Reason, Session};

/// A session whose scratch memory the host keeps.
pub(crate) type Begun = Session<'static>;

// The host reads and writes these: an item's number in the first word, the other value in the second.
const _: () = assert!(offset_of!(Interaction, item) == 0 && offset_of!(Interaction, level) == 4);
const _: () = assert!(offset_of!(Ranked, item) == 0 && offset_of!(Ranked, score) == 4);
const _: () = assert!(offset_of!(Reason, item) == 0 && offset_of!(Reason, effect) == 4);
const _: () = assert!(size_of::<Interaction>() == 8 && size_of::<Ranked>() == 8 && size_of::<Reason>() == 8);

/// A [`Filter`] as the host writes it. All words zero: the default filter.
#[repr(C)]
pub(crate) struct Filters {
    allow: *const u32,
    allow_len: usize,
    deny: *const u32,
    deny_len: usize,
    categories: *const u32,
    categories_len: usize,
    /// Whether `allow` counts, which may be empty.
    allows: bool,
    keep_support: bool,
}

impl Filters {
    /// # Safety
    /// See the crate.
    unsafe fn filter(&self) -> Filter<'_> {
        // SAFETY: the contract of the crate.
        let allow = unsafe { list(self.allow, self.allow_len) };
        // SAFETY: the contract of the crate.
        let deny = unsafe { list(self.deny, self.deny_len) };
        // SAFETY: the contract of the crate.
        let categories = unsafe { list(self.categories, self.categories_len) };
        Filter { allow: self.allows.then_some(allow), deny, categories, keep_support: self.keep_support }
    }
}

/// Bytes of a [`Session`].
#[unsafe(no_mangle)]
extern "C" fn session_size() -> usize {
    size_of::<Begun>()
}

/// As [`Session::scratch_len`].
#[unsafe(no_mangle)]
extern "C" fn session_scratch_len(model: &Opened, capacity: usize) -> usize {
    Session::scratch_len(model, capacity)
}

/// As [`Session::new`].
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_new(
    model: &Opened,
    scratch: *mut f32,
    len: usize,
    out: &mut MaybeUninit<Begun>,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let scratch = unsafe { list_mut(scratch, len) };
    reply.result(Session::new(*model, scratch).map(|session| {
        out.write(session);
        0
    }))
}

/// As [`Session::add_items`]: `len` scales, and dim bytes of `rows` for each.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_add_items(
    session: &mut Begun,
    rows: *const i8,
    scales: *const f32,
    len: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let rows = unsafe { list(rows, len * session.model().dim()) };
    // SAFETY: the contract of the crate.
    let scales = unsafe { list(scales, len) };
    reply.result(session.add_items(NewItems { rows, scales }).map(|()| len))
}

/// As [`Session::set_features`].
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_set_features(
    session: &mut Begun,
    features: *const u32,
    len: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let features = unsafe { list(features, len) };
    reply.result(session.set_features(features).map(|()| len))
}

/// As [`Session::adapt`].
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_adapt(
    session: &mut Begun,
    support: *const Interaction,
    len: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let support = unsafe { list(support, len) };
    reply.result(session.adapt(support).map(|()| len))
}

/// As [`Session::rank`]; returns the length of the list.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_rank(
    session: &Begun,
    filters: &Filters,
    out: *mut Ranked,
    top: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let filter = unsafe { filters.filter() };
    // SAFETY: the contract of the crate.
    let out = unsafe { list_mut(out, top) };
    reply.result(session.rank(&filter, out).map(<[_]>::len))
}

/// As [`Session::similar`]; returns the length of the list.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_similar(
    session: &Begun,
    item: u32,
    filters: &Filters,
    out: *mut Ranked,
    top: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let filter = unsafe { filters.filter() };
    // SAFETY: the contract of the crate.
    let out = unsafe { list_mut(out, top) };
    reply.result(session.similar(item, &filter, out).map(<[_]>::len))
}

/// As [`Session::diverse_scratch_len`].
#[unsafe(no_mangle)]
extern "C" fn session_diverse_scratch_len(model: &Opened, candidates: usize) -> usize {
    Session::diverse_scratch_len(model, candidates)
}

/// As [`Session::rank_diverse`]; returns the length of the list. `scratch`: what
/// [`session_diverse_scratch_len`] says for so many candidates.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_rank_diverse(
    session: &Begun,
    filters: &Filters,
    diversity: f32,
    top: usize,
    scratch: *mut f32,
    out: *mut Ranked,
    candidates: usize,
    reply: &mut Reply,
) -> i32 {
    let len = Session::diverse_scratch_len(&session.model(), candidates);
    // SAFETY: the contract of the crate.
    let filter = unsafe { filters.filter() };
    // SAFETY: the contract of the crate.
    let scratch = unsafe { list_mut(scratch, len) };
    // SAFETY: the contract of the crate.
    let out = unsafe { list_mut(out, candidates) };
    reply.result(session.rank_diverse(&filter, diversity, top, scratch, out).map(<[_]>::len))
}

/// As [`Session::score`].
#[unsafe(no_mangle)]
extern "C" fn session_score(session: &Begun, item: u32, out: &mut f32, reply: &mut Reply) -> i32 {
    reply.result(session.score(item).map(|score| {
        *out = score;
        0
    }))
}

/// As [`Session::explain`]; returns the number of reasons.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn session_explain(
    session: &mut Begun,
    item: u32,
    out: *mut Reason,
    top: usize,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let out = unsafe { list_mut(out, top) };
    reply.result(session.explain(item, out).map(<[_]>::len))
}

/// Where the dim floats of [`Session::user`] begin.
#[unsafe(no_mangle)]
extern "C" fn session_user(session: &Begun) -> *const f32 {
    session.user().as_ptr()
}
