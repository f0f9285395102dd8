# SPDX-License-Identifier: BSD-2-Clause
"""Names: a real resolver's, and what happens while a resolver is silent."""
import datetime
import ipaddress
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import lab
import packets
import resolver as name_server

RESOLV_CONF = pathlib.Path("/etc/resolv.conf")
PORT = 53
SERVER = "server.example"
QUESTION = b"\0\1\1\0\0\1\0\0\0\0\0\0\6server\7example\0\0\1\0\1"  # for its address
# RFC 2181 §11: a name may hold any byte. Escape and bell must not reach a terminal.
HOSTILE = b"\x0aevil\x1b[31m\x07\x07example\0"


class Names(unittest.TestCase):
    def setUp(self):
        self.net = lab.Network()
        self.addCleanup(self.net.close)
        self.chain = lab.Chain(self.net)
        self.net.listen(self.chain.server, 443)
        # The resolvers that this machine asks: in the vantage, they are the vantage itself.
        lines = RESOLV_CONF.read_text(encoding="utf-8").splitlines() if RESOLV_CONF.exists() else []
        self.resolvers = [ipaddress.ip_address(words[1].partition("%")[0])
                          for words in map(str.split, lines) if words[:1] == ["nameserver"]]
        self.net.ip("vantage", *(f"addr replace {address} dev lo" for address in self.resolvers
                                 if not address.is_loopback))

    def resolve(self, pointers, *others):
        """Start a resolver that knows the server, {address: name}, and other records."""
        records = [f"--ptr-record={ipaddress.ip_address(address).reverse_pointer},{name}"
                   for address, name in pointers.items()]
        process = self.net.start(
            "vantage", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
            "--user=root", "--no-hosts", "--no-resolv", "--local=/#/",
            f"--host-record={SERVER},10.1.4.1,fd00:1:4::1", *records, *others,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        with self.net.inside("vantage"):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with client:
            client.settimeout(0.1)
            client.connect(("127.0.0.1", PORT))
            while True:
                try:
                    client.send(QUESTION)
                    client.recv(512)
                    return
                except OSError:
                    self.assertIsNone(process.poll(), "the resolver does not start")
                    self.assertLess(time.monotonic(), until, "the resolver does not answer")

    def mislead(self):
        """Give every address the hostile name."""
        resolver = self.stay_silent()

        def answer():
            question, client = resolver.recvfrom(512)
            # RFC 1035 §4.1: one answer, its owner named by a pointer to the question, type PTR
            resolver.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] +
                            b"\xc0\x0c\0\x0c\0\1\0\0\0\x3c" +
                            len(HOSTILE).to_bytes(2, "big") + HOSTILE, client)

        self.net.stack.enter_context(self.net.serving(resolver, answer))

    def stay_silent(self):
        """Bind a resolver that takes every question and answers none."""
        with self.net.inside("vantage"):
            resolver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        resolver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        resolver.bind(("::", PORT))
        self.net.stack.callback(resolver.close)
        return resolver

    @staticmethod
    def read_questions(resolver):
        """Take the questions that have come in so far."""
        resolver.setblocking(False)
        questions = []
        try:
            while True:
                questions.append(resolver.recv(512)[12:])
        except BlockingIOError:
            return questions

    def test_hops_carry_the_names_that_the_resolver_gives(self):
        pointers = {self.chain.hop(family, ttl): f"r{ttl}.example"
                    for family in lab.FAMILIES for ttl in (1, 3)}
        self.resolve(pointers | {self.chain.target(family): SERVER for family in lab.FAMILIES})
        names = {1: "r1.example", 2: None, 3: "r3.example", 4: SERVER}
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                words = (f"-{family}", SERVER, ":443", "-c", "5", "-i", "0.1")
                report = lab.Report(self.net.sonde("-j", *words))
                target = report.document["targets"][0]
                self.assertEqual((report.code, target["name"], target["address"]),
                                 (0, SERVER, self.chain.target(family)))
                hops = report.service("443/tcp")["paths"][0]["hops"]
                self.assertEqual({hop["ttl"]: hop["responders"][0]["hostname"] for hop in hops},
                                 names)
                text = self.net.sonde("-r", *words).out
                for ttl, name in names.items():
                    self.assertRegex(text, rf"(?m)^ *{ttl}\b.*{name or self.chain.hop(family, 2)}")

    def test_names_are_looked_up_without_a_system_call_that_the_filter_refuses(self):
        environment = lab.preloaded("strict")  # the filter kills
        if environment is None:
            self.net.check_no_sandbox(self)
            return
        # RFC 3492: what a resolver is asked for the second
        self.resolve({self.chain.target(4): SERVER},
                     "--host-record=xn--mnchen-3ya.example,10.1.4.1")
        for words in (("-4",), ()):
            with self.subTest(words=words):
                report = lab.Report(self.net.sonde(
                    "-j", *words, SERVER, ":443", "münchen.example", "localhost", "-c", "3", "-i",
                    "0.1", env=environment))
                self.assertEqual(report.states(0), {"icmp": "open", "443/tcp": "open"})
                self.assertEqual([report.states(1), report.states(2)], 2 * [{"icmp": "open"}])

    def test_with_a_file_capability_the_environment_leads_to_no_other_name(self):
        resolver = self.stay_silent()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        program = shutil.copy(lab.sonde_path, os.path.join(directory.name, "sonde"))
        environment = {**os.environ, "LOCALDOMAIN": "misled.example", "RES_OPTIONS": "ndots:5"}
        for capability, misled in (("cap_net_raw+p", False), ("", True)):
            with self.subTest(capability=capability):
                self.net.run("vantage", "setcap", capability, program)
                # root may do without one; only the kernel's AT_SECURE tells the two apart
                process = self.net.start_sonde("-r", SERVER, program=program, env=environment,
                                               wrap=lab.AS_NOBODY if capability else ())
                resolver.settimeout(10)
                self.assertEqual(b"misled" in resolver.recv(512), misled)
                process.send_signal(signal.SIGINT)
                self.net.finish(process)
                self.read_questions(resolver)

    def test_a_hostile_name_sends_nothing_to_the_terminal(self):
        self.mislead()
        for words in (("-r",), ("-j",)):
            run = self.net.sonde(*words, self.chain.target(4), ":443", "-c", "5", "-i", "0.1")
            self.assertEqual(run.code, 0)
            self.assertEqual([char for char in run.out if ord(char) < 32 and char != "\n"], [])

    def test_a_silent_resolver_delays_no_probe(self):
        # Four addresses, asked twice with a second's wait, would hold up a run that waits for them.
        resolver = self.stay_silent()
        watch = packets.Capture(self.net, "vantage", "to-r1")
        begin = time.monotonic()
        report = lab.Report(self.net.sonde("-j", self.chain.target(4), ":443", "-c", "10",
                                           "-i", "0.1"))
        self.assertEqual(report.code, 0)
        self.assertEqual(report.hops("443/tcp"), self.chain.path(4))
        hops = report.service("443/tcp")["paths"][0]["hops"]
        self.assertEqual({hop["responders"][0]["hostname"] for hop in hops}, {None})
        syns = [packet for packet in watch.read()
                if packet.outgoing and packet.flags == packets.SYN and packet.ttl == 64]
        self.assertEqual(len(syns), 10)
        self.assertLess(time.monotonic() - begin, 5)
        questions = self.read_questions(resolver)
        self.assertGreater(len(set(questions)), 0)
        self.assertLessEqual(max(map(questions.count, questions)),
                             2 * max(1, len(self.resolvers)), "a question is asked too often")

    def test_without_names_no_question_is_asked(self):
        resolver = self.stay_silent()
        for words in (("-j", "-n"), ("-q",)):
            with self.subTest(words=words):
                run = self.net.sonde(*words, self.chain.target(4), ":443", "-c", "3", "-i", "0.1")
                self.assertEqual((run.code, run.err), (0, ""))
                self.assertEqual(self.read_questions(resolver), [])

    def test_a_deadline_holds_from_start_to_exit_whatever_a_resolver_does(self):
        self.stay_silent()
        for how in ((), ("--unprivileged",)):
            with self.subTest(how=how):
                begin = time.monotonic()
                report = lab.Report(self.net.sonde(
                    "-j", *how, "--deadline", "1", SERVER, ":443", self.chain.target(4), ":443",
                    self.chain.target(6), ":443", "-c", "1000"))
                # on a busy machine everything is late; the resolver is silent for 10 s
                self.assertLess(time.monotonic() - begin, 5)
                self.assertEqual((report.code, report.document["status"]), (3, "partial"))
                self.assertEqual(report.states(0)["443/tcp"], "unknown")
                self.assertEqual(report.service("443/tcp")["verdict"]["code"], "name_unresolved")
                for target in (1, 2):
                    service = report.service("443/tcp", target)
                    self.assertEqual(service["state"], "open")
                    self.assertEqual(service["received"], service["sent"])

    def test_a_deadline_holds_while_targets_are_read(self):
        begin = time.monotonic()
        process = self.net.start_sonde("--deadline", "1", "-F", "-", stdin=subprocess.PIPE)
        self.assertEqual(process.wait(timeout=10), 3)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(process.stderr.read(),
                         "sonde: cannot read -: the deadline came first\n")

    def test_no_target_waits_for_the_name_of_another(self):
        names = {SERVER: [self.chain.target(4)], "slow.example": [self.chain.hop(4, 3)]}
        name_server.serve(self.net, self.stay_silent(), names,
                          {("slow.example", kind): 3 for kind in (name_server.A, name_server.AAAA)})
        watch = packets.Capture(self.net, "vantage", "to-r1")
        begin_ns = time.time_ns()
        report = lab.Report(self.net.sonde("-j", "slow.example", SERVER, self.chain.target(6), "-c",
                                           "2"))
        addresses = [target["address"] for target in report.document["targets"]]
        self.assertEqual(addresses, [self.chain.hop(4, 3), self.chain.target(4),
                                     self.chain.target(6)])
        self.assertEqual((report.code, report.document["status"]), (0, "complete"))
        for target in range(3):
            self.assertEqual(report.service("icmp", target)["sent"], 2)
        first_ns = {}
        for packet in watch.read():
            if packet.is_echo_request and packet.outgoing:
                first_ns.setdefault(packet.dst, packet.time_ns - begin_ns)
        self.assertGreater(first_ns[addresses[0]], 3e9)
        for address in addresses[1:]:
            self.assertLess(first_ns[address], 2.5e9, address)
        # it started when the first packet could leave, not before and not with the last name
        started = datetime.datetime.fromisoformat(report.document["started"].rstrip("Z"))
        started_ns = started.replace(tzinfo=datetime.timezone.utc).timestamp() * 1e9 - begin_ns
        self.assertLess(abs(started_ns - min(first_ns.values())), 0.3e9)

    def test_where_descriptors_are_few_every_name_is_found_all_the_same(self):
        # Standard streams, sockets of a run, and hardly a handful left for so many names at once.
        names = {f"n{number}.example": [f"10.1.4.{100 + number}"] for number in range(30)}
        self.net.ip(self.chain.server, *(f"addr add {address}/32 dev lo"
                                         for addresses in names.values() for address in addresses))
        name_server.serve(self.net, self.stay_silent(), names)
        words = [word for name in names for word in (name, ":443")]
        for how in ((), ("--unprivileged", "--no-icmp")):
            with self.subTest(how=how):
                report = lab.Report(self.net.sonde("-j", "-n", *how, *words, "-c", "1",
                                                   wrap=("prlimit", "--nofile=28:28")))
                for target in range(len(names)):
                    self.assertEqual(report.states(target)["443/tcp"], "open", target)

    def test_the_addresses_that_were_not_asked_are_named(self):
        name_server.serve(self.net, self.stay_silent(),
                          {SERVER: [self.chain.target(family) for family in lab.FAMILIES]})
        for family, other in ((4, 6), (6, 4)):
            with self.subTest(family=family):
                words = (f"-{family}", SERVER, ":81", "-c", "3", "-i", "0.3")
                report = lab.Report(self.net.sonde("-j", *words))
                self.assertEqual((report.code, report.states()["81/tcp"]), (1, "closed"))
                self.assertEqual(report.document["targets"][0]["not_asked"],
                                 [{"address": self.chain.target(other), "option": f"-{other}"}])
                text = self.net.sonde("-r", *words).out
                self.assertIn(f"1 more address was not asked: {self.chain.target(other)} "
                              f"(-{other})\n", text)

    def test_a_name_of_the_other_family_says_so(self):
        name_server.serve(self.net, self.stay_silent(), {
            f"only{family}.example": [self.chain.target(family)] for family in lab.FAMILIES})
        for family, other in ((4, 6), (6, 4)):
            with self.subTest(family=family):
                report = lab.Report(self.net.sonde("-j", f"-{family}", f"only{other}.example"))
                self.assertEqual(report.code, 3)
                self.assertEqual(report.service("icmp")["verdict"]["text"],
                                 f"the name has only IPv{other} addresses, "
                                 f"but -{family} asks for IPv{family}")

    def test_who_chose_a_family_does_not_wait_for_the_other(self):
        names = {SERVER: [self.chain.target(family) for family in lab.FAMILIES]}
        name_server.serve(self.net, self.stay_silent(), names, {(SERVER, name_server.AAAA): 60})
        begin = time.monotonic()
        report = lab.Report(self.net.sonde("-j", "-4", SERVER, ":443", "-c", "1"))
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open"})
        self.assertEqual(report.document["targets"][0]["not_asked"], [])

    def test_a_mapped_address_is_the_ipv4_address_in_it(self):
        mapped = f"::ffff:{self.chain.target(4)}"
        name_server.serve(self.net, self.stay_silent(), {SERVER: [mapped]})
        for target in (mapped, f"[{mapped}]:443", SERVER):
            with self.subTest(target=target):
                report = lab.Report(self.net.sonde("-j", target, ":443", "-c", "1"))
                self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open"})
                shown = report.document["targets"][0]
                self.assertEqual((shown["address"], shown["family"]),
                                 (self.chain.target(4), "ipv4"))

    def test_a_signal_ends_a_look_up(self):
        resolver = self.stay_silent()
        watch = packets.Capture(self.net, "vantage", "to-r1")
        process = self.net.start_sonde("-j", SERVER, ":443")
        resolver.settimeout(10)
        resolver.recv(512)
        process.send_signal(signal.SIGINT)
        report = lab.Report(self.net.finish(process, timeout=4))
        self.assertEqual((report.code, report.document["status"]), (3, "interrupted"))
        self.assertEqual([packet for packet in watch.read() if packet.outgoing
                          and packet.dst == self.chain.target(4)], [])

    def test_a_resolver_that_cannot_answer_is_not_said_to_be_silent(self):
        # RFC 1035 §4.1.1: 2 is a server failure; RFC 2308 §7.1: it says nothing of the name
        name_server.serve(self.net, self.stay_silent(), {}, code=2)
        run = self.net.sonde("-n", "nobody.example", "-c", "1")
        self.assertEqual(run.code, 3)
        self.assertIn("? the name servers do not answer, or cannot\n", run.out)

    def test_a_resolver_that_fails_leaves_the_other_targets_alone(self):
        self.resolve({})
        report = lab.Report(self.net.sonde("-j", "nobody.example", ":443", self.chain.target(4),
                                           ":443", "-c", "2", "-i", "0.1"))
        self.assertEqual((report.code, report.document["status"]), (3, "partial"))
        self.assertEqual(report.document["errors"][0]["code"], "name_unresolved")
        self.assertEqual(report.states(1), {"icmp": "open", "443/tcp": "open"})


if __name__ == "__main__":
    lab.main()
