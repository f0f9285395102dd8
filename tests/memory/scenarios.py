#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does sonde use memory that was never written? scenarios.py [--all] VALGRIND SONDE FOLDER

Makes the first run of every scenario in the folder under valgrind, as JSON, which shows all that a
snapshot has. With --all it makes all of their runs, which takes some minutes.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sim"))
from run import runs_of, scenarios_in

SKIP = 77
FOUND = 99  # valgrind.sh


def main():
    arguments = sys.argv[1:]
    all_runs = "--all" in arguments
    valgrind, sonde, folder = (word for word in arguments if word != "--all")
    failed = total = 0
    for file in scenarios_in(folder):
        for words, *_ in runs_of(file)[:None if all_runs else 1]:
            command = [valgrind, sonde, "-j", "--simulate", file, "--virtual-time", "-n", *words]
            result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    text=True, errors="replace", check=False)
            if result.returncode == SKIP:
                return SKIP
            total += 1
            if result.returncode == FOUND:
                failed += 1
                print(f"{file}: sonde {' '.join(words)}:\n{result.stderr}")
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
