"""Users' regexes over variable names: compiled, and matched in bounded time.

`re` has no limit of time: `(a+)+b` on forty letters takes years. Regexes that repeat
what repeats are matched under a timer of the process's own time where there can be
one: in the main thread, if nobody else uses the signal.
"""

from __future__ import annotations

import functools
import re
import signal
from collections.abc import Callable
from typing import Any, Optional, TypeVar

_Result = TypeVar("_Result")

#: Seconds of processor time that a regex may take for one name.
_PATIENCE = 2.0
#: A group that is repeated and in which something is repeated, or there is a choice.
_REPEATS_REPEATED = r"[*+}|][^()]*\)+[*+{]"
_SPECIAL = frozenset(".^$*+?{}[]\\|()")
#: A regex's parts; of a set, an escape and a quantifier all that belongs to it. What
#: has no name stands for no letter in particular.
_TOKENS = (
    r"(?P<letter>[^.^$*+?{}\[\]\\|()])"
    r"|\\(?P<escaped>[^\w\s])"
    r"|(?P<quantifier>[*+?]|\{[^}]*\}?)"
    r"|\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d+|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|."
)


class InvalidRegexError(ValueError):
    """A text that is no regular expression, or too large a one."""


class _TooLong(Exception):
    """The timer went off."""


def compiled(pattern: str) -> re.Pattern[str]:
    """A regex.

    Raises:
      InvalidRegexError: it is none; says why.
    """
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        why = str(error) or "it nests too deeply"
        raise InvalidRegexError(
            f"{pattern!r} is no regular expression: {why}"
        ) from None


def matcher(
    match: Callable[[str], Optional[re.Match[str]]], pattern: str
) -> Callable[[str], Optional[re.Match[str]]]:
    """`match` itself; of a regex that could take years, one that gives up.

    Raises:
      InvalidRegexError: (when it is called) the time is over.
    """
    if not _repeats_repeated(pattern):
        return match
    return lambda name: _within(_PATIENCE, lambda: match(name), pattern, name)


@functools.lru_cache
def _repeats_repeated(pattern: str) -> bool:
    return bool(re.search(_REPEATS_REPEATED, pattern))


def literals(pattern: re.Pattern[str]) -> tuple[str, str]:
    """What every text begins with that a regex matches, and what is in each, if plain.

    So that most names need not be tried on it. Groups, choices and flags are not
    looked into.
    """
    if pattern.flags != re.UNICODE:
        return "", ""
    runs = _literal_runs(pattern.pattern)
    if runs is None:
        return "", ""
    starts = pattern.pattern[:1] not in _SPECIAL - {"\\"}
    return (runs[0] if starts and runs else ""), max(runs, key=len, default="")


def _literal_runs(pattern: str) -> Optional[list[str]]:
    """The letters outside of groups that stand for themselves; None with a choice."""
    runs, depth = [""], 0
    for token in re.finditer(_TOKENS, pattern, re.DOTALL):
        text = token[0]
        depth += (text == "(") - (text == ")")
        if depth == 0 and text == "|":
            return None
        if depth == 0 and token["quantifier"]:
            runs[-1] = runs[-1][:-1]  # it is about the letter before it
        letter = token["letter"] or token["escaped"]
        if depth == 0 and letter:
            runs[-1] += letter
        else:
            runs.append("")
    return runs


def _within(
    seconds: float, do: Callable[[], _Result], pattern: str, name: str
) -> _Result:
    """What a function returns, if it does within some seconds of processor time."""
    if not _can_have_a_timer():
        return do()

    def give_up(number: int, frame: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, give_up)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        return do()
    except _TooLong:
        raise InvalidRegexError(
            f"{pattern!r} takes more than {seconds:.0f} s for {name!r}: it repeats "
            f"what repeats already; write it without"
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _can_have_a_timer() -> bool:
    import threading  # few regexes need a timer

    return (
        threading.current_thread() is threading.main_thread()
        and hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGVTALRM) == signal.SIG_DFL
    )
