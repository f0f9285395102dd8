#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ask clang-tidy-14 about every source of src: tidy.py ROOT BUILD.

The checks are those of .clang-tidy, the flags those of BUILD/compile_commands.json. Two files are
looked at at a time. Without clang-tidy-14 the test is skipped (77).
"""
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

JOBS = 2
SKIP = 77


def main():
    tidy = shutil.which("clang-tidy-14")
    if tidy is None:
        print("tidy: skipped, there is no clang-tidy-14 (Debian: clang-tidy-14)")
        return SKIP
    root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    commands = json.loads((build / "compile_commands.json").read_text())
    files = {pathlib.Path(command["directory"], command["file"]).resolve() for command in commands}
    files = sorted(path for path in files if path.is_relative_to(root / "src"))
    if not files:
        sys.exit(f"tidy: no sources of {root}/src in {build}")

    def ask(path):
        return subprocess.run([tidy, "--quiet", "-p", build, path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)

    failures = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for run in pool.map(ask, files):
            if run.returncode != 0:
                print(run.stdout, end="")
                failures += 1
    print(f"tidy: {failures} of {len(files)} files have findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
