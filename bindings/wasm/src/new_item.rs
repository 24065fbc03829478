//! Exports for items that training never saw.

#![expect(unsafe_code, reason = "exports have names of their own and take addresses")]

use crate::list::{list, list_mut};
use crate::model::Opened;
use crate::reply::Reply;
use core::mem::MaybeUninit;
use tinderbox::{Rater, adapt_item};

/// Bytes of a [`Rater`].
#[unsafe(no_mangle)]
extern "C" fn rater_size() -> usize {
    size_of::<Rater<'static>>()
}

/// Makes a [`Rater`] of a user embedding (dim) and a feedback level.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn rater_new(
    user: *const f32,
    dim: usize,
    level: u8,
    out: &mut MaybeUninit<Rater<'static>>,
) {
    // SAFETY: the contract of the crate.
    let user = unsafe { list(user, dim) };
    out.write(Rater { user, level });
}

/// Embeds an item as [`adapt_item`]: its features, its raters; row (dim) and scale out. `scratch`: 3 dim.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn item_embed(
    model: &Opened,
    features: *const u32,
    features_len: usize,
    raters: *const Rater<'static>,
    raters_len: usize,
    scratch: *mut f32,
    row: *mut i8,
    scale: &mut f32,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let features = unsafe { list(features, features_len) };
    // SAFETY: the contract of the crate.
    let raters = unsafe { list(raters, raters_len) };
    // SAFETY: the contract of the crate.
    let scratch = unsafe { list_mut(scratch, 3 * model.dim()) };
    // SAFETY: the contract of the crate.
    let row = unsafe { list_mut(row, model.dim()) };
    reply.result(adapt_item(model, features, raters, scratch, row).map(|found| {
        *scale = found;
        0
    }))
}
