"""Plans: what becomes of each variable, decided before anything runs.

The variables of a source (a checkpoint) are held against those of a target (another
checkpoint, a graph, an object): which are carried, under which name, and why the
others are not. A warm start does what its plan says, and `plan` shows it. What decides
is `planner`.
"""

from __future__ import annotations

import collections
import enum
import operator
from typing import Any, NamedTuple, Optional

from estimator_ckpt.checkpoint.variable import Variable


class Verdict(enum.Enum):
    """What becomes of a variable."""

    CARRIED = "carried"
    RENAMED = "renamed"
    SHAPE_MISMATCH = "shape mismatch"
    DTYPE_MISMATCH = "dtype mismatch"
    MISSING = "missing"
    RESET = "reset"
    UNUSED = "unused"

    # Members are equal if they are one; that of enums is Python, called for each item.
    __hash__ = object.__hash__

    @property
    def is_carried(self) -> bool:
        return self in (Verdict.CARRIED, Verdict.RENAMED)

    @property
    def is_problem(self) -> bool:
        return self in (
            Verdict.SHAPE_MISMATCH,
            Verdict.DTYPE_MISMATCH,
            Verdict.MISSING,
        )


class Item(NamedTuple):
    """What becomes of one variable.

    Attributes:
      verdict: what.
      target: the variable of the target; None if it is unused.
      source: the variable of the source that it comes from, or that was found and
        does not fit; None if there is none.
      because: one phrase for people.
    """

    verdict: Verdict
    target: Optional[Variable]
    source: Optional[Variable]
    because: str

    @property
    def name(self) -> str:
        """The target's name; of an unused variable the source's."""
        variable = self.target or self.source
        return variable.name if variable else ""


class Plan:
    """What becomes of every variable.

    Attributes:
      source: the source's prefix.
      target: what the target is called.
      items: the target's variables in its order, then the source's unused ones.
      unused: what of the map and the patterns matched nothing, a sentence each.
    """

    def __init__(
        self,
        source: str,
        target: str,
        items: tuple[Item, ...],
        unused: tuple[str, ...] = (),
    ) -> None:
        """A plan as the attributes say."""
        self.source = source
        self.target = target
        self.items = items
        self.unused = unused

    @property
    def problems(self) -> list[Item]:
        """What should be carried and cannot be."""
        if not any(verdict.is_problem for verdict in self.counts):
            return []
        return [item for item in self.items if item.verdict.is_problem]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many variables get each verdict that any gets."""
        found = collections.Counter(map(operator.attrgetter("verdict"), self.items))
        return {verdict: found[verdict] for verdict in Verdict if found[verdict]}

    def to_json(self) -> dict[str, Any]:
        """The plan as what `json.dumps` takes."""
        return {
            "source": self.source,
            "target": self.target,
            "counts": {verdict.value: n for verdict, n in self.counts.items()},
            "variables": [
                {
                    "verdict": item.verdict.value,
                    "source": _described(item.source),
                    "target": _described(item.target),
                    "because": item.because,
                }
                for item in self.items
            ],
            "unused": list(self.unused),
        }

    def columns(self) -> dict[str, list[Any]]:
        """Verdict, source, target, bytes and reason of the variables, by column."""
        words = {verdict: verdict.value for verdict in Verdict}
        items = self.items
        return {
            "verdict": [words[item.verdict] for item in items],
            "source": [item.source.name if item.source else "" for item in items],
            "target": [item.target.name if item.target else "" for item in items],
            "size": [(item.target or item.source or _NOTHING).size for item in items],
            "because": [item.because for item in items],
        }

    def rows(self) -> list[tuple[str, str, str, int, str]]:
        """The same by variable."""
        return list(zip(*self.columns().values()))

    def summary(self) -> str:
        """One line: what is carried from where, and how many."""
        counted = ", ".join(
            f"{n} {verdict.value}" for verdict, n in self.counts.items()
        )
        return f"{self.source} to {self.target}: {counted or 'no variables'}"

    def __str__(self) -> str:
        rows = [" ".join(filter(None, map(str, row))) for row in self.rows()]
        return "\n".join([*rows, self.summary()])

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        from html import escape

        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
            for row in self.rows()
        )
        return f"<table>{rows}</table><p>{escape(self.summary())}</p>"


_NOTHING = Variable("", "", None)
#: What a plan says of a variable, in JSON.
_DESCRIBED = (*("name", "dtype", "shape", "role", "key", "size", "owner", "optimizer"),)


def _described(variable: Optional[Variable]) -> Optional[dict[str, Any]]:
    if variable is None:
        return None
    return {name: getattr(variable, name) for name in _DESCRIBED}
