//! What is written is read back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tinderbox_fuzz::round_trip(data));
