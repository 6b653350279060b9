"""How messages word what every room has to say: lists, near names, counts."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

#: The most names that are looked at for one that is near, the most that are compared
#: letter by letter, and the longest: a message is worth no more time.
_MOST_SEEN, _MOST_COMPARED, _LONGEST = 20_000, 100, 300


def listed(items: Iterable[str], most: int = 6, separator: str = ", ") -> str:
    """Some of many: `a, b, c and 7 more`."""
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"{separator.join(found[:most])}{more}"


def quoted(names: Iterable[str], most: int = 6) -> str:
    """The same for names, in quotes and with what does not print escaped."""
    return listed(map(repr, names), most)


def near(wanted: str, known: Collection[str]) -> str:
    """What to append for a name that is not there: ` (near: 'a', 'b')`, or nothing."""
    if len(wanted) > _LONGEST:
        return ""
    import difflib  # costs time that most commands need not spend
    import heapq

    candidates = [n for n in itertools.islice(known, _MOST_SEEN) if len(n) <= _LONGEST]
    if len(candidates) > _MOST_COMPARED:
        pairs = set(zip(wanted, wanted[1:]))
        candidates = heapq.nlargest(
            _MOST_COMPARED, candidates, lambda n: len(pairs.intersection(zip(n, n[1:])))
        )
    found = difflib.get_close_matches(wanted, candidates, n=3)
    return f" (near: {quoted(found)})" if found else ""


def counted(number: int, noun: str) -> str:
    """`1 shard`, `2 shards`."""
    return f"{number} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """The noun as it stands behind a number."""
    return noun if number == 1 else f"{noun}s"


def counts(numbers: Mapping[str, int]) -> str:
    """How many of each: `3 carried, 1 missing`."""
    return ", ".join(f"{number} {what}" for what, number in numbers.items())


# Of 100,000 variables most have one of a few sizes.
@functools.lru_cache(maxsize=1024)
def bytes_text(size: int) -> str:
    """A number of bytes for people: `1.3 GB`."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def short_path(path: str) -> str:
    """The end of a path, for titles: `job/model.ckpt-7`."""
    return "/".join(path.replace("\\", "/").rstrip("/").split("/")[-2:])


def natural(name: str) -> tuple[Any, ...]:
    """What to sort names by, so that `layer_2` comes before `layer_10`."""
    # Words stand at even places, numbers at odd ones: those compare with their like.
    parts = re.split(r"(\d+)", name)
    return tuple(_number(part) if i % 2 else part for i, part in enumerate(parts))


def _number(digits: str) -> int:
    # Of a hostile name's thousand digits the first say enough; int() refuses them.
    return int(digits[:18]) if digits.isascii() else 0
