#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What holds now, since when, and what was before: times.py SONDE [CASE...]

A table of networks in which something changes, in virtual time, each with the truth about every
service: the stretches of its life, from when to when, what it showed, and where the culprit is. The
truth is worked out by hand from the network. Nothing of it was copied from a run.

    vantage - r1 - r2 - r3 - r4 - h         each link takes as long as the next, there and back

Changes come half-way between two cycles, so the first probe that meets one is that of the next
cycle. A probe meets a rule when it gets to the rule's node: it may have left earlier, by the time
that the way there takes. Hence a change at T at a node that is W away begins between T - W and
T - W and one interval.

A router that drops in its forward chain still answers what expires on it: it is seen, and what is
behind it is not (`behind`).
"""
import concurrent.futures
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema

import history
import run
from history import Stretch

TARGET = {4: "203.0.113.10", 6: "2001:db8:f::10"}
FINE = ("open", "ok")
LOSSY = ("open", "loss_at_destination")
DEAD = ("unreachable", "host_unreachable")
FILTERED = ("filtered", "port_filtered")
CLOSED = ("closed", "port_closed")
REJECTED = ("rejected", "port_rejected")
SLOWER = ("open", "latency_changed")
# A probe in three or more is lost: of twelve in a row one at least, but for one time in 130.
# Which are lost follows from the seed.
CHANCY = 12
MOST = 20  # faults of one case that are shown


@dataclasses.dataclass
class Way:
    """A chain of routers and a host, and how it is looked at."""
    hops: int = 5  # routers and host
    rtt_ms: float = 20
    interval: float = 1
    family: int = 4
    host: str = "tcp:*=open udp:53=dns"
    jitter_us: int = 100
    ration: str = ""
    seed: int = 1
    path: str = ""    # if it is not straight
    more: tuple = ()  # statements before the path

    @property
    def link(self):
        """Seconds that a link takes."""
        return self.rtt_ms / 2000 / self.hops

    def lines(self, changes):
        address = "10.{}.0.1" if self.family == 4 else "2001:db8:{}::1"
        yield f"seed {self.seed}"
        yield f"vantage me {'198.18.0.2' if self.family == 4 else '2001:db8::2'}"
        link = f"delay={self.link * 1e9:.0f}ns jitter={self.jitter_us}us"
        for hop in range(1, self.hops):
            yield f"router r{hop} {address.format(hop)} {link} {self.ration}"
        yield from (line.format(link=link) for line in self.more)
        yield f"host h {TARGET[self.family]} {link} {self.host} {self.ration}"
        straight = " ".join(f"r{hop}" for hop in range(1, self.hops))
        yield f"path h {self.path or straight}"
        yield from changes

    def held_up(self, was):
        """Seconds that the next SYN may leave later than an interval after one that met what was.
        It waits for the answer to the one before, or until that is given up after 2 s. Where
        answers were lost, a half-open connection is left at the host: the first SYN after that is
        answered with what was meant for an old one."""
        if self.rtt_ms / 1000 < self.interval / 3:
            return 0
        return 4 if was in (DEAD, FILTERED) else self.rtt_ms / 1000

    def begin(self, time, hop, late=0):
        """When a stretch begins that a change at a hop makes: between when and when. On the way
        back the hops go on being counted. With `late` it may begin some intervals later: the first
        probes may have passed by chance, or left later."""
        # Packets of a cycle are spread a little; the jitter is of each link, on each way.
        slack = 0.01 + 0.02 * self.interval
        left = time - hop * self.link
        return (left - 2 * self.hops * self.jitter_us / 1e6 - 0.001,
                left + (1 + late) * self.interval + slack)


@dataclasses.dataclass
class Case:
    """One network, how sonde is called, and what is true of each service."""
    name: str
    why: str
    changes: list
    words: str
    truth: dict          # of each service: a list of stretches, several such, or a function
    exit: int = 0
    way: Way = dataclasses.field(default_factory=Way)
    end: dict = dataclasses.field(default_factory=dict)  # codes, if not history.end_codes()
    path_change: tuple = None  # TTL, from, to, and when, of each path
    lossless: bool = False     # nothing that left got lost
    text: tuple = ()     # patterns of lines of the text report


CASES = []


def case(name, why, changes, words, truth, exit_code=0, way=None, **more):
    CASES.append(Case(name, why, changes, words, truth, exit_code, way or Way(), **more))


def span(way, *stretches):
    """Stretches of (kind, time, hop of what changes, blame); of the first the kind may be enough,
    and without a time it begins with the run."""
    made = []
    was = None
    for what, time, hop, blame in (each + (None, 0, {})[len(each) - 1:] for each in stretches):
        late = way.held_up(was) / way.interval
        made.append(Stretch(*what, None if time is None else way.begin(time, hop, late), **blame))
        was = what
    return made


def behind(hop):
    return {"behind": hop}


def by(hop):
    return {"by": hop}


BASE = Way()
ALL = ("icmp", "443/tcp", "22/tcp")
PORTS = ":443 :22"


def everything(way, faults, name, why, words=PORTS, services=ALL, exit_code=0, action="drop any",
               hop=3, blame=None, last=100, text=()):
    """Whatever passes a hop is lost, each time from when to when; None: to the end."""
    blame = blame or behind(hop)
    met = 2 * way.hops - hop if "dir=back" in action else hop
    changes = []
    stretches = [(FINE,)] if faults[0][0] > 0 else []
    for begin, end in faults:
        until = "" if end is None else f" until={end}s"
        changes.append(f"rule r{hop} {action} from={begin}s{until}")
        stretches.append((DEAD, begin or None, met, blame))
        if end is not None:
            stretches.append((FINE, end, met))
    truth = span(way, *stretches)
    case(name, why, changes, f"{words} -c {last} -i {way.interval:g}",
         {service: truth for service in services}, exit_code, way, text=text)


# --- everything is out

everything(BASE, [(30.5, 60.5)], name="out-in-the-middle",
           text=(r"00:00:31\b.*00:01:01\b.*\bhop 3\b",),
           why="r3 forwards nothing for 30 s: three stretches of all services, the last fine")
everything(BASE, [(0, 30.5)], name="out-at-the-start",
           why="nothing is known of the host when it begins; since when it answers is known")
everything(BASE, [(60.5, None)], name="out-until-the-end", exit_code=1,
           why="the state is unreachable now, however many answers there were before")
everything(BASE, [(100.5, 130.5), (800.5, 850.5)], name="out-twice-far-apart", last=900,
           why="700 s lie between the two: no ten minutes have three changes, so both are told")
everything(BASE, [(60.5, None)], name="out-in-the-last-hour", last=3660, exit_code=1,
           why="as long as it may have lasted, it began when it did")
everything(BASE, [(3600.5, None)], name="out-after-an-hour", last=3640, exit_code=1,
           why="an hour of answers does not outvote forty seconds of silence")
everything(BASE, [(30.5, 60.5)], hop=1, name="out-behind-the-first-hop",
           why="the bracket moves with the culprit")
everything(BASE, [(30.5, 60.5)], hop=4, name="out-behind-the-last-hop",
           why="nothing of the host answers, all of the way does")
everything(BASE, [(30.5, 60.5)], words="", services=("icmp",), name="out-icmp-alone",
           why="no service was asked for: the host itself has its episodes")
everything(BASE, [(30.5, 60.5)], words=":443 --no-icmp", services=("443/tcp",),
           name="out-tcp-alone", why="without the ping beside it; a control stands by")
everything(BASE, [(30.5, 60.5)], words="53/udp", services=("icmp", "53/udp"), name="out-udp",
           why="a UDP service that had answered is unreachable as the host is")
everything(BASE, [(30.5, 60.5)], words=" ".join(f":{2000 + n}" for n in range(16)),
           services=("icmp", *(f"{2000 + n}/tcp" for n in range(16))), name="out-16-services",
           why="sixteen services go out and come back together")
everything(BASE, [(30.5, 60.5)], words=":443 --flows 4", services=("icmp", "443/tcp"),
           name="out-four-flows", why="a service of several flows, that all go out together")
everything(BASE, [(30.5, 60.5)], words=":443 :22 53/udp --unprivileged",
           services=(*ALL, "53/udp"), name="out-unprivileged",
           why="the same without raw sockets")

SLOW = Way(interval=60)
everything(SLOW, [(1830, 3630)], name="out-of-half-an-hour-once-a-minute",
           why="a cycle a minute, thirty of them are lost")
FAST = Way(interval=0.1)
everything(FAST, [(20.05, 40.05)], name="out-ten-times-a-second", last=600,
           why="two hundred cycles of a tenth of a second are lost")
NEAR = Way(rtt_ms=0.2, jitter_us=1)
everything(NEAR, [(30.5, 60.5)], name="out-near", why="a round trip of 0.2 ms")
FAR = Way(rtt_ms=600)
everything(FAR, [(30.5, 60.5)], name="out-far",
           why="a round trip of 600 ms: what had passed r3 before it went out still comes back")
FAR_FAST = Way(rtt_ms=600, interval=0.1)
everything(FAR_FAST, [(20.05, 40.05)], name="out-far-and-fast", last=600,
           why="six cycles are in flight when it begins")
SIX = Way(family=6)
everything(SIX, [(30.5, 60.5)], words=":443 :22 53/udp", services=(*ALL, "53/udp"), name="out-ipv6",
           why="the same over IPv6")
everything(BASE, [(30.5, 60.5)], action="reject any code=1", blame=by(3), name="no-host",
           why="r3 says host unreachable for 30 s: it is the culprit's own word")
everything(BASE, [(30.5, 60.5)], action="drop any dir=back", name="out-on-the-way-back",
           why="the answers are lost behind hop 3 as seen from here; r4's are, too")
RATIONED = Way(ration="limit=1 burst=6")
everything(RATIONED, [(30.5, 60.5)], name="out-among-rationing-routers",
           why="routers and host ration their ICMP errors as Linux does")

case("host-dead-and-back", "the host takes nothing in for 30 s; the way to it is fine",
     ["rule h drop any hook=prerouting from=30.5s until=60.5s"], f"{PORTS} -c 100",
     {name: span(BASE, (FINE,), (DEAD, 30.5, 5, behind(4)), (FINE, 60.5, 5)) for name in ALL})
case("host-dead-until-the-end", "and if it stays dead, that is what holds",
     ["rule h drop any hook=prerouting from=60.5s"], f"{PORTS} -c 100",
     {name: span(BASE, (FINE,), (DEAD, 60.5, 5, behind(4))) for name in ALL}, 1)
case("loop-for-a-while", "r3 and r4 send it to and fro for 30 s",
     ["at 30.5s path h r1 r2 loop r3 r4", "at 60.5s path h r1 r2 r3 r4"], f"{PORTS} -c 100",
     # The ways are laid out when a probe leaves, so no way to a node counts.
     {name: span(BASE, (FINE,), (("unreachable", "routing_loop"), 30.5, 0, behind(3)),
                 (("open", "ok|path_changed"), 60.5, 0)) for name in ALL})
case("loop-until-the-end", "and if they go on",
     ["at 60.5s path h r1 r2 loop r3 r4"], f"{PORTS} -c 100",
     {name: span(BASE, (FINE,), (("unreachable", "routing_loop"), 60.5, 0, behind(3)))
      for name in ALL}, 1)


# --- one port

def one_port(name, why, rules, stretches, words=f"{PORTS} -c 100", exit_code=0, way=BASE,
             service="443/tcp", others=("icmp", "22/tcp"), **more):
    """Something happens to one service, and nothing to the others."""
    truth = {other: span(way, (FINE,)) for other in others}
    truth[service] = span(way, *stretches)
    case(name, why, rules, words, truth, exit_code, way, **more)


one_port("port-filtered-until-the-end", "what answered for a minute and is dropped now is filtered",
         ["rule r3 drop tcp:443 from=60.5s"], [(FINE,), (FILTERED, 60.5, 3, behind(3))],
         exit_code=1, text=(r"443/tcp +filtered since 00:01:01\b.*before that open\b",))
one_port("port-filtered-in-the-middle", "and it is open again: an outage that is over",
         ["rule r3 drop tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)])
one_port("port-filtered-before-routing", "r3 drops it before it looks at the TTL: lost behind r2",
         ["rule r3 drop tcp:443 hook=prerouting from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(2)), (FINE, 60.5, 3)])
one_port("port-filtered-at-the-host", "the host itself drops it, or its answers get lost",
         ["rule h drop tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 5, behind(4)), (FINE, 60.5, 5)])
one_port("port-filtered-among-sixteen", "one of sixteen: what is said of it does not change",
         ["rule r2 drop tcp:2007 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 2, behind(2)), (FINE, 60.5, 2)],
         words=" ".join(f":{2000 + n}" for n in range(16)) + " -c 100", service="2007/tcp",
         others=("icmp", *(f"{2000 + n}/tcp" for n in range(16) if n != 7)))
one_port("port-filtered-once-a-minute", "a cycle a minute",
         ["rule r3 drop tcp:443 from=1830s until=3630s"],
         [(FINE,), (FILTERED, 1830, 3, behind(3)), (FINE, 3630, 3)], words=f"{PORTS} -c 100 -i 60",
         way=SLOW)
one_port("port-filtered-ten-times-a-second", "ten cycles a second",
         ["rule r3 drop tcp:443 from=20.05s until=40.05s"],
         [(FINE,), (FILTERED, 20.05, 3, behind(3)), (FINE, 40.05, 3)],
         words=f"{PORTS} -c 600 -i 0.1", way=FAST)
one_port("port-filtered-far", "a round trip of 600 ms",
         ["rule r3 drop tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)], way=FAR)
one_port("port-filtered-unprivileged", "without raw sockets",
         ["rule r3 drop tcp:443 from=60.5s"], [(FINE,), (FILTERED, 60.5, 3, behind(3))],
         words=f"{PORTS} -c 100 --unprivileged", exit_code=1)
one_port("port-filtered-ipv6", "over IPv6",
         ["rule r3 drop tcp:443 from=60.5s"], [(FINE,), (FILTERED, 60.5, 3, behind(3))],
         exit_code=1, way=SIX)
one_port("port-filtered-at-the-start", "and open since",
         ["rule r3 drop tcp:443 until=30.5s"],
         [(FILTERED, None, 3, behind(3)), (FINE, 30.5, 3)])
one_port("udp-filtered-in-the-middle", "a resolver's questions are dropped by r3",
         ["rule r3 drop udp:53 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)], words=":443 53/udp -c 100",
         service="53/udp", others=("icmp", "443/tcp"))
one_port("udp-silent-at-the-host",
         "it has answered, but what its silence means is as open now as it would be at the start",
         ["rule h drop udp:53 from=60.5s"],
         [(FINE,), (("open_or_filtered", "udp_unconfirmed"), 60.5, 5)], words=":443 53/udp -c 100",
         exit_code=1, service="53/udp", others=("icmp", "443/tcp"))
one_port("icmp-filtered-in-the-middle", "pings are dropped, the ports that stand by are not",
         ["rule r3 drop icmp from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)], words="-c 100",
         service="icmp", others=())
one_port("open-closed-open", "nobody listens for 30 s: the host itself says so",
         ["rule h reset tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (CLOSED, 30.5, 5), (FINE, 60.5, 5)])
one_port("closed-open-closed", "somebody listens for 30 s",
         ["rule h answer tcp:443 from=30.5s until=60.5s"],
         [(CLOSED,), (FINE, 30.5, 5), (CLOSED, 60.5, 5)], exit_code=1,
         way=Way(host="tcp:443=closed tcp:*=open"))
one_port("udp-closed-in-the-middle", "nobody listens on 53/udp for 30 s: the host says so",
         ["rule h reject udp:53 code=3 from=30.5s until=60.5s"],
         [(FINE,), (CLOSED, 30.5, 5), (FINE, 60.5, 5)], words=":443 53/udp -c 100",
         service="53/udp", others=("icmp", "443/tcp"))
one_port("closed-as-is-wanted", "a port that is to be closed, and is so since a minute",
         ["rule h reset tcp:443 from=60.5s"],
         [(("open", "port_unexpectedly_open"),), (("closed", "ok"), 60.5, 5)],
         words=f"{PORTS} -c 100 --expect 443=closed",
         # whether that it was open is an outage is not laid down
         end={"443/tcp": ["ok", "outage"]})
one_port("filtered-as-is-wanted-no-more", "a port that is to be filtered, and is open now",
         ["rule r3 drop tcp:443 until=60.5s"],
         [(("filtered", "ok"),), (("open", "port_unexpectedly_open"), 60.5, 3)],
         words=f"{PORTS} -c 100 --expect 443=filtered", exit_code=1)
one_port("closed-to-filtered", "a firewall goes up before a port that was closed",
         ["rule r3 drop tcp:443 from=60.5s"], [(CLOSED,), (FILTERED, 60.5, 3, behind(3))],
         exit_code=1, way=Way(host="tcp:443=closed tcp:*=open"))
one_port("rejected-in-the-middle", "r3 refuses the port for 30 s",
         ["rule r3 reject tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (REJECTED, 30.5, 3, by(3)), (FINE, 60.5, 3)])
one_port("rejected-until-the-end", "r2 refuses the port, and goes on doing so",
         ["rule r2 reject tcp:443 from=60.5s"], [(FINE,), (REJECTED, 60.5, 2, by(2))],
         exit_code=1)
one_port("rejected-to-filtered", "first r3 says that it refuses, then it does so silently",
         ["rule r3 reject tcp:443 until=60.5s", "rule r3 drop tcp:443 from=60.5s"],
         [(REJECTED, None, 3, by(3)), (FILTERED, 60.5, 3, behind(3))], exit_code=1)
one_port("udp-rejected-by-a-router", "and the resolver's port, by r3",
         ["rule r3 reject udp:53 from=30.5s until=60.5s"],
         [(FINE,), (REJECTED, 30.5, 3, by(3)), (FINE, 60.5, 3)], words=":443 53/udp -c 100",
         service="53/udp", others=("icmp", "443/tcp"))
case("two-ports-at-two-times", "each has its own times and its own culprit",
     ["rule r3 drop tcp:443 from=30.5s until=60.5s", "rule r1 reject tcp:22 from=45.5s"],
     f"{PORTS} -c 100",
     {"icmp": span(BASE, (FINE,)),
      "443/tcp": span(BASE, (FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)),
      "22/tcp": span(BASE, (FINE,), (REJECTED, 45.5, 1, by(1)))}, 1)
case("out-and-then-filtered", "everything is out from 50 s to 80 s, and 443/tcp from 100 s on",
     ["rule r3 drop any from=50s until=80s", "rule r3 drop tcp:443 from=100s"],
     f"{PORTS} -c 200",
     # An outage, and 20 s later a filter: three changes in ten minutes, but not to and fro.
     {"443/tcp": span(BASE, (FINE,), (DEAD, 50, 3, behind(3)), (FINE, 80, 3),
                      (FILTERED, 100, 3, behind(3))),
      **{name: span(BASE, (FINE,), (DEAD, 50, 3, behind(3)), (FINE, 80, 3))
         for name in ("22/tcp", "icmp")}}, 1, Way(rtt_ms=36),
     text=(r"443/tcp +filtered since 00:01:4[01]\b.*before that open\b",
           r"00:00:50.*00:01:20.*(all services|icmp|443/tcp).*\bhop 3\b"))


# --- few probes

QUIET = "open", "ok|loss_at_destination"  # so few lost are a rate of loss, and no episode
one_port("two-lost", "two lost probes in a row are nothing",
         ["rule r3 drop tcp:443 from=50.5s until=52.5s"], [(QUIET,)])
one_port("two-lost-at-the-end", "nor are two at the end",
         ["rule r3 drop tcp:443 from=97.5s"], [(QUIET,)])
one_port("three-lost-at-the-end", "three cycles of clean silence after clean answers are enough",
         ["rule r3 drop tcp:443 from=96.5s"], [(FINE,), (FILTERED, 96.5, 3)], exit_code=1)
one_port("four-lost", "and four are over before anybody has looked closely where it was",
         ["rule r3 drop tcp:443 from=50.5s until=54.5s"],
         [(FINE,), (FILTERED, 50.5, 3, {"behind": 3, "named": False}), (FINE, 54.5, 3)])
one_port("one-refused", "one answer of another kind is nothing",
         ["rule r3 reject tcp:443 from=50.5s until=51.5s"],
         [(("open", "ok|loss_at_destination|port_rejected"),)])
one_port("two-refused", "two in a row are a change, and two others end it",
         ["rule r3 reject tcp:443 from=50.5s until=52.5s"],
         [(FINE,), (REJECTED, 50.5, 3, by(3)), (FINE, 52.5, 3)])
one_port("one-slow", "one answer that takes 300 ms longer is nothing",
         ["rule r3 hold=300ms tcp:443 dir=back from=50.5s until=51.5s"], [(FINE,)])
one_port("two-lost-now-and-then", "ten times in a thousand cycles two are lost: that is loss",
         [f"rule r3 drop tcp:443 from={100 * n + 50.5}s until={100 * n + 52.5}s"
          for n in range(10)], [(QUIET,)], words=f"{PORTS} -c 1000")
# Whether such loss began when the first were lost is not laid down.
CASES[-1].truth["443/tcp"] = [CASES[-1].truth["443/tcp"],
                              [Stretch(*FINE), Stretch(*LOSSY, (0, 1000))]]


# --- to and fro

UNSTABLE = ("open|filtered|unreachable|unknown|rejected", "unstable")


def flapping(way, begin, end, hop, last):
    """What flaps is one stretch; whether it ends with the last change or goes on for as long as
    three changes lie within ten minutes is not laid down."""
    first = span(way, (FINE,), (UNSTABLE, begin, hop))
    return [first, [*first, *span(way, (FINE,), (last, end, hop))[1:]]]


case("flapping", "ten seconds without, ten with, eight times: one stretch, and no row of outages",
     [f"rule r3 drop tcp:443 from={30.5 + 20 * n}s until={40.5 + 20 * n}s" for n in range(8)],
     f"{PORTS} -c 300",
     {"443/tcp": flapping(BASE, 30.5, 180.5, 3, FINE), "22/tcp": span(BASE, (FINE,)),
      "icmp": span(BASE, (FINE,))}, end={"443/tcp": ["unstable"]})
case("flapping-all", "the same of everything",
     [f"rule r3 drop any from={30.5 + 20 * n}s until={40.5 + 20 * n}s" for n in range(8)],
     f"{PORTS} -c 300", {name: flapping(BASE, 30.5, 180.5, 3, FINE) for name in ALL},
     end={name: ["unstable"] for name in ALL})
case("flapping-between-open-and-closed", "a service that is restarted again and again",
     [f"rule h reset tcp:443 from={30.5 + 20 * n}s until={40.5 + 20 * n}s" for n in range(8)],
     f"{PORTS} -c 300",
     {"443/tcp": flapping(BASE, 30.5, 180.5, 5, FINE), "22/tcp": span(BASE, (FINE,)),
      "icmp": span(BASE, (FINE,))}, end={"443/tcp": ["unstable"]})
case("flapping-and-then-out", "and then it stays away: for an hour it has been filtered",
     [*(f"rule r3 drop tcp:443 from={30.5 + 20 * n}s until={40.5 + 20 * n}s" for n in range(8)),
      "rule r3 drop tcp:443 from=190.5s"], f"{PORTS} -c 3800",
     {"443/tcp": [[*span(BASE, (FINE,), (UNSTABLE, 30.5, 3)), *span(BASE, *end)]
                  for end in ([(FILTERED, 190.5, 3, behind(3))],
                              [(FINE, 180.5, 3), (FILTERED, 190.5, 3, behind(3))])],
      "22/tcp": span(BASE, (FINE,)), "icmp": span(BASE, (FINE,))}, 1)


# --- loss

def lossy(name, why, rules, stretches, hop=3, culprit=3, named=True, words=f"{PORTS} -c 400",
          way=BASE, chancy=CHANCY, **more):
    """Loss of everything: (kind, time) each. It may take some probes until the first is lost, and
    the last may be lost some before it ends."""
    truth = []
    for what, *time in stretches:
        is_lossy = "loss_at_destination" in what[1]
        stretch = Stretch(*what, None, behind=culprit if is_lossy else None, named=named)
        if time:
            early, late = way.begin(time[0], hop, chancy if is_lossy else 0)
            stretch.begin = (early if is_lossy else early - chancy * way.interval, late)
        truth.append(stretch)
    case(name, why, rules, words, {service: truth for service in ALL}, 0, way, **more)


# Whether loss that is over leaves the service "ok" or with a past that is told is not laid down.
OVER = {name: ["ok", "outage"] for name in ALL}
lossy("loss-from-a-moment-on", "thirty percent from 100 s on: it is no loss of the minutes before",
      ["rule r3 drop any chance=30% from=100.5s"], [(FINE,), (LOSSY, 100.5)])
lossy("loss-in-the-middle", "and over after 200 s",
      ["rule r3 drop any chance=30% from=100.5s until=300.5s"],
      [(FINE,), (LOSSY, 100.5), (FINE, 300.5)], words=f"{PORTS} -c 600", end=OVER)
lossy("loss-at-the-start", "it was lossy, and is no more",
      ["rule r3 drop any chance=30% until=200.5s"], [(LOSSY,), (FINE, 200.5)], end=OVER)
lossy("loss-and-then-out", "thirty percent, and then nothing at all",
      ["rule r3 drop any chance=30% until=200.5s", "rule r3 drop any from=200.5s"],
      [(LOSSY,)], end={})
CASES[-1].exit = 1
for service in ALL:
    # The last probes before may have been lost by chance: nobody can tell these from the outage.
    early, late = BASE.begin(200.5, 3)
    CASES[-1].truth[service] = [*CASES[-1].truth[service],
                                Stretch(*DEAD, (early - CHANCY, late), behind=3)]
lossy("loss-on-the-way-back", "half of what comes back is lost at r2",
      ["rule r2 drop any dir=back chance=50% from=100.5s"], [(FINE,), (LOSSY, 100.5)], hop=8,
      culprit=2)
# Who loses some is asked only about twice a second.
lossy("loss-ten-times-a-second", "ten cycles a second",
      ["rule r3 drop any chance=30% from=50.5s until=100.5s"],
      [(FINE,), (LOSSY, 50.5), (FINE, 100.5)], words=f"{PORTS} -c 1500 -i 0.1", way=FAST,
      named=False, end=OVER, chancy=40)
ENDLESS = f"{PORTS} -c 10000"
for percent in (1, 2, 5, 10, 20, 30):
    lossy(f"steady-loss-of-{percent}-percent", "10,000 cycles, each lost or not by chance alone",
          [f"rule r3 drop any chance={percent}%"], [(QUIET if percent < 3 else LOSSY,)],
          words=ENDLESS, named=percent >= 10)
case("steady-loss-of-one-port", "the others lose nothing", ["rule r3 drop tcp:443 chance=20%"],
     ENDLESS, {"443/tcp": [Stretch(*LOSSY, behind=3)], "22/tcp": [Stretch(*FINE)],
               "icmp": [Stretch(*FINE)]})


def bursty(service, document):
    """Loss in bursts is loss, or to and fro; it is never told as a row of outages. It may be told
    apart from the time before the first burst."""
    episodes = service["episodes"]
    told = history.shown(service, document)
    last = episodes[-1]["code"] if episodes else "ok"
    if service["episodes_omitted"] or not 0 < len(episodes) <= 10:
        yield f"{len(episodes) + service['episodes_omitted']} episodes: {told}"
    for number, episode in enumerate(episodes):
        if episode["code"] not in ("loss_at_destination", "unstable", *(["ok"] * (number == 0))):
            yield f"it is called {episode['code']}: {told}"
    if last == "ok" or service["verdict"]["code"] not in ("loss_at_destination", "unstable"):
        yield f"the verdict is {service['verdict']['code']}: {told}"


bursty.example = [Stretch(*LOSSY)]  # what passes

for bursts in ("2s/20s", "5s/30s", "3s/10s chance=50%", "1s/5s"):
    case(f"bursts-of-{bursts.split()[0].replace('/', '-in-')}", "Gilbert's and Elliott's model",
         [f"rule r3 drop any bursts={bursts}"], ENDLESS, {name: bursty for name in ALL})


# --- nothing to be told in 10,000 cycles

FIVE = ("router r5 10.5.0.1 {link}", "router r6 10.6.0.1 {link}")
case("nothing-happens", "10,000 cycles", [], ENDLESS, {name: [Stretch(*FINE)] for name in ALL})
case("nothing-happens-among-rationing-routers", "10,000 cycles", [], ENDLESS,
     {name: [Stretch(*FINE)] for name in ALL}, way=RATIONED)
case("nothing-happens-on-ways-by-packet", "three ways of a length, packet by packet", [], ENDLESS,
     {name: [Stretch(*FINE)] for name in ALL}, way=Way(path="r1 { r2 | r5 | r6 }! r3 r4",
                                                           more=FIVE))
case("nothing-happens-with-much-jitter", "each link takes up to 20 ms longer, each way", [],
     ENDLESS, {name: [Stretch(*FINE)] for name in ALL}, way=Way(jitter_us=20000))
case("another-way-of-equal-length", "every 500 s another router at TTL 3: no change of the service",
     [f"at {500.5 + 1000 * n}s path h r1 r2 r5 r4" for n in range(10)]
     + [f"at {1000.5 + 1000 * n}s path h r1 r2 r3 r4" for n in range(9)], ENDLESS,
     {name: [Stretch("open", "ok|path_changed")] for name in ALL}, way=Way(more=FIVE))
case("a-longer-way", "a router more from 100 s on, which takes no time: no change of the service",
     ["at 100.5s path h r1 r2 r5 r3 r4"], f"{PORTS} -c 200",
     {name: [Stretch("open", "ok|path_changed")] for name in ALL},
     way=Way(more=("router r5 10.5.0.1 delay=10us",)),
     path_change=(3, ["10.3.0.1"], ["10.5.0.1"], 100.5))
case("a-shorter-way", "and a router less",
     ["at 100.5s path h r1 r2 r3 r4"], f"{PORTS} -c 200",
     {name: [Stretch("open", "ok|path_changed")] for name in ALL},
     way=Way(more=("router r5 10.5.0.1 delay=10us",), path="r1 r2 r5 r3 r4"),
     path_change=(3, ["10.5.0.1"], ["10.3.0.1"], 100.5))


# --- more than are listed

OUTAGES = [(900 * n + 100.5, 900 * n + 160.5) for n in range(40)]


def last_64(stretches):
    """Of a long life the last 64 stretches are listed, and the others are counted."""
    def check(service, document):
        left = len(stretches) - len(service["episodes"])
        if (len(service["episodes"]), service["episodes_omitted"]) != (64, left):
            yield (f"{len(service['episodes'])} episodes and {service['episodes_omitted']} omitted "
                   f"of {len(stretches)}")
        elif service["verdict"]["code"] != "outage":
            yield f"the verdict is {service['verdict']['code']}, true is outage"
        else:
            listed = {**service, "episodes_omitted": 0}
            yield from history.complaints(listed, stretches[-64:], document)
    check.example = stretches
    return check


case("forty-outages", "of a minute, fifteen minutes apart: 81 stretches",
     [f"rule r3 drop any from={begin}s until={end}s" for begin, end in OUTAGES],
     f"{PORTS} -c 36000",
     {name: last_64(span(BASE, (FINE,), *(stretch for begin, end in OUTAGES for stretch in
                                          ((DEAD, begin, 3, behind(3)), (FINE, end, 3)))))
      for name in ALL})


# --- round trips

def slower(name, why, changes, times, words=f"{PORTS} -c 200", code="latency_changed", **more):
    """Of the way back from the host, or of both: when a probe leaves decides. What it is called
    when the round trip is again what it was is not laid down."""
    truth = [Stretch(*FINE)]
    for number, (time, hop) in enumerate(times):
        codes = code if number % 2 == 0 else f"ok|{code}"
        begin = BASE.begin(time, hop)
        truth.append(Stretch("open", codes, begin))
    case(name, why, changes, words, {service: truth for service in ALL}, 0,
         Way(more=("router r5 10.5.0.1 delay=22ms",)), **more)


# By another path: it is two findings at once, and the code is that of one of them.
slower("slower-by-another-path", "40 ms more by another router at TTL 3",
       ["at 100.5s path h r1 r2 r5 r4"], [(100.5, 0)], code="latency_changed|path_changed",
       path_change=(3, ["10.3.0.1"], ["10.5.0.1"], 100.5))
slower("slower-by-another-path-for-a-while", "and back again",
       ["at 60.5s path h r1 r2 r5 r4", "at 130.5s path h r1 r2 r3 r4"], [(60.5, 0), (130.5, 0)],
       code="latency_changed|path_changed", path_change=(3, ["10.3.0.1"], ["10.5.0.1"], 60.5))
# What comes back meets r3 as the seventh of ten hops, there and back.
slower("slower-on-the-way-back", "40 ms more on the way back alone: no router on the way is new",
       ["rule r3 hold=40ms any dir=back from=100.5s"], [(100.5, 7)])
slower("slower-on-the-way-back-for-a-while", "and over",
       ["rule r3 hold=40ms any dir=back from=60.5s until=130.5s"], [(60.5, 7), (130.5, 7)])
# It is a change, but nothing to complain about.
slower("faster", "40 ms less: a change, too",
       ["rule r3 hold=40ms any dir=back until=100.5s"], [(100.5, 7)], code="latency_changed|ok")


# --- several ways, whose members fail one after the other

MEMBERS = ["rule r2 drop tcp:443 from=50.5s", "rule r5 drop tcp:443 from=150.5s",
           "rule r6 drop tcp:443 from=250.5s"]
SOME = ("open", "loss_on_some_paths|loss_at_destination")
BY_FLOW = Way(path="r1 { r2 | r5 | r6 } r3 r4", more=FIVE, seed=4)
BY_PACKET = Way(path="r1 { r2 | r5 | r6 }! r3 r4", more=FIVE, seed=4)


def members(way, late):
    """From one way that fails to all: whether it is told that two of three are worse than one of
    three is not laid down."""
    def at(time, late_there):
        early, latest = way.begin(time, 2, late_there)
        return early, latest
    one = Stretch(*SOME, at(50.5, late), behind=2, named=False)
    two = Stretch(*SOME, at(150.5, late), behind=2, named=False)
    early, latest = way.begin(250.5, 2)
    # of three, two were dead: the last before all are may have been lost for that reason
    none = Stretch(*FILTERED, (early - (2 * late), latest), behind=2)
    return [[Stretch(*FINE), one, none], [Stretch(*FINE), one, two, none]]


case("ways-by-flow-fail-in-turn", "eight flows over three ways, which fail one after the other",
     MEMBERS, ":443 --flows 8 -c 350",
     {"443/tcp": members(BY_FLOW, 0), "icmp": [Stretch(*FINE)]}, 1, BY_FLOW)
case("ways-by-packet-fail-in-turn", "each packet takes one of three ways by chance",
     MEMBERS, ":443 -c 350",
     {"443/tcp": members(BY_PACKET, CHANCY), "icmp": [Stretch(*FINE)]}, 1, BY_PACKET)


# --- here

HERE = ("unknown", "no_route")
# That it could not be sent is no outage of the network, and no loss of it.
NOT_THE_NETWORK = {name: ["ok", "no_route", "local_blocked", "outage"] for name in ALL}


for error, code in (("ENETUNREACH", "no_route"), ("EPERM", "local_blocked")):
    kind = ("unknown", code)
    case(f"here-{error.lower()}-for-a-while", "nothing could be sent for 30 s: nobody out there",
         [f"rule me fail={error} any from=30.5s until=60.5s"], f"{PORTS} -c 100",
         {name: span(BASE, (FINE,), (kind, 30.5, 0), (FINE, 60.5, 0)) for name in ALL},
         end=NOT_THE_NETWORK, lossless=True)
case("here-no-route-until-the-end", "and that is what holds: it cannot be measured",
     ["rule me fail=ENETUNREACH any from=60.5s"], f"{PORTS} -c 100",
     {name: span(BASE, (FINE,), (HERE, 60.5, 0)) for name in ALL}, 3,
     end={name: ["no_route"] for name in ALL}, lossless=True)
case("here-one-port-is-blocked", "this machine's firewall drops 443/tcp, and nothing else",
     ["rule me fail=EPERM tcp:443 from=30.5s until=60.5s"], f"{PORTS} -c 100",
     {"443/tcp": span(BASE, (FINE,), (("unknown", "local_blocked"), 30.5, 0), (FINE, 60.5, 0)),
      "22/tcp": [Stretch(*FINE)], "icmp": [Stretch(*FINE)]}, end=NOT_THE_NETWORK, lossless=True)


# --- trying them

def call(sonde, scenario, each, *form):
    return subprocess.run([sonde, *form, "-n", "--virtual-time", "--simulate", scenario,
                           TARGET[each.way.family], *each.words.split()],
                          capture_output=True, text=True, timeout=300, check=False)


def of_service(service, truth, document):
    """What is wrong with a service; its truth is a list of stretches, several such of which one is
    true, or a function that finds fault."""
    if callable(truth):
        return list(truth(service, document))
    if isinstance(truth[0], Stretch):
        return history.complaints(service, truth, document)
    all_faults = [history.complaints(service, one, document) for one in truth]
    return min(all_faults, key=len)


def of_end(service, truth, codes, way):
    """What is wrong with what is said of now."""
    if callable(truth):
        return
    one = truth if isinstance(truth[0], Stretch) else truth[0]
    if codes is None:
        codes = history.end_codes(one)
        is_fine = (one[-1].state, one[-1].code) == FINE and not way.held_up(DEAD)
        if is_fine and service["present"]["loss_ratio"] != 0:
            yield f"nothing is lost any more, told is {service['present']['loss_ratio']}"
    if (one[-1].state, one[-1].code) in (DEAD, FILTERED) and service["present"]["received"] > 0:
        yield f"nothing answers any more, told are {service['present']['received']}"
    if service["verdict"]["code"] not in codes:
        yield f"at the end the code is {service['verdict']['code']}, true is {'|'.join(codes)}"
    if service["verdict"]["code"] in ("outage", "unstable"):
        if service["verdict"]["level"] != "degraded":
            yield f"{service['verdict']['code']} is {service['verdict']['level']}"


def of_path(service, each, document):
    """Is a change of the path told, with its time, and what was there before and after?"""
    ttl, before, after, time = each.path_change
    changes = [change for change in service["paths"][0]["changes"]
               if (change["ttl"], change["from"], change["to"]) == (ttl, before, after)]
    if not changes:
        yield f"no change at hop {ttl}: {service['paths'][0]['changes']}"
    # Routers are asked about once a second, each service's in turn.
    elif not time <= history.seconds(changes[0]["time"], document) <= time + 10:
        yield f"the path changed at {time} s, told is {changes[0]['time']}"


def of_text(text, patterns):
    for pattern in patterns:
        if not any(re.search(pattern, line) for line in text.splitlines()):
            yield f"no line of the text report is like {pattern}:\n{text}"


def judge(document, code, each):
    """All that is wrong with the report about a case."""
    faults = [] if code == each.exit else [f"exit code {code}, true is {each.exit}"]
    for name, truth in each.truth.items():
        service = history.service_of(document, name)
        found = of_service(service, truth, document)
        found += of_end(service, truth, each.end.get(name), each.way)
        if each.lossless and service["loss_ratio"] not in (0, None):
            found.append(f"what could not be sent counts as lost: {service['loss_ratio']}")
        if each.path_change:
            found += of_path(service, each, document)
        faults += [f"{name}: {fault}" for fault in found]
    for service in document["targets"][0]["services"]:
        faults += [f"{service['service']}: {fault}" for fault in
                   history.faults_of_form(service, document, each.way.interval,
                                          service["service"] not in each.truth)]
    return faults


def schema_of(sonde):
    """The schema that this sonde prints, such that it knows every member."""
    schema = json.loads(run.run(sonde, ["--print-schema"]).stdout)
    return jsonschema.Draft202012Validator(run.open_parts(run.strict(schema)))


def try_case(sonde, each, schema):
    """All that is wrong with what sonde makes of a case."""
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as scenario:
        scenario.write("\n".join(each.way.lines(each.changes)) + "\n")
        scenario.flush()
        done = call(sonde, scenario.name, each, "-j")
        if not done.stdout or done.stderr:
            return [f"exit code {done.returncode}: {done.stderr}"]
        document = json.loads(done.stdout)
        faults = [f"schema: {error.json_path}: {error.message[:300]}"
                  for error in schema.iter_errors(document)]
        try:
            faults += judge(document, done.returncode, each)
        except (KeyError, StopIteration) as missing:
            return [*faults, f"the report lacks {missing}"]
        if each.text:
            faults += of_text(call(sonde, scenario.name, each, "-r").stdout, each.text)
    return faults


def main():
    sonde, *names = sys.argv[1:]
    unknown = set(names) - {each.name for each in CASES}
    if unknown:
        sys.exit(f"no such case: {' '.join(sorted(unknown))}")
    chosen = [each for each in CASES if not names or each.name in names]
    schema = schema_of(sonde)
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for each, faults in zip(chosen, pool.map(lambda one: try_case(sonde, one, schema), chosen)):
            wrong += bool(faults)
            if faults:
                more = [f"and {len(faults) - MOST} more"] if len(faults) > MOST else []
                print(f"{each.name}: {each.why}", *faults[:MOST], *more, sep="\n    ")
    print(f"{len(chosen)} cases, {wrong} not as is true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
