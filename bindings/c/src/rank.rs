//! Ranking out.

#![expect(unsafe_code, reason = "C's pointers, functions exported by name")]

use crate::memory::{Memory, Out, one, run, slice, slice_mut};
use crate::model::ModelHandle;
use crate::session::SessionHandle;
use crate::status::Status;
use core::ffi::c_void;
use core::mem::offset_of;
use tinderbox::Session;

/// Which items a ranking may contain. All zero: every item but those of the support. Arrays are not kept.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Filter {
    /// Only these items, ascending and distinct. Null: all. To allow nothing: not null, with a length of 0.
    pub allow: *const u32,
    /// Elements of `allow`.
    pub allow_len: usize,
    /// None of these items, ascending and distinct.
    pub deny: *const u32,
    /// Elements of `deny`.
    pub deny_len: usize,
    /// Only items in at least one of these categories. None: whatever the category.
    pub categories: *const u32,
    /// Elements of `categories`.
    pub categories_len: usize,
    /// Not 0: the items of the support may appear, too.
    pub keep_support: u32,
}

impl Filter {
    /// The engine's filter; null is the default.
    ///
    /// # Safety
    /// The contract of `memory`.
    pub(crate) unsafe fn get<'a>(filter: *const Self) -> Result<tinderbox::Filter<'a>, Status> {
        if filter.is_null() {
            return Ok(tinderbox::Filter::default());
        }
        // SAFETY: the same contract.
        let filter = unsafe { one(filter) }?;
        // SAFETY: the same contract.
        let allow = unsafe { slice(filter.allow, filter.allow_len) }?;
        Ok(tinderbox::Filter {
            allow: (!filter.allow.is_null()).then_some(allow),
            // SAFETY: the same contract.
            deny: unsafe { slice(filter.deny, filter.deny_len) }?,
            // SAFETY: the same contract.
            categories: unsafe { slice(filter.categories, filter.categories_len) }?,
            keep_support: filter.keep_support != 0,
        })
    }
}

/// An item and its score.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Ranked {
    /// Number of the item; from the number of items on, the items of tbx_add_items.
    pub item: u32,
    /// Cosine to the user, or attended feedback: comparable within one list.
    pub score: f32,
}

const _: () = assert!(size_of::<Ranked>() == size_of::<tinderbox::Ranked>());
const _: () = assert!(offset_of!(Ranked, score) == offset_of!(tinderbox::Ranked, score));

/// One piece of the user's feedback, and what it does to an item.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Reason {
    /// The item that the feedback was on.
    pub item: u32,
    /// How much lower the explained item would score without that feedback; negative if it would be higher.
    pub effect: f32,
}

const _: () = assert!(size_of::<Reason>() == size_of::<tinderbox::Reason>());
const _: () = assert!(offset_of!(Reason, effect) == offset_of!(tinderbox::Reason, effect));

/// Room for a list, as the engine knows it.
///
/// # Safety
/// The contract of `memory`.
pub(crate) unsafe fn list<'a>(
    out: *mut Ranked,
    capacity: usize,
) -> Result<&'a mut [tinderbox::Ranked], Status> {
    // SAFETY: the same contract; both types have one layout.
    unsafe { slice_mut(out.cast(), capacity) }
}

/// Ranks the catalogue and the added items for the user, exactly, best first, ties to the lower number. Writes as many
/// as exist, up to `capacity`, and sets `len` to how many. `filter`: null for every item but those of the support.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_rank(
    session: *const SessionHandle,
    filter: *const Filter,
    out: *mut Ranked,
    capacity: usize,
    len: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get(session) }?;
        // SAFETY: the caller's contract.
        let filter = unsafe { Filter::get(filter) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { list(out, capacity) }?;
        // SAFETY: the caller's contract.
        let len = unsafe { Out::at(len) }?;
        len.put(session.rank(&filter, out)?.len());
        Ok(())
    })
}

/// Bytes for the memory of tbx_rank_diverse with so many candidates; 0 if `model` is not a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_rank_diverse_size(model: *const ModelHandle, candidates: usize) -> usize {
    // SAFETY: the caller's contract.
    let model = unsafe { ModelHandle::get(model) };
    model.map_or(0, |model| Memory::size_of::<f32>(Session::diverse_scratch_len(model, candidates)))
}

/// The best `candidates` items in an order that trades relevance for variety (maximal marginal relevance), the first
/// `top` of them at the front of `out`, which has room for `candidates`. `diversity` 0 is the plain ranking, 1 ignores
/// the user after the first place. The scores are those of the plain ranking. `memory`: tbx_rank_diverse_size bytes
/// at a multiple of TBX_ALIGNMENT, for the time of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_rank_diverse(
    session: *const SessionHandle,
    filter: *const Filter,
    diversity: f32,
    top: usize,
    memory: *mut c_void,
    memory_size: usize,
    out: *mut Ranked,
    candidates: usize,
    len: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get(session) }?;
        // SAFETY: the caller's contract.
        let filter = unsafe { Filter::get(filter) }?;
        // SAFETY: the caller's contract.
        let scratch = unsafe { Memory::lent(memory, memory_size) }?.floats();
        // SAFETY: the caller's contract.
        let out = unsafe { list(out, candidates) }?;
        // SAFETY: the caller's contract.
        let len = unsafe { Out::at(len) }?;
        len.put(session.rank_diverse(&filter, diversity, top, scratch, out)?.len());
        Ok(())
    })
}

/// The items nearest to `item` by cosine, whatever the user thinks of it; `item` itself is left out. Otherwise as
/// tbx_rank.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_similar(
    session: *const SessionHandle,
    item: u32,
    filter: *const Filter,
    out: *mut Ranked,
    capacity: usize,
    len: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get(session) }?;
        // SAFETY: the caller's contract.
        let filter = unsafe { Filter::get(filter) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { list(out, capacity) }?;
        // SAFETY: the caller's contract.
        let len = unsafe { Out::at(len) }?;
        len.put(session.similar(item, &filter, out)?.len());
        Ok(())
    })
}

/// The score of one item: the same bits as in a ranking.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_score(session: *const SessionHandle, item: u32, score: *mut f32) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get(session) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(score) }?;
        out.put(session.score(item)?);
        Ok(())
    })
}

/// Which of the user's feedback raised `item`, and by how much, the strongest first. Writes as many as there are
/// interactions, up to `capacity`, and sets `len` to how many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_explain(
    session: *mut SessionHandle,
    item: u32,
    out: *mut Reason,
    capacity: usize,
    len: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get_mut(session) }?;
        // SAFETY: the caller's contract; both types have one layout.
        let out = unsafe { slice_mut(out.cast::<tinderbox::Reason>(), capacity) }?;
        // SAFETY: the caller's contract.
        let len = unsafe { Out::at(len) }?;
        len.put(session.explain(item, out)?.len());
        Ok(())
    })
}
