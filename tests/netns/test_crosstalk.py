# SPDX-License-Identifier: BSD-2-Clause
"""Many at once on one machine: nobody takes another's answers, over more than a hundred runs."""
import subprocess
import unittest

import lab

CHAINS = 8
SERVICES = (":443", ":53/udp")
QUICK = ("-c", "2", "-i", "0.1")

# What else an administrator has running: the same protocols to the same targets.
OTHERS = (
    "ping -q -n -i 0.01 {target}",
    "mtr -n -r -c 1000 -i 0.1 {target}",
    "mtr -n -r -c 1000 -i 0.1 -T -P 443 {target}",
    "mtr -n -r -c 1000 -i 0.1 -u {target}",
    "while :; do traceroute -n -I {target}; traceroute -n -T -p 443 {target};"
    " traceroute -n -U -p 53 {target}; done",
)


class Crosstalk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chains = [lab.Chain(cls.net, number, suffix=f"-{number}")
                      for number in range(1, CHAINS + 1)]
        for chain in cls.chains:
            cls.net.listen(chain.server, 443)
            cls.net.echo(chain.server, 53)

    def run_at_once(self, chains, family, wrap=()):
        """Start one sonde for each chain, wait for all, and look at what each saw."""
        processes = [self.net.start_sonde("-j", "-n", chain.target(family), *SERVICES, *QUICK,
                                          wrap=wrap) for chain in chains]
        for chain, process in zip(chains, processes):
            self.check(chain, family, lab.Report(self.net.finish(process)))

    def check(self, chain, family, report):
        self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open", "53/udp": "open"})
        for name in report.states():
            service = report.service(name)
            self.assertEqual(service["evidence"]["from"], chain.target(family))
            self.assertEqual(service["sent"], 2)
            self.assertLessEqual(service["received"], service["sent"])
            self.assertEqual(service["duplicates"], 0)
            for hop in service["paths"][0]["hops"]:
                self.assertLessEqual(hop["received"], hop["sent"])
            for ttl, who in report.hops(name).items():
                self.assertIn(who, ([], [chain.hop(family, ttl)]))

    def test_eight_runs_to_eight_servers(self):
        for _ in range(3):
            for family in lab.FAMILIES:
                self.run_at_once(self.chains, family)

    def test_eight_runs_to_one_port_of_one_server(self):
        for _ in range(2):
            for family in lab.FAMILIES:
                self.run_at_once(self.chains[:1] * CHAINS, family)

    def test_eight_runs_in_containers_that_share_a_network_and_a_process_id(self):
        container = ("unshare", "--pid", "--fork", "--kill-child")
        for family in lab.FAMILIES:
            self.run_at_once(self.chains, family, wrap=container)

    def test_runs_beside_ping_mtr_and_traceroute(self):
        for family in lab.FAMILIES:
            others = [self.net.start("vantage", "sh", "-c",
                                     command.format(target=chain.target(family)),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                      for chain in (self.chains[0], self.chains[-1]) for command in OTHERS]
            self.run_at_once(self.chains, family)
            self.run_at_once(self.chains[:1] * CHAINS, family)
            for process in others:
                self.assertIsNone(process.poll(), f"{process.args} ended early")
                self.net.stop(process)


if __name__ == "__main__":
    lab.main()
