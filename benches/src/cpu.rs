//! On what was measured, as far as Linux tells.

use std::fs;

/// The CPU's name, or its part's number on an Arm; `unknown` where the system does not say.
pub fn cpu_name() -> String {
    field(&["model name", "Hardware", "CPU part"]) // the last two: Arm
}

/// The CPU's features, parted by spaces, as the system names them.
pub fn cpu_features() -> String {
    field(&["flags", "Features"])
}

/// The first field of `/proc/cpuinfo` that has one of these names.
fn field(names: &[&str]) -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(name, _)| names.contains(&name.trim()));
    found.map_or("unknown", |(_, value)| value.trim()).to_owned()
}
