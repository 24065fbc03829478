#!/usr/bin/env bash
# build.sh [DIRECTORY]   build both modules of the package into DIRECTORY (default: js), and hold them against the gates
#
# Wants the wasm32-unknown-unknown target of rustup, and `npm ci` (wasm-opt).
set -euo pipefail
cd "$(dirname "$0")"

# Bytes of each module; GZIP at level 9, of which the aim is 16384. What is left to save on: opening files, the adaptation,
# the places in the source that the compiler keeps for panics.
RAW=40960
GZIP=18432

out=$(realpath "${1:-js}")
target=${CARGO_TARGET_DIR:-../../target}
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src

module() { # NAME FEATURES
  RUSTFLAGS="--remap-path-prefix=$registry=registry -C target-feature=$2" \
    cargo build --package tinderbox-wasm --profile wasm --target wasm32-unknown-unknown --locked
  npx --no-install wasm-opt -Oz --converge --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int \
    --enable-mutable-globals --enable-multivalue --enable-reference-types --enable-simd --strip-producers --strip-target-features \
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
