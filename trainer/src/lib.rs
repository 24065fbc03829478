//! Meta-learns recommenders for new users from interaction logs and exports them as Tinderbox model files.
//!
//! What a caller may rely on: **the same data, seed and configuration give the same bytes**, whatever the number of
//! threads and the order of the input rows; bad input is an error that names file, line and value; nothing here
//! prints or reads the clock (progress is a callback).
//!
//! The way of the data: [`data`] reads files into tasks, [`fit`] trains a learner ([`learner`], [`train`]) with a
//! [`baseline`] as its teacher, [`run`] keeps the result, [`export`] makes the model file that the engine opens,
//! [`evaluate`] says what all that is worth on users that training did not see, [`report`] shows it. [`tune`] searches for a better configuration.

#![forbid(unsafe_code)]

mod auto;
pub mod baseline;
pub mod data;
pub mod episode;
pub mod evaluate;
pub mod export;
pub mod exposure;
pub mod fit;
pub mod learner;
pub mod metrics;
pub mod onboarding;
pub mod optimizer;
pub mod report;
pub mod run;
pub mod train;
pub mod tune;
