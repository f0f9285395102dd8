# SPDX-License-Identifier: BSD-2-Clause
"""Small changes of C that a test should notice, made from its text alone.

A change is known by its function and by the line before and after it, so that it stays the same
change when lines and files move.
"""
import hashlib
import re
from typing import NamedTuple

# Comments, strings and characters: what stands in them is not code.
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

# A function as .clang-format lays it out: its braces are alone in the first column.
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^{};#]*?\b(?P<name>\w+)\([^{};]*\))\n\{\n"
                      r"(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)

RELATION = re.compile(r"(?<![<>=!+*/&|^%-])(<=|>=|==|!=|<|>)(?![<>=])")
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = re.compile(r"&&|\|\|")
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])(?!\})")
CONDITION = re.compile(r"\b(?:if|while) (?=\()")
RETURN = re.compile(r"\breturn (?P<value>[^;]+);")

# Statements that are looked at line by line: these words begin one that is not a simple one.
STRUCTURE = re.compile(r"(?:if|else|for|while|do|switch|case|default|return|goto|static_assert"
                       r"|assert)\b|\(void\)\w+;|[{}.;]")
DECLARATION = re.compile(r"(?:const|static|unsigned|struct|enum|union)\b|\w+ \**\w+\b *[=;,\[]")


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
    while at < len(code):
        line_end = code.index("\n", at) + 1
        text = code[at:line_end].strip()
        if not text or STRUCTURE.match(text) or DECLARATION.match(text) or text.endswith(":"):
            at = line_end
            continue
        end = code.find(";", at)
        statement = code[at:end + 1]
        whole = all(statement.count(a) == statement.count(b) for a, b in ("()", "{}"))
        if end >= 0 and whole:
            yield at + len(statement) - len(statement.lstrip()), end + 1, ";"
            line_end = code.index("\n", end) + 1
        at = line_end


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
