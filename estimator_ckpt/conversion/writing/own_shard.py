"""The shard of a new bundle that is written anew.

In it are tensors that the source does not have in this form, and, where tensors are
copied one by one, those that it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion.key_moves import Additions
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing.drafts import (
    Draft,
    Place,
    Prepared,
    new_keys,
    place_of,
)


def copied(
    ready: Prepared, shard: ShardWriter, target: Target
) -> Iterator[tuple[bytes, bytes]]:
    """Copies the kept tensors' bytes into a shard.

    Args:
      ready: the source, and what of it is kept.
      shard: the shard.
      target: if it is compact, each tensor is held against its checksum; else it
        keeps that, so that damage is not made to look whole.

    Yields:
      New keys and entries.

    Raises:
      CorruptIndexError: tensors overlap, so that the copies would exceed the source.
      CorruptDataError: a tensor is damaged.
    """
    reader, new, source = ready
    size = new.size
    if size > source.size:
        raise CorruptIndexError(
            f"{reader.index.source}: tensors overlap in their shards: they take "
            f"{size} bytes, more than there are"
        )
    files.expect(target.progress, size)
    copies: dict[Place, Entry] = {}
    for key in new.carried:
        entry = reader.index.entry(key)
        if entry.is_partitioned:
            entry = entry._replace(shard_id=0, offset=0)
        else:
            place = place_of(entry)
            if place not in copies:
                if target.is_compact:
                    reader.verify(key)
                chunks = _counted(reader.iter_chunks(key), target.progress)
                copies[place] = shard.copy(entry, chunks)
            copy = copies[place]
            entry = entry._replace(shard_id=copy.shard_id, offset=copy.offset)
        for new_key in new_keys(key, new.kept[key]):
            yield new_key, entry.serialize()


def _counted(
    chunks: Iterable[memoryview], progress: Optional[files.Progress]
) -> Iterator[memoryview]:
    """The same chunks; `progress` is told of each."""
    for chunk in chunks:
        yield chunk
        if progress is not None:
            progress(len(chunk))


def written(ready: Prepared, shard: ShardWriter) -> Iterator[tuple[bytes, bytes]]:
    """Writes the tensors that the source does not have in this form.

    Yields:
      New keys and entries.

    Raises:
      As `copied`.
    """
    added = ready.new.added
    for key, entry in (*_written_whole(ready, shard), *_written_anew(added, shard)):
        yield key, entry.serialize()
    if added.graph is not None:
        graph = shard.add_string(added.graph)
        yield coding.name_to_key(object_keys.OBJECT_GRAPH_KEY), graph.serialize()
    if added.fresh_step:
        zero = _add_int64(shard, 0).serialize()
        for key in added.fresh_step:
            yield key, zero
    if added.needs_counter:
        counter = _add_int64(shard, _save_counter(ready.reader, ready.new))
        yield coding.name_to_key(object_keys.SAVE_COUNTER_KEY), counter.serialize()


def _written_whole(
    ready: Prepared, shard: ShardWriter
) -> Iterator[tuple[bytes, Entry]]:
    """Writes the partitioned variables that have to be joined."""
    reader, new, source = ready
    whole = {coding.key_to_name(old): keys for old, keys in new.whole.items()}
    stored = sum(
        part.size for name in whole for part in reader.index.slices(name).values()
    )
    if stored > source.size:
        raise CorruptIndexError(
            f"{reader.index.source}: slices overlap in their shards: they take "
            f"{stored} bytes, more than there are"
        )
    for name, keys in whole.items():
        entry = reader.index[name]
        dtype = dtypes.of(entry.dtype)
        if dtype.is_string:
            entry = shard.add(reader.read(name))
        else:
            pieces = (piece.view("u1").data for piece in reader.iter_arrays(name))
            entry = shard.add_chunks(dtype, entry.shape, pieces)
        yield from ((key, entry) for key in keys)


def _written_anew(
    added: Additions, shard: ShardWriter
) -> Iterator[tuple[bytes, Entry]]:
    """Writes the tensors whose bytes come from elsewhere; under several keys, once."""
    entries: dict[int, Entry] = {}
    for key, tensor in added.written.items():
        if id(tensor) not in entries:
            dtype, chunks = dtypes.named(tensor.dtype), tensor.chunks()
            if dtype.is_string:
                (strings,) = chunks
                entries[id(tensor)] = shard.add(strings)
            else:
                entry = shard.add_chunks(dtype, tensor.shape, chunks)
                entries[id(tensor)] = entry
        yield key, entries[id(tensor)]


def _add_int64(shard: ShardWriter, value: int) -> Entry:
    data = value.to_bytes(8, "little", signed=True)
    return shard.add_chunks(dtypes.named("int64"), (), [data])


def _save_counter(reader: BundleReader, new: Draft) -> int:
    """The global step, so that TF2 code saves over no earlier checkpoint; or 1."""
    if new.added.fresh_step:
        return 0
    names = object_keys.STEP_KEY, object_keys.GLOBAL_STEP
    of_step = set(map(coding.name_to_key, names))
    for key, keys in new.kept.items():
        if not of_step.isdisjoint(keys):
            entry = reader.index.entry(key)
            if not entry.shape and entry.dtype_name in ("int32", "int64"):
                reader.verify(key)
                data = b"".join(map(bytes, reader.iter_chunks(key)))
                return int.from_bytes(data, "little", signed=True)
    return 1
