"""The logger of the toolkit: `logging.getLogger("estimator_ckpt")`.

No handler is installed. What is logged of files and of users is made printable, since
it ends on a terminal.
"""

from __future__ import annotations

import functools
import logging

from estimator_ckpt.bundle.printing import printable

_NAME = "estimator_ckpt"


@functools.lru_cache(maxsize=1)
def logger() -> logging.Logger:
    """The logger. It is made when it is first asked for: many commands log nothing."""
    found = logging.getLogger(_NAME)
    found.addFilter(_make_printable)
    return found


def _make_printable(record: logging.LogRecord) -> bool:
    """Puts the arguments into the message, and that into one printable line."""
    record.msg, record.args = printable(record.getMessage()), None
    return True
