#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the man page and the completions know the options that --help lists, and no others? And the
man page the UDP services that --services lists?

options.py SONDE ROOT
"""
import pathlib
import re
import subprocess
import sys

LINE = re.compile(r"^ {2}(?:-(\w)(?:, )?| {4})(?:--([a-z0-9-]+))?", re.MULTILINE)

# How each file writes a letter and a long name.
PLACES = {
    "man/sonde.8": (r"(?<=\bFl )(\w)(?= |$)", r"(?<=\bFl )-([a-z0-9-]+)"),
    "completions/sonde.bash": (None, r"(?:^|[ '])--([a-z0-9-]+)"),
    "completions/_sonde": (r"(?<=[{,'])-(\w)(?=[,\[])", r"--([a-z0-9-]+)"),
    "completions/sonde.fish": (r" -s (\w)\b", r" -l ([a-z0-9-]+)"),
}


def listed(sonde):
    """Letters and names that --help lists."""
    text = subprocess.run([sonde, "--help"], check=True, capture_output=True, text=True).stdout
    found = [match for match in LINE.findall(text) if match != ("", "")]
    return {letter for letter, _ in found if letter}, {name for _, name in found if name}


def written(path, pattern):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".8":  # elsewhere it may speak of other programs' options
        text = "\n".join(line for line in text.splitlines() if line.startswith(".It Fl"))
    return {group for match in re.finditer(pattern, text, re.MULTILINE)
            for group in match.groups() if group}


def services_differ(sonde, page):
    """Does a name stand in one list of UDP services only, or with other ports?"""
    text = subprocess.run([sonde, "--services"], check=True, capture_output=True, text=True).stdout
    asked = text.partition("UDP ports are asked:")[2]
    wanted = set(re.findall(r"(?m)^  (\S+) +([\d,]*)", asked))
    section = page.read_text(encoding="utf-8").partition(".Ss UDP services")[2]
    section = section.partition("\n.Sh ")[0]
    found = {(name, ports.replace(" ", "")) for name, ports in
             re.findall(r"(?m)^\.It Cm (\S+)\n(?:Ports? ([\d, ]+):)?", section)}
    for name, ports in sorted(wanted ^ found):
        print(f"{page.name}: options: the UDP service {name} {ports} differs from --services")
    return len(wanted) < 10 or wanted != found


def main():
    sonde, root = sys.argv[1], pathlib.Path(sys.argv[2])
    letters, names = listed(sonde)
    failed = len(letters) < 10 or len(names) < 10
    failed |= services_differ(sonde, root / "man/sonde.8")
    for place, (letter_pattern, name_pattern) in PLACES.items():
        for wanted, pattern in ((letters, letter_pattern), (names, name_pattern)):
            found = written(root / place, pattern) if pattern else wanted
            for option in sorted(wanted - found):
                print(f"{place}: options: {option} is missing")
            for option in sorted(found - wanted):
                print(f"{place}: options: {option} is no option")
            failed |= found != wanted
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
