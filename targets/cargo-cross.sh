#!/usr/bin/env bash
# cargo-cross.sh TARGET CARGO-ARGS...   run cargo for a target that setup-targets.sh made
# cargo-cross.sh TARGET env             print the environment as export lines
#
#   cargo-cross.sh aarch64 test -p tinderbox          under qemu-user, CROSS_QEMU_CPU=max
#   CROSS_QEMU_CPU=cortex-a53 cargo-cross.sh aarch64 test -p tinderbox
#   cargo-cross.sh wasm32 build --release --manifest-path targets/Cargo.toml -p tinderbox-golden-wasm
#   cargo-cross.sh thumbv7em run --release --bin golden   in targets/firmware; exit status by semihosting
#   cargo-cross.sh riscv32imc clippy -p tinderbox --no-default-features
#
# CROSS_PREFIX  where setup-targets.sh put things (default: $HOME/.cache/tinderbox-targets)
# CROSS_CARGO   default "cargo +stable"
# CROSS_SIMD=0  wasm32 without simd128
# CARGO_TARGET_DIR defaults to target/cross, so that the usual target directory keeps rustup's builds.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
P=${CROSS_PREFIX:-$HOME/.cache/tinderbox-targets}
name=$1; shift
case $name in
  aarch64)   triple=aarch64-unknown-linux-gnu; flags='' ;;
  wasm32)    triple=wasm32-unknown-unknown;    flags='-C target-feature=+simd128'
             [ "${CROSS_SIMD:-1}" != 0 ] || flags='' ;;
  thumbv7em) triple=thumbv7em-none-eabihf;     flags='' ;;
  riscv32imc) triple=riscv32imc-unknown-none-elf; flags='' ;;
  *) echo "cargo-cross: unknown target '$name' (aarch64, wasm32, thumbv7em, riscv32imc)" >&2; exit 2 ;;
esac
[ -s "$P/stamp/ready-$name" ] || { echo "cargo-cross: $name is not set up in $P; run: setup-targets.sh $P $name" >&2; exit 1; }
up=$(printf %s "$triple" | tr 'a-z-' 'A-Z_')
vars=(
  "RUSTC=$P/bin/rustc" "RUSTDOC=$P/bin/rustdoc"
  "PATH=$P/bin:$PATH" # cargo-clippy of the same build
  "CARGO_BUILD_TARGET=$triple"
  "CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/cross}"
)
# RUSTFLAGS, when set, makes cargo ignore the per-target variable: extend whichever is in force.
if [ -n "${RUSTFLAGS:-}" ]; then vars+=("RUSTFLAGS=$RUSTFLAGS${flags:+ $flags}")
elif [ -n "$flags" ]; then vars+=("CARGO_TARGET_${up}_RUSTFLAGS=$flags")
fi
case $name in
  aarch64) vars+=("CARGO_TARGET_${up}_LINKER=$P/bin/aarch64-gcc" "CARGO_TARGET_${up}_RUNNER=$P/bin/aarch64-run"
                  "CC_aarch64_unknown_linux_gnu=$P/bin/aarch64-gcc") ;;
  thumbv7em|riscv32imc) vars+=("CARGO_TARGET_${up}_RUNNER=$P/bin/$name-run") ;;
esac
if [ "$1" = env ]; then for v in "${vars[@]}"; do printf 'export %s=%q\n' "${v%%=*}" "${v#*=}"; done; exit 0; fi
# shellcheck disable=SC2206  # words on purpose
cargo=(${CROSS_CARGO:-cargo +stable})
exec env "${vars[@]}" "${cargo[@]}" "$@"
