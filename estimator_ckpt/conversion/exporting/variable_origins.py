"""What each variable is made of, in a file in PyTorch's layout."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader
from estimator_ckpt.conversion.exporting import file_metadata
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError
from estimator_ckpt.layouts.torch import tensor_evidence
from estimator_ckpt.layouts.torch.permutations import Permutation
from estimator_ckpt.layouts.torch.torch_rules import Request, TorchRule


class Origin(NamedTuple):
    """What a variable is made of.

    Attributes:
      part: the rule that made these tensors of variables.
      tensors: their names in the file.
      place: which of the variables it is.
      permutation: how the axes of the one tensor are put, if it is only that.
      entry: the variable's type and shape, without place and checksum.
    """

    part: LayoutRule
    tensors: tuple[str, ...]
    place: int
    permutation: Optional[Permutation]
    entry: Entry


class Origins(NamedTuple):
    """What a file is as variables.

    Attributes:
      of: what each variable is made of, by its name.
      left_out: the tensors that no variable is made of.
      unused: a sentence for each rule of the user's that is about no tensor.
    """

    of: Mapping[str, Origin]
    left_out: Sequence[str]
    unused: tuple[str, ...]


def of_file(reader: SafetensorsReader, requests: Sequence[Request]) -> Origins:
    """Decides what becomes of each tensor.

    Args:
      reader: the file.
      requests: the user's rules.

    Raises:
      LayoutRuleError: a tensor is undecided, or a rule does not fit.
      CheckpointError: two variables would have one name.
    """
    shapes = {name: reader.index[name].shape for name in reader.index}
    noted = file_metadata.rules_in(reader.metadata, reader.prefix)
    planned = tensor_evidence.plan(shapes, noted, requests, reader.prefix)
    found: dict[str, Origin] = {}
    for rule in planned.rules:
        for part in rule.parts:
            for name, origin in _made_by(reader, rule, part):
                other = found.setdefault(name, origin)
                if other is not origin and not _are_copies(reader, origin, other):
                    raise CheckpointError(
                        f"{reader.prefix}: {messages.quoted(origin.tensors)} and "
                        f"{messages.quoted(other.tensors)} would both be the variable "
                        f"{name!r}; give one another rule (layouts, --layouts=FILE)"
                    )
    return Origins(found, planned.left_out, planned.unused)


def _are_copies(reader: SafetensorsReader, one: Origin, other: Origin) -> bool:
    """Whether two tensors hold one variable: what a map copied to two names."""
    if one.permutation is None or one.permutation != other.permutation:
        return False
    tensors = one.tensors[0], other.tensors[0]
    if reader.index[tensors[0]].dtype != reader.index[tensors[1]].dtype:
        return False
    pieces = map(reader.iter_arrays, tensors)
    return all(a.tobytes() == b.tobytes() for a, b in zip(*pieces))


def _made_by(
    reader: SafetensorsReader, rule: TorchRule, part: LayoutRule
) -> Iterator[tuple[str, Origin]]:
    """The variables that a part of a rule leads back to."""
    tensors = tuple(_found(reader, part, name) for name in part.targets)
    given = [reader.index[name] for name in tensors]
    part.require_one_dtype(tensors, (entry.dtype for entry in given))
    permutation = rule.permutation(part, given[0].shape, is_back=True)
    if permutation is not None:
        shapes = [permutation.made]
    else:
        uses = part.uses_back([entry.shape for entry in given])
        shapes = [use.shape for use in uses]
    size = dtypes.of(given[0].dtype).size or 0
    for place, (name, shape) in enumerate(zip(part.sources, shapes)):
        if math.prod(shape) > sum(entry.num_elements for entry in given):
            raise LayoutRuleError(
                f"{part.text}: {name!r} would be {list(shape)}, more than there is"
            )
        entry = Entry(given[0].dtype, shape, size=math.prod(shape) * size)
        yield name, Origin(part, tensors, place, permutation, entry)


def _found(reader: SafetensorsReader, part: LayoutRule, name: str) -> str:
    """A tensor's name in the file, which can be that of one tied to it.

    The format's library writes one of tied tensors, and notes the others beside.
    """
    if name in reader.index:
        return name
    tied = reader.metadata.get(name)
    if tied is None or tied not in reader.index:
        raise LayoutRuleError(
            f"{part.text}: {reader.prefix} has no {name!r}"
            f"{messages.near(name, reader.index)}"
        )
    return tied
