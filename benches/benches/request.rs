//! What a user waits for: adapting to ten interactions and ranking the ten best of all other items.

use criterion::Criterion;
use std::hint::black_box;
use tinderbox::{Filter, Interaction, Kernel, Ranked, Session};
use tinderbox_benches::{RULES, Reference, SIZES, Sample, criterion, print_cpu, scratch, support};

const SHOTS: usize = 10;
const LIST: usize = 10;

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for sample in RULES.iter().flat_map(|&rule| Sample::all(rule, &SIZES)) {
        for kernel in Kernel::all() {
            request(&mut criterion, kernel, &sample);
        }
    }
    criterion.final_summary();
}

fn request(criterion: &mut Criterion, kernel: Kernel, sample: &Sample) {
    let model = sample.model();
    let (support, mut scratch) = (support(&model, SHOTS), scratch(&model, SHOTS));
    let mut session = Session::with_kernel(model, kernel, &mut scratch).expect("scratch memory as asked for");
    let mut out = [Ranked::default(); LIST];
    Reference::of(&model, &support).check_list(answer(&mut session, &support, &mut out), LIST);
    let id = format!("request/{}/{}/{}", kernel.name(), model.rule().name(), sample.name());
    criterion.bench_function(&id, |bencher| {
        bencher.iter(|| answer(&mut session, black_box(&support), &mut out).len());
    });
}

fn answer<'o>(session: &mut Session<'_>, support: &[Interaction], out: &'o mut [Ranked]) -> &'o [Ranked] {
    session.adapt(support).expect("a support of the catalogue");
    session.rank(&Filter::default(), out).expect("no filter")
}
