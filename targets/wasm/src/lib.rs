//! The golden requests as a WebAssembly module, which asks of its host one thing: to show a line.

#![no_std]

use core::fmt::{self, Write};
use tinderbox::Kernel;
use tinderbox_golden::{Memory, report};

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

/// Plays the golden requests with every kernel; returns whether all answers are golden.
#[expect(unsafe_code, reason = "an exported name could clash with another")]
#[unsafe(no_mangle)]
pub extern "C" fn golden() -> bool {
    Kernel::all().all(|kernel| report(kernel, &mut Memory::new(), &mut Host))
}
