#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the tests notice small mistakes? mutants.py [OPTION...]

Makes one small change at a time in src/engine and src/analyze (rules.py), compiles that file, links
the programs that have it, and runs those tests of "make check" that can see it, the quickest first,
until one fails. A change that no test sees survives: a test is missing, or nobody could tell, which
is then explained in the file "equivalent" beside this one.

Needs no root. The build is in build-mutants; a minute for that, and up to a minute for each change
that survives. Leave src and tests alone meanwhile. Exit code 0 if 90 % are killed and every
survivor is explained.
"""
import argparse
import concurrent.futures
import filecmp
import json
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

import rules  # and with it the path to tests/lint
from layers import FLOORS as MAY_INCLUDE

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build-mutants"
FLOORS = ["engine", "analyze"]
GOAL = 0.9

# Times of a test that is not done by then: of the processor, as a multiple of what it takes with
# nothing changed, and by the clock, for other programs may be using the machine.
CPU_FACTOR, CPU_MORE_S = 4, 5
WALL_FACTOR, WALL_MORE_S = 20, 60
MEMORY_KBYTES = 4 << 20


class Test(NamedTuple):
    name: str
    target: str   # the program that the change is linked into
    command: list  # with PROGRAM in the place of its path


class Result(NamedTuple):
    kind: str  # "killed", "survived", "not compiled", "same code"
    by: str
    output: str


PROGRAM = "PROGRAM"


def tests_of(floor):
    """The tests of "make check" that have code of a floor in them."""
    for user, below in MAY_INCLUDE.items():
        source = ROOT / f"tests/unit/{user}"
        if source.is_dir() and (user == floor or floor in below.split()):
            yield Test(user, f"tests/unit/one-by-one-{user}", [PROGRAM])
    python = sys.executable
    yield Test("golden", "sonde", [python, ROOT / "tests/golden/run.py", PROGRAM])
    yield Test("scenarios", "sonde", [python, ROOT / "tests/sim/run.py", "--first", PROGRAM,
                                      ROOT / "tests/sim/scenarios"])
    yield Test("a few networks", "tests/property/test-property", [PROGRAM, "1", "300"])
    yield Test("property", "tests/property/test-property", [PROGRAM, "1", "8000"])


def call(*command, **settings):
    return subprocess.run([str(word) for word in command], cwd=BUILD, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **settings)


class Builder:
    """How a file is compiled and a program linked, as the build has it."""

    def __init__(self):
        if not (BUILD / "build.ninja").exists():
            self.must("meson", "setup", BUILD, ROOT, in_build=False)
        self.targets = sorted({test.target for floor in FLOORS for test in tests_of(floor)})
        self.must("ninja", *self.targets)
        commands = json.loads((BUILD / "compile_commands.json").read_text())
        self.compiles = {(BUILD / entry["file"]).resolve(): entry for entry in commands}
        self.links = {target: shlex.split(call("ninja", "-t", "commands", target).stdout
                                          .splitlines()[-1]) for target in self.targets}

    @staticmethod
    def must(*command, in_build=True):
        result = subprocess.run(command, cwd=BUILD if in_build else ROOT, text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if result.returncode != 0:
            sys.exit(f"mutants: {' '.join(map(str, command))}:\n{result.stdout}")

    def compile(self, path, source, result):
        """Compile @p source in the place of the file at @p path. @return what the compiler says."""
        entry = self.compiles[path]
        command = shlex.split(entry["command"])
        command[command.index("-o") + 1] = str(result)
        command[command.index("-MF") + 1] = f"{result}.d"
        command[-1] = str(source)
        # no line numbers, so that code which has not changed is the same to the byte
        return call(*(word for word in command if word not in ("-g", "-Werror")), "-w", "-g0")

    def link(self, target, changed, result):
        """Link a program; what is found in the changed file is not taken from its library."""
        command = list(self.links[target])
        at = command.index("-o")
        command[at + 1] = str(result)
        return call(*command[:at + 2], changed, *command[at + 2:])


def run_test(test, program, cpu_s=10**6, wall_s=None):
    """@return whether it passed, and what it said."""
    command = [str(program) if word == PROGRAM else str(word) for word in test.command]
    limits = f"ulimit -c 0; ulimit -t {cpu_s}; ulimit -v {MEMORY_KBYTES}; exec \"$@\""
    with subprocess.Popen(["sh", "-c", limits, "sh", *command], text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=wall_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0] + "\nit does not end\n"
    return process.returncode == 0, output


class Times:
    """What each test takes with nothing changed; it must pass then."""

    def __init__(self, builder):
        self.cpu_s, self.wall_s = {}, {}
        tests = {test.name: test for floor in FLOORS for test in tests_of(floor)}
        for name, test in tests.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.monotonic()
            passed, output = run_test(test, BUILD / test.target)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not passed:
                sys.exit(f"mutants: {name} fails with nothing changed:\n{output}")
            self.cpu_s[name] = (after.ru_utime + after.ru_stime
                                - before.ru_utime - before.ru_stime)
            self.wall_s[name] = time.monotonic() - start

    def limits(self, name):
        return (int(CPU_FACTOR * self.cpu_s[name]) + CPU_MORE_S,
                WALL_FACTOR * self.wall_s[name] + WALL_MORE_S)


class Prover:
    """Looks at one change after the other."""

    def __init__(self):
        self.builder = Builder()
        self.times = Times(self.builder)
        self.unchanged = tempfile.TemporaryDirectory(prefix="mutants-")
        self.lock = threading.Lock()

    def object_of(self, path):
        """The object of the file with nothing changed, compiled in the same way."""
        result = pathlib.Path(self.unchanged.name) / f"{path.parent.name}-{path.name}.o"
        with self.lock:
            if not result.exists() and self.builder.compile(path, path, result).returncode != 0:
                sys.exit(f"mutants: {path} does not compile")
        return result

    def prove(self, path, change):
        text = path.read_text()
        with tempfile.TemporaryDirectory(prefix="mutant-") as name:
            folder = pathlib.Path(name)
            source, changed = folder / path.name, folder / "changed.o"
            source.write_text(text[:change.start] + change.instead + text[change.end:])
            compiled = self.builder.compile(path, source, changed)
            if compiled.returncode != 0:
                return Result("not compiled", "", compiled.stdout)
            if filecmp.cmp(changed, self.object_of(path), shallow=False):
                return Result("same code", "", "")
            return self.test(path.parent.name, folder, changed)

    def test(self, floor, folder, changed):
        programs = {}
        for test in sorted(tests_of(floor), key=lambda test: self.times.cpu_s[test.name]):
            if test.target not in programs:
                programs[test.target] = folder / test.target.rpartition("/")[2]
                linked = self.builder.link(test.target, changed, programs[test.target])
                if linked.returncode != 0:
                    return Result("not compiled", "", linked.stdout)
            passed, output = run_test(test, programs[test.target], *self.times.limits(test.name))
            if not passed:
                return Result("killed", test.name, output)
        return Result("survived", "", "")


def read_explained(path):
    """Reasons by what a change says: paragraphs of the function, -, + and the reason."""
    explained = {}
    for paragraph in path.read_text().split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        if len(lines) < 4 or lines[1][:2] != "- " or lines[2][:2] != "+ ":
            sys.exit(f"{path}: not a function, -, + and a reason:\n{paragraph}")
        explained[lines[0], lines[1][2:], lines[2][2:]] = " ".join(lines[3:])
    return explained


def all_changes():
    for floor in FLOORS:
        for path in sorted((ROOT / "src" / floor).glob("*.c")):
            for change in rules.changes_in(path.read_text()):
                yield path, change


def show(number, path, change):
    print(f"{number:4}  {path.relative_to(ROOT)}: {change.function}\n"
          f"      - {change.before}\n      + {change.after}")


def prove_all(prover, changes, count, jobs, report):
    """Look at the first @p count changes that are any; those which are none make place."""
    results, lock, wanted = {}, threading.Lock(), count

    def work(number):
        nonlocal wanted
        result = prover.prove(*changes[number])
        with lock:
            results[number] = result
            wanted += result.kind in ("not compiled", "same code")
            report(number, result)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        begun, running = 0, set()
        while running or begun < min(wanted, len(changes)):
            while begun < min(wanted, len(changes)) and len(running) < jobs:
                running.add(pool.submit(work, begun))
                begun += 1
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                future.result()
    return results


def summarize(changes, results, explained):
    kinds = [result.kind for result in results.values()]
    survivors = [changes[number][1].key() for number, result in sorted(results.items())
                 if result.kind == "survived"]
    killed, unexplained = kinds.count("killed"), [key for key in survivors if key not in explained]
    total = killed + len(survivors)
    print(f"{killed} of {total} killed ({100 * killed / max(total, 1):.0f} %), "
          f"{len(survivors) - len(unexplained)} survived with an explanation, "
          f"{len(unexplained)} without; not counted: {kinds.count('not compiled')} that did not "
          f"compile, {kinds.count('same code')} that changed no code")
    return 0 if total and killed >= GOAL * total and not unexplained else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--list", action="store_true", help="show the changes, and try none")
    parser.add_argument("--only", type=int, metavar="N", help="try one of the list, and show why")
    parser.add_argument("--seed", type=int, default=1, help="another choice of changes (1)")
    parser.add_argument("--count", type=int, default=80, help="how many changes (80)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    return parser.parse_args()


def main():
    options = arguments()
    explained = read_explained(pathlib.Path(__file__).with_name("equivalent"))
    possible = list(all_changes())
    for key in explained.keys() - {change.key() for _, change in possible}:
        print(f"equivalent: there is no such change any more: {' | '.join(key)}")
    changes = rules.spread(possible, options.seed)
    if options.list:
        for number, (path, change) in enumerate(changes[:options.count]):
            show(number, path, change)
        return 0

    def report(number, result):
        path, change = changes[number]
        reason = explained.get(change.key())
        kind = "equivalent" if result.kind == "survived" and reason else result.kind
        print(f"{kind:12}  {result.by}")
        show(number, path, change)
        if reason:
            print(f"      {reason}" if kind == "equivalent" else
                  "      It is explained as one that nobody could tell, which is wrong.")
        sys.stdout.flush()

    prover = Prover()
    if options.only is not None:
        result = prover.prove(*changes[options.only])
        report(options.only, result)
        print(result.output)
        return 0
    results = prove_all(prover, changes, options.count, options.jobs, report)
    return summarize(changes, results, explained)


if __name__ == "__main__":
    sys.exit(main())
