//! Plays the golden requests on RISC-V without floating-point registers: every float is computed by integers.
//!
//! A bare-metal program that asks for two services as Linux numbers them, so that an emulator of user programs runs it.

#![no_std]
#![no_main]

use core::arch::asm;
use core::fmt::{self, Write};
use tinderbox::Kernel;
use tinderbox_golden::{Memory, report};

const WRITE: usize = 64;
const EXIT: usize = 93;

/// Where an emulator of user programs begins, with a stack.
#[expect(unsafe_code, reason = "an exported name could clash with another")]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    exit(i32::from(!report(Kernel::detect(), &mut Memory::new(), &mut Output)))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(2)
}

/// Standard output.
struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        call(WRITE, 1, text.as_ptr() as usize, text.len());
        Ok(())
    }
}

fn exit(status: i32) -> ! {
    loop {
        call(EXIT, status as usize, 0, 0);
    }
}

#[expect(unsafe_code, reason = "the only way to call the world outside")]
fn call(service: usize, first: usize, second: usize, third: usize) {
    // SAFETY: writing reads the text that a caller lends, exiting reads nothing; both keep all registers but a0.
    unsafe {
        asm!("ecall", in("a7") service, inlateout("a0") first => _, in("a1") second, in("a2") third, options(nostack));
    }
}
