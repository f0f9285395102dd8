# SPDX-License-Identifier: BSD-2-Clause
"""Without raw sockets: what is particular to it. What is the same is tested by the other files, run
with SONDE_UNPRIVILEGED set."""
import collections
import itertools
import os
import select
import signal
import socket
import threading
import unittest

import lab
import packets

# Long enough for a silent port to become a suspect before the last cycle begins.
PATIENT = ("-c", "4", "-i", "0.4")
QUICK = ("-c", "3", "-i", "0.2")
# Of 14 services the first 11 or so use up what a router may be asked at once, twice five times;
# then it is asked once a second: the silent one gets its turn after seven seconds.
THOROUGH = ("-c", "10", "-i", "1")
ALLOWED = {"net/ipv4/ping_group_range": "0 2147483647"}
FORBIDDEN = {"net/ipv4/ping_group_range": "1 0"}
SYSCTL = 'sysctl net.ipv4.ping_group_range="0 2147483647"'
MASQUERADE = """table inet nat {
    chain c {
        type nat hook postrouting priority 100
        oifname "to-r1" masquerade
    }
}"""


def drop(what):
    return f"""table inet t {{
        chain c {{
            type filter hook forward priority 0
            {what} drop
        }}
    }}"""


EXPIRIES_DROPPED = """table inet t {
    chain c {
        type filter hook output priority 0
        icmp type time-exceeded drop
        icmpv6 type time-exceeded drop
    }
}
"""
# The expiries of routers, but not those that a Forger gives a TTL of its own.
OWN_EXPIRIES_DROPPED = EXPIRIES_DROPPED.replace("icmp type", "ip ttl 64 icmp type", 1)
# A label stack of one entry, 24001, with its checksum; RFC 4884 §7, RFC 4950.
LABELS = bytes.fromhex("2000c11c0008010105dc17fe")


class Unprivileged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 22, 443)
        cls.net.echo(cls.chain.server, 53, 7)
        cls.plain = lab.public_copy(lab.sonde_path)

    def setUp(self):
        self.net.sysctl("vantage", ALLOWED)
        self.net.nft("r2", "")

    def how(self, *wrap):
        return {"wrap": (*wrap, *lab.WITHOUT_CAPABILITIES), "program": self.plain}

    def report(self, family, *words, wrap=()):
        report = self.net.report(self.chain.target(family), *words, **self.how(*wrap))
        self.assertEqual(report.document["vantage"]["transport"], "unprivileged")
        return report

    # --- the choice

    def test_ordinary_sockets_are_taken_where_raw_ones_are_not_permitted(self):
        for family in lab.FAMILIES:
            report = self.report(family, ":443", ":22", ":53/udp", *QUICK)
            self.assertEqual(report.code, 0)
            self.assertEqual(report.document["vantage"]["missing"], [])
            self.assertEqual(report.document["own_losses"], {"receive_queue": 0, "send": 0})
            for name in report.states():
                self.assertEqual(report.states()[name], "open")
                self.assertEqual(report.hops(name), self.chain.path(family))

    def test_whatever_denies_raw_sockets_ordinary_ones_are_taken(self):
        environment = lab.preloaded("denied")
        if environment is None:
            self.net.check_no_sandbox(self)
            return
        run = self.net.sonde("-r", "-n", self.chain.target(4), ":443", *QUICK, env=environment)
        self.assertEqual((run.code, run.err), (0, ""))
        self.assertIn("\nmeasured without raw sockets", run.out)

    def test_root_is_asked_for_nothing_more_with_the_option(self):
        for words, transport in (((), "raw"), (("--unprivileged",), "unprivileged")):
            report = self.net.report(self.chain.target(4), ":443", *QUICK, *words)
            self.assertEqual(report.document["vantage"]["transport"], transport)
            self.assertEqual(report.code, 0)

    def test_the_text_says_so(self):
        run = self.net.sonde("-r", "-n", self.chain.target(4), ":443", *QUICK, **self.how())
        self.assertEqual(run.code, 0)
        self.assertIn("\nmeasured without raw sockets\n", run.out)

    # --- ICMP is not permitted

    def test_without_icmp_a_silent_port_is_compared_with_another(self):
        self.net.sysctl("vantage", FORBIDDEN)
        self.net.nft("r2", drop("tcp dport 443"))
        for family in lab.FAMILIES:
            report = self.report(family, ":443", *PATIENT)
            self.assertEqual(report.code, 1)
            self.assertEqual(report.document["vantage"]["missing"], ["icmp"])
            self.assertEqual(report.states(), {"443/tcp": "filtered"})
            self.assertEqual(report.controls(), {"80/tcp": "closed", "33434/udp": "closed"})
            blame = report.service("443/tcp")["verdict"]["blame"]
            self.assertEqual((blame["last_seen"]["ttl"], blame["first_lost"]["ttl"]), (2, 3))

    def test_without_icmp_the_text_says_how_to_allow_it(self):
        self.net.sysctl("vantage", FORBIDDEN)
        for family in lab.FAMILIES:
            run = self.net.sonde("-r", "-n", self.chain.target(family), ":443", *QUICK,
                                 **self.how())
            self.assertEqual(run.code, 0)
            self.assertIn(SYSCTL, run.out)

    def test_a_host_alone_cannot_be_asked_without_icmp(self):
        self.net.sysctl("vantage", FORBIDDEN)
        for family in lab.FAMILIES:
            report = self.report(family, *QUICK)
            self.assertEqual(report.code, 3)
            error, = report.document["errors"]
            self.assertEqual(error["code"], "no_permission")
            self.assertIn(SYSCTL, error["text"])

    # --- few descriptors

    def test_few_descriptors_cost_time_and_no_result(self):
        self.net.nft("r2", drop("tcp dport 3389"))
        services = (":443", ":22", ":81", ":3389", ":53/udp", *(f":{9000 + i}" for i in range(8)))
        for family in lab.FAMILIES:
            report = self.report(family, *services, *THOROUGH,
                                 wrap=("prlimit", "--nofile=32"))
            states = report.states()
            self.assertEqual(report.document["own_losses"]["send"], 0)
            expected = {"icmp": "open", "443/tcp": "open", "22/tcp": "open", "81/tcp": "closed",
                        "3389/tcp": "filtered", "53/udp": "open"}
            self.assertEqual({name: states[name] for name in expected}, expected)
            self.assertEqual({states[f"{9000 + i}/tcp"] for i in range(8)}, {"closed"})
            blame = report.service("3389/tcp")["verdict"]["blame"]
            self.assertEqual((blame["last_seen"]["ttl"], blame["first_lost"]["ttl"]), (2, 3))

    def test_few_source_ports_cost_time_and_no_result(self):
        self.net.nft("r2", drop("tcp dport 3389"))
        few = {"net/ipv4/ip_local_port_range": "45000 45001"}
        self.addCleanup(self.net.sysctl, "vantage",
                        {"net/ipv4/ip_local_port_range": "32768 60999"})
        self.net.sysctl("vantage", few)
        for family in lab.FAMILIES:
            report = self.report(family, ":443", ":3389", *QUICK)
            self.assertEqual(report.states(),
                             {"icmp": "open", "443/tcp": "open", "3389/tcp": "filtered"})

    def test_few_descriptors_cost_no_answer_that_is_slow(self):
        # ports that answer at once go first, so that it is known how fast answers can be
        self.net.nft("r3", drop("tcp dport { 443, 3389 }"))
        self.addCleanup(self.net.nft, "r3", "")
        watch = packets.Capture(self.net, "r1", "to-vantage")
        forger = packets.Forger(self.net, "r1")

        def answer():
            for syn in watch.read():
                if not syn.outgoing and syn.dport == 443 and syn.flags == packets.SYN and \
                        syn.ttl > 3:
                    late = packets.tcp(syn.dst, syn.src, syn.dport, syn.sport, 1, syn.seq + 1,
                                       packets.SYN | packets.ACK)
                    timer = threading.Timer(0.7, forger.send, (late,))
                    self.addCleanup(timer.join)
                    timer.start()

        with self.net.serving(watch, answer):
            report = self.report(4, ":81", ":22", ":443", ":3389", "-c", "2",
                                 wrap=("prlimit", "--nofile=15"))
        self.assertEqual(report.states(), {"icmp": "open", "81/tcp": "closed", "22/tcp": "open",
                                           "443/tcp": "open", "3389/tcp": "filtered"})

    # --- the wire

    def captured(self, family, *words):
        watch = packets.Capture(self.net, "vantage", "to-r1")
        report = self.report(family, *words)
        target = self.chain.target(family)
        sent = [packet for packet in watch.read() if packet.outgoing and packet.dst == target]
        watch.socket.close()
        return report, sent

    def test_a_port_sees_one_syn_and_a_reset_and_its_program_nothing(self):
        with self.net.inside(self.chain.server):
            server = socket.create_server(("::", 8443), family=socket.AF_INET6,
                                          dualstack_ipv6=True)
        self.addCleanup(server.close)
        server.setblocking(False)
        self.net.nft("r2", drop("tcp dport 3389"))
        for family in lab.FAMILIES:
            _, sent = self.captured(family, ":8443", ":3389", *QUICK)
            of_port = collections.defaultdict(list)
            for packet in sent:
                if packet.protocol == packets.TCP:
                    of_port[packet.dport, packet.sport].append(packet.flags)
            self.assertGreater(len(of_port), 10)
            for (dport, _), flags in of_port.items():
                self.assertEqual(flags[0], packets.SYN)
                if len(flags) > 1:
                    self.assertEqual((dport, flags[1:]), (8443, [packets.RST | packets.ACK]))
            with self.assertRaises(BlockingIOError):
                server.accept()

    def test_packets_are_as_they_were_asked_for(self):
        for family in lab.FAMILIES:
            report, sent = self.captured(family, ":443", ":7/udp", "-Q", "32", "-s", "200", "-B",
                                         "85", "-L", "40123", "--no-icmp", *QUICK)
            # the port is taken for UDP; for TCP the kernel chooses, so that is refused
            self.assertEqual((report.code, sent), (3, []))
            self.assertIn("source port", report.document["errors"][0]["text"])
            report, sent = self.captured(family, ":7/udp", "-Q", "32", "-s", "200", "-B", "85",
                                         "-L", "40123", "-I", "to-r1", *QUICK)
            self.assertEqual(report.code, 0)
            self.assertEqual({packet.tos for packet in sent}, {32})
            self.assertEqual({packet.length for packet in sent}, {200})
            self.assertEqual({packet.payload[-1] for packet in sent}, {85})
            self.assertEqual({packet.sport for packet in sent if packet.protocol == packets.UDP},
                             {40123})
            _, sent = self.captured(family, ":443", "-Q", "32", *QUICK)
            self.assertEqual({packet.tos for packet in sent if packet.flags == packets.SYN}, {32})

    def test_load_balancers_see_one_flow_of_each_trace(self):
        for family in lab.FAMILIES:
            _, sent = self.captured(family, ":443", ":7/udp", *QUICK)
            udp = [packet for packet in sent if packet.protocol == packets.UDP]
            echo = [packet for packet in sent if packet.is_icmp]
            self.assertEqual(len({(packet.sport, packet.dport) for packet in udp}), 1)
            self.assertEqual(len({packet.segment[:4] for packet in echo}), 1)  # type … checksum
            self.assertEqual(len({packet.ident for packet in echo}), 1)
            self.assertEqual(len({packet.sequence for packet in echo}), len(echo))
            if family == 6:
                for of_protocol in (udp, echo):
                    labels = {packet.raw[1:4] for packet in of_protocol}
                    self.assertEqual(len(labels), 1)

    def test_the_source_address_is_as_it_was_asked_for(self):
        self.net.ip("vantage", "addr replace 10.1.1.77/32 dev lo",
                    "addr replace fd00:1:1::77/128 dev lo nodad")
        self.net.ip("r1", "route replace 10.1.1.77/32 via 10.1.1.2",
                    "route replace fd00:1:1::77/128 via fd00:1:1::2")
        for family, source in ((4, "10.1.1.77"), (6, "fd00:1:1::77")):
            report, sent = self.captured(family, ":443", ":7/udp", "-a", source, "-n", *QUICK)
            self.assertEqual({packet.src for packet in sent}, {source})
            self.assertEqual(report.code, 0)

    def test_a_mark_is_refused_in_one_line(self):
        run = self.net.sonde("-r", "-n", "-M", "7", self.chain.target(4), ":443", **self.how())
        self.assertEqual((run.code, run.out), (2, ""))
        self.assertRegex(run.err, r"\Asonde: [^\n]*mark[^\n]*raw sockets[^\n]*\n\Z")

    def test_labels_that_a_router_adds_are_read_with_and_without_a_length(self):
        # r1 answers in r2's name, for no Linux router adds labels. RFC 4884 §4: the length stands
        # in the second byte of the word in units of 4 bytes, for IPv6 in the first, of 8.
        lengths = {4: 32 << 16, 6: 16 << 24}
        self.net.nft("r2", EXPIRIES_DROPPED)
        watch = packets.Capture(self.net, "vantage", "to-r1")
        forger = packets.Forger(self.net, "r1")

        def answer():
            for probe in watch.read():
                if probe.outgoing and probe.ttl == 2 and probe.dst == self.chain.target(
                        probe.family):
                    header = 20 if probe.family == 4 else 40
                    quote = probe.raw[:header + quoted][:128].ljust(128, b"\0")
                    forger.send(packets.icmp(
                        self.chain.hop(probe.family, 2), probe.src,
                        packets.TIME_EXCEEDED[probe.family], 0,
                        lengths[probe.family] if stated else 0, quote + LABELS))

        with self.net.serving(watch, answer):
            # bytes of the transport header: all there are, or as few as RFC 792 asks for
            for stated, quoted, family in itertools.product((True, False), (128, 8), lab.FAMILIES):
                with self.subTest(stated=stated, quoted=quoted, family=family):
                    # what quotes too little to name a probe is asked for one after the other
                    cycles = QUICK if quoted == 128 else ("-c", "6", "-i", "0.3")
                    report = self.report(family, ":443", ":7/udp", *cycles)
                    for name in ("icmp", "443/tcp", "7/udp"):
                        hop, = (hop for hop in report.service(name)["paths"][0]["hops"]
                                if hop["ttl"] == 2)
                        responder, = hop["responders"]
                        self.assertEqual(responder["address"], self.chain.hop(family, 2))
                        extension, = responder["extensions"]
                        self.assertEqual([label["label"] for label in extension["mpls"]], [24001])

    # --- what the kernel makes of it

    def test_an_error_of_a_type_that_does_not_exist_is_none(self):
        # The kernel ends a connection for any ICMPv6 error: net/ipv6/icmp.c, icmpv6_rcv(), and
        # net/ipv6/tcp_ipv6.c, tcp_v6_err().
        self.net.nft("r2", drop("meta l4proto tcp"))
        watch = packets.Capture(self.net, "r1", "to-vantage")
        forger = packets.Forger(self.net, "r1")

        def answer():
            for syn in watch.read():
                if not syn.outgoing and syn.flags == packets.SYN:
                    forger.send(packets.icmp(self.chain.hop(6, 2), syn.src, 100, 0, 0, syn.raw))

        ports = [f":{9000 + i}" for i in range(63)]
        with self.net.serving(watch, answer):
            report = self.report(6, *ports, "--many", "--deadline", "2")
        self.assertEqual(report.discarded, {})
        self.assertEqual(report.service("9000/tcp")["received"], 0)

    def test_the_answer_to_a_syn_that_the_kernel_repeated_is_none(self):
        self.net.nft("r1", drop("tcp dport 443"))
        self.addCleanup(self.net.nft, "r1", "")
        for family in lab.FAMILIES:
            watch = packets.Capture(self.net, "vantage", "to-r1")
            self.net.nft("r1", drop("tcp dport 443"))
            run = self.net.start_sonde("-j", "-n", self.chain.target(family), ":443", "-c", "1",
                                       "-f", "4", "-m", "4", "--no-control", **self.how())
            self.wait_for(watch, packets.SYN)
            os.kill(run.pid, signal.SIGSTOP)
            self.net.nft("r1", "")
            self.wait_for(watch, packets.SYN | packets.ACK)
            os.kill(run.pid, signal.SIGCONT)
            report = lab.Report(self.net.finish(run))
            self.assertEqual(report.service("443/tcp")["received"], 0)
            self.assertIsNone(report.service("443/tcp")["rtt_ms"])

    def test_what_a_queue_of_this_machine_drops_is_no_loss(self):
        self.net.starve("vantage", "to-r1", 443)
        self.addCleanup(self.net.run, "vantage", "tc", "qdisc", "del", "dev", "to-r1", "root")
        self.addCleanup(self.net.nft, "vantage", "")
        for family in lab.FAMILIES:
            report = self.report(family, ":443", ":22", *QUICK, "-Z", "0.5")
            self.assertEqual(report.service("443/tcp")["outcomes"], {"send_error": 3})
            self.assertEqual(report.states()["22/tcp"], "open")

    def test_a_port_of_this_machine_does_not_answer_itself(self):
        # whose source port can only be the one that is asked
        self.net.add("alone")
        self.net.sysctl("alone", ALLOWED | {"net/ipv4/ip_local_port_range": "45000 45000"})
        for address in ("127.0.0.1", "::1"):
            report = self.net.report(address, ":45000", *QUICK, "-Z", "0.5", node="alone",
                                     **self.how())
            self.assertEqual(report.service("45000/tcp")["received"], 0)

    @staticmethod
    def wait_for(watch, flags):
        """Until a TCP packet with just these flags has passed."""
        while True:
            select.select([watch], [], [])
            if any(packet.flags == flags for packet in watch.read()):
                return

    def delayed(self, quoted, lost=None):
        """Let the expiries of IPv4 come 20 ms late, with so many bytes of the probe; at hop 3, with
        none for a port."""
        for router in self.chain.routers:
            self.net.nft(router, OWN_EXPIRIES_DROPPED)
            self.addCleanup(self.net.nft, router, "")
        watch = packets.Capture(self.net, "r1", "to-vantage")
        forger = packets.Forger(self.net, "r1")

        def answer():
            for probe in watch.read():
                if not probe.outgoing and probe.dst == self.chain.target(4) and probe.ttl < 4 \
                        and (probe.ttl, probe.dport) != (3, lost):
                    late = packets.icmp(self.chain.hop(4, probe.ttl), probe.src,
                                        packets.TIME_EXCEEDED[4], 0, 0, probe.raw[:quoted], ttl=63)
                    timer = threading.Timer(0.02, forger.send, (late,))
                    self.addCleanup(timer.join)
                    timer.start()

        return self.net.serving(watch, answer)

    def test_a_question_without_room_for_a_name_is_asked_alone_over_ipv4_too(self):
        with self.delayed(1500):
            report = self.report(4, ":514/udp", "-c", "4", "-i", "0.3")
        service = report.service("514/udp")
        self.assertEqual((service["state"], service["received"]), ("closed", 4))
        self.assertEqual(report.hops("514/udp"), self.chain.path(4))
        self.assertEqual(report.discarded, {})

    def test_routers_that_quote_8_bytes_are_asked_one_after_the_other(self):
        with self.delayed(20 + 8, lost=53):
            lost = drop("udp dport 53").replace("inet t", "inet lost")
            self.net.nft("r2", OWN_EXPIRIES_DROPPED + lost)
            report = self.report(4, ":53/udp", ":7/udp", "-c", "8", "-i", "0.4")
        self.assertEqual(report.states(), {"icmp": "open", "53/udp": "filtered", "7/udp": "open"})
        blame = report.service("53/udp")["verdict"]["blame"]
        self.assertEqual((blame["last_seen"]["ttl"], blame["first_lost"]["ttl"]), (2, 3))

    # --- beside others

    def test_two_behind_one_translating_router_take_none_of_each_others_answers(self):
        for number in (1, 2):
            name = f"inside{number}"
            self.net.add(name)
            self.net.sysctl(name, ALLOWED)
            self.net.link(name, "vantage", f"10.9.{number}", f"fd09:{number}:7")
            self.net.ip(name, f"route add default via 10.9.{number}.1",
                        f"route add default via fd09:{number}:7::1")
        self.net.sysctl("vantage", lab.FORWARDING)
        self.net.nft("vantage", MASQUERADE)
        same_pid = ("unshare", "--pid", "--fork", "--kill-child")
        for family in lab.FAMILIES:
            runs = [self.net.start_sonde("-j", "-n", self.chain.target(family), ":443", ":53/udp",
                                         "-c", "5", "-i", "0.1", node=f"inside{number}",
                                         **self.how(*same_pid)) for number in (1, 2)]
            for number, process in zip((1, 2), runs):
                report = lab.Report(self.net.finish(process))
                near = f"10.9.{number}.1" if family == 4 else f"fd09:{number}:7::1"
                path = {1: [near]} | {ttl + 1: who for ttl, who in
                                      self.chain.path(family).items()}
                self.assertEqual(report.code, 0)
                self.assertEqual(report.discarded, {})
                for name, state in report.states().items():
                    self.assertEqual(state, "open")
                    self.assertEqual(report.service(name)["duplicates"], 0)
                    self.assertEqual(report.service(name)["received"], 5)
                    for ttl, who in report.hops(name).items():
                        self.assertIn(who, ([], path[ttl]))


if __name__ == "__main__":
    lab.main()
