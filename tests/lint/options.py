#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does the man page know the options that --help lists, and no others? And the UDP services that
--services lists? Are the defaults that --help and the man page name those of a run, and the same
in both? Is a number taken exactly if it is within the bounds that its error names, and do the
documents name the same ones? Does every manual page show what it means? Does the man page list the
types of records of the event schema, and the marks of a text report? What the completions know is
looked at in completions.py.

options.py SONDE ROOT
"""
import json
import pathlib
import re
import subprocess
import sys

LINE = re.compile(r"^ {2}(?:-(\w)(?:, )?| {4})(?:--([a-z0-9-]+))?", re.MULTILINE)

# How the man page writes a letter and a long name.
LETTER = re.compile(r"(?<=\bFl )(\w)(?= |$)", re.MULTILINE)
NAME = re.compile(r"(?<=\bFl )-([a-z0-9-]+)")

# mdoc(7) puts a dash before every word behind Fl, so that "Fl c 100" is shown as "-c -100"; and on
# the line of a macro it joins a dot that stands alone to the word before.
MISSHOWN = re.compile(r"^\.(?:.*\bFl \w \d|\w.* \. ).*$", re.MULTILINE)


# Options whose text names a default, as in "(30)", and the member of a report's settings that has
# it, with how many of it make one of the option.
DEFAULTS = {
    "first-ttl": ("first_ttl", 1), "max-ttl": ("max_ttl", 1), "psize": ("size_bytes", 1),
    "tos": ("tos", 1), "report-cycles": ("cycles", 1), "interval": ("interval_ms", 1000),
    "timeout": ("timeout_ms", 1000),
}
# With the default of -c, because without it the interval is another.
RUN = ["--simulate", "demo", "--virtual-time", "-n", "-j", "-c", "3", "web.example", ":443"]

# A document and a number in it; what sonde is asked, and the same number in what it says.
RATE = ("--help", r"packets a second \((\d+)\)")
STATEMENTS = [
    ("man/sonde.8", r"; (\d+) at least", "--psize=x", r"expected bytes, (\d+) to"),
    ("man/sonde.8", r"down to ([\d.]+)\.\n", "--interval=x", r"expected seconds, ([\d.]+) to"),
    ("man/sonde.8", r", or ([\d.]+) if\n\.Fl c\n", "--help", r"; without -c ([\d.]+)\)"),
    ("man/sonde.8", r"may have (\d+) services", "--help", r"services a target instead of (\d+)"),
    ("man/sonde.8", r"Allow (\d+) services", "--help", r"allow (\d+) services"),
    ("README.md", r"at most (\d+) packets a second", *RATE),
    ("src/JOURNEYS.md", r"or (\d+) packets a second", *RATE),
]


def output(sonde, *arguments):
    result = subprocess.run([sonde, *arguments], check=False, capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def listed(sonde):
    """Letters and names that --help lists."""
    text = output(sonde, "--help")[1]
    found = [match for match in LINE.findall(text) if match != ("", "")]
    return {letter for letter, _ in found if letter}, {name for _, name in found if name}


def written(page, pattern):
    """What stands where an option is described; elsewhere other programs' may be spoken of."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines()
             if line.startswith(".It Fl")]
    return set(pattern.findall("\n".join(lines)))


def services_differ(sonde, page):
    """Does a name stand in one list of UDP services only, or with other ports?"""
    text = output(sonde, "--services")[1]
    asked = text.partition("UDP ports are asked:")[2]
    wanted = set(re.findall(r"(?m)^  (\S+) +([\d,]*)", asked))
    section = page.read_text(encoding="utf-8").partition(".Ss UDP services")[2]
    section = section.partition("\n.Sh ")[0]
    found = {(name, ports.replace(" ", "")) for name, ports in
             re.findall(r"(?m)^\.It Cm (\S+)\n(?:Ports? ([\d, ]+):)?", section)}
    for name, ports in sorted(wanted ^ found):
        print(f"{page.name}: options: the UDP service {name} {ports} differs from --services")
    return len(wanted) < 10 or wanted != found


def stated(text, name):
    """The number that begins a parenthesis in what is said of an option; None without."""
    for item in re.split(r"^(?=\.It | +-)", text, flags=re.MULTILINE):
        number = re.search(r"\(([\d.]+)", item)
        if re.match(rf".*-{name}\b", item) and number:
            return float(number[1])
    return None


def defaults_differ(sonde, page):
    settings = json.loads(output(sonde, *RUN)[1])["settings"]
    failed = False
    for place, text in (("--help", output(sonde, "--help")[1]),
                        (page.name, page.read_text(encoding="utf-8"))):
        for name, (member, unit) in DEFAULTS.items():
            if stated(text, name) != settings[member] / unit:
                print(f"{place}: options: the default of --{name} is {settings[member] / unit:g}, "
                      f"not {stated(text, name)}")
                failed = True
    return failed


def page_defaults_differ(sonde, page, names):
    """Does the man page say another default than --help, of whichever option?"""
    said, written_there = output(sonde, "--help")[1], page.read_text(encoding="utf-8")
    different = [name for name in sorted(names)
                 if stated(said, name) != stated(written_there, name)]
    for name in different:
        print(f"{page.name}: options: the default of --{name} is {stated(said, name)} in --help, "
              f"not {stated(written_there, name)}")
    return bool(different)


def statements_differ(sonde, root, statements):
    """A statement that is not found differs, too: then it is written otherwise, and unchecked."""
    failed = False
    for document, pattern, argument, same in statements:
        written_there = re.search(pattern, (root / document).read_text(encoding="utf-8"))
        said = re.search(same, "".join(output(sonde, argument)[1:]))
        if not written_there or not said or written_there[1] != said[1]:
            print(f"{document}: options: {pattern} is {written_there and written_there[1]}, "
                  f"but of {argument} {said and said[1]}")
            failed = True
    return failed


def bounds_differ(sonde, names):
    """Asks with --version behind, which sends nothing."""
    bounded, failed = 0, False
    for name in sorted(names):
        error = output(sonde, f"--{name}=x", "--version")[2]
        bounds = re.search(r"([\d.]+) to ([\d.]+)", error)
        if not bounds:
            continue
        bounded += 1
        low, high = float(bounds[1]), float(bounds[2])
        below = low / 2 if low < 1 else low - 1
        tries = [(bounds[1], 0), (bounds[2], 0), (f"{high + 1:.0f}", 2)]
        if low > 0:
            tries.append((f"{below:g}", 0 if re.search(r", or 0\b", error) else 2))
        for value, wanted in tries:
            if output(sonde, f"--{name}={value}", "--version")[0] != wanted:
                print(f"--help: options: --{name} {value} is "
                      f"{'refused' if wanted == 0 else 'taken'}; it says: {error.strip()}")
                failed = True
    return failed or bounded < 8


def section(page, name):
    """A section of the man page."""
    text = page.read_text(encoding="utf-8").partition(f"\n.Sh {name}\n")[2]
    return text.partition("\n.Sh ")[0]


def types_differ(sonde, page):
    """Is a type of records in the event schema only, or in the man page only?"""
    wanted = set()
    for kind in json.loads(output(sonde, "--print-schema=event")[1])["$defs"].values():
        kind = kind.get("properties", {}).get("type", {})
        wanted |= set(kind.get("enum", [kind.get("const")])) - {None}
    found = set()
    for line in re.findall(r"(?m)^\.It Cm (.*)$", section(page, "RECORDS")):
        found |= set(line.split(" , "))
    for name in sorted(wanted ^ found):
        print(f"{page.name}: options: the type {name} of records differs from the event schema")
    return len(wanted) < 10 or wanted != found


def marks_differ(root, page):
    """Is a mark of a text report not explained? Of two, the one of --ascii is looked for."""
    code = (root / "src/report/style.c").read_text(encoding="utf-8")
    wanted = set(re.findall(r'\[SONDE_LEVEL_\w+\] = \{".", "(.)"', code))
    found = set(re.findall(r"(?m)^\.It .*Li (?:\\&)?(\S)$", section(page, "READING THE REPORT")))
    for mark in sorted(wanted - found):
        print(f"{page.name}: options: the mark {mark} of a report is not explained")
    return len(wanted) != 4 or not wanted <= found


def misshown(page):
    lines = MISSHOWN.findall(page.read_text(encoding="utf-8"))
    for line in lines:
        print(f"{page.name}: options: mdoc(7) shows this otherwise: {line}")
    return bool(lines)


def main():
    sonde, root = sys.argv[1], pathlib.Path(sys.argv[2])
    page = root / "man/sonde.8"
    letters, names = listed(sonde)
    failed = len(letters) < 10 or len(names) < 10
    for each in (page, page.with_name("sonde-verdicts.7")):
        failed |= misshown(each)
    failed |= services_differ(sonde, page)
    failed |= types_differ(sonde, page)
    failed |= marks_differ(root, page)
    failed |= defaults_differ(sonde, page)
    failed |= page_defaults_differ(sonde, page, names)
    failed |= bounds_differ(sonde, names)
    failed |= statements_differ(sonde, root, STATEMENTS)
    for wanted, pattern in ((letters, LETTER), (names, NAME)):
        found = written(page, pattern)
        for option in sorted(wanted - found):
            print(f"{page.name}: options: {option} is missing")
        for option in sorted(found - wanted):
            print(f"{page.name}: options: {option} is no option")
        failed |= found != wanted
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
