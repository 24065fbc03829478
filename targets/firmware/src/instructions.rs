//! Counts instructions: under an emulator that ties its clock to them (`-icount`), SysTick does.

use core::arch::asm;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// SysTick has 24 bits.
const WRAP: u32 = 1 << 24;
/// Instructions of the loop that tells how many there are to a tick.
const KNOWN: u32 = 200_000;

/// A counter, calibrated.
pub struct Counter {
    ticks_of_known: u32,
}

impl Counter {
    /// Calibrates a counter; `None` if the clock is not tied to instructions.
    pub fn calibrated(mut clock: SYST) -> Option<Self> {
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(WRAP - 1);
        clock.clear_current();
        clock.enable_counter();
        known(); // the clock is steady from the second time on
        let [first, second, third] = [(); 3].map(|()| ticks(known).0);
        let steady = first.abs_diff(second) <= 1 && second.abs_diff(third) <= 1 && third > 0;
        steady.then_some(Self { ticks_of_known: third })
    }

    /// What `work` gives, and how many instructions it took: at most some ten millions.
    pub fn count<Result>(&self, work: impl FnOnce() -> Result) -> (u32, Result) {
        let (ticks, result) = ticks(work);
        (((u64::from(ticks) * u64::from(KNOWN)) / u64::from(self.ticks_of_known)) as u32, result)
    }
}

/// What `work` gives, and how long it took.
fn ticks<Result>(work: impl FnOnce() -> Result) -> (u32, Result) {
    let before = SYST::get_current(); // counts down
    let result = work();
    (before.wrapping_sub(SYST::get_current()) % WRAP, result)
}

/// Takes [`KNOWN`] instructions, two a round.
#[expect(unsafe_code, reason = "only assembly has a known number of instructions")]
fn known() {
    // SAFETY: counts a register of its own down to zero; touches no memory.
    unsafe {
        asm!("2: subs {rounds}, #1", "bne 2b", rounds = inout(reg) KNOWN / 2 => _, options(nostack));
    }
}
