"""A source as it was at one moment, however it is saved anew or deleted meanwhile.

TensorFlow saves under a name that is there already by renaming new shards over the old
ones and writing the index after them. So the shards are opened first: what is open
stays what it was. They belong to the index if it is the same before and after, and if
none of them is younger; where one is, some of its bytes are held against their
checksums. Before a conversion is committed, all of this is asked again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional, TypeVar

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptDataError,
    CorruptIndexError,
    SourceChangedError,
)
from estimator_ckpt.bundle.index import index_path, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.checkpoint.paths import prefixes, wholeness

if TYPE_CHECKING:
    from os import stat_result

# So many files of a process may be open, by default 1,024 of them.
_MOST_HELD = 256
# Bytes of a shard that are held against their checksums where times leave a doubt.
_SAMPLE = 1 << 20
# Seconds to wait before each new attempt, while a source is being saved.
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
# So many of them for what looks damaged, but was written a moment ago.
_MOST_WHEN_DAMAGED = 3
_A_MOMENT = 10.0

_Result = TypeVar("_Result")


class Shard(NamedTuple):
    """A shard of a source.

    Attributes:
      path: its file's name.
      status: which file it was, and its times.
      file: the open file; None if there are too many to hold them all.
    """

    path: str
    status: stat_result
    file: Optional[files.File]

    @contextlib.contextmanager
    def opened(self) -> Iterator[files.File]:
        """The shard, open for reading.

        Raises:
          SourceChangedError: it is another file by now, or gone.
        """
        if self.file is not None:
            yield self.file
            return
        try:
            file = files.File(self.path)
        except CheckpointNotFoundError:
            raise _changed(self.path, "deleted") from None
        with file:
            if not is_same(file.status, self.status):
                raise _changed(self.path, "replaced")
            yield file


class Snapshot(NamedTuple):
    """A source's index, and the shards that belong to it.

    Attributes:
      prefix: the source's prefix.
      index_data: the bytes of its index.
      times: those of the index, by which Savers tell a checkpoint's age.
      shards: the shards that are needed, by number.
    """

    prefix: str
    index_data: bytes
    times: stat_result
    shards: Mapping[int, Shard]

    @property
    def size(self) -> int:
        """The bytes of all shards that are needed."""
        return sum(shard.status.st_size for shard in self.shards.values())

    def require_unchanged(self) -> None:
        """Checks that what was read is one checkpoint, and still the one that is there.

        A source that was deleted meanwhile, by a Saver that keeps the last few, is as
        good as before if its shards are open.

        Raises:
          SourceChangedError: it was saved anew, or a shard that is needed was deleted.
        """
        with contextlib.suppress(CheckpointNotFoundError):
            if files.read(index_path(self.prefix)) != self.index_data:
                raise _changed(index_path(self.prefix), "saved anew")
        for shard in self.shards.values():
            if shard.file is not None and not shard.file.is_unchanged:
                raise _changed(shard.path, "written to")
            try:
                now = os.stat(shard.path)
            except FileNotFoundError:
                if shard.file is None:
                    raise _changed(shard.path, "deleted") from None
            else:
                if not is_same(now, shard.status):
                    raise _changed(shard.path, "replaced")


@contextlib.contextmanager
def taken(
    reader: BundleReader,
    needed: Collection[bytes],
    most_held: int = _MOST_HELD,
) -> Iterator[Snapshot]:
    """Holds a source for as long as it is read; the reader reads from what is held.

    Args:
      reader: the source; its index was read.
      needed: the keys of entries whose bytes are needed, slices included.
      most_held: how many shards may be open at once.

    Raises:
      CorruptDataError: a shard is missing or cut off, or belongs to another index.
      CorruptIndexError: an entry that is needed cannot be true.
      CheckpointError: a shard is no regular file.
      SourceChangedError: the source was saved anew since its index was read.
    """
    with contextlib.ExitStack() as stack:
        shards: dict[int, Shard] = {}
        for number, end in sorted(reader.index.ends(needed).items()):
            path = shard_path(reader.prefix, number, reader.index.header.num_shards)
            file = wholeness.open_shard(path, end)
            assert isinstance(file, files.File)
            if len(shards) < most_held:
                stack.enter_context(file)
                shards[number] = Shard(path, file.status, file)
            else:
                file.close()
                shards[number] = Shard(path, file.status, None)
        held = {n: shard.file for n, shard in shards.items() if shard.file is not None}
        stack.enter_context(reader.holding(held))
        times = _times_of_same(reader)
        younger = {
            number
            for number, shard in shards.items()
            if shard.status.st_mtime_ns >= times.st_mtime_ns
        }
        _verify_sample(reader, needed, younger)
        yield Snapshot(reader.prefix, reader.index.data, times, shards)


def _times_of_same(reader: BundleReader) -> stat_result:
    """The times of an index that is still what was read.

    Raises:
      SourceChangedError: it is not.
    """
    path = index_path(reader.prefix)
    try:
        with files.File(path) as index:
            if index.read(0, index.size) != reader.index.data:
                raise _changed(path, "saved anew")
            return index.status
    except CheckpointNotFoundError:
        raise _changed(path, "deleted") from None


def settled(
    sources: Sequence[files.PathLike], attempt: Callable[[], _Result]
) -> _Result:
    """What an attempt gives, made again for as long as a source is being saved.

    Args:
      sources: what is read, for telling whether it was written a moment ago.
      attempt: reads it, and writes nothing unless it succeeds.

    Raises:
      SourceChangedError: the source did not come to rest.
      Whatever the attempt raises.
    """
    for number, pause in enumerate(_PAUSES):
        try:
            return attempt()
        except SourceChangedError:
            pass
        except (CorruptDataError, CorruptIndexError):
            emptied = any(map(_is_emptied, sources))
            most = len(_PAUSES) if emptied else _MOST_WHEN_DAMAGED
            if number >= most or not any(map(_is_recent, sources)):
                raise
        time.sleep(pause)
    return attempt()


def _verify_sample(
    reader: BundleReader, needed: Collection[bytes], shards: set[int]
) -> None:
    """Holds some tensors of shards against their checksums, the smallest first."""
    if not shards:
        return
    left = dict.fromkeys(shards, _SAMPLE)
    entries = zip(needed, reader.index.entries(needed))
    for key, entry in sorted(entries, key=lambda item: item[1].size):
        if entry.slices or not entry.size or left.get(entry.shard_id, 0) <= 0:
            continue
        left[entry.shard_id] -= entry.size
        reader.verify(key)


def is_same(a: stat_result, b: stat_result) -> bool:
    """Whether two states are of one file that nobody wrote to in between."""
    return os.path.samestat(a, b) and (a.st_size, a.st_mtime_ns) == (
        b.st_size,
        b.st_mtime_ns,
    )


def _changed(path: str, how: str) -> SourceChangedError:
    return SourceChangedError(
        f"{path}: was {how} while it was read; try again when nobody saves there"
    )


def _is_emptied(source: files.PathLike) -> bool:
    """Whether the index is empty: TensorFlow begins so to write it anew, in place."""
    with contextlib.suppress(CheckpointError, OSError):
        return os.path.getsize(index_path(prefixes.find(source).prefix)) == 0
    return False


def _is_recent(source: files.PathLike) -> bool:
    """Whether any file of a source was written a moment ago."""
    with contextlib.suppress(CheckpointError, OSError):
        directory, base = os.path.split(prefixes.find(source).prefix)
        with os.scandir(directory or ".") as listed:
            now = time.time()
            return any(
                now - file.stat().st_mtime < _A_MOMENT
                for file in listed
                if file.name.startswith(f"{base}.")
            )
    return False
