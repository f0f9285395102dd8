# SPDX-License-Identifier: BSD-2-Clause
"""Cases of times.py: what is out for everybody, or here; and what comes and goes."""
import history
from history import Stretch
from way import (ALL, BASE, behind, by, case, DEAD, FAR, FAR_FAST, FAST, FILTERED, FINE, NEAR,
                 PORTS, RATIONED, SIX, SLOW, span)


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
everything(BASE, [(0, None)], name="out-until-the-last-probe", exit_code=1, last=32,
           action="drop any until=30.5s", why="one answer to each is no change yet")
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

everything(SLOW, [(1830, 3630)], name="out-of-half-an-hour-once-a-minute",
           why="a cycle a minute, thirty of them are lost")
everything(FAST, [(20.05, 40.05)], name="out-ten-times-a-second", last=600,
           why="two hundred cycles of a tenth of a second are lost")
everything(NEAR, [(30.5, 60.5)], name="out-near", why="a round trip of 0.2 ms")
everything(FAR, [(30.5, 60.5)], name="out-far",
           why="a round trip of 600 ms: what had passed r3 before it went out still comes back")
everything(FAR_FAST, [(20.05, 40.05)], name="out-far-and-fast", last=600,
           why="six cycles are in flight when it begins")
everything(SIX, [(30.5, 60.5)], words=":443 :22 53/udp", services=(*ALL, "53/udp"), name="out-ipv6",
           why="the same over IPv6")
everything(BASE, [(30.5, 60.5)], action="reject any code=1", blame=by(3), name="no-host",
           why="r3 says host unreachable for 30 s: it is the culprit's own word")
everything(BASE, [(30.5, 60.5)], action="drop any dir=back", name="out-on-the-way-back",
           why="the answers are lost behind hop 3 as seen from here; r4's are, too")
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
      "icmp": span(BASE, (FINE,))}, end={"443/tcp": ["unstable"]},
     text=(r"443/tcp +open +unstable since 00:00:31\b",))
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
