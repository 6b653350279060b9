"""Rows by scope: so many scopes as a reader can take in, slots under their variable."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from estimator_ckpt.reports.digest import Group, Row

#: The most rows of a table: a page of more is none that anybody reads or can open.
MOST_ROWS = 5_000
#: The most groups; so many variables are not divided, nor is a twelfth of all.
_MOST_GROUPS, _FEW = 48, 8
_MOST_STEPS = 500
#: The rows that many scopes below one have in the mean, to be groups of their own.
_LEAST = 2


def grouped(rows: Sequence[Row]) -> tuple[Group, ...]:
    """Divides rows by scope, the largest scope first, until there are enough.

    Of more than `MOST_ROWS` the problems are kept first, then what is largest.

    Args:
      rows: in the order in which they are to be read.

    Returns:
      The groups, in the order of their first rows.
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
    return tuple(Group(scope, tuple(found)) for scope, found in members.items())


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
        if len(parts) > _MOST_GROUPS and _LEAST * len(parts) > len(found[scope]):
            continue  # their heads would say each name again
        if len(found) + len(parts) - 1 > 10 * _MOST_GROUPS:
            continue  # a scope of a thousand others is easier to read in one
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
    return parts
