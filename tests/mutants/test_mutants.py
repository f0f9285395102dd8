#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the rules make the changes that they are for, and only in code? Is a change known by what it
says, wherever it stands? Can the file "equivalent" be read?"""
import pathlib
import sys
import tempfile

import mutants
import rules

HEAD = "/* SPDX */\n#include <a.h>\n\nstatic const int table[] = {\n    1,\n};\n\n"

# A function, and every change of it: what stands before and after.
CASES = [
    ("void f(int a)\n{\n    if (a < 3 && a->b != 0)\n        go(a);\n}\n", [
        ("if (a < 3 && a->b != 0)", "if (a <= 3 && a->b != 0)"),
        ("if (a < 3 && a->b != 0)", "if (a < 3 || a->b != 0)"),
        ("if (a < 3 && a->b != 0)", "if (a < 3 && a->b == 0)"),
        ("if (a < 3 && a->b != 0)", "if (a < 4 && a->b != 0)"),
        ("if (a < 3 && a->b != 0)", "if (a < 2 && a->b != 0)"),
        ("if (a < 3 && a->b != 0)", "if (a < 3 && a->b != 1)"),
        ("if (a < 3 && a->b != 0)", "if (!(a < 3 && a->b != 0))"),
        ("go(a);", ";"),
    ]),
    ("static bool g(const struct x *x)\n{\n    bool is = x->a;\n    assert(is);\n"
     "    return is;\n}\n", [("return is;", "return !(is);")]),
    ("bool g(void)\n{\n    return true;\n}\n", [("return true;", "return false;")]),
    ("struct x *h(int a)\n{\n    /* a < 3 */\n    say(\"a < 3 && b\", a << 2,\n        a);\n"
     "    return &all[a];\n}\n", [
         ('say("a < 3 && b", a << 2,', 'say("a < 3 && b", a << 3,'),
         ('say("a < 3 && b", a << 2,', 'say("a < 3 && b", a << 1,'),
         ('say("a < 3 && b", a << 2, a);', ";"),
         ("return &all[a];", "return 0;"),
     ]),
    ("struct x h(void)\n{\n    return all;\n}\n", []),
    ("int k(int a)\n{\n    switch (a) {\n    case 1:\n        forget(a);\n        break;\n    }\n"
     "    *x = (struct x){0};\n    struct y y = {\n        .a = a};\n    while (say(\"if\"))\n"
     "        ;\n    return 0;\n}\n", [
         ("forget(a);", ";"),
         ("break;", ";"),
         ("*x = (struct x){0};", ";"),
         ('while (say("if"))', 'while (!(say("if")))'),
         ("return 0;", "return 1;"),
     ]),
]

EXPLAINED = """# A comment.

f
- go(a);
+ ;
It goes
anyway.
"""


def changes(text):
    return list(rules.changes_in(HEAD + text))


def check_rules(failures):
    for text, wanted in CASES:
        found = [(change.before, change.after) for change in changes(text)]
        if sorted(found) != sorted(wanted):
            failures.append(f"{text}gives {found}\nand not {wanted}")
        for change in changes(text):
            whole = HEAD + text
            changed = whole[:change.start] + change.instead + whole[change.end:]
            if rules.one_line(change.after) not in rules.one_line(changed):
                failures.append(f"{text}does not become {change.after}")


def check_order(failures):
    text = "\n".join(case for case, _ in CASES)
    order = [change.key() for _, change in rules.spread([("a.c", c) for c in changes(text)], 7)]
    moved = [change.key() for _, change in rules.spread([("b.c", c) for c in changes("\n" + text)],
                                                        7)]
    if order != moved:
        failures.append("another order when the file and its lines have moved")
    functions = {key[0] for key in order}
    if {key[0] for key in order[:len(functions)]} != functions:
        failures.append("a function has its second turn before another has its first")


def check_explained(failures):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "equivalent"
        path.write_text(EXPLAINED)
        explained = mutants.read_explained(path)
    if explained != {changes(CASES[0][0])[-1].key(): "It goes anyway."}:
        failures.append(f"an explanation is read as {explained}")
    mutants.read_explained(pathlib.Path(__file__).with_name("equivalent"))


def main():
    failures = []
    check_rules(failures)
    check_order(failures)
    check_explained(failures)
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
