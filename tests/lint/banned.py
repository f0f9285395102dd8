#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rules that a line of text can break: banned.py ROOT.

Looks at the C of src and include for functions that are unsafe, not reentrant or impure, for files
and functions that are too long; at these and at tests for the rules of plain text.
"""
import pathlib
import re
import sys

COLUMNS_MAX = 100
FILE_LINES_MAX = 450
FUNCTION_LINES_MAX = 60  # between the braces

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|rand|srand|gettimeofday"
    r"|inet_ntoa|inet_addr|signal|system|setjmp|longjmp|localtime|gmtime|strerror)\s*\(")

CLOCKS = re.compile(r"\b(clock_gettime|time|clock|clock_nanosleep|nanosleep|usleep|sleep)\s*\(")
CLOCK_READERS = {"src/io/clock.c"}

NETINET = re.compile(r"#\s*include\s*<netinet/")
NETINET_USERS = re.compile(r"src/io/|src/app/services\.c$|src/sys/(?:host|make_filter)\.c$")

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")

# Comments, strings and characters: what stands in them is not code.
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

TEXT_SUFFIXES = {".c", ".h", ".py", ".sh"}


def blank(match):
    """The matched text with everything but its line ends taken out."""
    return '""' + "\n" * match[0].count("\n")


def check_text(path, lines):
    """Rules for every kind of source."""
    licensed = any("SPDX-License-Identifier: BSD-2-Clause" in line for line in lines[:2])
    if not licensed and path.suffix in TEXT_SUFFIXES:
        yield 1, "no SPDX line at the top"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"longer than {COLUMNS_MAX} columns"
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "blanks at the end"
        if UNFINISHED.search(line):
            yield number, "unfinished work is not left in comments"


def check_code(name, code):
    """Rules for what the compiler sees."""
    for number, line in enumerate(code, 1):
        found = BANNED.search(line)
        if found:
            yield number, f"{found[1]}() is banned"
        found = CLOCKS.search(line)
        if found and name not in CLOCK_READERS:
            yield number, f"{found[1]}(): only {', '.join(sorted(CLOCK_READERS))} reads clocks"
        if NETINET.search(line) and not NETINET_USERS.match(name):
            yield number, "<netinet/...> only in src/io"


def check_lengths(lines):
    """A function is what stands between braces in the first column (.clang-format)."""
    if len(lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"a file of more than {FILE_LINES_MAX} lines"
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES_MAX:
                yield start, f"a function of more than {FUNCTION_LINES_MAX} lines"
            start = None


def check(root, path):
    """Yield line number and complaint for one file."""
    text = path.read_text()
    lines = text.splitlines()
    name = str(path.relative_to(root))
    yield from check_text(path, lines)
    if path.suffix in (".c", ".h") and not name.startswith("tests/"):
        yield from check_code(name, NOT_CODE.sub(blank, text).splitlines())
        yield from check_lengths(lines)


def main():
    root = pathlib.Path(sys.argv[1])
    paths = [path for folder in ("src", "include", "tests") for path in (root / folder).rglob("*")
             if path.suffix in TEXT_SUFFIXES or path.name == "meson.build"]
    if not paths:
        sys.exit(f"banned: no sources below {root}")
    failures = 0
    for path in sorted(paths):
        for number, reason in check(root, path):
            print(f"{path.relative_to(root)}:{number}: banned: {reason}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
