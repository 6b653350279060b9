"""The data types of tensors: TensorFlow's numbers and names, sizes, NumPy's types.

Numbers: `tensorflow/core/framework/types.proto`. Names: `tf.as_dtype(number).name`.
NumPy is imported only when a NumPy type is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle.errors import UnsupportedCheckpointError

if TYPE_CHECKING:
    import numpy as np


class DataType(NamedTuple):
    """One of TensorFlow's data types.

    Attributes:
      number: its number in a file.
      name: TensorFlow's name of it, `float32`.
      size: bytes of one element in a shard; None where they vary (`string`) or
        where only TensorFlow knows (`variant`, `resource`, a type from the future).
      alias: the NumPy type of one element, or None where there is none. The
        quantized types are the integers that they are made of.
    """

    number: int
    name: str
    size: Optional[int]
    alias: Optional[str]

    @property
    def is_string(self) -> bool:
        return self.number == STRING

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype of a tensor of this type, in little-endian order.

        Raises:
          UnsupportedCheckpointError: there is none, or `ml_dtypes` is too old.
        """
        import numpy as np

        if self.alias is None:
            raise UnsupportedCheckpointError(
                f"a tensor of dtype {self.name} cannot be turned into an array; only "
                f"TensorFlow can read it"
            )
        if not self.alias.startswith(_EXTENDED):
            return np.dtype(self.alias)
        import ml_dtypes

        scalar = getattr(ml_dtypes, self.alias, None)
        if scalar is None:
            raise UnsupportedCheckpointError(
                f"the installed ml_dtypes has no {self.alias}; install a newer one"
            )
        dtype: np.dtype[Any] = np.dtype(scalar)
        return dtype


def _table() -> dict[int, DataType]:
    rows: list[tuple[int, str, Optional[int], Optional[str]]] = [
        (1, "float32", 4, "<f4"),
        (2, "float64", 8, "<f8"),
        (3, "int32", 4, "<i4"),
        (4, "uint8", 1, "u1"),
        (5, "int16", 2, "<i2"),
        (6, "int8", 1, "i1"),
        (7, "string", None, "O"),
        (8, "complex64", 8, "<c8"),
        (9, "int64", 8, "<i8"),
        (10, "bool", 1, "?"),
        (11, "qint8", 1, "i1"),
        (12, "quint8", 1, "u1"),
        (13, "qint32", 4, "<i4"),
        (14, "bfloat16", 2, "bfloat16"),
        (15, "qint16", 2, "<i2"),
        (16, "quint16", 2, "<u2"),
        (17, "uint16", 2, "<u2"),
        (18, "complex128", 16, "<c16"),
        (19, "float16", 2, "<f2"),
        (20, "resource", None, None),
        (21, "variant", None, None),
        (22, "uint32", 4, "<u4"),
        (23, "uint64", 8, "<u8"),
        (24, "float8_e5m2", 1, "float8_e5m2"),
        (25, "float8_e4m3fn", 1, "float8_e4m3fn"),
        (26, "float8_e4m3fnuz", 1, "float8_e4m3fnuz"),
        (27, "float8_e4m3b11fnuz", 1, "float8_e4m3b11fnuz"),
        (28, "float8_e5m2fnuz", 1, "float8_e5m2fnuz"),
        (29, "int4", 1, "int4"),
        (30, "uint4", 1, "uint4"),
        (31, "int2", 1, "int2"),
        (32, "uint2", 1, "uint2"),
    ]
    return {row[0]: DataType(*row) for row in rows}


#: Types that NumPy knows through `ml_dtypes`.
_EXTENDED = ("bfloat16", "float8_", "int4", "uint4", "int2", "uint2")

STRING = 7
VARIANT = 21

#: Every type by its number.
DTYPES = _table()
_BY_NAME = {dtype.name: dtype for dtype in DTYPES.values()}


def of(number: int) -> DataType:
    """The type of that number; one without size or alias if it is not known."""
    return DTYPES.get(number) or DataType(number, f"dtype{number}", None, None)


def named(name: str) -> DataType:
    """The type of that name.

    Raises:
      ValueError: TensorFlow has no such type.
    """
    if name not in _BY_NAME:
        raise ValueError(f"{name!r} is not a TensorFlow dtype")
    return _BY_NAME[name]


def of_array(array: np.ndarray[Any, Any]) -> DataType:
    """The type in which TensorFlow would save an array.

    Byte strings and text (`S`, `U` and object arrays) are `string`.

    Raises:
      ValueError: TensorFlow has no type for these elements.
    """
    if array.dtype.kind in "OSU":
        return DTYPES[STRING]
    name = array.dtype.name
    if name not in _BY_NAME or _BY_NAME[name].alias is None:
        raise ValueError(f"TensorFlow has no dtype for NumPy's {array.dtype}")
    return _BY_NAME[name]
