#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random networks, and random faults in time: episodes.py SONDE SEED NETWORKS CYCLES

In each of so many networks something happens once, or twice with more than ten minutes in between,
to everything or to one port. What is true of each service follows from how the network was made
up. A table says, of each kind of fault, how many of its beginnings and ends were found and missed,
how many changes were told that were none, by how much the times were wrong, and in how many
networks the rest was not as it should be: states, codes, blame, the form of the report.

Times are right to one interval: an error is how far a change that was told is outside of the one
interval in which its first probe left. Of loss, and of no other kind, that is widened by as many
probes as may pass, or may be lost, before chance is no explanation any more; and a few networks may
differ: loss that begins with three lost in a row looks like an outage until more is known, and one
hop in some hundred passes so much by chance that it seems to be before the loss.

Healthy networks follow, so many cycles in all, with independent loss of 0 to 30 %: nothing may
change in any.

    episodes.py build/sonde 1 200 140000      as the tests do: a quarter of a minute
    episodes.py build/sonde 1 4000 1000000    before a release: some minutes
    episodes.py build/sonde 4711 1 0          one network, which is shown
"""
import collections
import concurrent.futures
import dataclasses
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import history
from history import Stretch
from way import CLOSED, DEAD, FILTERED, FINE, LOSSY, REJECTED, SLOWER, TARGET, Way

HEALTHY = (0, 1, 2, 5, 10, 20, 30)  # percent
HEALTHY_CYCLES = 10000              # of one run
UNLIKELY = 1e-5   # so seldom loss does not show for as long as it is given here
LOSS_BAD = 0.025  # networks that may differ, to each change of loss
QUIET_S = 650     # between two faults: more than the ten minutes of what is unstable


@dataclasses.dataclass
class Network:
    """A network that was made up, how it is looked at, and what is true of each service."""
    kind: str
    way: Way
    changes: list
    words: list
    truth: dict

    def command(self, sonde, scenario):
        return [sonde, "-j", "-n", "--virtual-time", "--simulate", scenario,
                TARGET[self.way.family], *self.words]


@dataclasses.dataclass
class Fault:
    """Something that may happen: how it is written, what it makes of whom, and for how long it has
    to last, in cycles, to be seen for what it is."""
    rule: str
    kind: tuple
    hits: str         # a service, or "all"
    met: int          # the hop at which a probe meets it, those of the way back counted on
    behind: int = None
    by: int = None
    least: int = 20   # cycles that it lasts, and that it is over
    early: int = 0    # intervals by which its end may be told too early
    late: int = 0     # and its beginning too late
    mute: bool = False  # what expires on the router that meets it is not heard of
    slow: int = 0     # intervals by which its end may be told too late
    after: str = "ok"  # the code when it is over
    jitter_us: int = None  # what it needs the links to be like


def delay(pick, way):
    """Answers take longer: half as much again at least, and 20 ms; what they take varies little
    beside that."""
    hop = pick.randint(1, way.hops - 1)
    more_ms = max(20, way.rtt_ms * pick.uniform(0.5, 1))
    return Fault(f"r{hop} hold={more_ms * 1000:.0f}us any dir=back", SLOWER, "all",
                 2 * way.hops - hop, after="ok|latency_changed", least=60,
                 jitter_us=min(way.jitter_us, int(more_ms * 10)))


def loss(pick, way):
    percent = pick.choice((20, 25, 30))
    hop = pick.randint(1, way.hops - 1)
    patience = math.ceil(math.log(UNLIKELY) / math.log(1 - percent / 100))
    return Fault(f"r{hop} drop any chance={percent}%", LOSSY, "all", hop, behind=hop,
                 least=150, early=patience, late=patience)


def everything(pick, way):
    hop = pick.randint(1, way.hops - 1)
    return Fault(f"r{hop} drop any", DEAD, "all", hop, behind=hop)


def host(pick, way):
    return Fault("h drop any hook=prerouting", DEAD, "all", way.hops, behind=way.hops - 1)


def port(pick, way):
    hop = pick.randint(1, way.hops - 1)
    hook = pick.choice(("forward", "prerouting"))
    return Fault(f"r{hop} drop tcp:443 hook={hook}", FILTERED, "443/tcp", hop,
                 behind=hop - (hook == "prerouting"))


def udp_port(pick, way):
    # Not at the last router: where the host alone is silent, it may be open.
    hop = pick.randint(1, way.hops - 2)
    return Fault(f"r{hop} drop udp:53", FILTERED, "53/udp", hop, behind=hop)


def reject(pick, way):
    hop = pick.randint(1, way.hops - 1)
    # Who seems to ration its refusals is asked once a second: then it takes longer to see the end.
    slow = math.ceil(1 / way.interval) if way.ration else 0
    return Fault(f"r{hop} reject tcp:443", REJECTED, "443/tcp", hop, by=hop, slow=slow)


def withdrawn(pick, way):
    """A router has no route to the host any more, and refuses all that comes, what was to expire on
    it, too: ip_error() in Linux's net/ipv4/route.c comes before ip_forward()."""
    hop = pick.randint(1, way.hops - 1)
    slow = math.ceil(1 / way.interval) if way.ration else 0
    return Fault(f"r{hop} reject any code=0 hook=prerouting", DEAD, "all", hop, behind=hop, by=hop,
                 mute=True, slow=slow)


def closed(pick, way):
    return Fault("h reset tcp:443", CLOSED, "443/tcp", way.hops)


KINDS = {"everything": everything, "host": host, "port": port, "udp port": udp_port,
         "reject": reject, "withdrawn": withdrawn, "closed": closed, "loss": loss, "delay": delay}


def make(seed):
    """A network and what happens there; the same seed, the same."""
    pick = random.Random(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    rtt_ms = pick.choice((0.2, 2, 10, 40, 150, 600))
    # So long that no SYN has to wait for the answer to the one before; see way.py, held_up().
    interval = pick.choice([each for each in (0.2, 0.5, 1, 1, 1, 5, 60)
                            if each > 4 * rtt_ms / 1000])
    way = Way(hops=pick.randint(3, 9), rtt_ms=rtt_ms, interval=interval, seed=seed,
                    family=pick.choice((4, 4, 6)), ration=pick.choice(("", "", "limit=1 burst=6")))
    way.jitter_us = int(way.link * 1e6 * pick.uniform(0, 0.3))
    fault = KINDS[kind](pick, way)
    # Routers are asked about once a second: so long it takes to see where something is lost.
    fault.least = max(fault.least, math.ceil(20 / way.interval))
    if fault.jitter_us is not None:
        way.jitter_us = fault.jitter_us
    cycles, faults = when(pick, way, fault)
    services = ["icmp", *pick.choice((["443/tcp"], ["443/tcp", "22/tcp"], ["443/tcp", "53/udp"]))]
    if fault.hits not in ("all", *services):
        services.append(fault.hits)
    changes = [f"rule {fault.rule} from={begin:.3f}s" + (f" until={end:.3f}s" if end else "")
               for begin, end in faults]
    truth = {service: truth_of(way, fault, faults if fault.hits in ("all", service) else ())
             for service in services}
    words = [f":{service}" for service in services if service != "icmp"]
    return Network(kind, way, changes,
                   [*words, "-c", str(cycles), "-i", f"{way.interval:g}"], truth)


def when(pick, way, fault):
    """How many cycles there are, and from when to when it happens; None: to the end. It begins and
    ends in the middle between two cycles, so that no probe is near."""
    at = fault.least + pick.randint(5, 40)
    faults = []
    for _ in range(pick.choice((1, 1, 2))):
        begin = at + 0.5
        at += fault.least + pick.randint(0, 60)
        end = at + 0.5
        faults.append((begin * way.interval, end * way.interval))
        at += max(fault.least + pick.randint(0, 60), math.ceil(QUIET_S / way.interval))
    last = at - math.ceil(QUIET_S / way.interval) + fault.least + 60
    if pick.random() < 0.4:
        faults[-1] = (faults[-1][0], None)
        last = math.ceil(faults[-1][0] / way.interval) + fault.least + pick.randint(0, 60)
    return last, faults


def truth_of(way, fault, faults):
    stretches = [Stretch(*FINE)]
    for begin, end in faults:
        stretches.append(Stretch(*fault.kind, way.begin(begin, fault.met, fault.late),
                                 behind=fault.behind, by=fault.by, mute=fault.mute,
                                 # that loss begins somewhere may take longer to show; and who
                                 # rations refusals may have none for one of the services
                                 named=fault.kind != LOSSY and not (fault.mute and way.ration)))
        if end is not None:
            early, late = way.begin(end, fault.met)
            early -= fault.early * way.interval
            late += fault.slow * way.interval
            stretches.append(Stretch("open", fault.after, (early, late)))
    return stretches


# --- what is made of them

@dataclasses.dataclass
class Tally:
    """What was seen of one kind of fault."""
    networks: int = 0
    changes: int = 0
    found: int = 0
    false: int = 0
    errors: list = dataclasses.field(default_factory=list)  # in intervals
    wrong: int = 0  # networks that are not as is true

    def line(self, kind):
        worst = max(self.errors, default=0)
        mean = sum(self.errors) / max(1, len(self.errors))
        return (f"{kind:<11}{self.networks:>9}{self.changes:>9}{self.found:>7}"
                f"{self.changes - self.found:>8}{self.false:>7}{mean:>12.4f}{worst:>11.4f}"
                f"{self.wrong:>7}")


HEADING = ("kind        networks  changes  found  missed  false  mean error  max error  wrong",
           "(errors in intervals)")


def outside(time, window):
    """How far a time is outside of a window."""
    return max(window[0] - time, time - window[1], 0)


def pair(told, windows, reach):
    """Pair each true change with the nearest one that was told, and is not too far away: errors,
    and how many are told that are none."""
    told = list(told)
    errors = []
    for window in windows:
        nearest = min(told, key=lambda time: outside(time, window), default=None)
        if nearest is not None and outside(nearest, window) <= reach:
            told.remove(nearest)
            errors.append(outside(nearest, window))
    return errors, len(told)


def count(tally, network, document):
    """Add one network; what is wrong with it."""
    tally.networks += 1
    faults = []
    for name, truth in network.truth.items():
        service = history.service_of(document, name)
        told = [history.seconds(episode["from"], document) for episode in service["episodes"][1:]]
        windows = [stretch.begin for stretch in truth[1:]]
        errors, false = pair(told, windows, 10 * network.way.interval)
        tally.changes += len(windows)
        tally.found += len(errors)
        tally.false += false + service["episodes_omitted"]
        tally.errors += [error / network.way.interval for error in errors]
        for fault in (*history.complaints(service, truth, document),
                      *history.faults_of_form(service, document, network.way.interval),
                      *end_faults(service, truth)):
            faults.append(f"{name}: {fault}")
    tally.wrong += bool(faults)
    return faults


def end_faults(service, truth):
    codes = history.end_codes(truth)
    if any(stretch.code == "loss_at_destination" for stretch in truth[:-1]):
        codes = [*codes, "outage"]  # not laid down
    if service["verdict"]["code"] not in codes:
        yield f"at the end the code is {service['verdict']['code']}, true is {'|'.join(codes)}"


def measure(sonde, network):
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as scenario:
        scenario.write("\n".join(network.way.lines(network.changes)) + "\n")
        scenario.flush()
        done = subprocess.run(network.command(sonde, scenario.name), capture_output=True, text=True,
                              timeout=300, check=False)
    if not done.stdout:
        raise RuntimeError(f"{done.stderr}\n{shown(network)}")
    return json.loads(done.stdout)


def shown(network):
    """For whoever wants to see it."""
    return "\n".join([*(f"    {line}" for line in network.way.lines(network.changes)),
                      "    sonde " + " ".join(network.command("", "FILE")[1:])])


def try_faults(sonde, seed, networks, pool):
    """Print the table of faults. Returns whether it is as it has to be."""
    tallies = collections.defaultdict(Tally)
    made = [make(seed + number) for number in range(networks)]
    for network, document in zip(made, pool.map(lambda each: measure(sonde, each), made)):
        faults = count(tallies[network.kind], network, document)
        if faults or networks == 1:
            print(f"network {network.way.seed}, {network.kind}:", *faults, shown(network), sep="\n")
    print(*HEADING, *(tally.line(kind) for kind, tally in sorted(tallies.items())), sep="\n")
    return all(tally.wrong <= (LOSS_BAD * tally.changes if kind == "loss" else 0)
               for kind, tally in tallies.items())


def healthy(percent, seed, cycles):
    """A network in which nothing changes. With ten cycles a second, twenty are on the way before
    the first of them is known to be lost."""
    way = Way(seed=seed, interval=(1, 0.1)[seed % 2])
    kind = LOSSY if percent else FINE
    return Network(f"{percent} %", way, [f"rule r3 drop any chance={percent}%"] if percent else [],
                   [":443", "53/udp", "-c", str(cycles), "-i", f"{way.interval:g}"],
                   {name: [Stretch(*kind)] for name in ("icmp", "443/tcp", "53/udp")})


def try_healthy(sonde, seed, cycles, pool):
    """Print the table of healthy networks. Returns whether nothing is told to have changed."""
    made = []
    runs = max(len(HEALTHY), math.ceil(cycles / HEALTHY_CYCLES))
    for number in range(runs):
        made.append(healthy(HEALTHY[number % len(HEALTHY)], seed + number, cycles // runs))
    done = collections.Counter()
    false = collections.Counter()
    for network, document in zip(made, pool.map(lambda each: measure(sonde, each), made)):
        done[network.kind] += cycles // runs
        for name in network.truth:
            service = history.service_of(document, name)
            changes = len(service["episodes"]) - 1 + service["episodes_omitted"]
            false[network.kind] += changes
            if changes:
                print(f"{name}: {history.shown(service, document)}", shown(network), sep="\n")
    print("\nloss      cycles  false changes")
    for kind, number in done.items():
        print(f"{kind:>4}{number:>12}{false[kind]:>15}")
    return sum(false.values()) == 0


def main():
    sonde, *numbers = sys.argv[1:]
    seed, networks, cycles = map(int, numbers)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        is_well = try_faults(sonde, seed, networks, pool) if networks else True
        if cycles:
            is_well = try_healthy(sonde, seed, cycles, pool) and is_well
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
