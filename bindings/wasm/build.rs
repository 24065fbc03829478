//! Asks the linker for a stack of the size that the engine needs, in place of the usual megabyte.

/// Ranking keeps the most at once: under `matching` four floats for each of the 512 items that are scored together, 8 KB.
/// The rest is for its callers and for messages.
const STACK: u32 = 64 << 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
