# SPDX-License-Identifier: BSD-2-Clause
"""(d) What a run takes that has nothing to wait for: one probe to the machine itself."""
import statistics

import network
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


def measure(programs, _quick):
    out = table.Table("(d) One probe to the machine itself; medians", {
        "tool": 13, "ms": 8, "of ping": 8, "CPU ms": 7, "MB": 6})
    net = network.Network(programs)
    try:
        net.add("alone")
        of_ping = None
        for tool, command in network.found(TOOLS).items():
            words = command.format(sonde=programs.sonde)
            runs = []
            while len(runs) < REPETITIONS and sum(run.seconds for run in runs) < LONG_S:
                runs.append(net.timed("alone", "sh", "-c", "exec " + words))
            ms = statistics.median(run.seconds for run in runs) * 1000
            of_ping = of_ping or ms
            out.add(tool, f"{ms:.1f}", f"{ms / of_ping:.2f}",
                    f"{statistics.median(run.cpu_seconds for run in runs) * 1000:.1f}",
                    f"{statistics.median(run.rss_bytes for run in runs) / (1 << 20):.1f}")
    finally:
        net.close()
