//! What a Tinderbox model file is: how to open one, and (feature `std`) how to write one.
//!
//! After [`Model::open`] has returned `Ok`, no accessor panics, whatever the bytes are; after
//! [`Model::verify`] has, every value is what `SPEC.md` says it must be. Opening takes constant time
//! in the size of the catalogue and copies nothing: a model borrows the bytes, so that a file can be
//! mapped or linked in. Without `std` nothing is allocated.
//!
//! No promise: checksums notice accidents, not forgery, and `open` alone does not look at the rows.
//!
//! `SPEC.md`, beside this crate's manifest, is normative for the bytes.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!("a model file is little-endian and read in place: big-endian targets are not supported");

mod category;
mod checksum;
mod error;
mod feature;
mod header;
mod level;
mod model;
mod names;
mod rows;
mod rule;
mod section;
mod sketch;
mod verify;
#[cfg(feature = "std")]
mod write;

pub use category::Categories;
pub use error::{OpenError, VerifyError};
pub use feature::FeatureTable;
pub use header::{
    ALIGNMENT, MAX_CATEGORIES, MAX_DIM, MAX_FEATURES, MAX_ITEMS, MAX_LEVELS, MAX_ONBOARDING, MAX_STEPS,
    VERSION,
};
pub use level::Levels;
pub use model::Model;
#[cfg(feature = "std")]
pub use rows::in_blocks;
pub use rows::{BLOCK, Row, Rows};
pub use rule::Rule;
pub use section::Section;
#[cfg(feature = "std")]
pub use sketch::MadeSketch;
pub use sketch::{SKETCH_DIM, Sketch};
#[cfg(feature = "std")]
pub use write::{Category, Contents, Features, Level, WriteError, replace};
