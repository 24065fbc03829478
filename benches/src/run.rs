//! How the benchmarks are run.

use criterion::measurement::WallTime;
use criterion::{AxisScale, BenchmarkGroup, BenchmarkId, Criterion, PlotConfiguration, Throughput};
use std::time::Duration;
use tinderbox::{Kernel, Rule};

use crate::cpu::cpu_name;
use crate::operation::{Bench, Memory, Operation};
use crate::reference::Reference;
use crate::sample::Sample;

/// Samples of a benchmark, and of one whose calls read more than [`LARGE`] bytes.
const SAMPLES: [usize; 2] = [30, 10];
const LARGE: usize = 100_000_000;

/// Settings under which all the benchmarks take about ten minutes together; the command line overrides them. The
/// report with plots is `criterion/report/index.html` in the target directory.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(SAMPLES[0])
        .configure_from_args()
}

/// Benchmarks operations with every kernel, on models of these sizes and on the given one. Every answer is checked
/// before it is timed.
///
/// A group, and so a plot, for each operation, dim and length of the list; in it a curve for each kernel over the
/// number of items, or over the length of the support for [`Operation::Adapt`]. Sizes of one dim stand together.
pub fn bench(criterion: &mut Criterion, rule: Rule, sizes: &[(usize, usize)], operations: &[Operation]) {
    let mut samples = Sample::all(rule, sizes).peekable();
    while let Some(first) = samples.next() {
        let mut of_dim = vec![first];
        while let Some(next) = samples.next_if(|next| shape(next) == shape(&of_dim[0])) {
            of_dim.push(next);
        }
        groups(criterion, &of_dim, operations);
    }
}

/// One case of a group.
struct Case<'s> {
    group: String,
    operation: Operation,
    sample: &'s Sample,
    reference: &'s Reference,
}

/// The groups of samples of one dim.
fn groups(criterion: &mut Criterion, samples: &[Sample], operations: &[Operation]) {
    let references: Vec<Reference> = samples.iter().map(|sample| Bench::reference(&sample.model())).collect();
    let mut cases = Vec::new();
    for &operation in operations {
        let suited = samples.iter().zip(&references).filter(|(sample, _)| operation.suits(&sample.model()));
        for (sample, reference) in suited {
            cases.push(Case { group: group(operation, sample), operation, sample, reference });
        }
    }
    for of_group in cases.chunk_by(|a, b| a.group == b.group) {
        let mut group = criterion.benchmark_group(&of_group[0].group);
        group.plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
        of_group.iter().for_each(|case| case.bench(&mut group));
        group.finish();
    }
}

impl Case<'_> {
    fn bench(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        let (model, operation) = (self.sample.model(), self.operation);
        let bytes = operation.bytes(&model);
        if bytes > 0 {
            group.throughput(Throughput::Bytes(bytes as u64));
        }
        group.sample_size(SAMPLES[usize::from(bytes * operation.users() > LARGE)]);
        let parameter = match operation {
            Operation::Adapt(support) => support,
            _ => model.items(),
        };
        for kernel in Kernel::all().take(if operation.has_kernel() { usize::MAX } else { 1 }) {
            let mut memory = Memory::new(&model);
            let mut bench = Bench::new(model, kernel, &mut memory, operation.top());
            bench.check(operation, self.reference);
            let name = if operation.has_kernel() { kernel.name() } else { "any" };
            let mut at = 0;
            group.bench_function(BenchmarkId::new(name, parameter), |bencher| {
                bencher.iter(|| {
                    bench.call(operation, at);
                    at += 1;
                });
            });
        }
    }
}

/// `request/maml/d32/top10`; `file` in place of the dim for the given model.
fn group(operation: Operation, sample: &Sample) -> String {
    let list = if operation.top() > 0 { format!("/top{}", operation.top()) } else { String::new() };
    format!("{}/{}/{}{list}", operation.name(), sample.model().rule().name(), shape(sample))
}

/// What the samples of one group have in common.
fn shape(sample: &Sample) -> String {
    if sample.is_given() { "file".to_owned() } else { format!("d{}", sample.model().dim()) }
}

/// Whether this run only tries each benchmark once: `cargo bench -- --test`.
pub(crate) fn is_smoke() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// Says on what the numbers were measured.
pub fn print_cpu() {
    println!("CPU: {}", cpu_name());
}
