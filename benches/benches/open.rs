//! Opening a model file, in constant time in the size of the catalogue; verifying all of it; and reading its rows once,
//! the line that no ranking can be faster than.

use tinderbox_benches::{Operation, RULES, SIZES, bench, criterion, print_cpu};

fn main() {
    print_cpu();
    let mut criterion = criterion();
    bench(&mut criterion, RULES[0], &SIZES, &[Operation::Open, Operation::Verify, Operation::Read]);
    criterion.final_summary();
}
