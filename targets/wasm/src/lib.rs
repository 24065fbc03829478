//! The golden requests as a WebAssembly module, which asks of its host one thing: to show a line.

#![no_std]

use core::fmt::{self, Write};
use tinderbox::Kernel;
use tinderbox_golden::{Memory, run};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[expect(unsafe_code, reason = "an import is unsafe to call")]
mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Shows `len` bytes of UTF-8 at `text`.
        fn show(text: *const u8, len: usize);
    }

    pub(crate) fn print(text: &str) {
        // SAFETY: the host reads the bytes of a string that lives until it returns.
        unsafe { show(text.as_ptr(), text.len()) }
    }
}

/// What is written goes to the host as it comes.
struct Host;

impl Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        host::print(text);
        Ok(())
    }
}

/// Plays the golden requests with every kernel; returns how many answers differ, or -1 if they could not be played.
#[expect(unsafe_code, reason = "an exported name could clash with another")]
#[unsafe(no_mangle)]
pub extern "C" fn golden() -> i32 {
    Kernel::all().try_fold(0, |before, kernel| Some(before + play(kernel)?)).unwrap_or(-1)
}

fn play(kernel: Kernel) -> Option<i32> {
    let (mut answers, mut different) = (0, 0);
    let outcome = run(kernel, &mut Memory::new(), |answered| {
        answers += 1;
        if !answered.is_golden() {
            different += 1;
            let _ = writeln!(Host, "line {}: {}\n  {}", answered.line, answered.question, answered.answer);
        }
    });
    // Writing to the host cannot fail.
    let _ = match outcome {
        Ok(()) if different == 0 => writeln!(Host, "{}: {answers} answers, bits equal", kernel.name()),
        Ok(()) => writeln!(Host, "{}: {different} of {answers} answers differ", kernel.name()),
        Err(failure) => writeln!(Host, "{failure}"),
    };
    outcome.is_ok().then_some(different)
}
