# SPDX-License-Identifier: BSD-2-Clause
"""SCTP ports of a real server, behind real routers of which one drops, rejects, or keeps state.

The server is the kernel's if it has SCTP, which answers what nobody listens at as well, or else
FreeBSD's stack in user space (sctpd.py)."""
import ctypes
import dataclasses
import pathlib
import select
import socket
import struct
import subprocess
import sys
import time
import unittest

import lab
import packets

HERE = pathlib.Path(__file__).resolve().parent
OPEN, CLOSED, DROPPED, REJECTED = 3868, 2905, 36412, 38412
QUICK = ("-c", "3", "-i", "0.1")
STATEFUL = """table inet filter {
    chain c {
        type filter hook forward priority 0
        ct state invalid drop
        MORE
    }
}"""


def crc32c(data):
    """RFC 3720 appendix B.4."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def has_right_checksum(segment):
    """RFC 9260 appendix A."""
    bare = segment[:8] + bytes(4) + segment[12:]
    return struct.unpack_from("<I", segment, 8)[0] == crc32c(bare)


def kernel_has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, packets.SCTP).close()
    except OSError:
        return False
    return True


def has_stack():
    """Is the library there that sctpd.py uses?"""
    try:
        ctypes.CDLL("libusrsctp.so.2")
    except OSError:
        return False
    return True


def listen(net, node, *ports):
    """Take associations at some ports of a node."""
    if not kernel_has_sctp():
        server = net.start(node, sys.executable, str(HERE / "sctpd.py"), *map(str, ports),
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if server.stdout.readline() != "ready\n":
            raise AssertionError("no SCTP server")
        return
    for port in ports:
        with net.inside(node):
            server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, packets.SCTP)
        server.bind(("::", port))
        server.listen()
        net.stack.callback(server.close)


@dataclasses.dataclass
class Init:
    """What a probe says."""
    packet: packets.Packet
    tag: int
    tsn: int


def inits(capture):
    """The INITs that passed."""
    return [Init(packet, *struct.unpack_from("!I8xI", packet.segment, 16))
            for packet in capture.read()
            if packet.protocol == packets.SCTP and packet.segment[12] == 1]


class Sctp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        listen(cls.net, cls.chain.server, OPEN, DROPPED, REJECTED)
        cls.net.add("bare")  # a host without SCTP, or with none that listens
        cls.net.link("r3", "bare", "10.1.9", "fd00:1:9")
        for node, last in (("vantage", None), ("r1", 2), ("r2", 3)):
            if last is not None:
                cls.net.ip(node, f"route add 10.1.9.0/24 via 10.1.{last}.1",
                           f"route add fd00:1:9::/64 via fd00:1:{last}::1")
        cls.net.ip("bare", "route add default via 10.1.9.2", "route add default via fd00:1:9::2")

    def tearDown(self):
        self.net.nft("r2", "")
        self.net.nft("vantage", "")

    def test_a_port_is_open_or_closed_beside_the_others_of_its_host(self):
        for family, report in self.net.reports(
                self.chain.target, f":{OPEN}/sctp", f":{CLOSED}/sctp", ":443", *QUICK).items():
            with self.subTest(family=family):
                self.assertEqual(report.states(), {
                    "icmp": "open", f"{OPEN}/sctp": "open", f"{CLOSED}/sctp": "closed",
                    "443/tcp": "open"})
                for port, outcome in ((OPEN, "open"), (CLOSED, "closed")):
                    service = report.service(f"{port}/sctp")
                    self.assertEqual(service["outcomes"], {outcome: 3})
                    # an answer names its attempt; it may be to another probe of that
                    self.assertEqual(service["sent"] + service["uncertain"], 3)
                    self.assertEqual(service["received"], service["sent"])
                    self.assertEqual((service["duplicates"], service["late"]), (0, 0))
                    self.assertEqual(report.hops(f"{port}/sctp"), self.chain.path(family))
                self.assertEqual(report.code, 1)

    def test_a_port_that_a_router_drops_is_filtered_and_one_that_it_rejects_names_it(self):
        self.net.nft("r2", f"""table inet filter {{
            chain c {{
                type filter hook forward priority 0
                sctp dport {DROPPED} drop
                sctp dport {REJECTED} reject with icmpx type admin-prohibited
            }}
        }}""")
        for family, report in self.net.reports(
                self.chain.target, f":{OPEN}/sctp", f":{DROPPED}/sctp", f":{REJECTED}/sctp",
                *QUICK).items():
            with self.subTest(family=family):
                self.assertEqual(report.service(f"{OPEN}/sctp")["state"], "open")
                dropped = report.service(f"{DROPPED}/sctp")
                self.assertEqual((dropped["state"], dropped["verdict"]["code"]),
                                 ("filtered", "port_filtered"))
                blame = dropped["verdict"]["blame"]
                self.assertEqual(blame["last_seen"]["address"], self.chain.hop(family, 2))
                self.assertEqual(blame["first_lost"]["address"], self.chain.hop(family, 3))
                rejected = report.service(f"{REJECTED}/sctp")
                self.assertEqual((rejected["state"], rejected["verdict"]["code"]),
                                 ("rejected", "port_rejected"))
                self.assertEqual(rejected["verdict"]["blame"]["reporter"],
                                 {"ttl": 2, "address": self.chain.hop(family, 2)})
                self.assertEqual(rejected["outcomes"], {"admin_prohibited": 3})

    def test_a_host_without_sctp_says_so(self):
        if kernel_has_sctp():
            self.skipTest("this kernel's hosts have SCTP")
        for family, host, kind in ((4, "10.1.9.1", (3, 2)), (6, "fd00:1:9::1", (4, 1))):
            with self.subTest(family=family):
                report = self.net.report(host, f":{OPEN}/sctp", *QUICK)
                service = report.service(f"{OPEN}/sctp")
                self.assertEqual((service["state"], service["verdict"]["code"]),
                                 ("rejected", "port_rejected"))
                evidence = service["evidence"]
                self.assertEqual((evidence["icmp_type"], evidence["icmp_code"]), kind)
                self.assertEqual(evidence["from"], host)

    def test_a_stateful_firewall_finds_nothing_wrong_with_any_probe(self):
        # The kernel's connection tracking checks CRC32c and tags (nf_conntrack_proto_sctp.c), and
        # knows only the newest tag of a flow. What goes ahead with a wrong checksum is invalid to
        # it; by the ping the distance is known before.
        self.net.nft("r2", STATEFUL.replace("MORE", "ct state established accept"))
        for family, report in self.net.reports(
                self.chain.target, f":{OPEN}/sctp", f":{CLOSED}/sctp", "-c", "6", "-i",
                "0.1").items():
            with self.subTest(family=family):
                for port, outcome in ((OPEN, "open"), (CLOSED, "closed")):
                    service = report.service(f"{port}/sctp")
                    self.assertEqual(service["outcomes"], {outcome: 6})
                    self.assertEqual(report.hops(f"{port}/sctp"), self.chain.path(family))

    def test_without_a_ping_the_distance_is_found_all_the_same(self):
        for family, report in self.net.reports(
                self.chain.target, f":{OPEN}/sctp", "--no-icmp", "--no-control", *QUICK).items():
            with self.subTest(family=family):
                service = report.service(f"{OPEN}/sctp")
                self.assertEqual(service["outcomes"], {"open": 3})
                self.assertEqual(service["duplicates"], 0)
                self.assertEqual(report.hops(f"{OPEN}/sctp"), self.chain.path(family))

    def test_what_leaves_is_one_flow_and_one_tag_a_cycle(self):
        capture = packets.Capture(self.net, "vantage", f"to-{self.chain.first}")
        report = self.net.report(self.chain.target(4), f":{OPEN}/sctp", *QUICK)
        self.assertEqual(report.service(f"{OPEN}/sctp")["state"], "open")
        sent = inits(capture)
        self.assertGreater(len(sent), 5)
        self.assertEqual(len({init.packet.sport for init in sent}), 1)
        self.assertEqual(len({init.tsn for init in sent}), len(sent))
        # three cycles, and at most two more attempts that were to find where the path ends
        self.assertIn(len({init.tag for init in sent}), (3, 4, 5))
        self.assertNotIn(0, {init.tag for init in sent})
        for init in sent:
            # one that goes ahead while nobody knows how far the server is shall draw nothing
            self.assertTrue(has_right_checksum(init.packet.segment) or init.packet.ttl < 64)

    def test_a_source_port_that_was_asked_for_is_taken(self):
        capture = packets.Capture(self.net, "vantage", f"to-{self.chain.first}")
        report = self.net.report("-L", "3869", self.chain.target(4), f":{OPEN}/sctp", *QUICK)
        self.assertEqual(report.service(f"{OPEN}/sctp")["state"], "open")
        self.assertEqual({init.packet.sport for init in inits(capture)}, {3869})

    def test_two_at_the_same_time_take_none_of_each_others_answers(self):
        words = ("-j", "-n", self.chain.target(4), f":{OPEN}/sctp", f":{CLOSED}/sctp", "-c", "10",
                 "-i", "0.1")
        both = [self.net.start_sonde(*words) for _ in range(2)]
        for process in both:
            report = lab.Report(self.net.finish(process))
            for port, outcome in ((OPEN, "open"), (CLOSED, "closed")):
                self.assertEqual(report.service(f"{port}/sctp")["outcomes"], {outcome: 10})
                self.assertEqual(report.service(f"{port}/sctp")["duplicates"], 0)
                self.assertEqual(report.hops(f"{port}/sctp"), self.chain.path(4))

    def test_without_raw_sockets_it_is_said_that_they_are_needed(self):
        for services in ((), (":443",)):
            with self.subTest(services=services):
                report = self.net.report("--unprivileged", self.chain.target(4), f":{OPEN}/sctp",
                                         *services, *QUICK)
                self.assertEqual(report.code, 3)
                verdict = report.service(f"{OPEN}/sctp")["verdict"]
                self.assertEqual((verdict["level"], verdict["code"]), ("unknown", "no_permission"))
                self.assertIn("SCTP takes raw sockets", verdict["text"])
                for service in services:  # of the others everything is known
                    self.assertEqual(report.service(service[1:] + "/tcp")["state"], "open")

    def test_this_machine_cannot_say_that_it_has_no_sctp(self):
        if kernel_has_sctp():
            self.skipTest("it has")
        for address in ("127.0.0.1", "::1"):
            with self.subTest(address=address):
                verdict = self.net.report(address, f":{OPEN}/sctp",
                                          *QUICK).service(f"{OPEN}/sctp")["verdict"]
                self.assertIn("or this machine has no SCTP", verdict["text"])

    def test_answers_that_prove_nothing_are_not_believed(self):
        # The real answers of the server are dropped, and a forger in its place sends what a
        # stranger could: an ABORT that reflects the tag of an INIT, answers with wrong tags,
        # chunks of impossible lengths.
        self.net.nft("r2", f"""table inet filter {{
            chain c {{
                type filter hook forward priority 0
                ip saddr {self.chain.target(4)} meta l4proto sctp drop
            }}
        }}""")
        capture = packets.Capture(self.net, "r1", "to-r2")
        process = self.net.start_sonde("-j", "-n", self.chain.target(4), f":{OPEN}/sctp",
                                       *QUICK)
        with self.net.inside("r1"):
            forger = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.net.stack.callback(forger.close)
        deadline = time.monotonic() + 30
        forged = 0
        while process.poll() is None and time.monotonic() < deadline:
            select.select([capture], [], [], 0.1)
            for init in inits(capture):
                for answer in forgeries(init.packet.sport, init.tag):
                    forger.sendto(packets.ip(self.chain.target(4), "10.1.1.2", packets.SCTP,
                                             answer, ident=1), ("10.1.1.2", 0))
                    forged += 1
        report = lab.Report(self.net.finish(process))
        self.assertGreater(forged, 0)
        service = report.service(f"{OPEN}/sctp")
        self.assertEqual((service["state"], service["received"]), ("filtered", 0))
        self.assertGreater(report.discarded["bad_token"], 0)
        self.assertGreater(report.discarded["malformed"], 0)


def forgeries(sport, tag):
    """What is no answer to an INIT with this tag, from the port that it went to."""
    def packet(verification, chunk):
        bare = struct.pack("!HHI", OPEN, sport, verification)
        return bare + struct.pack("<I", crc32c(bare + bytes(4) + chunk)) + chunk

    def init_ack(initiate):
        return struct.pack("!BBHIIHHI", 2, 0, 20, initiate, 65536, 10, 10, 1)

    yield packet(0, struct.pack("!BBH", 6, 1, 4))  # ABORT with the T bit
    yield packet(0, struct.pack("!BBH", 6, 0, 4))
    yield packet(tag ^ 1, struct.pack("!BBH", 6, 0, 4))
    yield packet(tag ^ 1, init_ack(7))
    yield packet(tag, init_ack(0))  # no association can come of it: RFC 9260 §3.3.3
    yield packet(tag, struct.pack("!BBH", 2, 0, 3))  # shorter than a chunk
    yield packet(tag, struct.pack("!BBH", 2, 0, 65535))  # longer than the packet
    yield packet(tag, b"")


if __name__ == "__main__":
    if not kernel_has_sctp() and not has_stack():
        print("skipped: not installed: libusrsctp2")
        sys.exit(lab.SKIPPED)
    lab.main()
