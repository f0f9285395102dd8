#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build all fuzz targets and run each: run.sh SECONDS [FOLDER]. FOLDER keeps the build, what was
# learned (corpus) and what crashed (crashes) for the next time; without it a temporary one is
# used, and kept only if something crashed. Needs clang and python3.
seconds=${1:?how many seconds for each target?}
here=$(cd "$(dirname "$0")" && pwd)
folder=${2:-$(mktemp -d)} || exit 1
mkdir -p "$folder/crashes" && folder=$(cd "$folder" && pwd) || exit 1

if [ ! -f "$folder/build/build.ninja" ]; then
    CC=clang meson setup "$folder/build" "$here/../.." -Dfuzz=true >"$folder/setup.log" ||
        { cat "$folder/setup.log"; exit 1; }
fi
failed=0
cd "$folder/crashes" || exit 1
for source in "$here"/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    ninja -C "$folder/build" "tests/fuzz/fuzz-$name" >"$folder/build.log" ||
        { cat "$folder/build.log"; exit 1; }
    "$here/one.sh" "$folder/build/tests/fuzz/fuzz-$name" "$name" "$seconds" \
        "$folder/corpus/$name" || failed=1
done
[ $# -ge 2 ] || [ "$failed" -ne 0 ] || rm -rf "$folder"
exit "$failed"
