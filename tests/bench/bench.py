#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast, how exact, how cheap, how polite: sonde beside the tools that are found here.

Everything but records runs over networks that are made for it, in namespaces, and removed. What
counts are the ratios within one run; milliseconds are those of this machine. Needs root.

bench.py [--quick] SONDE RTT BARE WIRE RUN [TABLE...]
tables: complete error rate start polite verdict states record
"""
import argparse
import collections
import os
import platform
import subprocess
import sys

import complete
import error
import network
import polite
import rate
import record
import start
import states
import verdict

TABLES = {"complete": complete, "error": error, "rate": rate, "start": start, "polite": polite,
          "verdict": verdict, "states": states, "record": record}

Programs = collections.namedtuple("Programs", "sonde rtt bare wire run")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small part of each table")
    for name in Programs._fields:
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=" ".join(TABLES))
    args = parser.parse_args()
    unknown = set(args.tables) - set(TABLES)
    if unknown:
        parser.error(f"no such table: {' '.join(sorted(unknown))}")
    reason = network.lab.obstacle()
    if reason is not None:
        print(f"skipped: {reason}")
        sys.exit(network.lab.SKIPPED)
    programs = Programs(*(getattr(args, name) for name in Programs._fields))
    print(f"{platform.system()} {platform.release()}, {os.cpu_count()} cores")
    print(subprocess.run([programs.sonde, "--version"], check=True, capture_output=True,
                         text=True).stdout.splitlines()[0])
    for name, module in TABLES.items():
        if not args.tables or name in args.tables:
            module.measure(programs, args.quick)


if __name__ == "__main__":
    main()
