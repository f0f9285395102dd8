#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run scenarios in virtual time and check what sonde makes of them.

A scenario file is a network (the language is described in src/io/sim/scenario.h) and, in comments,
what has to come out of it. The expectations are worked out by hand from the network, never copied
from a run:

    #! -c 3 203.0.113.10 :443         arguments of one run; "-j -n --virtual-time" are added
    #? exit 1                         its exit code
    #? status complete                a member of the report
    #? 443/tcp state filtered         a member of a service of the first target
    #? 1:icmp sent 3                  a member of a service of another target
    #? icmp path.hops[0].rtt_ms.min 4 members and elements along the way
    #? icmp rtt_ms.avg 10..11         a number within bounds, these included
    #? icmp late >0                   a number above another
    #? icmp evidence null             nothing
    #? icmp path.hops #3              an array of so many elements
    #? icmp path.hops[*].responders[*].address 10.0.0.1 10.0.0.2    all that is found, in order
    #= 3  10.0.0.3                    a line of the text report begins so, blanks run together

Every document is also held against the JSON Schema, strictly: a member that the schema does not
know fails here. And every run is made twice and has to be the same to the byte.

What sonde does not get right yet is expected all the same, and marked before its run:

    #! expected-failure: why          of the run that follows some expectation does not hold

Such a run is shown and counted, and fails nothing, until all of its expectations hold: then the
mark is to be taken off. Whatever else goes wrong in it (the schema, a second run that differs)
fails as always.
"""
import json
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
                found.extend(item)
            elif part.startswith("["):
                index = int(part[1:-1])
                if index >= len(item):
                    raise Failure(f"{path}: there is no element {index}")
                found.append(item[index])
            else:
                if item is None or part not in item:
                    raise Failure(f"{path}: there is no member {part}")
                found.append(item[part])
        values = found
    return values


def matches(actual, wanted):
    if wanted.startswith("#"):
        return isinstance(actual, list) and len(actual) == int(wanted[1:])
    if wanted.startswith(">"):
        return isinstance(actual, (int, float)) and actual > float(wanted[1:])
    bounds = re.fullmatch(r"(-?[0-9.]+?)\.\.(-?[0-9.]+)", wanted)
    if bounds:
        low, high = map(float, bounds.groups())
        return isinstance(actual, (int, float)) and low <= actual <= high
    if isinstance(actual, bool) or actual is None:
        return wanted == json.dumps(actual)
    if isinstance(actual, (int, float)):
        return actual == float(wanted)
    return actual == wanted


def find(report, words):
    """What an expectation speaks of: a service of a target, or the report itself."""
    service = re.fullmatch(r"(?:([0-9]+):)?(icmp|[0-9]+/(?:tcp|udp))", words[0])
    if not service:
        return report, words
    target = report["targets"][int(service.group(1) or 0)]
    for candidate in target["services"]:
        if candidate["service"] == service.group(2):
            return candidate, words[1:]
    raise Failure(f"there is no service {words[0]}")


def check(report, code, expectation):
    words = expectation.split()
    if words[0] == "exit":
        if code != int(words[1]):
            raise Failure(f"exit code {code}")
        return
    value, words = find(report, words)
    path, wanted = words[0], words[1:]
    actual = lookup(value, path)
    if len(wanted) == 1 and len(actual) == 1 and matches(actual[0], wanted[0]):
        return
    if len(wanted) == len(actual) and all(map(matches, actual, wanted)):
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


def main():
    sonde, files = sys.argv[1], sys.argv[2:]
    schema = json.loads(run(sonde, ["--print-schema"]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(open_parts(strict(schema)))
    passed = failed = expected = 0
    for file in files:
        for arguments, expectations, reason in runs_of(file):
            title = f"{file}: sonde {' '.join(arguments)}"
            try:
                unmet = try_run(sonde, file, arguments, expectations, validator)
                if reason and unmet is None:
                    raise Failure(f"it holds now, take the mark off: {reason}")
                if unmet is not None and not reason:
                    raise unmet
            except Failure as failure:
                failed += 1
                print(f"{title}: {failure}")
                continue
            if unmet is None:
                passed += 1
            else:
                expected += 1
                print(f"expected failure: {title}: {reason} ({unmet})")
    print(f"{passed} passed, {failed} failed, {expected} failed as expected")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
