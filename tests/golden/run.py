#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare what sonde prints with what is kept; --update keeps what it prints now.

run.py [--update] SONDE. An update is reviewed as a diff: these files say how the output looks, the
scenarios in tests/sim say whether it is true. The README's own example is held to the same.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"
EXAMPLE = re.compile(r"(?<=^```\n)\$ sonde (--simulate .*)\n(?:.*\n)*?(?=```)", re.MULTILINE)


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


def refreshed(sonde, readme):
    """The README with its examples as they look now."""
    return EXAMPLE.sub(lambda found: f"$ sonde {found[1]}\n" + output(sonde, found[1].split()),
                       readme)


def kept_and_printed(sonde):
    """Each file that is kept, and what should be in it."""
    for name, arguments in cases():
        yield HERE / "expected" / name, output(sonde, arguments)
    readme = README.read_text(encoding="utf-8")
    if not EXAMPLE.search(readme):
        sys.exit("golden: the README shows no example")
    yield README, refreshed(sonde, readme)


def main():
    update = "--update" in sys.argv
    sonde = [argument for argument in sys.argv[1:] if argument != "--update"][0]
    failed = total = 0
    for file, printed in kept_and_printed(sonde):
        total += 1
        if update:
            file.write_text(printed, encoding="utf-8")
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        if printed != kept:
            failed += 1
            sys.stdout.writelines(difflib.unified_diff(
                kept.splitlines(True), printed.splitlines(True), f"kept/{file.name}",
                f"now/{file.name}"))
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
