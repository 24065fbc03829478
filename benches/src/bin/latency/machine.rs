//! Where and how a run is made, as far as the operating system tells.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use procfs::process::Process;
use procfs::{Current, LoadAverage};
use tinderbox_benches::{cpu_features, cpu_name};

use crate::record::Run;

/// The facts of this run, but for its memory, which is known at the end.
pub(crate) fn run(timer_ns: u64) -> Run {
    let line = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    Run {
        command: std::env::args().collect::<Vec<_>>().join(" "),
        commit: env!("BUILT_COMMIT").to_owned(),
        rustc: env!("BUILT_RUSTC").to_owned(),
        target: env!("BUILT_TARGET").to_owned(),
        opt_level: env!("BUILT_OPT_LEVEL").to_owned(),
        rustflags: env!("BUILT_RUSTFLAGS").to_owned(),
        compiled_features: env!("BUILT_FEATURES").to_owned(),
        cpu: cpu_name(),
        cpu_flags: cpu_features(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        system: line("/proc/sys/kernel/osrelease")
            .map_or("unknown".to_owned(), |release| format!("Linux {release}")),
        governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load: LoadAverage::current().ok().map(|load| load.one),
        unix_time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        timer_ns,
        peak_bytes: None,
    }
}

/// Largest resident memory of this process so far, in bytes.
pub(crate) fn peak_bytes() -> Option<u64> {
    let status = Process::myself().and_then(|process| process.status());
    Some(status.ok()?.vmhwm? * 1024)
}

/// Page faults of this process so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Served without the disk.
    pub(crate) minor: u64,
    /// That waited for the disk.
    pub(crate) major: u64,
}

impl Faults {
    /// `None` where the system does not say.
    pub(crate) fn so_far() -> Option<Self> {
        let stat = Process::myself().and_then(|process| process.stat()).ok()?;
        Some(Self { minor: stat.minflt, major: stat.majflt })
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { minor: self.minor + other.minor, major: self.major + other.major }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self { minor: self.minor - before.minor, major: self.major - before.major }
    }
}
