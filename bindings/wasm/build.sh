#!/usr/bin/env bash
# build.sh [DIRECTORY]   build both modules of the package into DIRECTORY (default: js), and hold them against the gates
#
# Wants the wasm32-unknown-unknown target of rustup, and `npm ci` (wasm-opt).
set -euo pipefail
cd "$(dirname "$0")"

# Bytes of each module; GZIP at level 9.
RAW=40960
GZIP=16384

out=$(realpath "${1:-js}")
target=${CARGO_TARGET_DIR:-../../target}

# The linker optimises the whole a second time: only when the panic handler has been inlined is seen that nobody reads the
# messages and the places in the source, which are 1.3 KB of gzip.
module() { # NAME FEATURES
  RUSTFLAGS="-C target-feature=$2 -C linker-plugin-lto" \
    cargo build --package tinderbox-wasm --profile wasm --target wasm32-unknown-unknown --locked
  npx --no-install wasm-opt -Oz --flatten --rereloop -Oz -Oz --converge --strip-producers --strip-target-features \
    --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals --enable-multivalue \
    --enable-reference-types --enable-simd \
    "$target/wasm32-unknown-unknown/wasm/tinderbox_wasm.wasm" -o "$out/$1.wasm"
}

gate() { # NAME
  local raw gzip
  raw=$(wc -c <"$out/$1.wasm")
  gzip=$(gzip -9nc "$out/$1.wasm" | wc -c)
  echo "$1.wasm: $raw bytes, $gzip with gzip"
  [ "$raw" -le $RAW ] && [ "$gzip" -le $GZIP ] || { echo "build.sh: above $RAW, $GZIP" >&2; return 1; }
}

rustc --version >"$out/built-with.txt"
module tinderbox -simd128
module tinderbox-simd128 +simd128
gate tinderbox
gate tinderbox-simd128
