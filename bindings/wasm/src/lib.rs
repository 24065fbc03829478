//! The engine behind plain exports: numbers and addresses in, numbers out, no glue code on either side.
//!
//! The host (`js/`) owns all memory. It grows the module's memory, lays model files, lists and the module's own values
//! there, and passes their addresses; nothing here allocates. A value that only the module reads ([`Model`], [`Session`],
//! [`Rater`]) takes as many bytes as the export `*_size` says. A call that can be refused returns -1 and leaves the
//! reason in the [`Reply`](reply::Reply); otherwise what it returns is not negative.
//!
//! # Safety
//!
//! One contract for every export. Addresses are those of initialised values of the type named, aligned to it (16 is
//! enough for all), and lists have the length that is passed beside them. What a value was made from (file, scratch,
//! rows) stays where it is, unchanged, for as long as the value is used. `&mut` is used by nobody else during the call.
//! The host keeps it by never handing out an address and never freeing what a living object was made from.
//!
//! [`Model`]: tinderbox::Model
//! [`Session`]: tinderbox::Session
//! [`Rater`]: tinderbox::Rater

// On a host with an operating system the crate is there to be checked by the compiler, not to be used.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

mod list;
mod model;
mod new_item;
mod refusal;
mod reply;
mod session;
#[cfg(test)]
mod words;

/// The engine does not panic. Should it ever, the host gets a `RuntimeError`, and the message's code is not shipped.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
