# SPDX-License-Identifier: BSD-2-Clause
"""Targets without a router in between: loopback, and neighbours by their link-local address."""
import json
import os
import tempfile
import unittest

import lab

QUICK = ("-c", "3", "-i", "0.1")


class Loopback(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.net.add("vantage")
        cls.net.listen("vantage", 443)
        cls.net.echo("vantage", 53)

    def test_this_machine_answers_like_any_other(self):
        for target in ("127.0.0.1", "::1"):
            with self.subTest(target=target):
                report = self.net.report(target, ":443", ":22", ":53/udp", ":54/udp", *QUICK)
                self.assertEqual(report.states(), {
                    "icmp": "open", "443/tcp": "open", "22/tcp": "closed", "53/udp": "open",
                    "54/udp": "closed"})
                self.assertEqual(report.code, 1)
                for name in report.states():
                    service = report.service(name)
                    self.assertEqual((service["sent"], service["received"]), (3, 3))
                    self.assertEqual(report.hops(name), {1: [target]})

    def test_open_ports_of_this_machine_exit_0(self):
        for target in ("127.0.0.1", "::1"):
            with self.subTest(target=target):
                self.assertEqual(self.net.report(target, ":443", ":53/udp", *QUICK).code, 0)

    def test_localhost_needs_no_resolver(self):
        report = self.net.report("localhost", ":443", *QUICK)
        self.assertEqual(report.code, 0)
        self.assertIn(report.document["targets"][0]["address"], ("127.0.0.1", "::1"))

    def test_a_name_of_loopback_is_found_in_either_family(self):
        # Only lo has addresses here: to a resolver library that is no address at all.
        with tempfile.NamedTemporaryFile("w") as hosts:
            hosts.write("127.0.0.1 localhost\n::1 localhost six.example\n")
            hosts.flush()
            os.chmod(hosts.name, 0o644)
            wrap = ("unshare", "--mount", "sh", "-c",
                    f'mount --bind {hosts.name} /etc/hosts && exec "$@"', "sh")
            for words, address in ((("-4", "localhost"), "127.0.0.1"),
                                   (("-6", "localhost"), "::1"), (("six.example",), "::1")):
                with self.subTest(words=words):
                    report = self.net.report(*words, "-c", "1", wrap=wrap)
                    self.assertEqual((report.code, report.document["targets"][0]["address"]),
                                     (0, address))

    def test_the_interface_is_loopback(self):
        for target in ("127.0.0.1", "::1"):
            with self.subTest(target=target):
                vantage = self.net.report(target, "-c", "1").document["vantage"]
                self.assertEqual((vantage["interface"], vantage["source"]), ("lo", target))


class OwnLink(unittest.TestCase):
    """Nobody answers for an address on this machine's own link, or for that of its gateway. The
    kernel asks three times, a second apart (arp(7); RFC 4861 §10), and then gives up."""

    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.ip("vantage", "route add 10.66.0.0/16 via 10.1.1.66",
                   "route add fd66::/32 via fd00:1:1::66")

    def check(self, targets, words):
        for family, report in self.net.reports(targets.get, ":443", ":53/udp").items():
            self.assertEqual((report.code, set(report.states().values())), (1, {"unreachable"}))
            self.assertLess(report.document["duration_ms"], 4500)
            # The kernel speaks of each packet: of probes, too, that went ahead and were forgotten,
            # and of resets, which are no probes.
            self.assertLessEqual(set(report.discarded), {"too_late", "not_a_result"})
            for service in report.document["targets"][0]["services"]:
                verdict = service["verdict"]
                self.assertEqual((verdict["code"], verdict["level"], verdict["confidence"],
                                  verdict["text"]),
                                 ("host_unreachable", "failed", "high", words[family]))
                self.assertEqual([finding["code"] for finding in service["findings"]],
                                 ["host_unreachable"])
                self.assertIsNone(verdict["blame"]["reporter"])
                self.assertIsNone(verdict["blame"]["last_seen"])

    def test_a_neighbour_that_is_not_there_is_named_as_that(self):
        self.check({4: "10.1.1.99", 6: "fd00:1:1::99"},
                   {4: "nobody on to-r1 answers for 10.1.1.99: no reply to ARP",
                    6: "nobody on to-r1 answers for fd00:1:1::99: no reply to neighbour "
                       "solicitations"})

    def test_a_gateway_that_is_not_there_is_named_as_that(self):
        self.check({4: "10.66.1.1", 6: "fd66::1"},
                   {4: "the gateway 10.1.1.66 does not answer on to-r1: no reply to ARP",
                    6: "the gateway fd00:1:1::66 does not answer on to-r1: no reply to neighbour "
                       "solicitations"})

    def test_a_neighbour_that_answers_nothing_else_is_there(self):
        self.net.nft("r1", """table inet t {
            chain c {
                type filter hook input priority 0
                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
                drop
            }
        }""")
        self.addCleanup(self.net.nft, "r1", "")
        for family in lab.FAMILIES:
            report = self.net.report(self.chain.hop(family, 1), ":443")
            self.assertEqual(set(report.states().values()), {"unreachable"})
            self.assertEqual(report.service("443/tcp")["verdict"]["text"],
                             "no answer, not even from the first hop")


class LinkLocal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen("r1", 443)
        addresses = json.loads(cls.net.run("r1", "ip", "-j", "-6", "addr", "show", "to-vantage"))
        cls.address = next(address["local"] for address in addresses[0]["addr_info"]
                           if address["scope"] == "link")

    def test_a_neighbour_answers_at_its_link_local_address(self):
        report = self.net.report(f"{self.address}%to-r1", ":443", ":22", *QUICK)
        self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open", "22/tcp": "closed"})
        for name in report.states():
            service = report.service(name)
            self.assertEqual((service["sent"], service["received"]), (3, 3))
            self.assertEqual(service["paths"][0]["dest_ttl"], 1)
        target = report.document["targets"][0]
        self.assertEqual(target["address"], f"{self.address}%to-r1")
        self.assertRegex(target["source"], r"\Afe80::[0-9a-f:]+%to-r1\Z")
        self.assertEqual(report.document["vantage"]["interface"], "to-r1")
        self.assertEqual(report.hops("443/tcp"), {1: [f"{self.address}%to-r1"]})
        text = self.net.sonde("-r", "-n", f"{self.address}%to-r1", ":443", *QUICK).out
        self.assertNotRegex(text, r"%[0-9]")

    def test_a_zone_may_be_a_number(self):
        link = self.net.run("vantage", "ip", "-j", "link", "show", "to-r1")
        index = json.loads(link)[0]["ifindex"]
        report = self.net.report(f"{self.address}%{index}", ":443", *QUICK)
        self.assertEqual((report.code, report.states()["443/tcp"]), (0, "open"))
        self.assertEqual(report.document["targets"][0]["address"], f"{self.address}%to-r1")

    def test_services_may_follow_a_zone(self):
        for target in (f"[{self.address}%to-r1]:443", f"{self.address}%to-r1:443"):
            with self.subTest(target=target):
                report = self.net.report(target, *QUICK)
                self.assertEqual((report.code, report.states()["443/tcp"]), (0, "open"))

    def test_the_interface_of_the_run_is_zone_enough(self):
        report = self.net.report("-I", "to-r1", self.address, ":443", *QUICK)
        self.assertEqual((report.code, report.states()["443/tcp"]), (0, "open"))
        self.assertEqual(report.document["targets"][0]["address"], f"{self.address}%to-r1")
        report = self.net.report("-I", "lo", f"{self.address}%to-r1", ":443", *QUICK)
        self.assertEqual((report.code, report.service("443/tcp")["verdict"]["text"]),
                         (3, "its zone is another interface than that of -I"))

    def test_a_zone_that_does_not_exist_is_named(self):
        report = self.net.report(f"{self.address}%no-such-link", ":443", *QUICK)
        self.assertEqual((report.code, report.document["status"]), (3, "error"))
        self.assertEqual(report.states(), {"icmp": "unknown", "443/tcp": "unknown"})
        self.assertEqual(report.document["errors"][0]["text"], "no such interface: no-such-link")


if __name__ == "__main__":
    lab.main()
