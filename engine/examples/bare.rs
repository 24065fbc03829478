//! The engine in a static library without std and without an allocator, as firmware would link it.
//!
//! `cargo build -p tinderbox --no-default-features --release --example bare` with `RUSTFLAGS="-C panic=abort"`
//! fails to link as soon as anything below pulls std or alloc in.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(unsafe_code, reason = "a C entry point")]

use tinderbox::{Feedback, Filter, Interaction, Model, Ranked, Session};

#[cfg(not(feature = "std"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The best item after a like of item 0, or -1: enough to link all of the engine.
///
/// # Safety
/// `file` points to `len` bytes, `scratch` to `floats` floats, and nobody else uses either meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn best_after_a_like(
    file: *const u8,
    len: usize,
    scratch: *mut f32,
    floats: usize,
) -> i64 {
    // SAFETY: the contract above.
    let bytes = unsafe { core::slice::from_raw_parts(file, len) };
    // SAFETY: the contract above.
    let scratch = unsafe { core::slice::from_raw_parts_mut(scratch, floats) };
    best(bytes, scratch).map_or(-1, i64::from)
}

fn best(bytes: &[u8], scratch: &mut [f32]) -> Option<u32> {
    let model = Model::open(bytes).ok()?;
    let mut session = Session::new(model, scratch).ok()?;
    session.adapt(&[Interaction::at(&model, 0, Feedback::Like).ok()?]).ok()?;
    let mut out = [Ranked::default()];
    Some(session.rank(&Filter::default(), &mut out).ok()?.first()?.item)
}
