"""The logger of the toolkit: `logging.getLogger("estimator_ckpt")`.

No handler is installed. What is logged of files and of users is made printable, and is
cut where it is far too long, since it ends on a terminal.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from estimator_ckpt.bundle.printing import one_line, printable

if TYPE_CHECKING:
    from logging import Logger, LogRecord

_NAME = "estimator_ckpt"


@functools.lru_cache(maxsize=1)
def logger() -> Logger:
    """The logger. It is made when it is first asked for: many commands log nothing."""
    import logging  # 4 ms that these need not spend

    found = logging.getLogger(_NAME)
    found.addFilter(_make_printable)
    return found


def _make_printable(record: LogRecord) -> bool:
    """Makes the arguments of a message printable; the message itself is ours."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_printable, record.args))
    return True


def _printable(argument: object) -> object:
    is_number = isinstance(argument, (int, float))
    return argument if is_number else one_line(printable(str(argument)))
