//! One command, one file: its arguments and what it does.

pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod fit;
pub(crate) mod inspect;
pub(crate) mod quickstart;
pub(crate) mod recommend;
pub(crate) mod synth;
pub(crate) mod tune;
