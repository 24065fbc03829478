//! Sorting, with an eye on the size of the code.

use core::cmp::Ordering;

/// Sorts by a total order. `core`'s sort is 10 KB of code for each type, a third of what firmware has for all of the
/// engine: without std, and in modules that pages load, a heap sorts, in twice the time.
pub(crate) fn sort<T: Copy>(values: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    if cfg!(any(not(feature = "std"), target_family = "wasm")) {
        heapsort(values, order);
    } else {
        values.sort_unstable_by(order);
    }
}

/// Floyd 1964: the root of a heap comes after all others, so it goes behind them, and they become a heap again.
fn heapsort<T: Copy>(values: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    for root in (0..values.len() / 2).rev() {
        sift_down(values, root, &order);
    }
    for end in (1..values.len()).rev() {
        values.swap(0, end);
        sift_down(&mut values[..end], 0, &order);
    }
}

/// Moves the value at `root` down until neither child comes after it: the last by `order` is then the heap's root again.
pub(crate) fn sift_down<T: Copy>(heap: &mut [T], mut root: usize, order: &impl Fn(&T, &T) -> Ordering) {
    let comes_after = |a: &T, b: &T| order(a, b) == Ordering::Greater;
    while let Some(left) = heap.get(2 * root + 1) {
        let right_is_later = heap.get(2 * root + 2).is_some_and(|right| comes_after(right, left));
        let child = 2 * root + 1 + usize::from(right_is_later);
        if !comes_after(&heap[child], &heap[root]) {
            break;
        }
        heap.swap(root, child);
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_sorts_as_core_does() {
        let mut state = 1_u32;
        for len in 0..200 {
            let mut values = [0; 200];
            for value in &mut values[..len] {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = state >> 28; // many ties
            }
            let mut expected = values;
            expected[..len].sort_unstable();
            heapsort(&mut values[..len], u32::cmp);
            assert_eq!(values, expected, "{len}");
        }
    }
}
