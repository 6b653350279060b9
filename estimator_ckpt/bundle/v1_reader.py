"""Checkpoints of the V1 format, as TensorFlow wrote them before 2017.

    file    a table (see table.py)
    ""      SavedTensorSlices with `meta`: name, shape, type and slices of each tensor
    key     SavedTensorSlices with `data`: the values of one slice, as a TensorProto

A key is that of a slice in a tensor bundle. A checkpoint is one file, or several that
each have some of the slices; a tensor that is not partitioned is one slice of all of
it. There is no index and no checksum but that of each block.

Values stand in the fields of a TensorProto that are named after a type (`float_val`),
numbers packed: floats as they are in memory, integers as varints.

Source: `tensorflow/core/util/saved_tensor_slice.proto`, `tensor_slice_writer.h` and
the files that TensorFlow 1.15.5 writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent, Slice
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CheckpointNotFoundError,
    CorruptDataError,
    CorruptIndexError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import SavedTensorSlices
from estimator_ckpt.bundle.sstable.table import Table
from estimator_ckpt.bundle.tensors import dtypes, framing, slices
from estimator_ckpt.bundle.tensors.slices import resolve, show_key

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_VERSION = 1
_PIECE = 1 << 20

#: The field of a TensorProto that holds a type's values: those whose elements are
#: packed as they are in memory, and those that are packed as varints.
_PLAIN = {"float32": 5, "float64": 6, "complex64": 9, "complex128": 12}
_VARINTS = {
    **dict.fromkeys(("int32", "uint8", "int16", "int8", "uint16"), 7),
    **dict.fromkeys(("qint8", "quint8", "qint32", "qint16", "quint16"), 7),
    "int64": 10,
    "bool": 11,
    "uint32": 16,
    "uint64": 17,
}
#: Two bytes each, as varints of their bits.
_HALVES = {"float16": 13, "bfloat16": 13}
_STRINGS = 8


class _Tensor(NamedTuple):
    """What the tables say of a tensor, and which table has each of its slices."""

    dtype: int
    shape: tuple[int, ...]
    parts: dict[Slice, Table]


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
        self._tensors: dict[str, _Tensor] = {}
        self._tables: list[Table] = []
        if not paths:
            raise CheckpointNotFoundError(f"{prefix}: none of its files is there")
        with contextlib.ExitStack() as stack:
            for path in paths:
                file = stack.enter_context(contextlib.closing(store.open_file(path)))
                table = Table(file, path)
                self._tables.append(table)
                self._add(table)
            self._stack = stack.pop_all()
        self.index = Index(
            prefix,
            Header(),
            {
                coding.name_to_key(name): _entry(tensor).serialize()
                for name, tensor in sorted(self._tensors.items())
            },
            b"",
        )

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
            return _frozen(piece)
        import numpy as np

        out = np.empty([length for _, length in region], dtype)
        for part, piece in pieces.items():
            out[slices.within(common[part], region)] = piece
        return _frozen(out)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in the same pieces as `BundleReader.iter_arrays`."""
        array = self.read(name, check)
        if array.dtype == object:
            yield array.reshape(-1)
            return
        most = min(_PIECE, files.CHUNK) // array.dtype.itemsize
        start, flat = 0, array.reshape(-1)
        for region in slices.row_major(array.shape, most):
            size = slices.volume(region)
            yield flat[start : start + size]
            start += size

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

    def _tensor(self, name: str) -> _Tensor:
        if name not in self._tensors:
            self.index.raw(coding.name_to_key(name))  # raises
        return self._tensors[name]

    def _add(self, table: Table) -> None:
        """Takes over what a file says that it has."""
        content = table.get(b"")
        try:
            if content is None:
                raise ValueError("it does not say which tensors are in it")
            meta = wire.decode(SavedTensorSlices, content).meta
        except ValueError as error:
            raise CorruptIndexError(
                f"{table.source}: a table, but no checkpoint of the V1 format: {error}"
            ) from None
        version = meta.versions
        if version.min_consumer > _VERSION or _VERSION in version.bad_consumers:
            raise UnsupportedCheckpointError(
                f"{table.source}: made for readers of version {version.min_consumer} "
                f"of the V1 format; this is version {_VERSION}"
            )
        for tensor in meta.tensor:
            shape = tensor.shape
            known = self._tensors.setdefault(
                tensor.name, _Tensor(tensor.type, shape, {})
            )
            if (known.dtype, known.shape) != (tensor.type, shape):
                raise CorruptIndexError(
                    f"{self.prefix}: its files differ in the dtype or shape of "
                    f"{coding.show(tensor.name)}"
                )
            for part in tensor.slice:
                try:
                    resolve(part, shape)
                except ValueError as error:
                    raise CorruptIndexError(
                        f"{table.source}: {coding.show(tensor.name)}: {error}"
                    ) from None
                known.parts[part] = table

    def _values(
        self, name: str, tensor: _Tensor, part: Slice, box: Sequence[Extent]
    ) -> Array:
        """The values of one slice."""
        table = tensor.parts[part]
        content = table.get(coding.slice_key(name, part))
        where = f"{table.source}: {coding.show(name)} {show_key(part)}"
        if content is None:
            raise CorruptDataError(f"{where}: it is listed, but its values are missing")
        try:
            flat = _decode(content, dtypes.of(tensor.dtype))
            if len(flat) != slices.volume(box):
                raise ValueError(
                    f"it has {len(flat)} elements, not {slices.volume(box)}"
                )
        except ValueError as error:
            raise CorruptDataError(f"{where} is damaged: {error}") from None
        return flat.reshape([length for _, length in box])


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _entry(tensor: _Tensor) -> Entry:
    dtype = dtypes.of(tensor.dtype)
    entry = Entry(tensor.dtype, tensor.shape)
    least = (dtype.size if dtype.size is not None else 1) * entry.num_elements
    return entry._replace(size=least + 4 * dtype.is_string)


def _decode(content: bytes, dtype: dtypes.DataType) -> Array:
    """The values in a SavedTensorSlices: data.data, a TensorProto. Flat.

    Raises:
      ValueError: it holds no such values.
    """
    import numpy as np

    known = next((t for t in (_PLAIN, _VARINTS, _HALVES) if dtype.name in t), None)
    if known is None and not dtype.is_string:
        raise UnsupportedCheckpointError(
            f"the V1 format has no tensors of dtype {dtype.name} that can be read"
        )
    number = _STRINGS if known is None else known[dtype.name]
    values = [
        value
        for saved in wire.each(memoryview(content), 2)
        for tensor in wire.each(saved, 3)
        for value in wire.each(tensor, number)
    ]
    if known is None:
        out = np.empty(len(values), object)
        out[:] = list(map(bytes, values))
        return out
    packed = b"".join(values)
    if known is _PLAIN:
        if len(packed) % (dtype.size or 1):
            raise ValueError(f"{len(packed)} bytes are no {dtype.name}")
        return np.frombuffer(packed, dtype.numpy)
    bits = _varints(packed)
    if known is _HALVES:
        return bits.astype("<u2").view(dtype.numpy)
    return bits.astype(dtype.numpy)


def _varints(packed: bytes) -> Array:
    """Varints one behind the other, as int64.

    Raises:
      ValueError: the last is cut off, or one is too long.
    """
    import numpy as np

    data = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise ValueError("a varint is cut off")
    starts = np.concatenate([ends[:0], [0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    longest = int(lengths.max(initial=0))
    if longest > 10:
        raise ValueError("a varint is longer than 64 bits")
    out = np.zeros(len(ends), np.uint64)
    for place in range(longest):
        there = lengths > place
        septet = data[starts[there] + place].astype(np.uint64) & np.uint64(0x7F)
        out[there] |= septet << np.uint64(7 * place)
    return out.view(np.int64)
