"""Work on all cores, in as many threads as can be had."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Calls a function with each item, one thread per core.

    The calling thread is one of them: where no other can be started (a limit on
    processes, a sandbox), it does all of the work.

    Args:
      function: called from several threads.
      items: what to call it with; taken one at a time.

    Returns:
      The results, in the order of the items.

    Raises:
      What the function raised first; nothing new is begun after that.
    """
    results: dict[int, _Result] = {}
    failures: list[BaseException] = []
    waiting = enumerate(items)
    lock = threading.Lock()

    def work() -> None:
        while not failures:
            try:
                with lock:
                    number, item = next(waiting)
                results[number] = function(item)
            except StopIteration:
                return
            except BaseException as error:
                failures.append(error)

    threads = []
    for _ in range((os.cpu_count() or 1) - 1):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # "can't start new thread"
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[number] for number in sorted(results)]
