#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Keep the floors of the house apart: layers.py ROOT.

Reads the includes of every file under ROOT/src and ROOT/include. A floor may include itself and
the floors named behind it; nothing looks up or sideways. Public headers are open to every floor
and include nothing but each other.
"""
import pathlib
import re
import sys

FLOORS = {
    "base": "",
    "wire": "base",
    "payload": "base",
    "probe": "base wire payload",
    "engine": "base wire probe",
    "analyze": "base wire engine",
    "report": "base",
    "record": "base",
    "sys": "base",
    "io": "base wire",
    "run": "base wire payload probe engine analyze io sys",
    "app": "base sys run report record",
}

# Rooms of a floor that share what lies in the floor itself, and nothing else.
ROOMS = {"io": {"linux", "sim", "system"}}

# Headers that the build makes, and the floors that may include them.
GENERATED = {"version.h": {"run", "app"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    """Yield line number, bracket and name of every include in a file."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1], found[2]


def room_of(parts):
    """The room that a path such as ('io', 'sim', 'sim.c') lies in; None outside of rooms."""
    is_room = len(parts) > 2 and parts[1] in ROOMS.get(parts[0], ())
    return parts[1] if is_room else None


def judge(source, header):
    """Why a file of src may not include a header of the project; None if it may."""
    floor = source[0]
    if floor not in FLOORS:
        return f"there is no floor {floor}"
    if len(header) == 1:
        if header[0] not in GENERATED:
            return f"{header[0]} is not named by its floor, as in \"wire/icmp.h\""
        if floor not in GENERATED[header[0]]:
            return f"{floor} may not include {header[0]}"
        return None
    if header[0] != floor and header[0] not in FLOORS[floor].split():
        return f"{floor} may not include {header[0]}; it may: {FLOORS[floor] or 'nothing'}"
    room = room_of(header)
    if room is not None and header[0] == floor and room_of(source) not in (None, room):
        return f"{floor}/{room_of(source)} may not include {floor}/{room}"
    if room is not None and header[0] == floor and room_of(source) is None:
        return f"{floor} itself may not include {floor}/{room}"
    return None


def check_source(root, path):
    """Yield line number and complaint for a file of src."""
    for number, bracket, name in includes(path):
        header = pathlib.PurePath(name).parts
        if bracket == "<":
            if name.startswith("sonde/") and not (root / "include" / name).is_file():
                yield number, f"there is no public header {name}"
            continue
        if len(header) > 1 and not (root / "src" / name).is_file():
            yield number, f"there is no header src/{name}"
            continue
        reason = judge(path.relative_to(root / "src").parts, header)
        if reason:
            yield number, reason


def check_public(path):
    """Yield line number and complaint for a public header."""
    for number, bracket, name in includes(path):
        if bracket == '"' or ("/" in name and not name.startswith("sonde/")):
            yield number, f"a public header includes {name}: only <sonde/...> and the C library"


def main():
    root = pathlib.Path(sys.argv[1])
    sources = sorted(path for path in (root / "src").rglob("*.[ch]"))
    public = sorted((root / "include").rglob("*.h"))
    if not sources or not public:
        sys.exit(f"layers: no sources below {root}")
    failures = 0
    for path in sources + public:
        complaints = check_source(root, path) if path in sources else check_public(path)
        for number, reason in complaints:
            print(f"{path.relative_to(root)}:{number}: layers: {reason}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
