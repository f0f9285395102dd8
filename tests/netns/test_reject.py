# SPDX-License-Identifier: BSD-2-Clause
"""Who rejected a port, and with which words: every code that nftables can reject with."""
import unittest

import lab

# (words of nft, ICMP code, outcome): RFC 792 and RFC 1812 §5.2.7.1, type 3; RFC 4443 §3.1, type 1
CODES = {
    4: (("net-unreachable", 0, "net_unreachable"),
        ("host-unreachable", 1, "host_unreachable"),
        ("prot-unreachable", 2, "other_unreachable"),
        ("port-unreachable", 3, "port_unreachable"),
        ("net-prohibited", 9, "admin_prohibited"),
        ("host-prohibited", 10, "admin_prohibited"),
        ("admin-prohibited", 13, "admin_prohibited")),
    6: (("no-route", 0, "net_unreachable"),
        ("admin-prohibited", 1, "admin_prohibited"),
        ("addr-unreachable", 3, "host_unreachable"),
        ("port-unreachable", 4, "port_unreachable"),
        ("policy-fail", 5, "admin_prohibited"),
        ("reject-route", 6, "admin_prohibited")),
}
UNREACHABLE_TYPE = {4: 3, 6: 1}
PROTOCOL = {4: "icmp", 6: "icmpv6"}
HOOKS = ("forward", "prerouting")
QUICK = ("-c", "3", "-i", "0.1")


def reject(hook, how, services="tcp dport 443", more=""):
    return f"""table inet filter {{
        chain c {{
            type filter hook {hook} priority 0
            {services} reject with {how}
            {more}
        }}
    }}"""


class Rejections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 22, 443)
        cls.net.echo(cls.chain.server, 53)

    def tearDown(self):
        for node in ("r2", self.chain.server):
            self.net.nft(node, "")

    def check_rejected(self, report, name, family, code, outcome, reporter):
        service = report.service(name)
        evidence = service["evidence"]
        self.assertEqual(service["state"], "rejected")
        self.assertEqual(service["verdict"]["code"], "port_rejected")
        self.assertEqual(service["verdict"]["blame"]["reporter"], reporter)
        self.assertEqual((evidence["from"], evidence["kind"]), (reporter["address"], outcome))
        self.assertEqual((evidence["icmp_type"], evidence["icmp_code"]),
                         (UNREACHABLE_TYPE[family], code))
        self.assertEqual(service["outcomes"], {outcome: 3})

    def test_a_rejecting_router_is_named_with_its_hop_and_its_code(self):
        for hook in HOOKS:
            for family in lab.FAMILIES:
                for words, code, outcome in CODES[family]:
                    with self.subTest(hook=hook, family=family, words=words):
                        how = f"{PROTOCOL[family]} type {words}"
                        # the first rule that fits decides, so this is a rejection of both
                        also = f"udp dport 53 reject with {how}"
                        self.net.nft("r2", reject(hook, how, more=also))
                        report = self.net.report(self.chain.target(family), ":443", ":22",
                                                 ":53/udp", *QUICK)
                        self.assertEqual(report.code, 1)
                        r2 = {"ttl": 2, "address": self.chain.hop(family, 2)}
                        for name in ("443/tcp", "53/udp"):
                            self.check_rejected(report, name, family, code, outcome, r2)
                        for name in ("22/tcp", "icmp"):
                            self.assertEqual(report.service(name)["state"], "open")
                            self.assertEqual(report.hops(name), self.chain.path(family))

    def test_a_path_goes_no_further_than_the_device_that_rejects(self):
        # Forwarding, r2 answers the probe that expires on it, and rejects those that go further;
        # before routing it rejects that probe, too.
        for hook, routers in (("forward", 2), ("prerouting", 1)):
            for family in lab.FAMILIES:
                with self.subTest(hook=hook, family=family):
                    self.net.nft("r2", reject(hook, f"{PROTOCOL[family]} type admin-prohibited"))
                    report = self.net.report(self.chain.target(family), ":443", *QUICK)
                    path = report.service("443/tcp")["paths"][0]
                    self.assertEqual((path["reached"], path["stop_reason"]), (False, "rejected"))
                    expired = {hop["ttl"]: responder["address"]
                               for hop in path["hops"] for responder in hop["responders"]
                               if responder["kind"] == "ttl_exceeded"}
                    self.assertEqual(expired, {ttl: self.chain.hop(family, ttl)
                                               for ttl in range(1, routers + 1)})

    def test_a_rejecting_router_is_named_without_a_control(self):
        for hook in HOOKS:
            for family in lab.FAMILIES:
                with self.subTest(hook=hook, family=family):
                    self.net.nft("r2", reject(hook, f"{PROTOCOL[family]} type admin-prohibited"))
                    report = self.net.report("--no-icmp", self.chain.target(family), ":443",
                                             *QUICK)
                    service = report.service("443/tcp")
                    self.assertEqual((report.code, service["state"]), (1, "rejected"))
                    self.assertEqual(service["verdict"]["blame"]["reporter"]["address"],
                                     self.chain.hop(family, 2))

    def test_a_firewall_on_the_server_itself_is_named_as_the_server(self):
        code = {4: 13, 6: 1}
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                self.net.nft(self.chain.server,
                             reject("input", f"{PROTOCOL[family]} type admin-prohibited"))
                report = self.net.report(self.chain.target(family), ":443", *QUICK)
                self.assertEqual(report.code, 1)
                service = report.service("443/tcp")
                evidence = service["evidence"]
                self.assertEqual(service["state"], "rejected")
                self.assertEqual((evidence["from"], evidence["icmp_code"]),
                                 (self.chain.target(family), code[family]))
                self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_a_reset_from_the_middle_ends_the_path_before_the_servers_distance(self):
        # What r2 resets before routing is its own hop, 2; what it resets while forwarding got past
        # the check of the TTL, and so looks like the hop behind it, 3.
        for hook, ttl in (("prerouting", 2), ("forward", 3)):
            for family in lab.FAMILIES:
                with self.subTest(hook=hook, family=family):
                    self.net.nft("r2", reject(hook, "tcp reset"))
                    report = self.net.report(self.chain.target(family), ":443", *QUICK)
                    service = report.service("443/tcp")
                    self.assertEqual((report.code, service["state"]), (1, "rejected"))
                    self.assertEqual(service["verdict"]["code"], "port_intercepted")
                    self.assertEqual(service["outcomes"], {"closed": 3})
                    hops = service["paths"][0]["hops"]
                    self.assertEqual(hops[-1]["ttl"], ttl)
                    self.assertEqual(hops[-1]["responders"][0]["address"],
                                     self.chain.target(family))
                    self.assertEqual(report.hops("icmp"), self.chain.path(family))


if __name__ == "__main__":
    lab.main()
