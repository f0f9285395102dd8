#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Install into a temporary folder, and use what is there as a packager and a programmer would.

install.py ROOT BUILD PREFIX KIND VERSION CC...

KIND is meson's default_library. The files have to be complete; the shared library exports what the
public headers declare and nothing else, under its soname; the example of the documentation is built
with what pkg-config says, with each kind of library that is there, and run.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = """
    bin/sonde
    share/licenses/sonde/LICENSE
    share/sonde/sonde.report-1.schema.json
    share/man/man3/libsonde.3
    share/man/man7/sonde-verdicts.7
    share/man/man8/sonde.8
    share/bash-completion/completions/sonde
    share/zsh/site-functions/_sonde
    share/fish/vendor_completions.d/sonde.fish
""".split()
KINDS = {"static": {".a"}, "shared": {".so"}, "both": {".a", ".so"}}
PRINTS = "443/tcp is open, 7 hops away\n"

# A function of a public header: words and a type from the first column on, and its name.
DECLARED = re.compile(r"^(?!static\b|typedef\b)[A-Za-z][\w\s*]*?\b(sonde_\w+)\(", re.MULTILINE)


def fail(message):
    sys.exit(f"install: {message}")


def output(*command, **settings):
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=False, **settings)
    if result.returncode != 0:
        fail(f"{' '.join(map(str, command))}: exit code {result.returncode}")
    return result.stdout


def check_files(headers, prefix):
    for name in FILES + [f"include/sonde/{header.name}" for header in headers]:
        if not (prefix / name).is_file():
            fail(f"{name} is missing")
    unknown = {path.name for path in (prefix / "include/sonde").iterdir()}
    unknown -= {header.name for header in headers}
    if unknown:
        fail(f"include/sonde has {unknown}, which the sources have not")


def check_shared(headers, library, version):
    soname = f"libsonde.so.{version.rpartition('.')[0]}"
    for link, end in (("libsonde.so", soname), (soname, f"libsonde.so.{version}")):
        if os.readlink(library / link) != end:
            fail(f"{link} is no link to {end}")
    if f"soname: [{soname}]" not in output("readelf", "-d", library / "libsonde.so"):
        fail(f"the soname is not {soname}")
    symbols = output("nm", "-D", "--defined-only", library / "libsonde.so")
    exported = {line.split()[2] for line in symbols.splitlines()}
    declared = {name for header in headers for name in DECLARED.findall(header.read_text())}
    if len(declared) < 10 or exported != declared:
        fail(f"exported, or declared in a public header, but not both: {exported ^ declared}")


def check_example(root, prefix, compiler, library, *options):
    """Build the example with what pkg-config says of the libraries that are there, and run it."""
    package = library / "pkgconfig/sonde.pc"
    text = re.sub(r"^prefix=.*$", f"prefix={prefix}", package.read_text(), flags=re.MULTILINE)
    package.write_text(text)
    environment = {**os.environ, "PKG_CONFIG_PATH": str(package.parent),
                   "LD_LIBRARY_PATH": str(library)}
    flags = output("pkg-config", "--cflags", "--libs", *options, "sonde",
                   env=environment).split()
    program = prefix / "example"
    output(*compiler, "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", program,
           root / "tests/unit/run/example.c", *flags)
    is_shared = (library / "libsonde.so").exists()
    if ("libsonde" in output("readelf", "-d", program)) != is_shared:
        fail(f"the example is linked with the {'static' if is_shared else 'shared'} library")
    printed = output(program, env=environment)
    if printed != PRINTS:
        fail(f"the example printed {printed!r}, not {PRINTS!r}")


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    prefix, kind, version, *compiler = sys.argv[3:]
    headers = sorted((root / "include/sonde").glob("*.h"))
    with tempfile.TemporaryDirectory() as folder:
        output("meson", "install", "-C", build, "--no-rebuild", "--destdir", folder)
        prefix = pathlib.Path(folder + prefix)
        check_files(headers, prefix)
        library, = (path.parent.parent for path in prefix.rglob("sonde.pc"))
        kinds = {end for end in (".a", ".so") if (library / f"libsonde{end}").exists()}
        if kinds != KINDS[kind]:
            fail(f"{kind}: there is {kinds}")
        if kind != "static":
            check_shared(headers, library, version)
            output(sys.executable, root / "tests/unit/run/own_loop.py", library / "libsonde.so")
        check_example(root, prefix, compiler, library)
        if kind == "both":
            for path in library.glob("libsonde.so*"):
                path.unlink()
            check_example(root, prefix, compiler, library, "--static")


if __name__ == "__main__":
    main()
