"""A new bundle out of an old one's tensors under new keys.

The data shards are linked; one small shard holds what is new (the object graph,
`save_counter`). So the cost depends on the number of variables, not on their bytes.

Order of the file operations, so that a destination is there whole or not at all: data
shards, `.meta`, index by rename; what the old destination had goes last.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Optional

from estimator_ckpt.bundle import coding, dtypes, files
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry, renumbered
from estimator_ckpt.bundle.errors import CorruptDataError
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.targets import Target

#: TensorFlow 2.21.0 and earlier cannot join these from slices ("Dtype half not
#: supported"), which a TF2 restore of a partitioned variable needs.
_NOT_JOINED = frozenset(
    {"half", "float16", "uint16", "uint32", "uint64", "string", "qint16", "quint16"}
)


def write(reader: BundleReader, moves: KeyMoves, prefix: str, target: Target) -> None:
    """Writes a bundle's tensors under new keys and a new prefix, whole or not at all.

    Args:
      reader: the source.
      moves: its tensors' new keys, and what is new.
      prefix: the new prefix.
      target: its format, and how to write it.

    Raises:
      CheckpointError: the source is damaged, or writing failed.
    """
    placed: list[str] = []
    before = _index_of(prefix)
    try:
        _write(reader, moves, prefix, target, placed)
    except BaseException:
        if _index_of(prefix) == before:  # which names none of them
            for path in placed:
                files.delete(path, missing_ok=True)
        raise


def _index_of(prefix: str) -> Optional[bytes]:
    path = index_path(prefix)
    return bytes(files.read(path)) if files.exists(path) else None


def _write(
    reader: BundleReader,
    moves: KeyMoves,
    prefix: str,
    target: Target,
    placed: list[str],
) -> None:
    """The same; adds each file's path to `placed` before the file is there."""
    index = reader.index
    whole = _to_write_whole(reader, moves)
    used = _used_shards(reader, moves.kept)
    streams = target.data == "copy" and _drops_most(reader, moves.kept, used)
    kept_shards = [] if streams else used
    has_new = moves.has_new_tensors or bool(whole)
    needed = len(kept_shards) + int(has_new or streams)
    num_shards, old_files = _free_count(prefix, needed)
    files.make_dirs(os.path.dirname(prefix))
    for number, old_number in enumerate(kept_shards):
        path = shard_path(prefix, number, num_shards)
        placed.append(path)
        _place(reader, old_number, path, target)
    records: dict[bytes, bytes] = {}
    new: dict[str, Entry] = {}
    if has_new or streams:
        number = len(kept_shards)
        placed.append(shard_path(prefix, number, num_shards))
        with ShardWriter(placed[-1], number) as shard:
            if streams:
                records.update(_copy_kept(reader, moves, shard, whole))
            new.update(_write_new(reader, moves, shard, whole))
    for number in range(needed, num_shards):  # only where an old name was in the way
        placed.append(shard_path(prefix, number, num_shards))
        files.put(placed[-1], b"")
    if not streams:
        records.update(_moved(index.records, moves, whole, _renumber(kept_shards)))
    records.update((coding.name_to_key(k), e.serialize()) for k, e in new.items())
    header = dataclasses.replace(index.header, num_shards=num_shards)
    content = serialize_index(header, records.items())
    meta = f"{reader.prefix}.meta"
    keeps_meta = target.format.keeps_meta and moves.keeps_names and files.exists(meta)
    if keeps_meta:
        if not files.exists(f"{prefix}.meta"):
            placed.append(f"{prefix}.meta")
        files.link_or_copy(meta, f"{prefix}.meta", "copy")
    files.put(index_path(prefix), content)
    files.copy_times(index_path(reader.prefix), index_path(prefix))
    if not keeps_meta:
        files.delete(f"{prefix}.meta", missing_ok=True)
    for old in old_files:
        files.delete(old, missing_ok=True)


def _to_write_whole(reader: BundleReader, moves: KeyMoves) -> dict[str, list[str]]:
    """Object keys of partitioned variables that TensorFlow could not join, by old key.

    Their name keys, if there are any, keep the slices.
    """
    found = {}
    for old, new in moves.new_keys.items():
        objects = [key for key in new if object_keys.is_object_key(key)]
        if (
            objects
            and _is_partitioned(reader, old)
            and reader.index[old].dtype_name in _NOT_JOINED
        ):
            found[old] = objects
    return found


def _is_partitioned(reader: BundleReader, key: str) -> bool:
    # Names of slices sort before all others; most checkpoints have none at all.
    return reader.index.has_slices and reader.index[key].is_partitioned


def _used_shards(reader: BundleReader, kept: set[str]) -> list[int]:
    """The shards that hold what is kept, in order."""
    index = reader.index
    if index.header.num_shards == 1:
        return [0]
    used = set()
    for key in index.records:
        entry = index.entry(key)
        if not entry.is_partitioned and coding.parse_key(key)[0] in kept:
            used.add(entry.shard_id)
    return sorted(used)


def _drops_most(reader: BundleReader, kept: set[str], used: list[int]) -> bool:
    """Whether less than half of the bytes in the used shards are kept."""
    index = reader.index
    if kept.issuperset(index):
        return False
    taken = 0
    for key in index.records:
        if coding.parse_key(key)[0] in kept:
            entry = index.entry(key)
            taken += 0 if entry.is_partitioned else entry.size
    return taken * 2 < sum(files.size(_source_shard(reader, shard)) for shard in used)


def _source_shard(reader: BundleReader, shard: int) -> str:
    return shard_path(reader.prefix, shard, reader.index.header.num_shards)


def _place(
    reader: BundleReader,
    shard: int,
    path: str,
    target: Target,
) -> None:
    """Gives a data shard of the source its name in the destination."""
    source = _source_shard(reader, shard)
    if not files.exists(source):
        raise CorruptDataError(
            f"{source}: the shard is missing; restore it, or convert another checkpoint"
        )
    files.link_or_copy(source, path, target.data, target.progress)


def _free_count(prefix: str, needed: int) -> tuple[int, list[str]]:
    """A number of shards whose file names are free, and the old destination's files.

    Shards of an old destination must not be replaced while its index names them.
    """
    directory, base = os.path.split(prefix)
    if not files.exists(index_path(prefix)) or not files.is_dir(directory or "."):
        return needed, []
    old = [
        name
        for name in files.list_dir(directory or ".")
        if name.startswith(f"{base}.data-") and "-of-" in name
    ]
    taken = {name.rpartition("-of-")[2] for name in old}
    count = needed
    while f"{count:05d}" in taken:
        count += 1
    return count, [os.path.join(directory, name) for name in old]


def _renumber(shards: list[int]) -> Optional[dict[int, int]]:
    """New shard numbers by old ones; None if they stay what they are."""
    numbers = {old: new for new, old in enumerate(shards)}
    return None if all(old == new for old, new in numbers.items()) else numbers


def _moved(
    records: Mapping[bytes, bytes],
    moves: KeyMoves,
    whole: Mapping[str, list[str]],
    numbers: Optional[Mapping[int, int]],
) -> Iterator[tuple[bytes, bytes]]:
    """The kept entries under their new keys, unparsed unless shards get new numbers."""
    for key, record in records.items():
        name, extents = coding.parse_key(key)
        new_names = moves.new_keys.get(name, ())
        if not new_names:
            continue
        if numbers is not None:
            record = renumbered(record, numbers)
        for new in new_names:
            if new not in whole.get(name, ()):
                yield _new_key(new, extents), record


def _new_key(name: str, extents: Optional[Slice]) -> bytes:
    if extents is None:
        return coding.name_to_key(name)
    return coding.slice_key(name, extents)


def _copy_kept(
    reader: BundleReader,
    moves: KeyMoves,
    shard: ShardWriter,
    whole: Mapping[str, list[str]],
) -> Iterator[tuple[bytes, bytes]]:
    """Copies the kept tensors' bytes into one shard, and yields their new entries."""
    for key in reader.index.records:
        name, extents = coding.parse_key(key)
        new_names = [
            n for n in moves.new_keys.get(name, ()) if n not in whole.get(name, ())
        ]
        if not new_names:
            continue
        entry = reader.index.entry(key)
        if entry.is_partitioned:
            entry = entry._replace(shard_id=0, offset=0)
        else:
            entry = shard.copy(entry, reader.iter_chunks(key))
        for new in new_names:
            yield _new_key(new, extents), entry.serialize()


def _write_new(
    reader: BundleReader,
    moves: KeyMoves,
    shard: ShardWriter,
    whole: Mapping[str, list[str]],
) -> dict[str, Entry]:
    """Writes the tensors that the source does not have in this form."""
    new = {}
    for old, keys in whole.items():
        entry = reader.index[old]
        kind = dtypes.of(entry.dtype)
        if kind.is_string:
            entry = shard.add(reader.read(old))
        else:
            pieces = (piece.view("u1").data for piece in reader.iter_arrays(old))
            entry = shard.add_chunks(kind, entry.shape, pieces)
        new.update(dict.fromkeys(keys, entry))
    for key, tensor in moves.written.items():
        kind = dtypes.named(tensor.dtype)
        if kind.is_string:
            (new[key],) = map(shard.add, tensor.chunks())
        else:
            new[key] = shard.add_chunks(kind, tensor.shape, tensor.chunks())
    if moves.graph is not None:
        new[object_keys.OBJECT_GRAPH_KEY] = shard.add_string(moves.graph)
    if moves.fresh_step:
        zero = shard.add_chunks(dtypes.named("int64"), (), [bytes(8)])
        new.update((key, zero) for key in moves.fresh_step)
    if moves.needs_counter:
        counter = _save_counter(reader, moves)
        new[object_keys.SAVE_COUNTER_KEY] = shard.add_chunks(
            dtypes.named("int64"), (), [counter.to_bytes(8, "little", signed=True)]
        )
    return new


def _save_counter(reader: BundleReader, moves: KeyMoves) -> int:
    """The global step, so that TF2 code saves over no earlier checkpoint; or 1."""
    if moves.fresh_step:
        return 0
    for old, new in moves.new_keys.items():
        if object_keys.STEP_KEY in new or object_keys.GLOBAL_STEP in new:
            entry = reader.index[old]
            if not entry.shape and entry.dtype_name in ("int32", "int64"):
                chunks = reader.iter_chunks(coding.name_to_key(old))
                return int.from_bytes(
                    b"".join(map(bytes, chunks)), "little", signed=True
                )
    return 1
