#!/usr/bin/env bash
# ci.sh JOB...   one way to check, by hand and in CI
#
#   data         fetch MovieLens 100K, which the tests want (to ./ml-100k; 2 MB)
#   fmt          formatting
#   lint         clippy, warnings are errors
#   test         all tests of the workspace
#   docs         API docs, warnings are errors
#   no-std       the engine without std and without an allocator, linked into a bare static library
#   wasm         the npm package and the demo page: sizes, golden requests in Node and in Chromium, axe
#   targets      the golden requests on aarch64, wasm32, thumbv7em and riscv32imc, by emulation
#   python       the Python packages: wheels, the size of the engine's, types, tests (Python 3.11, pip)
#   fuzz         every fuzz target for FUZZ_SECONDS (default 60)
#   bench-smoke  every benchmark once, after it has checked its answer
#   peers        the comparison with numpy and faiss, on one small catalogue
#   instructions instructions of fixed requests under callgrind, against benches/instructions.json
#   size         the engine in a stripped C program, against bindings/c/size
#   c-package    the C library by CMake, find_package and pkg-config
#   jni          the golden requests through JNI, on this machine's JVM (a JDK must be there)
#   quickstart   the README's first command
#   all          all of them, in this order
set -euo pipefail
cd "$(dirname "$0")"

FUZZ_SECONDS=${FUZZ_SECONDS:-60}
FUZZ_TARGETS=(open session c kernel round_trip)

# By the binary that the tests need anyway: another selection of packages would build the dependencies anew.
data() {
  cargo test --workspace --all-features --no-run
  "${CARGO_TARGET_DIR:-target}/debug/trainer" fetch ml-100k
}

fmt() {
  cargo fmt --all --check
  cargo fmt --manifest-path fuzz/Cargo.toml --check
  cargo fmt --manifest-path targets/Cargo.toml --all --check
}

lint() {
  cargo clippy --workspace --all-targets --all-features -- -D warnings
  cargo clippy -p tinderbox-format -p tinderbox --no-default-features -- -D warnings
  cargo clippy -p tinderbox-c --no-default-features --profile small -- -D warnings
  cargo clippy --manifest-path fuzz/Cargo.toml --all-targets --features libfuzzer -- -D warnings
}

test() {
  data
  cargo test --workspace --all-features
}

docs() { RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features; }

# A static library with a panic handler of its own: linking std or alloc anywhere below would clash with it.
no_std() { RUSTFLAGS='-C panic=abort' cargo build -p tinderbox --no-default-features --release --example bare; }

wasm() { bindings/wasm/check.sh; }

targets() { targets/run.sh; }

WHEEL_LIMIT=1000000 # bytes of the engine's wheel

python() {
  local sources=$PWD/bindings/python here=${CARGO_TARGET_DIR:-$PWD/target}/python
  rm -rf "$here/wheels"
  python3 -m venv "$here"
  PATH=$here/bin:$PATH
  pip install --quiet --upgrade pip
  pip install --quiet --group "$sources/pyproject.toml:test"
  ruff format --check "$sources"
  ruff check "$sources"
  maturin build --quiet --release --manifest-path "$sources/Cargo.toml" --out "$here/wheels"
  (cd "$sources/trainer" && maturin build --quiet --release --out "$here/wheels")
  wc -c "$here"/wheels/*.whl
  [ "$(cat "$here"/wheels/tinderbox-*.whl | wc -c)" -lt "$WHEEL_LIMIT" ]
  pip install --quiet --force-reinstall --no-deps "$here"/wheels/*.whl
  (cd "$here" && python3 -m mypy.stubtest tinderbox && python3 -m mypy --strict "$sources/trainer/python")
  (cd "$sources" && pytest)
  (cd "$sources/trainer" && pytest)
}

fuzz() {
  if cargo +nightly --version >/dev/null 2>&1 && { cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet cargo-fuzz --locked; }; then
    echo "fuzz: libFuzzer, on $(rustc +nightly --version), $FUZZ_SECONDS s a target"
    cargo +nightly fuzz build --features libfuzzer
    for target in "${FUZZ_TARGETS[@]}"; do
      mkdir -p "fuzz/target/found/$target" # new inputs go there, not into the committed corpus
      cargo +nightly fuzz run "$target" --features libfuzzer "fuzz/target/found/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$FUZZ_SECONDS" -print_final_stats=1 2>&1 | grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)'
    done
  else
    echo "fuzz: no nightly compiler or no cargo-fuzz: seeded mutations of the corpus on stable, $FUZZ_SECONDS s a target"
    cargo run --release --manifest-path fuzz/Cargo.toml --bin stable -- "$FUZZ_SECONDS"
  fi
}

# In the tests' profile, whose dependencies are there: to optimise every benchmark takes minutes.
bench_smoke() { cargo test -p tinderbox-benches --benches -- --test; }

# That the comparison runs and its answers agree: of the peers, the two that install within seconds.
peers() {
  local here=${CARGO_TARGET_DIR:-target}
  python3 -m venv "$here/peers"
  "$here/peers/bin/pip" install --quiet $(grep -E '^(numpy|faiss-cpu)=' benches/peers/requirements.txt)
  "$here/peers/bin/python" benches/peers/peers.py --quick --target "$(realpath -m "$here")"
}

instructions() { cargo run --release -p tinderbox-benches --bin instructions; }

# What a program grows by is its code and data; the file itself comes in pages. TINDERBOX_BLESS=1 accepts the size.
size() {
  cargo build -p tinderbox-c --no-default-features --profile small
  local library=${CARGO_TARGET_DIR:-target}/small program=${CARGO_TARGET_DIR:-target}/small/recommend recorded=bindings/c/size
  cc -std=c99 -Os bindings/c/examples/recommend.c -I bindings/c/include "$library/libtinderbox_c.a" -Wl,--gc-sections -s -o "$program"
  local bytes file
  bytes=$(command size "$program" | awk 'NR == 2 { print $4 }') file=$(stat -c %s "$program")
  [ -z "${TINDERBOX_BLESS:-}" ] || echo "$bytes" >"$recorded"
  echo "size: code and data $bytes bytes, recorded $(cat "$recorded"); file $file bytes"
  [ "$bytes" -le $(($(cat "$recorded") + 1024)) ]
}

# The C library as CMake, its package and pkg-config bring it into a program: all recommend the same.
c_package() {
  local built flags answer
  built=$(realpath -m "${CARGO_TARGET_DIR:-target}/c-package")
  cmake -S bindings/c -B "$built" -DCMAKE_INSTALL_PREFIX="$built/installed" -DCMAKE_INSTALL_LIBDIR=lib
  cmake --build "$built"
  cmake --install "$built"
  mkdir -p "$built/app"
  cat >"$built/app/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.21)
project(app LANGUAGES C)
find_package(tinderbox REQUIRED)
add_executable(by_package $PWD/bindings/c/examples/recommend.c)
target_link_libraries(by_package PRIVATE tinderbox::tinderbox)
END
  cmake -S "$built/app" -B "$built/app" -DCMAKE_PREFIX_PATH="$built/installed"
  cmake --build "$built/app"
  flags=$(PKG_CONFIG_PATH=$built/installed/lib/pkgconfig pkg-config --cflags --libs tinderbox)
  # shellcheck disable=SC2086 # words apart
  cc -std=c99 bindings/c/examples/recommend.c $flags -o "$built/by_pkg_config"
  answer=$("$built/recommend_c" engine/golden/maml.tbx)
  [ -n "$answer" ]
  for program in recommend_cpp app/by_package by_pkg_config; do
    diff <(echo "$answer") <("$built/$program" engine/golden/maml.tbx)
    echo "c-package: $program recommends the same"
  done
}

jni() { bindings/jni/test.sh; }

quickstart() { cargo run --release -p tinderbox-trainer -- quickstart --dir target/quickstart; }

# What `all` does, in this order.
JOBS=(fmt lint test docs no-std targets wasm python c-package jni fuzz bench-smoke peers instructions size quickstart)

all() {
  for job in "${JOBS[@]}"; do
    echo "== $job"
    "${job//-/_}"
  done
}

[ $# -gt 0 ] || { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
for job in "$@"; do
  case " data all ${JOBS[*]} " in
    *" $job "*) "${job//-/_}" ;;
    *) echo "ci.sh: no job '$job'; run it without arguments for the list" >&2; exit 2 ;;
  esac
done
