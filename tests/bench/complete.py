# SPDX-License-Identifier: BSD-2-Clause
"""(a) How long until the whole path is known, beside the round trip to its end.

Each tool traces 443/tcp once and ends by itself; sonde traces the host along with it. What it
printed is searched for the addresses of the hops: fast is worth nothing without them.
"""
import re
import statistics

import network
import table

PORT = "443"
REPETITIONS = 5
LONG_S = 1.5  # what took longer than this is not repeated

TOOLS = {
    "sonde": "{sonde} -r -n -c 1 {target} :443",
    "traceroute -N32 -q1": "traceroute -n -T -p 443 -N 32 -q 1 {target}",
    "traceroute": "traceroute -n -T -p 443 {target}",
    "mtr -c1 -i.01 -G.2": "mtr -r -n -T -P 443 -c 1 -i .01 -G .2 {target}",
    "mtr -c1": "mtr -r -n -T -P 443 -c 1 {target}",
    "nmap --traceroute": "nmap -n -Pn -p 443 --traceroute {target}",
    "scamper -q1 -w1": "scamper -I 'trace -P TCP -d 443 -q 1 -w 1 {target}'",
}

SILENT = """table inet silent {
    chain c {
        type filter hook output priority 0
        icmp type time-exceeded drop
        icmpv6 type time-exceeded drop
    }
}"""
FILTERED = f"""table inet filtered {{
    chain c {{
        type filter hook forward priority 0
        tcp dport {{ {PORT}, 1000-1015 }} drop
    }}
}}"""


# What sonde is meant to take, in round trips, beside its start; and over a LAN, in ms.
GOALS = {"all answer": 1.1, "3 silent": 1.4, "filtered": 2.5, "last silent": 1.4, "closed": 1.2,
         "TCP alone": 2.2, "16 filtered": 4}
GOALS_LAN_MS = {"closed": 10, "3 silent": 20}
LAN_MS = 5

# What only sonde is asked for, and how; all are asked for 443/tcp.
SONDE_ONLY = ("last silent", "closed", "TCP alone", "16 filtered")
MANY = range(1000, 1016)
WORDS = {"closed": ":444", "TCP alone": ":443 --no-icmp",
         "16 filtered": " ".join(f":{port}" for port in MANY)}


def goal(kind, length, rtt_ms):
    if rtt_ms < LAN_MS:
        return f"{GOALS_LAN_MS[kind]} ms" if kind in GOALS_LAN_MS else ""
    if length > 16:
        return ""  # the first window is of 16 TTLs: another round trip
    return f"{GOALS[kind]} × RTT"


def farthest_rtt_ms(net, target):
    """As ping sees it: the median of ten."""
    out = net.run("vantage", "ping", "-n", "-c", "10", "-i", "0.05", target)
    return statistics.median(float(ms) for ms in re.findall(r"time=([0-9.]+) ms", out))


def set_up(net, chain, kind):
    """Make hops silent, or the filter. The TTLs that then answer: of the host, of the port."""
    middle = chain.length // 2
    everything = set(range(1, chain.length + 1))
    for router in chain.routers:
        net.nft(router, "")
    if kind == "3 silent":
        for ttl in range(middle, middle + 3):
            net.nft(chain.routers[ttl - 1], SILENT)
        everything -= set(range(middle, middle + 3))
    if kind == "last silent":
        net.nft(chain.routers[-1], SILENT)
        everything -= {chain.length - 1}
    if "filtered" in kind:
        net.nft(chain.routers[middle - 1], FILTERED)
        return everything, set(range(1, middle + 1))
    return everything, everything


def run(net, words, chain):
    """Repeat a command; its median time in ms, the TTLs it named, and the packets it sent."""
    times = []
    while len(times) < REPETITIONS and sum(times) < LONG_S:
        before = net.packets_sent("vantage", "to-r1")
        done = net.timed("vantage", "sh", "-c", "exec " + words)
        packets = net.packets_sent("vantage", "to-r1") - before
        times.append(done.seconds)
    named = {int(ttl) for ttl, rest in re.findall(r"(?m)^ *([0-9]+)[.\s](.*)", done.out)
             if int(ttl) <= chain.length and chain.hop(4, int(ttl)) in rest.split()}
    return statistics.median(times) * 1000, named, packets


def rows(programs, length, rtt_ms, kinds, tools):
    net, chain = network.path(programs, length, rtt_ms)
    try:
        net.listen(chain.server, int(PORT))
        for kind in kinds:
            hosts, ports = set_up(net, chain, kind)
            rtt = farthest_rtt_ms(net, chain.target(4))
            for tool in tools if kind not in SONDE_ONLY else tools[:1]:
                words = TOOLS[tool].format(sonde=programs.sonde, target=chain.target(4))
                words = words.replace(f":{PORT}", WORDS.get(kind, f":{PORT}"))
                ms, named, packets = run(net, words, chain)
                expected = hosts if tool == "sonde" else ports
                yield (kind, length, f"{rtt:.2f}", tool, f"{ms:.1f}", f"{ms / rtt:.2f}",
                       goal(kind, length, rtt) if tool == "sonde" else "",
                       f"{len(named & expected)}/{len(expected)}", packets)
    finally:
        net.close()


def measure(programs, quick):
    kinds = ("all answer", "3 silent", "filtered")
    out = table.Table("(a) Time to a complete report of one cycle; medians", {
        "path": 11, "hops": 4, "RTT ms": 7, "tool": 18, "ms": 8, "× RTT": 7, "goal": 9,
        "found": 6, "packets": 7})
    for rtt_ms in (50,) if quick else (0, 50, 150):
        tools = list(network.found(TOOLS))
        of_all = kinds if quick else (*kinds, *SONDE_ONLY)
        for row in rows(programs, 16, rtt_ms, of_all, tools[:2] if quick else tools):
            out.add(*row)
        for row in rows(programs, 24, rtt_ms, kinds[:1], tools[:2]):
            out.add(*row)
