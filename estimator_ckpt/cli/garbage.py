"""How often a command looks for garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collected_rarely() -> Iterator[None]:
    """Garbage is looked for a hundredth as often here.

    What a command makes of 100,000 variables it keeps. To look through all of that
    again and again, in vain, takes a quarter of its time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
