#!/usr/bin/env bash
# check.sh   the gate of the package and of the demo page: sizes, types, tests in Node and in Chromium
#
# Wants what build.sh wants, and Chromium: CHROMIUM names the program (default: /usr/bin/chromium).
set -euo pipefail
cd "$(dirname "$0")"

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
[ -x "$CHROMIUM" ] || { echo "check.sh: no Chromium at $CHROMIUM: apt-get install chromium, or name one by CHROMIUM" >&2; exit 1; }
export CHROMIUM

npm ci --no-audit --no-fund --silent

# The modules are checked in, since `trainer demo` carries them: they must be what the sources give.
fresh=$(mktemp -d)
trap 'rm -r "$fresh"' EXIT
./build.sh "$fresh"
if cmp -s js/built-with.txt "$fresh/built-with.txt"; then
  for module in tinderbox tinderbox-simd128; do
    cmp "js/$module.wasm" "$fresh/$module.wasm" || { echo "check.sh: the sources have changed: run build.sh, commit js/" >&2; exit 1; }
  done
else
  echo "check.sh: $(cat js/built-with.txt) built the modules, here is $(cat "$fresh/built-with.txt"): bytes not compared"
fi

npx --no-install tsc --project test
node --test test/
