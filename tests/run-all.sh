#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build and run every tier: with gcc, under the sanitizers, and the fuzz targets with clang.
# Warnings are errors here. The last line counts what passed, failed and was skipped, over all.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh

echo '== gcc'
setup_plain
run build-test --no-suite tidy

echo '== gcc, address and undefined behaviour sanitizers'
setup build-san -Dwerror=true -Ddefault_library=shared -Db_sanitize=address,undefined
run build-san --setup san --no-suite tidy --no-suite lint --no-suite bench

echo '== clang, clang-tidy, fuzzing'
CC=clang-14 setup build-clang -Dwerror=true -Dfuzz=true
run build-clang --suite fuzz --suite tidy

python3 tests/support/summary.py build-test build-san build-clang || status=1
exit "$status"
