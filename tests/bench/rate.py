# SPDX-License-Identifier: BSD-2-Clause
"""(c) How many probes a second many targets get, and what a probe costs, beside a bare loop.

The targets are addresses of one host behind one link. bench-bare does the least that has to be
done: it sends and receives echoes in batches through the same kinds of sockets, stamps included.
"""
import json
import re
import statistics
import tempfile

import network
import table

FIRST = "10.64.0.0"
REPETITIONS = 5
TIMES = 20  # probes to each target
SIZES = (1000, 10000, 50000)


def addresses(count):
    return [f"10.64.{i >> 8}.{i & 255}" for i in range(count)]


class Field:
    """Many targets behind one link."""

    def __init__(self, programs):
        self.programs = programs
        self.net = network.Network()
        chain = network.lab.Chain(self.net, length=1)
        self.net.ip(chain.server, f"route add local {FIRST}/16 dev lo")
        self.net.ip("vantage", f"route add {FIRST}/16 via {chain.target(4)}")
        self.net.sysctl(chain.server, {"net/ipv4/icmp_echo_ignore_all": 0})

    def bare(self, count, times):
        """(Probes, answers, ms of measuring, what the process took)."""
        done = self.net.timed("vantage", self.programs.bare, FIRST, str(count), str(times))
        answered, ms = done.out.split()
        return count * times, int(answered), float(ms), done

    def sonde(self, count, times, file):
        before = self.net.packets_sent("vantage", "to-server")
        done = self.net.timed("vantage", self.programs.sonde, "-j", "-n", "-F", file, "-c",
                              str(times), "-i", "0.01")
        sent = self.net.packets_sent("vantage", "to-server") - before
        document = json.loads(done.out)
        services = [target["services"][0] for target in document["targets"]]
        hops = [hop for service in services for hop in service["path"]["hops"]]
        answered = sum(of["received"] for of in services) + \
            sum(hop["received"] for hop in hops if hop["ttl"] != 1)
        return sent, answered, document["duration_ms"], done

    def fping(self, count, times, file):
        done = self.net.timed("vantage", "fping", "-q", "-i", "0", "-p", "10", "-C", str(times),
                              "-f", file)
        return count * times, len(re.findall(r" [0-9.]+(?= |$)", done.out, re.M)), \
            done.seconds * 1000, done
