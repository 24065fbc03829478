//! What a run measured: the records of its JSON file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// One operation on one model with one kernel: the distribution of its single calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What was timed: see [`Operation`](tinderbox_benches::Operation).
    pub(crate) operation: String,
    /// Items of the catalogue.
    pub(crate) items: usize,
    /// Length of an embedding.
    pub(crate) dim: usize,
    /// Length of the list; 0 where there is none.
    pub(crate) top: usize,
    /// Interactions that are adapted to; 0 where there are none.
    pub(crate) support: usize,
    /// Users that one call serves.
    pub(crate) users: usize,
    /// Instruction set; `none` where the operation does not depend on it.
    pub(crate) kernel: String,
    /// How many calls were timed.
    pub(crate) calls: u64,
    pub(crate) min_ns: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p90_ns: u64,
    pub(crate) p99_ns: u64,
    /// The slowest call where there were fewer than a thousand.
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
    pub(crate) mean_ns: f64,
    /// Bytes of rows that a call reads, or of the file; 0 where that says nothing.
    pub(crate) bytes: usize,
    /// Those, at the median.
    pub(crate) gb_per_s: f64,
    /// Stack that a call uses at most, in bytes, where it was measured.
    pub(crate) stack_bytes: Option<usize>,
    /// Heap allocations of a call, where they were counted.
    pub(crate) allocations: Option<u64>,
    /// Page faults that were served without the disk, of all calls; of the median process for first requests.
    pub(crate) minor_faults: Option<u64>,
    /// Page faults that waited for the disk, likewise.
    pub(crate) major_faults: Option<u64>,
    /// Largest resident memory of the median process, in bytes; first requests only.
    pub(crate) peak_bytes: Option<u64>,
    /// The model that was timed.
    pub(crate) subject: Subject,
    /// Where and how.
    pub(crate) run: Run,
}

/// A model file that is timed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subject {
    /// Its file's name, or `made 1682x32`.
    pub(crate) name: String,
    pub(crate) rule: String,
    /// Inner steps.
    pub(crate) steps: usize,
    /// Length of the file.
    pub(crate) bytes: usize,
    /// Names its contents.
    pub(crate) content_id: String,
    /// What the trainer measured of it, by its model card; made models have none.
    pub(crate) accuracy: Option<Accuracy>,
}

/// How good the lists of a model are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Accuracy {
    /// What `value` is, in the words of the model card.
    pub(crate) measure: String,
    pub(crate) value: f64,
}

/// Where and how a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The command line.
    pub(crate) command: String,
    /// Version of the sources; ends in `-dirty` if they were changed.
    pub(crate) commit: String,
    pub(crate) rustc: String,
    pub(crate) target: String,
    pub(crate) opt_level: String,
    pub(crate) rustflags: String,
    /// CPU features that the compiler could rely on everywhere.
    pub(crate) compiled_features: String,
    pub(crate) cpu: String,
    /// CPU features that the operating system reports.
    pub(crate) cpu_flags: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    /// How the operating system sets the clock of the CPU, where it says.
    pub(crate) governor: Option<String>,
    /// Processes that wanted to run in the minute before, on average, where the system says.
    pub(crate) load: Option<f32>,
    /// Seconds since 1970.
    pub(crate) unix_time: u64,
    /// What it costs to read the clock: the median, which every figure is less by.
    pub(crate) timer_ns: u64,
    /// Largest resident memory of the run itself, in bytes, where the system says.
    pub(crate) peak_bytes: Option<u64>,
}

/// The kernel of what does not depend on it.
pub(crate) const NO_KERNEL: &str = "none";

impl Record {
    /// The kernel's name; empty where the operation does not depend on it.
    pub(crate) fn kernel_name(&self) -> &str {
        if self.kernel == NO_KERNEL { "" } else { &self.kernel }
    }

    /// What is compared between runs: everything that says what was done, and nothing that says how fast.
    pub(crate) fn key(&self) -> Key<'_> {
        Key {
            operation: &self.operation,
            model: &self.subject.name,
            items: self.items,
            dim: self.dim,
            top: self.top,
            support: self.support,
            users: self.users,
        }
    }

    /// Whether it is of the operation and the model that `key` names, with any kernel.
    pub(crate) fn does(&self, key: &Key<'_>) -> bool {
        self.key() == *key
    }

    /// How much of the speed of `line`, which reads the same bytes and does nothing with them, is reached at the median.
    pub(crate) fn share(&self, line: &Self) -> f64 {
        line.p50_ns as f64 / self.p50_ns.max(1) as f64
    }
}

/// Of every operation the record with the fastest kernel at the median, in the order in which operations come.
pub(crate) fn fastest(records: &[Record]) -> Vec<&Record> {
    let mut fastest: Vec<&Record> = Vec::new();
    for record in records {
        match fastest.iter_mut().find(|kept| kept.does(&record.key())) {
            Some(kept) if record.p50_ns < kept.p50_ns => *kept = record,
            Some(_) => {}
            None => fastest.push(record),
        }
    }
    fastest
}

/// See [`Record::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) operation: &'a str,
    pub(crate) model: &'a str,
    pub(crate) items: usize,
    pub(crate) dim: usize,
    pub(crate) top: usize,
    pub(crate) support: usize,
    pub(crate) users: usize,
}

/// Reads a file that a run wrote.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>> {
    let context = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(context)?;
    let records: Vec<Record> = serde_json::from_str(&text).with_context(context)?;
    ensure!(!records.is_empty(), "{}: no records", path.display());
    Ok(records)
}

/// Writes a file for [`read`].
///
/// # Errors
/// Names the file and the reason.
pub(crate) fn write(path: &Path, records: &[Record]) -> Result<()> {
    let text = serde_json::to_string_pretty(records)?;
    fs::write(path, text + "\n").with_context(|| path.display().to_string())
}

/// Records of two sizes with two kernels, for tests.
#[cfg(test)]
pub(crate) fn made() -> Vec<Record> {
    let run = Run { command: "latency a <b>".to_owned(), ..crate::machine::run(20) };
    let mut records = Vec::new();
    for items in [1_000, 20_000] {
        let subject = Subject {
            name: format!("made {items}x32"),
            rule: "maml".to_owned(),
            steps: 5,
            bytes: 40 * items,
            content_id: "0123456789abcdef".to_owned(),
            accuracy: None,
        };
        for (operation, kernel, share) in [
            ("read", "none", 1),
            ("adapt", "scalar", 4),
            ("adapt", "avx2", 3),
            ("rank", "scalar", 30),
            ("rank", "avx2", 10),
            ("request", "scalar", 34),
            ("request", "avx2", 13),
            ("request_again", "avx2", 14),
        ] {
            let p50_ns = (items * share) as u64;
            records.push(Record {
                operation: operation.to_owned(),
                items,
                dim: 32,
                top: if matches!(operation, "read" | "adapt") { 0 } else { 10 },
                support: if operation == "read" { 0 } else { 10 },
                users: 1,
                kernel: kernel.to_owned(),
                calls: 2_000,
                min_ns: p50_ns / 2,
                p50_ns,
                p90_ns: p50_ns * 2,
                p99_ns: p50_ns * 3,
                p999_ns: p50_ns * 9,
                max_ns: p50_ns * 20,
                mean_ns: p50_ns as f64 * 1.1,
                bytes: 32 * items,
                gb_per_s: 32.0 / share as f64,
                stack_bytes: Some(5_000),
                allocations: Some(0),
                minor_faults: Some(0),
                major_faults: Some(0),
                peak_bytes: None,
                subject: subject.clone(),
                run: run.clone(),
            });
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_has_the_fields_that_are_promised() {
        let (file, records) = (tempfile::NamedTempFile::new().expect("a temporary file"), made());
        write(file.path(), &records).expect("a file that can be written");
        let again = read(file.path()).expect("the same records");
        assert_eq!(format!("{again:?}"), format!("{records:?}"));
        let text = fs::read_to_string(file.path()).expect("the same file");
        let array: Vec<serde_json::Value> = serde_json::from_str(&text).expect("an array");
        for field in ["operation", "items", "dim", "top", "kernel", "p50_ns", "p90_ns", "p99_ns", "p999_ns"] {
            assert!(array.iter().all(|record| !record[field].is_null()), "{field}");
        }
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        for text in ["", "[]", "{}", "[{\"operation\": \"open\"}]"] {
            fs::write(file.path(), text).expect("a file that can be written");
            let error = read(file.path()).expect_err(text);
            assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
        }
    }

    #[test]
    fn of_every_operation_the_fastest_kernel_is_kept() {
        let records = made();
        let fastest = fastest(&records);
        assert_eq!(fastest.len(), 10);
        assert!(fastest.iter().all(|record| record.kernel != "scalar"));
    }
}
