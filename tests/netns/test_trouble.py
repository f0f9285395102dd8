# SPDX-License-Identifier: BSD-2-Clause
"""Trouble on this machine: its firewall, routes, links, outputs, descriptors. None of it is shown
as a fault of the network, and none of it ends a run that could go on."""
import os
import pathlib
import select
import subprocess
import time
import unittest

import lab
import packets

QUICK = ("-c", "3", "-i", "0.1")
ADDRESSES = ("addr replace 10.1.1.2/24 dev to-r1", "addr replace fd00:1:1::2/64 dev to-r1 nodad")
ROUTES = ("route replace 10.1.0.0/16 via 10.1.1.1", "route replace fd00:1::/32 via fd00:1:1::1")


def output_filter(rule):
    return f"""table inet filter {{
        chain c {{
            type filter hook output priority 0
            {rule}
        }}
    }}"""


class Trouble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)

    def tearDown(self):
        self.net.nft("vantage", "")


class Firewall(Trouble):
    def test_probes_that_this_machine_drops_are_send_errors_and_no_loss(self):
        self.net.nft("vantage", output_filter("tcp dport 443 drop"))
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", *QUICK)
                service = report.service("443/tcp")
                self.assertEqual((service["sent"], service["received"], service["loss_ratio"]),
                                 (0, 0, None))
                self.assertEqual(service["outcomes"], {"send_error": 3})
                self.assertEqual((service["state"], service["verdict"]["code"]),
                                 ("unknown", "local_blocked"))
                self.assertEqual(report.states()["icmp"], "open")
                self.assertEqual(report.code, 3)

    def test_a_failure_beside_it_outweighs_what_could_not_be_sent(self):
        self.net.nft("vantage", output_filter("tcp dport 443 drop"))
        for family in lab.FAMILIES:
            report = self.net.report(self.chain.target(family), ":443", ":22", *QUICK)
            self.assertEqual((report.code, report.states()["22/tcp"]), (1, "closed"))

    def test_everything_blocked_is_this_machines_fault(self):
        self.net.nft("vantage", output_filter("meta oifname to-r1 drop"))
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", *QUICK)
                self.assertEqual(report.code, 3)
                self.assertEqual({service["verdict"]["code"] for service
                                  in report.document["targets"][0]["services"]},
                                 {"local_blocked"})
                self.assertEqual(report.document["verdict"]["code"], "local_blocked")

    def test_a_block_that_is_lifted_leaves_no_loss_behind(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                self.net.nft("vantage", output_filter("tcp dport 443 drop"))
                process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                               "-c", "15", "-i", "0.1")
                time.sleep(0.5)
                self.net.nft("vantage", "")
                report = lab.Report(self.net.finish(process))
                service = report.service("443/tcp")
                outcomes = service["outcomes"]
                self.assertGreater(outcomes["send_error"], 0)
                self.assertEqual(outcomes["send_error"] + outcomes["open"], 15)
                self.assertEqual((service["state"], service["loss_ratio"]), ("open", 0))
                self.assertEqual(report.code, 0)


CYCLES = 50


class Interruptions(Trouble):
    def run_through(self, break_it, mend_it):
        """Five seconds of cycles, one of them broken; what each family shows."""
        processes = {family: self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                                  "-c", str(CYCLES), "-i", "0.1", "-Z", "0.5")
                     for family in lab.FAMILIES}
        time.sleep(1)
        self.net.ip("vantage", *break_it)
        time.sleep(1)
        self.net.ip("vantage", *mend_it)
        reports = {family: lab.Report(self.net.finish(process))
                   for family, process in processes.items()}
        # the next test must not find what this one broke
        for family in lab.FAMILIES:
            self.assertEqual(self.net.report(self.chain.target(family), ":443", *QUICK).code, 0)
        return reports

    def check(self, reports, least_failed):
        for family, report in reports.items():
            with self.subTest(family=family):
                self.assertEqual(report.document["status"], "complete")
                service = report.service("443/tcp")
                outcomes = service["outcomes"]
                self.assertEqual(sum(outcomes.values()), CYCLES)
                self.assertEqual(service["state"], "open")
                # before it, and after it: ten at most are before it
                self.assertGreaterEqual(outcomes["open"], 20)
                self.assertGreaterEqual(CYCLES - outcomes["open"], least_failed)
                self.assertEqual(service["sent"], CYCLES - outcomes.get("send_error", 0))
                self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_a_route_that_is_gone_for_a_second_does_not_end_a_run(self):
        reports = self.run_through(("route del 10.1.0.0/16", "route del fd00:1::/32"), ROUTES)
        self.check(reports, 5)
        for report in reports.values():
            service = report.service("443/tcp")
            # what could not be sent was not lost
            self.assertEqual(set(service["outcomes"]), {"open", "send_error"})
            self.assertEqual(service["loss_ratio"], 0)

    def test_a_link_that_is_down_for_a_second_does_not_end_a_run(self):
        reports = self.run_through(("link set to-r1 down",),
                                   ("link set to-r1 up", *ADDRESSES, *ROUTES))
        self.check(reports, 5)

    def wait_for_answer(self, watch):
        """Until the server has answered the first probes; a SYN-ACK may be of another test's."""
        while not any(packet.is_echo_reply for packet in watch.read()):
            self.assertTrue(select.select([watch], [], [], 10)[0])
        time.sleep(0.05)

    # ip-route(8): types of routes that lead nowhere, and what is said of them
    NOWHERE = {"unreachable": "this machine has an unreachable route there",
               "prohibit": "this machine has a prohibit route there",
               "blackhole": "this machine has a blackhole route there",
               "throw": "this machine has no route there"}

    def test_a_route_that_leads_nowhere_is_this_machines_fault_and_is_named(self):
        for kind, words in self.NOWHERE.items():
            for nowhere, route in (("10.77.0.1", "10.77.0.0/24"), ("fd77::1", "fd77::/64")):
                with self.subTest(kind=kind, route=route):
                    self.net.ip("vantage", f"route add {kind} {route}")
                    report = self.net.report(nowhere, ":443", *QUICK)
                    self.net.ip("vantage", f"route del {kind} {route}")
                    self.assertEqual((report.code, report.states()),
                                     (3, {"icmp": "unknown", "443/tcp": "unknown"}))
                    for service in report.document["targets"][0]["services"]:
                        verdict = service["verdict"]
                        self.assertEqual((verdict["code"], verdict["level"], verdict["text"]),
                                         ("no_route", "unknown", words))

    def test_a_route_that_leads_nowhere_from_some_time_on_is_named_too(self):
        for family, server in ((4, "10.1.4.1/32"), (6, "fd00:1:4::1/128")):
            for kind, words in self.NOWHERE.items():
                with self.subTest(kind=kind, family=family):
                    watch = packets.Capture(self.net, "vantage", "to-r1")
                    process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                                   "-c", "10", "-i", "0.1")
                    self.wait_for_answer(watch)
                    time.sleep(0.3)
                    self.net.ip("vantage", f"route add {kind} {server}")
                    report = lab.Report(self.net.finish(process))
                    self.net.ip("vantage", f"route del {kind} {server}")
                    # a route of one address that is thrown away leaves the wider one
                    if kind == "throw":
                        continue
                    service = report.service("443/tcp")
                    self.assertEqual((service["state"], service["verdict"]["code"],
                                      service["verdict"]["level"]),
                                     ("unknown", "no_route", "unknown"))
                    self.assertEqual(service["verdict"]["text"], words)
                    self.assertEqual([(episode["state"], episode["code"])
                                      for episode in service["episodes"]],
                                     [("open", "ok"), ("unknown", "no_route")])

    def test_several_reasons_are_told_with_their_shares(self):
        # icmp is let out, so that the run has something to do while 443 is refused
        self.net.nft("vantage", output_filter("tcp dport 443 drop"))
        for family, server in ((4, "10.1.4.1/32"), (6, "fd00:1:4::1/128")):
            with self.subTest(family=family):
                watch = packets.Capture(self.net, "vantage", "to-r1")
                process = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                               "-c", "20", "-i", "0.1")
                self.wait_for_answer(watch)
                time.sleep(1.2)
                self.net.ip("vantage", f"route add blackhole {server}")
                report = lab.Report(self.net.finish(process))
                self.net.ip("vantage", f"route del blackhole {server}")
                verdict = report.service("443/tcp")["verdict"]
                self.assertEqual((verdict["code"], verdict["level"]), ("local_blocked", "unknown"))
                self.assertRegex(
                    verdict["text"],
                    r"\A1\d of 20 probes did not leave: refused by this machine's firewall; "
                    r"\d of 20: this machine has a blackhole route there\Z")


class Descriptors(Trouble):
    def test_a_full_disk_is_told_in_one_line_and_exits_4(self):
        for form in ("-r", "-j"):
            with self.subTest(form=form), open("/dev/full", "w", encoding="ascii") as full:
                run = self.net.sonde(form, "-n", self.chain.target(4), ":443", *QUICK, stdout=full)
                self.assertEqual(run.code, 4)
                self.assertRegex(run.err, r"\Asonde: [^\n]*No space left on device\n\Z")

    def test_an_output_that_was_closed_at_the_start_is_told_and_exits_4(self):
        for words, wanted in (("-r", 4), ("-j", 4), ("-q", 0)):
            shell = f"exec {lab.sonde_path} {words} -n -c 1 {self.chain.target(4)} :443 >&-"
            process = self.net.start("vantage", "sh", "-c", shell, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
            with self.subTest(words=words):
                code, out, err = self.net.finish(process)
                self.assertEqual((code, out), (wanted, ""))
                complaint = "sonde: cannot write the result: Bad file descriptor\n"
                self.assertEqual(err, complaint if wanted else "")

    def test_a_reader_that_has_gone_away_is_no_error(self):
        for form in ("-r", "-j"):
            with self.subTest(form=form):
                process = self.net.start_sonde(form, "-n", self.chain.target(4), ":443", *QUICK)
                process.stdout.close()
                _, err = process.communicate(timeout=60)
                self.assertEqual((process.returncode, err), (0, ""))

    def test_a_reader_of_one_byte_gets_it_and_hears_no_complaint(self):
        shell = f"{lab.sonde_path} -r -n -c 1 {self.chain.target(4)} :443 | head -c 1"
        process = self.net.start("vantage", "sh", "-c", shell, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.assertEqual(self.net.finish(process), (0, "s", ""))

    def test_closed_standard_streams_are_not_given_to_sockets(self):
        process = self.net.start_sonde(
            "-r", "-n", self.chain.target(4), ":443", "-c", "10", "-i", "0.1",
            wrap=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
        time.sleep(0.5)
        descriptors = pathlib.Path(f"/proc/{process.pid}/fd")
        self.assertEqual([os.readlink(descriptors / str(fd)) for fd in range(3)],
                         ["/dev/null"] * 3)
        self.assertEqual(self.net.finish(process), (4, "", ""))

    def test_too_few_descriptors_are_told_in_one_line(self):
        # Standard streams, a pipe, and a dozen sockets: ten are not enough.
        run = self.net.sonde("-r", "-n", self.chain.target(4), ":443", *QUICK,
                             wrap=("prlimit", "--nofile=10:10"))
        self.assertEqual((run.code, run.out), (3, ""))
        self.assertRegex(run.err, r"\Asonde: [^\n]*Too many open files; allow more with: "
                         r"ulimit -n \d+\n\Z")

    def test_every_number_of_descriptors_ends_in_a_result_or_a_line(self):
        for count in range(10, 24):
            with self.subTest(count=count):
                run = self.net.sonde("-j", "-n", self.chain.target(4), ":443", "-c", "1",
                                     wrap=("prlimit", f"--nofile={count}:{count}"))
                self.assertIn(run.code, (0, 3))
                if run.out:
                    lab.Report(run)
                else:
                    self.assertRegex(run.err, r"\A[^\n]+\n\Z")


class OtherEnvironments(Trouble):
    def test_a_machine_without_ipv6_is_measured_over_ipv4(self):
        self.net.sysctl("vantage", {"net/ipv6/conf/all/disable_ipv6": 1})
        try:
            report = self.net.report(self.chain.target(4), ":443", self.chain.target(6), ":443",
                                     *QUICK)
        finally:
            self.net.sysctl("vantage", {"net/ipv6/conf/all/disable_ipv6": 0})
            self.net.ip("vantage", *ADDRESSES, *ROUTES)
        self.assertEqual((report.states(0)["443/tcp"], report.states(1)["443/tcp"]),
                         ("open", "unknown"))
        self.assertEqual((report.code, report.document["status"]), (3, "partial"))

    def test_a_machine_without_loopback_is_measured(self):
        self.net.ip("vantage", "link set lo down")
        try:
            for family in lab.FAMILIES:
                report = self.net.report(self.chain.target(family), ":443", *QUICK)
                self.assertEqual((report.code, report.states()["443/tcp"]), (0, "open"))
        finally:
            self.net.ip("vantage", "link set lo up")


if __name__ == "__main__":
    lab.main()
