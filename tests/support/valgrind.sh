#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run a program under valgrind; exit code 99 if it used memory that was never written.
if ! command -v valgrind >/dev/null; then
    echo "skipped: there is no valgrind (Debian: valgrind)"
    exit 77
fi
exec valgrind -q --error-exitcode=99 "$@"
