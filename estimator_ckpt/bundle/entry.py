"""What a bundle says of each tensor: the messages under the keys of its index.

    BundleEntryProto   1 dtype | 2 shape {2 dim {1 size} ...} | 3 shard_id | 4 offset |
                       5 size | 6 crc32c, masked, 4 bytes |
                       7 slices {1 extent {1 start | 2 length} ...} ...

Of `tensorflow/core/protobuf/tensor_bundle.proto`. Nothing in it is believed before it
was held against the rest: ranks, sizes, products, shards, slices.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.coding import MAX_RANK, Slice
from estimator_ckpt.bundle.protobuf import schema, wire
from estimator_ckpt.bundle.protobuf.declarations import long_varint
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.tensors.slices import resolve

_INT64_MAX = 2**63 - 1
#: What stands before the offset, the size and the checksum of an entry.
_OFFSET, _SIZE, _CRC32C = b"\x20", b"\x28", b"\x35"
#: The most dtypes and shapes whose entries are told by how they begin.
_MOST_ALIKE = 1024
#: The most bytes that an offset has in one of them, and what their size is below:
#: together they stay within 64 bits.
_OFFSET_BYTES, _SIZES_END = 8, _INT64_MAX - 2**56

#: Bytes and where the end of an entry begins -> what stands before its checksum, which
#: is the size and a tag; its checksum.
_ReadEnd = Callable[[bytes, int], tuple[bytes, int]]
#: By how an entry begins, the offset's tag included: dtype, shape, size; where its
#: offset is; how many bytes are behind that; what reads these; what they begin with.
_Alike = dict[bytes, tuple[int, tuple[int, ...], int, int, int, _ReadEnd, bytes]]


@wire.message(*schema.BUNDLE_ENTRY)
class Entry(NamedTuple):
    """One tensor, or one slice of a partitioned variable.

    Attributes:
      dtype: TensorFlow's number of the data type (`dtypes.of(entry.dtype)`).
      shape: of the whole tensor, or of the slice.
      shard_id: the shard that holds the bytes.
      offset: of the first byte in the shard.
      size: number of bytes in the shard.
      crc32c: masked CRC32C as stored; None if there is none, which to TensorFlow is
        a wrong one.
      slices: what parts a partitioned variable is stored in; it then has no bytes of
        its own, and its shard_id, offset, size and crc32c mean nothing.
    """

    dtype: int
    shape: tuple[int, ...]
    shard_id: int = 0
    offset: int = 0
    size: int = 0
    crc32c: Optional[int] = None
    slices: tuple[Slice, ...] = ()

    @property
    def dtype_name(self) -> str:
        """TensorFlow's name of the data type: `float32`."""
        return dtypes.of(self.dtype).name

    @property
    def num_elements(self) -> int:
        return math.prod(self.shape)

    @property
    def is_partitioned(self) -> bool:
        """Whether the bytes lie in other entries, one for each of `slices`."""
        return bool(self.slices)

    def serialize(self) -> bytes:
        """The bytes of a BundleEntryProto, as TensorFlow would write them."""
        if self.crc32c == 0:  # as none at all
            return wire.encoder(Entry)(self._replace(crc32c=None))
        return wire.encoder(Entry)(self)


def parser(num_shards: int) -> Callable[[bytes], Entry]:
    """What parses the entries of one bundle, and checks that they can be true.

    Args:
      num_shards: how many shards the bundle has.

    Returns:
      A function of an unparsed entry. It raises a ValueError if that is none, or
      cannot be true.
    """
    return _parser_of_many(_parser_of_any(num_shards))


def _parser_of_many(parse_any: Callable[[bytes], Entry]) -> Callable[[bytes], Entry]:
    """What parses entries as `parse_any`, in two thirds of the time if many are alike.

    Most are of few dtypes and shapes, from which the size follows, and have nothing
    but offset and checksum of their own.
    """
    alike: _Alike = {}
    new = tuple.__new__

    def parse(raw: bytes) -> Entry:
        try:
            known = alike.get(raw[: raw[3] + 5])
        except IndexError:  # there is no shape
            known = None
        if known is not None:
            dtype, shape, size, at, behind, read_end, ends = known
            stop = len(raw) - behind
            if at < stop <= at + _OFFSET_BYTES:
                found, crc32c = read_end(raw, stop)
                if found == ends:
                    offset, end = raw[at], at + 1
                    if offset > 0x7F:
                        offset, end = long_varint(raw, at)
                    if end == stop:  # and nothing else is between
                        return new(Entry, (dtype, shape, 0, offset, size, crc32c, ()))
        entry = parse_any(raw)
        _remember(entry, alike)
        return entry

    return parse


def _remember(entry: Entry, alike: _Alike) -> None:
    """Adds an entry that can be true to those that others can be like."""
    dtype, shape, shard_id, _, size, _, slices = entry
    if slices or shard_id or not 0 < size < _SIZES_END or len(alike) >= _MOST_ALIKE:
        return
    begins = Entry(dtype, shape).serialize()
    if len(begins) > 3 and len(begins) == begins[3] + 4:
        ends = _SIZE + write_varint(size) + _CRC32C
        end, begins = struct.Struct(f"<{len(ends)}sI"), begins + _OFFSET
        known = dtype, shape, size, len(begins), end.size, end.unpack_from, ends
        alike[begins] = known


def _parser_of_any(num_shards: int) -> Callable[[bytes], Entry]:
    """What parses entries of one bundle, whatever they say."""
    read, sizes = wire.decoder(Entry), _sizes

    def parse(raw: bytes) -> Entry:
        try:
            entry = read(raw)
        except ValueError as error:
            raise ValueError(f"not a BundleEntryProto: {error}") from None
        dtype, shape, shard_id, offset, size, _, slices = entry
        least, most = sizes(dtype, shape)
        # An index can have 100,000 entries: what is wrong is only asked if there is.
        if (
            slices
            or not 0 <= shard_id < num_shards
            or not 0 <= offset <= _INT64_MAX - size
            or not least <= size <= most
        ):
            _check_entry(entry, num_shards)
        return entry

    return parse


def renumbered(raw: bytes, numbers: Mapping[int, int]) -> bytes:
    """An unparsed entry after its shards got other numbers.

    Args:
      raw: the entry; fields of it that are not known are kept.
      numbers: the new number of each shard, by the old one.
    """
    entry = wire.decoder(Entry)(raw)
    # Of a partitioned variable it means nothing, and can be any number.
    shard_id = 0 if entry.slices else numbers[entry.shard_id]
    new = entry._replace(shard_id=shard_id)
    return new.serialize() + wire.undeclared(Entry, raw)


def _check_entry(entry: Entry, num_shards: int) -> None:
    dtype, elements = _check_dtype_and_shape(entry.dtype, entry.shape)
    if entry.slices:
        for extents in entry.slices:
            resolve(extents, entry.shape)
        return
    if not 0 <= entry.shard_id < num_shards:
        raise ValueError(f"it lies in shard {entry.shard_id} of {num_shards}")
    if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > _INT64_MAX:
        raise ValueError(f"it has {entry.size} bytes at offset {entry.offset}")
    if dtype.size is not None and entry.size != elements * dtype.size:
        raise ValueError(
            f"{dtype.name}{list(entry.shape)} takes {elements * dtype.size} bytes, not "
            f"{entry.size}"
        )
    if dtype.is_string and entry.size < elements + 4:
        raise ValueError(
            f"{elements} strings take {elements + 4} bytes or more, not {entry.size}"
        )


@functools.lru_cache(maxsize=1024)
def _sizes(number: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """The least and the most bytes of a tensor.

    Raises:
      ValueError: there is no such tensor.
    """
    dtype, elements = _check_dtype_and_shape(number, shape)
    if dtype.size is not None:
        return elements * dtype.size, elements * dtype.size
    return elements + 4 if dtype.is_string else 0, _INT64_MAX


def _check_dtype_and_shape(
    number: int, shape: tuple[int, ...]
) -> tuple[dtypes.DataType, int]:
    """The data type, and how many elements a tensor of that shape has."""
    if len(shape) > MAX_RANK or (shape and min(shape) < 0):
        raise ValueError(f"the shape {list(shape[:9])} is none")
    elements = math.prod(shape)
    dtype = dtypes.of(number)
    if number <= 0 or elements * (dtype.size or 1) > _INT64_MAX:
        raise ValueError(f"{dtype.name}{list(shape)} is no tensor")
    return dtype, elements
