# SPDX-License-Identifier: BSD-2-Clause
"""What lies between the program and the wire: full queues, devices on top of each other, errors
that come in beside. None of it is taken for the network's loss, or for another packet's time."""
import unittest

import lab

QUICK = ("-c", "3", "-i", "0.1")
TOP4, TOP6 = "10.77.0", "fd77"


class Devices(unittest.TestCase):
    def setUp(self):
        self.net = lab.Network()
        self.addCleanup(self.net.close)


class FullQueue(Devices):
    def setUp(self):
        super().setUp()
        self.chain = lab.Chain(self.net)
        self.net.listen(self.chain.server, 443)

    def tc(self, *words):
        self.net.run("vantage", "tc", *words)

    def check_no_loss(self, report, name, sent):
        service = report.service(name)
        self.assertEqual((service["sent"], service["received"]), (sent, sent))
        self.assertEqual((service["loss_ratio"], service["state"]), (0, "open"))

    def test_what_the_queue_drops_is_not_the_networks_loss(self):
        # It holds about four packets and lets through about sixteen a second at 100 bytes each; so
        # most of the first batch finds no room in it. What found none is tried again.
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                self.tc("qdisc", "replace", "dev", "to-r1", "root", "tbf",
                        "rate", "13kbit", "burst", "200", "limit", "400")
                report = self.net.report(self.chain.target(family), ":443", "-m", "4",
                                         "-c", "5", "-i", "0.1", "-Z", "5")
                dropped = int(self.net.run("vantage", "tc", "-s", "qdisc", "show", "dev", "to-r1")
                              .split("dropped ")[1].split(",")[0])
                self.assertGreater(dropped, 0)
                for name in ("icmp", "443/tcp"):
                    self.check_no_loss(report, name, 5)
                self.assertEqual(report.document["own_losses"], {"receive_queue": 0, "send": 0})
                for name in ("icmp", "443/tcp"):
                    for hop in report.service(name)["paths"][0]["hops"]:
                        self.assertEqual((hop["ttl"], hop["received"]), (hop["ttl"], hop["sent"]))

    def test_a_queue_that_drops_a_service_for_good_is_no_loss_and_holds_nobody_up(self):
        self.net.starve("vantage", "to-r1", 443)
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report = self.net.report(self.chain.target(family), ":443", ":22", "-c", "3",
                                         "-i", "0.1", "-Z", "0.5", timeout=20)
                service = report.service("443/tcp")
                self.assertEqual(service["outcomes"], {"send_error": 3})
                self.assertEqual((service["sent"], service["loss_ratio"]), (0, None))
                self.assertEqual(service["state"], "unknown")
                self.check_no_loss(report, "icmp", 3)
                self.assertEqual(report.states()["22/tcp"], "closed")
                # each was tried for half a second at most, three of them
                self.assertLess(report.document["duration_ms"], 2500)


class Blocked(Devices):
    def test_stamps_find_their_packets_between_those_that_a_firewall_drops(self):
        # Some packets of every batch take their number and are dropped then.
        chains = [lab.Chain(self.net, number=k, suffix=f"-{k}" * (k > 1)) for k in (1, 2, 3)]
        self.net.nft("vantage", """table inet filter {
            chain c {
                type filter hook output priority 0
                tcp dport 443 drop
            }
        }""")
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                targets = [chain.target(family) for chain in chains]
                words = [word for target in targets for word in (target, ":443", ":22")]
                self.net.report(*targets, "-c", "1")  # the neighbours' addresses are known now
                report = self.net.report(*words, "-c", "5", "-i", "0.1")
                self.assertGreaterEqual(report.document["own_losses"]["send"], 15)
                sent = report.document["vantage"]["clocks"]["sent"]
                self.assertGreaterEqual(sent["kernel"], 30)
                self.assertEqual(set(sent), {"kernel"})


class Stacked(Devices):
    def stack(self, kind):
        """The vantage's address is on a device of a kind, on top of its end of a veth pair."""
        self.net.add("vantage")
        self.net.add("server")
        self.net.link("vantage", "server", "10.78.0", "fd78")
        device = {"macvlan": ("link add link to-server name top type macvlan mode bridge",),
                  "bridge": ("link add name top type bridge", "link set to-server master top")}
        self.net.ip("vantage", *device[kind], "link set top up",
                    f"addr add {TOP4}.2/24 dev top", f"addr add {TOP6}::2/64 dev top nodad")
        self.net.ip("server", f"addr add {TOP4}.1/24 dev to-vantage",
                    f"addr add {TOP6}::1/64 dev to-vantage nodad")

    def test_every_packet_of_a_batch_is_stamped_on_a_device_over_another(self):
        for kind in ("macvlan", "bridge"):
            self.check_stamps(kind)

    def check_stamps(self, kind):
        self.net.close()
        self.stack(kind)
        for address in (f"{TOP4}.1", f"{TOP6}::1"):
            with self.subTest(kind=kind, address=address):
                # the neighbour's address has to be known: who waits for it has no stamp in time
                self.net.report(address, "-c", "1")
                # 60 ports and icmp leave at once, with two stamps each: more than are read at once
                report = self.net.report(address, "--many", ":8000-8059", "-m", "1", *QUICK)
                sent = report.document["vantage"]["clocks"]["sent"]
                self.assertEqual(set(sent), {"kernel"})
                self.assertGreaterEqual(sent["kernel"], 3 * 61)


if __name__ == "__main__":
    lab.main()
