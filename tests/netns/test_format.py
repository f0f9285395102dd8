# SPDX-License-Identifier: BSD-2-Clause
"""Probes of one flow with different sizes, DF and ECN, over real sockets and routers.

A program of the tests' own (formats.c) sends them through sonde's transports, since sonde itself
gives every probe of a trace the same format. What is on the wire is read from a capture.
"""
import errno
import itertools
import os
import unittest

import lab
import packets

DSCP = 10
MODULES = {"icmp": (packets.ICMP, packets.ICMPV6), "udp": (packets.UDP,) * 2,
           "tcp": (packets.TCP,) * 2}
FORMATS = os.environ.get("SONDE_FORMATS", "")

# TTL, size, ECN, DF: all that differ from the one before.
FIRST, SECOND, THIRD, FOURTH = (64, 100, 1, 1), (64, 64, 2, 0), (2, 300, 3, 1), (1, 120, 0, 0)


def df(packet):
    """RFC 791 §3.1: the second bit of byte 6. IPv6 has none (RFC 8200 §5)."""
    return packet.raw[6] >> 6 & 1 if packet.family == 4 else None


def label(packet):
    """RFC 8200 §3: the last 20 bits of the first word."""
    return int.from_bytes(packet.raw[:4], "big") & 0xfffff if packet.family == 6 else None


def exceeded(family):
    """Type and code of a time exceeded as the program prints them."""
    return ["11" if family == 4 else "3", "0"]


class Format(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.sysctl("vantage", lab.PINGS_ALLOWED)
        cls.net.listen(cls.chain.server, 443)
        cls.net.echo(cls.chain.server, 7)
        cls.program = lab.public_copy(FORMATS)
        cls.watch = packets.Capture(cls.net, "vantage", "to-r1")

    def send(self, transport, module, family, *formats):
        """What left, in its order, and what the program printed: of each probe whether it could be
        sent, [[token, errno], ...], and what came of it, {token: words}."""
        user = () if transport == "raw" else lab.WITHOUT_CAPABILITIES
        port = {"icmp": "0", "udp": "7", "tcp": "443"}[module]
        self.watch.read()
        out = self.net.run("vantage", *user, self.program, transport, module,
                           self.chain.target(family), port,
                           *(",".join(map(str, one)) for one in formats))
        said = {"sent": [], "came": {}}
        for word, *rest in map(str.split, out.splitlines()):
            self.assertIn(word, ("port", "sent", "came"))
            if word == "sent":
                said["sent"].append(rest)
            elif word == "came":
                said["came"][rest[0]] = rest[1:]
        protocol = MODULES[module][family == 6]
        left = [packet for packet in self.watch.read() if packet.outgoing
                and packet.protocol == protocol
                and (packet.flags == packets.SYN if module == "tcp" else not packet.is_icmp
                     or packet.is_echo_request)]
        return left, said

    def send_four(self, transport, module, family):
        """Four probes of one flow, each on the wire as it was asked for. What came."""
        formats = (FIRST, SECOND, THIRD, FOURTH)
        left, said = self.send(transport, module, family, *formats)
        self.assertEqual(said["sent"], [[str(n), "0"] for n in (1, 2, 3, 4)])
        self.assertEqual(len(left), 4)
        for packet, wanted in zip(left, formats):
            self.check(packet, family, module, wanted)
        # what load balancers look at
        self.assertEqual(len({(packet.segment[:4], label(packet)) for packet in left}), 1)
        return said["came"]

    def check(self, packet, family, module, wanted):
        ttl, size, ecn, undivided = wanted
        self.assertEqual((packet.ttl, packet.tos), (ttl, DSCP << 2 | ecn))
        self.assertEqual(df(packet), undivided if family == 4 else None)
        if module != "tcp":  # a SYN has its own size
            self.assertEqual(packet.length, size)

    def test_over_raw_sockets_each_probe_of_a_flow_has_its_own(self):
        for module, family in itertools.product(MODULES, lab.FAMILIES):
            with self.subTest(module=module, family=family):
                came = self.send_four("raw", module, family)
                for token, (_, _, ecn, undivided) in (("3", THIRD), ("4", FOURTH)):
                    self.assertEqual(came.pop(token), exceeded(family) + [
                        "quoted", str(ecn), str(undivided if family == 4 else 1)])
                # a SYN-ACK answers both SYNs, which are one attempt
                self.assertEqual(set(map(tuple, came.values())), {("answer",)})
                if module != "tcp":
                    self.assertEqual(set(came), {"1", "2"})

    def test_without_raw_sockets_each_datagram_of_a_flow_has_its_own(self):
        for module, family in itertools.product(("icmp", "udp"), lab.FAMILIES):
            with self.subTest(module=module, family=family):
                came = self.send_four("unprivileged", module, family)
                self.assertEqual(came, {"1": ["answer"], "2": ["answer"],
                                        "3": exceeded(family), "4": exceeded(family)})

    def test_without_raw_sockets_a_syn_may_be_undivided_and_has_no_ecn(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                formats = [(ttl, 60, ecn, undivided) for ttl, ecn, undivided in (
                    (64, 0, 0), (64, 1, 0), (64, 0, 1), (64, 2, 1), (64, 3, 0), (2, 0, 1),
                    (3, 0, 0))]
                left, said = self.send("unprivileged", "tcp", family, *formats)
                refused = str(errno.EOPNOTSUPP)
                self.assertEqual([error for _, error in said["sent"]],
                                 ["0", refused, "0", refused, refused, "0", "0"])
                able = [one for one in formats if one[2] == 0]
                self.assertEqual(len(left), len(able))
                for packet, wanted in zip(left, able):
                    self.check(packet, family, "tcp", wanted)
                self.assertEqual(said["came"], {"1": ["answer"], "3": ["answer"],
                                                "6": exceeded(family), "7": exceeded(family)})

    def test_ecn_and_df_that_a_router_rewrites_make_no_quote_foreign(self):
        # the first router clears ECN of all that it forwards; the second quotes it so
        self.net.nft("r1", """table inet mangle {
            chain c {
                type filter hook forward priority mangle
                ip ecn set not-ect
                ip6 ecn set not-ect
            }
        }""")
        self.addCleanup(self.net.nft, "r1", "")
        for module, family in itertools.product(MODULES, lab.FAMILIES):
            with self.subTest(module=module, family=family):
                left, said = self.send("raw", module, family, (2, 100, 1, 1), (2, 64, 2, 0))
                self.assertEqual([packet.tos & 3 for packet in left], [1, 2])
                self.assertEqual(said["came"], {
                    token: exceeded(family) + ["quoted", "0", str(sent if family == 4 else 1)]
                    for token, sent in (("1", 1), ("2", 0))})


if __name__ == "__main__":
    lab.main()
