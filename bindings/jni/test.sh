#!/usr/bin/env bash
# Compiles the Java classes and the shim, plays the golden requests on this machine's JVM, runs the example.
set -euo pipefail
cd "$(dirname "$0")"
target=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")
out=$target/jni
(cd ../.. && cargo build -p tinderbox-c --no-default-features --profile small)
java_home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
mkdir -p "$out"
cc -std=c99 -O2 -Wall -Wextra -Werror -shared -fPIC tinderbox_jni.c -I ../c/include -I "$java_home/include" \
  -I "$java_home/include/linux" "$target/small/libtinderbox_c.a" -Wl,--gc-sections -o "$out/libtinderbox_jni.so"
javac --release 11 -Xlint:all -Werror -d "$out" java/tinderbox/*.java test/Golden.java examples/Recommend.java
java -Xcheck:jni -Djava.library.path="$out" -cp "$out" tinderbox.Golden ../../engine/golden
java -Djava.library.path="$out" -cp "$out" Recommend ../../engine/golden/maml.tbx '+i000018' '-i000079' | head -3
