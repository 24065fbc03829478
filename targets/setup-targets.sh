#!/usr/bin/env bash
# setup-targets.sh PREFIX [aarch64] [wasm32] [thumbv7em] [riscv32imc] [chromium]
#
# Sets up cross-building and emulated test runs under PREFIX, beside rustup's
# stable toolchain. Nothing is installed: Debian packages are fetched by a
# private apt state inside PREFIX, checked by apt against the archive's
# signatures, and unpacked there. dpkg's database, its architectures and the
# system's own package lists stay as they are. Needs no root.
#
#   aarch64     std for aarch64-unknown-linux-gnu, cross gcc, qemu-user
#   wasm32      core+alloc for wasm32-unknown-unknown, lld (run with Node)
#   thumbv7em   core+alloc for thumbv7em-none-eabihf, lld, qemu-system-arm
#   riscv32imc  core+alloc for riscv32imc-unknown-none-elf, lld, qemu-user
#   chromium    headless browser for the wasm page test (only when named)
# With no target named: all but chromium. Each comes with clippy.
#
# Run it again at any time: what is there (same version) is skipped.
# Environment:
#   CROSS_NEWER=1      take the newest version served instead of a pin
#   CROSS_KEEP_DEBS=1  keep the downloaded packages in PREFIX/debs
#   CROSS_CARGO        cargo to build core with (default: "cargo +stable")
# Exit status: 0 ready, 1 failed (one line says why; details in PREFIX/setup.log), 2 usage.
set -Eeuo pipefail

# ---- pins --------------------------------------------------------------------
# Compiler and every std must be the same Debian build. Served by the security
# suite, which keeps only its newest build: this is the pin that will move.
RUST_V='1.96.0+dfsg1-1~deb12u2'
LLVM_V='1:22.1.8-1~deb12u1'
LLVM_MAJOR=22
# The rest comes from the main suite of Debian 12, whose point releases are over.
QEMU_V='1:7.2+dfsg-7+deb12u18+b3'
CHROMIUM_V='150.0.7871.100-1~deb12u1'
A64_TOOLS=(
  gcc-12-aarch64-linux-gnu=12.2.0-14cross1
  cpp-12-aarch64-linux-gnu=12.2.0-14cross1
  binutils-aarch64-linux-gnu=2.40-2
  libgcc-12-dev-arm64-cross=12.2.0-14cross1
  libgcc-s1-arm64-cross=12.2.0-14cross1
  libc6-arm64-cross=2.36-8cross1
  libc6-dev-arm64-cross=2.36-8cross1
  linux-libc-dev-arm64-cross=6.1.4-1cross1
)
# Shared libraries that an unpacked program may miss here: soname -> package.
# Only those that ldd reports as not found are fetched.
declare -A LIB_OF=(
  [libfdt.so.1]=libfdt1=1.6.1-4+b1              [libcapstone.so.4]=libcapstone4=4.0.2-5
  [libpmem.so.1]=libpmem1=1.12.1-2              [librdmacm.so.1]=librdmacm1=44.0-2
  [libibverbs.so.1]=libibverbs1=44.0-2          [libslirp.so.0]=libslirp0=4.7.0-1
  [libvdeplug.so.2]=libvdeplug2=4.0.1-4         [libndctl.so.6]=libndctl6=76.1-1
  [libdaxctl.so.1]=libdaxctl1=76.1-1            [libnl-3.so.200]=libnl-3-200=3.7.0-0.2+b1
  [libnl-route-3.so.200]=libnl-route-3-200=3.7.0-0.2+b1
  [liburing.so.2]=liburing2=2.3-3               [libnuma.so.1]=libnuma1=2.0.16-1
  [libbpf.so.1]=libbpf1=1:1.1.2-0+deb12u1       [libfuse3.so.3]=libfuse3-3=3.14.0-4
  [libaio.so.1]=libaio1=0.3.113-4               [libpixman-1.so.0]=libpixman-1-0=0.42.2-1
  [libopenh264.so.7]=libopenh264-7=2.3.1+dfsg-3+deb12u2
  [libdouble-conversion.so.3]=libdouble-conversion3=3.2.1-1
  [libharfbuzz-subset.so.0]=libharfbuzz-subset0=6.0.0+dfsg-3
  [libpulse.so.0]=libpulse0=16.1+dfsg1-2+b1     [libasyncns.so.0]=libasyncns0=0.8-6+b3
  [libFLAC.so.12]=libflac12=1.4.2+ds-2          [libopus.so.0]=libopus0=1.3.1-3
  [libXNVCtrl.so.0]=libxnvctrl0=525.85.05-3~deb12u1
  [libminizip.so.1]=libminizip1=1.1-8+deb12u1   [libopenjp2.so.7]=libopenjp2-7=2.5.0-2+deb12u3
  [libogg.so.0]=libogg0=1.3.5-3                 [libsndfile.so.1]=libsndfile1=1.2.0-1+deb12u1
  [libvorbis.so.0]=libvorbis0a=1.3.7-1          [libvorbisenc.so.2]=libvorbisenc2=1.3.7-1
  [libmpg123.so.0]=libmpg123-0=1.31.2-1+deb12u1 [libmp3lame.so.0]=libmp3lame0=3.100-6
)
BARE_FLAGS='-C embed-bitcode=yes'   # lets dependants use LTO
# ------------------------------------------------------------------------------

T_START=$(date +%s)
say()  { printf 'setup-targets [%3ds] %s\n' "$(( $(date +%s) - T_START ))" "$*"; }
die()  { printf 'setup-targets: FAILED: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

[ $# -ge 1 ] || usage
case $1 in -h|--help|-*|'') usage ;; esac
PREFIX=$1; shift
WANT=()
for t in "$@"; do
  case $t in
    aarch64|wasm32|thumbv7em|riscv32imc|chromium) WANT+=("$t") ;;
    *) printf 'setup-targets: unknown target "%s"\n' "$t" >&2; usage ;;
  esac
done
[ ${#WANT[@]} -gt 0 ] || WANT=(aarch64 wasm32 thumbv7em riscv32imc)

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "needs a Linux x86-64 host"
for c in apt-get apt-cache dpkg tar flock ldd; do
  command -v "$c" >/dev/null || die "needs $c on PATH"
done
[ "$(. /etc/os-release; echo "${VERSION_ID:-}")" = 12 ] || die "pins are for Debian 12, this is something else"

umask 022
mkdir -p "$PREFIX" || die "cannot create $PREFIX"
PREFIX=$(cd "$PREFIX" && pwd -P)
case $PREFIX in *[[:space:]:\']*) die "PREFIX must not contain spaces, colons or quotes" ;; esac
STAMP=$PREFIX/stamp; LOG=$PREFIX/setup.log; APT=$PREFIX/apt; DEBS=$PREFIX/debs
BIN=$PREFIX/bin; RUST=$PREFIX/rust/usr; A64=$PREFIX/aarch64; HOST=$PREFIX/host
mkdir -p "$STAMP" "$BIN"; [ -z "${CROSS_KEEP_DEBS:-}" ] || mkdir -p "$DEBS"
exec 9>"$PREFIX/.lock"
flock -n 9 || { say "another setup is using $PREFIX, waiting"; flock 9; }
: >"$LOG"

STEP='start'
on_err() {
  local rc=$1
  [ "$BASH_SUBSHELL" = 0 ] || exit "$rc"   # the shell that waits for this one reports it
  printf 'setup-targets: FAILED in step "%s" (status %s); last lines of %s:\n' "$STEP" "$rc" "$LOG" >&2
  tail -n 12 "$LOG" >&2 || true
  exit 1
}
trap 'on_err $?' ERR
rm -rf "$PREFIX"/tmp.*   # of a run that was killed; the lock is ours
TMP=$(mktemp -d "$PREFIX/tmp.XXXXXX")
trap 'rm -rf "$TMP"' EXIT

has_stamp() { [ "$(cat "$STAMP/$1" 2>/dev/null)" = "$2" ]; }
put_stamp() { printf '%s\n' "$2" >"$STAMP/$1.new"; mv "$STAMP/$1.new" "$STAMP/$1"; }

# ---- private apt ---------------------------------------------------------------
mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
: >"$APT/status"
apt_opts() {
  local archs='"amd64";'   # arm64's index is read only for the target that needs it
  case " ${WANT[*]} " in *' aarch64 '*) archs='"amd64"; "arm64";' ;; esac
  cat >"$APT/apt.conf" <<CONF
Dir::State "$APT"; Dir::State::Lists "$APT/lists"; Dir::State::status "$APT/status";
Dir::Cache "$APT/cache";
APT::Architecture "amd64"; APT::Architectures { $archs };
APT::Sandbox::User "$(id -un)"; APT::Get::Assume-Yes "true";
Acquire::Languages "none"; Acquire::Retries "3"; Acquire::GzipIndexes "true";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
CONF
}
apt_opts
# -c is read after the system's own configuration, so it wins.
aptget()   { apt-get   -c "$APT/apt.conf" "$@"; }
aptcache() { apt-cache -c "$APT/apt.conf" "$@"; }
LISTS_FRESH=''
refresh_lists() {
  [ -z "$LISTS_FRESH" ] || return 0
  STEP='read package lists'; say "reading package lists into $APT"
  local i
  for i in 1 2 3; do
    if aptget update -qq >>"$LOG" 2>&1; then LISTS_FRESH=1; return 0; fi
    [ "$i" = 3 ] || sleep $(( i * 5 ))
  done
  # A broken index of a suite that we do not use need not stop us: the download decides.
  say "warning: apt-get update reported errors (see $LOG), trying the downloads all the same"
  LISTS_FRESH=1
}

# need NAME[:arch]=VERSION DEST [tar path ...] : queue a package
QUEUE=(); declare -A Q_DEST=() Q_PATHS=()
need() {
  local spec=$1 dest=$2; shift 2
  local name=${spec%%=*} ver=${spec#*=}
  if has_stamp "$name" "$ver"; then return 0; fi
  if [ -n "${CROSS_NEWER:-}" ] && [ -s "$STAMP/$name" ]; then return 0; fi
  [ -z "${Q_DEST[$name]:-}" ] || return 0
  QUEUE+=("$spec"); Q_DEST[$name]=$dest; Q_PATHS[$name]=$*
}
newest() { # NAME[:arch] -> newest version served
  aptcache madison "$1" | awk -F'|' 'NR==1{gsub(/ /,"",$2); print $2}'
}
fetch() {
  [ ${#QUEUE[@]} -gt 0 ] || return 0
  refresh_lists
  local spec name ver list=() deb paths bytes
  for spec in "${QUEUE[@]}"; do
    name=${spec%%=*}; ver=${spec#*=}
    if [ -n "${CROSS_NEWER:-}" ]; then
      ver=$(newest "$name"); [ -n "$ver" ] || die "package $name is not served here"
      spec=$name=$ver
    fi
    list+=("$spec")
  done
  STEP="download ${#list[@]} packages"
  rm -rf "$TMP/d"; mkdir "$TMP/d"
  if ! (cd "$TMP/d" && aptget download -qq "${list[@]}") >"$TMP/dl.log" 2>&1; then
    cat "$TMP/dl.log" >>"$LOG"
    local gone; gone=$(sed -n "s/^E: Version '\(.*\)' for '\(.*\)' was not found.*/\2=\1/p; s/^E: Unable to locate package \(.*\)/\1/p" "$TMP/dl.log" | head -n 1)
    if [ -n "$gone" ]; then
      local n=${gone%%=*} now
      now=$(newest "${gone%%=*}" || true)
      [ -n "$now" ] || die "package $n is in none of the package lists that could be read (no network? see $LOG)"
      die "pin $gone is no longer served (now: $now); update the pin, or rerun with CROSS_NEWER=1"
    fi
    die "download failed: $(grep -m1 '^E:' "$TMP/dl.log" || tail -n 1 "$TMP/dl.log")"
  fi
  bytes=$(du -cb "$TMP/d"/*.deb | awk 'END{print $1}')
  DOWNLOADED=$(( ${DOWNLOADED:-0} + bytes ))
  say "fetched ${#list[@]} packages, $(( (bytes + 524288) / 1048576 )) MB"
  for spec in "${list[@]}"; do
    name=${spec%%=*}; ver=${spec#*=}
    STEP="unpack $name"
    deb=$(find "$TMP/d" -name "${name%%:*}_*_$(case $name in *:*) echo "${name##*:}" ;; *) echo '*' ;; esac).deb")
    # name and name:arch may both be there: keep the one of the wanted architecture
    case $name in *:*) ;; *) deb=$(printf '%s\n' "$deb" | grep -E '_(amd64|all)\.deb$') ;; esac
    [ -f "$deb" ] || die "downloaded file for $name not found"
    mkdir -p "${Q_DEST[$name]}"
    paths=${Q_PATHS[$name]}
    # shellcheck disable=SC2086  # paths is a list of words on purpose
    dpkg --fsys-tarfile "$deb" | tar -x -C "${Q_DEST[$name]}" --no-same-owner \
      --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
      --exclude='./usr/share/lintian' --exclude='*lto-dump*' --exclude='*/lto1' $paths 2>>"$LOG"
    put_stamp "$name" "$ver"
    if [ -n "${CROSS_KEEP_DEBS:-}" ]; then mv "$deb" "$DEBS/"; else rm -f "$deb"; fi
  done
  QUEUE=(); Q_DEST=(); Q_PATHS=()
}

HOSTLIBS=$HOST/usr/lib/x86_64-linux-gnu:$HOST/lib/x86_64-linux-gnu:$HOST/usr/lib/x86_64-linux-gnu/pulseaudio
# complete_libs PROGRAM : fetch the packages of the libraries it misses
complete_libs() {
  local so missing
  for _ in 1 2 3 4 5; do
    STEP="libraries of ${1##*/}"
    missing=$(LD_LIBRARY_PATH=$HOSTLIBS ldd "$1" 2>>"$LOG" | awk '/not found/{print $1}' | sort -u)
    [ -n "$missing" ] || return 0
    for so in $missing; do
      [ -n "${LIB_OF[$so]:-}" ] || die "${1##*/} needs $so, for which no package is listed"
      rm -f "$STAMP/${LIB_OF[$so]%%=*}"       # stamped but not loadable: unpack again
      need "${LIB_OF[$so]}" "$HOST"
    done
    fetch
  done
  die "${1##*/} still misses: $missing"
}
wrapper() { # NAME ; body on stdin
  { echo '#!/bin/sh'; cat; } >"$BIN/$1.new"; chmod 755 "$BIN/$1.new"; mv "$BIN/$1.new" "$BIN/$1"
}

# ---- the compiler ----------------------------------------------------------------
# shellcheck disable=SC2206  # words on purpose
CARGO=(${CROSS_CARGO:-cargo +stable})
"${CARGO[@]}" --version >>"$LOG" 2>&1 || die "'${CARGO[*]}' does not run: rustup's stable toolchain is needed"

setup_rust() {
  if [ -n "${CROSS_NEWER:-}" ] && ! [ -s "$STAMP/rustc-web" ]; then
    refresh_lists
    RUST_V=$(newest rustc-web); [ -n "$RUST_V" ] || die "rustc-web is not served here"
  elif [ -n "${CROSS_NEWER:-}" ]; then RUST_V=$(cat "$STAMP/rustc-web")
  fi
  RUST_REL=${RUST_V%%+*}; RUST_MINOR=${RUST_REL%.*}
  if [ -s "$STAMP/rustc-web" ] && ! has_stamp rustc-web "$RUST_V"; then
    say "compiler pin moved from $(cat "$STAMP/rustc-web") to $RUST_V: replacing the old sysroot"
    rm -rf "$PREFIX/rust" "$STAMP"/{rust*,libstd*,libllvm*,lld*,llvm-major,core-*,ready-*}
  fi
  if [ -n "${CROSS_NEWER:-}" ] && ! [ -s "$STAMP/llvm-major" ]; then
    refresh_lists
    LLVM_MAJOR=$(aptcache show "libstd-rust-web-$RUST_MINOR=$RUST_V" | sed -n 's/^Depends:.*libllvm\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$LLVM_MAJOR" ] || die "cannot tell which LLVM rustc-web $RUST_V needs"
  elif [ -n "${CROSS_NEWER:-}" ]; then LLVM_MAJOR=$(cat "$STAMP/llvm-major")
  fi
  need "rustc-web=$RUST_V" "$PREFIX/rust"
  need "libstd-rust-web-$RUST_MINOR=$RUST_V" "$PREFIX/rust"
  need "libstd-rust-web-dev=$RUST_V" "$PREFIX/rust"
  need "libllvm$LLVM_MAJOR=$LLVM_V" "$PREFIX/rust"
  need "rust-web-clippy=$RUST_V" "$PREFIX/rust"
}
finish_rust() {
  local b
  put_stamp llvm-major "$LLVM_MAJOR"
  for b in rustc rustdoc cargo-clippy clippy-driver; do
    wrapper $b <<W
LD_LIBRARY_PATH=$RUST/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $RUST/bin/$b "\$@"
W
  done
  STEP='run rustc'
  local v; v=$("$BIN/rustc" --version 2>>"$LOG")
  case $v in "rustc $RUST_REL"*) ;; *) die "unexpected compiler: '$v', wanted $RUST_REL" ;; esac
  say "compiler ready: $v"
}

# ---- core+alloc for the targets without a packaged std ---------------------------
need_bare() {
  need "rust-web-src=$RUST_V" "$PREFIX/rust" "./usr/src/rustc-$RUST_REL/library" ./usr/lib/rustlib/src
  need "lld-$LLVM_MAJOR=$LLVM_V" "$PREFIX/rust"
}
finish_lld() {
  local d=$RUST/lib/rustlib/x86_64-unknown-linux-gnu/bin
  rm -f "$d/rust-lld"; mkdir -p "$d"
  { echo '#!/bin/sh'
    echo "LD_LIBRARY_PATH=$RUST/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $RUST/lib/llvm-$LLVM_MAJOR/bin/lld \"\$@\""
  } >"$d/rust-lld"; chmod 755 "$d/rust-lld"
  STEP='run rust-lld'; "$d/rust-lld" -flavor gnu --version >>"$LOG" 2>&1
}
bare_core() { # TRIPLE NAME
  local t=$1 lib=$RUST/lib/rustlib/$1/lib key="$RUST_V $BARE_FLAGS"
  # one that never passed its smoke test is built again
  if has_stamp "core-$t" "$key" && has_stamp "ready-$2" "$RUST_V" && [ -n "$(ls "$lib"/libcore-*.rlib 2>/dev/null)" ]; then
    say "core+alloc for $t: already there"; return 0
  fi
  STEP="build core+alloc for $t"; say "building core+alloc for $t (about half a minute of CPU)"
  local s=$TMP/s-$t; mkdir -p "$s/src"
  echo '#![no_std]' >"$s/src/lib.rs"
  printf '%s\n' '[package]' 'name = "sysroot"' 'version = "0.0.0"' 'edition = "2021"' \
    '[profile.release]' 'panic = "abort"' 'opt-level = 3' 'debug = false' '[workspace]' >"$s/Cargo.toml"
  # The packaged source carries its dependencies: no registry is asked. (Debian's 1.85 does not.)
  local vendor=$RUST/src/rustc-$RUST_REL/library/vendor offline=()
  if [ -d "$vendor" ]; then
    offline=(--offline); mkdir -p "$s/.cargo"
    printf '%s\n' '[source.crates-io]' 'replace-with = "vendored"' '[source.vendored]' "directory = \"$vendor\"" >"$s/.cargo/config.toml"
  fi
  # A clean environment: the caller's flags, wrappers and targets must not leak into the sysroot.
  ( cd "$s"
    unset CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_TARGET_DIR RUSTUP_TOOLCHAIN
    export RUSTC=$BIN/rustc RUSTC_BOOTSTRAP=1
    export RUSTFLAGS="$BARE_FLAGS --remap-path-prefix=$RUST/src/rustc-$RUST_REL=/rustc/$RUST_REL"
    "${CARGO[@]}" build --release ${offline[@]+"${offline[@]}"} -Zbuild-std=core,alloc --target "$t" --target-dir "$s/t"
  ) >>"$LOG" 2>&1
  rm -rf "$lib.new"; mkdir -p "$lib.new"
  cp "$s/t/$t/release/deps/"lib*.rlib "$lib.new/"; rm -f "$lib.new"/libsysroot-*.rlib
  rm -rf "$lib"; mv "$lib.new" "$lib"; rm -rf "$s"
  put_stamp "core-$t" "$key"
}

need_qemu_user() {
  [ -x "$HOST/usr/bin/qemu-aarch64-static" ] && [ -x "$HOST/usr/bin/qemu-riscv32-static" ] || rm -f "$STAMP/qemu-user-static"
  need "qemu-user-static=$QEMU_V" "$HOST" ./usr/bin/qemu-aarch64-static ./usr/bin/qemu-riscv32-static
}

# ---- per target --------------------------------------------------------------------
setup_aarch64() {
  local p
  need "libstd-rust-web-dev:arm64=$RUST_V" "$PREFIX/rust" ./usr/lib/rustlib/aarch64-unknown-linux-gnu
  for p in "${A64_TOOLS[@]}"; do need "$p" "$A64"; done
  need_qemu_user
}
finish_aarch64() {
  STEP='aarch64 smoke test'
  wrapper aarch64-gcc <<W
LD_LIBRARY_PATH=$A64/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $A64/usr/bin/aarch64-linux-gnu-gcc-12 --sysroot=$A64 "\$@"
W
  wrapper aarch64-run <<W
exec $HOST/usr/bin/qemu-aarch64-static -cpu "\${CROSS_QEMU_CPU:-max}" -L $A64/usr/aarch64-linux-gnu "\$@"
W
  if has_stamp ready-aarch64 "$RUST_V"; then return 0; fi
  printf 'fn main() { println!("{}", std::env::consts::ARCH); }\n' >"$TMP/a.rs"
  "$BIN/rustc" --edition 2021 --target aarch64-unknown-linux-gnu -C linker="$BIN/aarch64-gcc" -o "$TMP/a" "$TMP/a.rs" >>"$LOG" 2>&1
  [ "$("$BIN/aarch64-run" "$TMP/a" 2>>"$LOG")" = aarch64 ] || die "aarch64 smoke test printed something else"
  put_stamp ready-aarch64 "$RUST_V"
}
setup_wasm32() { need_bare; }
finish_wasm32() {
  finish_lld; bare_core wasm32-unknown-unknown wasm32
  STEP='wasm32 smoke test'
  if has_stamp ready-wasm32 "$RUST_V"; then return 0; fi
  printf '%s\n' '#![no_std]' '#[panic_handler] fn p(_: &core::panic::PanicInfo) -> ! { loop {} }' \
    '#[no_mangle] pub extern "C" fn f(n: u32) -> u32 { (0..n).fold(7, |a, b| a * 3 + b) }' >"$TMP/w.rs"
  "$BIN/rustc" --edition 2021 --target wasm32-unknown-unknown -O -C panic=abort -C target-feature=+simd128 \
    --crate-type cdylib -o "$TMP/w.wasm" "$TMP/w.rs" >>"$LOG" 2>&1
  if command -v node >/dev/null; then
    node -e 'WebAssembly.instantiate(require("fs").readFileSync(process.argv[1])).then(m=>process.exit(m.instance.exports.f(3)===194?0:1))' "$TMP/w.wasm" >>"$LOG" 2>&1 \
      || die "wasm32 smoke test gave a wrong result in Node"
  else say "note: no node on PATH, wasm32 smoke test only linked"; fi
  put_stamp ready-wasm32 "$RUST_V"
}
setup_thumbv7em() {
  need_bare
  need "qemu-system-arm=$QEMU_V" "$HOST" ./usr/bin/qemu-system-arm
}
finish_thumbv7em() {
  finish_lld; bare_core thumbv7em-none-eabihf thumbv7em
  complete_libs "$HOST/usr/bin/qemu-system-arm"
  STEP='thumbv7em smoke test'
  wrapper qemu-system-arm <<W
LD_LIBRARY_PATH=$HOSTLIBS exec $HOST/usr/bin/qemu-system-arm "\$@"
W
  wrapper thumbv7em-run <<W
# runs one ELF image on an emulated Cortex-M4 board; exit status comes from semihosting.
# -icount: SysTick then counts instructions, repeatably.
exec $BIN/qemu-system-arm -machine "\${CROSS_QEMU_MACHINE:-mps2-an386}" -nographic -monitor none -serial none \\
  -semihosting-config enable=on,target=native -icount "\${CROSS_QEMU_ICOUNT:-shift=6,align=off,sleep=off}" -kernel "\$1"
W
  if has_stamp ready-thumbv7em "$RUST_V"; then return 0; fi
  "$BIN/qemu-system-arm" -machine help >"$TMP/machines" 2>>"$LOG"
  grep -q '^mps2-an386 ' "$TMP/machines" || die "qemu-system-arm has no mps2-an386 board"
  # smallest firmware: vector table and a semihosting exit (SYS_EXIT, 'application exit')
  cat >"$TMP/t.rs" <<'RS'
#![no_std]
#![no_main]
#[panic_handler] fn p(_: &core::panic::PanicInfo) -> ! { loop {} }
core::arch::global_asm!(".section .vectors,\"a\"", ".word 0x20010000", ".word start", ".text", ".p2align 2",
  ".global start", ".type start,%function", ".thumb_func", "start:",
  "movs r0, #0x18", "movw r1, #0x26", "movt r1, #2", "bkpt 0xab", "b start");
RS
  printf 'ENTRY(start) SECTIONS { .vectors 0 : { KEEP(*(.vectors)) } .text : { *(.text*) } /DISCARD/ : { *(.ARM.*) } }\n' >"$TMP/t.x"
  "$BIN/rustc" --edition 2021 --target thumbv7em-none-eabihf -C panic=abort -C link-arg=-T"$TMP/t.x" -o "$TMP/t.elf" "$TMP/t.rs" >>"$LOG" 2>&1
  timeout 60 "$BIN/thumbv7em-run" "$TMP/t.elf" >>"$LOG" 2>&1 || die "thumbv7em smoke firmware did not exit 0"
  put_stamp ready-thumbv7em "$RUST_V"
}
setup_riscv32imc() { need_bare; need_qemu_user; }
finish_riscv32imc() {
  finish_lld; bare_core riscv32imc-unknown-none-elf riscv32imc
  STEP='riscv32imc smoke test'
  wrapper riscv32imc-run <<W
exec $HOST/usr/bin/qemu-riscv32-static "\$@"
W
  if has_stamp ready-riscv32imc "$RUST_V"; then return 0; fi
  # smallest program: Linux's exit, which qemu-user serves to bare-metal code as well
  printf '%s\n' '#![no_std]' '#![no_main]' '#[panic_handler] fn p(_: &core::panic::PanicInfo) -> ! { loop {} }' \
    'core::arch::global_asm!(".global _start", "_start: li a0, 0", "li a7, 93", "ecall");' >"$TMP/r.rs"
  "$BIN/rustc" --edition 2021 --target riscv32imc-unknown-none-elf -C panic=abort -o "$TMP/r.elf" "$TMP/r.rs" >>"$LOG" 2>&1
  timeout 60 "$BIN/riscv32imc-run" "$TMP/r.elf" >>"$LOG" 2>&1 || die "riscv32imc smoke program did not exit 0"
  put_stamp ready-riscv32imc "$RUST_V"
}
setup_chromium() {
  need "chromium=$CHROMIUM_V" "$HOST" ./usr/lib/chromium
  need "chromium-common=$CHROMIUM_V" "$HOST" ./usr/lib/chromium
}
finish_chromium() {
  complete_libs "$HOST/usr/lib/chromium/chromium"
  wrapper chromium <<W
LD_LIBRARY_PATH=$HOST/usr/lib/chromium:$HOSTLIBS exec $HOST/usr/lib/chromium/chromium "\$@"
W
  STEP='run chromium'
  local v; v=$("$BIN/chromium" --version 2>>"$LOG"); say "browser ready: $v"
}

setup_rust
for t in "${WANT[@]}"; do "setup_$t"; done
fetch
finish_rust
for t in "${WANT[@]}"; do say "target $t"; "finish_$t"; say "target $t: ready"; done
rm -rf "$APT"   # 40 MB of lists, read again when something is to be fetched
STEP='done'
say "all ready in $PREFIX (downloaded $(( ${DOWNLOADED:-0} / 1048576 )) MB of packages, $(du -sm "$PREFIX" | cut -f1) MB on disk): ${WANT[*]}"
