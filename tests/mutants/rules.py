# SPDX-License-Identifier: BSD-2-Clause
"""Small changes of C that a test should notice, made from its text alone.

A change is known by its function and by the line before and after it, so that it stays the same
change when lines and files move.
"""
import hashlib
import pathlib
import re
import sys
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lint"))
from banned import NOT_CODE

# A function as .clang-format lays it out: its braces are alone in the first column.
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^{};#]*?\b(?P<name>\w+)\([^{};]*\))\n\{\n"
                      r"(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)

RELATION = re.compile(r"(?<![<>=!+*/&|^%-])(<=|>=|==|!=|<|>)(?![<>=])")
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = re.compile(r"&&|\|\|")
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])(?!\})")
CONDITION = re.compile(r"\b(?:if|while) (?=\()")
RETURN = re.compile(r"\breturn (?P<value>[^;]+);")

# How a statement begins that is not a simple one, and what is left out of it: its condition, all up
# to its end, or the line.
WITH_CONDITION = re.compile(r"(?:if|for|while|switch) (?=\()")
LEFT_OUT = re.compile(r"(?:return|goto|assert|static_assert)\b|\(void\)\w+;"
                      r"|(?:const|static|unsigned|struct|enum|union)\b|\w+ \**\w+\b *[=;,\[]")
LINE = re.compile(r"(?:else|do|case|default)\b|[{};]|\w+:$")


class Change(NamedTuple):
    """Text from start to end of a file is replaced."""
    function: str
    start: int
    end: int
    instead: str
    before: str  # the line or lines that change, blanks run together
    after: str

    def key(self):
        return self.function, self.before, self.after


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def closing(code, opening):
    """Where the parenthesis closes that opens there."""
    depth = 0
    for at in range(opening, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if depth == 0:
            return at
    return len(code)


def operators(code):
    for found in RELATION.finditer(code):
        yield found.start(), found.end(), RELATIONS[found[0]]
    for found in LOGIC.finditer(code):
        yield found.start(), found.end(), "||" if found[0] == "&&" else "&&"


def numbers(code):
    for found in NUMBER.finditer(code):
        number = int(found[0])
        if re.search(r"\bcase $", code[:found.start()]):
            continue
        yield found.start(), found.end(), str(number + 1)
        if number > 0:
            yield found.start(), found.end(), str(number - 1)


def conditions(code):
    for found in CONDITION.finditer(code):
        end = closing(code, found.end())
        yield found.end() + 1, end, f"!({code[found.end() + 1:end]})"


def returns(code, head):
    """What a function returns: the opposite, or nothing."""
    if head.startswith(("struct ", "static struct ")) and "*" not in head.partition("(")[0]:
        return
    is_bool = re.match(r"(?:static )?(?:inline )?bool\b", head)
    for found in RETURN.finditer(code):
        start, end = found.span("value")
        if found["value"] in ("true", "false"):
            yield start, end, "false" if found["value"] == "true" else "true"
        elif is_bool:
            yield start, end, f"!({found['value']})"
        elif not re.fullmatch(r"\d+|NULL", found["value"]):
            yield start, end, "0"


def statements(code):
    """Simple statements, each replaced by an empty one."""
    at = 0
    while True:
        at += len(code[at:]) - len(code[at:].lstrip())
        end = code.find(";", at) + 1
        line_end = code.find("\n", at) + 1
        if end == 0:
            return
        with_condition = WITH_CONDITION.match(code, at)
        if with_condition:
            at = closing(code, with_condition.end()) + 1
        elif code.startswith("else if", at):
            at += len("else ")
        elif LINE.match(code[at:line_end]):
            at = line_end
        else:
            if not LEFT_OUT.match(code, at):
                yield at, end, ";"
            at = end


def one_line(text):
    return " ".join(text.split())


def changes_in(text):
    """Every change of a file, in the order of the text."""
    code = NOT_CODE.sub(blank, text)
    for function in FUNCTION.finditer(code):
        body, base = function["body"], function.start("body")
        found = [*operators(body), *numbers(body), *conditions(body), *statements(body),
                 *returns(body, function["head"])]
        for start, end, instead in sorted(found):
            first = text.rindex("\n", 0, base + start) + 1
            last = text.index("\n", base + end)
            # text, not code: what a condition or a returned value has of strings is kept
            kept = text[base + start:base + end]
            blanked = body[start:end]
            if blanked != kept and blanked in instead:
                instead = instead.replace(blanked, kept)
            before = one_line(text[first:last])
            after = one_line(text[first:base + start] + instead + text[base + end:last])
            yield Change(function["name"], base + start, base + end, instead, before, after)


def rank(seed, *words):
    return hashlib.sha256("\0".join((str(seed), *words)).encode()).hexdigest()


def spread(changes, seed):
    """Order (path, change) so that each function has its first turn before any has its second.

    The order depends on the seed and on what the changes say, not on where they stand: an edit
    elsewhere leaves it as it is.
    """
    functions = {}
    for path, change in changes:
        functions.setdefault(change.function, []).append((path, change))
    turns = []
    for name, own in functions.items():
        own.sort(key=lambda item: rank(seed, *item[1].key()))
        turns += [(turn, rank(seed, name), item) for turn, item in enumerate(own)]
    turns.sort(key=lambda item: item[:2])
    return [item for _, _, item in turns]
