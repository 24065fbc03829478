//! What the benchmarks share: catalogues of real sizes, support sets, and a check of every answer.
//!
//! Every benchmark checks its answer against [`Reference`] before it is timed, so that no number here is
//! that of a wrong list. Catalogues are made from fixed seeds; with the environment variable
//! `TINDERBOX_MODEL` naming a model file, that file is measured in addition, under the name `file`.
//!
//! All of them: `cargo bench -p tinderbox-benches`; one, by a part of its name:
//! `cargo bench -p tinderbox-benches --bench request -- maml/d32/top10/avx2/1682`; each once, without timing:
//! `cargo bench -p tinderbox-benches -- --test`. The binary `latency` times single calls, the binary `instructions`
//! counts what callgrind sees.

mod cpu;
mod operation;
mod read;
mod reference;
mod run;
mod sample;

pub use cpu::{cpu_features, cpu_name};
pub use operation::{Bench, Memory, Operation, SUPPORT};
pub use read::read;
pub use reference::Reference;
pub use run::{bench, criterion, print_cpu};
pub use sample::{RULES, SIZES, Sample, scratch, support, users};
