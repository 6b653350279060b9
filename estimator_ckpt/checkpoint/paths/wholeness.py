"""Which files make a checkpoint whole: its index against its data shards.

Asked before anything is written from a checkpoint or restored from it. No tensor is
read: whether the bytes are those that were saved is what `verify` finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointNotFoundError,
    CorruptDataError,
)
from estimator_ckpt.bundle.index import Index, shard_path

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.variable import StoredVariable


def require_whole(
    prefix: str,
    index: Index,
    store: files.Store = files,
    names: Optional[Iterable[str]] = None,
) -> None:
    """Checks that a checkpoint's shards are there, and as long as the index says.

    Args:
      prefix: the checkpoint's prefix.
      index: its index.
      store: where its files are.
      names: the tensors that are needed; None: all.

    Raises:
      CorruptDataError: a shard is missing, empty or cut off.
      CorruptIndexError: an entry cannot be true.
      CheckpointError: a shard is no regular file, or may not be read.
    """
    _require_ends(prefix, index, index.shard_ends(names), store)


def require_stored(
    prefix: str,
    index: Index,
    variables: Iterable[StoredVariable],
    store: files.Store = files,
) -> None:
    """As `require_whole`, of variables that were listed: they say where they are.

    To parse the entries of many again would take as long as to list them. The index
    needs to have those of partitioned variables alone.
    """
    ends: dict[int, int] = {}
    partitioned = []
    for variable in variables:
        shard, offset = variable.shard, variable.offset
        if shard is None or offset is None:
            partitioned.append(variable.key)
            continue
        end = offset + variable.size
        if end > ends.get(shard, -1):  # its file has to be there, even for no bytes
            ends[shard] = end
    for shard, end in index.shard_ends(partitioned).items():
        ends[shard] = max(end, ends.get(shard, 0))
    _require_ends(prefix, index, ends, store)


def _require_ends(
    prefix: str, index: Index, ends: Mapping[int, int], store: files.Store
) -> None:
    """Checks that a checkpoint's shards have at least so many bytes."""
    for shard_id, end in sorted(ends.items()):
        path = shard_path(prefix, shard_id, index.header.num_shards)
        require_shard(path, end, store)


def require_shard(path: str, end: int, store: files.Store = files) -> None:
    """Checks that a shard is a file of at least `end` bytes.

    Raises:
      As `require_whole`.
    """
    open_shard(path, end, store).close()


def open_shard(path: str, end: int, store: files.Store = files) -> files.InputFile:
    """Opens a shard that has at least `end` bytes.

    Raises:
      As `require_whole`.
    """
    try:
        shard = store.open_file(path)
    except CheckpointNotFoundError:
        raise CorruptDataError(
            f"{path}: the shard is missing, of which the index says that it has {end} "
            f"bytes or more"
        ) from None
    if shard.size < end:
        shard.close()
        raise CorruptDataError(
            f"{path}: the shard is cut off: it has {shard.size} bytes of {end}"
        )
    return shard
