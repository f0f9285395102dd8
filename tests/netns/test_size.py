# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are too big for a link: who says so, and what it takes, over real Linux routers.

The link from r2 to r3 takes less than the others, so hop 2 is who says so: with ICMPv6 packet too
big (RFC 4443 §3.2), or with ICMP fragmentation needed (RFC 1191 §4) for what may not be divided.
Before that, hop 1 and hop 2 have answered as routers.
"""
import select
import unittest

import lab
import packets

QUICK = ("-c", "3", "-i", "0.2")
TOO_BIG = {4: (3, 4), 6: (2, 0)}  # type and code


class Size(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        # a link that takes less than 1280 bytes has no IPv6 any more, so IPv4 has its own routers
        cls.chains = {6: lab.Chain(cls.net), 4: lab.Chain(cls.net, 2, suffix="b")}
        for chain in cls.chains.values():
            cls.net.listen(chain.server, 443)
            cls.net.echo(chain.server, 7)

    def tearDown(self):
        for family in lab.FAMILIES:
            self.narrow(family, 1500)

    def narrow(self, family, mtu):
        """Let the link from the second to the third router take so much."""
        _, second, third = self.chains[family].routers
        for node, other in ((second, third), (third, second)):
            self.net.ip(node, f"link set to-{other} mtu {mtu}")

    def report(self, family, *words):
        return self.net.report(self.chains[family].target(family), *words, *QUICK)

    def check_too_big(self, report, family, name, size, mtu):
        service = report.service(name)
        verdict = service["verdict"]
        hop = {"ttl": 2, "address": self.chains[family].hop(family, 2)}
        self.assertEqual((service["state"], verdict["code"], verdict["level"]),
                         ("unknown", "packet_too_big", "unknown"))
        self.assertEqual(verdict["text"], f"packet too big, hop 2 ({hop['address']}): MTU {mtu}, "
                                          f"sent {size} bytes")
        self.assertEqual(verdict["blame"]["reporter"], hop)
        evidence = service["evidence"]
        self.assertEqual((evidence["from"], evidence["kind"], evidence["icmp_type"],
                          evidence["icmp_code"], evidence["mtu_bytes"]),
                         (hop["address"], "packet_too_big", *TOO_BIG[family], mtu))
        # each was answered once, and none was kept back here though the kernel knows by now
        self.assertEqual(service["outcomes"], {"packet_too_big": 3})
        self.assertEqual((service["sent"], service["received"], service["duplicates"]), (3, 0, 0))
        self.assertEqual(report.discarded, {})
        expired = {hop["ttl"]: responder["address"] for hop in service["paths"][0]["hops"]
                   for responder in hop["responders"] if responder["kind"] == "ttl_exceeded"}
        self.assertEqual(expired, {ttl: self.chains[family].hop(family, ttl) for ttl in (1, 2)})

    def test_a_router_that_has_no_room_over_ipv6_says_so(self):
        self.narrow(6, 1300)
        report = self.report(6, ":7/udp", ":443", "-s", "1400")
        for name in ("icmp", "7/udp"):
            self.check_too_big(report, 6, name, 1400, 1300)
        # a SYN has its own size
        self.assertEqual((report.states()["443/tcp"], report.code), ("open", 3))

    def test_quic_is_not_divided_over_ipv4_either(self):
        # RFC 9000 §14: an Initial of 1200 bytes may not be divided; with UDP and IP it has 1228
        self.narrow(4, 1200)
        report = self.report(4, ":443/udp", ":443")
        self.check_too_big(report, 4, "443/udp", 1228, 1200)
        self.assertEqual(report.states()["443/tcp"], "open")
        self.narrow(4, 1228)
        report = self.report(4, ":443/udp")
        self.assertEqual(report.states()["443/udp"], "closed")

    def test_other_questions_over_ipv4_may_be_divided(self):
        self.narrow(4, 1000)
        report = self.report(4, ":7/udp", "-s", "1400")
        self.assertEqual((report.code, report.states()), (0, {"icmp": "open", "7/udp": "open"}))

    def test_quic_alone_asks_not_to_be_divided(self):
        watch = packets.Capture(self.net, "vantage", "to-r1b")
        self.report(4, ":443/udp", ":7/udp")
        undivided = {packet.dport: packet.raw[6] >> 6 for packet in watch.read()
                     if packet.outgoing and packet.protocol == packets.UDP}
        self.assertEqual(undivided, {443: 1, 7: 0})

    def test_what_the_interface_of_this_machine_has_no_room_for_never_left(self):
        for family in lab.FAMILIES:
            report = self.report(family, ":7/udp", ":443", "-s", "2000")
            for name in ("icmp", "7/udp"):
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    verdict = service["verdict"]
                    self.assertEqual(
                        (service["state"], verdict["code"], verdict["level"], verdict["text"]),
                        ("unknown", "packet_too_big", "unknown",
                         "packet too big for this machine's interface: MTU 1500, 2000 bytes"))
                    self.assertEqual(service["outcomes"], {"send_error": 3})
                    self.assertEqual((service["sent"], service["duplicates"]), (0, 0))
            self.assertEqual(report.discarded, {})
            self.assertEqual((report.states()["443/tcp"], report.code), ("open", 3))

    def test_what_is_open_but_at_times_too_big_is_degraded(self):
        self.narrow(6, 1300)
        watch = packets.Capture(self.net, "vantage", "to-r1")
        process = self.net.start_sonde("-j", "-n", self.chains[6].target(6), ":7/udp", "-s", "1400",
                                       "-c", "10", "-i", "0.2")
        seen = 0
        while process.poll() is None and seen < 2:
            select.select([watch], [], [], 1)
            seen += sum(packet.type == TOO_BIG[6][0] for packet in watch.read() if packet.is_icmp)
        self.narrow(6, 1500)
        report = lab.Report(self.net.finish(process))
        service = report.service("7/udp")
        self.assertEqual((service["state"], report.code), ("open", 0))
        self.assertEqual((service["verdict"]["code"], service["verdict"]["level"]),
                         ("packet_too_big", "degraded"))


if __name__ == "__main__":
    lab.main()
