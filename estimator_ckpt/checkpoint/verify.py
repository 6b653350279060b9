"""Every tensor of a checkpoint against its checksum.

What is covered: each block of the index (content and type) by the block's checksum,
and the bytes of every entry by the entry's. Bytes of a shard that no entry names are
covered by nothing, and mean nothing. A V1 checkpoint has checksums of blocks only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import argument_types, coding, files, threads
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptDataError, CorruptIndexError
from estimator_ckpt.bundle.index import Index, index_path, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.tensors.slices import is_tiled, resolve, show_key
from estimator_ckpt.checkpoint import opening
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.checkpoint.paths.prefixes import Place, Storage


class Problem(NamedTuple):
    """Something damaged in a checkpoint.

    Attributes:
      key: the damaged tensor's key, slices with their extents; None for the index.
      shard: the file that holds it.
      offset: of the tensor's first byte in the shard, None for the index.
      message: one line that says what is wrong.
      size: the tensor's bytes; None where its entry does not say, and for the index.
    """

    key: Optional[str]
    shard: str
    offset: Optional[int]
    message: str
    size: Optional[int] = None


class Verification(NamedTuple):
    """What `verify` found.

    Attributes:
      prefix: the checkpoint's prefix.
      num_tensors: the number of entries with bytes that were checked.
      num_bytes: how many bytes these have.
      problems: what is damaged, in the index's order.
    """

    prefix: str
    num_tensors: int
    num_bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.problems


@argument_types.checked
def verify(
    path: files.PathLike, *, progress: Optional[files.Progress] = None
) -> Verification:
    """Checks every tensor of a checkpoint against its CRC32C, on all cores.

    Memory does not grow with the bytes: each thread holds at most 4 MiB of a tensor.

    Args:
      path: what `open_checkpoint` takes.
      progress: called with the number of bytes done, from several threads; its method
        `expect`, if it has one, with how many there will be.

    Returns:
      What was found. Damage is reported there, not raised.

    Raises:
      CheckpointNotFoundError: there is no checkpoint at `path`.
      UnsupportedCheckpointError: it cannot be read here.
    """
    return verify_in(files, prefixes.find(path), progress)


def verify_in(
    store: files.Store, place: Place, progress: Optional[files.Progress] = None
) -> Verification:
    """The same, of a checkpoint that was found in a store.

    Raises:
      As `verify`.
    """
    prefix = place.prefix
    try:
        reader = opening.reader_of(place, store)
    except CorruptIndexError as error:
        file = index_path(prefix) if place.storage is Storage.BUNDLE else prefix
        return Verification(prefix, 0, 0, (Problem(None, file, None, str(error)),))
    index = reader.index
    problems: list[Problem] = []
    work: list[tuple[bytes, int]] = []
    for key in index.records:
        try:
            entry = index.entry(key)
            if entry.is_partitioned:
                _check_parts(index, key, entry)
            else:
                work.append((key, entry.size))
        except CorruptIndexError as error:
            problems.append(Problem(_shown(key), index.source, None, str(error)))
    files.expect(progress, sum(size for _, size in work))
    with contextlib.closing(reader):
        problems += _check_all(reader, work, progress)
    total = sum(size for _, size in work)
    return Verification(prefix, len(work), total, tuple(problems))


def _check_parts(index: Index, key: bytes, entry: Entry) -> None:
    """Checks that the slices of a partitioned variable are there and make a whole.

    Raises:
      CorruptIndexError: they are not, or do not.
    """
    parts = index.slices(coding.key_to_name(key))
    whole = tuple(Extent(0, size) for size in entry.shape)
    if len(parts) < len(entry.slices):
        raise CorruptIndexError(f"{index.source}: {show_key(key)} lists a slice twice")
    if not is_tiled(whole, [resolve(extents, entry.shape) for extents in parts]):
        raise CorruptIndexError(
            f"{index.source}: the slices of {show_key(key)} leave gaps or overlap"
        )


def _check_all(
    reader: TensorReader,
    work: list[tuple[bytes, int]],
    progress: Optional[files.Progress],
) -> list[Problem]:
    def check(item: tuple[bytes, int]) -> Optional[Problem]:
        key, size = item
        try:
            reader.verify(key)
        except (CorruptDataError, CorruptIndexError) as error:
            return _problem(reader, key, error)
        if progress is not None:
            progress(size)
        return None

    # One task for many small tensors: a task costs more than a small checksum.
    found = threads.each(lambda batch: list(map(check, batch)), _batches(work))
    return [problem for batch in found for problem in batch if problem is not None]


def _batches(work: list[tuple[bytes, int]]) -> Iterator[list[tuple[bytes, int]]]:
    batch: list[tuple[bytes, int]] = []
    total = 0
    for item in work:
        batch.append(item)
        total += item[1]
        if total >= files.CHUNK or len(batch) >= 256:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _problem(reader: TensorReader, key: bytes, error: Exception) -> Problem:
    entry = reader.index.entry(key)
    if not isinstance(reader, BundleReader):  # which has no shards
        return Problem(_shown(key), reader.prefix, None, str(error), entry.size)
    shard = shard_path(reader.prefix, entry.shard_id, reader.index.header.num_shards)
    return Problem(_shown(key), shard, entry.offset, str(error), entry.size)


def _shown(key: bytes) -> str:
    name, extents = coding.parse_key(key)
    return name if extents is None else f"{name} {show_key(extents)}"
