//! Golden requests: what every target, kernel and binding must answer, to the bit.
//!
//! [`run`] plays [`REQUESTS`] against [`MODELS`] and hands over every answer beside the golden one; [`report`] says how
//! that went. They need neither std nor an allocator, so that firmware and a page play what a server plays. `README.md`
//! says how the requests are written, for players in other languages.

#![no_std]
#![forbid(unsafe_code)]

mod answer;
mod failure;
mod item;
mod memory;
mod model;
mod play;
mod question;
mod report;
mod words;

pub use answer::{Answer, Answered};
pub use failure::{Cause, Failure};
pub use memory::Memory;
pub use model::MODELS;
pub use play::run;
pub use report::report;

/// The requests and the golden answers.
pub const REQUESTS: &str = include_str!("../requests.txt");
