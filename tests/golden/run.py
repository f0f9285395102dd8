#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare what sonde prints with what is kept; --update keeps what it prints now.

run.py [--update] SONDE. An update is reviewed as a diff: these files say how the output looks, the
scenarios in tests/sim say whether it is true.
"""
import difflib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def cases():
    for line in (HERE / "cases").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            yield words[0], words[1:]


def output(sonde, arguments):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    result = subprocess.run([sonde, *arguments], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=60, check=False)
    return result.stdout.decode()


def main():
    update = "--update" in sys.argv
    sonde = [argument for argument in sys.argv[1:] if argument != "--update"][0]
    failed = total = 0
    for name, arguments in cases():
        total += 1
        file = HERE / "expected" / name
        printed = output(sonde, arguments)
        if update:
            file.write_text(printed, encoding="utf-8")
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        if printed != kept:
            failed += 1
            sys.stdout.writelines(difflib.unified_diff(
                kept.splitlines(True), printed.splitlines(True), f"kept/{name}", f"now/{name}"))
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
