#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compile every header by itself, and twice in a row: headers.py ROOT BUILD CC [CXX].

Public headers must be plain C17 and C++17, warning-free. Headers of src are C17 with the
extensions that the project is compiled with. Without CXX only C is tried, and the test is skipped
(77).
"""
import pathlib
import subprocess
import sys

SKIP = 77
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compile_header(compiler, language, standard, include_dirs, name):
    """Return what the compiler says; nothing if it is content."""
    command = [compiler, "-fsyntax-only", "-x", language, f"-std={standard}", *WARNINGS]
    command += [f"-I{folder}" for folder in include_dirs]
    if language == "c" and not name.startswith("<"):
        command.append("-D_GNU_SOURCE")
    run = subprocess.run(command + ["-"], input=f"#include {name}\n" * 2, text=True,
                         capture_output=True, check=False)
    return "" if run.returncode == 0 else run.stderr or f"{compiler} failed\n"


def main():
    root, build = pathlib.Path(sys.argv[1]), sys.argv[2]
    compilers = sys.argv[3:]
    public, private = root / "include", root / "src"
    jobs = []
    for path in sorted(public.rglob("*.h")):
        name = f"<{path.relative_to(public)}>"
        jobs.append((path, (compilers[0], "c", "c17", [public], name)))
        if len(compilers) > 1:
            jobs.append((path, (compilers[1], "c++", "c++17", [public], name)))
    for path in sorted(private.rglob("*.h")):
        name = f'"{path.relative_to(private)}"'
        jobs.append((path, (compilers[0], "c", "c17", [public, private, build], name)))
    failures = 0
    for path, job in jobs:
        complaint = compile_header(*job)
        if complaint:
            print(f"{path.relative_to(root)}:1: headers: does not compile alone as {job[2]}\n"
                  f"{complaint}", end="")
            failures += 1
    if failures or not jobs:
        return 1
    if len(compilers) == 1:
        print("headers: skipped in part, there is no C++ compiler (Debian: g++)")
        return SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
