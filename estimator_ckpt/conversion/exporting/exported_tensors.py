"""What is going to be in a `.safetensors` file, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle.tensors.dtypes import DataType
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.layouts.torch.torch_rules import TorchRule


class Exported(NamedTuple):
    """A tensor of the file.

    Attributes:
      name: its name there.
      variables: the variables that it is made of.
      before: their type.
      dtype: its own.
      shape: its shape.
      word: the word of the rule that gives it; empty in TensorFlow's layout.
      evidence: what says that this is the rule.
      pieces: gives its values.
    """

    name: str
    variables: tuple[str, ...]
    before: DataType
    dtype: DataType
    shape: tuple[int, ...]
    word: str
    evidence: str
    pieces: Callable[[], Iterator[Any]]


@dataclasses.dataclass(frozen=True)
class Export:
    """What is going to be written; nothing is yet.

    Attributes:
      source: the source's prefix.
      path: the file.
      tensors: what is in it, by name.
      left_out: the variables that are not, by why.
      rules: those that give PyTorch's tensors; None for TensorFlow's layout.
      remarks: what the user should know, a sentence each.
    """

    source: str
    path: str
    tensors: Mapping[str, Exported]
    left_out: Mapping[str, Sequence[str]]
    rules: Optional[Sequence[TorchRule]]
    remarks: tuple[str, ...]

    def sentences(self) -> list[str]:
        """What the user should know: what is left out, and more."""
        found = [
            f"{self.source}: {len(names)} left out, {why}: "
            f"{messages.quoted(names, most=3)}"
            for why, names in self.left_out.items()
        ]
        return [*found, *self.remarks]
