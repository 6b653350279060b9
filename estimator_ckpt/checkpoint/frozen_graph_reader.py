"""Weights out of a frozen graph, as `BundleReader` reads those of a bundle.

A `.pb` file with a GraphDef whose variables were made constants. Of its constants most
are shapes, axes and paddings: weights are those that an Identity reads as it read the
variable (`dense/kernel/read`, `.../ReadVariableOp`). Where no Identity is left, since
the graph was optimized, they are those of floating point and at least one dimension.

The file is mapped, and only what a constant says of itself is read before its values.

Source: `tensorflow/core/framework/{graph,node_def,tensor}.proto`; `docs/format.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle import arrays, coding, dtypes, files, slices, wire
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CorruptDataError,
    CorruptIndexError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.schema import NodeDef, TensorProto
from estimator_ckpt.bundle.slices import resolve

if TYPE_CHECKING:
    from estimator_ckpt.bundle.arrays import Array

_NODE = 1
_FLOATING = frozenset({1, 2, 14, 19})
# What constants of few bytes may become that stand for many equal values.
_MOST_BYTES = 256 << 20
_PIECE = 1 << 20
#: The field that holds the values of a type, where `tensor_content` does not.
_VALUES = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}
_OTHER_VALUES = "int_val"


class FrozenGraphReader:
    """Reads the weights of a frozen graph.

    Attributes:
      prefix: the file.
      index: its weights as an index of a bundle has them, but without a place and a
        checksum.
    """

    def __init__(self, path: str, store: files.Store = files) -> None:
        """Reads which weights there are.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CorruptIndexError: it is no GraphDef, or a constant cannot be true.
          UnsupportedCheckpointError: it is a SavedModel's.
        """
        self.prefix = path
        self._file = store.open_file(path)
        try:
            self._weights = _weights(self._file.map(), path)
        except ValueError as error:
            self._file.close()
            raise CorruptIndexError(
                f"{path}: no binary GraphDef: {error} (a text graph has no values to "
                f"read either)"
            ) from None
        except BaseException:
            self._file.close()
            raise
        records = {
            coding.name_to_key(name): _entry(tensor).serialize()
            for name, tensor in self._weights.items()
        }
        self.index = Index(path, Header(), dict(sorted(records.items())), b"")

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor; the arguments and errors are those of `BundleReader`."""
        del check  # there is nothing to check it with
        entry = self.index[name]
        dtype = arrays.dtype_of(entry)
        try:
            flat = _decoded(self._weights[name], dtype, entry.num_elements)
        except ValueError as error:
            raise CorruptDataError(
                f"{self.prefix}: the constant {coding.show(name)}: {error}"
            ) from None
        return arrays.frozen(flat.reshape(entry.shape))

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor."""
        entry = self.index[name]
        region = resolve(tuple(Extent(*extent) for extent in extents), entry.shape)
        everything = [Extent(0, size) for size in entry.shape]
        part: Array = self.read(name, check)[slices.within(region, everything)]
        return arrays.frozen(part)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in the same pieces as `BundleReader.iter_arrays`."""
        flat, start = self.read(name, check).reshape(-1), 0
        most = min(_PIECE, files.CHUNK) // flat.dtype.itemsize
        for region in slices.row_major(self.index[name].shape, most):
            size = slices.volume(region)
            yield flat[start : start + size]
            start += size

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of a tensor."""
        array = self.read(coding.key_to_name(key))
        yield memoryview(array.tobytes())

    def verify(self, key: bytes) -> None:
        """Says that there is nothing to verify with.

        Raises:
          UnsupportedCheckpointError: always.
        """
        raise UnsupportedCheckpointError(
            f"{self.prefix}: a frozen graph has no checksums; it can be read, which is "
            f"all that can be said"
        )

    def verify_whole(self, name: str) -> None:
        """The same as `verify`."""
        self.verify(coding.name_to_key(name))

    def unmap(self) -> None:
        """Does nothing: the weights are views of the map."""

    def close(self) -> None:
        """Closes the file. Arrays that were read stay valid."""
        self._file.close()

    def __enter__(self) -> FrozenGraphReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _weights(data: memoryview, path: str) -> dict[str, TensorProto]:
    """The constants that are weights, by node name."""
    if bytes(data[:1]) == b"\x08":
        raise UnsupportedCheckpointError(
            f"{path}: the saved_model.pb of a SavedModel; give the directory that it "
            f"is in"
        )
    constants: dict[str, TensorProto] = {}
    read: dict[str, None] = {}
    for raw in wire.each(data, _NODE):
        node = wire.decode(NodeDef, raw)
        if node.op == "Const":
            found = [item.value for item in node.attr if item.key == "value"]
            if found and _is_number(found[-1].dtype):
                constants[node.name] = found[-1]
        elif node.op == "Identity" and node.input and _reads(node.name):
            read[node.input[0].partition(":")[0]] = None
    chosen = [name for name in read if name in constants] or [
        name
        for name, tensor in constants.items()
        if tensor.dtype in _FLOATING and tensor.tensor_shape
    ]
    total = 0
    for name in chosen:
        entry = _entry(constants[name])
        if not name or name.startswith("\0") or min(entry.shape, default=0) < 0:
            raise ValueError(f"the constant {coding.show(name)} cannot be one")
        if len(constants[name].tensor_content) != entry.size:
            total += entry.size
    if total > _MOST_BYTES:
        raise ValueError(f"its constants say that they stand for {total} bytes")
    return {name: constants[name] for name in chosen}


def _is_number(dtype: int) -> bool:
    known = dtypes.of(dtype)
    return known.size is not None and known.alias is not None


def _reads(name: str) -> bool:
    return name.endswith("/read") or "ReadVariableOp" in name


def _entry(tensor: TensorProto) -> Entry:
    size = math.prod(tensor.tensor_shape) * (dtypes.of(tensor.dtype).size or 0)
    return Entry(tensor.dtype, tensor.tensor_shape, size=max(size, 0))


def _decoded(tensor: TensorProto, dtype: Any, count: int) -> Array:
    """A constant's values, flat; the last one stands for all that are left out."""
    import numpy as np

    if tensor.tensor_content:
        if len(tensor.tensor_content) != count * dtype.itemsize:
            raise ValueError(
                f"{len(tensor.tensor_content)} bytes for {count} elements of {dtype}"
            )
        return arrays.of_numbers(memoryview(tensor.tensor_content), dtype, False)
    name = dtypes.of(tensor.dtype).name
    values = getattr(tensor, _VALUES.get(name, _OTHER_VALUES))
    if len(values) > count:
        raise ValueError(f"{len(values)} values for {count} elements")
    given = np.asarray(values)
    if name in ("float16", "bfloat16"):
        given = given.astype(np.uint16).view(dtype)
    out = np.zeros(count, dtype)
    out[: len(given)] = given
    if len(given):
        out[len(given) :] = out[len(given) - 1]
    return out
