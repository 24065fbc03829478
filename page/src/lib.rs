//! Reports as one page of HTML that needs nothing else: no script, no font, no picture from anywhere.
//!
//! A page suits light and dark screens from 360 pixels of width. The same input makes the same bytes, and every
//! text is escaped. [`document`] is the frame, [`figure`] a plot for each kind of screen, [`table`] a table that
//! scrolls by itself; [`plot`] draws.

#![forbid(unsafe_code)]

mod document;
mod label;
pub mod plot;

pub use document::{document, figure, grouped, table};
