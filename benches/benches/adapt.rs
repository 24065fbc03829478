//! Adapting from the prior to a support set of k interactions.

use criterion::Criterion;
use std::hint::black_box;
use tinderbox::{Kernel, Session};
use tinderbox_benches::{RULES, Reference, Sample, criterion, print_cpu, scratch, support};

const SHOTS: [usize; 4] = [1, 5, 10, 20];
/// The size of the catalogue has no influence.
const SIZES: [(usize, usize); 2] = [(1_682, 32), (1_682, 64)];

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for kernel in Kernel::all() {
        for sample in RULES.iter().flat_map(|&rule| Sample::all(rule, &SIZES)) {
            for shots in SHOTS {
                adapt(&mut criterion, kernel, &sample, shots);
            }
        }
    }
    criterion.final_summary();
}

fn adapt(criterion: &mut Criterion, kernel: Kernel, sample: &Sample, shots: usize) {
    let model = sample.model();
    let (support, mut scratch) = (support(&model, shots), scratch(&model, shots));
    let mut session = Session::with_kernel(model, kernel, &mut scratch).expect("scratch memory as asked for");
    session.adapt(&support).expect("a support of the catalogue");
    Reference::of(&model, &support).check_user(session.user());
    let id = format!("adapt/{}/{}/{}/k{shots}", kernel.name(), model.rule().name(), sample.name());
    criterion.bench_function(&id, |bencher| bencher.iter(|| session.adapt(black_box(&support))));
}
