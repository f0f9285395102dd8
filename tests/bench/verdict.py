# SPDX-License-Identifier: BSD-2-Clause
"""(f) How long until the whole answer about a filtered port is there, with default options.

The router in the middle drops what is asked while forwarding. The answer is right if it names that
router as the last seen and the one behind it as the first lost, in every run.
"""
import statistics

import network
import table

REPETITIONS = 5
FOUR = (":443", ":22", ":3389", ":53/udp")
# what is asked, what is dropped, and how a rule says so
CASES = (((":443",), "nothing", None),
         ((":443",), "443/tcp", "tcp dport 443"),
         (FOUR, "nothing", None),
         (FOUR, "443/tcp", "tcp dport 443"),
         (FOUR, "53/udp", "udp dport 53"))


def dropping(rule):
    return f"""table inet filtered {{
        chain c {{
            type filter hook forward priority 0
            {rule} drop
        }}
    }}"""


def is_right(chain, family, dropped, out):
    culprit = chain.length // 2
    ends = [f"hop {ttl} ({chain.hop(family, ttl)})" for ttl in (culprit, culprit + 1)]
    bracket = f"filtered  answered up to {ends[0]}, silent from {ends[1]};"
    return bracket in out if dropped != "nothing" else "✗" not in out


def measure(programs, quick):
    out = table.Table("(f) Time to the whole answer, default options; median and longest", {
        "hops": 4, "RTT ms": 6, "IP": 2, "asked": 23, "dropped": 8, "s": 5, "longest": 7,
        "× RTT": 6, "right": 5})
    for length in (4,) if quick else (4, 16):
        net, chain = network.path(programs, length, 50)
        try:
            net.listen(chain.server, 22, 443, 3389)
            net.echo(chain.server, 53)
            for asked, dropped, rule in CASES[1:2] if quick else CASES:
                net.nft(chain.routers[length // 2 - 1], dropping(rule) if rule else "")
                for family in network.lab.FAMILIES:
                    runs = [net.timed("vantage", programs.sonde, "-r", "-n",
                                      chain.target(family), *asked) for _ in range(REPETITIONS)]
                    right = sum(is_right(chain, family, dropped, run.out) for run in runs)
                    times = [run.seconds for run in runs]
                    out.add(length, 50, family, " ".join(asked), dropped,
                            f"{statistics.median(times):.2f}", f"{max(times):.2f}",
                            f"{statistics.median(times) / 0.05:.0f}", f"{right}/{len(runs)}")
        finally:
            net.close()
