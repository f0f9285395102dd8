# SPDX-License-Identifier: BSD-2-Clause
"""Real servers from Debian behind three routers: each is found open, and none minds being asked.

20/tcp has no server, and 8080/tcp has one that the second router drops the way to.
"""
import re
import sys
import time
import unittest

import lab
import servers

CYCLES = 20
COMMON = {"21/tcp", "22/tcp", "25/tcp", "53/tcp", "53/udp", "80/tcp", "123/udp", "179/tcp",
          "443/tcp", "500/udp", "587/tcp", "3389/tcp"}  # and 20/tcp
FURTHER = ("69/udp", "161/udp", "443/udp", "1812/udp", "3478/udp", "4500/udp", "5060/udp",
           "5683/udp", "5684/udp", "11211/tcp", "11211/udp")
OPEN = COMMON | set(FURTHER)
FILTERED = "8080/tcp"
WORDS = (":@common", *(f":{name}" for name in (*FURTHER, FILTERED)), "--many",
         "-c", str(CYCLES), "-i", "0.2")
DROPPED = """table inet filter {
    chain c {
        type filter hook forward priority 0
        tcp dport 8080 drop
    }
}"""
WATCHED = """table inet watch {
    chain c {
        type filter hook input priority 0
        ct state new counter
    }
}"""


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 8080)
        cls.servers = servers.start(cls.net, cls.chain.server)
        cls.net.nft("r2", DROPPED)
        cls.net.nft(cls.chain.server, WATCHED)  # so that its kernel knows connections
        cls.ends = {}
        for form in ("-j", "-r"):  # one after the other: neither is to see the other's answers
            runs = {family: cls.net.start_sonde(form, "-n", cls.chain.target(family), *WORDS)
                    for family in lab.FAMILIES}
            cls.ends[form] = {family: cls.net.finish(run) for family, run in runs.items()}
            # A closed connection is forgotten after ten seconds, so look now.
            cls.tables = [cls.net.run(cls.chain.server, "conntrack", "-L", "-f", name, "-p", "tcp")
                          for name in ("ipv4", "ipv6")]
        cls.sockets = cls.net.run(cls.chain.server, "ss", "-Htan", "state", "connected")
        time.sleep(servers.SETTLES_S)
        cls.reports = {family: lab.Report(end) for family, end in cls.ends["-j"].items()}

    def test_every_server_is_open_with_a_round_trip_and_no_loss(self):
        for family, report in self.reports.items():
            for name in sorted(OPEN):
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    self.assertEqual(service["state"], "open")
                    self.assertEqual((service["sent"], service["received"]), (CYCLES, CYCLES))
                    self.assertEqual(service["loss_ratio"], 0)
                    self.assertEqual((service["late"], service["duplicates"]), (0, 0))
                    self.assertGreater(service["rtt_ms"]["samples"], CYCLES / 2)
                    self.assertGreater(service["rtt_ms"]["min"], 0)
                    self.assertEqual(service["verdict"]["code"], "ok")

    def test_the_services_path_is_the_one_that_there_is(self):
        # So many services take turns: at a hop, only some of them have been asked in four seconds.
        for family, report in self.reports.items():
            path = self.chain.path(family)
            seen = {}
            for name in OPEN:
                hops = report.hops(name)
                self.assertLessEqual(hops.items(), path.items())
                self.assertIn(self.chain.length, hops)
                seen |= hops
            self.assertEqual(seen, path)

    def test_a_port_without_a_server_is_closed(self):
        for report in self.reports.values():
            service = report.service("20/tcp")
            self.assertEqual((service["state"], service["outcomes"]),
                             ("closed", {"closed": CYCLES}))

    def test_a_port_that_the_second_router_drops_is_lost_behind_it(self):
        for family, report in self.reports.items():
            verdict = report.service(FILTERED)["verdict"]
            self.assertEqual(report.service(FILTERED)["state"], "filtered")
            self.assertEqual(verdict["code"], "port_filtered")
            ends = [{"ttl": ttl, "address": self.chain.hop(family, ttl)} for ttl in (2, 3)]
            self.assertEqual([verdict["blame"]["last_seen"], verdict["blame"]["first_lost"]], ends)

    def test_nothing_that_a_server_sent_was_discarded(self):
        for report in self.reports.values():
            self.assertEqual({why: count for why, count in report.discarded.items() if count}, {})

    def test_the_text_says_what_the_json_says(self):
        for family, report in self.reports.items():
            run = self.ends["-r"][family]
            self.assertEqual((run.code, run.err), (1, ""))
            found = {line.split()[1]: line.split()[2] for line in run.out.splitlines()
                     if line[:1] in ("✗", "✓")}
            self.assertEqual(found, report.states() | {"icmp": "up"})
            for name in OPEN:
                self.assertRegex(run.out, rf"(?m)^✓ {name} +open +[0-9.]+ ms, no loss$")
            self.assertIn(f"seen up to hop 2 ({self.chain.hop(family, 2)}), "
                          f"lost before hop 3 ({self.chain.hop(family, 3)})", run.out)

    def test_no_connection_is_left_at_the_server_not_even_half_open(self):
        self.assertEqual(self.sockets, "")
        for table in self.tables:
            # tcp 6 SECONDS STATE src=... dst=... sport=... dport=...
            found = re.findall(r"(?m)^tcp +6 +\d+ +(\S+) .*? dport=(\d+) ", table)
            self.assertEqual({f"{port}/tcp" for _, port in found},
                             {name for name in OPEN if name.endswith("/tcp")})
            self.assertEqual({state for state, _ in found}, {"CLOSE"})

    def test_no_server_complains(self):
        for name, server in self.servers.items():
            with self.subTest(server=name):
                self.assertEqual(server.improper(), [])

    def test_servers_that_log_their_clients_saw_every_probe(self):
        # 20 cycles in 4 runs, and those TTL-limited ones that reach the server, too
        for name, pattern in (("unbound", "NS IN"), ("tftpd", "RRQ from"),
                              ("charon", "parsed IKE_SA_INIT request"),
                              ("kamailio", "OPTIONS from")):
            with self.subTest(server=name):
                seen = sum(pattern in line for line in self.servers[name].said())
                self.assertGreaterEqual(seen, CYCLES * 4)

    def test_no_security_association_is_left_at_the_gateway(self):
        states = {}
        for line in self.servers["charon"].said():
            change = re.search(r"IKE_SA \S+\[(\d+)\] state change: \S+ => (\S+)", line)
            if change:
                states[change[1]] = change[2]
        self.assertGreaterEqual(len(states), CYCLES * 4)
        self.assertEqual(set(states.values()), {"DESTROYING"})


if __name__ == "__main__":
    if servers.missing():
        print(f"skipped: not installed: {' '.join(servers.missing())}")
        sys.exit(lab.SKIPPED)
    lab.main()
