# SPDX-License-Identifier: BSD-2-Clause
"""What is on the wire: one packet a probe, one flow a trace, and every option as asked."""
import collections
import subprocess
import unittest

import lab
import packets

FILTER = """table inet filter {
    chain c {
        type filter hook forward priority 0
        tcp dport 3389 drop
    }
}"""
FULL_TTL = 64  # what systems send with
FULL_TTL_MAX = 255  # after a silence: RFC 5082
TARGET = 4  # hops to the server
ARRIVALS = 2  # probes to a hop of a trace that are meant to arrive, at most
ISN_STEP = 1 << 20  # from one attempt to connect to the next
SOURCE = {4: "10.1.1.2", 6: "fd00:1:1::2"}
SECOND_SOURCE = {4: "10.1.1.22", 6: "fd00:1:1::22"}
ALT_SOURCE = {4: "10.1.100.2", 6: "fd00:1:100::2"}


def is_probe(packet):
    """Sent by sonde itself, not by the kernel for it."""
    return packet.outgoing and (packet.flags == packets.SYN or packet.protocol == packets.UDP
                                or packet.is_echo_request)


def is_full(packet):
    return packet.ttl in (FULL_TTL, FULL_TTL_MAX)


def is_blind(packet):
    """A SYN that a host drops: its checksum is wrong. The sum over what holds a right one is 0."""
    prefix = packets.pseudo(packet.src, packet.dst, packet.protocol, len(packet.segment))
    return packets.checksum(prefix + packet.segment) != 0


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443, 8443)
        cls.net.echo(cls.chain.server, 9053)
        cls.net.nft("r2", FILTER)
        cls.add_second_link()
        cls.captures = {name: packets.Capture(cls.net, "vantage", name)
                        for name in ("to-r1", "alt")}

    @classmethod
    def add_second_link(cls):
        """A second source address; and a second link to r1, for -I, and for packets marked 7."""
        cls.net.link("vantage", "r1", "10.1.100", "fd00:1:100", interface="alt")
        # a deprecated IPv6 address is never the system's own choice (RFC 6724 §5)
        cls.net.ip("vantage", f"addr add {SECOND_SOURCE[4]}/32 dev to-r1",
                   f"addr add {SECOND_SOURCE[6]}/128 dev to-r1 nodad preferred_lft 0")
        for family, net, via in ((4, "10.1.0.0/16", "10.1.100.1"),
                                 (6, "fd00:1::/32", "fd00:1:100::1")):
            cls.net.ip("vantage", f"route add {net} via {via} metric 5000",
                       f"route add {net} via {via} table 7")
            cls.net.run("vantage", "ip", f"-{family}", "rule", "add", "fwmark", "7", "table", "7")
        for k, node in ((2, "r2"), (3, "r3"), (4, cls.chain.server)):
            cls.net.ip(node, f"route add 10.1.100.0/24 via 10.1.{k}.2",
                       f"route add fd00:1:100::/64 via fd00:1:{k}::2")

    def seen(self, family, *words, link="to-r1"):
        """Run sonde with two cycles; its report, and what passed a link of the vantage."""
        self.captures[link].read()
        report = self.net.report(self.chain.target(family), "-c", "2", "-i", "0.1", *words)
        target = self.chain.target(family)
        return report, [packet for packet in self.captures[link].read()
                        if packet.dst == target or not packet.outgoing]

    def probes(self, family, *words, link="to-r1"):
        _, seen = self.seen(family, *words, link=link)
        found = [packet for packet in seen if is_probe(packet)]
        self.assertGreater(len(found), 4)
        return found

    def test_every_probe_is_one_syn_and_none_is_sent_again(self):
        for family in lab.FAMILIES:
            report, seen = self.seen(family, ":443", ":22", ":3389", "-c", "4")
            for port in (443, 22, 3389):
                with self.subTest(family=family, port=port):
                    service = report.service(f"{port}/tcp")
                    syns = [packet for packet in seen if is_probe(packet) and packet.dport == port]
                    ttls = collections.Counter(packet.ttl for packet in syns)
                    self.assertEqual((service["sent"], ttls[FULL_TTL] + ttls[FULL_TTL_MAX]),
                                     (4, 4))
                    # only who is not answered is asked with another
                    self.assertEqual(ttls[FULL_TTL_MAX] > 0, port == 3389)
                    for hop in service["paths"][0]["hops"]:
                        if hop["responders"] and hop["ttl"] < TARGET:
                            # what is shared was sent for another port
                            self.assertEqual(ttls[hop["ttl"]],
                                             0 if hop["shared"] else hop["sent"])
                    # a repetition by the kernel would repeat the timestamp, too
                    self.assertEqual(len({packet.ts for packet in syns}), len(syns))

    def test_a_trace_is_one_flow_at_every_ttl(self):
        for family in lab.FAMILIES:
            found = self.probes(family, ":443", ":22", ":9053/udp", "-c", "3")
            flows = collections.defaultdict(list)
            for packet in found:
                flows[packet.protocol, packet.dport].append(packet)
            self.assertEqual(len(flows), 4)
            for key, flow in flows.items():
                with self.subTest(family=family, flow=key):
                    self.assertLessEqual({1, 2, 3, 4, FULL_TTL}, {packet.ttl for packet in flow})
                    self.assertEqual(sum(is_full(packet) for packet in flow), 3)
                    # what routers and load balancers hash: the first four bytes are the ports, or
                    # ICMP's type, code and checksum; in IPv6 the flow label, too
                    hashed = {(packet.src, packet.dst, packet.tos, packet.segment[:4],
                               packet.raw[1:4] if family == 6 else b"") for packet in flow}
                    self.assertEqual(len(hashed), 1)
                    if packets.UDP not in key:
                        self.assertEqual(len({packet.ident for packet in flow}), 1)  # of an echo

    def test_each_attempt_to_connect_has_an_isn_of_its_own(self):
        cycles = 3
        for family in lab.FAMILIES:
            found = self.probes(family, ":443", ":22", "-c", str(cycles))
            secrets = set()
            for port in (443, 22):
                syns = [packet for packet in found if packet.dport == port]
                with self.subTest(family=family, port=port):
                    isn = syns[0].seq
                    secrets.add(isn % ISN_STEP)
                    for before, syn in zip(syns, syns[1:]):
                        rise = (syn.seq - before.seq) % (1 << 32)
                        # a full-TTL probe begins one, as does one to the hop where the target is
                        self.assertIn(rise, (ISN_STEP,) if is_full(syn) else (0, ISN_STEP))
                        if syn.ttl < TARGET:
                            self.assertEqual(rise, 0)
                    # what arrives of each is one SYN
                    arrived = [packet.seq for packet in syns
                               if packet.ttl >= TARGET and not is_blind(packet)]
                    self.assertEqual(len(set(arrived)), len(arrived))
                    self.assertLessEqual(len(arrived), cycles + ARRIVALS)
                    self.assertGreater(len(arrived), cycles)
            self.assertEqual(len(secrets), 2)

    def test_the_kernel_answers_each_syn_ack_with_one_reset(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report, seen = self.seen(family, ":443", ":8443", "-c", "5")
                syn_acks = [(packet.sport, packet.ack) for packet in seen
                            if packet.flags == packets.SYN | packets.ACK and not packet.outgoing]
                resets = [(packet.dport, packet.seq) for packet in seen
                          if packet.outgoing and packet.flags == packets.RST]
                self.assertGreaterEqual(len(syn_acks), 10)
                self.assertEqual(resets, syn_acks)
                # and sonde sends nothing else over TCP than SYNs
                self.assertEqual({packet.flags for packet in seen
                                  if packet.outgoing and packet.protocol == packets.TCP},
                                 {packets.SYN, packets.RST})
                self.assertEqual(report.code, 0)

    def test_no_port_unreachable_goes_back_to_a_udp_server_that_answers(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                _, seen = self.seen(family, ":9053/udp", "-c", "5")
                answers = [packet for packet in seen
                           if packet.protocol == packets.UDP and not packet.outgoing]
                self.assertGreaterEqual(len(answers), 5)
                errors = [packet for packet in seen if packet.outgoing and packet.is_icmp
                          and not packet.is_echo_request]
                self.assertEqual(errors, [])

    def test_ttls_are_as_asked(self):
        for family in lab.FAMILIES:
            for words, least, most in (((), 1, 30), (("-m", "2"), 1, 2), (("-f", "3"), 3, 30),
                                       (("-f", "3", "-m", "5"), 3, 5),
                                       (("-f", "4", "-m", "4"), 4, 4)):
                with self.subTest(family=family, words=words):
                    # What is asked whether the server is there is no probe to a hop.
                    found = {packet.ttl for packet in self.probes(family, ":443", *words)}
                    self.assertIn(FULL_TTL, found)
                    hops = found - {FULL_TTL}
                    # A step of the walk may be on its way while the answer comes that ends it.
                    self.assertLessEqual(set(range(least, min(most, TARGET) + 1)), hops)
                    self.assertGreaterEqual(min(hops), least)
                    self.assertLessEqual(max(hops), most)

    def test_type_of_service_is_as_asked(self):
        for family in lab.FAMILIES:
            for words, tos in (((), 0), (("-Q", "40"), 40), (("-Q", "255"), 255)):
                with self.subTest(family=family, words=words):
                    found = self.probes(family, ":443", ":9053/udp", *words)
                    self.assertEqual({packet.tos for packet in found}, {tos})

    def test_the_size_is_that_of_the_whole_packet(self):
        for family in lab.FAMILIES:
            headers = 48 if family == 6 else 28
            for words, size in (((), 64), (("-s", "200"), 200), (("-s", "1500"), 1500),
                                (("-s", "28"), headers), (("-s", "55"), 55)):
                with self.subTest(family=family, words=words):
                    found = self.probes(family, ":443", ":9053/udp", *words)
                    self.assertEqual({packet.length for packet in found
                                      if packet.protocol != packets.TCP}, {size})
                    # a SYN is as large as its options make it: 20 or 40, 20, and 20 of options
                    self.assertEqual({packet.length for packet in found
                                      if packet.protocol == packets.TCP},
                                     {60 if family == 4 else 80})

    def test_the_fill_is_as_asked(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                found = self.probes(family, ":9053/udp", "-s", "200", "-B", "165")
                for packet in found:
                    self.assertEqual(packet.payload[-100:], bytes([165]) * 100)

    def test_the_source_port_is_as_asked(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                found = self.probes(family, ":443", ":9053/udp", "-L", "40000")
                self.assertEqual({(packet.protocol, packet.sport) for packet in found
                                  if not packet.is_icmp},
                                 {(packets.TCP, 40000), (packets.UDP, 40000)})

    def test_with_one_source_port_a_service_is_asked_once_for_all_who_ask_it(self):
        for family in lab.FAMILIES:
            target = self.chain.target(family)
            with self.subTest(family=family):
                watch = self.captures["to-r1"]
                watch.read()
                report = self.net.report("-L", "4321", "-c", "2", "-i", "0.1", target, ":443",
                                         target, ":443", ":22", target, ":9053/udp", target, ":22")
                states = {"443/tcp": "open", "22/tcp": "closed", "9053/udp": "open"}
                for index, asked in enumerate((("443/tcp",), ("443/tcp", "22/tcp"), ("9053/udp",),
                                               ("22/tcp",))):
                    found = report.states(index)
                    self.assertEqual({name: found[name] for name in asked},
                                     {name: states[name] for name in asked})
                fulls = collections.Counter(
                    packet.dport for packet in watch.read() if is_probe(packet)
                    and packet.dport and is_full(packet))
                self.assertEqual(fulls, {443: 2, 22: 2, 9053: 2})

    def test_the_source_address_is_as_asked(self):
        for family in lab.FAMILIES:
            for words, source in (((), SOURCE[family]),
                                  (("-a", SECOND_SOURCE[family]), SECOND_SOURCE[family])):
                with self.subTest(family=family, words=words):
                    report, seen = self.seen(family, ":443", ":9053/udp", *words)
                    self.assertEqual({packet.src for packet in seen if is_probe(packet)}, {source})
                    self.assertEqual(report.document["targets"][0]["source"], source)
                    self.assertEqual(report.code, 0)

    def test_the_interface_is_as_asked(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report, seen = self.seen(family, ":443", ":9053/udp", "-I", "alt", link="alt")
                sources = {packet.src for packet in seen if is_probe(packet)}
                self.assertEqual(sources, {ALT_SOURCE[family]})
                self.assertEqual(report.code, 0)
                self.assertEqual(report.document["vantage"]["interface"], "alt")
                self.assertEqual([packet for packet in self.captures["to-r1"].read()
                                  if is_probe(packet)], [])

    def test_marked_packets_follow_the_rules_for_their_mark(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                report, seen = self.seen(family, ":443", ":9053/udp", "-M", "7", link="alt")
                sources = {packet.src for packet in seen if is_probe(packet)}
                self.assertEqual(sources, {ALT_SOURCE[family]})
                self.assertEqual(report.code, 0)
                # any other mark takes the usual way
                self.assertGreater(len(self.probes(family, ":443", "-M", "8")), 4)

    def test_no_icmp_is_sent_if_it_is_not_asked_for(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                found = self.probes(family, ":443", "--no-icmp")
                self.assertEqual({packet.protocol for packet in found}, {packets.TCP})


class Source(unittest.TestCase):
    def test_with_a_port_of_ones_own_each_target_has_its_own_source(self):
        """Two UDP services of one target share the port: the second one finds that out."""
        net = lab.Network()
        self.addCleanup(net.close)
        chain = lab.Chain(net)
        report = net.report("127.0.0.1", ":53/udp", ":123/udp", chain.target(4), ":53/udp",
                            "-L", "5000", "-c", "1")
        self.assertEqual([target["source"] for target in report.document["targets"]],
                         ["127.0.0.1", SOURCE[4]])


class Steering(unittest.TestCase):
    """The kernel stamps a packet, and then hands it to another processor."""

    def test_its_stamps_are_used_though_packets_come_into_their_sockets_later(self):
        net = lab.Network()
        self.addCleanup(net.close)
        chain = lab.Chain(net)
        net.listen(chain.server, 443)
        steer = "for f in /sys/class/net/*/queues/rx-0/rps_cpus; do echo 3 >$f && cat $f; done"
        there = subprocess.run(["ip", "netns", "exec", f"{net.prefix}vantage", "sh", "-c", steer],
                               stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(set(there.stdout.split()), {"3"})
        for target in (chain.target(4), chain.target(6)):
            report = net.report(target, ":443", "-c", "20", "-i", "0.05")
            self.assertEqual(set(report.document["vantage"]["clocks"]["received"]), {"kernel"})


if __name__ == "__main__":
    lab.main()
