"""Weights out of a frozen graph, as `BundleReader` reads those of a bundle.

A `.pb` file with a GraphDef whose variables were made constants. Of its constants most
are shapes, axes and paddings: weights are those that an Identity reads as it read the
variable (`dense/kernel/read`, `.../ReadVariableOp`), and tables that are looked up in:
what was a ResourceGather has no Identity. Where no Identity is left, since the graph
was optimized, they are those of floating point and at least one dimension.

A constant's values are read when they are asked for.

Source: `tensorflow/core/framework/{graph,node_def,tensor}.proto`; `docs/format.md`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CorruptDataError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.protobuf.graph_schema import TensorProto
from estimator_ckpt.bundle.tensors import arrays, dtypes
from estimator_ckpt.checkpoint.weight_files import graph_file
from estimator_ckpt.checkpoint.weight_files.graph_file import Constant
from estimator_ckpt.checkpoint.weight_files.unchecked_reader import (
    Counts,
    UncheckedReader,
)

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

_LOOKUPS = frozenset({"Gather", "GatherV2"})
_FLOATING = frozenset({1, 2, 14, 19})
# What constants of few bytes may become that stand for many equal values.
_MOST_BYTES = 256 << 20
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


class FrozenGraphReader(UncheckedReader):
    """Reads the weights of a frozen graph."""

    NOT_ONE = "no binary GraphDef"
    NO_CHECKSUMS = (
        "a frozen graph has no checksums; it can be read, which is all that can be said"
    )

    def _entries(self) -> Mapping[str, Entry]:
        _require_graph(self._file, self.prefix)
        self._weights = _weights(self._file)
        return {name: _entry(constant) for name, constant in self._weights.items()}

    def _pieces(self, name: str, entry: Entry, counts: Counts) -> Iterator[Array]:
        content = self._weights[name].content
        if content is None:
            yield from self._spelled_out(name, entry, counts)
            return
        if content.size != entry.size:
            raise self._damaged(
                name,
                f"{content.size} bytes for {entry.num_elements} elements of "
                f"{arrays.dtype_of(entry)}",
            )
        yield from self._stored(content.start, entry, counts)

    def _spelled_out(self, name: str, entry: Entry, counts: Counts) -> Iterator[Array]:
        """The elements of a constant that has them in fields by their type."""
        try:
            tensor = graph_file.values(self._file, self._weights[name])
            flat = _decoded(tensor, arrays.dtype_of(entry), entry.num_elements)
        except ValueError as error:
            raise self._damaged(name, str(error)) from None
        start = 0
        for count in counts:
            yield flat[start : start + count]
            start += count

    def _damaged(self, name: str, what: str) -> CorruptDataError:
        return CorruptDataError(
            f"{self.prefix}: the constant {coding.show(name)}: {what}"
        )


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
    constants, read, looked_up = _constants(file)
    arrays_of_floats = [
        name
        for name, constant in constants.items()
        if constant.dtype in _FLOATING and constant.shape
    ]
    chosen = [name for name in read if name in constants]
    if chosen:
        chosen += [n for n in arrays_of_floats if n in looked_up and n not in read]
    else:
        chosen = arrays_of_floats
    _require_possible({name: constants[name] for name in chosen})
    return {name: constants[name] for name in chosen}


def _constants(
    file: files.InputFile,
) -> tuple[dict[str, Constant], dict[str, None], set[str]]:
    """The constants of numbers by name, what is read as a variable is, and tables."""
    constants: dict[str, Constant] = {}
    read: dict[str, None] = {}
    looked_up: set[str] = set()
    node = None
    for node in graph_file.nodes(file):
        if node.op == "Const":
            if node.constant is not None and _is_number(node.constant.dtype):
                constants[node.name] = node.constant
        elif node.op == "Identity" and node.inputs and _reads(node.name):
            read[node.inputs[0]] = None
        elif node.op in _LOOKUPS:
            looked_up.update(node.inputs[:1])
    if node is None:
        raise ValueError("it has no nodes")
    return constants, read, looked_up


def _require_possible(chosen: Mapping[str, Constant]) -> None:
    """Raises ValueError where names or sizes of constants cannot be true."""
    for name, constant in chosen.items():
        shape = constant.shape
        if not name or name.startswith("\0") or min(shape, default=0) < 0:
            raise ValueError(f"the constant {coding.show(name)} cannot be one")
    total = sum(_entry(c).size for c in chosen.values() if c.content is None)
    if total > _MOST_BYTES:
        raise ValueError(f"its constants say that they stand for {total} bytes")


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
