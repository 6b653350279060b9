"""Conversion between the formats, by rewriting only the index.

A name-based and an object-based checkpoint are the same table of tensors under other
keys. So a conversion links the data shards, writes one small shard with what is new
(the object graph, `save_counter`) and a new index: its cost depends on the number of
variables, not on their bytes.

Order of the file operations, so that a destination is there whole or not at all: data
shards, `.meta`, index by rename; what the old destination had goes last.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from estimator_ckpt.bundle import coding, dtypes, files, schema
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptDataError,
    DestinationExistsError,
)
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import contents, naming, object_keys, prefixes
from estimator_ckpt.checkpoint.opening import read_object_graph
from estimator_ckpt.conversion.new_keys import Rekeying, rekey
from estimator_ckpt.maps.filters import Patterns

DATA = ("auto", "link", "copy")

#: TensorFlow 2.21.0 and earlier cannot join these from slices ("Dtype half not
#: supported"), which a TF2 restore of a partitioned variable needs.
_NOT_JOINED = frozenset(
    {"half", "float16", "uint16", "uint32", "uint64", "string", "qint16", "quint16"}
)


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What a conversion is going to do; nothing is written yet.

    Attributes:
      source: the source's prefix.
      to: the format.
      rekeying: what becomes of each key.
    """

    source: str
    to: str
    rekeying: Rekeying


def convert(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: str,
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    names: str = "full_name",
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    data: str = "auto",
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Converts a checkpoint to another format.

    Slices, slot variables, hash tables' entries and whatever else is in the bundle
    travel untouched. The values are not read; use `verify` for that.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it; one of the V1
        format is read through TensorFlow, at the cost of its bytes.
      destination: the new prefix; a directory (or a path ending in `/`) takes the
        source's own name.
      to: `tf1`, `tf2` or `dual`.
      include: regexes of variable names to keep, matched from the beginning.
      exclude: regexes of variable names to leave out; they win. Both are held
        against the source's names; one that matches nothing is logged.
      assignment_map: new names: a dict or list of pairs (old to new), the path of a
        YAML or JSON file, or `builtin:NAME`; see `maps.assignment`. It lays an
        object-based source out anew.
      names: what variables of an object-based source are called: `full_name` or
        `path`, as for `open_checkpoint`.
      root: the dictionary that holds the variables in an object-based result. None:
        `var_list`; but an object-based source keeps its own keys and object graph.
      step: the variable that goes under `step`; None leaves it with the others.
      data: how shards get their new names: `link` (a hard link), `copy` (files of
        their own; with a filter that drops most of the bytes, only what is kept is
        written), `auto` (a hard link, else a copy).
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes done as shards are linked or copied.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to`, `data` or `names`, or a pattern that is no regex.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the destination is there, and overwrite is False.
      AmbiguousNameError: two variables claim one name.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
      CheckpointError: the source is damaged, or writing failed.
    """
    check(data, names)
    options: dict[str, Any] = {
        "to": to,
        "include": include,
        "exclude": exclude,
        "assignment_map": assignment_map,
        "names": names,
        "root": root,
        "step": step,
    }
    opened = _opened(source, destination, overwrite, options, is_to_link=True)
    with opened as (reader, conversion, target):
        if conversion.rekeying.unused:
            import logging  # 4 ms that most conversions need not spend

            log = logging.getLogger("estimator_ckpt")
            for sentence in conversion.rekeying.unused:
                log.warning("%s", sentence)
        write(reader, conversion, target, data, progress)
    return target


def plan_conversion(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    overwrite: bool = False,
    **options: Any,
) -> Conversion:
    """What `convert` would do, without doing it; refuses what it would.

    Args:
      source: as for `convert`.
      destination: as for `convert`.
      overwrite: as for `convert`.
      **options: the others of `convert`, but for `data` and `progress`.

    Raises:
      As `convert`.
    """
    opened = _opened(source, destination, overwrite, options, is_to_link=False)
    with opened as (_, conversion, _):
        return conversion


@contextlib.contextmanager
def _opened(
    source: files.PathLike,
    destination: files.PathLike,
    overwrite: bool,
    options: Mapping[str, Any],
    *,
    is_to_link: bool,
) -> Iterator[tuple[BundleReader, Conversion, str]]:
    """The source, what is to be done, and the new prefix, which may be written to.

    Of a source of the V1 format a bundle is made, which is gone afterwards: beside the
    new prefix if its data are to be linked there.
    """
    with contextlib.ExitStack() as stack:
        try:
            reader, conversion = _prepare(source, options)
            stack.enter_context(reader)
            target = destination_of(reader.prefix, destination)
            refuse_existing(reader.prefix, target, overwrite)
        except prefixes.V1CheckpointError as error:
            from estimator_ckpt.checkpoint import (
                v1_format,
            )  # costs time that others can save

            target = destination_of(error.prefix, destination)
            refuse_existing(error.prefix, target, overwrite)
            beside = os.path.dirname(target) if is_to_link else None
            bundle = stack.enter_context(v1_format.as_bundle(error.prefix, beside))
            reader, conversion = _prepare(bundle, options)
            stack.enter_context(reader)
            conversion = dataclasses.replace(conversion, source=error.prefix)
        yield reader, conversion, target


def check(data: str, names_by: str) -> None:
    """Raises ValueError for what `data` or `names` cannot be."""
    if data not in DATA:
        raise ValueError(f"unknown data {data!r}: use one of 'auto', 'link', 'copy'")
    naming.parse(names_by)


def _prepare(
    source: files.PathLike, options: Mapping[str, Any]
) -> tuple[BundleReader, Conversion]:
    prefix = prefixes.resolve(source)
    reader = BundleReader(prefix)
    graph = read_object_graph(reader)
    settings = dict(options)
    names_by = naming.parse(settings.pop("names", "full_name"))
    found = contents.of(
        reader.index, graph, root=settings.get("root"), names_by=names_by
    )
    for alias in found.aliases:
        _require_same(reader, alias, found.keys[alias])
    planned = rekey(found, reader.index, graph=graph, source=prefix, **settings)
    return reader, Conversion(prefix, settings["to"], planned)


def _require_same(reader: BundleReader, alias: str, key: str) -> None:
    """A name key beside an object key of that name must hold the same tensor."""
    a, b = reader.index[alias], reader.index[key]
    same = (a.dtype, a.shape) == (b.dtype, b.shape)
    if same and not (a.is_partitioned or b.is_partitioned):
        same = (a.size, a.crc32c) == (b.size, b.crc32c)
    if not same:
        raise CheckpointError(
            f"{reader.prefix}: {alias!r} and {key!r} are both the variable {alias!r} "
            f"but differ; give names='path' (--names=path) to keep them apart"
        )


def destination_of(prefix: str, destination: files.PathLike) -> str:
    text = files.local(destination)
    if text.endswith("/") or files.is_dir(text):
        return os.path.join(text, prefixes.base_name(prefix))
    if not text:
        raise CheckpointError("the destination's path is empty")
    return text


def refuse_existing(prefix: str, target: str, overwrite: bool) -> None:
    """Refuses a destination that cannot, or must not, be written to."""
    files.require_no_file(os.path.dirname(target))
    index = index_path(target)
    if not files.exists(index):
        return
    own = index_path(prefix)  # which a source of the V1 format has not
    if files.exists(own) and os.path.samefile(index, own):
        raise DestinationExistsError(
            f"{target}: source and destination are the same checkpoint; give another "
            f"destination"
        )
    if not overwrite:
        raise DestinationExistsError(
            f"{index}: already there; give another destination, or overwrite it "
            f"(overwrite=True, --overwrite)"
        )


def write(
    reader: BundleReader,
    conversion: Conversion,
    target: str,
    data: str,
    progress: Optional[files.Progress],
) -> None:
    """Writes what a conversion plans under a prefix, whole or not at all."""
    placed: list[str] = []
    before = _index_of(target)
    try:
        _write(reader, conversion, target, data, progress, placed)
    except BaseException:
        if _index_of(target) == before:  # which names none of them
            for path in placed:
                files.delete(path, missing_ok=True)
        raise


def _index_of(target: str) -> Optional[bytes]:
    path = index_path(target)
    return bytes(files.read(path)) if files.exists(path) else None


def _write(
    reader: BundleReader,
    conversion: Conversion,
    target: str,
    data: str,
    progress: Optional[files.Progress],
    placed: list[str],
) -> None:
    """The same; adds each file's path to `placed` before the file is there."""
    index, rekeying = reader.index, conversion.rekeying
    whole = _to_write_whole(reader, conversion)
    used = _used_shards(reader, rekeying.kept)
    streams = data == "copy" and _drops_most(reader, rekeying.kept, used)
    kept_shards = [] if streams else used
    has_new = bool(
        rekeying.graph is not None
        or rekeying.needs_counter
        or rekeying.fresh_step
        or rekeying.written
        or whole
    )
    needed = len(kept_shards) + int(has_new or streams)
    num_shards, old_files = _free_count(target, needed)
    files.make_dirs(os.path.dirname(target))
    for number, old_number in enumerate(kept_shards):
        path = shard_path(target, number, num_shards)
        placed.append(path)
        _place(reader, old_number, path, data, progress)
    records: dict[bytes, bytes] = {}
    new: dict[str, Entry] = {}
    if has_new or streams:
        number = len(kept_shards)
        placed.append(shard_path(target, number, num_shards))
        with ShardWriter(placed[-1], number) as shard:
            if streams:
                records.update(_copy_kept(reader, rekeying, shard, whole))
            new.update(_write_new(reader, rekeying, shard, whole))
    for number in range(needed, num_shards):  # only where an old name was in the way
        placed.append(shard_path(target, number, num_shards))
        files.put(placed[-1], b"")
    if not streams:
        records.update(_rekeyed(index.records, rekeying, whole, _renumber(kept_shards)))
    records.update((coding.name_to_key(k), e.serialize()) for k, e in new.items())
    header = dataclasses.replace(index.header, num_shards=num_shards)
    content = serialize_index(header, records.items())
    meta = f"{reader.prefix}.meta"
    # Beside tf2, its graph would restore through TensorFlow's fallback by full names,
    # which loses parts of partitioned variables.
    keeps_meta = conversion.to != "tf2" and rekeying.keeps_names and files.exists(meta)
    if keeps_meta:
        if not files.exists(f"{target}.meta"):
            placed.append(f"{target}.meta")
        files.link_or_copy(meta, f"{target}.meta", "copy")
    files.put(index_path(target), content)
    files.copy_times(index_path(reader.prefix), index_path(target))
    if not keeps_meta:
        files.delete(f"{target}.meta", missing_ok=True)
    for old in old_files:
        files.delete(old, missing_ok=True)


def _to_write_whole(
    reader: BundleReader, conversion: Conversion
) -> dict[str, list[str]]:
    """Object keys of partitioned variables that TensorFlow could not join, by old key.

    Their name keys, if there are any, keep the slices.
    """
    if conversion.to == "tf1":
        return {}
    found = {}
    for old, new in conversion.rekeying.moves.items():
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
    data: str,
    progress: Optional[files.Progress],
) -> None:
    """Gives a data shard of the source its name in the destination."""
    source = _source_shard(reader, shard)
    if not files.exists(source):
        raise CorruptDataError(
            f"{source}: the shard is missing; restore it, or convert another checkpoint"
        )
    files.link_or_copy(source, path, data, progress)


def _free_count(target: str, needed: int) -> tuple[int, list[str]]:
    """A number of shards whose file names are free, and the old destination's files.

    Shards of an old destination must not be replaced while its index names them.
    """
    directory, base = os.path.split(target)
    if not files.exists(index_path(target)) or not files.is_dir(directory or "."):
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


def _rekeyed(
    records: Mapping[bytes, bytes],
    rekeying: Rekeying,
    whole: Mapping[str, list[str]],
    numbers: Optional[Mapping[int, int]],
) -> Iterator[tuple[bytes, bytes]]:
    """The kept entries under their new keys, unparsed unless shards get new numbers."""
    for key, record in records.items():
        name, extents = coding.parse_key(key)
        new_names = rekeying.moves.get(name, ())
        if not new_names:
            continue
        if numbers is not None:
            record = _with_shard(record, numbers)
        for new in new_names:
            if new not in whole.get(name, ()):
                yield _new_key(new, extents), record


def _new_key(name: str, extents: Optional[Slice]) -> bytes:
    if extents is None:
        return coding.name_to_key(name)
    return coding.slice_key(name, extents)


def _with_shard(record: bytes, numbers: Mapping[int, int]) -> bytes:
    """An entry with its shard's new number; fields that we do not know are kept."""
    message = schema.BundleEntryProto.FromString(record)
    # Of a partitioned variable it means nothing, and can be any number.
    message.shard_id = 0 if message.slices else numbers[message.shard_id]
    return bytes(message.SerializeToString(deterministic=True))


def _copy_kept(
    reader: BundleReader,
    rekeying: Rekeying,
    shard: ShardWriter,
    whole: Mapping[str, list[str]],
) -> Iterator[tuple[bytes, bytes]]:
    """Copies the kept tensors' bytes into one shard, and yields their new entries."""
    for key in reader.index.records:
        name, extents = coding.parse_key(key)
        new_names = [
            n for n in rekeying.moves.get(name, ()) if n not in whole.get(name, ())
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
    rekeying: Rekeying,
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
    for key, tensor in rekeying.written.items():
        kind = dtypes.named(tensor.dtype)
        if kind.is_string:
            (new[key],) = map(shard.add, tensor.chunks())
        else:
            new[key] = shard.add_chunks(kind, tensor.shape, tensor.chunks())
    if rekeying.graph is not None:
        new[object_keys.OBJECT_GRAPH_KEY] = shard.add_string(rekeying.graph)
    if rekeying.fresh_step:
        zero = shard.add_chunks(dtypes.named("int64"), (), [bytes(8)])
        new.update((key, zero) for key in rekeying.fresh_step)
    if rekeying.needs_counter:
        counter = _save_counter(reader, rekeying)
        new[object_keys.SAVE_COUNTER_KEY] = shard.add_chunks(
            dtypes.named("int64"), (), [counter.to_bytes(8, "little", signed=True)]
        )
    return new


def _save_counter(reader: BundleReader, rekeying: Rekeying) -> int:
    """The global step, so that TF2 code saves over no earlier checkpoint; or 1."""
    if rekeying.fresh_step:
        return 0
    for old, new in rekeying.moves.items():
        if object_keys.STEP_KEY in new or object_keys.GLOBAL_STEP in new:
            entry = reader.index[old]
            if not entry.shape and entry.dtype_name in ("int32", "int64"):
                chunks = reader.iter_chunks(coding.name_to_key(old))
                return int.from_bytes(
                    b"".join(map(bytes, chunks)), "little", signed=True
                )
    return 1
