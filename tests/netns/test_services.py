# SPDX-License-Identifier: BSD-2-Clause
"""Real servers from Debian behind three routers: each is found open, and none minds being asked.

20/tcp has no server, and 8080/tcp has one that the second router drops the way to. Some servers
answer nobody behind a router, and some are there over IPv4 only.
"""
import re
import socket
import sys
import time
import unittest

import lab
import servers

CYCLES = 20
COMMON = {"21/tcp", "22/tcp", "25/tcp", "53/tcp", "53/udp", "80/tcp", "123/udp", "179/tcp",
          "443/tcp", "500/udp", "587/tcp", "3389/tcp"}  # and 20/tcp
FURTHER = {"69/udp", "88/tcp", "88/udp", "161/udp", "443/udp", "1194/udp", "1812/udp", "3478/udp",
           "4433/udp", "4500/udp", "5060/udp", "5683/udp", "5684/udp", "11211/tcp", "11211/udp"}
IPV4_ONLY = {"137/udp", "1701/udp"}
OPEN = {4: COMMON | FURTHER | IPV4_ONLY, 6: COMMON | FURTHER}
CLOSED = {4: {"20/tcp"}, 6: {"20/tcp"} | IPV4_ONLY}
SILENT = {"514/udp", "5353/udp", "5355/udp"}
PADDED = {"53/udp", "443/udp", "500/udp", "1812/udp", "3478/udp", "4433/udp", "4500/udp",
          "5060/udp", "5683/udp", "5684/udp"}
FILTERED = "8080/tcp"
WORDS = (":@common", *(f":{name}" for name in sorted(FURTHER | IPV4_ONLY)), f":{FILTERED}",
         "--many")
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
# -s 1000 is 960 bytes over IPv6 with the header of UDP, and not all lengths can be had.
SHORT_DROPPED = f"""table inet short {{
    chain c {{
        type filter hook input priority 0
        udp length < 950 udp dport {{ {", ".join(name[:-4] for name in sorted(PADDED))} }} drop
    }}
}}"""


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
        # A closed connection is forgotten after ten seconds: a run may end later than that.
        cls.net.sysctl(cls.chain.server, {"net/netfilter/nf_conntrack_tcp_timeout_close": 120})
        on_link = cls.start("-j", ":5353/udp", node="r3")
        cls.ends = {"-j": cls.finish(cls.start("-j", *WORDS))}
        # Later, so that the first sees nobody else's answers; and not in one run with the others,
        # because the TTL-limited probes would be for who is silent.
        silent = cls.start("-j", *(f":{name}" for name in sorted(SILENT)))
        cls.ends["-r"] = cls.finish(cls.start("-r", *WORDS))
        cls.tables = [cls.net.run(cls.chain.server, "conntrack", "-L", "-f", name, "-p", "tcp")
                      for name in ("ipv4", "ipv6")]
        cls.net.nft(cls.chain.server, WATCHED + "\n" + SHORT_DROPPED)
        padded = cls.start("-j", *(f":{name}" for name in sorted(PADDED)), "-s", "1000", cycles=3)
        cls.sockets = cls.net.run(cls.chain.server, "ss", "-Htan", "state", "connected")
        cls.reports, cls.on_link, cls.silent, cls.padded = (
            {family: lab.Report(end) for family, end in ends.items()}
            for ends in (cls.ends["-j"], *map(cls.finish, (on_link, silent, padded))))
        time.sleep(servers.SETTLES_S)

    @classmethod
    def start(cls, form, *words, cycles=CYCLES, **how):
        return {family: cls.net.start_sonde(form, "-n", cls.chain.target(family), *words,
                                            "-c", str(cycles), "-i", "0.2", **how)
                for family in lab.FAMILIES}

    @classmethod
    def finish(cls, runs):
        return {family: cls.net.finish(run) for family, run in runs.items()}

    def check_open(self, service):
        self.assertEqual(service["state"], "open")
        self.assertEqual((service["sent"], service["received"]), (CYCLES, CYCLES))
        self.assertEqual(service["loss_ratio"], 0)
        self.assertEqual((service["late"], service["duplicates"]), (0, 0))
        self.assertGreater(service["rtt_ms"]["samples"], CYCLES / 2)
        self.assertGreater(service["rtt_ms"]["min"], 0)
        self.assertEqual(service["verdict"]["code"], "ok")
        # who answers the first question never sees another
        self.assertEqual([question["sent"] for question in service["questions"][1:]],
                         [0] * len(service["questions"][1:]))

    def test_every_server_is_open_with_a_round_trip_and_no_loss(self):
        for family, report in self.reports.items():
            for name in sorted(OPEN[family]):
                with self.subTest(family=family, service=name):
                    self.check_open(report.service(name))

    def test_a_question_that_is_padded_is_answered_as_well(self):
        for family, report in self.padded.items():
            for name in sorted(PADDED):
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    self.assertEqual((service["state"], service["received"]), ("open", 3))

    def test_a_server_that_answers_nobody_behind_a_router_is_open_or_filtered(self):
        for family, report in self.silent.items():
            for name in sorted(SILENT):
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    further = len(service["questions"]) - 1  # each is worth a probe of its own
                    self.assertEqual((service["state"], service["outcomes"]),
                                     ("open_or_filtered", {"no_reply": CYCLES + further}))
                    self.assertEqual(service["verdict"]["code"], "udp_unconfirmed")

    def test_a_multicast_dns_responder_is_open_on_its_own_link(self):
        for family, report in self.on_link.items():
            with self.subTest(family=family):
                self.check_open(report.service("5353/udp"))

    def test_the_services_path_is_the_one_that_there_is(self):
        # So many services take turns: at a hop, only some of them have been asked in four seconds.
        for family, report in self.reports.items():
            path = self.chain.path(family)
            seen = {}
            for name in OPEN[family]:
                hops = report.hops(name)
                self.assertLessEqual(hops.items(), path.items())
                self.assertIn(self.chain.length, hops)
                seen |= hops
            self.assertEqual(seen, path)

    def test_a_port_without_a_server_is_closed(self):
        for family, report in self.reports.items():
            for name in sorted(CLOSED[family]):
                service = report.service(name)
                self.assertEqual((service["state"], service["received"]), ("closed", CYCLES))

    def test_a_port_that_the_second_router_drops_is_lost_behind_it(self):
        for family, report in self.reports.items():
            verdict = report.service(FILTERED)["verdict"]
            self.assertEqual(report.service(FILTERED)["state"], "filtered")
            self.assertEqual(verdict["code"], "port_filtered")
            ends = [{"ttl": ttl, "address": self.chain.hop(family, ttl)} for ttl in (2, 3)]
            self.assertEqual([verdict["blame"]["last_seen"], verdict["blame"]["first_lost"]], ends)

    def test_nothing_that_a_server_sent_was_discarded(self):
        for report in (*self.reports.values(), *self.on_link.values()):
            self.assertEqual({why: count for why, count in report.discarded.items() if count}, {})

    def test_the_text_says_what_the_json_says(self):
        for family, report in self.reports.items():
            run = self.ends["-r"][family]
            self.assertEqual((run.code, run.err), (1, ""))
            found = {line.split()[1]: line.split()[2] for line in run.out.splitlines()
                     if line[:1] in ("✗", "✓")}
            self.assertEqual(found, report.states() | {"icmp": "up"})
            for name in OPEN[family]:
                self.assertRegex(run.out, rf"(?m)^✓ {name} +open +[0-9.]+ ms, no loss$")
            self.assertIn(f"answered up to hop 2 ({self.chain.hop(family, 2)}), "
                          f"silent from hop 3 ({self.chain.hop(family, 3)})", run.out)

    def test_no_connection_is_left_at_the_server_not_even_half_open(self):
        self.assertEqual(self.sockets, "")
        for table in self.tables:
            # tcp 6 SECONDS STATE src=... dst=... sport=... dport=...
            found = re.findall(r"(?m)^tcp +6 +\d+ +(\S+) .*? dport=(\d+) ", table)
            self.assertEqual({f"{port}/tcp" for _, port in found},
                             {name for name in COMMON | FURTHER if name.endswith("/tcp")})
            self.assertEqual({state for state, _ in found}, {"CLOSE"})

    def test_no_server_complains(self):
        for name, server in self.servers.items():
            with self.subTest(server=name):
                self.assertEqual(server.improper(), [])

    def test_servers_that_log_their_clients_saw_every_probe(self):
        # 20 cycles in 2 runs a family, and those TTL-limited ones that reach the server, too
        for name, pattern in (("unbound", "NS IN"), ("tftpd", "RRQ from"), ("krb5kdc", "AS_REQ"),
                              ("charon", "parsed IKE_SA_INIT request"),
                              ("kamailio", "OPTIONS from"), ("xl2tpd", "Closing tunnel")):
            with self.subTest(server=name):
                server = self.servers[name]
                seen = sum(pattern in line for line in server.said())
                self.assertGreaterEqual(seen, CYCLES * 2 * len(server.kind.families))

    def test_a_log_server_logs_what_it_is_told_and_no_probe(self):
        server = self.servers["rsyslogd"]
        with self.net.inside("vantage"):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sender.close)
        sender.sendto(b"<13>Oct 11 22:14:15 server test: told", (self.chain.target(4), 514))
        until = time.monotonic() + servers.LISTENS_WITHIN_S
        while not server.said() and time.monotonic() < until:
            time.sleep(0.1)
        lines = server.said()
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], "told$")

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
