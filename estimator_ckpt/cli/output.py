"""What commands print: tables and JSON.

Data goes to stdout and nothing else does. On a terminal tables are drawn, in a pipe
they are plain, aligned text, without loading what draws.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from estimator_ckpt.bundle.printing import printable
from estimator_ckpt.checkpoint.messages import bytes_text as bytes_text

SCHEMA = 1
#: How many lines of a table are text at once: it may have 100,000.
_LINES = 1000

Row = Sequence[str]


def print_json(content: dict[str, Any]) -> None:
    """Prints a JSON object, with the version of its fields.

    JSON has no word for infinite: such a number is 1e999, which every reader takes.
    """
    import json

    text = json.dumps({"schema": SCHEMA, **content}, indent=2, allow_nan=True)
    if "Infinity" in text:
        import re  # the differences of few checkpoints are infinite

        # A number ends its line, a string does so behind a quotation mark.
        text = re.sub(r"(?<=[ -])Infinity(?=,?$)", "1e999", text, flags=re.M)
    print(text)


def say(line: str) -> None:
    """Prints a line; what is in it of files and users cannot make it another."""
    print(printable(line))


def print_prefixes(prefixes: Sequence[str], as_json: bool) -> None:
    """Prints the checkpoints that a command has written."""
    if as_json:
        print_json({"prefixes": list(prefixes)})
    else:
        for prefix in prefixes:
            say(prefix)


def print_table(
    columns: Sequence[str], rows: Sequence[Row], right: Sequence[str] = ()
) -> None:
    """Prints rows under their columns.

    Args:
      columns: the columns' names.
      rows: the cells of each row.
      right: the columns that are aligned to the right.
    """
    print_columns(dict(zip(columns, zip(*rows))), right)


def print_columns(
    columns: Mapping[str, Sequence[str]], right: Sequence[str] = ()
) -> None:
    """The same of columns, each with its cells; nothing if there are no rows."""
    cells = [_printable(column) for column in columns.values()]
    if not any(cells):
        return
    if sys.stdout.isatty():
        _draw(list(columns), list(zip(*cells)), right)
        return
    widths = [max(map(len, (name, *column))) for name, column in zip(columns, cells)]
    line = "  ".join(
        f"%{'' if name in right else '-'}{width}s"
        for name, width in zip(columns, widths)
    )
    rows = map(line.__mod__, itertools.chain([tuple(columns)], zip(*cells)))
    while some := list(itertools.islice(rows, _LINES)):
        print("\n".join(map(str.rstrip, some)))


def _printable(cells: Sequence[str]) -> Sequence[str]:
    """The cells, with what does not print as its escape, as few have it."""
    return cells if "".join(cells).isprintable() else list(map(printable, cells))


def _draw(columns: Sequence[str], rows: Sequence[Row], right: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(
            column, justify="right" if column in right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)
