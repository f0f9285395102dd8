# SPDX-License-Identifier: BSD-2-Clause
"""Tables in plain text, printed row by row, so that a long run can be followed."""


class Table:
    def __init__(self, title, columns):
        """@columns: {heading: width}"""
        self.widths = list(columns.values())
        print(f"\n{title}\n")
        self.add(*columns)

    def add(self, *cells):
        """Print a row; numbers stand right, words left."""
        print("  ".join(self.align(str(cell), width)
                        for cell, width in zip(cells, self.widths, strict=True)).rstrip(),
              flush=True)

    @staticmethod
    def align(cell, width):
        is_number = cell[:1].isdigit() or cell[:1] in ("-", "−")
        return cell.rjust(width) if is_number else cell.ljust(width)
