#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does what the documents name exist? documents.py ROOT

Looks at code in the documents: words between backquotes, and blocks. What looks like a file of the
source has to be one: from the root, from src, or, without a folder, anywhere. What ends in () is a
function, and has to stand in the code; so does a struct. A link to a file has to lead to one.
"""
import pathlib
import re
import sys

DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "TESTING.md",
             "src/DECISIONS.md", "src/JOURNEYS.md"]
TOPS = ["src", "include", "tests"]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?<![\w/.<*-])((?:[\w.*-]+/)*[\w*-]+\.(?:c|h|py|sh|json|scenario)"
                  r"|(?:src|tests|include|completions|man)/[\w/.-]*\w)(?![\w/*<])")
NAME = re.compile(r"\b([a-z_]\w+)\(\)|\bstruct ([a-z]\w+)")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def names_in_code(root):
    words = set()
    for top in TOPS:
        for path in (root / top).rglob("*.[ch]"):
            words.update(re.findall(r"\b[a-z_]\w+", path.read_text(encoding="utf-8")))
    return words


def is_there(root, name):
    if any(root.glob(name)) or any((root / "src").glob(name)):
        return True
    return "/" not in name and any(any((root / top).rglob(name)) for top in TOPS)


def faults(root, document, words):
    text = document.read_text(encoding="utf-8")
    for link in LINK.finditer(text):
        if not (document.parent / link[1]).exists():
            yield link.start(), f"no file {link[1]}"
    for code in CODE.finditer(text):
        for file in FILE.finditer(code[0]):
            if not is_there(root, file[1]):
                yield code.start() + file.start(), f"no file {file[1]}"
        for name in NAME.finditer(code[0]):
            if (name[1] or name[2]) not in words:
                yield code.start() + name.start(), f"{name[0]} is not in the code"


def main():
    root = pathlib.Path(sys.argv[1])
    words = names_in_code(root)
    failed = False
    for name in DOCUMENTS:
        document = root / name
        if not document.exists():
            continue
        for at, message in faults(root, document, words):
            line = document.read_text(encoding="utf-8").count("\n", 0, at) + 1
            print(f"{name}:{line}: documents: {message}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
