#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What holds now, since when, and what was before: times.py SONDE [CASE...]

A table of networks in which something changes, in virtual time, each with the truth about every
service: the stretches of its life, from when to when, what it showed, and where the culprit is. The
truth is worked out by hand from the network. Nothing of it was copied from a run.

    vantage - r1 - r2 - r3 - r4 - h         each link takes as long as the next, there and back

Changes come half-way between two cycles, so the first probe that meets one is that of the next
cycle. A probe meets a rule when it gets to the rule's node: it may have left earlier, by the time
that the way there takes. Hence a change at T at a node that is W away begins between T - W and
T - W and one interval.

A router that drops in its forward chain still answers what expires on it: it is seen, and what is
behind it is not (`behind`).
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema

import history
import run
import times_out    # these three put their cases into CASES
import times_port
import times_rates
from history import Stretch
from way import CASES, DEAD, FILTERED, FINE, TARGET

MOST = 20  # faults of one case that are shown


def call(sonde, scenario, each, *form):
    return subprocess.run([sonde, *form, "-n", "--virtual-time", "--simulate", scenario,
                           TARGET[each.way.family], *each.words.split()],
                          capture_output=True, text=True, timeout=300, check=False)


def of_service(service, truth, document):
    """What is wrong with a service; its truth is a list of stretches, several such of which one is
    true, or a function that finds fault."""
    if callable(truth):
        return list(truth(service, document))
    if isinstance(truth[0], Stretch):
        return history.complaints(service, truth, document)
    all_faults = [history.complaints(service, one, document) for one in truth]
    return min(all_faults, key=len)


def of_end(service, truth, codes, way):
    """What is wrong with what is said of now."""
    if callable(truth):
        return
    one = truth if isinstance(truth[0], Stretch) else truth[0]
    if codes is None:
        codes = history.end_codes(one)
        is_fine = (one[-1].state, one[-1].code) == FINE and not way.held_up(DEAD)
        if is_fine and service["present"]["loss_ratio"] != 0:
            yield f"nothing is lost any more, told is {service['present']['loss_ratio']}"
    if (one[-1].state, one[-1].code) in (DEAD, FILTERED) and service["present"]["received"] > 0:
        yield f"nothing answers any more, told are {service['present']['received']}"
    if service["verdict"]["code"] not in codes:
        yield f"at the end the code is {service['verdict']['code']}, true is {'|'.join(codes)}"
    if service["verdict"]["code"] in ("outage", "unstable"):
        if service["verdict"]["level"] != "degraded":
            yield f"{service['verdict']['code']} is {service['verdict']['level']}"


def of_path(service, each, document):
    """Is a change of the path told, with its time, and what was there before and after?"""
    ttl, before, after, time = each.path_change
    changes = [change for change in service["paths"][0]["changes"]
               if (change["ttl"], change["from"], change["to"]) == (ttl, before, after)]
    if not changes:
        yield f"no change at hop {ttl}: {service['paths'][0]['changes']}"
    # Routers are asked about once a second, each service's in turn.
    elif not time <= history.seconds(changes[0]["time"], document) <= time + 10:
        yield f"the path changed at {time} s, told is {changes[0]['time']}"


def of_text(text, patterns):
    for pattern in patterns:
        if not any(re.search(pattern, line) for line in text.splitlines()):
            yield f"no line of the text report is like {pattern}:\n{text}"


def judge(document, code, each):
    """All that is wrong with the report about a case."""
    faults = [] if code == each.exit else [f"exit code {code}, true is {each.exit}"]
    for name, truth in each.truth.items():
        service = history.service_of(document, name)
        found = of_service(service, truth, document)
        found += of_end(service, truth, each.end.get(name), each.way)
        if each.lossless and service["loss_ratio"] not in (0, None):
            found.append(f"what could not be sent counts as lost: {service['loss_ratio']}")
        if each.path_change:
            found += of_path(service, each, document)
        faults += [f"{name}: {fault}" for fault in found]
    for service in document["targets"][0]["services"]:
        faults += [f"{service['service']}: {fault}" for fault in
                   history.faults_of_form(service, document, each.way.interval,
                                          service["service"] not in each.truth)]
    return faults


def schema_of(sonde):
    """The schema that this sonde prints, such that it knows every member."""
    schema = json.loads(run.run(sonde, ["--print-schema"]).stdout)
    return jsonschema.Draft202012Validator(run.open_parts(run.strict(schema)))


def try_case(sonde, each, schema):
    """All that is wrong with what sonde makes of a case."""
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as scenario:
        scenario.write("\n".join(each.way.lines(each.changes)) + "\n")
        scenario.flush()
        done = call(sonde, scenario.name, each, "-j")
        if not done.stdout or done.stderr:
            return [f"exit code {done.returncode}: {done.stderr}"]
        document = json.loads(done.stdout)
        faults = [f"schema: {error.json_path}: {error.message[:300]}"
                  for error in schema.iter_errors(document)]
        try:
            faults += judge(document, done.returncode, each)
        except (KeyError, StopIteration) as missing:
            return [*faults, f"the report lacks {missing}"]
        if each.text:
            faults += of_text(call(sonde, scenario.name, each, "-r").stdout, each.text)
    return faults


def main():
    sonde, *names = sys.argv[1:]
    unknown = set(names) - {each.name for each in CASES}
    if unknown:
        sys.exit(f"no such case: {' '.join(sorted(unknown))}")
    chosen = [each for each in CASES if not names or each.name in names]
    schema = schema_of(sonde)
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for each, faults in zip(chosen, pool.map(lambda one: try_case(sonde, one, schema), chosen)):
            wrong += bool(faults)
            if faults:
                more = [f"and {len(faults) - MOST} more"] if len(faults) > MOST else []
                print(f"{each.name}: {each.why}", *faults[:MOST], *more, sep="\n    ")
    print(f"{len(chosen)} cases, {wrong} not as is true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
