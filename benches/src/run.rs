//! How the benchmarks are run.

use criterion::Criterion;
use std::fs;
use std::time::Duration;

/// Settings under which all the benchmarks take a few minutes together; the command line overrides them.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        .sample_size(50)
        .configure_from_args()
}

/// Whether this run only tries each benchmark once: `cargo bench -- --test`.
pub(crate) fn is_smoke() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// Says on what the numbers were measured, as far as Linux tells.
pub fn print_cpu() {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    println!("CPU: {}", model.map_or("unknown", |(_, model)| model));
}
