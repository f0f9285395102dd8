# SPDX-License-Identifier: BSD-2-Clause
"""A machine with two uplinks, and a rule of its routing that sends what comes from the address of
the second one by that one. Whoever asks with that address means that way.

            ,-- left  --.
    vantage              server
            `-- right --'
"""
import unittest

import lab
import packets

QUICK = ("-c", "3", "-i", "0.2")
TARGET = {4: "10.3.0.1", 6: "fd03::1"}
# the vantage's address at each uplink, and the router's there
OWN = {"left": {4: "10.1.0.2", 6: "fd01::2"}, "right": {4: "10.2.0.2", 6: "fd02::2"}}
ROUTER = {"left": {4: "10.1.0.1", 6: "fd01::1"}, "right": {4: "10.2.0.1", 6: "fd02::1"}}
SERVICES = (":443", ":7/udp")


class Uplinks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = net = lab.Network()
        cls.addClassCleanup(net.close)
        net.add("vantage")
        net.add("server")
        back = []
        for number, side in enumerate(("left", "right"), 1):
            net.add(side, router=True)
            net.link("vantage", side, f"10.{number}.0", f"fd0{number}:0")
            net.link(side, "server", f"10.1{number}.0", f"fd1{number}:0")
            net.ip(side, f"route add 10.3.0.0/24 via 10.1{number}.0.1",
                   f"route add fd03::/64 via fd1{number}::1")
            back.append(f"route add 10.{number}.0.0/24 via 10.1{number}.0.2 src 10.3.0.1")
            back.append(f"route add fd0{number}::/64 via fd1{number}::2 src fd03::1")
        net.ip("server", "addr add 10.3.0.1/24 dev lo", "addr add fd03::1/64 dev lo nodad", *back)
        net.ip("vantage", "route add default via 10.1.0.1", "route add default via fd01::1",
               "route add default via 10.2.0.1 table 100",
               "route add default via fd02::1 table 100",
               "rule add from 10.2.0.2 lookup 100")
        net.run("vantage", "ip", "-6", "rule", "add", "from", "fd02::2", "lookup", "100")
        net.listen("server", 443)
        net.echo("server", 7)

    def check_way(self, side, *words):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                watches = {name: packets.Capture(self.net, "vantage", f"to-{name}")
                           for name in OWN}
                options = [word.format(own=OWN[side][family]) for word in words]
                report = self.net.report(TARGET[family], *SERVICES, *options, *QUICK)
                left = {name: {(packet.src, packet.dst) for packet in watch.read()
                               if packet.outgoing and packet.dst == TARGET[family]}
                        for name, watch in watches.items()}
                self.assertEqual(left, {name: {(OWN[side][family], TARGET[family])}
                                        if name == side else set() for name in OWN})
                self.assertEqual((report.code, set(report.states().values())), (0, {"open"}))
                self.assertEqual(report.document["targets"][0]["source"], OWN[side][family])
                self.assertEqual(report.document["vantage"]["interface"], f"to-{side}")
                for name in report.states():
                    self.assertEqual(report.hops(name),
                                     {1: [ROUTER[side][family]], 2: [TARGET[family]]})
                    self.assertEqual(report.service(name)["received"], 3)

    def test_without_a_source_the_first_uplink_is_taken(self):
        self.check_way("left")

    def test_the_source_takes_part_in_the_choice_of_the_way(self):
        self.check_way("right", "-a", "{own}")

    def test_an_interface_is_chosen_along_with_its_address(self):
        self.check_way("right", "-a", "{own}", "-I", "to-right")

    def test_a_source_of_another_family_is_a_mistake(self):
        for family, other in ((4, 6), (6, 4)):
            with self.subTest(family=family):
                run = self.net.sonde("-r", "-n", "-a", OWN["right"][other], TARGET[family], ":443")
                self.assertEqual((run.code, run.out), (2, ""))
                self.assertRegex(run.err, rf"\Asonde: [^\n]*-a: {TARGET[family]}\n\Z")


if __name__ == "__main__":
    lab.main()
