#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build, and run every tier that needs no root. It installs nothing; where something is missing, it
# says what. The last line counts what passed, failed and was skipped.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh

missing=
for program in "${CC:-cc}" meson ninja pkg-config python3; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "missing:$missing"
    echo 'On Debian "make packages-check" installs it, as root or through sudo.'
    exit 1
fi
setup_plain
run build-test --suite unit --suite sim --suite golden --suite lint
python3 tests/support/summary.py build-test || status=1
exit "$status"
