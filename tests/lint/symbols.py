#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Keep the pure floors pure: symbols.py ARCHIVE...

ARCHIVE is the static library of a floor, libsonde_FLOOR.a; all pure floors are given at once. What
such a library leaves undefined must be defined by a floor that it may include (layers.py), or be a
function of the C library or nettle that touches nothing but memory.
"""
import re
import subprocess
import sys

from layers import FLOORS

PURE = set("""
    memchr memcmp memcpy memmove memset
    strchr strcmp strcspn strlen strncmp strnlen strpbrk strrchr strspn strstr strtok_r
    snprintf vsnprintf strerrordesc_np inet_ntop inet_pton
    qsort bsearch
    ceil exp fabs floor llround log pow round sqrt
    calloc free malloc realloc strdup strndup
    __assert_fail
    nettle_md5_init nettle_md5_update nettle_md5_digest
    nettle_hmac_md5_set_key nettle_hmac_md5_update nettle_hmac_md5_digest
""".split())

# What the compiler adds: stack protection, position independence, sanitizers, coverage.
COMPILER = re.compile(
    r"__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|sanitizer|gcov|llvm)_.*")

# Functions that _FORTIFY_SOURCE puts in the place of others.
FORTIFIED = re.compile(r"__(\w+)_chk")


def floor_of(archive):
    found = re.search(r"libsonde_(\w+)\.a$", archive)
    if found is None or found[1] not in FLOORS:
        sys.exit(f"symbols: {archive} is not the library of a floor")
    return found[1]


def read_symbols(archive):
    """The defined symbols of an archive, and the undefined ones with the member that uses them."""
    nm = subprocess.run(["nm", archive], capture_output=True, text=True, check=True)
    defined, undefined, member = set(), {}, "?"
    for line in nm.stdout.splitlines():
        words = line.split()
        if len(words) == 1 and line.endswith(":"):
            member = line.rstrip(":").rsplit("/", 1)[-1]
        elif len(words) == 2:
            undefined.setdefault(words[1], member)
        elif len(words) == 3:
            defined.add(words[2])
    return defined, undefined


def is_pure(symbol):
    fortified = FORTIFIED.fullmatch(symbol)
    name = fortified[1] if fortified else symbol
    return name in PURE or COMPILER.fullmatch(symbol) is not None


def main():
    libraries = {floor_of(archive): (archive, *read_symbols(archive)) for archive in sys.argv[1:]}
    failures = 0
    for floor, (archive, own, undefined) in libraries.items():
        known = set(own)
        for below in FLOORS[floor].split():
            if below not in libraries:
                sys.exit(f"symbols: {archive} is given without the library of {below}")
            known |= libraries[below][1]
        for symbol, member in sorted(undefined.items()):
            if symbol not in known and not is_pure(symbol):
                print(f"src/{floor}/{member.removesuffix('.o')}: symbols: {symbol} is neither pure "
                      f"nor of {floor} or a floor below it")
                failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
