//! `latency compare`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use crate::record::{self, Record, fastest};
use crate::table::grid;
use crate::words::{duration, label, noise};

/// Compare two JSON files, operation by operation
///
/// Ratios are those of B to A: below 1, B is faster. Operations are matched with the same kernel; where the two have
/// none in common, as a server and a phone, or with --fastest, with the fastest that each has.
#[derive(Args)]
#[command(after_help = "Example:\n  latency compare before.json after.json")]
pub(crate) struct Compare {
    /// What --json wrote, to compare with
    a: PathBuf,

    /// What --json wrote, to be compared
    b: PathBuf,

    /// Match the fastest kernel of each
    #[arg(long)]
    fastest: bool,
}

/// The same operation in both.
struct Pair<'r> {
    a: &'r Record,
    b: &'r Record,
}

impl Compare {
    /// # Errors
    /// A file that is none of ours, or two without a common operation.
    pub(crate) fn run(&self) -> Result<String> {
        let (a, b) = (record::read(&self.a)?, record::read(&self.b)?);
        let pairs = if self.fastest { fastest_of_each(&a, &b) } else { same_kernel(&a, &b) };
        ensure!(!pairs.is_empty(), "no operation on the same model is in both files");
        let mut text = table(&pairs);
        for (name, records) in [("A", &a), ("B", &b)] {
            let run = &records[0].run;
            text += &format!("\n{name}: {}, {}, commit {}, {}", run.cpu, run.target, run.commit, run.rustc);
            text += &noise(records).map_or(String::new(), |noise| format!("\n   {noise}"));
        }
        Ok(text + "\n")
    }
}

fn same_kernel<'r>(a: &'r [Record], b: &'r [Record]) -> Vec<Pair<'r>> {
    let mut pairs = Vec::new();
    for a in a {
        let b = b.iter().find(|b| b.does(&a.key()) && b.kernel == a.kernel);
        pairs.extend(b.map(|b| Pair { a, b }));
    }
    let has_kernel = |pair: &Pair<'_>| !pair.a.kernel_name().is_empty();
    // Without a common kernel only what has none would be left.
    if pairs.iter().any(has_kernel) { pairs } else { fastest_of_each(a, b) }
}

fn fastest_of_each<'r>(a: &'r [Record], b: &'r [Record]) -> Vec<Pair<'r>> {
    let (a, b) = (fastest(a), fastest(b));
    let pair = |a: &'r Record| Some(Pair { a, b: b.iter().find(|b| b.does(&a.key()))? });
    a.into_iter().filter_map(pair).collect()
}

fn table(pairs: &[Pair<'_>]) -> String {
    let mut table =
        grid(&["model", "operation", "kernel", "p50 of A", "of B", "ratio", "p99 of A", "of B", "ratio"], 3);
    for Pair { a, b } in pairs {
        let kernel = if a.kernel == b.kernel {
            a.kernel_name().to_owned()
        } else {
            format!("{} / {}", a.kernel, b.kernel)
        };
        table.add_row([
            a.subject.name.clone(),
            label(&a.key()),
            kernel,
            duration(a.p50_ns),
            duration(b.p50_ns),
            format!("{:.2}", ratio(a.p50_ns, b.p50_ns)),
            duration(a.p99_ns),
            duration(b.p99_ns),
            format!("{:.2}", ratio(a.p99_ns, b.p99_ns)),
        ]);
    }
    let logarithms = pairs.iter().map(|pair| ratio(pair.a.p50_ns, pair.b.p50_ns).ln());
    let mean = (logarithms.sum::<f64>() / pairs.len() as f64).exp();
    format!(
        "{table}\nB takes {mean:.2} times as long as A: geometric mean of the medians of {} operations\n",
        pairs.len()
    )
}

fn ratio(a: u64, b: u64) -> f64 {
    b.max(1) as f64 / a.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::made;

    #[test]
    fn the_same_operations_are_paired_by_kernel_and_without_a_common_kernel_by_speed() {
        let (a, mut b) = (made(), made());
        let pairs = same_kernel(&a, &b);
        assert_eq!(pairs.len(), a.len());
        assert!(pairs.iter().all(|pair| pair.a.kernel == pair.b.kernel));
        b.iter_mut().filter(|record| record.kernel != "none").for_each(|record| record.kernel += "-other");
        let pairs = same_kernel(&a, &b);
        assert_eq!(pairs.len(), 10);
        assert!(pairs.iter().any(|pair| pair.a.kernel == "avx2" && pair.b.kernel == "avx2-other"));
    }

    #[test]
    fn ratios_are_those_of_b_to_a() {
        let (a, mut b) = (made(), made());
        b.iter_mut().for_each(|record| record.p50_ns *= 2);
        let text = table(&same_kernel(&a, &b));
        assert!(text.contains("B takes 2.00 times as long as A"), "{text}");
    }
}
