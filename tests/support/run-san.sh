#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run a test under the sanitizers and fail if any of its processes wrote a report: Criterion takes a
# leak, or an undefined operation that it survives, for a pass.
logs=$(mktemp -d) || exit 1
export ASAN_OPTIONS="log_path=$logs/asan:detect_leaks=1:detect_stack_use_after_return=1"
export UBSAN_OPTIONS="log_path=$logs/ubsan:print_stacktrace=1"
"$@"
status=$?
for log in "$logs"/*; do
    [ -e "$log" ] || continue
    cat "$log" >&2
    status=1
done
rm -rf "$logs"
exit "$status"
