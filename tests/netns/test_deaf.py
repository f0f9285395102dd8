# SPDX-License-Identifier: BSD-2-Clause
"""Real servers that are alive, in the set-ups of setups.py: a port that answers any of the
questions that its protocol knows is open, and the report says which one it was. What is silent to
all of them is silent by design.

    vantage ---- r1 ---- server0, server1, ...
"""
import dataclasses
import pathlib
import sys
import tempfile
import time
import unittest

import lab
import servers
import setups

GROUPS = {name: getattr(setups, name) for name in
          ("DNS", "SNMP", "RADIUS", "SIP", "STUN", "KERBEROS", "IKE", "MDNS", "OTHERS")}
AT_ONCE = 4  # runs, so that no answer is late because the machine is busy
# What goes to the upstream of resolvers is lost behind this router, without a word.
LOST = f"""table inet lost {{
    chain c {{
        type filter hook forward priority 0
        ip daddr {setups.UPSTREAM} drop
    }}
}}"""


class Star:
    """A vantage, a router, and a node for each set-up behind it."""

    def __init__(self, network, group):
        self.network = network
        self.group = group
        network.add("vantage")
        network.add("r1", router=True)
        network.link("vantage", "r1", "10.60.255", "fd00:60:255")
        network.ip("vantage", "route add default via 10.60.255.1",
                   "route add default via fd00:60:255::1")
        network.ip("r1", f"route add blackhole {setups.UPSTREAM}")
        network.nft("r1", LOST)
        self.servers = {}
        for number, (name, setup) in enumerate(group.items(), 1):
            self.add(number, name, setup)
        servers.await_ready(network, self.servers.values())

    def add(self, number, name, setup):
        node = f"server{number}"
        self.network.add(node)
        self.network.link("r1", node, f"10.60.{number}", f"fd00:60:{number}")
        self.network.ip(node, f"route add default via 10.60.{number}.2",
                        f"route add default via fd00:60:{number}::2")
        if setup.rules:
            self.network.nft(node, f"table inet front {{\nchain c {{\n"
                             f"type filter hook input priority 0\n{setup.rules}\n}}\n}}")
        files = {file: text.replace("ADDRESS4", self.address(name, 4))
                           .replace("ADDRESS6", self.address(name, 6))
                 for file, text in setup.kind.files.items()}
        self.servers[name] = servers.Server(self.network, node, f"deaf{number}",
                                            dataclasses.replace(setup.kind, files=files))

    def address(self, name, family):
        number = list(self.group).index(name) + 1
        return f"10.60.{number}.1" if family == 4 else f"fd00:60:{number}::1"

    def hosts(self, name):
        """A command that gives whatever runs behind it a name for a server."""
        folder = self.network.stack.enter_context(tempfile.TemporaryDirectory())
        file = pathlib.Path(folder, "hosts")
        file.write_text("".join(f"{self.address(name, family)} {setups.SERVER_NAME}\n"
                                for family in lab.FAMILIES), encoding="ascii")
        pathlib.Path(folder).chmod(0o755)
        return ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"',
                str(file))

    def ask(self, name, family):
        """Start sonde as a user would who debugs this server."""
        setup = self.group[name]
        target = setup.name or self.address(name, family)
        wrap = self.hosts(name) if setup.name else ()
        return self.network.start_sonde(
            "-j", "-n", f"-{family}", target, setup.service, "-c", "3", "-i", "0.5", wrap=wrap,
            node="r1" if setup.on_link else "vantage")


class Deaf:
    """The tests of a group of set-ups."""

    group = {}

    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        star = Star(cls.net, cls.group)
        cls.services = []  # (set-up's name, family, what is said of its service)
        names = list(cls.group)
        for first in range(0, len(names), AT_ONCE):
            for family in lab.FAMILIES:
                runs = {name: star.ask(name, family) for name in names[first:first + AT_ONCE]
                        if family in cls.group[name].families}
                cls.services += [(name, family, cls.service_of(cls.net.finish(run)))
                                 for name, run in runs.items()]

        time.sleep(servers.SETTLES_S)
        cls.servers = star.servers

    @staticmethod
    def service_of(run):
        services = lab.Report(run).document["targets"][0]["services"]
        return next(service for service in services
                    if service["protocol"] == "udp" and not service["control"])

    def for_each(self, check, wanted=lambda setup: True):
        for name, family, service in self.services:
            setup = self.group[name]
            if wanted(setup):
                with self.subTest(setup=name, family=family):
                    check(setup, service)

    def test_a_server_that_answers_any_question_is_open_and_who_is_silent_is_so_by_design(self):
        def check(setup, service):
            wanted = "open_or_filtered" if setup.answered is None else "open"
            self.assertEqual(service["state"], wanted, service["verdict"]["text"])

        self.for_each(check)

    def test_it_is_the_question_that_such_a_server_answers(self):
        def check(setup, service):
            asked = service["questions"]
            answered = [i for i, question in enumerate(asked) if question["received"] > 0]
            self.assertEqual(answered, [] if setup.answered is None else [setup.answered], asked)
            if setup.answered is None:
                self.assertTrue(all(question["sent"] > 0 for question in asked), asked)

        self.for_each(check)

    def test_deafness_is_no_loss(self):
        def check(_, service):
            self.assertEqual((service["received"], service["loss_ratio"]), (service["sent"], 0),
                             service["questions"])

        self.for_each(check, lambda setup: setup.answered is not None)

    def test_whoever_answers_the_first_question_never_sees_another(self):
        def check(_, service):
            self.assertEqual([question["sent"] for question in service["questions"][1:]],
                             [0] * (len(service["questions"]) - 1))
            self.assertNotIn("but not", service["verdict"]["text"])

        self.for_each(check, lambda setup: setup.answered == 0)

    def test_the_words_say_which_question_is_answered_and_which_is_not(self):
        def check(_, service):
            self.assertRegex(service["verdict"]["text"], r"; answered .+, but not .+ \(0 of 2\)")

        self.for_each(check, lambda setup: setup.answered)

    def test_no_server_complains_of_more_than_is_said_of_it(self):
        for name, server in self.servers.items():
            with self.subTest(setup=name):
                if self.group[name].logs:
                    self.assertEqual(server.improper(), [])


for group_name, group_setups in GROUPS.items():
    globals()[group_name] = type(group_name, (Deaf, unittest.TestCase), {"group": group_setups})


if __name__ == "__main__":
    lacking = [name for group in GROUPS.values()
               for name in servers.missing({name: setup.kind for name, setup in group.items()})]
    if lacking:
        print(f"skipped: not installed: {'; '.join(lacking)}")
        sys.exit(lab.SKIPPED)
    lab.main()
