"""The index of a tensor bundle: what tensors there are, and where their bytes lie.

A table of protobuf messages: the header under the empty key, an entry under every
other. An entry says nothing of its key, so entries are renamed and carried as the
bytes that they are, and are parsed only when somebody looks.

Source: `tensorflow/core/protobuf/tensor_bundle.proto`; see docs/format.md.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional, Union

from estimator_ckpt.bundle import coding, dtypes, files, schema, table
from estimator_ckpt.bundle.coding import FULL, Extent, Slice
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptIndexError,
    TensorNotFoundError,
    UnsupportedCheckpointError,
)

HEADER_KEY = b""

_VERSION = 1
_INT64_MAX = 2**63 - 1


def index_path(prefix: files.PathLike) -> str:
    """`dir/model.ckpt-7` -> `dir/model.ckpt-7.index`."""
    return f"{os.fspath(prefix)}.index"


def shard_path(prefix: files.PathLike, shard_id: int, num_shards: int) -> str:
    """`dir/model.ckpt-7`, 0, 1 -> `dir/model.ckpt-7.data-00000-of-00001`."""
    return f"{os.fspath(prefix)}.data-{shard_id:05d}-of-{num_shards:05d}"


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
        message = schema.BundleHeaderProto(
            num_shards=self.num_shards, endianness=int(self.big_endian)
        )
        message.version.SetInParent()
        message.version.producer = self.producer
        message.version.min_consumer = self.min_consumer
        message.version.bad_consumers.extend(self.bad_consumers)
        return bytes(message.SerializeToString(deterministic=True))


@dataclasses.dataclass(frozen=True)
class Entry:
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
        return _product(self.shape)

    @property
    def is_partitioned(self) -> bool:
        """Whether the bytes lie in other entries, one for each of `slices`."""
        return bool(self.slices)

    def serialize(self) -> bytes:
        """The bytes of a BundleEntryProto, as TensorFlow would write them."""
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


class Index(Mapping[str, Entry]):
    """The entries of a bundle by name, in the bytewise order of their keys.

    Names are those of whole tensors. The slices of a partitioned variable have keys
    but no names; `slices` lists them. Bytes of a key that are no UTF-8 stand as lone
    surrogates in its name.

    Attributes:
      source: the file, for messages.
      header: the bundle's header.
      records: the unparsed bytes of every entry by key, slices included, the header
        not. Not to be changed.
    """

    def __init__(
        self, source: str, header: Header, records: Mapping[bytes, bytes]
    ) -> None:
        self.source = source
        self.header = header
        self.records = records
        self._names: Optional[dict[str, bytes]] = None

    def raw(self, key: bytes) -> bytes:
        """The unparsed entry of a key.

        Raises:
          TensorNotFoundError: there is no such key.
        """
        try:
            return self.records[key]
        except KeyError:
            raise TensorNotFoundError(
                f"{self.source}: no tensor {show_key(key)} in this checkpoint"
            ) from None

    def entry(self, key: bytes) -> Entry:
        """The entry of a key, that of a slice too.

        Raises:
          TensorNotFoundError: there is no such key.
          CorruptIndexError: the entry cannot be true.
        """
        raw = self.raw(key)
        try:
            return _parse_entry(raw, self.header.num_shards)
        except ValueError as error:
            raise CorruptIndexError(
                f"{self.source}: the entry of {show_key(key)} is damaged: {error}"
            ) from None

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name; errors are those of `entry`."""
        return self.entry(coding.name_to_key(name))

    def slices(self, name: str) -> dict[Slice, Entry]:
        """The stored parts of a variable, in the order in which it lists them.

        Returns:
          The slices' entries; empty if the variable is stored whole.

        Raises:
          TensorNotFoundError: there is no such name.
          CorruptIndexError: a slice has no entry, or one that does not fit.
        """
        whole = self[name]
        parts: dict[Slice, Entry] = {}
        for extents in whole.slices:
            key = coding.slice_key(name, extents)
            if key not in self.records:
                raise CorruptIndexError(
                    f"{self.source}: {name!r} lists the slice {show_key(extents)}, but "
                    f"there is no entry for it"
                )
            part = self.entry(key)
            shape = tuple(length for _, length in resolve(extents, whole.shape))
            if part.slices or part.dtype != whole.dtype or part.shape != shape:
                raise CorruptIndexError(
                    f"{self.source}: the slice {show_key(extents)} of {name!r} is "
                    f"{part.dtype_name}{list(part.shape)}, not "
                    f"{whole.dtype_name}{list(shape)}"
                )
            parts[extents] = part
        return parts

    def used_shards(self) -> list[int]:
        """The shards that some entry's bytes lie in, in order."""
        used = set()
        for key in self.records:
            entry = self.entry(key)
            if not entry.slices:
                used.add(entry.shard_id)
        return sorted(used)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def __repr__(self) -> str:
        return f"<Index of {self.source!r}: {len(self)} tensors>"

    def _by_name(self) -> dict[str, bytes]:
        if self._names is None:
            self._names = {
                coding.key_to_name(key): key
                for key in self.records
                if not coding.is_slice_key(key)
            }
        return self._names


def read_index(path: files.PathLike) -> Index:
    """Reads the index of a tensor bundle, without touching its data shards.

    Args:
      path: the `.index` file. It is read into memory, not mapped: TensorFlow
        rewrites indexes in place.

    Returns:
      The index.

    Raises:
      CheckpointNotFoundError: there is no such file.
      CorruptIndexError: it is not an index, or a damaged one.
      UnsupportedCheckpointError: it is of the V1 format, for newer readers, or
        compressed and there is no library for that.
    """
    source = files.local(path)
    with files.File(source) as file:
        # Whoever names a shard by mistake should not have to wait for all of it.
        tail = min(file.size, table.FOOTER_SIZE)
        if not table.is_table(file.read(file.size - tail, tail)):
            raise CorruptIndexError(
                f"{source}: not the index of a checkpoint, or cut off: it does not end "
                f"in the footer of a table ({file.size} bytes)"
            )
        data = file.read(0, file.size)
    return parse_index(data, source)


def parse_index(data: bytes, source: str) -> Index:
    """Parses the bytes of an index.

    Args:
      data: the bytes of the `.index` file.
      source: what to call the file in errors.

    Returns:
      The index.

    Raises:
      As `read_index`.
    """
    records = table.read_table(data, source)
    raw = records.pop(HEADER_KEY, None)
    if raw is None:
        raise CorruptIndexError(f"{source}: the index has no header")
    return Index(source, _parse_header(raw, source), records)


def serialize_index(header: Header, items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Makes the bytes of an index.

    Args:
      header: the bundle's header.
      items: keys and unparsed entries, in any order, without the header.

    Returns:
      The bytes that TensorFlow would write for the same entries.

    Raises:
      CheckpointError: two entries have one key, or one has the header's.
    """
    ordered = sorted(items, key=lambda item: item[0])
    last = HEADER_KEY
    for key, _ in ordered:
        if key == last:
            raise CheckpointError(
                f"two tensors would have the key {show_key(key)}"
                if key
                else "a tensor cannot have an empty name"
            )
        last = key
    return table.write_table([(HEADER_KEY, header.serialize()), *ordered])


def resolve(extents: Slice, shape: tuple[int, ...]) -> tuple[Extent, ...]:
    """A slice with the full dimensions spelled out.

    Raises:
      ValueError: it does not lie within the shape.
    """
    if len(extents) != len(shape):
        raise ValueError(
            f"the slice {show_key(extents)} does not fit the shape {list(shape)}"
        )
    out = []
    for (start, length), size in zip(extents, shape):
        actual = size if length == FULL and start == 0 else length
        if start < 0 or actual < 0 or start + actual > size:
            raise ValueError(
                f"the slice {show_key(extents)} exceeds the shape {list(shape)}"
            )
        out.append(Extent(start, actual))
    return tuple(out)


def _parse_header(raw: bytes, source: str) -> Header:
    from google.protobuf.message import DecodeError

    if raw[:1] == b"\x0a":
        # Field 1 as a message: SavedTensorSlices, where a V1 checkpoint begins.
        raise UnsupportedCheckpointError(
            f"{source}: a checkpoint in the V1 format of before 2017, which only "
            f"TensorFlow can read; convert it where TensorFlow is installed"
        )
    try:
        message = schema.BundleHeaderProto.FromString(raw)
    except DecodeError:
        raise CorruptIndexError(f"{source}: the header is damaged") from None
    version = message.version
    header = Header(
        num_shards=message.num_shards,
        big_endian=message.endianness == 1,
        producer=version.producer,
        min_consumer=version.min_consumer,
        bad_consumers=tuple(version.bad_consumers),
    )
    if header.num_shards < 1 or message.endianness not in (0, 1):
        raise CorruptIndexError(
            f"{source}: the header is damaged: {header.num_shards} shards, endianness "
            f"{message.endianness}"
        )
    if header.min_consumer > _VERSION or _VERSION in header.bad_consumers:
        raise UnsupportedCheckpointError(
            f"{source}: made for readers of version {header.min_consumer} of the "
            f"format; this is version {_VERSION}. Install a newer release"
        )
    return header


def _parse_entry(raw: bytes, num_shards: int) -> Entry:
    """Parses an entry and checks that it can be true; ValueError if it cannot."""
    from google.protobuf.message import DecodeError

    try:
        message = schema.BundleEntryProto.FromString(raw)
    except DecodeError:
        raise ValueError("not a BundleEntryProto") from None
    slices: tuple[Slice, ...] = ()
    if message.slices:
        slices = tuple(_parse_slice(part) for part in message.slices)
    entry = Entry(
        dtype=message.dtype,
        shape=tuple([dim.size for dim in message.shape.dim]),
        shard_id=message.shard_id,
        offset=message.offset,
        size=message.size,
        crc32c=message.crc32c or None,
        slices=slices,
    )
    _check_entry(entry, num_shards)
    return entry


def _parse_slice(message: Any) -> Slice:
    return tuple(
        Extent(extent.start, extent.length if extent.HasField("length") else FULL)
        for extent in message.extent
    )


def _check_entry(entry: Entry, num_shards: int) -> None:
    shape = entry.shape
    if len(shape) > coding.MAX_RANK or (shape and min(shape) < 0):
        raise ValueError(f"the shape {list(shape[:9])} is none")
    elements = _product(shape)
    dtype = dtypes.of(entry.dtype)
    if entry.dtype <= 0 or elements * (dtype.size or 1) > _INT64_MAX:
        raise ValueError(f"{dtype.name}{list(shape)} is no tensor")
    if entry.slices:
        for extents in entry.slices:
            resolve(extents, shape)
        return
    if not 0 <= entry.shard_id < num_shards:
        raise ValueError(f"it lies in shard {entry.shard_id} of {num_shards}")
    if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > _INT64_MAX:
        raise ValueError(f"it has {entry.size} bytes at offset {entry.offset}")
    if dtype.size is not None and entry.size != elements * dtype.size:
        raise ValueError(
            f"{dtype.name}{list(shape)} takes {elements * dtype.size} bytes, not "
            f"{entry.size}"
        )
    if dtype.is_string and entry.size < elements + 4:
        raise ValueError(
            f"{elements} strings take {elements + 4} bytes or more, not {entry.size}"
        )


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def show_key(key: Union[bytes, Slice]) -> str:
    """A key, or the extents of a slice, as messages show them."""
    if not isinstance(key, bytes):
        return str([(e.start, "full" if e.length == FULL else e.length) for e in key])
    try:
        name, extents = coding.parse_key(key)
    except CorruptIndexError:
        return repr(key)
    return repr(name) if extents is None else f"slice {show_key(extents)} of {name!r}"
