# SPDX-License-Identifier: BSD-2-Clause
"""(e) Loss that a tool makes itself, at hops that ration their answers as Linux routers do.

Three services of one host are traced for a minute, once a second: by sonde in one run, by mtr in
three, because it knows one service at a time. Each has a chain of routers of its own; nothing is
lost on them. A Linux router answers a burst of six and then one a second to one address.
"""
import json
import shutil

import network
import table

CYCLES = 60
SERVICES = ("icmp", "443/tcp", "53/udp")
MTR = {"icmp": (), "443/tcp": ("-T", "-P", "443"), "53/udp": ("-u", "-P", "53")}
DEFAULTS = {"net/ipv4/icmp_ratelimit": 1000, "net/ipv4/icmp_msgs_per_sec": 1000,
            "net/ipv4/icmp_msgs_burst": 50, "net/ipv6/icmp/ratelimit": 1000}


def chain_of(net, number):
    chain = network.lab.Chain(net, number, suffix=f"-{number}")
    for router in chain.routers:
        net.sysctl(router, DEFAULTS)
    net.listen(chain.server, 443)
    net.echo(chain.server, 53)
    return chain


def of_sonde(document):
    """{(service, TTL): (sent, received)}"""
    services = document["targets"][0]["services"]
    return {(service["service"], hop["ttl"]): (hop["sent"], hop["received"])
            for service in services for hop in service["path"]["hops"]}


def of_mtr(service, document):
    hubs = document["report"]["hubs"]
    return {(service, hub["count"]): (hub["Snt"], round(hub["Snt"] * (1 - hub["Loss%"] / 100)))
            for hub in hubs}


def measure(programs, quick):
    if shutil.which("mtr") is None:
        print("(e) takes mtr to compare with")
        return
    cycles = 5 if quick else CYCLES
    out = table.Table(f"(e) Loss at hops that ration their answers, {cycles} cycles of 1 s", {
        "service": 8, "hop": 3, "sonde sent": 10, "lost": 7, "mtr sent": 8, "lost ": 7})
    net = network.Network(programs)
    try:
        chains = [chain_of(net, number) for number in (1, 2)]
        runs = [net.start_sonde("-j", "-n", chains[0].target(4), ":443", ":53/udp", "-c",
                                str(cycles), program=programs.sonde)]
        for service in SERVICES:
            runs.append(net.start_sonde("-n", "-j", "-c", str(cycles), *MTR[service],
                                        chains[1].target(4), program="mtr"))
        documents = [json.loads(net.finish(run, timeout=cycles * 3 + 60).out) for run in runs]
        sonde = of_sonde(documents[0])
        mtr = {}
        for service, document in zip(SERVICES, documents[1:]):
            mtr |= of_mtr(service, document)
        for service in SERVICES:
            for ttl in range(1, chains[0].length + 1):
                cells = []
                for tool in (sonde, mtr):
                    sent, received = tool.get((service, ttl), (0, 0))
                    cells += [sent, f"{(sent - received) / sent * 100:.1f} %" if sent else "-"]
                out.add(service, ttl, *cells)
    finally:
        net.close()
