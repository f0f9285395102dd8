#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turn a data file into a C file that defines it as a struct sonde_span.

embed.py INPUT OUTPUT HEADER SYMBOL: HEADER declares `extern const struct sonde_span SYMBOL`.
"""
import sys


def main():
    source, output, header, symbol = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    rows = [", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
    with open(output, "w", encoding="ascii") as file:
        file.write(f'#include "{header}"\n\n')
        file.write("static const unsigned char bytes[] = {\n    " + ",\n    ".join(rows) + "\n};\n")
        file.write(f"const struct sonde_span {symbol} = {{bytes, sizeof bytes}};\n")


main()
