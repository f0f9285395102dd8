#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A run without end is ended by a signal, by --deadline, or by who reads its stream no more, and
its result is whole in every output.

endless.py SONDE. The built-in network is probed, in real time where a signal or a reader ends it.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SONDE = sys.argv.pop(1)
BASE = (SONDE, "--simulate", "demo", "-n", "web.example:443")
# The cycles at 0, 1, 2, 3 and 4 s, and at 5 s the end.
VIRTUAL = ("-c", "0", "--virtual-time", "--deadline", "5")
REAL = ("-c", "0", "-i", "0.1")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}


class Endless(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = f"{folder.name}/record"

    def run_to_its_end(self, *words):
        result = subprocess.run([*BASE, *words], capture_output=True, text=True, timeout=60,
                                check=False, env=ENVIRONMENT)
        self.assertEqual((result.returncode, result.stderr), (0, ""), words)
        return result.stdout

    def run_to_a_signal(self, *words):
        with subprocess.Popen([*BASE, *REAL, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (0, ""), words)
        return out

    def look_at_stream(self, lines, complete):
        events = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual((events[0]["type"], events[0]["settings"]["cycles"]), ("run_start", None))
        self.assertEqual((events[-1]["type"], events[-1]["status"], events[-1]["exit_code"]),
                         ("run_end", complete, 0))

    def recorded(self):
        with open(self.file, encoding="utf-8") as record:
            return record.read()

    def test_a_deadline_ends_each_output(self):
        for words in ((), ("-r",), ("-w",)):
            out = self.run_to_its_end(*VIRTUAL, *words)
            self.assertRegex(out, r"\Asonde .*  5 cycles in 5\.0 s\n")
            self.assertIn("443/tcp   open", out)
        document = json.loads(self.run_to_its_end(*VIRTUAL, "-j"))
        self.assertEqual((document["status"], document["settings"]["cycles"]), ("partial", None))
        self.assertEqual(self.run_to_its_end(*VIRTUAL, "-q"), "")
        self.look_at_stream(self.run_to_its_end(*VIRTUAL, "--stream"), "partial")

    def test_a_signal_ends_each_output(self):
        for words in ((), ("-r",), ("-w",)):
            out = self.run_to_a_signal(*words)
            self.assertRegex(out, r"\Asonde .*  [0-9]+ cycles in [0-9.]+ s, interrupted\n")
            self.assertIn("443/tcp   open", out)
        document = json.loads(self.run_to_a_signal("-j"))
        self.assertEqual((document["status"], document["settings"]["cycles"]),
                         ("interrupted", None))
        self.assertEqual(self.run_to_a_signal("-q"), "")
        self.look_at_stream(self.run_to_a_signal("--stream"), "interrupted")

    def test_its_record_is_whole(self):
        shown = self.run_to_its_end(*VIRTUAL, "--record", self.file)
        self.look_at_stream(self.recorded(), "partial")
        again = subprocess.run([SONDE, "--replay", self.file, "-n", "-c", "0"], check=False,
                               capture_output=True, text=True, env=ENVIRONMENT)
        self.assertEqual((again.returncode, again.stdout), (0, shown))
        self.run_to_a_signal("--record", self.file)
        self.look_at_stream(self.recorded(), "interrupted")

    def test_nobody_reads_the_stream_from_the_beginning(self):
        reader, writer = os.pipe()
        os.close(reader)
        with subprocess.Popen([*BASE, *REAL, "--stream", "--record", self.file], stdout=writer,
                              stderr=subprocess.PIPE) as process:
            os.close(writer)
            err = process.communicate(timeout=60)[1]
        self.assertEqual((process.returncode, err), (3, b""), "nothing was measured by then")
        end = json.loads(self.recorded().splitlines()[-1])
        self.assertEqual((end["type"], end["status"], end["exit_code"]),
                         ("run_end", "interrupted", 3))

    def test_nobody_reads_the_stream_any_more(self):
        with subprocess.Popen([*BASE, *REAL, "--stream", "--record", self.file],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            seen = {}
            while (seen.get("type"), seen.get("service")) != ("verdict", "443/tcp"):
                seen = json.loads(process.stdout.readline())
            process.stdout.close()
            process.wait(timeout=60)
            self.assertEqual((process.returncode, process.stderr.read()), (0, b""))
        self.look_at_stream(self.recorded(), "interrupted")


if __name__ == "__main__":
    unittest.main(verbosity=2)
