"""A new bundle out of an old one's tensors under new keys.

The data shards are linked; one small shard holds what is new (the object graph,
`save_counter`). So the cost depends on the number of variables, not on their bytes.

Order of the file operations, so that a destination is there whole or not at all: data
shards, `.meta`, index by rename (by link, where nothing may be replaced); what the old
destination had goes last.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.entry import renumbered
from estimator_ckpt.bundle.errors import CheckpointNotFoundError
from estimator_ckpt.bundle.index import Index, index_path, serialize_index, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import claims, snapshot
from estimator_ckpt.conversion.writing.claims import Claim, Role
from estimator_ckpt.conversion.writing.drafts import Draft, Prepared, draft, new_keys
from estimator_ckpt.conversion.writing.snapshot import Snapshot

# Most conversions to names have no tensors to write.
if TYPE_CHECKING:
    from estimator_ckpt.bundle.writer import ShardWriter

# Copies of shards would be so much larger than what is used of them.
_MOST_USED = 0.9

_OF = re.compile(r"\.data-\d{5,}-of-(\d{5,})")


class Written(NamedTuple):
    """How large a bundle is that was written.

    Attributes:
      size: the bytes of its shards.
      own_size: those of them that were not linked or copied as they are.
      new: what went into it.
    """

    size: int
    own_size: int
    new: Draft

    @property
    def used(self) -> int:
        """The bytes that its tensors take."""
        return self.own_size + self.new.size if self.own_size < self.size else self.size


@contextlib.contextmanager
def prepared(reader: BundleReader, new: Draft) -> Iterator[Prepared]:
    """Holds a source, after its files were held against its index.

    Args:
      reader: the source.
      new: what of it goes into a new bundle, and what is new.

    Raises:
      CorruptDataError: a shard is missing or cut off.
      CorruptIndexError: an entry that is needed cannot be true.
      CheckpointError: a shard is no regular file.
      SourceChangedError: the source was saved anew since its index was read.
    """
    with snapshot.taken(reader, new.kept) as source:
        yield Prepared(reader, new, source)


def rehearse(reader: TensorReader, moves: KeyMoves) -> None:
    """Refuses what a write would; where tensors are written again first, nothing.

    Raises:
      As `prepared`.
    """
    if isinstance(reader, BundleReader):
        with prepared(reader, draft(reader.index, moves)):
            pass


def write(reader: BundleReader, new: Draft, prefix: str, target: Target) -> Written:
    """Writes a bundle's tensors under new keys and a new prefix, whole or not at all.

    Args:
      reader: the source.
      new: what of it goes into the new bundle, and what is new.
      prefix: the new prefix.
      target: its format, and how to write it.

    Returns:
      How large it is.

    Raises:
      As `prepared` and `write_prepared`.
    """
    with prepared(reader, new) as ready:
        return write_prepared(ready, prefix, target)


def write_prepared(ready: Prepared, prefix: str, target: Target) -> Written:
    """The same for a source that is held.

    Raises:
      DestinationExistsError: the prefix is there, and is not to be overwritten.
      DestinationInUseError: another process is writing it.
      SourceChangedError: the source was saved anew meanwhile.
      NoSpaceError: the disk is full.
      CheckpointError: the source is damaged, or writing failed otherwise.
      In all of these cases nothing is left behind.
    """
    reader, new, source = ready
    with claims.claimed(prefix) as claim:
        target.usable_prefix(reader.prefix)  # asked again, now that it is ours
        streams = _streams(new, source, target)
        shards = _name_shards(prefix, [] if streams else ready.used_shards, new)
        for path in shards.old:
            claim.replaces(path)
        copies = _place_shards(source, shards, target, claim)
        moved = () if streams else _moved(reader.index, new, shards)
        own: list[tuple[bytes, bytes]] = []
        own_size = 0
        for number in shards.own:
            with _new_shard(shards.path(number), number, claim) as shard:
                own += _own(ready, shard, target, streams)
                own_size = shard.size
        for number in shards.padding:
            with _new_shard(shards.path(number), number, claim):
                pass
        written = map(shards.path, (*copies, *shards.own, *shards.padding))
        files.sync_files(list(written))
        files.sync_dir(os.path.dirname(prefix))
        _copy_meta(reader.prefix, prefix, new.keeps_names, target, claim)
        header = reader.index.header._replace(num_shards=shards.num_shards)
        content = serialize_index(header, itertools.chain(own, moved))
        _commit(prefix, content, source, target, claim)
    placed = [source.shards[number].status.st_size for number in shards.placed]
    return Written(sum(placed) + own_size, own_size, new)


def _own(
    ready: Prepared, shard: ShardWriter, target: Target, streams: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Writes the tensors that no shard of the source carries; gives their entries."""
    from estimator_ckpt.conversion.writing import own_shard

    if streams:
        yield from own_shard.copied(ready, shard, target)
    yield from own_shard.written(ready, shard)


def _streams(new: Draft, source: Snapshot, target: Target) -> bool:
    """Whether tensors are copied one by one, rather than shards as they are."""
    if target.is_compact:
        return True
    return target.data == "copy" and new.size < source.size * _MOST_USED


class _Shards(NamedTuple):
    """The shards' files of a new bundle.

    Attributes:
      prefix: the new prefix.
      placed: the source's shards that get new names, the first numbers.
      has_own: whether the next number is a shard with what is written anew.
      num_shards: how many there are, empty ones at the end included.
      old: the files that an old checkpoint of this prefix has.
    """

    prefix: str
    placed: Sequence[int]
    has_own: bool
    num_shards: int
    old: Sequence[str]

    def path(self, number: int) -> str:
        """The file of a shard."""
        return shard_path(self.prefix, number, self.num_shards)

    @property
    def own(self) -> range:
        """The number, if any, of the shard that is written anew."""
        return range(len(self.placed), len(self.placed) + self.has_own)

    @property
    def padding(self) -> range:
        """The numbers of empty shards: there where an old name was in the way."""
        return range(self.own.stop, self.num_shards)

    @property
    def new_numbers(self) -> Optional[dict[int, int]]:
        """New shard numbers by old ones; None if they stay what they are."""
        numbers = {old: new for new, old in enumerate(self.placed)}
        return None if all(old == new for old, new in numbers.items()) else numbers


def _name_shards(prefix: str, placed: Sequence[int], new: Draft) -> _Shards:
    """Chooses a number of shards of which no file has the name yet.

    Shards of an old destination must not be replaced while its index names them.
    """
    has_own = new.has_new_tensors or not placed
    count = len(placed) + has_own
    directory, base = os.path.split(prefix)
    there = {
        name: match[1]
        for name in files.list_dir(directory or ".")
        if (match := _OF.fullmatch(name, len(base))) and name.startswith(base)
    }
    while f"{count:05d}" in there.values():
        count += 1
    # Without an index nobody knows whose they are.
    old = sorted(there) if files.exists(index_path(prefix)) else []
    paths = [os.path.join(directory, name) for name in old]
    return _Shards(prefix, placed, has_own, count, paths)


def _place_shards(
    source: Snapshot, shards: _Shards, target: Target, claim: Claim
) -> list[int]:
    """Gives the source's shards their new names.

    Returns:
      The numbers of those that were copied.
    """
    copies = []
    sizes = (source.shards[number].status.st_size for number in shards.placed)
    files.expect(target.progress, sum(sizes))
    for number, old_number in enumerate(shards.placed):
        path = shards.path(number)
        with source.shards[old_number].opened() as file:
            how = files.place(file, path, target.data, target.progress, claim.expects)
        if how != "link":
            copies.append(number)
    return copies


@contextlib.contextmanager
def _new_shard(path: str, number: int, claim: Claim) -> Iterator[ShardWriter]:
    """A shard to write; at the end it gets its name, after an error it is gone."""
    from estimator_ckpt.bundle.writer import ShardWriter

    shard = ShardWriter(path, number)
    try:
        yield shard
        claim.expects(path, shard.status)
        shard.commit(replace=False, sync=False)
    except BaseException:
        shard.discard()
        raise


def _moved(index: Index, new: Draft, shards: _Shards) -> Iterator[tuple[bytes, bytes]]:
    """The kept entries under their new keys, unparsed unless shards get new numbers."""
    numbers, records = shards.new_numbers, index.records
    for key, new_names in new.kept.items():
        record = records[key]
        if numbers is not None:
            record = renumbered(record, numbers)
        for new_key in new_keys(key, new_names):
            yield new_key, record


def _copy_meta(
    source: str, prefix: str, keeps_names: bool, target: Target, claim: Claim
) -> None:
    """Copies the source's `.meta` file, or sees to it that an old one goes."""
    path = f"{prefix}.meta"
    if target.format.keeps_meta and keeps_names:
        try:
            with files.File(f"{source}.meta") as meta, files.Output(path) as output:
                output.write(meta.map())
                output.set_times(meta.status)
                if not files.exists(path):
                    claim.expects(path, output.status)
            return
        except CheckpointNotFoundError:  # it has none, or not any more
            pass
    claim.replaces(path)


def _commit(
    prefix: str, content: bytes, source: Snapshot, target: Target, claim: Claim
) -> None:
    """Writes the index, with which the new checkpoint is there.

    It has the times of the source's: Savers tell a checkpoint's age by them.
    """
    output = files.Output(index_path(prefix), len(content))
    try:
        output.write(content)
        output.set_times(source.times)
        source.require_unchanged()
        claim.expects(output.path, output.status, Role.COMMIT)
        output.commit(replace=target.overwrite)
    except BaseException:
        output.discard()
        raise
