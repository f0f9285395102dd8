#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the results of the last test runs in the named build directories.

Prints what failed, what was skipped and why, and as last line "N passed, N failed, N skipped".
Fails if a test failed, if a directory has no results, or, with SONDE_TESTS_COMPLETE set, if
anything was skipped.
"""
import json
import os
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def results(directory):
    logs = sorted(pathlib.Path(directory, "meson-logs").glob("testlog*.json"),
                  key=lambda log: log.stat().st_mtime)
    if not logs:
        return [("no results", "FAIL", "")]
    with open(logs[-1], encoding="utf-8") as lines:
        tests = [json.loads(line) for line in lines]
    return [(test["name"], test["result"], test.get("stdout") or "") for test in tests]


def main():
    passed = failed = skipped = 0
    for directory in sys.argv[1:]:
        for name, result, output in results(directory):
            passed += result in PASSED
            skipped += result == "SKIP"
            failed += result not in PASSED and result != "SKIP"
            if result not in PASSED:
                print(f"{directory}: {name}: {result}")
            if result == "SKIP":
                print("\n".join(f"    {line}" for line in output.splitlines()[-1:]))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    incomplete = skipped and os.environ.get("SONDE_TESTS_COMPLETE")
    return 1 if failed or not passed or incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
