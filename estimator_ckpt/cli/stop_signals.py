"""Signals that ask a command to stop: it cleans up first, as after Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Optional


class Stopped(BaseException):
    """A signal asked the process to stop.

    Attributes:
      number: the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        """What a shell says of a process that a signal ended."""
        return 128 + self.number


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """SIGTERM and SIGHUP raise `Stopped` here, unless somebody handles or ignores them.

    A second one is not waited for: it ends the process at once.
    """
    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Elsewhere than in the main thread nothing can be handled.
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: Optional[FrameType]) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Stopped(number)
