# SPDX-License-Identifier: BSD-2-Clause
"""What a port shows over real routers: open, closed, filtered, and mistakes that send nothing."""
import unittest

import lab
import packets

SERVICES = (":443", ":22", ":3389", ":53/udp")
QUICK = ("-c", "3", "-i", "0.2")


def drop_3389(hook):
    """A ruleset for a router: 3389/tcp vanishes at this hook."""
    return f"""table inet filter {{
        chain c {{
            type filter hook {hook} priority 0
            tcp dport 3389 drop
        }}
    }}"""


class States(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443, 8443)
        cls.net.echo(cls.chain.server, 53)

    def tearDown(self):
        self.net.nft("r2", "")

    def report(self, family, *words):
        return self.net.report(self.chain.target(family), *words)

    def test_open_closed_and_filtered_are_told_apart(self):
        # A router that drops while forwarding still answers the probe that expires on it; one that
        # drops before routing does not.
        for hook, seen in (("forward", 2), ("prerouting", 1)):
            self.net.nft("r2", drop_3389(hook))
            for family in lab.FAMILIES:
                with self.subTest(hook=hook, family=family):
                    report = self.report(family, *SERVICES, *QUICK)
                    self.assertEqual(report.code, 1)
                    self.assertEqual(report.states(), {
                        "icmp": "open", "443/tcp": "open", "22/tcp": "closed",
                        "3389/tcp": "filtered", "53/udp": "open"})
                    # a router answers six times at once, and not all services need be asked
                    # everywhere; but all together are
                    path = self.chain.path(family)
                    seen_by_all = {}
                    for service in ("icmp", "443/tcp", "22/tcp", "53/udp"):
                        hops = report.hops(service)
                        self.assertEqual(hops, {ttl: path[ttl] for ttl in hops})
                        seen_by_all |= hops
                    self.assertEqual(seen_by_all, path)
                    seen_path = {ttl: path[ttl] for ttl in range(1, seen + 1)}
                    answered = {ttl: who for ttl, who in report.hops("3389/tcp").items() if who}
                    self.assertEqual(answered, seen_path)

    def test_only_a_filtered_port_shows_loss(self):
        self.net.nft("r2", drop_3389("forward"))
        for family in lab.FAMILIES:
            report = self.report(family, *SERVICES, *QUICK)
            for name in report.states():
                with self.subTest(family=family, service=name):
                    service = report.service(name)
                    self.assertEqual(service["sent"], 3)
                    lost = 3 if name == "3389/tcp" else 0
                    self.assertEqual(service["received"], 3 - lost)
                    self.assertEqual(service["outcomes"].get("no_reply", 0), lost)

    def test_the_text_names_every_hop_and_each_state(self):
        self.net.nft("r2", drop_3389("forward"))
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                run = self.net.sonde("-r", "-n", self.chain.target(family), *SERVICES, *QUICK)
                self.assertEqual((run.code, run.err), (1, ""))
                found = {tuple(line.split()[1:3]) for line in run.out.splitlines()
                         if line[:1] in "✗✓"}
                self.assertLessEqual({("443/tcp", "open"), ("22/tcp", "closed"), ("icmp", "up"),
                                      ("3389/tcp", "filtered"), ("53/udp", "open")}, found)
                for ttl in range(1, 5):
                    self.assertRegex(run.out, rf"(?m)^ {ttl}  {self.chain.hop(family, ttl)} ")

    def test_a_run_over_open_ports_exits_0(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.report(family, ":443", ":8443", ":53/udp", *QUICK)
                self.assertEqual(set(report.states().values()), {"open"})
                self.assertEqual(report.code, 0)
                self.assertEqual(report.document["status"], "complete")

    def test_one_cycle_is_enough_for_a_state_and_a_path(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.report(family, ":443", ":22", ":53/udp", "-c", "1")
                self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open",
                                                   "22/tcp": "closed", "53/udp": "open"})
                self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_the_same_service_a_hundred_times_is_measured_for_each(self):
        for family in lab.FAMILIES:
            target = self.chain.target(family)
            for words, states in (((), {"icmp": "open"}),
                                  ((":443",), {"icmp": "open", "443/tcp": "open"}),
                                  ((":53/udp", ":54/udp"), {"icmp": "open", "53/udp": "open",
                                                            "54/udp": "closed"})):
                with self.subTest(family=family, words=words):
                    report = self.net.report(*[target, *words] * 100, *QUICK)
                    self.assertEqual([report.states(index) for index in range(100)], [states] * 100)
                    self.assertEqual(report.document["errors"], [])

    def test_lists_that_differ_are_measured_though_source_ports_run_out(self):
        # more targets of one address than source ports, or sockets for echoes, are held: 64
        count = 70
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                words = [word for index in range(count) for word in
                         (self.chain.target(family), ":443", ":53/udp", f":{2000 + index}")]
                report = self.net.report(*words, "-c", "1")
                for index in range(count):
                    self.assertEqual(report.states(index), {
                        "icmp": "open", "443/tcp": "open", "53/udp": "open",
                        f"{2000 + index}/tcp": "closed"})

    def test_the_least_packets_show_the_same(self):
        # 28 bytes over IPv4, 48 over IPv6, are headers alone; then a word for the checksum, a part
        # of the cookie, and all of it
        for family, sizes in ((4, (28, 30, 36, 42)), (6, (28, 50, 56, 62))):
            for size in sizes:
                with self.subTest(family=family, size=size):
                    report = self.report(family, ":9054/udp", "-s", str(size), *QUICK)
                    self.assertEqual(report.states(), {"icmp": "open", "9054/udp": "closed"})
                    for service in ("icmp", "9054/udp"):
                        self.assertEqual(report.hops(service), self.chain.path(family))
                        self.assertEqual(report.service(service)["received"], 3)

    def test_a_udp_port_nobody_listens_on_is_closed_by_the_servers_own_word(self):
        unreachable = {4: (3, 3), 6: (1, 4)}  # RFC 792, RFC 4443 §3.1
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.report(family, ":54/udp", *QUICK)
                service = report.service("54/udp")
                evidence = service["evidence"]
                self.assertEqual(service["state"], "closed")
                self.assertEqual(evidence["from"], self.chain.target(family))
                self.assertEqual((evidence["icmp_type"], evidence["icmp_code"]),
                                 unreachable[family])
                self.assertEqual(service["outcomes"], {"port_unreachable": 3})
                self.assertEqual(report.code, 1)

    def udp_state_dropped_at(self, node, hook, family):
        self.net.nft(node, f"""table inet filter {{
            chain c {{
                type filter hook {hook} priority 0
                udp dport 53 drop
            }}
        }}""")
        report = self.report(family, ":53/udp", *QUICK)
        self.net.nft(node, "")
        self.assertEqual(report.code, 1)
        return report.service("53/udp")["state"]

    def test_a_udp_port_that_is_silent_at_the_server_is_open_or_filtered(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                self.assertEqual(self.udp_state_dropped_at(self.chain.server, "input", family),
                                 "open_or_filtered")

    def test_a_udp_port_that_is_lost_where_ping_goes_on_is_filtered(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                self.assertEqual(self.udp_state_dropped_at("r2", "forward", family), "filtered")

    def test_a_host_that_is_switched_off_is_unreachable(self):
        for family in lab.FAMILIES:
            absent = {4: "10.1.4.99", 6: "fd00:1:4::99"}[family]
            with self.subTest(family=family):
                report = self.net.report(absent, ":443", "-c", "2", "-i", "0.2", "-Z", "1")
                self.assertEqual(set(report.states().values()), {"unreachable"})
                self.assertEqual(report.code, 1)
                self.assertEqual({ttl: who for ttl, who in report.hops("icmp").items() if who},
                                 {ttl: [self.chain.hop(family, ttl)] for ttl in (1, 2, 3)})


class EchoesWithoutData(unittest.TestCase):
    """The server gives no data back, as some devices do. ping(8) and mtr(8) count such answers."""

    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.sysctl(cls.chain.server, {"net/ipv4/icmp_echo_ignore_all": 1,
                                          "net/ipv6/icmp/echo_ignore_all": 1})

    def test_an_echo_reply_without_its_data_is_an_answer(self):
        watch = packets.Capture(self.net, self.chain.server, "to-r3")
        forger = packets.Forger(self.net, self.chain.server)

        def answer():
            for probe in watch.read():
                if not probe.outgoing and probe.is_echo_request:
                    forger.send(packets.icmp(probe.dst, probe.src,
                                             packets.ECHO_REPLY[probe.family], 0,
                                             probe.ident << 16 | probe.sequence, b""))

        with self.net.serving(watch, answer):
            for family, report in self.net.reports(self.chain.target, *QUICK).items():
                service = report.service("icmp")
                self.assertEqual((report.code, service["state"]), (0, "open"))
                self.assertEqual((service["sent"], service["received"], service["duplicates"]),
                                 (3, 3, 0))
                self.assertEqual(service["rtt_ms"]["samples"], 3)
                self.assertEqual(report.hops("icmp"), self.chain.path(family))
                self.assertEqual(report.discarded, {})


class RouterWithoutRoute(unittest.TestCase):
    # A router says so five times and then once a second to one source, and no setting of a
    # namespace changes that (ip_error() in the kernel's net/ipv4/route.c): so this network has
    # told nobody yet.
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)

    def test_a_network_that_a_router_has_no_route_to_is_unreachable(self):
        for family in lab.FAMILIES:
            nowhere = {4: "10.1.9.1", 6: "fd00:1:9::1"}[family]
            with self.subTest(family=family):
                report = self.net.report(nowhere, ":443", *QUICK)
                self.assertEqual(set(report.states().values()), {"unreachable"})
                self.assertEqual(report.code, 1)
                verdict = report.service("443/tcp")["verdict"]
                self.assertEqual(verdict["code"], "host_unreachable")
                self.assertEqual(verdict["blame"]["reporter"]["address"],
                                 self.chain.hop(family, 3))
                seen = report.hops("443/tcp")
                self.assertEqual((seen[1], seen[2]), ([self.chain.hop(family, 1)],
                                                      [self.chain.hop(family, 2)]))


class RationedRouters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        for router in cls.chain.routers:
            cls.net.sysctl(router, {"net/ipv4/icmp_ratelimit": 1000,
                                    "net/ipv6/icmp/ratelimit": 1000})

    def test_a_run_asks_no_more_than_a_linux_router_answers(self):
        # Six answers in a burst and then one a second, the kernel's own defaults for IPv4; more
        # probes than that would show as loss that is not there.
        processes = {family: self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                                  ":22", "-c", "6") for family in lab.FAMILIES}
        for family, process in processes.items():
            report = lab.Report(self.net.finish(process))
            for name in report.states():
                self.assertEqual(report.hops(name), self.chain.path(family))
                for hop in report.service(name)["paths"][0]["hops"]:
                    with self.subTest(family=family, service=name, ttl=hop["ttl"]):
                        self.assertGreater(hop["sent"], 0)
                        self.assertEqual(hop["received"], hop["sent"])


class Mistakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)

    def sent(self, *words):
        """Run sonde; its end, and how many packets left the vantage."""
        self.net.nft("vantage", """table inet watch {
            chain c {
                type filter hook output priority 0
                ip daddr 10.0.0.0/8 counter
                ip6 daddr fd00::/16 counter
            }
        }""")
        run = self.net.sonde("-r", "-n", *words)
        counters = self.net.run("vantage", "nft", "list", "ruleset").split("counter packets ")[1:]
        return run, sum(int(counter.split()[0]) for counter in counters)

    def test_a_good_command_line_is_seen_to_send(self):
        for family in lab.FAMILIES:
            _, packets = self.sent(self.chain.target(family), ":22", "-c", "1")
            self.assertGreater(packets, 4)

    def test_a_bad_port_sends_nothing(self):
        for family in lab.FAMILIES:
            target = self.chain.target(family)
            for bad, named in ((":99999", "99999"), (":65536", "65536"), (":0", "0"),
                               (":5x", "5x"), (":80-70", "80-70"), (":1-", "1-"), (":-1", "-1"),
                               (":53/dccp", "dccp"), (":no-such-service", "no-such-service"),
                               (":", "missing"), (":22,", "missing")):
                # a good service before the bad one is not probed either
                for words in ((target, bad), (target, ":22", bad)):
                    with self.subTest(words=words):
                        run, packets = self.sent(*words)
                        self.assertEqual((run.code, packets, run.out), (2, 0, ""))
                        self.assertRegex(run.err, r"\Asonde: [^\n]+\n\Z")
                        self.assertIn(named, run.err)


if __name__ == "__main__":
    lab.main()
