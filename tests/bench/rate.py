# SPDX-License-Identifier: BSD-2-Clause
"""(c) How many probes a second many targets get, and what a probe and a target cost.

The targets are addresses of one host behind one link. bench-bare does the least that has to be
done: it sends and receives echoes in batches through the same kinds of sockets, stamps included.
Its probes a second are counted from the first to the last packet, sonde's over all that its report
calls the duration: looking up and binding ten thousand targets is in it.
"""
import collections
import json
import re
import shutil
import tempfile

import network
import table

FIRST = "10.64.0.0"
REPETITIONS = 5
TARGETS = 10000
CYCLES = 100
QUICK_CYCLES = 10
PACES = (100, 1000, 10000, 50000)
PACED_S = 3
FPING_CYCLES = 5  # it has 65535 sequence numbers for ten seconds


class Burst(collections.namedtuple("Burst", "probes answered ms cpu_us rss_mb")):
    """What came of one run."""

    @property
    def pace(self):
        """Probes in a millisecond."""
        return self.probes / self.ms


def addresses(count):
    return [f"10.64.{i >> 8}.{i & 255}" for i in range(count)]


class Field:
    """Many targets behind one link."""

    def __init__(self, programs, count, services=""):
        self.programs = programs
        self.count = count
        self.net = network.Network(programs)
        chain = network.lab.Chain(self.net, length=1)
        self.net.ip(chain.server, f"route add local {FIRST}/16 dev lo")
        self.net.ip("vantage", f"route add {FIRST}/16 via {chain.target(4)}")
        self.file = self.net.stack.enter_context(tempfile.NamedTemporaryFile("w"))
        self.file.write("".join(f"{address} {services}\n" for address in addresses(count)))
        self.file.flush()

    def burst(self, probes, answered, ms, done):
        return Burst(probes, answered, ms, done.cpu_seconds / probes * 1e6,
                     done.rss_bytes / (1 << 20))

    def bare(self, cycles):
        done = self.net.timed("vantage", self.programs.bare, FIRST, str(self.count), str(cycles))
        answered, ms = done.out.split()
        return self.burst(self.count * cycles, int(answered), float(ms), done)

    def sonde(self, cycles):
        before = self.net.packets_sent("vantage", "to-server")
        done = self.net.timed("vantage", self.programs.sonde, "-j", "-n", "-F", self.file.name,
                              "-c", str(cycles), "-i", "0.01", "--rate", "1000000")
        probes = self.net.packets_sent("vantage", "to-server") - before
        document = json.loads(done.out)
        lost = sum(target["services"][0]["sent"] - target["services"][0]["received"]
                   for target in document["targets"])
        return self.burst(probes, probes - lost, document["duration_ms"], done)

    def paced(self, rate, seconds):
        """Packets behind the first that were seen, and the seconds that they took."""
        with self.net.watched("vantage", "to-server") as samples:
            self.net.timed("vantage", self.programs.sonde, "-q", "-n", "-F", self.file.name,
                           "-c", "1000000", "-i", "0.01", "--deadline", str(seconds),
                           "--rate", str(rate))
        begin = next(sample for sample in samples if sample[1] > samples[0][1])
        end = next(sample for sample in samples if sample[1] == samples[-1][1])
        return end[1] - begin[1], end[0] - begin[0]

    def fping(self, cycles):
        cycles = min(cycles, FPING_CYCLES)
        done = self.net.timed("vantage", "fping", "-q", "-i", "0", "-p", "10", "-C", str(cycles),
                              "-f", self.file.name)
        answered = sum(field != "-" for line in done.out.splitlines() if " : " in line
                       for field in line.split(" : ")[1].split())
        return self.burst(self.count * cycles, answered, done.seconds * 1000, done)

    def nmap(self, _):
        done = self.net.timed("vantage", "nmap", "-n", "-sn", "-PE", "-T5", "-iL", self.file.name)
        answered = int(re.search(r"\(([0-9]+) hosts? up\)", done.out)[1])
        return self.burst(self.count, answered, done.seconds * 1000, done)


def measure(programs, quick):
    out = table.Table("(c) Many targets at once: probes a second, and what they cost", {
        "targets": 7, "tool": 8, "probes": 8, "answered": 8, "probes/s": 9, "of bare": 8,
        "CPU µs/probe": 12, "MB": 6})
    field = Field(programs, TARGETS)
    peers = [tool for tool in ("fping", "nmap") if shutil.which(tool) and not quick]
    tools = ["bare", "sonde", *peers]
    try:
        best = {}
        for _ in range(1 if quick else REPETITIONS):  # in turns: the machine has its moods
            for tool in tools:
                burst = getattr(field, tool)(QUICK_CYCLES if quick else CYCLES)
                if tool not in best or burst.pace > best[tool].pace:
                    best[tool] = burst
        for tool, burst in best.items():
            out.add(TARGETS, tool, burst.probes, burst.answered, f"{burst.pace * 1000:.0f}",
                    f"{burst.pace / best['bare'].pace * 100:.1f} %", f"{burst.cpu_us:.2f}",
                    f"{burst.rss_mb:.1f}")
    finally:
        field.net.close()
    pace(programs, quick)
    fleet(programs, quick)
    memory(programs, quick)


def pace(programs, quick):
    """Whether --rate is kept: packets a second on the wire, from the first to the last. There are
    always more targets due than may be asked, until the time is up; ARP is among the packets. The
    pace may never be above --rate, and is below it where the machine does not let sonde run."""
    out = table.Table("    sonde's pace", {
        "--rate": 7, "targets": 7, "packets": 8, "packets/s": 9, "of --rate": 9})
    for rate in PACES[1:3] if quick else PACES:
        targets = min(rate, TARGETS)
        field = Field(programs, targets)
        try:
            runs = [field.paced(rate, 1 if quick else PACED_S)
                    for _ in range(1 if quick else REPETITIONS)]
        finally:
            field.net.close()
        packets, seconds = max(runs, key=lambda run: run[0] / run[1])  # the machine has its moods
        out.add(rate, targets, packets, f"{packets / seconds:.1f}",
                f"{packets / seconds / rate * 100:.1f} %")


def fleet(programs, quick):
    """What it costs to ask many targets for several services once a second, and what a service
    costs more: of a core, and of a probe."""
    out = table.Table("    sonde's cost at one cycle a second", {
        "targets": 7, "services": 8, "probes/s": 9, "of a core": 9, "CPU µs/probe": 12})
    cycles = 3 if quick else 15
    for targets, services in ((1000, 3),) if quick else (
            (TARGETS, 3), (6400, 1), (400, 16), (100, 64)):
        ports = " ".join(f":{port}" for port in range(1000, 1000 + services - 1))
        field = Field(programs, targets, ports)
        try:
            before = field.net.packets_sent("vantage", "to-server")
            done = field.net.timed("vantage", programs.sonde, "-q", "-n", "--many", "-F",
                                   field.file.name, "-c", str(cycles), "-i", "1",
                                   "--rate", "1000000")
            probes = field.net.packets_sent("vantage", "to-server") - before
        finally:
            field.net.close()
        out.add(targets, services, f"{probes / cycles:.0f}",
                f"{done.cpu_seconds / cycles * 100:.0f} %",
                f"{done.cpu_seconds / probes * 1e6:.2f}")


def memory(programs, quick):
    """How memory grows with targets, and that it does not with cycles."""
    out = table.Table("    sonde's memory", {
        "targets": 7, "cycles": 6, "MB": 6, "KB/target": 9})
    for count in (1000,) if quick else (1, 1000, 10000, 50000):
        field = Field(programs, count)
        try:
            for cycles in (3, 300) if count <= 1000 else (3, 30):
                burst = field.sonde(cycles)
                out.add(count, cycles, f"{burst.rss_mb:.1f}",
                        f"{burst.rss_mb * 1024 / count:.1f}")
        finally:
            field.net.close()
