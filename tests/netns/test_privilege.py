# SPDX-License-Identifier: BSD-2-Clause
"""Privilege: what sonde needs, and that it has none of it left once a packet leaves."""
import os
import pathlib
import shutil
import tempfile
import time
import unittest

import lab
import packets

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
             "--inh-caps=-all")
NONE = "0" * 16


def status_of(process):
    """The members of /proc/PID/status, one dictionary for each thread."""
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        lines = (task / "status").read_text(encoding="utf-8").splitlines()
        yield {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Privilege(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        cls.plain = os.path.join(directory.name, "sonde-plain")
        cls.capable = os.path.join(directory.name, "sonde-capable")
        for copy in (cls.plain, cls.capable):
            shutil.copy(lab.sonde_path, copy)
            os.chmod(copy, 0o755)
        cls.net.run("vantage", "setcap", "cap_net_raw+p", cls.capable)

    def started(self, **how):
        """Start sonde and wait for its first packet."""
        watch = packets.Capture(self.net, "vantage", "to-r1")
        process = self.net.start_sonde("-j", self.chain.target(4), ":443", "-c", "30",
                                       "-i", "0.1", **how)
        until = time.monotonic() + 10
        while not any(packet.outgoing and packet.dst == self.chain.target(4)
                      for packet in watch.read()):
            self.assertIsNone(process.poll(), "sonde ended before it sent anything")
            self.assertLess(time.monotonic(), until, "sonde sends nothing")
        return process

    def check(self, process, names):
        for status in status_of(process):
            self.assertEqual({name: status[name] for name in names},
                             {name: NONE for name in names})
            self.assertEqual(status["NoNewPrivs"], "1")
        report = lab.Report(self.net.finish(process))
        self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open"})

    def test_root_has_no_capability_left_when_the_first_packet_leaves(self):
        self.check(self.started(), ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))

    def test_a_user_with_a_file_capability_has_none_left_either(self):
        # To empty the bounding set takes CAP_SETPCAP, which such a user never had: with
        # no_new_privs set, nothing can be gained from it.
        process = self.started(wrap=AS_NOBODY, program=self.capable)
        self.assertEqual({status["Uid"].split()[0] for status in status_of(process)},
                         {str(NOBODY)})
        self.check(process, ("CapInh", "CapPrm", "CapEff", "CapAmb"))

    def test_a_file_capability_is_enough_to_probe(self):
        for family in lab.FAMILIES:
            for words in ((), ("-I", "to-r1")):
                with self.subTest(family=family, words=words):
                    report = self.net.report(self.chain.target(family), ":443", "-c", "2",
                                             "-i", "0.1", *words, wrap=AS_NOBODY,
                                             program=self.capable)
                    self.assertEqual((report.code, report.states()),
                                     (0, {"icmp": "open", "443/tcp": "open"}))

    def test_a_source_port_below_1024_takes_privilege_and_is_refused_without(self):
        run = self.net.sonde("-r", "-n", "-L", "443", self.chain.target(4), ":443",
                             wrap=AS_NOBODY, program=self.capable)
        self.assertEqual((run.code, run.out), (2, ""))
        self.assertRegex(run.err, r"\Asonde: [^\n]*source port[^\n]*\n\Z")

    def test_without_the_capability_one_line_says_how_to_allow_it(self):
        watch = packets.Capture(self.net, "vantage", "to-r1")
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                run = self.net.sonde("-r", "-n", self.chain.target(family), ":443",
                                     wrap=AS_NOBODY, program=self.plain)
                self.assertEqual((run.code, run.out), (3, ""))
                self.assertRegex(run.err, r"\Asonde: [^\n]+\n\Z")
                self.assertIn(f"setcap cap_net_raw+p {self.plain}", run.err)
        self.assertEqual([packet for packet in watch.read()
                          if packet.dst in map(self.chain.target, lab.FAMILIES)], [])


if __name__ == "__main__":
    lab.main()
