"""What a bundle says of itself and of each tensor: the header and the entries.

Messages of `tensorflow/core/protobuf/tensor_bundle.proto`. Nothing in them is believed
before it was held against the rest: ranks, sizes, products, shards, slices.

A message in the form in which TensorFlow writes it (fields in order, each once, no
slices) is read and written here; every other goes through protobuf. A listing or a
conversion is that way done before protobuf would be imported.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle import coding, dtypes, schema
from estimator_ckpt.bundle.coding import FULL, MAX_RANK, Extent, Slice
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.slices import resolve

_VERSION = 1
_INT32_MAX = 2**31 - 1
_INT64_MAX = 2**63 - 1

# Fields as TensorFlow writes them: a tag, then a varint, a length and bytes, or four
# bytes. Fields that are zero are left out.
_VARINT = rb"[\x80-\xff]{0,8}[\x00-\x7f]"
_PLAIN_HEADER = re.compile(
    rb"\x08(%b)(?:\x10([\x00\x01]))?\x1a\x02\x08\x01" % _VARINT, re.DOTALL
)
_PLAIN_ENTRY = re.compile(
    rb"\x08([\x01-\x7f])\x12([\x00-\x7f])((?:\x12[\x00-\x7f](?:\x08%b)?)*)"
    rb"(?:\x18(%b))?(?:\x20(%b))?(?:\x28(%b))?(?:\x35(.{4}))?"
    % (_VARINT, _VARINT, _VARINT, _VARINT),
    re.DOTALL,
)
_DIMENSION = re.compile(rb"\x12([\x00-\x7f])(?:\x08(%b))?" % _VARINT, re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Header:
    """What a bundle says of itself.

    Attributes:
      num_shards: the number of data shards; part of each one's file name.
      big_endian: whether the numbers in the shards are big-endian.
      producer: the version of the format that wrote it.
      min_consumer: the least version that may read it.
      bad_consumers: versions that must not.
    """

    num_shards: int = 1
    big_endian: bool = False
    producer: int = _VERSION
    min_consumer: int = 0
    bad_consumers: tuple[int, ...] = ()

    def serialize(self) -> bytes:
        """The bytes of a BundleHeaderProto."""
        version = (self.producer, self.min_consumer, self.bad_consumers)
        if version == (_VERSION, 0, ()) and self.num_shards >= 0:
            endianness = b"\x10\x01" if self.big_endian else b""
            num_shards = coding.write_varint(self.num_shards)
            return b"\x08" + num_shards + endianness + b"\x1a\x02\x08\x01"
        message = schema.BundleHeaderProto(
            num_shards=self.num_shards, endianness=int(self.big_endian)
        )
        message.version.SetInParent()
        message.version.producer = self.producer
        message.version.min_consumer = self.min_consumer
        message.version.bad_consumers.extend(self.bad_consumers)
        return bytes(message.SerializeToString(deterministic=True))


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
        numbers = (self.dtype, self.shard_id, self.offset, self.size, *self.shape)
        if not self.slices and min(numbers) >= 0:
            shape = _write_shape(self.shape)
            parts = [b"\x08", coding.write_varint(self.dtype), b"\x12"]
            parts += [coding.write_varint(len(shape)), shape]
            for tag, value in (
                (b"\x18", self.shard_id),
                (b"\x20", self.offset),
                (b"\x28", self.size),
            ):
                if value:
                    parts += [tag, coding.write_varint(value)]
            if self.crc32c:
                parts += [b"\x35", self.crc32c.to_bytes(4, "little")]
            return b"".join(parts)
        message = schema.BundleEntryProto(
            dtype=self.dtype,
            shard_id=self.shard_id,
            offset=self.offset,
            size=self.size,
            crc32c=self.crc32c or 0,
        )
        message.shape.SetInParent()
        for size in self.shape:
            message.shape.dim.add(size=size)
        for extents in self.slices:
            part = message.slices.add()
            for start, length in extents:
                extent = part.extent.add(start=start)
                if length != FULL:
                    extent.length = length
        return bytes(message.SerializeToString(deterministic=True))


@functools.lru_cache(maxsize=1024)
def _write_shape(shape: tuple[int, ...]) -> bytes:
    """A TensorShapeProto; zeros are left out, as always in proto3."""
    dimensions = []
    for size in shape:
        dimension = b"\x08" + coding.write_varint(size) if size else b""
        dimensions += [b"\x12", bytes([len(dimension)]), dimension]
    return b"".join(dimensions)


def parse_header(raw: bytes, source: str) -> Header:
    """Parses a BundleHeaderProto; errors are those of `read_index`."""
    if raw[:1] == b"\x0a":
        # Field 1 as a message: SavedTensorSlices, where a V1 checkpoint begins.
        raise UnsupportedCheckpointError(
            f"{source}: a checkpoint in the V1 format of before 2017, which only "
            f"TensorFlow can read; convert it where TensorFlow is installed"
        )
    header = _parse_plain_header(raw) or _parse_any_header(raw, source)
    if header.num_shards < 1:
        raise CorruptIndexError(
            f"{source}: the header is damaged: {header.num_shards} shards"
        )
    if header.min_consumer > _VERSION or _VERSION in header.bad_consumers:
        raise UnsupportedCheckpointError(
            f"{source}: made for readers of version {header.min_consumer} of the "
            f"format; this is version {_VERSION}. Install a newer release"
        )
    return header


def _parse_plain_header(raw: bytes) -> Optional[Header]:
    """A header in the form in which TensorFlow writes it; None: protobuf must look."""
    match = _PLAIN_HEADER.fullmatch(raw)
    if match is None or _number(match[1]) > _INT32_MAX:
        return None
    return Header(_number(match[1]), big_endian=match[2] == b"\x01")


def _parse_any_header(raw: bytes, source: str) -> Header:
    try:
        message = schema.BundleHeaderProto.FromString(raw)
    except schema.DecodeError:
        raise CorruptIndexError(f"{source}: the header is damaged") from None
    if message.endianness not in (0, 1):
        raise CorruptIndexError(
            f"{source}: the header is damaged: endianness {message.endianness}"
        )
    version = message.version
    return Header(
        num_shards=message.num_shards,
        big_endian=message.endianness == 1,
        producer=version.producer,
        min_consumer=version.min_consumer,
        bad_consumers=tuple(version.bad_consumers),
    )


def parse_entry(raw: bytes, num_shards: int) -> Entry:
    """Parses an entry and checks that it can be true; ValueError if it cannot."""
    entry = _parse_plain_entry(raw)
    if entry is None:
        entry = _parse_any_entry(raw)
    _check_entry(entry, num_shards)
    return entry


def _parse_plain_entry(raw: bytes) -> Optional[Entry]:
    """An entry in the form in which TensorFlow writes it; None: protobuf must look."""
    match = _PLAIN_ENTRY.fullmatch(raw)
    if match is None:
        return None
    dtype, length, dimensions, shard_id, offset, size, crc32c = match.groups()
    shape = _plain_shape(dimensions)
    if shape is None or length[0] != len(dimensions):
        return None
    shard = _number(shard_id)
    if shard > _INT32_MAX:
        return None
    checksum = int.from_bytes(crc32c, "little") if crc32c else 0
    return Entry(
        dtype[0], shape, shard, _number(offset), _number(size), checksum or None
    )


@functools.lru_cache(maxsize=1024)
def _plain_shape(dimensions: bytes) -> Optional[tuple[int, ...]]:
    """The sizes in a TensorShapeProto; None if protobuf must look."""
    shape = []
    for length, size in _DIMENSION.findall(dimensions):
        if length[0] != (len(size) + 1 if size else 0):
            return None
        shape.append(_number(size))
    return tuple(shape)


def _number(varint: Optional[bytes]) -> int:
    """A varint of at most nine bytes, which cannot be negative; 0 if there is none."""
    if not varint:
        return 0
    value = 0
    for byte in varint[::-1]:
        value = value << 7 | byte & 0x7F
    return value


def _parse_any_entry(raw: bytes) -> Entry:
    try:
        message = schema.BundleEntryProto.FromString(raw)
    except schema.DecodeError:
        raise ValueError("not a BundleEntryProto") from None
    return Entry(
        message.dtype,
        tuple([dim.size for dim in message.shape.dim]),
        message.shard_id,
        message.offset,
        message.size,
        message.crc32c or None,
        tuple([_parse_slice(part) for part in message.slices]),
    )


def _parse_slice(message: Any) -> Slice:
    return tuple(
        Extent(extent.start, extent.length if extent.HasField("length") else FULL)
        for extent in message.extent
    )


def _check_entry(entry: Entry, num_shards: int) -> None:
    dtype, elements = _check_kind(entry.dtype, entry.shape)
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
def _check_kind(number: int, shape: tuple[int, ...]) -> tuple[dtypes.DataType, int]:
    """The data type, and how many elements a tensor of that shape has."""
    if len(shape) > MAX_RANK or (shape and min(shape) < 0):
        raise ValueError(f"the shape {list(shape[:9])} is none")
    elements = math.prod(shape)
    dtype = dtypes.of(number)
    if number <= 0 or elements * (dtype.size or 1) > _INT64_MAX:
        raise ValueError(f"{dtype.name}{list(shape)} is no tensor")
    return dtype, elements
