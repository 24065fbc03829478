//! No accessor panics on a file that opens, and what verifies is sound.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tinderbox_fuzz::open(data));
