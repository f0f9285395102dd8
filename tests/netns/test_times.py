# SPDX-License-Identifier: BSD-2-Clause
"""What changes while sonde runs, and when: real routers, rules that come and go, cables, routes.

Each case has a chain of routers of its own, vantage - r1 - r2 - r3 - server, and both families are
looked at over it, with a cycle every 0.2 s. All cases go on at once: what happens to them is done
one after the other by this process, which notes when. A change begins with the first probe that
leaves after that: not before, and one interval later at most, and what the kernel takes.

Where the culprit is follows from the chain; see test_verdicts.py.
"""
import pathlib
import signal
import socket
import sys
import time
import unittest

import lab

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sim"))
import history
from history import Stretch

INTERVAL = 0.2
CYCLES = 110
BROKEN, MENDED = 7, 14  # seconds after the start
KERNEL = 0.25           # nft, ip and two busy cores
SPACED = 1              # after some seconds of silence a service is asked once a second for a while
NEIGHBOUR = 2           # an address that could not be resolved is tried again after about a second

FINE = ("open", "ok")
DEAD = ("unreachable", "host_unreachable")
FILTERED = ("filtered", "port_filtered")
REJECTED = ("rejected", "port_rejected")
CLOSED = ("closed", "port_closed")
SERVICES = ("icmp", "443/tcp", "22/tcp")


def chain(hook, rules):
    return f"""table inet t {{
        chain c {{
            type filter hook {hook} priority 0
            {rules}
        }}
    }}"""


class Case:
    """A chain, and what is done there: [(seconds after the start, name of a method)]."""
    before = 0      # seconds that probes may have left earlier which are answered when it works
    after = SPACED  # seconds that it may take longer until it is seen to work again
    events = [(BROKEN, "break_it"), (MENDED, "mend_it")]
    hit = SERVICES
    exit = 0

    def __init__(self, net, number):
        self.net = net
        self.number = number
        self.chain = lab.Chain(net, number, suffix=f"-{number}")
        self.times = {}
        self.listeners = {}
        self.server = self.chain.server
        for port in (443, 22):
            self.listen(port)

    def router(self, hop):
        return self.chain.routers[hop - 1]

    def listen(self, port):
        with self.net.inside(self.server):
            listener = socket.create_server(("::", port), family=socket.AF_INET6,
                                            dualstack_ipv6=True, backlog=1024)
        self.net.stack.callback(listener.close)
        self.listeners[port] = listener

    def start(self):
        self.processes = {family: self.net.start_sonde(
            "-j", "-n", self.chain.target(family), ":443", ":22", "-c", str(CYCLES), "-i",
            str(INTERVAL)) for family in lab.FAMILIES}

    def do(self, name):
        """Do something, and note from when to when it was done."""
        before = time.time()
        getattr(self, name)()
        self.times.setdefault(name, []).append((before, time.time()))

    def finish(self):
        self.reports = {family: lab.Report(self.net.finish(process, 120))
                        for family, process in self.processes.items()}

    def truth(self):
        """Of a service that is hit: [(kind, name of the method that begins it, where)]; the others
        are fine all the time."""
        raise NotImplementedError

    def window(self, name, started):
        """Between when and when a stretch begins: with the first that breaks it, or with the last
        that mends it."""
        if name is None:
            return None
        is_mended = name == "mend_it"
        before, after = self.times[name][-1 if is_mended else 0]
        early, late = (self.before, self.after) if is_mended else (0, 0)
        return (before - started - 0.01 - early, after - started + INTERVAL + KERNEL + late)

    def stretches(self, service, started, told):
        """The truth about a service of which so many stretches are told."""
        if service not in self.hit:
            return [Stretch(*FINE)]
        return [Stretch(*kind, self.window(name, started), **(where[0] if where else {}))
                for kind, name, *where in self.truth()]

    # --- routes, as lab.Chain sets them

    def routes(self, hop, verb, forth):
        """The routes of a router, to the server or back to the vantage."""
        n = self.number
        if forth:
            via, nets = (f"10.{n}.{hop + 1}.1", f"fd00:{n}:{hop + 1}::1"), (
                f"10.{n}.0.0/16", f"fd00:{n}::/32")
        else:
            via, nets = (f"10.{n}.{hop}.2", f"fd00:{n}:{hop}::2"), (
                f"10.{n}.1.0/24", f"fd00:{n}:1::/64")
        self.net.ip(self.router(hop) if hop else "vantage",
                    *(f"route {verb} {net} via {gate}" for net, gate in zip(nets, via)))


class PortDropped(Case):
    """r2 drops 443/tcp for a while: it has been seen there, and not behind."""
    hit = ("443/tcp",)

    def break_it(self):
        self.net.nft(self.router(2), chain("forward", "tcp dport 443 drop"))

    def mend_it(self):
        self.net.nft(self.router(2), "")

    def truth(self):
        return [(FINE, None), (FILTERED, "break_it", {"behind": 2}), (FINE, "mend_it")]


class PortDroppedBeforeRouting(Case):
    """r3 drops 443/tcp before it looks at the TTL, from some time on: lost behind r2."""
    hit = ("443/tcp",)
    events = [(MENDED, "break_it")]
    exit = 1

    def break_it(self):
        self.net.nft(self.router(3), chain("prerouting", "tcp dport 443 drop"))

    def truth(self):
        return [(FINE, None), (FILTERED, "break_it", {"behind": 2})]


class PortRejected(Case):
    """r2 says that it does not allow 443/tcp."""
    hit = ("443/tcp",)

    def break_it(self):
        self.net.nft(self.router(2), chain(
            "forward", "tcp dport 443 reject with icmpx type admin-prohibited"))

    def mend_it(self):
        self.net.nft(self.router(2), "")

    def truth(self):
        return [(FINE, None), (REJECTED, "break_it", {"by": 2}), (FINE, "mend_it")]


class RejectedToDropped(Case):
    """r2 refuses 443/tcp, and drops it later."""
    hit = ("443/tcp",)
    events = [(0, "refuse"), (BROKEN, "break_it")]
    exit = 1

    def refuse(self):
        self.net.nft(self.router(2), chain(
            "forward", "tcp dport 443 reject with icmpx type admin-prohibited"))

    def break_it(self):
        self.net.nft(self.router(2), chain("forward", "tcp dport 443 drop"))

    def truth(self):
        return [(REJECTED, None, {"by": 2}), (FILTERED, "break_it", {"behind": 2})]


class NobodyListens(Case):
    """The server of 443/tcp ends, and another begins."""
    hit = ("443/tcp",)

    def break_it(self):
        self.listeners.pop(443).close()

    def mend_it(self):
        self.listen(443)

    def truth(self):
        return [(FINE, None), (CLOSED, "break_it"), (FINE, "mend_it")]


class AllDropped(Case):
    """r3 forwards nothing to the server."""

    def break_it(self):
        n = self.number
        self.net.nft(self.router(3), chain("forward", f"ip daddr 10.{n}.4.1 drop\n"
                                           f"ip6 daddr fd00:{n}:4::1 drop"))

    def mend_it(self):
        self.net.nft(self.router(3), "")

    def truth(self):
        return [(FINE, None), (DEAD, "break_it", {"behind": 3}), (FINE, "mend_it")]


class DownAtFirst(AllDropped):
    """r3 forwards nothing until it is mended."""
    events = [(0, "break_it"), (BROKEN, "mend_it")]

    def truth(self):
        return [(DEAD, None, {"behind": 3}), (FINE, "mend_it")]


class CablePulled(Case):
    """The cable between r2 and r3 is pulled: the interface of r3 goes down, that of r2 loses its
    carrier, and keeps its route. Either r2 says so, or it is the last that is seen. While it looks
    for r3's address it keeps what it has for it, for up to 3 s: that gets there when r3 is back."""
    before = 3
    after = NEIGHBOUR

    def break_it(self):
        self.net.sysctl(self.router(3), {"net/ipv6/conf/all/keep_addr_on_down": 1})
        self.net.ip(self.router(3), f"link set to-{self.router(2)} down")

    def mend_it(self):
        self.net.ip(self.router(3), f"link set to-{self.router(2)} up")
        self.routes(3, "replace", forth=False)

    def truth(self):
        return [(FINE, None), (DEAD, "break_it", {"behind": 2, "by": 2}), (FINE, "mend_it")]


class RouteWithdrawn(Case):
    """r2 has no route to the server any more, and says so; over IPv4 it does so only once a second,
    and it does not say any more that something expires on it, so it may be silent to a service."""

    def break_it(self):
        self.routes(2, "del", forth=True)

    def mend_it(self):
        self.routes(2, "add", forth=True)

    def truth(self):
        return [(FINE, None), (DEAD, "break_it", {"behind": 2, "by": 2, "mute": True}),
                (FINE, "mend_it")]


class RouteBackWithdrawn(Case):
    """r3 has no route back to the vantage: what it and the server answer is lost behind r2."""

    def break_it(self):
        self.routes(3, "del", forth=False)

    def mend_it(self):
        self.routes(3, "add", forth=False)

    def truth(self):
        return [(FINE, None), (DEAD, "break_it", {"behind": 2}), (FINE, "mend_it")]


class InterfaceDownHere(Case):
    """This machine's own interface is down: nothing leaves, and nobody out there is to blame."""
    after = NEIGHBOUR

    def break_it(self):
        self.net.sysctl("vantage", {"net/ipv6/conf/all/keep_addr_on_down": 1})
        self.net.ip("vantage", f"link set to-{self.router(1)} down")

    def mend_it(self):
        self.net.ip("vantage", f"link set to-{self.router(1)} up")
        self.routes(0, "replace", forth=True)

    def truth(self):
        return [(FINE, None), (("unknown", "no_route"), "break_it"), (FINE, "mend_it")]


class FirewallHere(Case):
    """This machine's own firewall drops 443/tcp. The kernel says so to who sends a packet, and not
    to who connects: without raw sockets it is lost before the first hop."""
    hit = ("443/tcp",)

    def break_it(self):
        n = self.number
        self.net.nft("vantage", chain("output", f"ip daddr 10.{n}.4.1 tcp dport 443 drop\n"
                                      f"ip6 daddr fd00:{n}:4::1 tcp dport 443 drop"))

    def mend_it(self):
        self.net.nft("vantage", "")

    def truth(self):
        told = (FILTERED, "break_it", {"behind": 0}) if lab.unprivileged else (
            ("unknown", "local_blocked"), "break_it")
        return [(FINE, None), told, (FINE, "mend_it")]


class Stopped(AllDropped):
    """sonde is stopped, and everything is out and back before it goes on: it has seen nothing, and
    what was in flight was answered."""

    def break_it(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        super().break_it()

    def mend_it(self):
        super().mend_it()
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)

    def truth(self):
        return [(FINE, None)]


class StoppedInTheMiddle(AllDropped):
    """sonde is stopped for a while in the middle of an outage: it is one."""
    events = [(5, "break_it"), (8, "stop"), (12, "go_on"), (15, "mend_it")]

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGSTOP)

    def go_on(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)


CASES = (PortDropped, PortDroppedBeforeRouting, PortRejected, RejectedToDropped, NobodyListens,
         AllDropped, DownAtFirst, CablePulled, RouteWithdrawn, RouteBackWithdrawn,
         InterfaceDownHere, FirewallHere, Stopped, StoppedInTheMiddle)


class Times(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.cases = {kind: kind(cls.net, number) for number, kind in enumerate(CASES, 1)}
        events = sorted(((when, kind, name) for kind in CASES for when, name in kind.events),
                        key=lambda event: event[0])
        for when, kind, name in events:
            if when == 0:
                cls.cases[kind].do(name)
        for case in cls.cases.values():
            case.start()
        start = time.monotonic()
        for when, kind, name in events:
            if when > 0:
                time.sleep(max(0, start + when - time.monotonic()))
                cls.cases[kind].do(name)
        for case in cls.cases.values():
            case.finish()

    def check(self, kind):
        case = self.cases[kind]
        for family, report in case.reports.items():
            with self.subTest(family=family):
                faults = [f"{name}: {fault}" for name in SERVICES
                          for fault in self.faults(case, report, name)]
                self.assertEqual(faults, [], kind.__doc__)
                self.assertEqual(report.code, case.exit)

    def faults(self, case, report, name):
        document = report.document
        service = report.service(name)
        started = history.wall(document["started"])
        truth = case.stretches(name, started, len(service["episodes"]))
        yield from history.faults_of_form(service, document, INTERVAL + KERNEL)
        yield from history.complaints(service, truth, document)
        codes = history.end_codes(truth)
        if "loss_at_destination" in truth[-1].code or codes == ["unstable"]:
            codes = ["unstable", "loss_at_destination"]
        if truth[-1].code == "ok" and any("no_route" in one.code or "local" in one.code
                                          for one in truth):
            codes = ["ok", "outage", "no_route", "local_blocked"]  # not laid down
            if service["loss_ratio"] != 0:
                yield f"what could not be sent is lost: {service['loss_ratio']}"
        if service["verdict"]["code"] not in codes:
            yield f"at the end it is {service['verdict']['code']}, true is {'|'.join(codes)}"


def test_of(kind):
    return lambda self: self.check(kind)


for each in CASES:
    setattr(Times, f"test_{each.__name__}", test_of(each))


if __name__ == "__main__":
    lab.main()
