# SPDX-License-Identifier: BSD-2-Clause
"""(d) What a run takes that has nothing to wait for: one probe to the machine itself.

The first packet is that of a capture on the loopback interface, by the kernel's time stamps. nmap
sends none: it takes its own machine for granted.
"""
import shlex
import statistics

import network
import packets
import table

REPETITIONS = 20
LONG_S = 2  # what has taken longer than this is not repeated any more

TOOLS = {
    "ping": "ping -n -c 1 127.0.0.1",
    "sonde": "{sonde} -r -n -c 1 127.0.0.1",
    "fping": "fping -c 1 127.0.0.1",
    "traceroute -I": "traceroute -I -n -q 1 127.0.0.1",
    "mtr": "mtr -r -n -c 1 127.0.0.1",
    "nmap": "nmap -n -sn -PE 127.0.0.1",
    "scamper": "scamper -I 'ping -c 1 127.0.0.1'",
}


class Starts:
    """The runs of a tool."""

    def __init__(self, command):
        self.words = shlex.split(command)
        self.runs = []
        self.first_ns = []  # from the start to the first packet

    def is_long(self):
        return sum(run.seconds for run in self.runs) > LONG_S

    def again(self, net, watch):
        self.runs.append(net.timed("alone", *self.words))
        self.first_ns += [packet.time_ns - self.runs[-1].began_ns for packet in watch.read()[:1]]

    def median(self, name):
        return statistics.median(getattr(run, name) for run in self.runs)


def measure(programs, _quick):
    out = table.Table("(d) One probe to the machine itself; medians", {
        "tool": 13, "ms": 8, "of ping": 8, "first packet ms": 15, "CPU ms": 7, "MB": 6})
    tools = {tool: Starts(command.format(sonde=programs.sonde))
             for tool, command in network.found(TOOLS).items()}
    net = network.Network(programs)
    try:
        net.add("alone")
        watch = packets.Capture(net, "alone", "lo")
        for _ in range(REPETITIONS):  # in turns: the machine has its moods
            for starts in tools.values():
                if not starts.is_long():
                    starts.again(net, watch)
    finally:
        net.close()
    of_ping = next(iter(tools.values())).median("seconds")
    for tool, starts in tools.items():
        first = f"{statistics.median(starts.first_ns) / 1e6:.2f}" if starts.first_ns else "-"
        out.add(tool, f"{starts.median('seconds') * 1000:.1f}",
                f"{starts.median('seconds') / of_ping:.2f}", first,
                f"{starts.median('cpu_seconds') * 1000:.1f}",
                f"{starts.median('rss_bytes') / (1 << 20):.1f}")
