"""How often a command looks for garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


def collect_rarely() -> None:
    """Garbage is looked for a hundredth as often from now on.

    What a command makes of 100,000 variables it keeps. To look through all of that
    again and again, in vain, takes a quarter of its time.
    """
    often, *others = gc.get_threshold()
    gc.set_threshold(100 * often, *others)


@contextlib.contextmanager
def collected_rarely() -> Iterator[None]:
    """The same as long as this lasts. What was made meanwhile is looked at then."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
