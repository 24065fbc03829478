//! The debugger, or emulator, at the other end of semihosting.

#![expect(unsafe_code, reason = "cortex-m-rt wants handlers of hard faults to be unsafe")]

use core::fmt::Display;
use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;

/// Ends the program; its exit status says whether `outcome` is `Ok`.
pub fn exit<Error: Display>(outcome: Result<(), Error>) -> ! {
    let status = match outcome {
        Ok(()) => EXIT_SUCCESS,
        Err(error) => {
            hprintln!("failed: {}", error);
            EXIT_FAILURE
        }
    };
    loop {
        debug::exit(status);
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(Err("a panic, which the engine promises not to do"))
}

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(Err("a hard fault: the stack has probably outgrown the RAM"))
}
