# SPDX-License-Identifier: BSD-2-Clause
"""A network that a program plays, as in a container of a user without rights: it ends what is sent
to a target, whatever the TTL, and sends on by sockets of its own."""
import os
import select
import shutil
import subprocess
import sys
import time
import unittest

import lab

GATEWAY = {4: "10.0.2.2", 6: "fe80::2"}


class Slirp(unittest.TestCase):
    """inside ---- slirp4netns in vantage ---- r1 ---- r2 ---- r3 ---- server"""

    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        cls.net.echo(cls.chain.server, 7)
        cls.net.add("inside")
        routes = {f"net/ipv6/conf/{which}/accept_ra": 1 for which in ("all", "default")}
        cls.net.sysctl("inside", routes)
        cls.net.sysctl("vantage", lab.PINGS_ALLOWED)  # its pings are those of a user
        ready, end = os.pipe()
        cls.addClassCleanup(os.close, ready)
        cls.net.start("vantage", "slirp4netns", "--netns-type=path", "--configure",
                      "--enable-ipv6", "--mtu=1500", f"--ready-fd={end}",
                      f"/run/netns/{cls.net.prefix}inside", "tap0", pass_fds=(end,),
                      stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(end)
        if not select.select([ready], [], [], 20)[0] or not os.read(ready, 1):
            raise AssertionError("slirp4netns does not become ready")
        until = time.monotonic() + 20  # when it has announced itself as a router
        while not cls.net.run("inside", "ip", "-6", "route", "show", "default"):
            if time.monotonic() > until:
                raise AssertionError("slirp4netns announces no route for IPv6")
            time.sleep(0.1)

    def tearDown(self):
        for node in self.net.nodes:
            self.net.nft(node, "")

    def reports(self, target, *words):
        for family in lab.FAMILIES:
            report = self.net.report(target(family), *words, "-c", "3", "-i", "0.3", node="inside")
            for service in report.document["targets"][0]["services"]:
                text = service["verdict"]["text"]
                self.assertTrue(text.endswith(f"; by way of a user-mode network (slirp at "
                                              f"{GATEWAY[family]}): TTLs do not count behind it"),
                                text)
                for verdict in (service["verdict"], *service["findings"]):
                    self.assertIsNone(verdict["blame"])
                    self.assertNotIn(verdict["code"],
                                     ("path_changed", "port_intercepted", "routing_loop"))
                self.assertIsNone(service["paths"][0]["dest_ttl"])
            yield family, report

    def test_it_is_named_and_nothing_behind_it_is_blamed(self):
        for family, report in self.reports(self.chain.target, ":443", ":22", ":7/udp"):
            states = report.states()
            # it does not take pings to hosts behind it in IPv6
            self.assertEqual(states.pop("icmp"), "open" if family == 4 else "filtered")
            self.assertEqual(states, {"443/tcp": "open", "22/tcp": "closed", "7/udp": "open"})
            self.assertEqual(report.service("443/tcp")["verdict"]["code"], "ok")
            self.assertEqual(report.service("7/udp")["verdict"]["code"], "ok")
            self.assertEqual(report.code, 1)

    def test_ports_that_are_dropped_behind_it_are_filtered(self):
        self.net.nft("r2", """table inet t {
            chain c {
                type filter hook forward priority 0
                meta l4proto { tcp, udp } th dport { 7, 443 } drop
            }
        }""")
        for _, report in self.reports(self.chain.target, ":443", ":7/udp"):
            states = report.states()
            self.assertEqual((states["443/tcp"], states["7/udp"]),
                             ("filtered", "open_or_filtered"))
            self.assertEqual(report.controls(), {"80/tcp": "closed", "33434/udp": "closed"})

    def test_what_it_says_of_one_port_is_not_taken_for_another(self):
        """It has one socket for each source port, and an error quotes what that has sent last."""
        self.net.nft("r2", """table inet t {
            chain c {
                type filter hook forward priority 0
                udp dport { 7, 11 } drop
            }
        }""")
        for _, report in self.reports(self.chain.target, ":9/udp", ":7/udp", ":13/udp", ":11/udp"):
            states = report.states()
            states.pop("icmp")
            self.assertEqual(states, {"9/udp": "closed", "7/udp": "open_or_filtered",
                                      "13/udp": "closed", "11/udp": "open_or_filtered"})

    def test_a_host_behind_it_that_is_not_there_is_unreachable(self):
        for _, report in self.reports({4: "10.1.4.99", 6: "fd00:1:4::99"}.get, ":7/udp"):
            self.assertEqual(report.code, 1)
            for name, state in report.states().items():
                self.assertEqual(state, "unreachable")
                self.assertEqual(report.service(name)["verdict"]["code"], "host_unreachable")


class Passt(unittest.TestCase):
    """A router that answers in the target's name, and has the link address of passt and pasta."""

    def test_it_is_named_by_its_link_address(self):
        net = lab.Network()
        self.addCleanup(net.close)
        net.add("vantage")
        net.add("passt")
        net.link("vantage", "passt", "10.1.1", "fd00:1:1", interface="eth0")
        net.ip("vantage", "route add default via 10.1.1.1", "route add default via fd00:1:1::1")
        net.ip("passt", "route add local 192.0.2.0/24 dev lo",
               "route add local 2001:db8::/32 dev lo")
        net.listen("passt", 443)
        words = "; by way of a user-mode network (passt at {}): TTLs do not count behind it"
        for named in (False, True):
            if named:
                net.ip("passt", "link set eth0 address 9a:55:9a:55:9a:55")
                net.ip("vantage", "neigh flush dev eth0")
            for target, gateway in (("192.0.2.9", "10.1.1.1"), ("2001:db8::9", "fd00:1:1::1")):
                report = net.report(target, ":443", "-c", "2", "-i", "0.2")
                verdict = report.service("443/tcp")["verdict"]
                self.assertEqual((report.code, verdict["code"]), (0, "ok"))
                self.assertEqual(verdict["text"].endswith(words.format(gateway)), named,
                                 verdict["text"])
                self.assertEqual(report.service("443/tcp")["paths"][0]["dest_ttl"],
                                 None if named else 1)


def main():
    """Skipped without the program, or where it can make no interface."""
    for what, there in (("slirp4netns", shutil.which("slirp4netns")),
                        ("/dev/net/tun", os.path.exists("/dev/net/tun"))):
        if not there:
            print(f"skipped: there is no {what}")
            sys.exit(lab.SKIPPED)
    lab.main()


if __name__ == "__main__":
    main()
