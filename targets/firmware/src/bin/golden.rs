//! Plays the golden requests.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::{hio, hprintln};
use tinderbox::Kernel;
use tinderbox_firmware::{host, memory};
use tinderbox_golden::{Memory, report};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    let Ok(mut out) = hio::hstdout() else { host::exit(Err("nothing can be written")) };
    memory::paint_stack();
    let golden = report(Kernel::detect(), MEMORY, &mut out);
    hprintln!(
        "{} bytes of flash with the models and the requests, {} of statics, {} of stack",
        memory::flash(),
        memory::statics(),
        memory::stack()
    );
    host::exit(golden.then_some(()).ok_or("not all answers are golden"))
}
