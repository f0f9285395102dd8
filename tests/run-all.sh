#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build and run every tier: with gcc, under the sanitizers, and the fuzz targets with clang.
# Warnings are errors here. The last line counts what passed, failed and was skipped, over all.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh

# It takes long, of what time the tests leave: most of those in networks wait.
CC=clang-14 configure build-tidy -Dwerror=true -Dfuzz=true
chrt --idle 0 meson test -C build-tidy --no-rebuild --print-errorlogs --suite tidy \
    >build-tidy/tidy.log 2>&1 &
tidy=$!
trap 'kill "$tidy" 2>/dev/null' EXIT

echo '== gcc'
setup_plain
run build-test --no-suite tidy

echo '== gcc, address and undefined behaviour sanitizers'
setup build-san -Dwerror=true -Ddefault_library=shared -Db_sanitize=address,undefined
run build-san --setup san --no-suite tidy --no-suite lint --no-suite bench

echo '== clang, fuzzing'
CC=clang-14 setup build-clang -Dwerror=true -Dfuzz=true
run build-clang --suite fuzz

echo '== clang-tidy'
wait "$tidy" || status=1
cat build-tidy/tidy.log

python3 tests/support/summary.py build-test build-san build-clang build-tidy || status=1
exit "$status"
