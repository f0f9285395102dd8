# SPDX-License-Identifier: BSD-2-Clause
"""Cases of times.py: one port, and a few probes of it."""
from history import Stretch
from way import (BASE, behind, by, case, CASES, CLOSED, DEAD, FAR, FAST, FILTERED, FINE, LOSSY,
                 PORTS, QUIET, REJECTED, SIX, SLOW, span, Way)


# --- one port

def one_port(name, why, rules, stretches, words=f"{PORTS} -c 100", exit_code=0, way=BASE,
             service="443/tcp", others=("icmp", "22/tcp"), **more):
    """Something happens to one service, and nothing to the others."""
    truth = {other: span(way, (FINE,)) for other in others}
    truth[service] = span(way, *stretches)
    case(name, why, rules, words, truth, exit_code, way, **more)


one_port("port-filtered-until-the-end", "what answered for a minute and is dropped now is filtered",
         ["rule r3 drop tcp:443 from=60.5s"], [(FINE,), (FILTERED, 60.5, 3, behind(3))],
         exit_code=1, text=(r"443/tcp +filtered +since 00:01:01\b.*before that open\b",))
one_port("port-filtered-in-the-middle", "and it is open again: an outage that is over",
         ["rule r3 drop tcp:443 from=30.5s until=60.5s"],
         [(FINE,), (FILTERED, 30.5, 3, behind(3)), (FINE, 60.5, 3)])
one_port("port-filtered-until-the-last-probe", "one answer is no change yet, and it is no loss",
         ["rule r3 drop tcp:443 from=30.5s until=60.5s"], [(FINE,), (FILTERED, 30.5, 3, behind(3))],
         words=f"{PORTS} -c 62", exit_code=1)
one_port("port-rejected-until-the-last-probe", "nor when r2 has said each time that it refuses",
         ["rule r2 reject tcp:443 from=30.5s until=60.5s"], [(FINE,), (REJECTED, 30.5, 2, by(2))],
         words=f"{PORTS} -c 62", exit_code=1)
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
     text=(r"443/tcp +filtered +since 00:01:4[01]\b.*before that open\b",
           r"00:00:50.*00:01:20.*(all services|icmp|443/tcp).*\bhop 3\b"))


# --- few probes

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
