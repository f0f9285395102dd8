# SPDX-License-Identifier: BSD-2-Clause
"""Questions to servers that are this test's own: of the user's, and of protocols that no server in
Debian speaks."""
import socket
import struct
import unittest

import lab

TFTP_REQUEST = bytes.fromhex("0001") + b"name\0octet\0"  # RFC 1350 §5
TFTP_ERROR = bytes.fromhex("00050001") + b"no\0"
# [MS-RDPEUDP] §2.2.2.1, §2.2.2.5: acknowledged, window, flags; first number, MTU up and down
RDP_HEAD = struct.Struct("!IHHIHH")
RDP_SYN, RDP_ACK, RDP_MTU, RDP_NOTHING = 1, 4, 1232, 0xffffffff


class Payload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.asked = set()
        with cls.net.inside(cls.chain.server):
            cls.elsewhere = cls.listen(0)
            for port, answer in ((7777, cls.answer_ping), (69, cls.answer_tftp),
                                 (3389, cls.answer_rdp)):
                cls.serve(cls.listen(port), answer)

    @classmethod
    def listen(cls, port):
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        cls.addClassCleanup(server.close)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", port))
        return server

    @classmethod
    def serve(cls, server, answer):
        cls.enterClassContext(
            cls.net.serving(server, lambda: answer(server, *server.recvfrom(2048))))

    @classmethod
    def answer_ping(cls, server, question, client):
        cls.asked.add(question)
        if question == b"ping":
            server.sendto(b"pong 1", client)

    @classmethod
    def answer_tftp(cls, _, question, client):
        if question == TFTP_REQUEST:
            cls.elsewhere.sendto(TFTP_ERROR, client)

    @classmethod
    def answer_rdp(cls, server, question, client):
        """As §3.1.5.1.3 has it; said again, since nobody goes on."""
        acknowledged, window, flags, number, *mtus = RDP_HEAD.unpack_from(question)
        if (len(question), acknowledged, flags, mtus) == (RDP_MTU, RDP_NOTHING, RDP_SYN,
                                                          [RDP_MTU] * 2):
            for _ in range(3):
                server.sendto(RDP_HEAD.pack(number, window, RDP_SYN | RDP_ACK, 0x42, RDP_MTU,
                                            RDP_MTU).ljust(RDP_MTU, b"\0"), client)

    def reports(self, *words, service="7777/udp"):
        self.asked.clear()
        return self.net.reports(self.chain.target, f":{service}", "-c", "3", "-i", "0.2",
                                *words)

    def test_a_server_of_a_protocol_that_nobody_knows_answers_its_own_question(self):
        for words in (("--payload", "70696e67"),
                      ("--payload", "70696e67", "--expect-reply", "706f6e67")):
            for report in self.reports(*words).values():
                service = report.service("7777/udp")
                self.assertEqual((report.code, service["state"], service["received"]),
                                 (0, "open", 3))
            self.assertEqual(self.asked, {b"ping"})

    def test_another_answer_than_the_expected_one_is_discarded(self):
        words = ("--payload", "70696e67", "--expect-reply", "706f6e6721")
        for report in self.reports(*words).values():
            service = report.service("7777/udp")
            self.assertEqual((report.code, service["state"], service["received"]),
                             (1, "open_or_filtered", 0))
            self.assertGreaterEqual(report.discarded["not_a_result"], 3)

    def test_a_server_is_silent_to_a_question_that_is_none_of_its_own(self):
        for report in self.reports().values():
            self.assertEqual(report.service("7777/udp")["state"], "open_or_filtered")
        self.assertNotIn(b"ping", self.asked)

    def test_a_question_of_ones_own_to_tftp_is_answered_from_another_port(self):
        for report in self.reports("--payload", TFTP_REQUEST.hex(), service="69/udp").values():
            service = report.service("69/udp")
            self.assertEqual((report.code, service["state"], service["received"]), (0, "open", 3))

    def test_rdp_over_udp_is_open_and_what_it_repeats_is_no_duplicate(self):
        for family, report in self.reports(service="3389/udp").items():
            service = report.service("3389/udp")
            self.assertEqual((report.code, service["state"], service["payload"]),
                             (0, "open", "rdpeudp"))
            self.assertEqual((service["received"], service["duplicates"]), (3, 0))
            self.assertEqual(report.discarded, {})
            self.assertEqual(report.hops("3389/udp"), self.chain.path(family))


if __name__ == "__main__":
    lab.main()
