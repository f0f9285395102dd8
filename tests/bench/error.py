# SPDX-License-Identifier: BSD-2-Clause
"""(b) How far a round trip that is printed is from what a packet capture saw at the same interface.

The capture is the kernel's own, at the sender's interface, of the very packets that were timed. A
tool's figures come in the order of its probes, and so do the captured requests.
"""
import collections
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys

import network
import table

import packets

FULL_TTL = 64  # of the probes that sonde sends to the target itself
SPIN = [sys.executable, "-c", "import time\nend = time.time() + 600\nwhile time.time() < end: pass"]

Peer = collections.namedtuple("Peer", "tool command figure unit_ms")

# How to have so many probes timed, some milliseconds apart, and how the figures are printed.
PEERS = {
    "ping": Peer("ping", "ping -n -c {count} -i {interval} {target}", r"time=([0-9.]+) ms", 1),
    "fping": Peer("fping", "fping -c {count} -p {interval_ms} {target}", r"([0-9.]+) ms \(", 1),
    "mtr": Peer("mtr", "mtr -n -l -c {count} -i {interval} -f {hops} -m {hops} {target}",
                r"(?m)^p [0-9]+ ([0-9]+)", 0.001),
    "traceroute -I": Peer("traceroute", "for i in $(seq {tenths}); do"
                          " traceroute -I -n -f {hops} -m {hops} -q 10 -N 1 {target}; done",
                          r"([0-9.]+) ms", 1),
    "scamper": Peer("scamper", "scamper -I 'ping -c {count} -i {interval} {target}'",
                    r"time=([0-9.]+) ms", 1),
}


def common(packet):
    """(Is it a request, what its answer has in common with it); None for other packets."""
    if packet.is_icmp and (packet.is_echo_request or packet.is_echo_reply):
        return packet.is_echo_request, ("icmp", packet.ident, packet.sequence)
    if packet.protocol == packets.UDP:  # the server gives all back but the flags: RFC 1035 §4.1.1
        return packet.outgoing, ("udp", packet.payload[:2] + packet.payload[4:])
    if packet.protocol == packets.TCP and packet.flags & packets.SYN:
        is_request = not packet.flags & packets.ACK
        return is_request, ("tcp", packet.ts if is_request else packet.ts_echo)
    return None


def round_trips(captured, full_only):
    """{protocol: [ns or None, ...]} of the requests, in the order in which they left."""
    trips = {"icmp": [], "udp": [], "tcp": []}
    waiting = {}
    for packet in sorted(captured, key=lambda packet: packet.time_ns):
        found = common(packet)
        if found is None:
            continue
        is_request, known_as = found
        of_protocol = trips[known_as[0]]
        if is_request and not (full_only and packet.ttl != FULL_TTL):
            waiting[known_as] = (len(of_protocol), packet.time_ns)
            of_protocol.append(None)
        elif not is_request and known_as in waiting:
            index, sent = waiting.pop(known_as)
            of_protocol[index] = packet.time_ns - sent
    return trips


def errors(told, seen):
    """Differences in µs between what a tool said, {index: ns}, and what was seen."""
    return [(told[i] - seen[i]) / 1000 for i in told if i < len(seen) and seen[i] is not None]


class Scene:
    """A network in which something is timed."""

    def __init__(self, programs, length, rtt_ms, count):
        self.net, self.chain = network.path(programs, length, rtt_ms)
        self.net.listen(self.chain.server, 443)
        self.net.echo(self.chain.server, 53)
        self.count = count
        self.programs = programs

    def capture(self, words):
        """Run a command; what it printed, and what passed meanwhile."""
        capture = packets.Capture(self.net, "vantage", f"to-{self.chain.first}")
        done = self.net.timed("vantage", "sh", "-c", words, timeout=300)
        captured = capture.read()
        capture.socket.close()
        return done.out, captured

    def sonde(self, family, how=""):
        """{protocol: errors}"""
        words = f"exec {self.programs.rtt} {self.chain.target(family)} {self.count} 20 {how}"
        out, captured = self.capture(words)
        seen = round_trips(captured, full_only=True)
        clocks = set()
        told = {name: {} for name in seen}
        for line in out.splitlines():
            protocol, cycle, ns, *stamped = line.split()
            told[protocol][int(cycle)] = int(ns)
            clocks.add("/".join(stamped))
        return {name: errors(told[name], seen[name]) for name in seen}, clocks

    def peer(self, name):
        peer = PEERS[name]
        words = peer.command.format(count=self.count, tenths=self.count // 10, interval=0.02,
                             interval_ms=20, hops=self.chain.length, target=self.chain.target(4))
        out, captured = self.capture(words)
        found = re.findall(peer.figure, out)
        told = {i: float(value) * peer.unit_ms * 1e6 for i, value in enumerate(found)}
        return errors(told, round_trips(captured, full_only=False)["icmp"])


@contextlib.contextmanager
def busy(processes):
    """More that wants to run than there are cores."""
    spinners = [subprocess.Popen(SPIN, start_new_session=True) for _ in range(processes)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def percentile(values, percent):
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def add(out, where, tool, protocol, found, clocks=""):
    if not found:
        raise RuntimeError(f"{where}: nothing of {tool} over {protocol} could be compared")
    sizes = [abs(value) for value in found]
    out.add(where, tool, protocol, len(found), f"{statistics.median(found):.1f}",
            f"{statistics.median(sizes):.1f}", f"{percentile(sizes, 99):.1f}", clocks)


def measure(programs, quick):
    out = table.Table("(b) Error of round trips in µs, against a capture of the same packets", {
        "where": 22, "tool": 19, "protocol": 8, "probes": 6, "bias": 7, "median": 7, "p99": 8,
        "clocks": 14})
    scenes = (("idle, direct", 1, 0, 0), ("idle, 8 ms", 4, 8, 0),
              ("all cores busy, 8 ms", 4, 8, os.cpu_count()),
              ("twice as busy, 8 ms", 4, 8, 2 * os.cpu_count()))
    for where, length, rtt_ms, spinners in scenes[:1] if quick else scenes:
        scene = Scene(programs, length, rtt_ms, 100 if quick else 1000)
        scene.net.sysctl("vantage", network.lab.PINGS_ALLOWED)
        try:
            with busy(spinners):
                for tool, how in (("sonde", ""), ("sonde, unprivileged", "unprivileged")):
                    for family in network.lab.FAMILIES:
                        found, clocks = scene.sonde(family, how)
                        for protocol, values in found.items():
                            add(out, where, tool, f"{protocol}{family}", values,
                                " ".join(sorted(clocks)))
                for name in PEERS:
                    if shutil.which(PEERS[name].tool) is None:
                        continue
                    add(out, where, name, "icmp4", scene.peer(name))
        finally:
            scene.net.close()
