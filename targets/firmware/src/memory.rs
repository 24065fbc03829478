//! How much flash and RAM the program takes.

use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut};

/// What the unused stack is filled with.
const PAINT: u32 = 0x7B0C_0FFE;
/// Words below the caller's frame that painting itself may use.
const MARGIN: usize = 64;

type Word = MaybeUninit<u32>;

#[expect(unsafe_code, reason = "the linker's symbols")]
unsafe extern "C" {
    // cortex-m-rt's script defines them; only their addresses mean anything.
    static __sdata: Word;
    static __edata: Word;
    static __sidata: Word;
    static mut __sheap: Word;
    static _stack_start: Word;
}

/// Bytes of flash: vectors, code, constants, models, initial values of statics.
pub fn flash() -> usize {
    (addr_of!(__sidata) as usize) + (addr_of!(__edata) as usize - addr_of!(__sdata) as usize)
}

/// Bytes of RAM that statics take.
pub fn statics() -> usize {
    addr_of!(__sheap) as usize - addr_of!(__sdata) as usize
}

/// Fills the unused part of the stack, so that [`stack`] can tell what is used from now on.
#[inline(never)]
#[expect(unsafe_code, reason = "the stack below the frame has no owner that Rust knows of")]
pub fn paint_stack() {
    let here = 0_u32;
    let end = (addr_of!(here) as usize) - MARGIN * size_of::<u32>();
    let mut word = addr_of_mut!(__sheap).cast::<u32>();
    while (word as usize) < end {
        // SAFETY: between the end of the statics and the frame of this function, less what it may push, lies RAM
        // that nothing uses: there is no heap, and interrupts are not enabled.
        unsafe { word.write_volatile(PAINT) };
        word = word.wrapping_add(1);
    }
}

/// The most bytes of stack that were in use at once since it was painted.
#[expect(unsafe_code, reason = "reads the stack below the frame")]
pub fn stack() -> usize {
    let top = addr_of!(_stack_start) as usize;
    let mut word = addr_of!(__sheap).cast::<u32>();
    // SAFETY: RAM from the end of the statics to the start of the stack; this frame has lost its paint and ends the loop.
    while (word as usize) < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    top - word as usize
}
