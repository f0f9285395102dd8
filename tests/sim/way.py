# SPDX-License-Identifier: BSD-2-Clause
"""The networks of the table of times.py: how they look, and how a case is written down."""
import dataclasses

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
ENDLESS = f"{PORTS} -c 10000"
QUIET = "open", "ok|loss_at_destination"  # so few lost are a rate of loss, and no episode
FIVE = ("router r5 10.5.0.1 {link}", "router r6 10.6.0.1 {link}")
SLOW = Way(interval=60)
FAST = Way(interval=0.1)
NEAR = Way(rtt_ms=0.2, jitter_us=1)
FAR = Way(rtt_ms=600)
FAR_FAST = Way(rtt_ms=600, interval=0.1)
SIX = Way(family=6)
RATIONED = Way(ration="limit=1 burst=6")
