# SPDX-License-Identifier: BSD-2-Clause
"""Time that was not measured: sonde is stopped and continued, and its interface goes down. A host
600 ms away is asked five times a second, so three cycles are always in flight. Nothing of them is
loss."""
import signal
import time
import unittest

import lab
from test_far import LENGTH, far_chain

ROUND_TRIP_MS = 600
CYCLES = 50
INTERVAL_S = 0.2
BEFORE_S = 3
STOPPED_S = 6  # three timeouts
DOWN_S = 2


class Gaps(unittest.TestCase):
    def setUp(self):
        self.net, self.chain = far_chain(self, LENGTH, ROUND_TRIP_MS)

    def start(self):
        """One sonde for each family, which has got going."""
        processes = {family: self.net.start_sonde("-j", "-n", self.chain.target(family), ":443",
                                                  ":22", "-c", str(CYCLES), "-i", str(INTERVAL_S))
                     for family in lab.FAMILIES}
        time.sleep(BEFORE_S)
        return processes

    def check_services(self, report, may_be_unsent):
        for name, outcome in (("icmp", "echo_reply"), ("443/tcp", "open"), ("22/tcp", "closed")):
            service = report.service(name)
            with self.subTest(name=name):
                outcomes = service["outcomes"]
                self.assertLessEqual(set(outcomes),
                                     {outcome, "send_error"} if may_be_unsent else {outcome})
                self.assertEqual((service["loss_ratio"], service["late"]), (0, 0))
                self.assertGreaterEqual(service["rtt_ms"]["min"], ROUND_TRIP_MS)
                self.assertLess(service["rtt_ms"]["max"], ROUND_TRIP_MS + 300)
                # of each cycle one, but for those of which nobody knows
                self.assertGreaterEqual(sum(outcomes.values()), CYCLES - 6)

    def check_paths(self, family, report):
        for service in report.document["targets"][0]["services"]:
            self.assertEqual(service["paths"][0]["changes"], [])
        self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_a_program_that_is_stopped_for_a_while_has_lost_nothing(self):
        processes = self.start()
        for process in processes.values():
            process.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_S)
        for process in processes.values():
            process.send_signal(signal.SIGCONT)
        for family, process in processes.items():
            with self.subTest(family=family):
                report = lab.Report(self.net.finish(process))
                self.assertEqual(report.document["status"], "complete")
                self.check_services(report, may_be_unsent=False)
                self.check_paths(family, report)
                self.assertEqual(report.service("443/tcp")["verdict"]["code"], "ok")

    def test_an_interface_that_was_down_is_no_loss_of_the_network(self):
        processes = self.start()
        self.net.ip("vantage", "link set to-r1 down")
        time.sleep(DOWN_S)
        self.net.ip("vantage", "link set to-r1 up",
                    "addr replace 10.1.1.2/24 dev to-r1",
                    "addr replace fd00:1:1::2/64 dev to-r1 nodad",
                    "route replace 10.1.0.0/16 via 10.1.1.1",
                    "route replace fd00:1::/32 via fd00:1:1::1")
        for family, process in processes.items():
            with self.subTest(family=family):
                report = lab.Report(self.net.finish(process))
                self.assertEqual(report.document["status"], "complete")
                self.check_services(report, may_be_unsent=True)
                self.check_paths(family, report)
                service = report.service("443/tcp")
                self.assertGreater(service["outcomes"].get("send_error", 0), 0)
                self.assertEqual(service["verdict"]["code"], "ok")


if __name__ == "__main__":
    lab.main()
