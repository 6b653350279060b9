"""Standard input, output and error, as they can be: closed, full, of any encoding."""

from __future__ import annotations

import contextlib
import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def prepare() -> None:
    """Makes the three streams such that printing to them cannot fail for a name.

    One that was closed when the process began (`2>&-`) is /dev/null: otherwise the
    next file that is opened would get its number, and what is printed with it. What an
    encoding cannot say is escaped.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            _discard(number)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def flush() -> None:
    """Writes what was printed.

    Raises:
      OSError: it could not be, since the reader went away or the disk is full.
    """
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):
            _discard(sys.stdout.fileno())  # or Python complains once more at the end
        raise


def _discard(number: int) -> None:
    """Lets a file descriptor be that of /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
