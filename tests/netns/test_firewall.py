# SPDX-License-Identifier: BSD-2-Clause
"""An open port behind a stateful firewall: a hundred probes, none lost and nothing left behind."""
import re
import unittest

import lab

# What an administrator writes: whatever is no part of a connection that was let in is dropped.
# ICMP is protocol 1, ICMPv6 is 58: their names take a file that a small system lacks.
FIREWALL = """table inet filter {
    chain forward {
        type filter hook forward priority 0
        policy drop
        ct state invalid drop
        ct state established,related accept
        meta l4proto { 1, 58 } accept
        tcp dport 443 ct state new accept
    }
}"""
CYCLES = 100


class Firewall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 22, 443)
        cls.net.nft("r3", FIREWALL)
        # Both families at once: each runs for five seconds.
        runs = {family: cls.net.start_sonde("-j", "-n", cls.chain.target(family), ":443", ":22",
                                            "-i", "0.05", "-c", str(CYCLES))
                for family in lab.FAMILIES}
        cls.reports = {family: lab.Report(cls.net.finish(process))
                       for family, process in runs.items()}
        # A closed connection is forgotten after ten seconds, so look now.
        cls.tables = cls.list_connections()
        cls.half_open = cls.net.run(cls.chain.server, "ss", "-Htan", "state", "syn-recv")

    @classmethod
    def list_connections(cls):
        """{family: what the firewall knows of connections}; one flow, one entry."""
        # tcp 6 SECONDS STATE src=... dst=... sport=... dport=...
        return {family: re.findall(
            r"(?m)^tcp +6 +\d+ +(\S+) .*? dport=(\d+) ",
            cls.net.run("r3", "conntrack", "-L", "-f", f"ipv{family}", "-p", "tcp"))
                for family in lab.FAMILIES}

    def test_nothing_is_lost_at_an_open_port(self):
        for family, report in self.reports.items():
            for name, outcome in (("443/tcp", "open"), ("icmp", "echo_reply")):
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    self.assertEqual(service["outcomes"], {outcome: CYCLES})
                    self.assertEqual((service["sent"], service["received"]), (CYCLES, CYCLES))
                    self.assertEqual(service["loss_ratio"], 0)
                    self.assertEqual((service["late"], service["duplicates"]), (0, 0))

    def test_the_path_through_the_firewall_is_whole(self):
        for family, report in self.reports.items():
            self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_a_port_that_the_firewall_does_not_let_in_is_filtered(self):
        for report in self.reports.values():
            self.assertEqual(report.code, 1)
            service = report.service("22/tcp")
            self.assertEqual((service["state"], service["outcomes"]),
                             ("filtered", {"no_reply": CYCLES}))

    def test_the_server_is_left_without_half_open_connections(self):
        self.assertEqual(self.half_open, "")

    def test_the_firewall_keeps_one_connection_a_service_and_it_is_closed(self):
        for family in lab.FAMILIES:
            # A SYN that expires at the firewall itself takes the closed one from its table, and
            # leaves nothing there (tcp_packet() in net/netfilter/nf_conntrack_proto_tcp.c).
            self.assertIn(self.tables[family], ([], [("CLOSE", "443")]))
        self.net.reports(self.chain.target, ":443", ":22", "-i", "0.05", "-c", "20", "-m", "2")
        closed = [("CLOSE", "443")]
        self.assertEqual(self.list_connections(), {4: closed, 6: closed})


if __name__ == "__main__":
    lab.main()
