#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a run says while it goes on: its progress on a terminal, the report so far on SIGQUIT.

terminal.py SONDE. The built-in network is probed, in real time.
"""
import json
import os
import pty
import signal
import subprocess
import sys
import time
import unittest

SONDE = sys.argv.pop(1)
# A shell without job control starts what runs in the background with SIGQUIT ignored, and what is
# ignored sonde goes on to ignore.
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
BASE = (SONDE, "--simulate", "demo", "-n", "web.example:443")
LONG = ("-c", "3", "-i", "1.2")  # two and a half seconds
SHORT = ("-c", "2", "-i", "0.5")


class Run:
    """A run whose standard error is a terminal, or a pipe."""

    def __init__(self, *words, terminal=True):
        self.master, slave = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen([*BASE, *words], stdin=subprocess.DEVNULL, stderr=slave,
                                        stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "LC_ALL": "C.UTF-8"})
        os.close(slave)

    def end(self):
        """What stood on standard output and standard error."""
        self.out = self.process.communicate(timeout=60)[0]
        self.err = b""
        while True:
            try:
                chunk = os.read(self.master, 65536)
            except OSError:  # a terminal that nobody holds open any more
                break
            if not chunk:
                break
            self.err += chunk
        os.close(self.master)
        self.err = self.err.decode().replace("\r\n", "\n")
        return self


class Progress(unittest.TestCase):
    def test_a_run_of_more_than_two_seconds_shows_it_on_a_terminal_and_erases_it(self):
        run = Run(*LONG).end()
        self.assertRegex(run.err, r"\A(\r[123] of 3 cycles, [0-9]+ s *)+\r +\r\Z")
        self.assertNotIn("of 3 cycles", run.out)

    def test_a_run_without_end_names_none(self):
        run = Run("-c", "0", "-i", "1.2")
        time.sleep(2.6)
        run.process.send_signal(signal.SIGINT)
        self.assertRegex(run.end().err, r"\A(\r[1-4] cycles, [0-9]+ s *)+\r +\r\Z")

    def test_otherwise_nothing_is_shown(self):
        runs = {words: Run(*words, terminal=terminal) for words, terminal in (
            (SHORT, True), (LONG, False), ((*LONG, "-q"), True),
            ((*LONG, "-c", "100", "--virtual-time"), True))}
        for words, run in runs.items():
            with self.subTest(words=words):
                self.assertEqual(run.end().err, "")


class Quit(unittest.TestCase):
    def asked(self, *words):
        run = Run(*LONG, *words, terminal=False)
        time.sleep(1)
        run.process.send_signal(signal.SIGQUIT)
        return run.end()

    def test_the_report_so_far_is_printed_and_the_run_goes_on(self):
        run = self.asked()
        so_far, whole = run.out.split("\n\nsonde ")
        self.assertRegex(so_far, r"\Asonde .* [12] of 3 cycles in ")
        self.assertRegex(whole, r"\A.* 3 cycles in ")
        self.assertIn("443/tcp   open", so_far)
        self.assertEqual((run.process.returncode, run.err), (0, ""))

    def test_a_document_for_programs_stays_one(self):
        run = self.asked("-j")
        self.assertEqual(json.loads(run.out)["status"], "complete")
        self.assertRegex(run.err, r"\Asonde .* [12] of 3 cycles in ")

    def test_a_run_that_is_quiet_stays_quiet(self):
        run = self.asked("-q")
        self.assertEqual((run.process.returncode, run.out, run.err), (0, "", ""))

    def test_then_a_signal_still_ends_it(self):
        run = Run(*LONG, terminal=False)
        time.sleep(1)
        run.process.send_signal(signal.SIGQUIT)
        time.sleep(0.2)
        run.process.send_signal(signal.SIGINT)
        self.assertRegex(run.end().out, r" [12] of 3 cycles in .*, interrupted\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
