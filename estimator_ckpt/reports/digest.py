"""What a report says, whatever it is about and whatever it is rendered as.

title, verdict, three sentences
shares        bytes by verdict (or by role), for a picture
columns       of the table
groups        its rows by scope, slots and averages under their variable
layers        mean and largest difference of each layer, for a diff
histograms    of the tensors that changed most
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from typing import Union

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.changes.changed_elements import Example
from estimator_ckpt.checkpoint.changes.histograms import Histogram
from estimator_ckpt.checkpoint.changes.value_changes import LayerChange

#: The most notes that are shown.
_MOST_NOTES = 40

#: What is in a cell: text, a number, or nothing.
Cell = Union[str, int, float, None]


class Tone(enum.Enum):
    """How a fact is to be taken; a page has a colour for each."""

    GOOD = "good"
    OTHER = "other"
    SECOND = "second"
    QUIET = "quiet"
    FAINT = "faint"
    DOUBT = "doubt"
    WRONG = "wrong"
    BAD = "bad"


class Shown(enum.Enum):
    """How the cells of a column are shown."""

    NAME = "name"
    TEXT = "text"
    VERDICT = "verdict"
    BYTES = "bytes"
    NUMBER = "number"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
      title: what stands above it.
      shown: how its cells are shown.
    """

    title: str
    shown: Shown = Shown.TEXT

    @property
    def is_numeric(self) -> bool:
        return self.shown in (Shown.BYTES, Shown.NUMBER)


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
      name: what it is about: a variable, or a key.
      cells: one for each column; the first is the name.
      size: its bytes, for the sums of its scope.
      tone: how its verdict is to be taken.
      owner: the variable under which it stands, if that has a row.
      is_problem: whether a reader must see it first.
    """

    name: str
    cells: tuple[Cell, ...]
    size: int
    tone: Tone
    owner: str | None = None
    is_problem: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """The rows of a scope, in their order, those of slots after their variable's.

    Attributes:
      scope: what the names begin with; empty for names without a scope.
      rows: them, each with whether it stands under the one before that does not.
    """

    scope: str
    rows: tuple[tuple[Row, bool], ...]

    @property
    def size(self) -> int:
        return sum(row.size for row, _ in self.rows)

    @property
    def num_problems(self) -> int:
        return sum(row.is_problem for row, _ in self.rows)


@dataclasses.dataclass(frozen=True)
class Share:
    """What part of the bytes, or of the variables, something has.

    Attributes:
      what: the verdict, or the role.
      count: how many variables have it.
      size: their bytes.
      tone: how it is to be taken.
      because: why, where it is the same for so many that no row says it again.
    """

    what: str
    count: int
    size: int
    tone: Tone
    because: str = ""


@dataclasses.dataclass(frozen=True)
class Digest:
    """What a report says.

    Attributes:
      subject: what it is about: `Plan`, `Diff`, ...
      title: its subject.
      verdict: two or three words.
      tone: how the verdict is to be taken.
      sentences: three, that say it all.
      checkpoints: the prefixes that the subject came from, by what they are called.
      facts: more of what is known of the subject.
      shares_of: what the shares are by: `verdict`, `role`.
      shares: them.
      columns: of the table.
      groups: its rows.
      num_rows: how many rows there would be without a bound on them.
      notes: a sentence for each thing that matched nothing or stays undecided.
      layers: for a diff, by how much the values of layers differ; else empty.
      num_layers: how many there would be without a bound on them.
      histograms: for a diff, of the tensors that changed most.
      examples: for a diff, what changed in single numbers and in strings.
      without_histogram: why there is no histogram of some of what differs; empty if
        there is one of all.
      rows_of: what each row is; empty where it is what the first column says.
    """

    subject: str
    title: str
    verdict: str
    tone: Tone
    sentences: tuple[str, str, str]
    checkpoints: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    shares_of: str
    shares: tuple[Share, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    num_rows: int
    notes: tuple[str, ...] = ()
    layers: tuple[LayerChange, ...] = ()
    num_layers: int = 0
    histograms: tuple[Histogram, ...] = ()
    examples: tuple[Example, ...] = ()
    without_histogram: str = ""
    rows_of: str = ""

    @property
    def heading(self) -> str:
        """What stands above the table."""
        return f"Every {self.rows_of or self.columns[0].title}"

    @property
    def heading_without_histogram(self) -> str:
        """What stands above why there is no histogram."""
        return "Single numbers and strings" if self.examples else "No histogram"

    @property
    def shown_notes(self) -> tuple[str, ...]:
        """The notes; of very many the first, and how many more there are."""
        if len(self.notes) <= _MOST_NOTES:
            return self.notes
        more = len(self.notes) - _MOST_NOTES
        return (*self.notes[:_MOST_NOTES], f"and {more:,} more")

    @property
    def bound_on_layers(self) -> str:
        """What is said where not all layers are shown."""
        if len(self.layers) >= self.num_layers:
            return ""
        return f" The {len(self.layers)} of {self.num_layers} layers that differ most."

    @property
    def num_shown(self) -> int:
        """How many rows the table has."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def bounded(self) -> str:
        """What is said where the table has not all rows."""
        if self.num_shown >= self.num_rows:
            return ""
        return (
            f"{self.num_shown:,} of {self.num_rows:,} rows: what is wrong first, then "
            f"the largest. The sums above are of all of them, and so is --json."
        )


def counted(number: int, noun: str) -> str:
    """How many there are, as a page says it: `1 shard`, `1,000 variables`."""
    return f"{number:,} {messages.plural(number, noun)}"


def number_text(number: Cell) -> str:
    """A number of a table: whole ones exactly, others in four digits."""
    return str(number) if isinstance(number, int) else f"{float(number or 0):.4g}"


def without_empty(
    columns: Sequence[Column], rows: Sequence[Row]
) -> tuple[tuple[Column, ...], list[Row]]:
    """Leaves out the columns in which no row has anything."""
    kept = [
        i
        for i in range(len(columns))
        if any(row.cells[i] not in (None, "") for row in rows)
    ]
    if len(kept) == len(columns):
        return tuple(columns), list(rows)
    return tuple(columns[i] for i in kept), [
        dataclasses.replace(row, cells=tuple(row.cells[i] for i in kept))
        for row in rows
    ]


def shares(found: Sequence[tuple[str, int, Tone]]) -> tuple[Share, ...]:
    """Sums up what there is, in the order in which each verdict comes first.

    Args:
      found: of each variable its verdict, its bytes, and how that is to be taken.
    """
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    tones: dict[str, Tone] = {}
    for what, size, tone in found:
        counts[what] = counts.get(what, 0) + 1
        sizes[what] = sizes.get(what, 0) + size
        tones.setdefault(what, tone)
    return tuple(Share(w, counts[w], sizes[w], tones[w]) for w in counts)
