//! One user: feedback in.

#![expect(unsafe_code, reason = "C's pointers, functions exported by name")]

use crate::memory::{Kind, Memory, Out, Placed, run, slice};
use crate::model::ModelHandle;
use crate::status::Status;
use core::ffi::c_void;
use core::mem::offset_of;
use tinderbox::{Feedback, NewItems, Session};

/// One user's adapted state, in the caller's memory. It belongs to one thread at a time and needs no closing. Nothing
/// in it needs to be saved: keep the list of what the user said, by id, and adapt to it again.
pub struct SessionHandle {
    _opaque: [u8; 0], // a Placed<Session>
}

impl Kind for Session<'static> {
    const KIND: usize = 0x7462_7853; // "tbxS"
}

impl SessionHandle {
    /// # Safety
    /// The contract of `memory`.
    pub(crate) unsafe fn get<'a>(handle: *const Self) -> Result<&'a Session<'static>, Status> {
        // SAFETY: the same contract.
        unsafe { Placed::get(handle.cast()) }
    }

    /// # Safety
    /// The contract of `memory`, and nobody else uses the session meanwhile.
    pub(crate) unsafe fn get_mut<'a>(handle: *mut Self) -> Result<&'a mut Session<'static>, Status> {
        // SAFETY: the same contract.
        unsafe { Placed::get_mut(handle.cast()) }
    }
}

/// One piece of feedback: an item and a feedback level of the model.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Interaction {
    /// Number of the item; from the number of items on, the items of tbx_add_items.
    pub item: u32,
    /// Number of the feedback level: tbx_like, tbx_dislike and tbx_rate find it.
    pub level: u8,
}

const _: () = assert!(size_of::<Interaction>() == size_of::<tinderbox::Interaction>());
const _: () = assert!(offset_of!(Interaction, level) == offset_of!(tinderbox::Interaction, level));

/// Bytes for the memory of a session of up to `capacity` interactions; 0 if `model` is not a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_session_size(model: *const ModelHandle, capacity: usize) -> usize {
    // SAFETY: the caller's contract.
    let Ok(model) = (unsafe { ModelHandle::get(model) }) else { return 0 };
    let scratch = Memory::size_of::<f32>(Session::scratch_len(model, capacity));
    Memory::size_of::<Placed<Session<'static>>>(1).saturating_add(scratch)
}

/// Makes a session that ranks for a user of whom nothing is known. `memory` begins at a multiple of TBX_ALIGNMENT,
/// has tbx_session_size(model, capacity) bytes, whatever they hold, and is the session's as long as it is used.
/// The model handle may go; the file's bytes must stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_session_new(
    model: *const ModelHandle,
    memory: *mut c_void,
    memory_size: usize,
    session: *mut *mut SessionHandle,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(session) }?;
        // SAFETY: the caller's contract.
        let mut memory = unsafe { Memory::lent(memory, memory_size) }?;
        let room = memory.take(1)?;
        out.put(Placed::put(room, Session::new(*model, memory.floats())?)?.cast());
        Ok(())
    })
}

/// A bare like of an item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_like(
    model: *const ModelHandle,
    item: u32,
    interaction: *mut Interaction,
) -> Status {
    // SAFETY: the caller's contract.
    unsafe { interact(model, item, Feedback::Like, interaction) }
}

/// A bare dislike of an item; TBX_STATUS_NO_DISLIKES from a model of implicit feedback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_dislike(
    model: *const ModelHandle,
    item: u32,
    interaction: *mut Interaction,
) -> Status {
    // SAFETY: the caller's contract.
    unsafe { interact(model, item, Feedback::Dislike, interaction) }
}

/// A rating of an item, on the scale that the model was trained on; the nearest level counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_rate(
    model: *const ModelHandle,
    item: u32,
    rating: f32,
    interaction: *mut Interaction,
) -> Status {
    // SAFETY: the caller's contract.
    unsafe { interact(model, item, Feedback::Rating(rating), interaction) }
}

/// Adapts to the whole support set; what the session had adapted to before is forgotten. The order has no influence
/// beyond the rounding of sums. The array is not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_adapt(
    session: *mut SessionHandle,
    support: *const Interaction,
    len: usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get_mut(session) }?;
        // SAFETY: the caller's contract; both types have one layout.
        let support = unsafe { slice(support.cast::<tinderbox::Interaction>(), len) }?;
        Ok(session.adapt(support)?)
    })
}

/// Says what is known of the user beside feedback: numbers of user features. Replaces what was said before, and
/// adapts to the present support again. The array is not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_set_features(
    session: *mut SessionHandle,
    features: *const u32,
    len: usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get_mut(session) }?;
        // SAFETY: the caller's contract.
        let features = unsafe { slice(features, len) }?;
        Ok(session.set_features(features)?)
    })
}

/// Ranks these items together with the catalogue from now on, numbered from its end, and forgets the support. Replaces
/// what was added before. `rows` (items x dim) and `scales` (items), as tbx_embed_item and tbx_adapt_item made them,
/// are borrowed as long as the session is used, or until other items replace them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_add_items(
    session: *mut SessionHandle,
    rows: *const i8,
    scales: *const f32,
    items: usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let session = unsafe { SessionHandle::get_mut(session) }?;
        let bytes = items.checked_mul(session.model().dim()).ok_or(Status::Length)?;
        // SAFETY: the caller's contract.
        let rows = unsafe { slice(rows, bytes) }?;
        // SAFETY: the caller's contract.
        let scales = unsafe { slice(scales, items) }?;
        Ok(session.add_items(NewItems { rows, scales })?)
    })
}

/// The adapted user embedding, `dim` floats inside the session, until the session is used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_user(
    session: *const SessionHandle,
    user: *mut *const f32,
    dim: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let embedding = unsafe { SessionHandle::get(session) }?.user();
        // SAFETY: the caller's contract.
        let user = unsafe { Out::at(user) }?;
        // SAFETY: the caller's contract.
        let dim = unsafe { Out::at(dim) }?;
        user.put(embedding.as_ptr());
        dim.put(embedding.len());
        Ok(())
    })
}

/// # Safety
/// The contract of `memory`.
unsafe fn interact(
    model: *const ModelHandle,
    item: u32,
    feedback: Feedback,
    out: *mut Interaction,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(out) }?;
        let made = tinderbox::Interaction::at(model, item, feedback)?;
        out.put(Interaction { item, level: made.level });
        Ok(())
    })
}
