//! What a call takes: stack and heap.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The stack that calls are measured on, in units of 16 bytes, its alignment: 1 MiB.
const UNITS: usize = 1 << 16;
/// What the stack is painted with: unlikely to be written by a call, and not zero.
const PAINT: u128 = 0xA5C3_96E1_A5C3_96E1_A5C3_96E1_A5C3_96E1;

/// The bytes of stack that `call` uses at most, counted from its first frame: the stack is painted before and looked
/// at afterwards. Within 16 bytes; a frame's part that is not written does not count unless another's below it is.
#[expect(unsafe_code, reason = "to run on a stack of one's own is unsafe")]
pub(crate) fn stack_bytes(mut call: impl FnMut()) -> usize {
    let mut stack = vec![PAINT; UNITS];
    let base = stack.as_mut_ptr().cast::<u8>();
    let size = size_of_val(&*stack);
    let callback = || catch_unwind(AssertUnwindSafe(&mut call));
    // SAFETY: `base` is that of a live vector of `size` bytes, aligned to 16 as the targets ask for, which nothing
    // else uses meanwhile. The callback does not unwind. A megabyte is sixteen times what the engine promises to
    // stay under, which the assertion below confirms.
    let result = unsafe { psm::on_stack(base, size, callback) };
    if let Err(panic) = result {
        resume_unwind(panic);
    }
    let untouched = black_box(&stack).iter().take_while(|&&unit| unit == PAINT).count();
    assert!(untouched > UNITS / 2, "a call came near the end of the stack that it was measured on");
    (UNITS - untouched) * size_of::<u128>()
}

/// The heap allocations of `call`.
pub(crate) fn allocations(call: impl FnOnce()) -> u64 {
    allocation_counter::measure(call).count_total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_of_a_call_is_measured() {
        #[inline(never)]
        fn deep(len: usize) -> u8 {
            let array = black_box([len as u8; 20_000]);
            array[len]
        }
        let small = stack_bytes(|| {
            black_box(1);
        });
        let large = stack_bytes(|| {
            black_box(deep(black_box(5)));
        });
        assert!(small < 2_000, "{small}");
        assert!((20_000..22_000).contains(&(large - small)), "{large} - {small}");
    }

    #[test]
    fn allocations_are_counted() {
        assert_eq!(allocations(|| drop(black_box(vec![1; 10]))), 1);
        let on_the_stack = allocations(|| {
            black_box([1; 10]);
        });
        assert_eq!(on_the_stack, 0);
    }
}
