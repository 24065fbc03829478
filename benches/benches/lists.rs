//! Other lists than one user's plain ranking: 32 users in one pass, a diverse list, similar items.

use tinderbox_benches::{Operation, RULES, SIZES, bench, criterion, print_cpu};

fn main() {
    print_cpu();
    let mut criterion = criterion();
    let lists = [Operation::Batch(10), Operation::Batch(100), Operation::Diverse, Operation::Similar];
    bench(&mut criterion, RULES[0], &SIZES, &lists);
    criterion.final_summary();
}
