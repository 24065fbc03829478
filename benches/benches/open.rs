//! Opening a model file, in constant time in the size of the catalogue, and verifying all of it.

use criterion::{Criterion, Throughput};
use std::hint::black_box;
use tinderbox::Model;
use tinderbox_benches::{RULES, SIZES, Sample, criterion, print_cpu};

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for sample in Sample::all(RULES[0], &SIZES) {
        open(&mut criterion, &sample);
        verify(&mut criterion, &sample);
    }
    criterion.final_summary();
}

fn open(criterion: &mut Criterion, sample: &Sample) {
    let bytes = sample.bytes();
    assert!(Model::open(bytes).is_ok_and(|model| model.bytes().len() == bytes.len()), "not opened whole");
    assert!(Model::open(&bytes[..bytes.len() - 1]).is_err(), "a truncated file was opened");
    let id = format!("open/{}", sample.name());
    criterion.bench_function(&id, |bencher| bencher.iter(|| Model::open(black_box(bytes))));
}

fn verify(criterion: &mut Criterion, sample: &Sample) {
    let model = sample.model();
    assert_eq!(model.verify(), Ok(()));
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Bytes(sample.bytes().len() as u64));
    group.bench_function(sample.name(), |bencher| bencher.iter(|| black_box(&model).verify()));
    group.finish();
}
