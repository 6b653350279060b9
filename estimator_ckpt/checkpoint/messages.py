"""How messages word what every room has to say: lists, near names, counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping


def listed(items: Iterable[str], most: int = 6) -> str:
    """Some of many: `a, b, c and 7 more`."""
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"{', '.join(found[:most])}{more}"


def quoted(names: Iterable[str], most: int = 6) -> str:
    """The same for names, in quotes and with what does not print escaped."""
    return listed(map(repr, names), most)


def near(wanted: str, known: Collection[str]) -> str:
    """What to append for a name that is not there: ` (near: 'a', 'b')`, or nothing."""
    import difflib  # costs time that most commands need not spend

    found = difflib.get_close_matches(wanted, known, n=3)
    return f" (near: {quoted(found)})" if found else ""


def counted(number: int, noun: str) -> str:
    """`1 shard`, `2 shards`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def counts(numbers: Mapping[str, int]) -> str:
    """How many of each: `3 carried, 1 missing`."""
    return ", ".join(f"{number} {what}" for what, number in numbers.items())
