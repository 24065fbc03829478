//! A run: every operation on every model with every kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::Value;
use tinderbox::{Kernel, Model};
use tinderbox_benches::{Bench, Memory, Operation, RULES, SIZES, SUPPORT, Sample};

use crate::clock::{Clock, histogram};
use crate::fresh::{self, Fresh};
use crate::machine::{self, Faults};
use crate::memory;
use crate::record::{Accuracy, NO_KERNEL, Record, Run, Subject};

/// Slices of the time of one operation: all take turns, so that a disturbance meets all of them.
const ROUNDS: u32 = 8;
/// Models that `--quick` makes.
const QUICK_SIZES: [(usize, usize); 4] = [(1_682, 32), (1_682, 64), (10_000, 64), (100_000, 64)];

/// What to measure.
#[derive(Args)]
pub(crate) struct Measure {
    /// Time this model file; may be given several times [default: made models]
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,

    /// Be done in half a minute: four sizes, short slices
    #[arg(long)]
    quick: bool,

    /// Seconds for each operation with each kernel [default: 0.4; quick: 0.06]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,

    /// Made models of these numbers of items
    #[arg(long, value_delimiter = ',', value_name = "N", value_parser = clap::value_parser!(u64).range(100..=4_000_000))]
    items: Vec<u64>,

    /// Made models of these dims, multiples of 16
    #[arg(long, value_delimiter = ',', value_name = "D", value_parser = dim)]
    dim: Vec<usize>,

    /// Rule of made models
    #[arg(long, default_value = "maml", value_parser = RULES.map(|rule| rule.name()))]
    rule: String,

    /// Lengths of lists
    #[arg(long, value_delimiter = ',', default_value = "10,100", value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    top: Vec<u64>,

    /// Only these kernels [default: all that the CPU has]
    #[arg(long, value_delimiter = ',', value_name = "KERNEL")]
    kernel: Vec<String>,

    /// Fresh processes for each first request; 0 leaves them out [default: 40; quick: 8]
    #[arg(long, value_name = "N")]
    processes: Option<usize>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn dim(text: &str) -> Result<usize, String> {
    let dim: usize = text.parse().map_err(|error| format!("{error}"))?;
    let fits = dim.is_multiple_of(16) && (16..=1024).contains(&dim);
    if fits { Ok(dim) } else { Err("not a multiple of 16 from 16 to 1024".to_owned()) }
}

impl Measure {
    /// Measures, telling `progress` which model it is at.
    ///
    /// # Errors
    /// A file that is no model, a kernel that the CPU does not have, a temporary file that cannot be written.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<Vec<Record>> {
        let kernels = self.kernels()?;
        let clock = Clock::calibrated();
        let run = machine::run(clock.overhead);
        let mut records = Vec::new();
        for path in &self.model {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            let sample = Sample::read(&name, path).map_err(anyhow::Error::msg)?;
            progress(&name);
            let model = sample.model();
            let blank = blank(&model, subject(&name, &model), &run);
            records.extend(self.model(&model, path, clock, &kernels, &blank)?);
        }
        for (items, dim) in self.sizes() {
            let rule = RULES.iter().find(|rule| rule.name() == self.rule).unwrap_or(&RULES[0]);
            let sample = Sample::made(*rule, items, dim);
            let file = tempfile::NamedTempFile::new()?;
            fs::write(file.path(), sample.bytes()).with_context(|| file.path().display().to_string())?;
            let (name, model) = (format!("made {}", sample.name()), sample.model());
            progress(&name);
            let blank = blank(&model, subject(&name, &model), &run);
            records.extend(self.model(&model, file.path(), clock, &kernels, &blank)?);
        }
        let peak_bytes = machine::peak_bytes();
        records.iter_mut().for_each(|record| record.run.peak_bytes = peak_bytes);
        Ok(records)
    }

    fn kernels(&self) -> Result<Vec<Kernel>> {
        let all: Vec<Kernel> = Kernel::all().collect();
        let names: Vec<&str> = all.iter().map(|kernel| kernel.name()).collect();
        for kernel in &self.kernel {
            ensure!(
                names.contains(&kernel.as_str()),
                "no kernel '{kernel}' here: this CPU has {}",
                names.join(", ")
            );
        }
        let wanted =
            |kernel: &Kernel| self.kernel.is_empty() || self.kernel.iter().any(|name| name == kernel.name());
        Ok(all.into_iter().filter(wanted).collect())
    }

    /// Items and dims of the models to be made: none if files are given and no sizes are.
    fn sizes(&self) -> Vec<(usize, usize)> {
        if self.items.is_empty() && self.dim.is_empty() {
            return match (self.model.is_empty(), self.quick) {
                (false, _) => Vec::new(),
                (true, true) => QUICK_SIZES.to_vec(),
                (true, false) => SIZES.to_vec(),
            };
        }
        let items = if self.items.is_empty() { vec![1_682] } else { self.items.clone() };
        let dims = if self.dim.is_empty() { vec![64] } else { self.dim.clone() };
        items.iter().flat_map(|&items| dims.iter().map(move |&dim| (items as usize, dim))).collect()
    }

    /// All operations on one model, which lies in memory and, the same, at `path`.
    fn model(
        &self,
        model: &Model<'_>,
        path: &Path,
        clock: Clock,
        kernels: &[Kernel],
        blank: &Record,
    ) -> Result<Vec<Record>> {
        let items = model.items();
        ensure!(items > 2 * SUPPORT, "{}: {items} items are too few to time", path.display());
        let tops: Vec<usize> = self.top.iter().map(|&top| top as usize).collect();
        let longest = tops.iter().copied().max().unwrap_or(1);
        let mut memories: Vec<Memory> = kernels.iter().map(|_| Memory::new(model)).collect();
        let benches = kernels.iter().zip(&mut memories);
        let mut benches: Vec<Bench<'_>> =
            benches.map(|(&kernel, memory)| Bench::new(*model, kernel, memory, longest)).collect();
        let mut cases: Vec<Case> = Vec::new();
        for operation in Operation::all(model, &tops) {
            let kernels = if operation.has_kernel() { kernels.len() } else { 1 };
            cases.extend((0..kernels).map(|bench| Case::new(operation, bench)));
        }
        let reference = Bench::reference(model);
        for case in &mut cases {
            benches[case.bench].check(case.operation, &reference);
            case.memory(&mut benches);
        }
        for _ in 0..ROUNDS {
            cases.iter_mut().for_each(|case| case.slice(&mut benches, clock, self.slice()));
        }
        let mut records: Vec<Record> = cases.iter().map(|case| case.record(model, kernels, blank)).collect();
        for (operation, evicted) in [("first_request_warm", false), ("first_request_cold", true)] {
            let processes = fresh::requests(path, self.processes(), evicted)?;
            records.extend(first_request(operation, &processes, blank));
        }
        Ok(records)
    }

    fn slice(&self) -> Duration {
        let quick = Duration::from_millis(if self.quick { 60 } else { 400 });
        self.seconds.unwrap_or(quick) / ROUNDS
    }

    fn processes(&self) -> usize {
        self.processes.unwrap_or(if self.quick { 8 } else { 40 })
    }
}

/// One operation with one kernel, and what has been measured of it.
struct Case {
    operation: Operation,
    /// Which of the benches.
    bench: usize,
    histogram: Histogram<u64>,
    stack_bytes: usize,
    allocations: u64,
    faults: Option<Faults>,
}

impl Case {
    fn new(operation: Operation, bench: usize) -> Self {
        Self {
            operation,
            bench,
            histogram: histogram(),
            stack_bytes: 0,
            allocations: 0,
            faults: Some(Faults::default()),
        }
    }

    /// Measures what a call takes; the first one, so that it also brings the memory in.
    fn memory(&mut self, benches: &mut [Bench<'_>]) {
        let (bench, operation) = (&mut benches[self.bench], self.operation);
        self.stack_bytes = memory::stack_bytes(|| bench.call(operation, 0));
        self.allocations = memory::allocations(|| bench.call(operation, 0));
    }

    fn slice(&mut self, benches: &mut [Bench<'_>], clock: Clock, time: Duration) {
        let (bench, operation) = (&mut benches[self.bench], self.operation);
        bench.call(operation, 0);
        let before = Faults::so_far();
        clock.slice(&mut self.histogram, time, &mut |at| bench.call(operation, at));
        let here = Faults::so_far().zip(before).map(|(now, before)| now.since(before));
        self.faults = self.faults.zip(here).map(|(sum, here)| sum.plus(here));
    }

    fn record(&self, model: &Model<'_>, kernels: &[Kernel], blank: &Record) -> Record {
        let operation = self.operation;
        let kernel = if operation.has_kernel() { kernels[self.bench].name() } else { NO_KERNEL };
        let record = Record {
            operation: operation.name().to_owned(),
            top: operation.top(),
            support: operation.support(),
            users: operation.users(),
            kernel: kernel.to_owned(),
            bytes: operation.bytes(model),
            stack_bytes: Some(self.stack_bytes),
            allocations: Some(self.allocations),
            minor_faults: self.faults.map(|faults| faults.minor),
            major_faults: self.faults.map(|faults| faults.major),
            ..blank.clone()
        };
        timed(record, &self.histogram)
    }
}

/// A record of this model without an operation.
fn blank(model: &Model<'_>, subject: Subject, run: &Run) -> Record {
    Record {
        operation: String::new(),
        items: model.items(),
        dim: model.dim(),
        top: 0,
        support: 0,
        users: 1,
        kernel: NO_KERNEL.to_owned(),
        calls: 0,
        min_ns: 0,
        p50_ns: 0,
        p90_ns: 0,
        p99_ns: 0,
        p999_ns: 0,
        max_ns: 0,
        mean_ns: 0.0,
        bytes: 0,
        gb_per_s: 0.0,
        stack_bytes: None,
        allocations: None,
        minor_faults: None,
        major_faults: None,
        peak_bytes: None,
        subject,
        run: run.clone(),
    }
}

fn timed(record: Record, histogram: &Histogram<u64>) -> Record {
    let p50_ns = histogram.value_at_quantile(0.5);
    Record {
        calls: histogram.len(),
        min_ns: histogram.min(),
        p50_ns,
        p90_ns: histogram.value_at_quantile(0.9),
        p99_ns: histogram.value_at_quantile(0.99),
        p999_ns: histogram.value_at_quantile(0.999),
        max_ns: histogram.max(),
        mean_ns: histogram.mean(),
        gb_per_s: record.bytes as f64 / p50_ns.max(1) as f64,
        ..record
    }
}

/// The record of first requests; `None` without processes.
fn first_request(operation: &str, processes: &[Fresh], blank: &Record) -> Option<Record> {
    let mut histogram = histogram();
    processes.iter().for_each(|fresh| histogram.saturating_record(fresh.ns));
    let median = |value: fn(&Fresh) -> Option<u64>| {
        let mut values: Vec<u64> = processes.iter().filter_map(value).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    let record = Record {
        operation: operation.to_owned(),
        top: fresh::TOP,
        support: SUPPORT,
        kernel: Kernel::detect().name().to_owned(),
        minor_faults: median(|fresh| fresh.minor_faults),
        major_faults: median(|fresh| fresh.major_faults),
        peak_bytes: median(|fresh| fresh.peak_bytes),
        ..blank.clone()
    };
    (!processes.is_empty()).then(|| timed(record, &histogram))
}

fn subject(name: &str, model: &Model<'_>) -> Subject {
    let card = model.card().and_then(|card| serde_json::from_str(card).ok());
    Subject {
        name: name.to_owned(),
        rule: model.rule().name().to_owned(),
        steps: model.steps(),
        bytes: model.bytes().len(),
        content_id: format!("{:016x}", model.content_id()),
        accuracy: card.as_ref().and_then(accuracy),
    }
}

/// The validation of the configuration that the trainer kept.
fn accuracy(card: &Value) -> Option<Accuracy> {
    let kept = card["tried"].as_array()?.iter().find(|tried| tried["kept"] == true)?;
    Some(Accuracy { measure: card["validation"].as_str()?.to_owned(), value: kept["validation"].as_f64()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accuracy_is_that_of_the_configuration_that_was_kept() {
        let card = serde_json::json!({
            "validation": "mean NDCG@10",
            "tried": [{ "validation": 0.1, "kept": false }, { "validation": 0.3, "kept": true }],
        });
        let expected = Accuracy { measure: "mean NDCG@10".to_owned(), value: 0.3 };
        assert_eq!(accuracy(&card), Some(expected));
        assert_eq!(accuracy(&serde_json::json!({})), None);
    }

    #[test]
    fn every_operation_is_measured_once_for_each_kernel_without_a_heap() {
        let sample = Sample::made(RULES[0], 500, 32);
        let model = sample.model();
        let blank = blank(&model, subject("made", &model), &machine::run(0));
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let measure = Measure {
            model: Vec::new(),
            quick: true,
            seconds: Some(Duration::from_millis(1)),
            items: Vec::new(),
            dim: Vec::new(),
            rule: "maml".to_owned(),
            top: vec![10, 100],
            kernel: Vec::new(),
            processes: Some(0), // the test's own binary is no `latency`
        };
        let kernels = measure.kernels().expect("all kernels");
        let clock = Clock { overhead: 0 };
        let records = measure.model(&model, file.path(), clock, &kernels, &blank).expect("a sound model");
        let operations = Operation::all(&model, &[10, 100]);
        let expected =
            operations.iter().map(|operation| if operation.has_kernel() { kernels.len() } else { 1 });
        assert_eq!(records.len(), expected.sum::<usize>());
        for record in &records {
            assert!(record.calls >= 5 && record.p50_ns <= record.p999_ns, "{record:?}");
            assert_eq!(record.allocations, Some(0), "{}", record.operation);
            assert!(record.stack_bytes.is_some_and(|bytes| bytes < 65_536), "{}", record.operation);
        }
    }
}
