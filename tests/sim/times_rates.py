# SPDX-License-Identifier: BSD-2-Clause
"""Cases of times.py: loss, round trips, paths, and ways of which some fail."""
import history
from history import Stretch
from way import (ALL, BASE, behind, by, case, CASES, CHANCY, DEAD, ENDLESS, FAST, FILTERED, FINE,
                 FIVE, LOSSY, PORTS, QUIET, RATIONED, Way)


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
      ["rule r3 drop any chance=30% from=100.5s"], [(FINE,), (LOSSY, 100.5)], way=Way(seed=2))
lossy("loss-in-the-middle", "and over after 200 s",
      ["rule r3 drop any chance=30% from=100.5s until=300.5s"],
      [(FINE,), (LOSSY, 100.5), (FINE, 300.5)], words=f"{PORTS} -c 600", end=OVER,
      way=Way(seed=2))
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
for percent in (1, 2, 5, 10, 20, 30):
    lossy(f"steady-loss-of-{percent}-percent", "10,000 cycles, each lost or not by chance alone",
          [f"rule r3 drop any chance={percent}%"], [(QUIET if percent < 3 else LOSSY,)],
          words=ENDLESS, named=percent >= 10)
case("steady-loss-of-one-port", "the others lose nothing", ["rule r3 drop tcp:443 chance=20%"],
     ENDLESS, {"443/tcp": [Stretch(*LOSSY, behind=3)], "22/tcp": [Stretch(*FINE)],
               "icmp": [Stretch(*FINE)]})


def bursty(service, document):
    """Loss in bursts is loss, or to and fro; it is never told as a row of outages. It may be told
    apart from the time before the first burst. In the first five minutes it is not known yet how
    long bursts are: one that is far longer than those before it may be an outage."""
    episodes = service["episodes"]
    told = history.shown(service, document)
    last = episodes[-1]["code"] if episodes else "ok"
    if service["episodes_omitted"] or not 0 < len(episodes) <= 10:
        yield f"{len(episodes) + service['episodes_omitted']} episodes: {told}"
    outages = [number for number, episode in enumerate(episodes)
               if episode["code"] in history.FAILED]
    fine = [number for number, episode in enumerate(episodes) if episode["code"] == "ok"]
    early = all(history.seconds(episodes[number]["from"], document) < 300 for number in outages)
    if len(outages) > 1 or not early or set(fine) - {0, *(number + 1 for number in outages)}:
        yield f"{len(outages)} outages, fine in {fine}: {told}"
    for episode in episodes:
        if episode["code"] not in ("loss_at_destination", "unstable", "ok", *history.FAILED):
            yield f"it is called {episode['code']}: {told}"
    if last == "ok" or service["verdict"]["code"] not in ("loss_at_destination", "unstable"):
        yield f"the verdict is {service['verdict']['code']}: {told}"


bursty.example = [Stretch(*LOSSY)]  # what passes

for bursts in ("2s/20s", "5s/30s", "3s/10s chance=50%", "1s/5s"):
    case(f"bursts-of-{bursts.split()[0].replace('/', '-in-')}", "Gilbert's and Elliott's model",
         [f"rule r3 drop any bursts={bursts}"], ENDLESS, {name: bursty for name in ALL})


# --- nothing to be told in 10,000 cycles

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
BY_PACKET = Way(path="r1 { r2 | r5 | r6 }! r3 r4", more=FIVE, seed=5)


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
