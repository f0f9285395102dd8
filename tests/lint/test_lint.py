#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do layers.py, banned.py, documents.py and options.py find what they look for? Each rule is broken
once, in a tree of its own, or by a program of its own, that is otherwise in order."""
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile

import options

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: BSD-2-Clause */\n"

# A tree that breaks no rule.
CLEAN = {
    "include/sonde/types.h": SPDX + "#include <stdint.h>\n",
    "src/base/text.h": SPDX + "#include <sonde/types.h>\n",
    "src/wire/icmp.h": SPDX + '#include "base/text.h"\n',
    "src/engine/engine.h": SPDX + '#include "wire/icmp.h"\n',
    "src/io/transport.h": SPDX + '#include "wire/icmp.h"\n',
    "src/io/sim/sim.h": SPDX + '#include "io/transport.h"\n',
    "src/io/linux/linux.h": SPDX + '#include "io/transport.h"\n#include <netinet/in.h>\n',
    "src/io/clock.c": SPDX + "void f(void)\n{\n    clock_gettime(0, 0);\n}\n",
    "src/run/run.c": SPDX + '#include "version.h"\n#include "io/sim/sim.h"\n',
    "tests/unit/test_icmp.c": SPDX + "int long_functions_are_fine_here;\n",
}

# Which script finds it, in which file and line, what is added there, and a part of the message.
PLANTED = [
    ("layers", "src/wire/icmp.h", 3, '#include "engine/engine.h"', "wire may not include engine"),
    ("layers", "src/base/text.h", 3, '#include "wire/icmp.h"', "base may not include wire"),
    ("layers", "src/engine/engine.h", 3, '#include "io/transport.h"', "engine may not include io"),
    ("layers", "src/io/sim/sim.h", 3, '#include "io/linux/linux.h"', "io/sim may not include"),
    ("layers", "src/io/linux/linux.h", 4, '#include "io/sim/sim.h"', "io/linux may not include"),
    ("layers", "src/io/transport.h", 3, '#include "io/sim/sim.h"', "io itself may not include"),
    ("layers", "src/wire/icmp.h", 3, '#include "version.h"', "wire may not include version.h"),
    ("layers", "src/base/text.h", 3, '#  include "text.h"', "not named by its floor"),
    ("layers", "src/base/text.h", 3, '#include "base/gone.h"', "no header src/base/gone.h"),
    ("layers", "src/base/text.h", 3, "#include <sonde/gone.h>", "no public header"),
    ("layers", "include/sonde/types.h", 3, '#include "base/text.h"', "a public header includes"),
    ("layers", "include/sonde/types.h", 3, "#include <sys/socket.h>", "a public header includes"),
    ("layers", "src/attic/old.c", 1, '#include "base/text.h"', "there is no floor attic"),
    ("banned", "src/base/text.h", 3, "static int f(char *a) { return sprintf(a, a); }", "sprintf"),
    ("banned", "src/base/text.h", 3, "static char *f(void) { return strtok (0, 0); }", "strtok()"),
    ("banned", "src/wire/icmp.h", 3, "static long f(void) { return time(0); }", "reads clocks"),
    ("banned", "src/wire/icmp.h", 3, "#include <netinet/in.h>", "<netinet/...> only"),
    ("banned", "src/wire/icmp.h", 3, "int a; /*" + "-" * 90 + "*/", "longer than 100 columns"),
    ("banned", "src/wire/icmp.h", 3, "int a;\t", "a tab"),
    ("banned", "tests/unit/test_icmp.c", 3, "int a; ", "blanks at the end"),
    ("banned", "tests/unit/test_icmp.c", 3, "/* TO" "DO */", "unfinished work"),
    ("banned", "src/base/new.c", 1, "int a;", "no SPDX line"),
    ("banned", "src/wire/icmp.h", 451, "\n" * 448, "a file of more than 450 lines"),
    ("banned", "src/wire/icmp.h", 4, "void f(void)\n{" + "\n    ;" * 61 + "\n}",
     "a function of more than 60 lines"),
    ("documents", "ARCHITECTURE.md", 1, "`src/base/gone.h`", "no file src/base/gone.h"),
    ("documents", "TESTING.md", 1, "see `gone.c`", "no file gone.c"),
    ("documents", "README.md", 2, "```\nrun/gone.c  a map\n```", "no file run/gone.c"),
    ("documents", "src/DECISIONS.md", 1, "`wire/gone_*.h`", "no file wire/gone_*.h"),
    ("documents", "src/JOURNEYS.md", 1, "[the map](ARCHITECTURE.md)", "no file ARCHITECTURE.md"),
    ("documents", "src/JOURNEYS.md", 1, "`f()` and `gone()`", "gone() is not in the code"),
    ("documents", "src/JOURNEYS.md", 1, "`struct gone`", "struct gone is not in the code"),
]

# What looks like a violation and is none.
INNOCENT = [
    ("layers", "src/wire/icmp.h", '/* #include "engine/engine.h" */'),
    ("banned", "src/base/text.h", "/* strcpy() and time() are\n * banned */"),
    ("banned", "src/base/text.h", 'static const char *f = "system(time())";'),
    ("banned", "src/base/text.h", "int gmtime_r(int); int heap_time(int); int strtok_r(int);"),
    ("banned", "src/wire/icmp.h", "void f(void)\n{" + "\n    ;" * 60 + "\n}"),
    ("documents", "ARCHITECTURE.md", "`src/base/text.h`, `text.h`, `io/*/sim.h`, `f()`"),
    ("documents", "ARCHITECTURE.md", "gone.c and gone() are no code here"),
    ("documents", "ARCHITECTURE.md", "[a page](src/base/text.h), [a site](https://site.example/)"),
    ("banned", "tests/unit/test_icmp.c", 'char template[] = "/tmp/test-XX' 'XXXX";'),
]


# A program whose defaults and bounds are what it says.
PROGRAM = """#!/bin/sh
default=30 low=1 high=255
case $1 in
--help)
    printf '  -f, --first-ttl N  begin (1)\\n  -m, --max-ttl N   end,\\n    in two lines (30)\\n'
    printf '  -s, --psize N  size (64)\\n      --tos N  bits (0)\\n'
    printf '  -c, --report-cycles N  (3)\\n  -i, --interval N  (1, or 0.5)\\n'
    printf '  -Z, --timeout N  (2)\\n      --rate N  as it says\\n'
    ;;
--simulate)
    echo '{"settings": {"first_ttl": 1, "max_ttl": '$default', "size_bytes": 64, "tos": 0,'
    echo ' "cycles": 3, "interval_ms": 1000, "timeout_ms": 2000}}'
    ;;
*)
    value=${1#*=}
    [ "$value" -ge $low ] 2>/dev/null && [ "$value" -le $high ] && exit 0
    echo "$1: expected 1 to 255" >&2
    exit 2
    ;;
esac
"""
BOUNDED = ["a", "b", "c", "d", "e", "f", "g", "h"]

# What is changed in it, and what is said then.
BROKEN = [
    ("default=30", "default=31", "the default of --max-ttl is 31"),
    ("bits (0)", "bits", "the default of --tos is 0, not None"),
    ("low=1", "low=0", "--a 0 is taken"),
    ("low=1", "low=2", "--a 1 is refused"),
    ("high=255", "high=254", "--a 255 is refused"),
    ("high=255", "high=256", "--a 256 is taken"),
]

# What is changed in a page that says the same as its help, and one thing more; and what is said.
PAGE_STATES = "\nwhole, down to 1.\n"
STATEMENTS = [("page", r"down to (\d+)\.", "--a=x", r"expected (\d+) to")]
BROKEN_PAGE = [
    ("lines (30)", "lines (31)", "the default of --max-ttl is 30.0 in --help, not 31.0"),
    ("lines (30)", "lines", "the default of --max-ttl is 30.0 in --help, not None"),
    ("as it says", "as it says (5)", "the default of --rate is None in --help, not 5.0"),
    ("down to 1.", "down to 2.", "is 2, but of --a=x 1"),
    ("down to 1.", "down to one.", "is None, but of --a=x 1"),
]


# Lines of a manual page, and whether mdoc(7) shows them otherwise than they are meant.
PAGE_LINES = [
    (".Pq Fl c 100", True),
    (".Fl Z 1 ,", True),
    (".Dq but not . NS", True),
    (".Pq Fl c Cm 100", False),
    (".Fl x p l", False),
    (".Fl -ipv4 .", False),
    ("a query for . NS with -c 1", False),
]


def look_at_program(text):
    """What options.py says of a program. Its help serves as man page."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        program, page = pathlib.Path(folder) / "program", pathlib.Path(folder) / "page"
        program.write_text(text)
        program.chmod(0o755)
        page.write_text(options.output(program, "--help")[1])
        differs = [options.defaults_differ(program, page), options.bounds_differ(program, BOUNDED)]
    return any(differs), said.getvalue()


def look_at_page(there, instead):
    """What options.py says of a page in which something is changed."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        program, page = pathlib.Path(folder) / "program", pathlib.Path(folder) / "page"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        text = options.output(program, "--help")[1] + PAGE_STATES
        page.write_text(text.replace(there, instead))
        differs = [options.page_defaults_differ(program, page, {"max-ttl", "rate"}),
                   options.statements_differ(program, page.parent, STATEMENTS)]
    return any(differs), said.getvalue()


def run(script, name, addition):
    """Run a script on the clean tree with something added to one file. Return status and output."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in {name: "", **CLEAN}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text + (addition + "\n" if path == name else ""))
        result = subprocess.run([sys.executable, HERE / f"{script}.py", root], text=True,
                                capture_output=True, check=False)
        return result.returncode, result.stdout + result.stderr


def main():
    failures = []
    for script in ("layers", "banned", "documents"):
        status, output = run(script, "src/base/text.h", "")
        if (status, output) != (0, ""):
            failures.append(f"{script}: the clean tree: {output}")
    for script, name, line, addition, message in PLANTED:
        status, output = run(script, name, addition)
        expected = f"{name}:{line}: {script}: "
        if status != 1 or not output.startswith(expected) or message not in output:
            failures.append(f"{addition[:60]!r} should give {expected}{message}, gives: {output}")
    for script, name, addition in INNOCENT:
        status, output = run(script, name, addition)
        if (status, output) != (0, ""):
            failures.append(f"{addition[:60]!r} should pass {script}: {output}")
    if look_at_program(PROGRAM) != (False, ""):
        failures.append(f"options: the program in order: {look_at_program(PROGRAM)}")
    for there, instead, message in BROKEN:
        differs, said = look_at_program(PROGRAM.replace(there, instead))
        if not differs or message not in said:
            failures.append(f"options: {instead} should give {message!r}, gives: {said}")
    if look_at_page("", "") != (False, ""):
        failures.append(f"options: the page in order: {look_at_page('', '')}")
    for there, instead, message in BROKEN_PAGE:
        differs, said = look_at_page(there, instead)
        if not differs or message not in said:
            failures.append(f"options: {instead} should give {message!r}, gives: {said}")
    for line, wrong in PAGE_LINES:
        if bool(options.MISSHOWN.findall(f".Pp\n{line}\n")) != wrong:
            failures.append(f"options: {line!r}: is it shown otherwise? {wrong}")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
