//! What there has to be without std, although nothing panics.

#![expect(unsafe_code, reason = "the C library")]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn abort() -> !;
    }
    abort()
}

// What the compiler makes of copies and comparisons: memcpy, memcmp.
#[cfg(unix)]
#[link(name = "c")]
unsafe extern "C" {}
