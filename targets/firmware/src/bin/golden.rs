//! Plays the golden requests.

#![no_std]
#![no_main]

use core::fmt::{self, Display};
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use tinderbox::Kernel;
use tinderbox_firmware::{host, memory};
use tinderbox_golden::{Failure, Memory, run};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    memory::paint_stack();
    let outcome = play(Kernel::detect(), MEMORY);
    hprintln!(
        "{} bytes of flash with the models and the requests, {} of statics, {} of stack",
        memory::flash(),
        memory::statics(),
        memory::stack()
    );
    host::exit(outcome)
}

#[inline(never)]
fn play(kernel: Kernel, memory: &mut Memory) -> Result<(), Unequal> {
    let (mut answers, mut different) = (0, 0);
    run(kernel, memory, |answered| {
        answers += 1;
        if !answered.is_golden() {
            different += 1;
            hprintln!("line {}: {}\n  {}", answered.line, answered.question, answered.answer);
        }
    })
    .map_err(Unequal::Failure)?;
    if different > 0 {
        return Err(Unequal::Answers { different, answers });
    }
    hprintln!("{}: {} answers, bits equal", kernel.name(), answers);
    Ok(())
}

/// How this target is not like the others.
enum Unequal {
    Failure(Failure),
    Answers { different: u32, answers: u32 },
}

impl Display for Unequal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::Answers { different, answers } => write!(f, "{different} of {answers} answers differ"),
        }
    }
}
