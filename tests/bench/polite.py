# SPDX-License-Identifier: BSD-2-Clause
"""(e) Loss that a tool makes itself, at hops that ration their answers as Linux routers do.

Three services of one host are traced for a minute, once a second: by sonde in one run, by mtr in
three, because it knows one service at a time. Each has a chain of routers of its own; nothing is
lost on them. A Linux router answers a burst of six and then one a second to one address.

Then more and more hosts behind the same routers are pinged, near and far: by sonde in one run, by
as many mtr.
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
            for service in services for hop in service["paths"][0]["hops"] if not hop["shared"]}


def of_mtr(service, document):
    hubs = document["report"]["hubs"]
    return {(service, hub["count"]): (hub["Snt"], round(hub["Snt"] * (1 - hub["Loss%"] / 100)))
            for hub in hubs}


def lost_share(pairs):
    sent = sum(sent for sent, _ in pairs)
    return f"{(sent - sum(received for _, received in pairs)) / sent * 100:.1f} %" if sent else "-"


def crowd(programs, rtt_ms, targets, cycles):
    """What is lost at routers and of the hosts, when so many hosts are pinged. Both chains have the
    same hosts behind their last router."""
    net = network.Network(programs)
    net.delay_us = round(rtt_ms * 1000 / 2 / 3)
    try:
        chains = [chain_of(net, number) for number in (1, 2)]
        hosts = []
        for chain in chains:
            hosts.append([f"10.{chain.number}.{chain.length}.{10 + i}" for i in range(targets)])
            net.ip(chain.server, *(f"addr add {host}/32 dev lo" for host in hosts[-1]))
        net.start_wires()
        runs = [net.start_sonde("-j", "-n", "-c", str(cycles), "-i", "1", *hosts[0],
                                program=programs.sonde)]
        runs += [net.start_sonde("-n", "-j", "-c", str(cycles), host, program="mtr")
                 for host in hosts[1]]
        documents = [json.loads(net.finish(run, timeout=cycles * 3 + 60).out) for run in runs]
    finally:
        net.close()
    services = [target["services"][0] for target in documents[0]["targets"]]
    hops = [(hop["sent"], hop["received"]) for service in services
            for hop in service["paths"][0]["hops"] if hop["ttl"] < 4 and not hop["shared"]]
    mtr = {}
    for number, document in enumerate(documents[1:]):
        mtr |= of_mtr(number, document)
    return (lost_share(hops), lost_share([(service["sent"], service["received"])
                                          for service in services]),
            lost_share([pair for (_, ttl), pair in mtr.items() if ttl < 4]),
            lost_share([pair for (_, ttl), pair in mtr.items() if ttl == 4]))


def measure_crowds(programs, quick):
    cycles = 3 if quick else 20
    title = f"(h) Loss of our own against targets and round trip, {cycles} cycles of 1 s"
    out = table.Table(title, {
        "RTT ms": 6, "targets": 7, "sonde routers": 13, "hosts": 7, "mtr routers": 11, "hosts ": 7})
    for rtt_ms in (0,) if quick else (0, 50, 600):
        for targets in (5,) if quick else (1, 5, 20):
            out.add(rtt_ms, targets, *crowd(programs, rtt_ms, targets, cycles))


def measure(programs, quick):
    if shutil.which("mtr") is None:
        print("(e) takes mtr to compare with")
        return
    measure_services(programs, quick)
    measure_crowds(programs, quick)


def measure_services(programs, quick):
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
