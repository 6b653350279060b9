"""Tensors out of a `.safetensors` file, as `BundleReader` reads those of a bundle.

    file     size of the header, 8 bytes, little-endian | header, JSON | data
    header   {name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]},
             ..., "__metadata__": {text: text, ...}}, spaces

Offsets count from the end of the header. Tensors are row-major and little-endian, cover
the data exactly, and do not overlap. All of this is held against the file before a
tensor is read; checksums there are none.

Source: the format's README and its own library, 0.8.0 (limits, duplicate names).
"""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint.weight_files.unchecked_reader import (
    Counts,
    UncheckedReader,
)

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

SUFFIX = ".safetensors"

METADATA = "__metadata__"
_LARGEST_HEADER = 100_000_000
_MOST_DIGITS = 19
_FIELDS = {"dtype", "shape", "data_offsets"}
#: TensorFlow's numbers of the format's types.
DTYPES = {
    "F32": 1,
    "F64": 2,
    "I32": 3,
    "U8": 4,
    "I16": 5,
    "I8": 6,
    "C64": 8,
    "I64": 9,
    "BOOL": 10,
    "BF16": 14,
    "U16": 17,
    "F16": 19,
    "U32": 22,
    "U64": 23,
    "F8_E5M2": 24,
    "F8_E4M3": 25,
}


class SafetensorsReader(UncheckedReader):
    """Reads the tensors of a `.safetensors` file; offsets are those in the file.

    Attributes:
      metadata: what the file says of itself.
    """

    NOT_ONE = "no whole .safetensors file"
    NO_CHECKSUMS = (
        "a .safetensors file has no checksums; its header and the places of its "
        "tensors are whole, which is all that can be said"
    )

    def _entries(self) -> Mapping[str, Entry]:
        header, start = _read_header(self._file)
        self.metadata = _metadata(header.pop(METADATA, {}))
        try:
            return _entries(header, start, self._file.size)
        except UnsupportedCheckpointError as error:
            raise UnsupportedCheckpointError(f"{self.prefix}: {error}") from None

    def _pieces(self, name: str, entry: Entry, counts: Counts) -> Iterator[Array]:
        return self._stored(entry.offset, entry, counts)


def _read_header(file: files.InputFile) -> tuple[dict[str, Any], int]:
    """The header, and where the data begin."""
    if file.size < 8:
        raise ValueError(f"it has {file.size} bytes")
    size = int.from_bytes(file.read(0, 8), "little")
    if size > min(_LARGEST_HEADER, file.size - 8):
        raise ValueError(
            f"a header of {size} bytes, in a file of {file.size}; {_LARGEST_HEADER} is "
            f"the most that is allowed"
        )
    content = file.read(8, size)
    if not content.startswith(b"{"):
        raise ValueError("the header does not begin with {")
    try:
        header = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_number,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ValueError("the header holds lists within lists") from None
    return header, 8 + size


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = collections.Counter(name for name, _ in pairs)
        ((twice, _),) = counts.most_common(1)
        raise ValueError(f"{coding.show(twice)} stands there twice")
    return found


def _number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:20]} is no size")


def _metadata(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(
        isinstance(value, str) for value in given.values()
    ):
        raise ValueError("its metadata are no texts by name")
    return given


def _entries(header: dict[str, Any], start: int, end: int) -> dict[str, Entry]:
    """What the header says of each tensor, held against each other and the file."""
    found = {name: _entry(name, fields, start) for name, fields in header.items()}
    at = start
    for name, entry in sorted(found.items(), key=lambda item: item[1][3:5]):
        if entry.offset != at:
            raise ValueError(
                f"{coding.show(name)} begins at byte {entry.offset - start} of the "
                f"data, and what is before it ends at {at - start}"
            )
        at += entry.size
    if at != end:
        raise ValueError(f"the tensors end at byte {at}, and the file at {end}")
    return found


def _entry(name: str, fields: Any, start: int) -> Entry:
    shown = coding.show(name)
    name.encode("utf-8")  # a lone surrogate is a ValueError
    if not name or name.startswith("\0"):
        raise ValueError(f"{shown} cannot be a tensor's name")
    if not isinstance(fields, dict) or not set(fields) >= _FIELDS:
        raise ValueError(f"{shown} has not the fields dtype, shape and data_offsets")
    shape, offsets = fields["shape"], fields["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"the shape or the place of {shown} are not sizes")
    number = DTYPES.get(fields["dtype"]) if type(fields["dtype"]) is str else None
    if number is None:
        raise UnsupportedCheckpointError(
            f"{shown} is of the type {str(fields['dtype'])[:20]!r}, which TensorFlow "
            f"does not have"
        )
    begin, stop = offsets
    entry = Entry(number, tuple(shape), offset=start + begin, size=stop - begin)
    dtype = dtypes.of(number)
    if entry.size != entry.num_elements * (dtype.size or 0):
        raise ValueError(
            f"{shown} is {dtype.name}{shape[:9]}, but has {entry.size} bytes"
        )
    return entry


def _are_sizes(given: Any) -> bool:
    return (
        isinstance(given, list)
        and len(given) <= coding.MAX_RANK
        and all(type(size) is int and size >= 0 for size in given)
    )
