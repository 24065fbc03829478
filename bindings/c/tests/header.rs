//! The header is what cbindgen makes of the sources.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/tinderbox.h");

/// `TINDERBOX_BLESS=1 cargo test -p tinderbox-c` writes it.
#[test]
fn the_header_is_made_from_the_sources() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(directory.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for module in ["status", "memory", "model", "session", "rank", "batch", "new_item"] {
        builder = builder.with_src(directory.join(format!("src/{module}.rs")));
    }
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    if std::env::var_os("TINDERBOX_BLESS").is_some() {
        std::fs::write(HEADER, &made).unwrap();
    }
    let made = String::from_utf8(made).unwrap();
    let found = std::fs::read_to_string(HEADER).unwrap();
    let differs = made.lines().zip(found.lines()).position(|(made, found)| made != found);
    assert!(
        made == found,
        "line {differs:?}: TINDERBOX_BLESS=1 cargo test -p tinderbox-c, and look at the change"
    );
}
