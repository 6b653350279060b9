"""Rows by scope: so many scopes as a reader can take in, slots under their variable."""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping, Sequence

from estimator_ckpt.reports.digest import Group, Row

#: The most rows of a table: a page of more is none that anybody reads or can open.
MOST_ROWS = 5_000
#: The most groups; so many variables are not divided, nor is a twelfth of all.
_MOST_GROUPS, _FEW = 48, 8
_MOST_STEPS = 500
#: The rows that many scopes below one have in the mean, to be groups of their own.
_LEAST = 2
#: What a name begins with, to its first number.
_STEM = re.compile(r"\D*\d+")


def grouped(rows: Sequence[Row]) -> tuple[Group, ...]:
    """Divides rows by scope, the largest scope first, until there are enough.

    Of more than `MOST_ROWS` the problems are kept first, then what is largest.

    Args:
      rows: in the order in which they are to be read.

    Returns:
      The groups, in the order of their first rows, those with problems first.
    """
    kept = _kept(rows)
    there = {row.name for row in kept if row.owner is None}
    under: dict[str, list[Row]] = {}
    for row in kept:
        if row.owner in there:
            under.setdefault(str(row.owner), []).append(row)
    tops = [row for row in kept if row.owner not in there]
    scopes = _scopes([row.name for row in tops])
    members: dict[str, list[tuple[Row, bool]]] = {}
    seen = set()
    for row in tops:
        group = members.setdefault(scopes[row.name], [])
        group.append((row, False))
        if row.name not in seen:  # two rows may have one name: a dtype and a shape
            group += [(slot, True) for slot in under.get(row.name, ())]
            seen.add(row.name)
    groups = [Group(scope, tuple(found)) for scope, found in members.items()]
    return tuple(sorted(groups, key=lambda group: not group.num_problems))


def _kept(rows: Sequence[Row]) -> list[Row]:
    if len(rows) <= MOST_ROWS:
        return list(rows)
    first = heapq.nsmallest(
        MOST_ROWS,
        range(len(rows)),
        key=lambda i: (not rows[i].is_problem, -rows[i].size, i),
    )
    return [rows[i] for i in sorted(first)]


def _scopes(names: Sequence[str]) -> dict[str, str]:
    """The scope that each name is shown under.

    The scope with the most names is divided into those below it, over and over.
    """
    found = {"": list(names)}
    waiting = [(-len(names), "")]
    few = max(_FEW, len(names) // 12)
    for _ in range(_MOST_STEPS):  # names may be of a thousand scopes each
        if not waiting or len(found) >= _MOST_GROUPS:
            break
        count, scope = heapq.heappop(waiting)
        if -count <= few:
            break
        parts = _parts(scope, found[scope])
        if len(parts) == 1 and scope in parts:
            continue
        room = 10 * _MOST_GROUPS - len(found) + 1
        if not _are_read_easily(parts, room):
            # Layers of Keras are in no scope: layer_0_query, layer_0_key, layer_1_query
            parts = _by_number(scope, found[scope])
            if len(parts) > 1 and _are_read_easily(parts, room):
                del found[scope]
                found.update(parts)
            continue
        del found[scope]
        for below, part in parts.items():
            found[below] = part
            if below != scope:
                heapq.heappush(waiting, (-len(part), below))
    return {name: scope for scope, group in found.items() for name in group}


def _parts(scope: str, names: Sequence[str]) -> dict[str, list[str]]:
    """The names of a scope by the scope below it, or by itself if they are in none."""
    parts: dict[str, list[str]] = {}
    start = len(scope) + 1 if scope else 0
    for name in names:
        head, slash, _ = name[start:].partition("/")
        below = f"{name[:start]}{head}" if slash else scope
        parts.setdefault(below, []).append(name)
    if len(parts) == 1 and scope not in parts:  # down to where there are several
        first, last = min(names), max(names)
        ends = (i for i, (a, b) in enumerate(zip(first, last)) if a != b)
        common = first[: next(ends, len(first))]
        return {common.rpartition("/")[0]: list(names)}
    return parts


def _are_read_easily(parts: Mapping[str, Sequence[str]], room: int) -> bool:
    """Whether groups are not so many that one is easier to read than their heads."""
    rows = sum(map(len, parts.values()))
    is_few = len(parts) <= _MOST_GROUPS or _LEAST * len(parts) <= rows
    return is_few and len(parts) <= room


def _by_number(scope: str, names: Sequence[str]) -> dict[str, list[str]]:
    """The names of a scope by the first number of what is below it: `layer_12...`."""
    parts: dict[str, list[str]] = {}
    start = len(scope) + 1 if scope else 0
    for name in names:
        head, slash, _ = name[start:].partition("/")
        stem = _STEM.match(head)
        if stem is not None:
            below = f"{name[:start]}{stem[0]}\u2026"
        else:
            below = f"{name[:start]}{head}" if slash else scope
        parts.setdefault(below, []).append(name)
    return parts
