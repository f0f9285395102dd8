# SPDX-License-Identifier: BSD-2-Clause
"""What was recorded over real sockets replays to the byte; and a record that cannot be kept."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import lab

NEIGHBOUR = "10.1.1.77"  # of the vantage's link; nobody has it
SHOWN = ([], ["-w", "-b", "-e"], ["--ascii"], ["-j"])


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        cls.net.echo(cls.chain.server, 53)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        os.chmod(cls.folder.name, 0o777)
        cls.file = f"{cls.folder.name}/record"

    def setUp(self):
        pathlib.Path(self.file).unlink(missing_ok=True)

    def tearDown(self):
        self.net.nft("r2", "")

    def replay(self, *words):
        return self.net.sonde("--replay", self.file, *words)

    def record(self, *words):
        """Run sonde once for each format that is compared; each run has a record of its own."""
        for shown in SHOWN:
            run = self.net.sonde(*words, *shown, "--record", self.file)
            self.assertEqual(run.err, "")
            again = self.replay(*shown)
            self.assertEqual((again.code, again.out, again.err), (run.code, run.out, ""), shown)
        return json.loads(run.out)

    def events(self):
        return [json.loads(line) for line in pathlib.Path(self.file).read_text().splitlines()]

    def test_a_run_is_shown_as_it_was(self):
        self.net.nft("r2", """table inet filter {
            chain c {
                type filter hook forward priority 0
                tcp dport 25 reject with icmpx type admin-prohibited
                tcp dport 3389 drop
            }
        }""")
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                document = self.record(self.chain.target(family), ":443", ":25", ":3389", ":22",
                                       "53/udp", "-c", "2", "-i", "0.2", "-Z", "0.5")
                transport = "unprivileged" if lab.unprivileged else "raw"
                self.assertEqual(document["vantage"]["transport"], transport)
                self.assertEqual(document["vantage"]["interface"], "to-r1")

    def test_several_flows_and_targets_that_share(self):
        if lab.unprivileged:
            self.skipTest("several flows of a TCP port take raw sockets")
        document = self.record(self.chain.target(4), ":443", self.chain.target(4), ":443",
                               self.chain.target(6), "--flows", "4", "-c", "2", "-i", "0.2")
        self.assertEqual(len(document["targets"]), 3)

    def test_a_silent_next_hop_is_in_the_record(self):
        self.record(NEIGHBOUR, ":443", "-c", "2", "-i", "2", "-Z", "2")
        hops = [event for event in self.events() if event["type"] == "next_hop"]
        self.assertEqual([hop["next_hop"] for hop in hops][-1], NEIGHBOUR)
        self.assertTrue(hops[-1].get("silent"), hops)

    def test_a_name_without_an_address(self):
        document = self.record("does-not-exist.invalid", self.chain.target(4), "-c", "1")
        self.assertEqual(document["status"], "partial")
        self.assertIn("error", [event["type"] for event in self.events()])

    def test_an_interrupted_run(self):
        process = self.net.start_sonde(self.chain.target(4), ":443", "-c", "100", "-i", "0.2", "-j",
                                       "--record", self.file)
        time.sleep(1.1)
        process.send_signal(signal.SIGINT)
        run = self.net.finish(process)
        again = self.replay("-j")
        self.assertEqual((again.code, again.out), (run.code, run.out))
        self.assertEqual(json.loads(run.out)["status"], "interrupted")

    def test_a_power_cut_leaves_what_was_known(self):
        process = self.net.start_sonde(self.chain.target(4), ":443", "-c", "100", "-i", "0.2", "-j",
                                       "--record", self.file)
        time.sleep(1.1)
        process.kill()
        process.communicate()
        again = lab.Report(self.replay("-j"))
        self.assertEqual((again.code, again.document["status"]), (0, "interrupted"))
        self.assertEqual(again.states(), {"icmp": "open", "443/tcp": "open"})
        # five cycles began within 1.1 s, four of them at least had their answers
        self.assertGreaterEqual(again.service("icmp")["received"], 3)

    def test_a_full_disk_is_said_once_and_the_run_goes_on(self):
        run = self.net.sonde(self.chain.target(4), "-c", "2", "-i", "0.1", "-j", "--record",
                             "/dev/full")
        self.assertEqual(run.err, "sonde: the record ends here: No space left on device\n")
        self.assertEqual((run.code, json.loads(run.out)["status"]), (4, "complete"))

    def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(self):
        run = self.net.sonde(self.chain.target(4), "--record", "/nowhere/record")
        self.assertEqual((run.code, run.out), (2, ""))
        self.assertEqual(run.err, "sonde: cannot write the record /nowhere/record: "
                                  "No such file or directory\n")

    def test_a_stream_that_nobody_reads_any_more_ends_the_run_quietly(self):
        process = self.net.start_sonde(self.chain.target(4), "-i", "0.1", "--stream",
                                       stdout=subprocess.PIPE)
        first = json.loads(process.stdout.readline())
        self.assertEqual((first["type"], first["n"]), ("run_start", 0))
        process.stdout.close()
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertEqual(process.stderr.read(), "")

    def test_a_stream_of_changes_says_what_a_service_comes_to(self):
        process = self.net.start_sonde(self.chain.target(4), ":443", "-i", "0.2",
                                       "--stream=changes", "--record", self.file)
        time.sleep(0.9)
        process.send_signal(signal.SIGTERM)
        run = self.net.finish(process)
        events = [json.loads(line) for line in run.out.splitlines()]
        kinds = {event["type"] for event in events}
        self.assertFalse(kinds & {"probe", "unawaited", "late", "duplicate", "cycle"}, kinds)
        self.assertEqual({event["service"]: event["state"] for event in events
                          if event["type"] == "verdict"}, {"icmp": "open", "443/tcp": "open"})
        self.assertEqual((events[-1]["type"], events[-1]["exit_code"]), ("run_end", run.code))
        kept = [event for event in self.events() if event["type"] not in
                ("probe", "unawaited", "late", "duplicate", "cycle")]
        self.assertEqual(kept, events)


if __name__ == "__main__":
    lab.main()
