//! Any calls from C, with what a caller can get wrong, are answered or refused, and write nowhere else.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tinderbox_fuzz::c(data));
