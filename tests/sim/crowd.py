#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No loss of our own: crowd.py SONDE SEED COUNT

Networks are made up from a number: up to 14 routers in a row and up to 200 hosts behind them, each
asked for up to 64 services. Nothing is lost there, but everybody rations: a router or a host sends
six ICMP errors at once and then one a second, as Linux does. So whatever is shown as lost, at a
hop or of a service, was lost because too much was asked. And every router has to be asked by
somebody, or else it says nothing that no loss is shown.
"""
import json
import random
import subprocess
import sys
import tempfile

RATION = "limit=1 burst=6"
STATES = ("tcp:{port}=open", "tcp:{port}=open", "tcp:{port}=closed", "udp:{port}=echo",
          "udp:{port}=closed")


def services_of(pick):
    """(what the host has, how it is asked for)"""
    count = pick.choice((0, 1, 1, 2, 3, 5, 10, 16, 64))
    closed = 0
    for number in range(count):
        state = pick.choice(STATES)
        closed += state == STATES[-1]
        if closed > 2:  # each costs the host a refusal a cycle
            state = STATES[0]
        port = 2000 + number
        yield state.format(port=port), f":{port}{'/udp' if 'udp' in state else ''}"


def network(pick):
    """A scenario, the targets with their services, and options."""
    routers = pick.randint(1, 14)
    hosts = pick.choice((1, 1, 2, 3, 5, 20, 60, 200))
    services = list(services_of(pick))[:1000 // hosts]
    lines = ["vantage me 198.18.0.2"]
    for number in range(1, routers + 1):
        delay_us = pick.randint(1, 200) * 100
        lines.append(f"router r{number} 10.{number}.0.1 delay={delay_us}us {RATION}")
    way = " ".join(f"r{number}" for number in range(1, routers + 1))
    has = " ".join(state for state, _ in services)
    for number in range(1, hosts + 1):
        lines.append(f"host h{number} 203.0.113.{number} delay=1ms {RATION} {has}")
        lines.append(f"path h{number} {way}")
    asked = " ".join(name for _, name in services)
    targets = [f"203.0.113.{number} {asked}" for number in range(1, hosts + 1)]
    options = ["-c", str(pick.randint(1, 6)), "-i", pick.choice(("0.2", "0.5", "1"))]
    flows = pick.choice((1, 1, 1, 2, 8))
    if flows * max(1, len(services)) <= 64:
        options += ["--flows", str(flows)]
    return lines, targets, options


def losses(document, routers):
    """What is shown as lost, and who was not asked."""
    asked = {hop["ttl"] for target in document["targets"] for service in target["services"]
             for path in service["paths"] for hop in path["hops"]
             if hop["sent"] > 0 and not hop["shared"]}
    for ttl in sorted(set(range(1, routers + 1)) - asked):
        yield f"nobody asked hop {ttl}"
    for target in document["targets"]:
        for service in target["services"]:
            name = f"{target['input']} {service['service']}"
            if service["sent"] != service["received"]:
                yield f"{name}: {service['received']} of {service['sent']}"
            for hop in (hop for path in service["paths"] for hop in path["hops"]):
                if hop["sent"] != hop["received"] and not hop["shared"]:
                    yield f"{name} hop {hop['ttl']}: {hop['received']} of {hop['sent']}"


def holds(sonde, seed):
    lines, targets, options = network(random.Random(seed))
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as scenario, \
            tempfile.NamedTemporaryFile("w") as hosts:
        scenario.write("\n".join(lines) + "\n")
        hosts.write("\n".join(targets) + "\n")
        scenario.flush()
        hosts.flush()
        done = subprocess.run([sonde, "-j", "-n", "--many", "--virtual-time", "--simulate",
                               scenario.name, *options, "-F", hosts.name],
                              capture_output=True, text=True, timeout=120, check=False)
    routers = sum(line.startswith("router ") for line in lines)
    lost = list(losses(json.loads(done.stdout), routers)) if done.stdout else [done.stderr]
    if lost:
        print(f"# network {seed}: {' '.join(options)}, {len(targets)} targets: {targets[0]}")
        print("\n".join(lines[:16]))
        print("\n".join(f"#   {what}" for what in lost[:8]))
    return not lost


def main():
    sonde, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    broken = sum(not holds(sonde, number) for number in range(seed, seed + count))
    print(f"{count} networks, {broken} with loss of our own")
    sys.exit(broken > 0)


if __name__ == "__main__":
    main()
