//! What the format and the engine promise of *any* input: one function for each promise, which panics on
//! an input that breaks it.
//!
//! The same functions run under libFuzzer, guided by coverage (`fuzz_targets/`, with a nightly compiler and
//! `cargo fuzz run TARGET --features libfuzzer`), and as random mutations of the corpus on any compiler
//! (`cargo run --release --bin stable -- SECONDS`). Both begin with the inputs in `corpus/`; an input that
//! broke a promise is added to them once it is understood.

mod c;
mod file;
mod kernel;
mod open;
mod round_trip;
mod session;

use arbitrary::{Arbitrary, Result, Unstructured};

pub use c::c;
pub use kernel::kernel;
pub use open::open;
pub use round_trip::round_trip;
pub use session::session;

/// Panics on an input that breaks it.
pub type Promise = fn(&[u8]);

/// Every promise, under the name of its target and its corpus.
pub const PROMISES: [(&str, Promise); 5] =
    [("open", open), ("session", session), ("c", c), ("kernel", kernel), ("round_trip", round_trip)];

/// The longest list of numbers in a call: longer than the smallest room for a support.
const MAX_LIST: usize = 24;

fn list<'a, T: Arbitrary<'a>>(input: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let len = input.int_in_range(0..=MAX_LIST)?;
    (0..len).map(|_| input.arbitrary()).collect()
}

/// The bits of a float, every NaN alike: which NaN an operation gives is the one thing that Rust leaves open.
fn bits(value: f32) -> u32 {
    if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }
}
