#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run one fuzz target: one.sh EXECUTABLE NAME SECONDS [CORPUS]. It starts from the seeds of
# make-seeds.py and from what an earlier run left in CORPUS. A crash, a hang or too much memory
# fails it; the input that did it stays in the current folder, and its path is the last line.
executable=$1
name=$2
seconds=$3
here=$(dirname "$0")
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
corpus=${4:-$scratch/corpus}
log=$scratch/log

case $name in
    packet4 | packet6 | errqueue | icmpext | match | sctp | tcp) max_len=512 ;;
    report | scenario) max_len=2048 ;;
    record) max_len=8192 ;;
    *) max_len=1024 ;;
esac
set -- -max_total_time="$seconds" -max_len="$max_len" -timeout=5 -rss_limit_mb=1024 \
    -use_value_profile=1 -print_final_stats=1 -artifact_prefix="$PWD/fuzz-$name-"
[ -f "$here/$name.dict" ] && set -- "$@" -dict="$here/$name.dict"

mkdir -p "$corpus"
python3 "$here/make-seeds.py" "$name" "$scratch/seeds" || exit 1
"$executable" "$@" "$corpus" "$scratch/seeds" >"$log" 2>&1
status=$?

execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
cov=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
if [ "$status" -ne 0 ]; then
    grep -v '^#[0-9]' "$log"
    echo "fuzz-$name: FAILED after ${execs:-?} runs:" \
        "$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
    exit 1
fi
echo "fuzz-$name: ${execs:-?} runs, ${rate:-?}/s, ${cov:-?} edges"
