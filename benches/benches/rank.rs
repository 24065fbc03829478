//! Ranking the whole catalogue for an adapted user by cosine, the support excluded: one pass over the rows. Beside it the
//! arithmetic of that pass alone, which is what a kernel has to be worth its file for.

use tinderbox_benches::{Operation, RULES, SIZES, bench, criterion, print_cpu};

/// Rows in the caches and not, of every length that a kernel has a way of its own for.
const SCANS: [(usize, usize); 8] = [
    (1_682, 16),
    (100_000, 16),
    (1_682, 32),
    (100_000, 32),
    (1_682, 64),
    (100_000, 64),
    (1_682, 128),
    (100_000, 128),
];

fn main() {
    print_cpu();
    let mut criterion = criterion();
    bench(&mut criterion, RULES[0], &SIZES, &[10, 100].map(Operation::Rank));
    bench(&mut criterion, RULES[0], &SCANS, &[Operation::Scan, Operation::ScanBatch]);
    criterion.final_summary();
}
