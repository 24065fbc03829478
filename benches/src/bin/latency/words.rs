//! Records in words.

use crate::record::{Key, Record, Run};

/// What this program does not measure.
pub(crate) const LIMITS: &str = "Not measured: another device than this one (a phone's cores, caches and storage differ), \
    energy, heat, and anything an app does around the engine. Unless you know that nobody else uses the machine, \
    read ratios within one run and not the figures themselves; the tails of a shared machine are mostly its own. \
    Calls follow one another, so that caches are warm, but for first requests; where pages were evicted, a host below \
    a virtual machine may still hold them. Under 1000 calls, p99.9 is the slowest call.";

/// An operation in fifteen characters, for which a phone has room: `request top 10`.
pub(crate) fn label(key: &Key<'_>) -> String {
    let Key { operation, top, support, .. } = *key;
    match operation {
        "adapt" => format!("adapt k = {support}"),
        "rank" | "request" | "batch" => format!("{operation} top {top}"),
        _ => operation.replace("first_request", "first").replace('_', " "),
    }
}

/// What the labels leave out.
pub(crate) const LABELS: &str = "Request: adapting to 10 interactions and ranking. Batch: 32 users in one pass. Diverse: 10 of 50 candidates. \
    Similar: 10 items. Explain: 3 reasons. First: the first request of a fresh process, from before the file is \
    opened, its pages in memory (warm) or evicted (cold). Again: the request once more, for the noise.";

/// The model that a record is of.
pub(crate) fn subject(record: &Record) -> String {
    let subject = &record.subject;
    let mut text = format!(
        "{}: {}, {} items, dim {}, {} inner steps, {}, content id {}",
        subject.name,
        subject.rule,
        record.items,
        record.dim,
        subject.steps,
        bytes(subject.bytes as u64),
        subject.content_id,
    );
    if let Some(accuracy) = &subject.accuracy {
        text += &format!("\naccuracy {:.3} ({})", accuracy.value, accuracy.measure);
    }
    text
}

/// Where and how a run was made, name by name.
pub(crate) fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("CPU", format!("{} ({} cores)", run.cpu, run.cores)),
        ("CPU features", vector_features(&run.cpu_flags)),
        ("System", run.system.clone()),
        ("Commit", run.commit.clone()),
        ("Compiler", format!("{}, opt-level {}", run.rustc, run.opt_level)),
        ("Target", format!("{} {}", run.target, run.rustflags).trim().to_owned()),
        ("Clock", format!("{} subtracted from every call", duration(run.timer_ns))),
    ];
    if let Some(load) = run.load {
        facts.push(("Load before", format!("{load:.2}")));
    }
    if let Some(governor) = &run.governor {
        facts.push(("Governor", governor.clone()));
    }
    if let Some(peak) = run.peak_bytes {
        facts.push(("Peak memory of the run", bytes(peak)));
    }
    facts
}

/// The noise of the run: how far the same request, measured twice, differs from itself.
pub(crate) fn noise(records: &[Record]) -> Option<String> {
    let mut pairs = Vec::new();
    for again in records.iter().filter(|record| record.operation == "request_again") {
        let mut key = again.key();
        key.operation = "request";
        let first = records.iter().find(|record| record.does(&key) && record.kernel == again.kernel);
        pairs.extend(first.map(|first| (first, again)));
    }
    let largest = |quantile: fn(&Record) -> u64| {
        let ratios = pairs.iter().map(|(a, b)| quantile(a).max(1) as f64 / quantile(b).max(1) as f64);
        ratios.map(|ratio| 100.0 * (ratio.max(1.0 / ratio) - 1.0)).fold(0.0, f64::max)
    };
    (!pairs.is_empty()).then(|| {
        format!(
            "The same request measured as two ({} pairs): medians differ by at most {:.1} %, p99 by {:.0} %, p99.9 by {:.0} %.",
            pairs.len(),
            largest(|record| record.p50_ns),
            largest(|record| record.p99_ns),
            largest(|record| record.p999_ns),
        )
    })
}

/// What the calls took beside time.
pub(crate) fn memory(records: &[Record]) -> String {
    let stack = records.iter().filter_map(|record| Some((record.stack_bytes?, record)));
    let deepest = stack.max_by_key(|(stack, _)| *stack);
    let allocations: u64 = records.iter().filter_map(|record| record.allocations).sum();
    let first = |record: &&Record| record.operation.starts_with("first_request");
    let warm = records.iter().filter(|record| !first(record));
    let faults: u64 = warm.filter_map(|record| record.major_faults).sum();
    let mut text = format!(
        "Heap allocations of all calls: {allocations}. Page faults that waited for the disk: {faults}."
    );
    if let Some((stack, record)) = deepest {
        text += &format!(" Deepest stack: {} ({}).", bytes(stack as u64), label(&record.key()));
    }
    if records.iter().any(|record| record.operation == "first_request_cold" && record.major_faults == Some(0))
    {
        text += " The file system kept pages that it was asked to evict: first_request_cold is not cold for every file.";
    }
    text
}

/// Those of the CPU's features that kernels may use.
fn vector_features(flags: &str) -> String {
    let known = [
        "sse4_2",
        "avx2",
        "avx_vnni",
        "avx512f",
        "avx512bw",
        "avx512_vnni",
        "asimd",
        "asimddp",
        "i8mm",
        "sve2",
    ];
    let found: Vec<&str> = flags.split_whitespace().filter(|flag| known.contains(flag)).collect();
    found.join(" ")
}

/// Nanoseconds for people, with three digits.
pub(crate) fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", digits(ns as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} ms", digits(ns as f64 / 1e6)),
        _ => format!("{} s", digits(ns as f64 / 1e9)),
    }
}

fn digits(value: f64) -> String {
    let places = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.places$}")
}

/// Bytes for people.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", digits(bytes as f64 / 1e3)),
        _ => format!("{} MB", digits(bytes as f64 / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_996, "10.0 µs"),
            (84_120, "84.1 µs"),
            (2_310_000, "2.31 ms"),
            (123_456_789, "123 ms"),
            (1_500_000_000, "1.50 s"),
        ] {
            assert_eq!(duration(ns), text);
        }
        assert_eq!(
            (bytes(512), bytes(13_500), bytes(128_000_000)),
            ("512 B".into(), "13.5 KB".into(), "128 MB".into())
        );
    }
}
