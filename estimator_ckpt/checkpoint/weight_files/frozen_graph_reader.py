"""Weights out of a frozen graph, as `BundleReader` reads those of a bundle.

A `.pb` file with a GraphDef whose variables were made constants. Of its constants most
are shapes, axes and paddings: weights are those that an Identity reads as it read the
variable (`dense/kernel/read`, `.../ReadVariableOp`). Where no Identity is left, since
the graph was optimized, they are those of floating point and at least one dimension.

The file is read and not mapped, and a constant's values only when they are asked for.

Source: `tensorflow/core/framework/{graph,node_def,tensor}.proto`; `docs/format.md`.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CorruptDataError,
    CorruptIndexError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.protobuf.schema import TensorProto
from estimator_ckpt.bundle.tensors import arrays, dtypes, slices
from estimator_ckpt.bundle.tensors.slices import resolve
from estimator_ckpt.checkpoint.weight_files import graph_file
from estimator_ckpt.checkpoint.weight_files.graph_file import Constant

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

_FLOATING = frozenset({1, 2, 14, 19})
# What constants of few bytes may become that stand for many equal values.
_MOST_BYTES = 256 << 20
_PIECE = 1 << 20
#: What a graph as text begins with, behind blanks and comments.
_TEXT = re.compile(rb"(?:\s|#[^\n]*\n)*(?:node|versions|library|meta_info_def)\s*[:{]")
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
            _require_graph(self._file, path)
            self._weights = _weights(self._file)
        except ValueError as error:
            self._file.close()
            raise CorruptIndexError(f"{path}: no binary GraphDef: {error}") from None
        except BaseException:
            self._file.close()
            raise
        records = {
            coding.name_to_key(name): _entry(constant).serialize()
            for name, constant in self._weights.items()
        }
        self.index = Index(path, Header(), dict(sorted(records.items())), b"")

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor; the arguments and errors are those of `BundleReader`."""
        del check  # there is nothing to check it with
        entry = self.index[name]
        flat, start = arrays.empty((entry.num_elements,), arrays.dtype_of(entry)), 0
        for piece in self.iter_arrays(name):
            flat[start : start + len(piece)] = piece
            start += len(piece)
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
        del check  # there is nothing to check it with
        entry, constant = self.index[name], self._weights[name]
        dtype = arrays.dtype_of(entry)
        most = min(_PIECE, files.CHUNK) // dtype.itemsize
        runs = map(slices.volume, slices.row_major(entry.shape, most))
        start = 0
        if constant.content is None:
            flat = self._spelled_out(name, dtype, entry.num_elements)
            for count in runs:
                yield flat[start : start + count]
                start += count
            return
        if constant.content.size != entry.size:
            raise self._damaged(
                name,
                f"{constant.content.size} bytes for {entry.num_elements} elements of "
                f"{dtype}",
            )
        at = constant.content.start
        for count in runs:
            data = self._file.read(at, count * dtype.itemsize)
            yield arrays.of_numbers(memoryview(data), dtype, sys.byteorder == "big")
            at += len(data)

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of a tensor."""
        for piece in self.iter_arrays(coding.key_to_name(key)):
            yield piece.view("u1").data

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
        """Reads all of a tensor, which is all that can be checked beforehand."""
        for _ in self.iter_arrays(name):
            pass

    def unmap(self) -> None:
        """Does nothing: nothing is mapped."""

    def close(self) -> None:
        """Closes the file. Arrays that were read stay valid."""
        self._file.close()

    def _spelled_out(self, name: str, dtype: Any, count: int) -> Array:
        """The values of a constant that has them in fields by their type, flat."""
        try:
            tensor = graph_file.values(self._file, self._weights[name])
            return _decoded(tensor, dtype, count)
        except ValueError as error:
            raise self._damaged(name, str(error)) from None

    def _damaged(self, name: str, what: str) -> CorruptDataError:
        return CorruptDataError(
            f"{self.prefix}: the constant {coding.show(name)}: {what}"
        )

    def __enter__(self) -> FrozenGraphReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _require_graph(file: files.InputFile, path: str) -> None:
    """Tells what else is called `.pb`: a SavedModel's graph, and text.

    Raises:
      UnsupportedCheckpointError: it is a SavedModel's.
      ValueError: it is text.
    """
    start = file.read(0, min(file.size, 512))
    if start.startswith(b"\x08"):
        raise UnsupportedCheckpointError(
            f"{path}: the saved_model.pb of a SavedModel; give the directory that it "
            f"is in"
        )
    if _TEXT.match(start):
        raise ValueError(
            "it is a graph as text; tf.io.write_graph(..., as_text=False) writes a "
            "binary one"
        )


def _weights(file: files.InputFile) -> dict[str, Constant]:
    """The constants that are weights, by node name."""
    constants: dict[str, Constant] = {}
    read: dict[str, None] = {}
    number = 0
    for node in graph_file.nodes(file):
        number += 1
        if node.op == "Const":
            if node.constant is not None and _is_number(node.constant.dtype):
                constants[node.name] = node.constant
        elif node.op == "Identity" and node.inputs and _reads(node.name):
            read[node.inputs[0]] = None
    if not number:
        raise ValueError("it has no nodes")
    chosen = [name for name in read if name in constants] or [
        name
        for name, constant in constants.items()
        if constant.dtype in _FLOATING and constant.shape
    ]
    total = 0
    for name in chosen:
        entry = _entry(constants[name])
        if not name or name.startswith("\0") or min(entry.shape, default=0) < 0:
            raise ValueError(f"the constant {coding.show(name)} cannot be one")
        if constants[name].content is None:
            total += entry.size
    if total > _MOST_BYTES:
        raise ValueError(f"its constants say that they stand for {total} bytes")
    return {name: constants[name] for name in chosen}


def _is_number(dtype: int) -> bool:
    known = dtypes.of(dtype)
    return known.size is not None and known.alias is not None


def _reads(name: str) -> bool:
    return name.endswith("/read") or "ReadVariableOp" in name


def _entry(constant: Constant) -> Entry:
    size = math.prod(constant.shape) * (dtypes.of(constant.dtype).size or 0)
    return Entry(constant.dtype, constant.shape, size=max(size, 0))


def _decoded(tensor: TensorProto, dtype: Any, count: int) -> Array:
    """A constant's values, flat; the last one stands for all that are left out."""
    import numpy as np

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
