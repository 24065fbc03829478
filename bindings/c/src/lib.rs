//! The C interface of Tinderbox: the engine for whatever can call C.
//!
//! What a caller may rely on:
//!
//! - **The caller owns all memory.** Sizes are asked first (`tbx_session_size` and its siblings); nothing is
//!   allocated, kept globally, printed or thrown. A handle points into the caller's memory and needs no closing.
//! - **Every pointer and length is checked** for what can be seen from outside: null, alignment, room, a handle of
//!   another kind, one that was copied away from where it was made. What is refused leaves the session as it was,
//!   and the status says what to do.
//! - **No panic, no unwinding** across the boundary: nothing here panics, and if it did, the process would abort.
//! - **A model is constant after `tbx_open`:** any number of threads may use it at once. A session belongs to one
//!   thread at a time.
//!
//! No promise: a pointer to memory that is not the caller's, or that another thread writes meanwhile, cannot be
//! noticed. Everything else is as the Rust crate `tinderbox` says, to the bit.
//!
//! `include/tinderbox.h` is made from these files (`tests/header.rs`) and is the reference for C.

#![no_std]
#![deny(unsafe_code)]
#![expect(
    clippy::missing_safety_doc,
    reason = "one contract for all: see memory.rs, and the header's first lines"
)]

#[cfg(feature = "std")]
extern crate std;

mod batch;
mod memory;
mod model;
mod new_item;
#[cfg(not(feature = "std"))]
mod panic;
mod rank;
mod session;
mod status;

pub use batch::{Request, tbx_rank_batch, tbx_rank_batch_size};
pub use memory::{ALIGNMENT, Text};
pub use model::{
    Level, ModelHandle, Rule, Shape, tbx_category, tbx_category_contains, tbx_category_name, tbx_item,
    tbx_item_feature, tbx_item_feature_name, tbx_item_id, tbx_item_title, tbx_model_card, tbx_model_level,
    tbx_model_shape, tbx_model_size, tbx_onboarding, tbx_open, tbx_user_feature, tbx_user_feature_name,
    tbx_verify,
};
pub use new_item::{tbx_adapt_item, tbx_adapt_item_size, tbx_embed_item};
pub use rank::{
    Filter, Ranked, Reason, tbx_explain, tbx_rank, tbx_rank_diverse, tbx_rank_diverse_size, tbx_score,
    tbx_similar,
};
pub use session::{
    Interaction, SessionHandle, tbx_adapt, tbx_add_items, tbx_dislike, tbx_like, tbx_rate, tbx_session_new,
    tbx_session_size, tbx_set_features, tbx_user,
};
pub use status::{ABI_VERSION, Status, tbx_abi_version, tbx_kernel, tbx_status_text};
