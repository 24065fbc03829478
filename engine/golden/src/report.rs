//! A run in words, for programs that do nothing else.

use core::fmt::Write;

use crate::REQUESTS;
use crate::memory::Memory;
use crate::play::run;
use tinderbox::Kernel;

/// Plays all requests with `kernel` and writes into `out` every answer that is not the golden one, then a verdict.
/// Whether all are golden and none is left out; that tells also where nothing can be written.
pub fn report(kernel: Kernel, memory: &mut Memory, out: &mut impl Write) -> bool {
    let golden = REQUESTS.lines().filter(|line| line.starts_with('=')).count();
    let (mut answers, mut different) = (0, 0);
    let outcome = run(kernel, memory, |answered| {
        answers += 1;
        if !answered.is_golden() {
            different += 1;
            let (line, golden) = (answered.line, answered.golden.unwrap_or("no answer"));
            let _ =
                writeln!(out, "line {line}: {}\n  {}\n  golden {golden}", answered.question, answered.answer);
        }
    });
    let _ = match outcome {
        Ok(()) if different == 0 => {
            writeln!(out, "{}: {answers} of {golden} answers, bits equal", kernel.name())
        }
        Ok(()) => writeln!(out, "{}: {different} of {answers} answers differ", kernel.name()),
        Err(failure) => writeln!(out, "{}: {failure}", kernel.name()),
    };
    outcome.is_ok() && different == 0 && answers == golden
}
