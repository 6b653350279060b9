"""A file in PyTorch's layout, read as the variables that its tensors were made of."""

from __future__ import annotations

import functools
import math
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointError, UnsupportedCheckpointError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.local_files.scratch_file import ScratchFile
from estimator_ckpt.bundle.tensors import arrays, dtypes, slices
from estimator_ckpt.checkpoint import contents, messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader
from estimator_ckpt.conversion.exporting import file_metadata
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError
from estimator_ckpt.layouts.torch import tensor_evidence
from estimator_ckpt.layouts.torch.permutations import Permutation
from estimator_ckpt.layouts.torch.torch_rules import Request

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

_PIECE = 1 << 20


class _Origin(NamedTuple):
    """What a variable is made of.

    Attributes:
      part: the rule that made these tensors of variables.
      tensors: their names in the file.
      place: which of the variables it is.
      permutation: how the axes of the one tensor are put, if it is only that.
    """

    part: LayoutRule
    tensors: tuple[str, ...]
    place: int
    permutation: Optional[Permutation]


class TorchReader:
    """Reads variables out of a file in PyTorch's layout, as a `TensorReader`.

    Attributes:
      prefix: the file.
      index: the variables, without places and checksums.
      left_out: the tensors that no variable is made of.
      unused: a sentence for each rule of the user's that is about no tensor.
    """

    def __init__(self, reader: SafetensorsReader, requests: Sequence[Request]) -> None:
        """Decides what becomes of each tensor.

        Args:
          reader: the file.
          requests: the user's rules.

        Raises:
          LayoutRuleError: a tensor is undecided, or a rule does not fit.
          CheckpointError: two variables would have one name.
        """
        self.prefix = reader.prefix
        self._reader = reader
        shapes = {name: reader.index[name].shape for name in reader.index}
        noted = file_metadata.rules_in(reader.metadata, reader.prefix)
        planned = tensor_evidence.plan(shapes, noted, requests, reader.prefix)
        self.left_out, self.unused = planned.left_out, planned.unused
        self._origins: dict[str, _Origin] = {}
        entries: dict[str, Entry] = {}
        for rule in planned.rules:
            for part in rule.parts:
                for name, origin, entry in self._made_by(rule, part):
                    if name in entries:
                        if self._are_copies(origin, self._origins[name]):
                            continue
                        raise CheckpointError(
                            f"{self.prefix}: {messages.quoted(origin.tensors)} and "
                            f"{messages.quoted(self._origins[name].tensors)} would "
                            f"both be the variable {name!r}; give one another rule "
                            f"(layouts, --layouts=FILE)"
                        )
                    self._origins[name], entries[name] = origin, entry
        records = {coding.name_to_key(n): e.serialize() for n, e in entries.items()}
        self.index = Index(self.prefix, Header(), dict(sorted(records.items())), b"")

    def _are_copies(self, one: _Origin, other: _Origin) -> bool:
        """Whether two tensors hold one variable: what a map copied to two names."""
        if None in (one.permutation, other.permutation):
            return False
        if one.permutation != other.permutation:
            return False
        tensors = one.tensors[0], other.tensors[0]
        if self._reader.index[tensors[0]].dtype != self._reader.index[tensors[1]].dtype:
            return False
        pieces = map(self._reader.iter_arrays, tensors)
        return all(a.tobytes() == b.tobytes() for a, b in zip(*pieces))

    def _made_by(
        self, rule: Any, part: LayoutRule
    ) -> Iterator[tuple[str, _Origin, Entry]]:
        """The variables that a part of a rule leads back to."""
        tensors = tuple(map(self._found(part), part.targets))
        given = [self._reader.index[name] for name in tensors]
        if len({entry.dtype for entry in given}) != 1:
            raise LayoutRuleError(
                f"{part.text}: {messages.quoted(tensors)} are not of one type"
            )
        permutation = rule.permutation(given[0].shape, is_back=True)
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
            yield name, _Origin(part, tensors, place, permutation), entry

    def _found(self, part: LayoutRule) -> Any:
        """Gives a tensor's name in the file, which can be that of one tied to it.

        The format's library writes one of tied tensors, and notes the others beside.
        """

        def found(name: str) -> str:
            there = self._reader.index
            if name not in there:
                tied = self._reader.metadata.get(name)
                if tied is None or tied not in there:
                    raise LayoutRuleError(
                        f"{part.text}: {self.prefix} has no {name!r}"
                        f"{messages.near(name, there)}"
                    )
                return tied
            return name

        return found

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a variable."""
        del check  # there is nothing to check it with
        origin, entry = self._origins[name], self.index[name]
        given = [self._reader.read(tensor) for tensor in origin.tensors]
        if origin.permutation is not None:
            return arrays.frozen(origin.permutation(given[0]).reshape(entry.shape))
        assert origin.part.backward is not None
        made = origin.part.backward(given)[origin.place]
        return arrays.frozen(made.reshape(entry.shape))

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a variable."""
        shape = self.index[name].shape
        region = slices.resolve(tuple(Extent(*extent) for extent in extents), shape)
        everything = [Extent(0, size) for size in shape]
        part: Array = self.read(name, check)[slices.within(region, everything)]
        return arrays.frozen(part)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a variable in flat pieces."""
        origin, entry = self._origins[name], self.index[name]
        dtype = arrays.dtype_of(entry)
        if origin.permutation is not None:
            (tensor,) = origin.tensors
            yield from origin.permutation.pieces(
                self._reader.iter_arrays(tensor),
                dtype,
                functools.partial(ScratchFile, tempfile.gettempdir()),
            )
            return
        flat = self.read(name, check).reshape(-1)
        step = max(_PIECE // dtype.itemsize, 1)
        for start in range(0, len(flat), step):
            yield flat[start : start + step]

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of a variable."""
        for piece in self.iter_arrays(coding.key_to_name(key)):
            yield piece.view("u1").data

    def verify(self, key: bytes) -> None:
        """Says that there is nothing to verify with.

        Raises:
          UnsupportedCheckpointError: always.
        """
        self._reader.verify(key)

    def verify_whole(self, name: str) -> None:
        """The same as `verify`."""
        self._reader.verify_whole(name)

    def unmap(self) -> None:
        """Does nothing: nothing is mapped."""

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()


def opened(
    checkpoint: Checkpoint, requests: Sequence[Request], store: files.Store = files
) -> Checkpoint:
    """A file in PyTorch's layout, as a checkpoint of variables.

    Args:
      checkpoint: the file as it is; the new one closes it.
      requests: the user's rules.
      store: where it is.

    Raises:
      UnsupportedCheckpointError: it is no `.safetensors` file.
      As `TorchReader`.
    """
    if not isinstance(checkpoint.reader, SafetensorsReader):
        raise UnsupportedCheckpointError(
            f"{checkpoint.prefix}: layout='torch' (--layout=torch) is for what is "
            f"written in PyTorch's layout, or read from a .safetensors file in it"
        )
    reader = TorchReader(checkpoint.reader, requests)
    meaning = contents.of_names(reader.index)
    return Checkpoint(reader, None, meaning, store, checkpoint.overruling)
