#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records that are cut off, changed, or written by an enemy: records.py SONDE

A record that is cut off is shown as far as it goes, as interrupted; one that is shown with -c, as
partial. One whose lines contradict each other is refused in one line that names the line, with exit
code 2.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from run import run

ARGUMENTS = ["--simulate", "demo", "--virtual-time", "-c", "2", "web.example:443,25,53/udp"]


class Failure(Exception):
    """Something is wrong."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Case:
    """A record, and what sonde makes of other ones."""

    def __init__(self, sonde, folder):
        self.sonde = sonde
        self.file = f"{folder}/record"
        self.shown = run(sonde, [*ARGUMENTS, "--record", self.file, "-j"]).stdout
        self.lines = pathlib.Path(self.file).read_bytes().splitlines(keepends=True)
        self.events = [json.loads(line) for line in self.lines]

    def replay(self, content, *arguments):
        return self.show(content, "-j", *arguments)

    def show(self, content, *arguments):
        pathlib.Path(self.file).write_bytes(content)
        return run(self.sonde, ["--replay", self.file, *arguments])

    def first(self, kind):
        """The index of the first record of a type."""
        return next(i for i, event in enumerate(self.events) if event["type"] == kind)

    def refuse(self, events, line, why):
        """Write records, numbered anew, and look whether they are refused for the right reason."""
        for number, event in enumerate(events):
            event["n"] = number
        self.refuse_bytes(b"".join(json.dumps(event).encode() + b"\n" for event in events), line,
                          why)

    def refuse_bytes(self, content, line, why):
        result = self.replay(content)
        place = f"{self.file}:{line}: " if line else f"{self.file}: "
        error = result.stderr.decode()
        expect(result.returncode == 2, f"{why}: exit code {result.returncode}")
        expect(error.startswith(f"sonde: {place}") and why in error and error.count("\n") == 1,
               f"expected {place}{why}: {error}")
        expect(result.stdout == b"", f"{why}: something is shown")


def is_interrupted(result):
    expect(result.stderr == b"", result.stderr.decode())
    report = json.loads(result.stdout)
    expect(report["status"] in ("interrupted", "error"), f"it is {report['status']}")
    return report


def cut_off_at_every_line(case):
    """Only with its last line it is what it was."""
    sent = 0
    for count in range(1, len(case.lines)):
        report = is_interrupted(case.replay(b"".join(case.lines[:count])))
        now = sum(service["sent"] for target in report["targets"]
                  for service in target["services"])
        expect(now >= sent, f"after line {count} less was sent than before")
        sent = now
    whole = case.replay(b"".join(case.lines))
    expect(whole.stdout == case.shown and whole.returncode == 1, "the whole record is another")


def cut_off_before_the_first_target(case):
    """Nothing was measured, so nothing is fine: in every format, after every byte."""
    start, target = case.lines[0], case.lines[case.first("target")]
    expect(case.first("target") == 1, "the first target does not come next")
    for content in (start[:-1], start, start + target[:1], start + target[:-2]):
        report = case.replay(content)
        verdict = is_interrupted(report)["verdict"]
        expect((report.returncode, verdict["level"]) == (3, "unknown"),
               f"exit code {report.returncode}, {verdict}")
        text = case.show(content, "-w")
        expect((text.returncode, text.stdout) == (3, b""), f"exit code {text.returncode}")
        expect(text.stderr.decode() ==
               f"sonde: {case.file}: it holds no result of any target\n", text.stderr.decode())
        quiet = case.show(content, "-q")
        expect((quiet.returncode, quiet.stdout, quiet.stderr) == (3, b"", b""), "-q is not quiet")


def cut_off_at_every_byte(case):
    """A line that is not whole is not there; only its end may be missing. At every byte of one."""
    for kind, step in (("target", 97), ("probe", 1), ("run_end", 13)):
        at = case.first(kind)
        before, line = b"".join(case.lines[:at]), case.lines[at]
        without = case.replay(before).stdout
        for length in range(1, len(line) - 1, step):
            result = case.replay(before + line[:length])
            expect(result.stdout == without and result.stderr == b"",
                   f"{kind}: another after {length} bytes: {result.stderr.decode()}")
        expect(case.replay(before + line[:-1]).stdout == case.replay(before + line).stdout,
               f"{kind}: another without its end of line")


def as_it_was(case):
    """-c 1 shows it as it was after one cycle; more than there are, or no end, as it is."""
    content = b"".join(case.lines)
    shown = case.replay(content, "-c", "1")
    report = json.loads(shown.stdout)
    expect((shown.stderr, report["status"]) == (b"", "partial"), f"it is {report['status']}")
    for service in report["targets"][0]["services"]:
        expect(service["sent"] <= 1, f"{service['service']} has sent {service['sent']}")
    expect(report["targets"][0]["services"][0]["sent"] == 1, "icmp has not sent one")
    heading = case.show(content, "-c", "1").stdout.decode().splitlines()[0]
    expect(re.search(r"  1 of 2 cycles in [0-9.]+ s$", heading), heading)
    for cycles in ("2", "9", "0"):
        expect(case.replay(content, "-c", cycles).stdout == case.shown,
               f"with -c {cycles} it is another")
    without_end = b"".join(case.lines[:-1])
    is_interrupted(case.replay(without_end, "-c", "2"))


def a_stream_of_changes(case):
    """What it leaves out is missing: the line that comes next is refused, and why is said."""
    changes = run(case.sonde, [*ARGUMENTS, "--stream=changes"]).stdout
    numbers = [json.loads(line)["n"] for line in changes.splitlines()]
    line = next(i for i, n in enumerate(numbers) if n != i) + 1
    case.refuse_bytes(changes, line, "a record is missing before it (--stream=changes leaves out "
                      "what a replay needs)")


def no_record(case):
    case.refuse_bytes(b"", 0, "it holds no record of a run")
    case.refuse_bytes(b"\n", 1, "it is no JSON")
    case.refuse_bytes(b"PNG\0\n", 1, "it is no JSON")
    case.refuse_bytes(b"x" * 70000, 1, "it is longer than 64 KiB")
    case.refuse_bytes(b"x" * 70000 + b"\n", 1, "it is longer than 64 KiB")
    case.refuse_bytes(b"{}\n", 1, "")
    case.refuse_bytes(b"".join(case.lines[1:]), 1, "it does not begin with the first record")
    case.refuse_bytes(case.lines[0] + b"\xff\n" + case.lines[1], 2, "it is no JSON")


def contradictions(case):
    target, probe, end = case.first("target"), case.first("probe"), case.first("run_end")

    def events():
        return json.loads(json.dumps(case.events))

    case.refuse_bytes(b"".join(case.lines[:5] + case.lines[6:]), 6, "a record is missing before it")
    case.refuse(events()[:2] + events()[:1], 3, "there is another run_start")
    case.refuse(events()[1:], 1, "it does not begin with a run_start")
    case.refuse(events() + events()[probe:probe + 1], end + 2, "it comes after the end")
    changed = events()
    changed[3]["run_id"] = changed[3]["run_id"].translate(str.maketrans("12", "21"))
    case.refuse(changed, 4, "it is of another run")
    case.refuse(events()[:target] + events()[target + 1:], probe, "a service that is not measured")

    def change(at, why, **members):
        changed = events()
        changed[at].update(members)
        case.refuse(changed, at + 1, why)

    for number in (1, 1000000, 4294967294):
        change(probe, "a service that is not measured", target=number)
        if number > 1:
            change(target, "the number of a target is not one that comes next", target=number)
        change(target, "there is no such first address", first=number)
    change(probe, "a service that is not measured", service_index=66)
    change(probe, "a service that is not measured", flow=1)
    change(probe, "out of its bounds", ttl=256)
    change(target, "a target has no services", services=[])
    change(target, "measured", address=None)
    change(end, "it ends before it begins", ended="1970-01-01T00:00:00Z")

    def change_service(why, **members):
        changed = events()
        changed[target]["services"][1].update(members)
        case.refuse(changed, target + 1, why)

    change_service("shares what is not measured", measured={"target": 5, "service_index": 0})
    change_service("no protocol that there is", protocol="gopher")
    change_service("no protocol that there is", port=None)
    change_service("in no protocol that there is", payload="dns")
    change_service("there are other source ports than flows", flows=2)
    twice = events()
    twice.insert(target + 1, json.loads(json.dumps(twice[target])))
    twice[target + 1]["services"].pop()
    case.refuse(twice, target + 2, "a target is another one than before")


def a_secret_is_in_no_record(case):
    """User information of URLs is in none, whether it is a target or not."""
    for url in ("https://user:hunter2@web.example/x", "--simulate=x://user:hunter2@y"):
        run(case.sonde, [*ARGUMENTS, "--record", case.file, url])
        run(case.sonde, [url, *ARGUMENTS, "--record", case.file])
        content = pathlib.Path(case.file).read_bytes()
        expect(b"run_end" in content and b"hunter2" not in content, f"{url} is in the record")


def a_line_is_a_cycle(case):
    """In real time, with cycles that would begin after 100 s: what is read begins them now."""
    sonde = [case.sonde, "--simulate", "demo", "-i", "100", "--stream=stdin", "web.example:443"]
    with subprocess.Popen(sonde, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        for cycle in range(3):
            seen = None
            while seen is None or seen["type"] != "probe" or seen["cycle"] != cycle:
                line = process.stdout.readline()
                expect(line, "the stream has ended")
                seen = json.loads(line)
            process.stdin.write(b"\n" if cycle < 2 else b"not a whole line")
            process.stdin.flush()
        out, error = process.communicate(timeout=30)
        last = json.loads(out.splitlines()[-1])
        expect(last["type"] == "run_end" and last["status"] == "interrupted", f"the end is {last}")
        expect(process.returncode == 0 and error == b"", f"exit code {process.returncode}")
        cycles = {json.loads(line).get("cycle", 0) for line in out.splitlines()}
        expect(max(cycles) == 2, "what is no whole line began a cycle")


def a_number_in_use(case):
    """A target that was removed keeps its number while another shares what is measured for it."""
    start, first = (json.loads(json.dumps(case.events[case.first(kind)]))
                    for kind in ("run_start", "target"))
    second = json.loads(json.dumps(first)) | {"target": 1, "first": 1}
    removed = {key: first[key] for key in ("schema", "time", "run_id")} | {
        "type": "removed", "target": 0, "service_index": None}
    case.refuse([start, first, second, removed, first | {}], 5, "one that others share")
    case.refuse([start, first, removed, removed | {}], 4, "there is no such target")
    case.refuse([start, first, removed | {"service_index": 66}], 3, "what is removed is not there")


def main():
    failed = 0
    tests = [cut_off_at_every_line, cut_off_before_the_first_target, cut_off_at_every_byte,
             as_it_was, a_stream_of_changes, no_record, contradictions, a_number_in_use,
             a_secret_is_in_no_record, a_line_is_a_cycle]
    with tempfile.TemporaryDirectory() as folder:
        case = Case(sys.argv[1], folder)
        for test in tests:
            try:
                test(case)
            except (Failure, ValueError) as failure:
                print(f"{test.__name__}: {failure}")
                failed += 1
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
