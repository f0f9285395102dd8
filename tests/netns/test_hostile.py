# SPDX-License-Identifier: BSD-2-Clause
"""Hostile traffic: whatever comes in beside the answers changes nothing but the discard counters.

A forger on the first router sees every probe and sends packets back in other's names. Some
services never answer, so that there is always a probe in flight that a forged packet could be
taken to answer.
"""
import random
import threading
import unittest

import lab
import packets

SILENT = """table inet filter {
    chain c {
        type filter hook forward priority 0
        tcp dport 3389 drop
        icmp type echo-request drop
        icmpv6 type echo-request drop
    }
}"""
SERVICES = (":443", ":22", ":3389", ":9053/udp")
QUICK = ("-c", "3", "-i", "0.1", "-Z", "0.6")
STATES = {"icmp": "filtered", "443/tcp": "open", "22/tcp": "closed", "3389/tcp": "filtered",
          "9053/udp": "open"}

LIAR = {4: "10.66.6.6", 6: "fd66::6"}  # a router that does not exist
ADMIN_PROHIBITED = {4: (3, 13), 6: (1, 1)}
TTL_EXCEEDED = {4: (11, 0), 6: (3, 0)}
HEADER = {4: 20, 6: 40}  # bytes of the IP headers that sonde sends
FLOOD = 20000


def is_probe(packet):
    return (packet.flags == packets.SYN or packet.protocol == packets.UDP
            or packet.is_echo_request)


def flipped(data, at):
    """The same bytes, but for one."""
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


def error(probe, quote, kind=TTL_EXCEEDED, source=None):
    """An ICMP error to who sent a probe."""
    family = probe.family
    return packets.icmp(source or LIAR[family], probe.src, *kind[family], 0, quote)


def echo_reply(probe, source=None, ident=None, body=None):
    rest = (probe.ident if ident is None else ident) << 16 | probe.sequence
    return packets.icmp(source or probe.dst, probe.src, packets.ECHO_REPLY[probe.family], 0, rest,
                        probe.payload if body is None else body)


def segment(probe, ack, flags, **how):
    return packets.tcp(probe.dst, probe.src, probe.dport, probe.sport, 12345, ack, flags, **how)


# --- the attacks: each turns a probe into forged packets

def echo_replies_with_a_wrong_cookie(probe):
    if probe.is_echo_request:
        yield echo_reply(probe, body=flipped(probe.payload, 3))


def echo_replies_with_a_wrong_token(probe):
    if probe.is_echo_request:  # the last byte of the token, behind eight of cookie
        yield echo_reply(probe, body=flipped(probe.payload, 11))


def echo_replies_cut_short_of_another_probe(probe):
    if probe.is_echo_request:
        for length in (3, 8, 11):  # and something of the cookie is not ours
            yield echo_reply(probe, body=flipped(probe.payload[:length], min(length, 8) - 1))


def echo_replies_with_another_identifier(probe):
    if probe.is_echo_request:
        yield echo_reply(probe, ident=probe.ident ^ 1)


def answers_from_another_address(probe):
    if probe.is_echo_request:
        yield echo_reply(probe, source=LIAR[probe.family])
    elif probe.protocol == packets.UDP:
        yield packets.udp(LIAR[probe.family], probe.src, probe.dport, probe.sport, probe.payload)
    else:
        yield packets.tcp(LIAR[probe.family], probe.src, probe.dport, probe.sport, 1, probe.seq + 1,
                          packets.SYN | packets.ACK)


def answers_from_another_port(probe):
    if probe.protocol == packets.UDP:
        yield packets.udp(probe.dst, probe.src, probe.dport + 1000, probe.sport, probe.payload)
    elif probe.protocol == packets.TCP:
        yield packets.tcp(probe.dst, probe.src, probe.dport + 1000, probe.sport, 1, probe.seq + 1,
                          packets.SYN | packets.ACK)


def syn_acks_with_a_wrong_acknowledgment(probe):
    if probe.protocol == packets.TCP:
        for ack in (0, probe.seq, probe.seq + 2, probe.seq ^ 0x80000000):
            yield segment(probe, ack, packets.SYN | packets.ACK)


def resets_with_a_wrong_acknowledgment(probe):
    if probe.protocol == packets.TCP:
        for ack in (0, probe.seq, probe.seq + 2, probe.seq ^ 0x80000000):
            yield segment(probe, ack, packets.RST | packets.ACK)
        yield segment(probe, probe.seq + 1, packets.RST)  # acknowledges nothing without the flag


def segments_that_are_no_answer(probe):
    if probe.protocol == packets.TCP:
        for flags in (packets.SYN, packets.FIN | packets.ACK, 0):
            yield segment(probe, probe.seq + 1, flags)


def acknowledgments_of_an_attempt_that_never_was(probe):
    # A server that still waits for the end of an earlier handshake answers the SYN of the next with
    # an ACK of the earlier (RFC 9293 §3.10.7.4). The upper 12 bits of the sequence number count the
    # attempts: this one would be 2048 before or after.
    if probe.protocol == packets.TCP:
        yield segment(probe, (probe.seq ^ 0x80000000) + 1, packets.ACK)


def errors_quoting_another_destination(probe):
    other = packets.ipaddress.ip_address({4: "10.1.4.77", 6: "fd00:1:4::77"}[probe.family]).packed
    end = HEADER[probe.family]
    for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
        yield error(probe, probe.raw[:end - len(other)] + other + probe.raw[end:], kind)


def errors_quoting_a_wrong_token(probe):
    start = HEADER[probe.family]
    # of a SYN what is secret of the sequence number, its lower 20 bits; otherwise the cookie behind
    # a header of eight bytes
    at = start + (7 if probe.protocol == packets.TCP else 8)
    for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
        yield error(probe, flipped(probe.raw, at), kind)


def errors_quoting_an_attempt_that_never_was(probe):
    # the upper 12 bits of the sequence number count the attempts
    if probe.protocol == packets.TCP:
        for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
            yield error(probe, flipped(probe.raw, HEADER[probe.family] + 4), kind)


def errors_quoting_too_little(probe):
    start = HEADER[probe.family]
    for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
        for length in (0, 1, start - 1, start, start + 4, start + 7):
            yield error(probe, probe.raw[:length], kind)


def errors_with_a_malformed_quote(probe):
    rest = probe.raw[1:]
    for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
        if probe.family == 4:
            for first in (0x40, 0x44, 0x4f, 0x55, 0x65, 0x05, 0xf5):  # version, header words
                yield error(probe, bytes([first]) + rest, kind)
        else:
            for first in (0x00, 0x40, 0x70, 0xf0):
                yield error(probe, bytes([first]) + rest, kind)
            # an extension header that is longer than what there is; 0 is hop by hop, 43 routing
            for header in (0, 43, 60):
                yield error(probe, probe.raw[:6] + bytes([header]) + probe.raw[7:40] +
                            b"\x3a\xff" + probe.raw[42:], kind)


def errors_about_errors(probe):
    inner = error(probe, probe.raw)
    yield error(probe, inner)
    # ... and in the name of who would have sent it
    yield packets.icmp(LIAR[probe.family], probe.src, *ADMIN_PROHIBITED[probe.family], 0,
                       packets.icmp(probe.src, probe.dst, *TTL_EXCEEDED[probe.family], 0,
                                    probe.raw))


def errors_with_a_wrong_checksum(probe):
    for kind in (TTL_EXCEEDED, ADMIN_PROHIBITED):
        yield flipped(error(probe, probe.raw, kind), HEADER[probe.family] + 2)


def messages_of_other_kinds(probe):
    for kind in {4: (4, 5, 9, 10, 13, 14, 17, 18, 40, 41, 42, 43, 200),
                 6: (0, 100, 127, 130, 138, 139, 140, 155, 160, 161, 200, 255)}[probe.family]:
        yield packets.icmp(probe.dst, probe.src, kind, 0, probe.ident or 0, probe.raw)


# (attack, the reasons that it is discarded for over IPv4, and over IPv6). None: the socket filter,
# or the kernel before it, keeps it out, so that it is not even counted.
ATTACKS = (
    (echo_replies_with_a_wrong_cookie, {"bad_token"}, {"bad_token"}),
    (echo_replies_with_a_wrong_token, {"bad_token"}, {"bad_token"}),
    (echo_replies_cut_short_of_another_probe, {"bad_token"}, {"bad_token"}),
    (echo_replies_with_another_identifier, None, None),
    (answers_from_another_address, {"different_address"}, {"different_address"}),
    (answers_from_another_port, {"different_address"}, {"different_address"}),
    (syn_acks_with_a_wrong_acknowledgment, {"bad_token"}, {"bad_token"}),
    (resets_with_a_wrong_acknowledgment, {"bad_token"}, {"bad_token"}),
    (segments_that_are_no_answer, {"not_a_result"}, {"not_a_result"}),
    (acknowledgments_of_an_attempt_that_never_was, {"unknown_probe"}, {"unknown_probe"}),
    (errors_quoting_another_destination, None, None),
    (errors_quoting_a_wrong_token, {"bad_token"}, {"bad_token"}),
    (errors_quoting_an_attempt_that_never_was, {"unknown_probe"}, {"unknown_probe"}),
    (errors_quoting_too_little, {"short_quote"}, {"short_quote"}),
    # fifteen words of IPv4 header leave less than eight bytes of what sonde sends
    (errors_with_a_malformed_quote, {"malformed", "short_quote"}, {"malformed"}),
    (errors_about_errors, {"foreign"}, {"foreign"}),
    (errors_with_a_wrong_checksum, {"bad_checksum"}, None),
    (messages_of_other_kinds, None, None),
)


def result_of(report):
    """All of a report that hostile traffic must not change."""
    return report.code, [
        {
            "service": service["service"],
            "state": service["state"],
            "verdict": service["verdict"]["code"],
            "figures": (service["sent"], service["received"], service["outcomes"]),
            "evidence": service["evidence"] and (service["evidence"]["from"],
                                                 service["evidence"]["kind"]),
            "distance": service["paths"][0]["dest_ttl"],
            "end": (service["paths"][0]["reached"], service["paths"][0]["stop_reason"],
                    service["paths"][0]["changes"]),
        } for service in report.document["targets"][0]["services"]]


def hops_of(service):
    """{TTL: who answered there, and how}"""
    return {hop["ttl"]: [(responder["address"], responder["kind"])
                         for responder in hop["responders"]]
            for hop in service["paths"][0]["hops"]}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        cls.net.echo(cls.chain.server, 9053)
        cls.net.nft("r3", SILENT)
        cls.forger = packets.Forger(cls.net, "r1")
        cls.peaceful = cls.measure()

    @classmethod
    def measure(cls):
        """{family: report}, of both families at once."""
        processes = {family: cls.net.start_sonde("-j", "-n", cls.chain.target(family), *SERVICES,
                                                 *QUICK) for family in lab.FAMILIES}
        return {family: lab.Report(cls.net.finish(process))
                for family, process in processes.items()}

    def forge(self, attack):
        """Answer every probe with an attack, as long as the context lasts."""
        self.forged = 0
        watch = packets.Capture(self.net, "r1", "to-vantage")

        def answer():
            for packet in watch.read():
                for raw in (attack(packet) if not packet.outgoing and is_probe(packet) else ()):
                    self.forger.send(raw)
                    self.forged += 1

        return self.net.serving(watch, answer)

    def check_unharmed(self, reports):
        for family, report in reports.items():
            self.assertEqual(result_of(report), result_of(self.peaceful[family]))
            self.check_hops(family, report)
            for service in report.document["targets"][0]["services"]:
                for holder in (service, *service["paths"][0]["hops"]):
                    self.assertLessEqual(holder["received"], holder["sent"])
                    if holder["rtt_ms"] is not None:
                        self.assertGreaterEqual(holder["rtt_ms"]["min"], 0)
                        self.assertLessEqual(holder["rtt_ms"]["max"], 600)

    def check_hops(self, family, report):
        """Who is asked at a hop is answered, by who stands there. Not each is asked at each: a
        router's burst is as large as the services are many, and one that is looked at may take two
        of it, if an answer is late."""
        path, seen = self.chain.path(family), {}
        for service in report.document["targets"][0]["services"]:
            hops, usual = hops_of(service), hops_of(self.peaceful[family].service(
                service["service"]))
            together = hops.keys() & usual.keys()
            self.assertEqual({ttl: hops[ttl] for ttl in together},
                             {ttl: usual[ttl] for ttl in together})
            addresses = report.hops(service["service"])
            self.assertLessEqual(addresses.items(), path.items())
            seen |= addresses
            for hop in service["paths"][0]["hops"]:
                self.assertEqual(hop["received"], hop["sent"])
        self.assertEqual(seen, path)

    def test_in_peace_nothing_is_discarded(self):
        for family, report in self.peaceful.items():
            self.assertEqual(report.discarded, {})
            self.assertEqual(report.states(), STATES)
            self.assertEqual(report.hops("443/tcp"), self.chain.path(family))

    def test_forged_packets_change_nothing_but_the_discard_counters(self):
        for attack, *reasons in ATTACKS:
            with self.subTest(attack=attack.__name__):
                with self.forge(attack):
                    reports = self.measure()
                self.assertGreater(self.forged, 10)
                self.check_unharmed(reports)
                for report, expected in zip(reports.values(), reasons):
                    self.assertEqual(set(report.discarded), expected or set())
                    # the kernel counts a wrong ICMPv6 checksum like a lack of room
                    self.assertEqual(report.document["own_losses"],
                                     {"receive_queue": 0, "send": 0})
                    for service in report.document["targets"][0]["services"]:
                        self.assertEqual((service["duplicates"], service["late"]), (0, 0))

    def test_answers_that_come_several_times_count_once(self):
        watch = packets.Capture(self.net, "r1", "to-vantage")
        repeated = set()

        def answer():
            for packet in watch.read():
                # what the forger repeats is seen to leave here, too
                if packet.outgoing and packet.raw not in repeated:
                    repeated.add(packet.raw)
                    for _ in range(3):
                        self.forger.send(packet.raw)

        with self.net.serving(watch, answer):
            reports = self.measure()
        self.check_unharmed(reports)
        for report in reports.values():
            for name in ("443/tcp", "22/tcp", "9053/udp"):
                self.assertGreater(report.service(name)["duplicates"], 0)

    def test_a_flood_of_unrelated_icmp_changes_nothing(self):
        chance = random.Random(1)
        flood = []
        for family in lab.FAMILIES:
            vantage = {4: "10.1.1.2", 6: "fd00:1:1::2"}[family]
            other = packets.udp(vantage, {4: "10.7.7.7", 6: "fd07::7"}[family], 53, 53, bytes(16))
            for _ in range(50):
                flood.append(packets.icmp(self.chain.target(family), vantage,
                                          packets.ECHO_REPLY[family], 0, chance.getrandbits(32),
                                          chance.randbytes(16)))
                flood.append(packets.icmp(self.chain.hop(family, 2), vantage,
                                          *TTL_EXCEEDED[family], 0, other))

        def send():
            for _ in range(FLOOD // len(flood)):
                for raw in flood:
                    self.forger.send(raw)

        thread = threading.Thread(target=send)
        thread.start()
        reports = self.measure()
        thread.join()
        self.check_unharmed(reports)
        for report in reports.values():
            # one of so many identifiers may be ours by chance; its cookie is not
            self.assertLessEqual(set(report.discarded), {"bad_token"})


if __name__ == "__main__":
    lab.main()
