//! Adapts a recommender to a new user on the device and ranks the whole catalogue, in microseconds.
//!
//! What a caller may rely on:
//!
//! - **No allocation, no panic, no I/O.** The caller owns every byte: the model file, the scratch memory
//!   ([`Session::scratch_len`] is known before the call), the output slices. Every call returns the part
//!   that it filled. (Reading and mapping files needs the features `std` and `mmap`.)
//! - **The same file and the same feedback give the same list, to the bit,** on every target and with every
//!   [`Kernel`]: only `+ - * /` and a correctly rounded square root, in a fixed order, never fused;
//!   integer dot products are exact in any order.
//! - **A bounded amount of work:** adapting costs `2 steps (support + dim) dim` multiplications (`prototypical`:
//!   `(support + dim) dim`), whatever the feedback is; ranking at most one pass over the `items * dim` bytes of the
//!   catalogue, under `matching` one more for each interaction.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../format/golden/v2-maml.tbx");
//! use tinderbox::{Feedback, Filter, Interaction, ModelFile, Ranked, Session};
//!
//! let file = ModelFile::read(path)?;
//! let model = file.model()?;
//! let mut scratch = vec![0.0; Session::scratch_len(&model, 20)];
//! let mut session = Session::new(model, &mut scratch)?;
//! let first = model.id(0).ok_or("an id that is not text")?;
//! session.adapt(&[Interaction::of(&model, first, Feedback::Like)?])?;
//! let mut out = [Ranked::default(); 10];
//! for ranked in session.rank(&Filter::default(), &mut out)? {
//!     println!("{:6.3} {}", ranked.score, model.title(ranked.item as usize).unwrap_or("?"));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The three adaptation rules, chosen by the file: gradient steps on the user embedding (MAML, Finn et al.
//! 2017, with the learned step sizes of Meta-SGD, Li et al. 2017), prototypes (Snell et al. 2017) and
//! attention over the support (Matching Networks, Vinyals et al. 2016).

#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

mod adapt;
mod diverse;
mod error;
#[cfg(feature = "std")]
mod file;
mod filter;
pub mod kernel;
mod math;
#[cfg(feature = "mmap")]
mod mmap;
mod new_item;
mod quantise;
mod rank;
mod request;
mod session;
mod sketch;
mod sort;

pub use adapt::feedback_share;
pub use error::{EmbedError, FeedbackError, RankError, SessionError};
#[cfg(feature = "std")]
pub use file::{FileError, ModelFile};
pub use filter::Filter;
pub use kernel::Kernel;
pub use math::exp;
#[cfg(feature = "mmap")]
pub use mmap::MappedModel;
pub use new_item::{NewItems, Rater, adapt_item, embed_item};
pub use quantise::quantise_row;
pub use rank::Ranked;
pub use request::{Request, rank_batch};
pub use session::{Feedback, Interaction, Reason, Session};
pub use tinderbox_format::{
    Categories, FeatureTable, Levels, Model, OpenError, Row, Rows, Rule, VerifyError,
};
