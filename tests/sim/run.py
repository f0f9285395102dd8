#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run scenarios in virtual time and check what sonde makes of them: run.py [--first] SONDE FOLDER

A scenario file is a network (the language is described in src/io/sim/scenario.h) and, in comments,
what has to come out of it. The expectations are worked out by hand from the network, never copied
from a run:

    #! -c 3 203.0.113.10 :443         arguments of one run; "-j -n --virtual-time" are added
    #? exit 1                         its exit code
    #? status complete                a member of the report
    #? 443/tcp state filtered         a member of a service of the first target
    #? 1:icmp sent 3                  a member of a service of another target
    #? *:icmp paths[0].hops[*].loss_ratio 0    of each target: whatever is found is so
    #? icmp paths[0].hops[0].rtt_ms.min 4 members and elements along the way
    #? icmp rtt_ms.avg 10..11         a number within bounds, these included
    #? icmp late >0                   a number above another
    #? icmp evidence null             nothing; so is whatever would be within
    #? icmp rtt_ms.min 4|null         one or the other
    #? 25/tcp verdict.code !ok        anything else
    #? 22/tcp since 1970-01-01T00:01* text that begins so
    #? 22/tcp expect "closed|filtered" just that text
    #? icmp verdict.text hop 2 says no    a text of several words
    #? icmp paths[0].hops #3              an array of so many elements
    #? icmp paths[0].hops[*].responders[*].address 10.0.0.1 10.0.0.2    all that is found, in order
    #= 3  10.0.0.3                    a line of the text report begins so, blanks run together

Every document is also held against the JSON Schema, strictly: a member that the schema does not
know fails here. And every run is made twice and has to be the same to the byte. With --first,
nothing is run after a failure.

What sonde does not get right yet is expected all the same, and marked before its run:

    #! expected-failure: why          of the run that follows some expectation does not hold

Such a run is shown and counted, and fails nothing, until all of its expectations hold: then the
mark is to be taken off. Whatever else goes wrong in it (the schema, a second run that differs)
fails as always.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

import jsonschema


class Failure(Exception):
    """Something is wrong with a run."""


class Unmet(Failure):
    """An expectation does not hold."""


def run(sonde, arguments):
    return subprocess.run([sonde, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False)


def strict(schema):
    """The schema with every object closed, so that an undescribed member shows."""
    if isinstance(schema, dict):
        closed = {key: strict(value) for key, value in schema.items()}
        if "properties" in closed and "additionalProperties" not in closed:
            closed["unevaluatedProperties"] = False
        return closed
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    return schema


def open_parts(schema):
    """A verdict of a service is two schemas at once: only both together know all its members."""
    verdict = schema["$defs"]["service"]["properties"]["verdict"]
    for part in verdict["allOf"]:
        part.pop("unevaluatedProperties", None)
    schema["$defs"]["verdict"].pop("unevaluatedProperties", None)
    verdict["unevaluatedProperties"] = False
    return schema


def lookup(value, path):
    """All values at a path such as hops[0].responders[*].address."""
    values = [value]
    for part in re.findall(r"[^.\[\]]+|\[[0-9*]+\]", path):
        found = []
        for item in values:
            if part == "[*]":
                found.extend(item or [])
            elif part.startswith("["):
                index = int(part[1:-1])
                if item is None or index >= len(item):
                    raise Failure(f"{path}: there is no element {index}")
                found.append(item[index])
            else:
                if item is not None and part not in item:
                    raise Failure(f"{path}: there is no member {part}")
                found.append(None if item is None else item[part])
        values = found
    return values


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def matches_number(actual, wanted):
    bounds = re.fullmatch(r"(-?[0-9.]+?)\.\.(-?[0-9.]+)", wanted)
    if bounds:
        low, high = map(float, bounds.groups())
        return low <= actual <= high
    if wanted.startswith(">"):
        return actual > float(wanted[1:])
    return re.fullmatch(r"-?[0-9.]+", wanted) is not None and actual == float(wanted)


def matches(actual, wanted):
    if wanted.startswith('"'):
        return actual == json.loads(wanted)
    if "|" in wanted:
        return any(matches(actual, part) for part in wanted.split("|"))
    if wanted.startswith("!"):
        return not matches(actual, wanted[1:])
    if wanted.startswith("#"):
        return isinstance(actual, list) and len(actual) == int(wanted[1:])
    if is_number(actual):
        return matches_number(actual, wanted)
    if isinstance(actual, bool) or actual is None:
        return wanted == json.dumps(actual)
    if wanted.endswith("*"):
        return isinstance(actual, str) and actual.startswith(wanted[:-1])
    return actual == wanted


def find(report, words):
    """What an expectation speaks of: a service of a target or of all, or the report itself."""
    service = re.fullmatch(r"(?:([0-9]+|\*):)?(icmp|[0-9]+/(?:tcp|udp|sctp))", words[0])
    if not service:
        return [report], words
    targets = report["targets"]
    if service.group(1) != "*":
        targets = [targets[int(service.group(1) or 0)]]
    found = [candidate for target in targets for candidate in target["services"]
             if candidate["service"] == service.group(2)]
    if len(found) < len(targets):
        raise Failure(f"there is no service {words[0]}")
    return found, words[1:]


def check(report, code, expectation):
    words = expectation.split()
    if words[0] == "exit":
        if code != int(words[1]):
            raise Failure(f"exit code {code}")
        return
    of_each = words[0].startswith("*:")
    values, words = find(report, words)
    path, wanted = words[0], words[1:]
    actual = [item for value in values for item in lookup(value, path)]
    if of_each and len(wanted) == 1 and actual and all(matches(item, wanted[0]) for item in actual):
        return
    if len(wanted) == len(actual) and all(map(matches, actual, wanted)):
        return
    if actual == [" ".join(wanted)]:
        return
    shown = " ".join(json.dumps(item) for item in actual)
    raise Failure(f"it is {shown}")


def check_text(text, wanted):
    for line in text.splitlines():
        if " ".join(line.split()).startswith(" ".join(wanted.split())):
            return
    raise Failure("no line of the text report begins so:\n" + text)


def check_run(sonde, file, arguments, expectations, validator):
    base = ["--simulate", file, "--virtual-time", "-n", *arguments]
    first, second = run(sonde, ["-j", *base]), run(sonde, ["-j", *base])
    if first.stdout != second.stdout:
        raise Failure("two runs differ")
    if first.stderr:
        raise Failure("on standard error: " + first.stderr.decode())
    report = json.loads(first.stdout)
    for error in validator.iter_errors(report):
        raise Failure(f"schema: {list(error.absolute_path)}: {error.message[:300]}")
    text = run(sonde, ["-r", "--ascii", *base]).stdout.decode()
    for number, kind, expectation in expectations:
        try:
            if kind == "?":
                check(report, first.returncode, expectation)
            else:
                check_text(text, expectation)
        except (Failure, KeyError, IndexError, ValueError) as failure:
            raise Unmet(f"line {number}: {expectation}: {failure}") from failure


MARK = "expected-failure:"


def runs_of(file):
    """The runs that a scenario file asks for: arguments, expectations with line numbers, and why
    these do not hold yet; an empty reason: they do."""
    runs = []
    reason = ""
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            words = line[2:].strip()
            if line.startswith("#!") and words.startswith(MARK):
                reason = words[len(MARK):].strip() or "no reason is given"
            elif line.startswith("#!"):
                runs.append((words.split(), [], reason))
                reason = ""
            elif line.startswith(("#?", "#=")):
                runs[-1][1].append((number, line[1], words))
    return runs


def try_run(sonde, file, arguments, expectations, validator):
    """Check a run. Returns what is not met, None if all is; raises any other Failure."""
    if not expectations:
        raise Failure("nothing is expected of this run")
    try:
        check_run(sonde, file, arguments, expectations, validator)
    except Unmet as unmet:
        return unmet
    except (json.JSONDecodeError, subprocess.TimeoutExpired) as error:
        raise Failure(str(error)) from error
    return None


def judge(sonde, file, arguments, expectations, reason, validator):
    """Try a run. Returns what has become of it, and what is to be said of that."""
    title = f"{file}: sonde {' '.join(arguments)}"
    try:
        unmet = try_run(sonde, file, arguments, expectations, validator)
    except Failure as failure:
        return "failed", f"{title}: {failure}"
    if unmet is None and reason:
        return "failed", f"{title}: it holds now, take the mark off: {reason}"
    if unmet is None:
        return "passed", None
    if not reason:
        return "failed", f"{title}: {unmet}"
    return "expected", f"expected failure: {title}: {reason} ({unmet})"


def scenarios_in(folder):
    return sorted(str(path) for path in pathlib.Path(folder).glob("*.scenario"))


def main():
    first = "--first" in sys.argv
    sonde, folder = (argument for argument in sys.argv[1:] if argument != "--first")
    schema = json.loads(run(sonde, ["--print-schema"]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(open_parts(strict(schema)))
    runs = [(file, *run_of_file) for file in scenarios_in(folder) for run_of_file in runs_of(file)]
    counts = {"passed": 0, "failed": 0, "expected": 0}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for what, line in pool.map(lambda each: judge(sonde, *each, validator), runs):
            counts[what] += 1
            if line:
                print(line)
            if what == "failed" and first:
                pool.shutdown(cancel_futures=True)
                break
    print("{passed} passed, {failed} failed, {expected} failed as expected".format(**counts))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
