#!/usr/bin/env bash
# Times the engine on another device and compares it with this one.
#
#   benches/device.sh ssh USER@HOST [latency's options]     any Linux that ssh reaches
#   benches/device.sh adb [latency's options]               an Android phone (usb debugging; -s by ANDROID_SERIAL)
#
# Builds `latency` for the device, copies it there with the model files that --model names, runs it, fetches the
# figures, writes DEVICE.json and DEVICE.html, and compares with this machine's figures: those in HOST_JSON, or a run
# made now with the same options. On the device everything is in one directory, which is removed afterwards.
#
#   TARGET      Rust's name of the device's target; otherwise asked of the device
#   OUT         where the figures go (default: latency-results)
#   HOST_JSON   figures of this machine, by `latency --json`
#
# A build for another processor needs its standard library (rustup target add TARGET) and its C linker: on Debian
# gcc-aarch64-linux-gnu and CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc; for Android
# `cargo ndk` (cargo install cargo-ndk, ANDROID_NDK_HOME), which this script uses.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

[ $# -gt 0 ] || usage
way=$1
shift
case $way in
  ssh)
    [ $# -gt 0 ] || usage
    host=$1
    shift
    name=${host#*@}
    on_device() { ssh "$host" "$@"; }
    push() { scp -q "$1" "$host:$2"; }
    pull() { scp -q "$host:$1" "$2"; }
    parent=/tmp
    ;;
  adb)
    name=$(adb shell getprop ro.product.model | tr -d '\r' | tr -cs '[:alnum:]\n' '-')
    on_device() { adb shell "$@"; }
    push() { adb push "$1" "$2" >/dev/null; }
    pull() { adb pull "$1" "$2" >/dev/null; }
    parent=/data/local/tmp # where a phone lets programs run
    ;;
  *) usage ;;
esac

target() {
  local machine
  machine=$(on_device uname -m | tr -d '\r')
  case $way/$machine in
    ssh/x86_64) echo x86_64-unknown-linux-gnu ;;
    ssh/aarch64) echo aarch64-unknown-linux-gnu ;;
    adb/aarch64) echo aarch64-linux-android ;;
    adb/x86_64) echo x86_64-linux-android ;;
    *) echo "device.sh: no target known for '$machine': set TARGET" >&2; exit 1 ;;
  esac
}

build() {
  case $TARGET in
    *-android*) cargo ndk --target "$TARGET" build --release -p tinderbox-benches --bin latency ;;
    *) cargo build --release -p tinderbox-benches --bin latency --target "$TARGET" ;;
  esac
}

TARGET=${TARGET:-$(target)}
OUT=${OUT:-latency-results}
mkdir -p "$OUT"
build
binaries=${CARGO_TARGET_DIR:-target}
place=$parent/tinderbox-latency-$$
on_device mkdir -p "$place"
trap 'on_device rm -rf "$place"' EXIT
push "$binaries/$TARGET/release/latency" "$place/latency"
on_device chmod +x "$place/latency"

# The model files lie in the device's directory, under their own names.
options=()
model_follows=false
for option in "$@"; do
  if $model_follows; then
    push "$option" "$place/$(basename "$option")"
    option=$place/$(basename "$option")
  fi
  [ "$option" = --model ] && model_follows=true || model_follows=false
  options+=("$option")
done
# First requests need files of made models, in a directory that the device lets them be written to.
printf -v words ' %q' "${options[@]}" --json "$place/latency.json"
on_device "TMPDIR=$place $place/latency$words"
pull "$place/latency.json" "$OUT/$name.json"

latency() { cargo run --quiet --release -p tinderbox-benches --bin latency -- "$@"; }
latency show "$OUT/$name.json" --html "$OUT/$name.html" >/dev/null
if [ -z "${HOST_JSON:-}" ]; then
  HOST_JSON=$OUT/this-machine.json
  latency "$@" --json "$HOST_JSON" >/dev/null
fi
latency compare --fastest "$HOST_JSON" "$OUT/$name.json"
echo "page: $OUT/$name.html"
