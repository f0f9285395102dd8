# SPDX-License-Identifier: BSD-2-Clause
"""(h) What a record of an hour takes: a cycle a second, a path of 30 hops, three services and icmp.

The network is a simulated one, in virtual time, so that it is the same everywhere; that of the
simulation is in the first line.
"""
import gzip
import os
import pathlib
import resource
import subprocess
import tempfile

import table

HOPS = 30
CYCLES = 3600
QUICK_CYCLES = 60


def scenario():
    """29 routers with names, and behind them a host."""
    lines = ["seed 5", "start 2026-11-22T17:41:15Z", "vantage here 198.18.0.2"]
    for hop in range(1, HOPS):
        lines += [f"router r{hop} 10.{hop}.0.1 delay=1ms jitter=200us",
                  f"name 10.{hop}.0.1 ae{hop}-0.core{hop}.example.net"]
    lines += ["host h 203.0.113.10 delay=1ms jitter=200us tcp:443=open tcp:22=open udp:53=dns",
              "path h " + " ".join(f"r{hop}" for hop in range(1, HOPS))]
    return "\n".join(lines) + "\n"


def cpu_seconds(*words):
    """What a program takes that prints nothing that is of interest."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(programs, quick):
    cycles = QUICK_CYCLES if quick else CYCLES
    out = table.Table(f"(h) {cycles} cycles, {HOPS} hops, three services and icmp", {
        "run": 12, "CPU s": 6, "lines": 7, "MB": 6, "compressed MB": 13})
    with tempfile.TemporaryDirectory() as folder:
        network, record = f"{folder}/scenario", f"{folder}/record"
        pathlib.Path(network).write_text(scenario(), encoding="utf-8")
        run = [programs.sonde, "--simulate", network, "--virtual-time", "-c", str(cycles),
               "-i", "1", "203.0.113.10", ":443", ":22", "53/udp"]
        out.add("simulated", f"{cpu_seconds(*run):.2f}", "-", "-", "-")
        seconds = cpu_seconds(*run, "--record", record)
        content = pathlib.Path(record).read_bytes()
        out.add("and recorded", f"{seconds:.2f}", content.count(b"\n"),
                f"{os.path.getsize(record) / 1e6:.1f}", f"{len(gzip.compress(content)) / 1e6:.1f}")
        out.add("replayed", f"{cpu_seconds(programs.sonde, '--replay', record):.2f}", "-", "-", "-")
