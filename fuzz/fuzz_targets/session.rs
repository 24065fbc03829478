//! Any calls on any file that opens are answered without a panic, and rightly.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tinderbox_fuzz::session(data));
