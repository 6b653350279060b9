"""Checkpoints of the V1 format, as TensorFlow wrote them before 2017.

    file    a table (see table.py)
    ""      SavedTensorSlices with `meta`: name, shape, type and slices of each tensor
    key     SavedTensorSlices with `data`: the values of one slice, as a TensorProto

A key is that of a slice in a tensor bundle. A checkpoint is one file, or several that
each have some of the slices; a tensor that is not partitioned is one slice of all of
it. There is no index and no checksum but that of each block.

Source: `tensorflow/core/util/saved_tensor_slice.proto`, `tensor_slice_writer.h` and
the files that TensorFlow 1.15.5 writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent, Slice
from estimator_ckpt.bundle.errors import (
    CheckpointNotFoundError,
    CorruptDataError,
    CorruptIndexError,
)
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.sstable.table import Table
from estimator_ckpt.bundle.tensors import arrays, dtypes, framing, slices
from estimator_ckpt.bundle.tensors.slices import resolve, show_key
from estimator_ckpt.bundle.v1_format import v1_contents, v1_values
from estimator_ckpt.bundle.v1_format.v1_contents import V1Tensor

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


class V1Reader:
    """Reads the tensors of a V1 checkpoint, as `BundleReader` those of a bundle.

    Attributes:
      prefix: the checkpoint; of one in shards, the pattern for them.
      index: its tensors as an index of a bundle has them, partitioned ones whole, but
        without a place and a checksum.
    """

    def __init__(
        self, prefix: str, paths: Sequence[str], store: files.Store = files
    ) -> None:
        """Reads what there is, without the values.

        Args:
          prefix: the checkpoint, for messages.
          paths: its files.
          store: where they are.

        Raises:
          CheckpointNotFoundError: a file is not there.
          CorruptIndexError: one is damaged, or they do not fit together.
          UnsupportedCheckpointError: made for readers of a later version.
        """
        self.prefix = prefix
        self._stack = contextlib.ExitStack()
        if not paths:
            raise CheckpointNotFoundError(f"{prefix}: none of its files is there")
        with contextlib.ExitStack() as stack:
            self._tensors = v1_contents.tensors(prefix, _tables(paths, store, stack))
            self._stack = stack.pop_all()
        records = {
            coding.name_to_key(name): tensor.entry.serialize()
            for name, tensor in sorted(self._tensors.items())
        }
        self.index = Index(prefix, Header(), records, b"")

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor; the arguments and errors are those of `BundleReader`."""
        del check  # a block is never read without its checksum
        return self.read_slice(name, [(0, -1)] * len(self._tensor(name).shape))

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor, however the tensor is stored."""
        del check
        tensor = self._tensor(name)
        dtype = dtypes.of(tensor.dtype).numpy
        region = resolve(tuple(Extent(*e) for e in extents), tensor.shape)
        boxes = {part: resolve(part, tensor.shape) for part in tensor.parts}
        common = {part: slices.intersection(boxes[part], region) for part in boxes}
        if not slices.is_tiled(region, list(common.values())):
            raise CorruptIndexError(
                f"{self.prefix}: the slices of {coding.show(name)} leave gaps or "
                f"overlap"
            )
        # All of it, before an array of the whole shape is made, which may be a lie.
        pieces = {
            part: self._values(name, tensor, part, box)[
                slices.within(common[part], box)
            ]
            for part, box in boxes.items()
            if slices.volume(common[part])
        }
        if len(pieces) == 1:
            (piece,) = pieces.values()
            return arrays.frozen(piece)
        import numpy as np

        out = np.empty([length for _, length in region], dtype)
        for part, piece in pieces.items():
            out[slices.within(common[part], region)] = piece
        return arrays.frozen(out)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in the same pieces as `BundleReader.iter_arrays`."""
        array = self.read(name, check)
        if array.dtype == object:
            yield array.reshape(-1)
            return
        yield from arrays.in_pieces(array)

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """A tensor's bytes, as a bundle would hold them."""
        array = self.read(coding.key_to_name(key))
        if array.dtype != object:
            yield memoryview(array.tobytes())
            return
        for written, _ in framing.frame_strings(array.reshape(-1).tolist()):
            yield memoryview(written)

    def verify(self, key: bytes) -> None:
        """Reads a tensor, and with it the checksums of its blocks."""
        self.read(coding.key_to_name(key))

    def verify_whole(self, name: str) -> None:
        """The same as `verify`."""
        self.read(name)

    def unmap(self) -> None:
        """Does nothing: no file is mapped."""

    def close(self) -> None:
        """Closes the files. Arrays that were read stay valid."""
        self._stack.close()

    def __enter__(self) -> V1Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tensor(self, name: str) -> V1Tensor:
        if name not in self._tensors:
            self.index.raw(coding.name_to_key(name))  # raises
        return self._tensors[name]

    def _values(
        self, name: str, tensor: V1Tensor, part: Slice, box: Sequence[Extent]
    ) -> Array:
        """The values of one slice."""
        table = tensor.parts[part]
        content = table.get(coding.slice_key(name, part))
        where = f"{table.source}: {coding.show(name)} {show_key(part)}"
        if content is None:
            raise CorruptDataError(f"{where}: it is listed, but its values are missing")
        try:
            flat = v1_values.decode(content, dtypes.of(tensor.dtype))
            if len(flat) != slices.volume(box):
                raise ValueError(
                    f"it has {len(flat)} elements, not {slices.volume(box)}"
                )
        except ValueError as error:
            raise CorruptDataError(f"{where} is damaged: {error}") from None
        return flat.reshape([length for _, length in box])


def _tables(
    paths: Sequence[str], store: files.Store, stack: contextlib.ExitStack
) -> Iterator[Table]:
    for path in paths:
        file = stack.enter_context(contextlib.closing(store.open_file(path)))
        yield Table(file, path)
