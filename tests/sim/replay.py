#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every record replays as what wrote it showed: replay.py SONDE FOLDER

Each run that a scenario in FOLDER asks for, and each that tests/golden keeps, is recorded.
Then --replay of the record has to print the same bytes, with the same exit code, in every format;
and each line of it has to be valid by the event schema, strictly.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile

import jsonschema
from run import run, runs_of, scenarios_in, strict  # pylint: disable=import-error

# Text in its widths and with its options. JSON is compared for every run.
FORMATS = [[], ["-w"], ["--ascii"], ["-b"], ["-e"], ["--color", "always"], ["-q"]]
TEXT = [["-b", "-e", "-w"]]
OUTPUT = {"-n", "-j", "-w", "-b", "-e", "-r", "--ascii", "-q"}
VALIDATED = 40
GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "cases"


class Failure(Exception):
    """Something is wrong with a record."""


def golden_runs():
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "--simulate" in words:
            yield words[1:]


def validators_of(schema):
    """A validator for each type of event: to try all of them for every line takes long."""
    found = {}
    for name, kind in schema["$defs"].items():
        wanted = kind.get("properties", {}).get("type", {})
        for word in wanted.get("enum", [wanted.get("const")]):
            own = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
            found[word] = jsonschema.Draft202012Validator(own)
    return found


def check_lines(lines, validators):
    """Each line is an event, numbered in order; the first and the last are what they should be.
    Of each type so many are held against the schema that it does not take minutes."""
    events = [json.loads(line) for line in lines]
    seen = collections.Counter()
    for number, event in enumerate(events):
        seen[event["type"]] += 1
        if seen[event["type"]] <= VALIDATED:
            for error in validators[event["type"]].iter_errors(event):
                raise Failure(f"line {number + 1}: schema: {list(error.absolute_path)}: "
                              f"{error.message[:300]}")
        if event["n"] != number:
            raise Failure(f"line {number + 1} has the number {event['n']}")
    if events[0]["type"] != "run_start" or events[-1]["type"] != "run_end":
        raise Failure("it does not begin and end as it should")
    return events


def shown(arguments):
    """The arguments that a replay takes, too: how it is shown."""
    color = ["--color", "always"] if "--color" in arguments else []
    return [word for word in arguments if word in OUTPUT] + color


def compare(what, first, again):
    if (first.stdout, first.returncode) != (again.stdout, again.returncode):
        raise Failure(f"{what}: the replay is another than the run: {first.returncode} and "
                      f"{again.returncode}\n{first.stdout.decode()}\n{again.stdout.decode()}"
                      f"{again.stderr.decode()}")


def check(sonde, arguments, formats, validators):
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/record"
        kept = run(sonde, [*arguments, "-j", "--record", file])
        if kept.stderr:
            raise Failure(kept.stderr.decode())
        lines = pathlib.Path(file).read_bytes().splitlines()
        events = check_lines(lines, validators)
        if events[-1]["exit_code"] != kept.returncode:
            raise Failure("it says another exit code than the run had")
        compare("-j", kept, run(sonde, ["--replay", file, *shown(arguments), "-j"]))
        for form in formats:
            compare(form, run(sonde, [*arguments, *form]),
                    run(sonde, ["--replay", file, *shown(arguments), *form]))


def judge(sonde, arguments, formats, validators):
    try:
        check(sonde, arguments, formats, validators)
    except (Failure, OSError, ValueError, IndexError, KeyError) as failure:
        return f"sonde {' '.join(arguments)}: {failure}"
    return None


def main():
    sonde, folder = sys.argv[1:3]
    schema = json.loads(run(sonde, ["--print-schema=event"]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validators = validators_of(strict(schema))
    runs = [(arguments, FORMATS) for arguments in golden_runs()]
    for file in scenarios_in(folder):
        runs += [(["--simulate", file, "--virtual-time", *arguments], TEXT)
                 for arguments, _, _ in runs_of(file)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for complaint in pool.map(lambda each: judge(sonde, *each, validators), runs):
            if complaint:
                print(complaint)
                failed += 1
    print(f"{len(runs) - failed} passed, {failed} failed")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
