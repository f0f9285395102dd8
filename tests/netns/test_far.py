# SPDX-License-Identifier: BSD-2-Clause
"""What distance must not change: real routers and a real host, 10 and 600 ms away.

Links without delay hide faults: a host ignores the next SYN of a flow until our reset has arrived,
and a run may be over before the deciding question was answered. Here every link but the first
takes its time. The truth is that of the network, and the same near and far.
"""
import os
import pathlib
import sys
import types
import unittest

import lab

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import network

ROUND_TRIPS_MS = (10, 600)
LENGTH = 5  # hops to the server
FILTER = """table inet t {
    chain c {
        type filter hook %s priority 0
        %s
    }
}"""
NO_EXPIRIES = FILTER % ("output", "icmp type time-exceeded drop\n icmpv6 type time-exceeded drop")
NO_PINGS = FILTER % ("input", "icmp type echo-request drop\n icmpv6 type echo-request drop")


def far_chain(test, length, rtt_ms):
    net = network.Network(types.SimpleNamespace(wire=os.environ["SONDE_WIRE"]))
    test.addCleanup(net.close)
    net.delay_us = round(rtt_ms * 1000 / 2 / (length - 1))
    chain = lab.Chain(net, length=length)
    net.start_wires()
    net.listen(chain.server, 443)
    net.ignore(chain.server, 5060)
    return net, chain


class Far(unittest.TestCase):
    def each(self):
        """Each network, and each family's target in it."""
        for rtt_ms in ROUND_TRIPS_MS:
            with self.subTest(rtt_ms=rtt_ms):
                yield rtt_ms, *far_chain(self, LENGTH, rtt_ms)

    def test_an_open_and_a_closed_port_lose_nothing(self):
        for rtt_ms, net, chain in self.each():
            for family, report in net.reports(chain.target, ":443", ":22", "-c", "4").items():
                for name, state in (("icmp", "open"), ("443/tcp", "open"), ("22/tcp", "closed")):
                    service = report.service(name)
                    with self.subTest(family=family, name=name):
                        self.assertEqual((service["state"], service["sent"], service["received"]),
                                         (state, 4, 4))
                        self.assertGreaterEqual(service["rtt_ms"]["min"], rtt_ms)
                        self.assertEqual(service["paths"][0]["dest_ttl"], LENGTH)

    def test_a_silent_udp_port_alone_is_not_the_host_that_is_unreachable(self):
        for _, net, chain in self.each():
            reports = net.reports(chain.target, "--no-icmp", ":5060/udp")
            for family, report in reports.items():
                with self.subTest(family=family):
                    self.assertEqual(report.service("5060/udp")["state"], "open_or_filtered")

    def test_a_filtered_port_is_lost_behind_the_hop_that_drops_it(self):
        for _, net, chain in self.each():
            net.nft(chain.routers[1], FILTER % ("forward", "tcp dport 22 drop"))
            for family, report in net.reports(chain.target, ":443", ":22").items():
                service = report.service("22/tcp")
                blame = service["verdict"]["blame"]
                with self.subTest(family=family):
                    self.assertEqual(service["state"], "filtered")
                    self.assertEqual((blame["last_seen"]["ttl"], blame["first_lost"]["ttl"]),
                                     (2, 3))

    def test_where_no_router_answers_a_dropped_port_is_filtered_all_the_same(self):
        for _, net, chain in self.each():
            net.nft(chain.routers[1], FILTER % ("forward", "tcp dport 22 drop"))
            for router in (chain.routers[0], *chain.routers[2:]):
                net.nft(router, NO_EXPIRIES)
            for family, report in net.reports(chain.target, "--no-icmp", ":22").items():
                with self.subTest(family=family):
                    self.assertEqual(report.service("22/tcp")["state"], "filtered")


class Unpinged(unittest.TestCase):
    def test_a_host_that_ignores_pings_stands_where_it_is(self):
        net, chain = far_chain(self, 8, 16)
        net.nft(chain.server, NO_PINGS)
        for family, report in net.reports(chain.target, ":443", ":22", "-c", "5").items():
            for name in ("443/tcp", "22/tcp"):
                with self.subTest(family=family, name=name):
                    service = report.service(name)
                    self.assertEqual(service["paths"][0]["dest_ttl"], 8)
                    self.assertEqual(service["received"], service["sent"])


if __name__ == "__main__":
    lab.main()
