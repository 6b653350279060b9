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
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CorruptIndexError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.tensors import arrays, dtypes, slices
from estimator_ckpt.bundle.tensors.slices import resolve

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

SUFFIX = ".safetensors"

METADATA = "__metadata__"
_LARGEST_HEADER = 100_000_000
_MOST_DIGITS = 19
_PIECE = 1 << 20
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


class SafetensorsReader:
    """Reads the tensors of a `.safetensors` file.

    Attributes:
      prefix: the file.
      index: its tensors as an index of a bundle has them: offsets are those in the
        file, checksums there are none.
      metadata: what the file says of itself.
    """

    def __init__(self, path: str, store: files.Store = files) -> None:
        """Reads the header.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CorruptIndexError: the header, or what it says of the data, cannot be true.
          UnsupportedCheckpointError: a tensor is of a type that TensorFlow lacks.
        """
        self.prefix = path
        self._file = store.open_file(path)
        try:
            header, start = _read_header(self._file)
            self.metadata = _metadata(header.pop(METADATA, {}))
            entries = _entries(header, start, self._file.size)
        except ValueError as error:
            self.close()
            raise CorruptIndexError(
                f"{path}: no whole .safetensors file: {error}"
            ) from None
        except BaseException:
            self.close()
            raise
        records = {coding.name_to_key(n): e.serialize() for n, e in entries.items()}
        self.index = Index(path, Header(), dict(sorted(records.items())), b"")

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor; the arguments and errors are those of `BundleReader`."""
        del check  # there is nothing to check it with
        entry = self.index[name]
        dtype = arrays.dtype_of(entry)
        flat, start = arrays.empty((entry.num_elements,), dtype), 0
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
        del check
        entry = self.index[name]
        dtype = arrays.dtype_of(entry)
        most = min(_PIECE, files.CHUNK) // dtype.itemsize
        offset = entry.offset
        for region in slices.row_major(entry.shape, most):
            # Not mapped: a file that is cut off while it is mapped ends the process.
            data = self._file.read(offset, slices.volume(region) * dtype.itemsize)
            yield arrays.of_numbers(memoryview(data), dtype, self._is_swapped)
            offset += len(data)

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of a tensor."""
        entry = self.index.entry(key)
        for start in range(0, entry.size, _PIECE):
            size = min(_PIECE, entry.size - start)
            yield memoryview(self._file.read(entry.offset + start, size))

    def verify(self, key: bytes) -> None:
        """Says that there is nothing to verify with.

        Raises:
          UnsupportedCheckpointError: always.
        """
        raise UnsupportedCheckpointError(
            f"{self.prefix}: a .safetensors file has no checksums; its header and the "
            f"places of its tensors are whole, which is all that can be said"
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

    def __enter__(self) -> SafetensorsReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _is_swapped(self) -> bool:
        return sys.byteorder == "big"


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
