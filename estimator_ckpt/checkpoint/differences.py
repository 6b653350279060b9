"""What differs between two checkpoints, as data: printable, and as JSON."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.changes.changed_elements import Example
from estimator_ckpt.checkpoint.changes.histograms import Histogram
from estimator_ckpt.checkpoint.changes.value_changes import LayerChange


class Aspect(enum.Enum):
    """What of a variable differs between two checkpoints."""

    REMOVED = "removed"
    ADDED = "added"
    RENAMED = "renamed"
    DTYPE = "dtype"
    SHAPE = "shape"
    VALUE = "value"


@dataclasses.dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
      aspect: what differs.
      name: the variable in the first checkpoint; of an added one, in the second.
      new_name: for RENAMED, its name in the second.
      detail: one phrase: dtypes and shapes, how many elements differ, or both values
        of a tensor of one element.
      max_abs: for VALUE, the largest absolute difference; infinite where one side is
        not a number and the other is; None for strings.
      mean_abs: for VALUE, the mean absolute difference over all elements.
      size: the variable's bytes: of an added one in the second, else in the first.
      owner: the variable that a slot or an average belongs to; None if unknown.
    """

    aspect: Aspect
    name: str
    new_name: Optional[str] = None
    detail: str = ""
    max_abs: Optional[float] = None
    mean_abs: Optional[float] = None
    size: int = 0
    owner: Optional[str] = None

    def to_json(self) -> dict[str, Any]:
        """As plain data; `aspect` is called `kind` there, since schema 1."""
        facts = dict(vars(self))
        return {"kind": facts.pop("aspect").value, **facts}


@dataclasses.dataclass(frozen=True)
class Diff:
    """What `diff` found.

    Attributes:
      a: the first checkpoint's prefix.
      b: the second's.
      differences: sorted by aspect, then by name.
      num_equal: the number of variables that are in both and equal.
      left_out: the metrics and strings of objects that one side has, and the other,
        which is by names, cannot have: they are no differences.
      size_equal: the bytes of the equal variables.
      layers: by how much the values of each layer of the model differ, in the order
        of the layers, without optimizer state; empty unless asked for.
      histograms: of the tensors that differ most in the mean; empty unless asked for.
      unused: what of a user's patterns for roles matches nothing, a sentence each.
      examples: of what has no histogram, single numbers and strings, the first
        elements that differ, of at most twelve tensors of each; empty unless asked for.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    num_equal: int
    left_out: tuple[str, ...] = ()
    size_equal: int = 0
    layers: tuple[LayerChange, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    unused: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.differences)

    def to_json(self) -> dict[str, Any]:
        """The differences as what `json.dumps` takes."""
        return {
            "a": self.a,
            "b": self.b,
            "num_equal": self.num_equal,
            "size_equal": self.size_equal,
            "left_out": list(self.left_out),
            "unused": list(self.unused),
            "differences": [difference.to_json() for difference in self.differences],
            "layers": [vars(layer) for layer in self.layers],
            "histograms": [vars(histogram) for histogram in self.histograms],
            "examples": [example.to_json() for example in self.examples],
        }

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        from html import escape

        rows = "".join(
            f"<tr><td>{d.aspect.value}</td><td>{escape(d.name)}</td>"
            f"<td>{escape(d.new_name or '')}</td><td>{escape(d.detail)}</td></tr>"
            for d in self.differences
        )
        sentences = [f"{self.num_equal} variables are equal", *self.remarks()]
        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        return f"<table>{rows}</table>{said}"

    def remarks(self) -> list[str]:
        """What was left out, and which pattern matches nothing, a sentence each."""
        if not self.left_out:
            return list(self.unused)
        return [
            f"{messages.quoted(self.left_out)} left out: metrics and strings of "
            f"objects, which a checkpoint by names does not have",
            *self.unused,
        ]
