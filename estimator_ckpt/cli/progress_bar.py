"""A bar on stderr: how many bytes are done, of how many, and the time that is left.

Only on a terminal, and only of work that takes more than a moment.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds that work takes before a bar is shown.
PATIENCE = 0.8
#: A terminal of fewer columns has room for the numbers alone.
_NARROW = 56


@contextlib.contextmanager
def progress(what: str, *, in_bytes: bool = True) -> Iterator[Optional[ProgressBar]]:
    """Shows a bar while there is work, if stderr is a terminal.

    Args:
      what: what is done: `verifying`.
      in_bytes: whether it is told of bytes; else the bar shows the time alone.

    Yields:
      What takes the numbers of bytes just done, and of bytes to be done; None if
      nobody would see them.
    """
    if not sys.stderr.isatty():
        yield None
        return
    bar = ProgressBar(what, in_bytes)
    timer = threading.Timer(PATIENCE, bar.show)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # no thread to be had: then no bar
        yield bar
        return
    try:
        yield bar
    finally:
        timer.cancel()
        timer.join()  # it may be about to show the bar
        bar.hide()


class ProgressBar:
    """Bytes that are done, and a bar of them once it is shown.

    It is called with the number of bytes just done, from any thread.
    """

    def __init__(self, what: str, in_bytes: bool = True) -> None:
        self._what, self._in_bytes = what, in_bytes
        self._lock = threading.Lock()
        self._done, self._total = 0, 0
        self._bar: Optional[Progress] = None
        self._task: Optional[TaskID] = None

    def __call__(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._update()

    def expect(self, size: int) -> None:
        """Adds bytes to those that there will be."""
        with self._lock:
            self._total += size
            self._update()

    def show(self) -> None:
        """Draws the bar from now on."""
        from rich import progress as bars  # what draws loads when it is needed
        from rich.console import Console

        counted = (
            bars.DownloadColumn(),
            bars.TextColumn("left:"),
            bars.TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            *((bars.BarColumn(),) if console.width >= _NARROW else ()),
            *(counted if self._in_bytes else (bars.TimeElapsedColumn(),)),
            console=console,
            transient=True,
            # What a bar begins to redirect while somebody else redirects it stays so.
            redirect_stdout=False,
        )
        with self._lock:
            self._bar = bar
            self._task = bar.add_task(self._what, total=None)
            self._update()
        bar.start()

    def hide(self) -> None:
        """Draws it a last time and wipes it away, if it is shown."""
        if self._bar is not None:
            self._bar.stop()

    def _update(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=self._done, total=self._total or None
            )
