#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is the C formatted as .clang-format says? format.py ROOT.

Asks clang-format-14, whose output differs from that of other versions; without it the test is
skipped (77).
"""
import pathlib
import shutil
import subprocess
import sys

SKIP = 77


def main():
    formatter = shutil.which("clang-format-14")
    if formatter is None:
        print("format: skipped, there is no clang-format-14 (Debian: clang-format-14)")
        return SKIP
    root = pathlib.Path(sys.argv[1])
    files = sorted(path for folder in ("src", "include", "tests")
                   for path in (root / folder).rglob("*.[ch]"))
    if not files:
        sys.exit(f"format: no sources below {root}")
    return subprocess.run([formatter, "--dry-run", "-Werror", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
