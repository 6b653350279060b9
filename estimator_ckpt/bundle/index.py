"""The index of a tensor bundle: what tensors there are, and where their bytes lie.

A table of protobuf messages: the header under the empty key, an entry under every
other. An entry says nothing of its key, so entries are renamed and carried as the
bytes that they are, and are parsed only when somebody looks.

Source: `tensorflow/core/protobuf/tensor_bundle.proto`; see docs/format.md.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry, parser
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptIndexError,
    TensorNotFoundError,
)
from estimator_ckpt.bundle.header import Header, parse_header
from estimator_ckpt.bundle.sstable import table, table_writer
from estimator_ckpt.bundle.sstable.table_blocks import FOOTER_SIZE
from estimator_ckpt.bundle.tensors.slices import resolve, show_key

HEADER_KEY = b""


def index_path(prefix: files.PathLike) -> str:
    """`dir/model.ckpt-7` -> `dir/model.ckpt-7.index`."""
    return f"{os.fspath(prefix)}.index"


def shard_path(prefix: files.PathLike, shard_id: int, num_shards: int) -> str:
    """`dir/model.ckpt-7`, 0, 1 -> `dir/model.ckpt-7.data-00000-of-00001`."""
    return f"{os.fspath(prefix)}.data-{shard_id:05d}-of-{num_shards:05d}"


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
      data: the bytes of the file.
    """

    def __init__(
        self, source: str, header: Header, records: Mapping[bytes, bytes], data: bytes
    ) -> None:
        self.source = source
        self.header = header
        self.records = records
        self.data = data
        self._parse = parser(header.num_shards)

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
        raw = self.records.get(key)
        if raw is None:
            raw = self.raw(key)  # says that it is not there
        try:
            return self._parse(raw)
        except ValueError as error:
            raise CorruptIndexError(
                f"{self.source}: the entry of {show_key(key)} is damaged: {error}"
            ) from None

    def entries(self, keys: Iterable[bytes]) -> Iterator[Entry]:
        """The entries of keys, one after another; errors are those of `entry`."""
        records, parse = self.records, self._parse
        for key in keys:
            try:
                entry = parse(records[key])
            except (KeyError, ValueError):
                entry = self.entry(key)  # says what is wrong
            yield entry

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name; errors are those of `entry`."""
        return self.entry(coding.name_to_key(name))

    @property
    def has_slices(self) -> bool:
        """Whether any variable is partitioned: keys of slices sort before others."""
        first = next(iter(self.records), None)
        return first is not None and coding.is_slice_key(first)

    def slices(self, name: str) -> dict[Slice, Entry]:
        """The stored parts of a variable, in the order in which it lists them.

        Returns:
          The slices' entries; empty if the variable is stored whole.

        Raises:
          TensorNotFoundError: there is no such name.
          CorruptIndexError: a slice has no entry, or one that does not fit.
        """
        whole, shown = self[name], coding.show(name)
        parts: dict[Slice, Entry] = {}
        for extents in whole.slices:
            key = coding.slice_key(name, extents)
            if key not in self.records:
                raise CorruptIndexError(
                    f"{self.source}: {shown} lists the slice {show_key(extents)}, but "
                    f"there is no entry for it"
                )
            part = self.entry(key)
            shape = tuple(length for _, length in resolve(extents, whole.shape))
            if part.slices or part.dtype != whole.dtype or part.shape != shape:
                raise CorruptIndexError(
                    f"{self.source}: the slice {show_key(extents)} of {shown} is "
                    f"{part.dtype_name}{list(part.shape)}, not "
                    f"{whole.dtype_name}{list(shape)}"
                )
            parts[extents] = part
        return parts

    def shard_ends(self, names: Optional[Iterable[str]] = None) -> dict[int, int]:
        """The least size of each shard that some entry's bytes lie in.

        Args:
          names: the tensors that count; None: all.

        Raises:
          CorruptIndexError: an entry cannot be true.
        """
        if names is None:
            return self.ends(self.records)
        wholes = {name: self[name] for name in names}
        parts = (self.slices(n).values() for n, e in wholes.items() if e.slices)
        return _ends(itertools.chain(wholes.values(), *parts))

    def ends(self, keys: Iterable[bytes]) -> dict[int, int]:
        """The same of entries by key, those of slices included."""
        return _ends(self.entries(keys))

    def forget_wholes(self) -> None:
        """Lets go of the tensors that are stored whole: they are not there from now on.

        For who has listed them, and needs no more of them; that is 25 MB of 100,000.
        """
        parts = list(self.slice_keys())
        names = dict.fromkeys(coding.parse_key(key)[0] for key in parts)
        wholes = filter(self.records.__contains__, map(coding.name_to_key, names))
        self.records = {key: self.records[key] for key in (*parts, *wholes)}
        self.data = b""

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            key = coding.name_to_key(name)
        except UnicodeEncodeError:  # which no name here has
            return False
        return key in self.records and not coding.is_slice_key(key)

    def __iter__(self) -> Iterator[str]:
        return map(coding.key_to_name, self.whole_keys())

    def __len__(self) -> int:
        return len(self.records) - sum(1 for _ in self.slice_keys())

    def __repr__(self) -> str:
        return f"<Index of {self.source!r}: {len(self)} tensors>"

    def slice_keys(self) -> Iterator[bytes]:
        """The keys of slices, which sort before all others."""
        return itertools.takewhile(coding.is_slice_key, self.records)

    def whole_keys(self) -> Iterator[bytes]:
        """The keys of whole tensors, of partitioned variables too."""
        return itertools.dropwhile(coding.is_slice_key, self.records)


def _ends(entries: Iterable[Entry]) -> dict[int, int]:
    """The least size of each shard that some entry's bytes lie in."""
    ends: dict[int, int] = {}
    for _, _, shard_id, offset, size, _, slices in entries:
        if not slices and offset + size >= ends.get(shard_id, 0):
            ends[shard_id] = offset + size
    return ends


def read_index(path: files.PathLike, store: files.Store = files) -> Index:
    """Reads the index of a tensor bundle, without touching its data shards.

    Args:
      path: the `.index` file. It is read into memory, not mapped: TensorFlow
        rewrites indexes in place.
      store: where it is.

    Returns:
      The index.

    Raises:
      CheckpointNotFoundError: there is no such file.
      CorruptIndexError: it is not an index, or a damaged one.
      UnsupportedCheckpointError: it is of the V1 format, for newer readers, or
        compressed and there is no library for that.
    """
    source = os.fspath(path)
    with contextlib.closing(store.open_file(source)) as file:
        # Whoever names a shard by mistake should not have to wait for all of it.
        tail = min(file.size, FOOTER_SIZE)
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
    return Index(source, parse_header(raw, source), records, data)


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
    records: dict[bytes, bytes] = {}
    for key, raw in items:
        if key in records:
            raise CheckpointError(f"two tensors would have the key {show_key(key)}")
        records[key] = raw
    if HEADER_KEY in records:
        raise CheckpointError("a tensor cannot have an empty name")
    keys = sorted(records)  # and no pairs of them, which of 100,000 would take 8 MB
    ordered = zip(keys, map(records.__getitem__, keys))
    first = (HEADER_KEY, header.serialize())
    return table_writer.write_table(itertools.chain([first], ordered))
