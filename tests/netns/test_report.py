# SPDX-License-Identifier: BSD-2-Clause
"""The JSON report is one whole document that fits its schema, however a run ends.

Every lab.Report is held against the schema that sonde prints; here are the ways to end, and what
the document then says about the run.
"""
import signal
import time
import unittest

import lab
import packets

QUICK = ("-c", "3", "-i", "0.1")
VANTAGE = {4: "10.1.1.2", 6: "fd00:1:1::2"}
FLOOD = 12000  # packets that take 2 KiB each in a buffer of at most 8 MiB
NOWHERE = "does-not-exist.invalid"  # RFC 6761 §6.4: no resolver may find it; here none is reached


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        cls.net.echo(cls.chain.server, 53)

    def tearDown(self):
        self.net.nft("r2", "")

    def test_all_open(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", ":53/udp", *QUICK)
                document = report.document
                self.assertEqual((report.code, document["status"]), (0, "complete"))
                self.assertEqual(document["verdict"], {"level": "ok", "code": "ok"})
                self.assertEqual(document["errors"], [])
                self.assertEqual(document["vantage"]["interface"], "to-r1")
                self.assertEqual(document["vantage"]["transport"], "raw")
                target = document["targets"][0]
                self.assertEqual((target["address"], target["family"], target["source"]),
                                 (self.chain.target(family), f"ipv{family}",
                                  {4: "10.1.1.2", 6: "fd00:1:1::2"}[family]))

    def test_rejected_filtered_and_unreachable(self):
        self.net.nft("r2", """table inet filter {
            chain c {
                type filter hook forward priority 0
                tcp dport 25 reject with icmpx type admin-prohibited
                tcp dport 3389 drop
            }
        }""")
        for family in lab.FAMILIES:
            nowhere = {4: "10.1.9.1", 6: "fd00:1:9::1"}[family]
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", ":25", ":3389",
                                         ":23", nowhere, ":443", *QUICK, "-Z", "1")
                self.assertEqual(report.states(0), {
                    "icmp": "open", "443/tcp": "open", "25/tcp": "rejected",
                    "3389/tcp": "filtered", "23/tcp": "closed"})
                self.assertEqual(report.states(1), {"icmp": "unreachable",
                                                    "443/tcp": "unreachable"})
                # worst first: host_unreachable stands before the port's codes
                self.assertEqual(report.document["verdict"],
                                 {"level": "failed", "code": "host_unreachable"})
                self.assertEqual((report.code, report.document["status"]), (1, "complete"))

    def test_a_name_without_an_address_stands_beside_targets_that_work(self):
        # unmeasured alone does not fail, 3; but whatever fails outweighs it, 1
        for port, code in ((":443", 3), (":22", 1)):
            with self.subTest(port=port):
                report = self.net.report(self.chain.target(4), port, NOWHERE, ":443",
                                         self.chain.target(6), port, *QUICK)
                self.assertEqual((report.code, report.document["status"]), (code, "partial"))
                works = {":443": "open", ":22": "closed"}[port]
                self.assertEqual([report.states(i)[f"{port[1:]}/tcp"] for i in (0, 2)],
                                 [works, works])
                self.assertEqual(report.states(1), {"icmp": "unknown", "443/tcp": "unknown"})
                self.assertIsNone(report.document["targets"][1]["address"])
                errors = report.document["errors"]
                self.assertEqual([(error["target"], error["code"]) for error in errors],
                                 [(NOWHERE, "name_unresolved")])

    def test_nothing_but_a_name_without_an_address(self):
        report = self.net.report(NOWHERE, ":443")
        self.assertEqual((report.code, report.document["status"]), (3, "error"))

    def test_a_machine_without_a_route(self):
        for nowhere in ("192.0.2.1", "2001:db8::1"):
            with self.subTest(target=nowhere):
                report = self.net.report(nowhere, ":443")
                self.assertEqual((report.code, report.document["status"]), (3, "error"))
                self.assertEqual(report.document["errors"][0]["code"], "no_route")

    def test_the_kernel_stamps_what_leaves_and_what_comes_in(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", ":53/udp", *QUICK)
                for name, counts in report.document["vantage"]["clocks"].items():
                    # a packet that waits for its neighbour's address has no stamp in time
                    self.assertGreater(counts.get("kernel", 0), 9 * counts.get("user", 0), name)

    def test_what_this_machine_has_no_room_for_is_its_own_loss(self):
        # The program is stopped while more comes to its port than any receive buffer holds.
        forger = packets.Forger(self.net, self.chain.server)
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                watch = packets.Capture(self.net, "vantage", "to-r1")
                process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":53/udp",
                                               "-c", "1000000", "-i", "0.1")
                port = None
                while port is None:
                    port = next((packet.sport for packet in watch.read()
                                 if packet.outgoing and packet.dport == 53), None)
                process.send_signal(signal.SIGSTOP)
                flood = packets.udp(self.chain.target(family), VANTAGE[family], 53, port,
                                    b"x" * 1000)
                for _ in range(FLOOD):
                    forger.send(flood)
                process.send_signal(signal.SIGCONT)
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                report = lab.Report(self.net.finish(process))
                self.assertGreater(report.document["own_losses"]["receive_queue"], 0)
                self.assertEqual(report.document["own_losses"]["send"], 0)

    def test_what_was_read_in_time_is_no_loss(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", ":53/udp", *QUICK)
                self.assertEqual(report.document["own_losses"], {"receive_queue": 0, "send": 0})

    def test_a_signal_ends_a_run_with_what_was_measured_so_far(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for family in lab.FAMILIES:
                with self.subTest(signal=number.name, family=family):
                    watch = packets.Capture(self.net, "vantage", "to-r1")
                    process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                                   "-c", "1000000", "-i", "0.1",
                                                   wrap=("env", "--default-signal"))
                    time.sleep(1)
                    process.send_signal(number)
                    run = self.net.finish(process)
                    report = lab.Report(run)
                    self.assertEqual((run.code, run.err), (0, ""))
                    self.assertEqual(report.document["status"], "interrupted")
                    service = report.service("443/tcp")
                    self.assertEqual(service["state"], "open")
                    # every SYN that left is accounted for, but for one still on its way
                    syns = [packet for packet in watch.read() if packet.outgoing
                            and packet.flags == packets.SYN and packet.ttl == 64]
                    self.assertGreater(len(syns), 2)
                    self.assertEqual(service["received"], service["sent"])
                    self.assertIn(len(syns) - service["sent"], (0, 1))

    def test_a_hangup_that_is_ignored_ends_nothing(self):
        # as nohup(1) starts a program
        process = self.net.start_sonde("-j", "-n", self.chain.target(4), ":443", "-c", "20", "-i",
                                       "0.1", wrap=("env", "--ignore-signal=HUP"))
        time.sleep(1)
        process.send_signal(signal.SIGHUP)
        report = lab.Report(self.net.finish(process))
        self.assertEqual(report.document["status"], "complete")

    def test_a_signal_at_once_still_yields_a_document(self):
        # A reader that is too early finds no handler yet, so wait until there is a packet.
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                watch = packets.Capture(self.net, "vantage", "to-r1")
                process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443")
                while not any(packet.outgoing for packet in watch.read()):
                    self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
                report = lab.Report(self.net.finish(process))
                self.assertEqual(report.document["status"], "interrupted")
                self.assertIn(report.code, (0, 1, 3))

    def test_a_deadline_ends_a_run_with_what_was_measured_so_far(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                begin = time.monotonic()
                report = self.net.report(self.chain.target(family), ":443", "-c", "1000000",
                                         "-i", "0.1", "--deadline", "1")
                self.assertEqual((report.code, report.document["status"]), (0, "partial"))
                self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open"})
                # it counts from the start of the program, and the duration from the first packet
                self.assertGreaterEqual(time.monotonic() - begin, 1)
                duration = report.document["duration_ms"]
                self.assertGreater(duration, 500)
                self.assertLess(duration, 2000)

    def test_several_targets_each_have_their_own_services(self):
        report = self.net.report(self.chain.target(4), ":443", self.chain.target(6), ":22",
                                 self.chain.hop(4, 2), *QUICK)
        self.assertEqual([report.states(i) for i in range(3)],
                         [{"icmp": "open", "443/tcp": "open"}, {"icmp": "open", "22/tcp": "closed"},
                          {"icmp": "open"}])
        self.assertEqual(report.hops("icmp", 2), {1: [self.chain.hop(4, 1)],
                                                  2: [self.chain.hop(4, 2)]})

    def test_a_run_does_not_wait_for_name_servers_that_are_not_there(self):
        started = time.monotonic()
        run = self.net.sonde("-j", self.chain.target(4), ":443", *QUICK)
        report = lab.Report(run)
        self.assertEqual(report.code, 0)
        hop = report.service("443/tcp")["paths"][0]["hops"][0]
        self.assertIsNone(hop["responders"][0]["hostname"])
        self.assertLess(time.monotonic() - started, 5)


if __name__ == "__main__":
    lab.main()
