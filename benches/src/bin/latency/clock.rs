//! Timing single calls.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest call that a histogram tells from longer ones, in nanoseconds: a minute.
const LONGEST: u64 = 60_000_000_000;
/// Digits of a histogram's values.
const DIGITS: u8 = 3;
/// Fewest calls of a slice, however slow they are.
const FEWEST: usize = 5;
/// Calls of nothing that tell what the clock costs.
const EMPTY: usize = 20_000;

/// The clock, and what it costs to read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The median of timing nothing, in nanoseconds.
    pub(crate) overhead: u64,
}

impl Clock {
    /// Times nothing, in the way in which calls are timed.
    pub(crate) fn calibrated() -> Self {
        let (mut histogram, mut nothing) = (histogram(), |at: usize| {
            black_box(at);
        });
        let nothing: &mut dyn FnMut(usize) = &mut nothing;
        for at in 0..EMPTY {
            Self { overhead: 0 }.time(&mut histogram, at, nothing);
        }
        Self { overhead: histogram.value_at_quantile(0.5) }
    }

    /// Times single calls for about this long.
    pub(crate) fn slice(self, histogram: &mut Histogram<u64>, time: Duration, call: &mut dyn FnMut(usize)) {
        let start = Instant::now();
        for at in 0.. {
            self.time(histogram, at, call);
            if at + 1 >= FEWEST && start.elapsed() >= time {
                break;
            }
        }
    }

    fn time(self, histogram: &mut Histogram<u64>, at: usize, call: &mut dyn FnMut(usize)) {
        let start = Instant::now();
        call(at);
        let elapsed = start.elapsed().as_nanos() as u64;
        histogram.saturating_record(elapsed.saturating_sub(self.overhead));
    }
}

/// An empty histogram of nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    // Of these constants, the bounds are ascending and the digits between 0 and 5: all that it asks for.
    Histogram::new_with_bounds(1, LONGEST, DIGITS).unwrap_or_else(|error| unreachable!("{error}"))
}
