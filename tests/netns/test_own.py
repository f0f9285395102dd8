# SPDX-License-Identifier: BSD-2-Clause
"""The firewall of this very machine: whatever it says in refusing, nobody on the way is blamed.

What is rejected in the output chain is answered at once, in the target's name (a reset) or in this
machine's own (an ICMP error). Answers over veth pairs come as quickly, so time does not tell.
"""
import unittest

import lab

QUICK = ("-c", "3", "-i", "0.2")
SYN = "tcp dport 443 tcp flags & (syn | rst) == syn"
# All that nftables can say, for IPv4 and IPv6.
WORDS = {4: ("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable",
             "net-prohibited", "host-prohibited", "admin-prohibited"),
         6: ("no-route", "admin-prohibited", "addr-unreachable", "port-unreachable",
             "policy-fail", "reject-route", "reject-route")}


def chain(hook, *rules):
    return f"""table inet t {{
        chain c {{
            type filter hook {hook} priority 0
            {chr(10).join(rules)}
        }}
    }}"""


def rejects(what):
    """Rulesets that reject something in each way that there is."""
    for word4, word6 in zip(*WORDS.values()):
        yield (f"{what} meta nfproto ipv4 reject with icmp type {word4}",
               f"{what} meta nfproto ipv6 reject with icmpv6 type {word6}")
    yield (f"{what} reject",)


class Own(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 22, 443)
        cls.net.echo(cls.chain.server, 7)

    def tearDown(self):
        for node in self.net.nodes:
            self.net.nft(node, "")

    def check_refused(self, report, refused, *healthy):
        service = report.service(refused)
        verdict = service["verdict"]
        self.assertEqual((service["state"], verdict["code"], verdict["level"], verdict["blame"]),
                         ("unknown", "local_blocked", "unknown", None), verdict["text"])
        self.assertEqual(verdict["text"], "refused by this machine's firewall")
        self.assertEqual((service["sent"], service["loss_ratio"], service["outcomes"]),
                         (0, None, {"send_error": 3}))
        self.assertEqual((service["duplicates"], service["late"], report.discarded), (0, 0, {}))
        for name in healthy:
            self.assertEqual(report.service(name)["verdict"]["code"], "ok")
            self.assertEqual(report.service(name)["received"], 3)

    def test_a_port_that_this_machine_resets_is_blocked_here(self):
        self.net.nft("vantage", chain("output", "tcp dport 443 reject with tcp reset"))
        for report in self.net.reports(self.chain.target, ":443", ":22", *QUICK).values():
            self.check_refused(report, "443/tcp", "icmp", "22/tcp")
            self.assertEqual(report.code, 3)

    def test_a_port_that_this_machine_rejects_is_blocked_here(self):
        for what, name, healthy in (("tcp dport 443", "443/tcp", ("icmp", "22/tcp", "7/udp")),
                                    ("udp dport 7", "7/udp", ("icmp", "22/tcp", "443/tcp"))):
            for rules in rejects(what):
                with self.subTest(rules=rules):
                    self.net.nft("vantage", chain("output", *rules))
                    for report in self.net.reports(self.chain.target, ":443", ":22", ":7/udp",
                                                   *QUICK).values():
                        self.check_refused(report, name, *healthy)

    def test_pings_that_this_machine_rejects_are_blocked_here(self):
        for rules in rejects("meta l4proto { 1, 58 } th dport != 0"):
            rules = [rule.replace("th dport != 0", "@th,0,8 { 8, 128 }") for rule in rules]
            with self.subTest(rules=rules):
                self.net.nft("vantage", chain("output", *rules))
                for report in self.net.reports(self.chain.target, ":443", *QUICK).values():
                    self.check_refused(report, "icmp", "443/tcp")

    def test_everything_rejected_is_this_machines_fault(self):
        for reject in ("reject", "meta l4proto tcp reject with tcp reset"):
            with self.subTest(reject=reject):
                self.net.nft("vantage", chain("output", f"oifname to-r1 {reject}",
                                              "oifname to-r1 reject"))
                for report in self.net.reports(self.chain.target, ":443", ":7/udp",
                                               *QUICK).values():
                    self.assertEqual(report.code, 3)
                    for name in ("icmp", "443/tcp", "7/udp"):
                        self.check_refused(report, name)

    def test_what_is_rejected_at_times_is_open(self):
        for reject in ("reject with tcp reset", "reject"):
            with self.subTest(reject=reject):
                # one of two; that all of 20 meet the same fate has a chance of 2 in a million
                self.net.nft("vantage", chain("output", f"{SYN} numgen random mod 2 == 0 {reject}"))
                for report in self.net.reports(self.chain.target, ":443", "-c", "20", "-i",
                                               "0.1").values():
                    service = report.service("443/tcp")
                    self.assertEqual(set(service["outcomes"]), {"open", "send_error"})
                    self.assertEqual((service["state"], service["loss_ratio"]), ("open", 0))
                    self.assertEqual((service["verdict"]["code"], service["verdict"]["level"]),
                                     ("local_blocked", "degraded"))

    def test_what_is_dropped_without_a_word_may_be_dropped_here(self):
        may_be = "; or this machine's firewall drops it, which raw sockets alone are told"
        for node, hook in (("vantage", "output"), ("r1", "prerouting"), ("r2", "forward")):
            self.net.nft(node, chain(hook, "tcp dport 443 drop"))
            for report in self.net.reports(self.chain.target, ":443", ":22", *QUICK).values():
                verdict = report.service("443/tcp")["verdict"]
                told = node == "vantage" and not lab.unprivileged
                self.assertEqual(verdict["code"], "local_blocked" if told else "port_filtered")
                self.assertEqual(verdict["text"].endswith(may_be),
                                 node != "r2" and lab.unprivileged, verdict["text"])
                self.assertNotIn(may_be, report.service("22/tcp")["verdict"]["text"])
            self.net.nft(node, "")

    # --- what it does to the answers

    DEAF = chain("input", "icmp type time-exceeded drop", "icmpv6 type time-exceeded drop")
    UNHEARD = (r"; no hop before the target is heard \(0 of \d+ probes\), "
               r"as if ICMP errors were dropped here or near here$")

    def test_errors_that_are_dropped_here_are_missed(self):
        self.net.nft("vantage", self.DEAF)
        self.net.nft("server", chain("input", "tcp dport 22 drop"))
        for report in self.net.reports(self.chain.target, ":443", ":22", ":7/udp",
                                       *QUICK).values():
            self.assertEqual(report.code, 1)
            for name, code in (("icmp", "ok"), ("443/tcp", "ok"), ("7/udp", "ok"),
                               ("22/tcp", "port_filtered")):
                verdict = report.service(name)["verdict"]
                self.assertEqual(verdict["code"], code)
                self.assertRegex(verdict["text"], self.UNHEARD)
            self.assertEqual(report.service("443/tcp")["verdict"]["level"], "ok")
            blame = report.service("22/tcp")["verdict"]["blame"]
            self.assertTrue(blame is None or blame["last_seen"] is None, blame)

    def test_errors_are_missed_where_there_are_enough_of_them(self):
        few = (":443", "-c", "1", "--no-icmp", "--no-control")
        heard = chain("input", f"ip saddr {self.chain.hop(4, 2)} accept",
                      f"ip6 saddr {self.chain.hop(6, 2)} accept",
                      "icmp type time-exceeded drop", "icmpv6 type time-exceeded drop")
        for words, rules in ((few, self.DEAF), ((":443", *QUICK), heard)):
            self.net.nft("vantage", rules)
            for report in self.net.reports(self.chain.target, *words).values():
                self.assertNotIn("heard", report.service("443/tcp")["verdict"]["text"])
        self.net.nft("vantage", self.DEAF)
        for family in lab.FAMILIES:  # two hops may be silent
            report = self.net.report(self.chain.hop(family, 3), ":22", *QUICK)
            self.assertNotIn("heard", report.service("icmp")["verdict"]["text"])

    # --- and what is not this machine's

    def test_the_first_router_is_told_from_this_machine(self):
        for reject, code in (("reject with tcp reset", "port_intercepted"),
                             ("reject", "port_rejected")):
            for hook in ("prerouting", "forward"):
                with self.subTest(reject=reject, hook=hook):
                    self.net.nft("r1", chain(hook, f"tcp dport 443 {reject}"))
                    for report in self.net.reports(self.chain.target, ":443", ":22",
                                                   *QUICK).values():
                        service = report.service("443/tcp")
                        self.assertEqual((service["state"], service["verdict"]["code"]),
                                         ("rejected", code))
                        self.assertEqual(service["sent"], 3)

    def test_a_neighbour_that_answers_at_once_is_told_from_this_machine(self):
        self.net.listen("r1", 443)
        for family in lab.FAMILIES:
            report = self.net.report(self.chain.hop(family, 1), ":443", ":22", *QUICK)
            self.assertEqual(report.states(),
                             {"icmp": "open", "443/tcp": "open", "22/tcp": "closed"})
            self.assertEqual(report.service("22/tcp")["received"], 3)

    def test_one_closed_port_alone_is_closed(self):
        for family in lab.FAMILIES:
            report = self.net.report(self.chain.hop(family, 1), ":25", "-c", "1", "--no-icmp",
                                     "--no-control")
            self.assertEqual(report.states(), {"25/tcp": "closed"})


if __name__ == "__main__":
    lab.main()
