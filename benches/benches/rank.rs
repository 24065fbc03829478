//! Ranking the whole catalogue for an adapted user by cosine, the support excluded: one pass over the rows.

use criterion::{Criterion, Throughput};
use std::hint::black_box;
use tinderbox::{Filter, Kernel, Ranked, Session};
use tinderbox_benches::{RULES, Reference, SIZES, Sample, criterion, print_cpu, scratch, support};

const LISTS: [usize; 2] = [10, 100];
const SHOTS: usize = 10;

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for sample in Sample::all(RULES[0], &SIZES) {
        for kernel in Kernel::all() {
            for len in LISTS {
                rank(&mut criterion, kernel, &sample, len);
            }
        }
    }
    criterion.final_summary();
}

fn rank(criterion: &mut Criterion, kernel: Kernel, sample: &Sample, len: usize) {
    let model = sample.model();
    let (support, mut scratch) = (support(&model, SHOTS), scratch(&model, SHOTS));
    let mut session = Session::with_kernel(model, kernel, &mut scratch).expect("scratch memory as asked for");
    session.adapt(&support).expect("a support of the catalogue");
    let mut out = vec![Ranked::default(); len];
    let list = session.rank(&Filter::default(), &mut out).expect("no filter");
    Reference::of(&model, &support).check_list(list, len);
    let mut group = criterion.benchmark_group("rank");
    group.throughput(Throughput::Bytes(model.rows().len() as u64));
    group.bench_function(format!("{}/{}/top{len}", kernel.name(), sample.name()), |bencher| {
        bencher.iter(|| session.rank(black_box(&Filter::default()), &mut out).map(<[Ranked]>::len));
    });
    group.finish();
}
