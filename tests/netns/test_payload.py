# SPDX-License-Identifier: BSD-2-Clause
"""A question of the user's own, to a server of a protocol that sonde does not know."""
import socket
import unittest

import lab


class OwnPayload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.asked = set()
        with cls.net.inside(cls.chain.server):
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            server.bind(("::", 7777))
        cls.addClassCleanup(server.close)

        def answer():
            question, client = server.recvfrom(2048)
            cls.asked.add(question)
            if question == b"ping":
                server.sendto(b"pong 1", client)

        cls.enterClassContext(cls.net.serving(server, answer))

    def reports(self, *words):
        self.asked.clear()
        return self.net.reports(self.chain.target, ":7777/udp", "-c", "3", "-i", "0.2",
                                *words).values()

    def test_a_server_of_a_protocol_that_nobody_knows_answers_its_own_question(self):
        for words in (("--payload", "70696e67"),
                      ("--payload", "70696e67", "--expect-reply", "706f6e67")):
            for report in self.reports(*words):
                service = report.service("7777/udp")
                self.assertEqual((report.code, service["state"], service["received"]),
                                 (0, "open", 3))
            self.assertEqual(self.asked, {b"ping"})

    def test_another_answer_than_the_expected_one_is_discarded(self):
        for report in self.reports("--payload", "70696e67", "--expect-reply", "706f6e6721"):
            service = report.service("7777/udp")
            self.assertEqual((report.code, service["state"], service["received"]),
                             (1, "open_or_filtered", 0))
            self.assertGreaterEqual(report.discarded["not_a_result"], 3)

    def test_a_server_is_silent_to_a_question_that_is_none_of_its_own(self):
        for report in self.reports():
            self.assertEqual(report.service("7777/udp")["state"], "open_or_filtered")
        self.assertNotIn(b"ping", self.asked)


if __name__ == "__main__":
    lab.main()
