"""The values of one slice in a V1 checkpoint: fields of a TensorProto, by type.

Values stand in the fields that are named after a type (`float_val`), numbers packed:
floats as they are in memory, integers as varints, halves as varints of their bits.

Source: `tensorflow/core/framework/tensor.proto` and the files that TensorFlow 1.15.5
writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Callable

from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.varints import Bytes
from estimator_ckpt.bundle.tensors import dtypes

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

#: Names of types by the field that has their values: those that are as they are in
#: memory, those that are varints, and those of two bytes whose bits are.
_PLAIN = {"float32": 5, "float64": 6, "complex64": 9, "complex128": 12}
_VARINTS = {
    **dict.fromkeys(("int32", "uint8", "int16", "int8", "uint16"), 7),
    **dict.fromkeys(("qint8", "quint8", "qint32", "qint16", "quint16"), 7),
    "int64": 10,
    "bool": 11,
    "uint32": 16,
    "uint64": 17,
}
_HALVES = {"float16": 13, "bfloat16": 13}
_STRINGS = {"string": 8}


def decode(content: bytes, dtype: dtypes.DataType) -> Array:
    """The values in a SavedTensorSlices: data.data, a TensorProto.

    Returns:
      As many elements as there are, flat.

    Raises:
      ValueError: it holds no such values.
      UnsupportedCheckpointError: the format has no values of the type.
    """
    for fields, of_values in _DECODERS:
        if dtype.name in fields:
            return of_values(_values(content, fields[dtype.name]), dtype)
    raise UnsupportedCheckpointError(
        f"the V1 format has no tensors of dtype {dtype.name} that can be read"
    )


def _values(content: bytes, number: int) -> list[Bytes]:
    return [
        value
        for saved in wire.each(memoryview(content), 2)
        for tensor in wire.each(saved, 3)
        for value in wire.each(tensor, number)
    ]


def _strings(values: Sequence[Bytes], dtype: dtypes.DataType) -> Array:
    import numpy as np

    out = np.empty(len(values), object)
    out[:] = list(map(bytes, values))
    return out


def _plain(values: Sequence[Bytes], dtype: dtypes.DataType) -> Array:
    import numpy as np

    packed = b"".join(values)
    if len(packed) % (dtype.size or 1):
        raise ValueError(f"{len(packed)} bytes are no {dtype.name}")
    return np.frombuffer(packed, dtype.numpy)


def _integers(values: Sequence[Bytes], dtype: dtypes.DataType) -> Array:
    return _varints(b"".join(values)).astype(dtype.numpy)


def _halves(values: Sequence[Bytes], dtype: dtypes.DataType) -> Array:
    return _varints(b"".join(values)).astype("<u2").view(dtype.numpy)


_Decoder = Callable[[Sequence[Bytes], dtypes.DataType], "Array"]
_DECODERS: tuple[tuple[dict[str, int], _Decoder], ...] = (
    (_PLAIN, _plain),
    (_VARINTS, _integers),
    (_HALVES, _halves),
    (_STRINGS, _strings),
)


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
