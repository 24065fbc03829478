#!/usr/bin/env bash
# run.sh [TARGET...]   sets up, checks and runs other targets, by emulation; all of them if none is named
#
#   aarch64     tests of format and engine and the golden requests, on a CPU without dotprod and on one with all
#   wasm32      the golden requests in Node, without and with simd128
#   thumbv7em   the golden requests on Cortex-M4F and M7, and a request's flash, RAM and instructions
#   riscv32imc  the golden requests, on a core without floating point
#
# CROSS_PREFIX  where the tools are kept between runs (default: $HOME/.cache/tinderbox-targets; 0.9 GB)
# An emulator's time says nothing of a device's: none is printed.
set -euo pipefail
cd "$(dirname "$0")/.."

export CROSS_PREFIX=${CROSS_PREFIX:-$HOME/.cache/tinderbox-targets}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/cross # another compiler than rustup's

cross() { targets/cargo-cross.sh "$@"; }

# Warnings are errors, also in kernels that no other target compiles: clippy_bare TARGET PACKAGE.
clippy_bare() {
  cross "$1" clippy -q -p tinderbox-format -p tinderbox --no-default-features -- -D warnings
  cross "$1" clippy -q --release --manifest-path targets/Cargo.toml -p "$2" -- -D warnings
}

# Prints how many tests passed, and everything where one failed.
tests() {
  local log
  log=$(mktemp)
  cross aarch64 test "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
  awk '/^test result: ok/ { passed += $4 } END { print passed " tests passed" }' "$log"
  grep 'bits equal' "$log" || true
  rm "$log"
}

aarch64() {
  cross aarch64 clippy -q -p tinderbox-format -p tinderbox --all-features -- -D warnings
  for cpu in cortex-a53 max; do
    echo "-- aarch64, $cpu"
    export CROSS_QEMU_CPU=$cpu
    tests -p tinderbox-format -p tinderbox --features tinderbox-format/std,tinderbox/std,tinderbox/mmap
    tests -p tinderbox-golden -- --nocapture
  done
}

wasm32() {
  clippy_bare wasm32 tinderbox-golden-wasm
  for simd in 0 1; do
    echo "-- wasm32, $([ $simd = 1 ] && echo simd128 || echo 'without simd128')"
    CROSS_SIMD=$simd cross wasm32 build -q --release --manifest-path targets/Cargo.toml -p tinderbox-golden-wasm
    node targets/wasm/golden.mjs "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/tinderbox_golden_wasm.wasm"
  done
}

thumbv7em() {
  clippy_bare thumbv7em tinderbox-firmware
  for board in 'mps2-an386 Cortex-M4F' 'mps2-an500 Cortex-M7'; do
    echo "-- thumbv7em, ${board#* } (${board% *})"
    for program in golden request; do
      CROSS_QEMU_MACHINE=${board% *} cross thumbv7em run -q --release --manifest-path targets/Cargo.toml -p tinderbox-firmware --bin $program
    done
  done
}

riscv32imc() {
  clippy_bare riscv32imc tinderbox-golden-riscv
  echo '-- riscv32imc'
  cross riscv32imc run -q --release --manifest-path targets/Cargo.toml -p tinderbox-golden-riscv
}

[ $# -gt 0 ] || set -- aarch64 wasm32 thumbv7em riscv32imc
for target in "$@"; do
  case $target in
    aarch64 | wasm32 | thumbv7em | riscv32imc) ;;
    *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
  esac
done
command -v node >/dev/null || { echo "targets: no node on PATH, which runs WebAssembly" >&2; exit 1; }
targets/setup-targets.sh "$CROSS_PREFIX" "$@"
for target in "$@"; do "$target"; done
echo "targets: $* checked in $SECONDS s, set-up included"
