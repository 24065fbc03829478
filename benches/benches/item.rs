//! One item: why it is in the list, and adding one that training never saw.

use tinderbox_benches::{Operation, RULES, bench, criterion, print_cpu};

/// The size of the catalogue has no influence.
const SIZES: [(usize, usize); 3] = [(1_682, 32), (1_682, 64), (1_682, 128)];

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for rule in RULES {
        bench(&mut criterion, rule, &SIZES, &[Operation::Explain]);
    }
    bench(&mut criterion, RULES[0], &SIZES, &[Operation::AddItem]);
    criterion.final_summary();
}
