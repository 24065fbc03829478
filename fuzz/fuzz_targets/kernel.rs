//! Every kernel equals `scalar`, bit for bit.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tinderbox_fuzz::kernel(data));
