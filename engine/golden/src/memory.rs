//! The memory that a player owns, as an app would.

use tinderbox::{Interaction, Ranked, Reason};

/// The largest dim of the model files.
const DIM: usize = 48;
/// The longest support.
const SUPPORT: usize = 25;
/// The longest list that is asked for.
const LIST: usize = 50;
/// New items in one session.
const NEW_ITEMS: usize = 4;
/// Raters of one new item.
pub(crate) const RATERS: usize = 4;
/// Numbers in a list of a filter.
const NUMBERS: usize = 64;

/// Floats that a session takes: [`Session::scratch_len`](tinderbox::Session::scratch_len) of a support of 25.
const SCRATCH: usize = SUPPORT * (DIM + 5) + DIM * 9 / 2;

/// Users of one batch.
pub(crate) const USERS: usize = 2;
/// Floats that each of them takes, with a support of 16.
pub(crate) const USER_SCRATCH: usize = 16 * (DIM + 5) + DIM * 9 / 2;

/// Memory for [`run`](crate::run).
#[derive(Debug)]
pub struct Memory {
    pub(crate) scratch: [f32; SCRATCH],
    /// New items x dim.
    pub(crate) rows: [i8; NEW_ITEMS * DIM],
    pub(crate) scales: [f32; NEW_ITEMS],
    /// Raters x dim.
    pub(crate) raters: [f32; RATERS * DIM],
    pub(crate) support: [Interaction; SUPPORT],
    pub(crate) numbers: Numbers,
    pub(crate) list: [Ranked; LIST],
    pub(crate) reasons: [Reason; LIST],
    /// For a batch, or for the candidates of a diverse ranking.
    pub(crate) spare: [f32; USERS * USER_SCRATCH],
}

/// Memory for the lists of numbers in one line.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) allow: [u32; NUMBERS],
    pub(crate) deny: [u32; NUMBERS],
    /// Categories, or features.
    pub(crate) names: [u32; NUMBERS],
}

impl Memory {
    /// Memory that holds nothing yet.
    pub const fn new() -> Self {
        Self {
            scratch: [0.0; SCRATCH],
            rows: [0; NEW_ITEMS * DIM],
            scales: [0.0; NEW_ITEMS],
            raters: [0.0; RATERS * DIM],
            support: [Interaction { item: 0, level: 0 }; SUPPORT],
            numbers: Numbers { allow: [0; NUMBERS], deny: [0; NUMBERS], names: [0; NUMBERS] },
            list: [Ranked { item: 0, score: 0.0 }; LIST],
            reasons: [Reason { item: 0, effect: 0.0 }; LIST],
            spare: [0.0; USERS * USER_SCRATCH],
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}
