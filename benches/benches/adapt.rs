//! Adapting from the prior to a support set of k interactions.

use tinderbox_benches::{Operation, RULES, bench, criterion, print_cpu};

/// The size of the catalogue has no influence.
const SIZES: [(usize, usize); 3] = [(1_682, 32), (1_682, 64), (1_682, 128)];

fn main() {
    print_cpu();
    let mut criterion = criterion();
    for rule in RULES {
        bench(&mut criterion, rule, &SIZES, &[1, 3, 5, 10, 20].map(Operation::Adapt));
    }
    criterion.final_summary();
}
