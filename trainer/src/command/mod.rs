//! One command, one file: its arguments and what it does. Where they [write](output) is proved before long work.

pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod fit;
pub(crate) mod inspect;
mod model;
mod output;
pub(crate) mod quickstart;
pub(crate) mod recommend;
pub(crate) mod synth;
pub(crate) mod tune;
