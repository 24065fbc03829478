//! Items that training never saw.

#![expect(unsafe_code, reason = "C's pointers, functions exported by name")]

use crate::memory::{Memory, Out, run, slice, slice_mut};
use crate::model::ModelHandle;
use crate::status::Status;
use core::ffi::c_void;
use tinderbox::{Rater, adapt_item, embed_item};

/// Embeds an item that training never saw by its item features, for tbx_add_items: writes `row` (dim bytes) and its
/// scale.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_embed_item(
    model: *const ModelHandle,
    features: *const u32,
    features_len: usize,
    row: *mut i8,
    row_len: usize,
    scale: *mut f32,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let features = unsafe { slice(features, features_len) }?;
        // SAFETY: the caller's contract.
        let row = unsafe { slice_mut(row, row_len) }?;
        // SAFETY: the caller's contract.
        let scale = unsafe { Out::at(scale) }?;
        scale.put(embed_item(model, features, row)?);
        Ok(())
    })
}

/// Bytes for the memory of tbx_adapt_item with so many raters; 0 if `model` is not a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_adapt_item_size(model: *const ModelHandle, raters: usize) -> usize {
    // SAFETY: the caller's contract.
    let Ok(model) = (unsafe { ModelHandle::get(model) }) else { return 0 };
    Memory::size_of::<Rater<'_>>(raters).saturating_add(Memory::size_of::<f32>(3 * model.dim()))
}

/// Embeds an item by its item features and by its first raters. `users`: raters x dim, each the tbx_user of a session
/// without the feedback at hand; `levels`: what they said, as feedback levels, raters. `memory`: tbx_adapt_item_size
/// bytes at a multiple of TBX_ALIGNMENT, for the time of the call. Writes `row` (dim bytes) and its scale.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_adapt_item(
    model: *const ModelHandle,
    features: *const u32,
    features_len: usize,
    users: *const f32,
    levels: *const u8,
    raters: usize,
    memory: *mut c_void,
    memory_size: usize,
    row: *mut i8,
    row_len: usize,
    scale: *mut f32,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let features = unsafe { slice(features, features_len) }?;
        let floats = raters.checked_mul(model.dim()).ok_or(Status::Length)?;
        // SAFETY: the caller's contract.
        let users = unsafe { slice(users, floats) }?;
        // SAFETY: the caller's contract.
        let levels = unsafe { slice(levels, raters) }?;
        // SAFETY: the caller's contract.
        let mut memory = unsafe { Memory::lent(memory, memory_size) }?;
        // SAFETY: the caller's contract.
        let row = unsafe { slice_mut(row, row_len) }?;
        // SAFETY: the caller's contract.
        let scale = unsafe { Out::at(scale) }?;
        let places = memory.take(raters)?;
        for ((place, user), &level) in places.iter_mut().zip(users.chunks_exact(model.dim())).zip(levels) {
            place.write(Rater { user, level });
        }
        // SAFETY: there are as many users and levels as places: the loop wrote all of them.
        let raters = unsafe { places.assume_init_ref() };
        scale.put(adapt_item(model, features, raters, memory.floats(), row)?);
        Ok(())
    })
}
