//! What a user waits for: adapting to ten interactions and ranking the best of all other items.

use tinderbox_benches::{Operation, RULES, SIZES, bench, criterion, print_cpu};

/// How the rules compare is the same for every size.
const SMALL: [(usize, usize); 2] = [(1_682, 32), (10_000, 32)];

fn main() {
    print_cpu();
    let mut criterion = criterion();
    bench(&mut criterion, RULES[0], &SIZES, &[10, 100].map(Operation::Request));
    for rule in &RULES[1..] {
        bench(&mut criterion, *rule, &SMALL, &[Operation::Request(10)]);
    }
    criterion.final_summary();
}
