"""Checkpoints of the V1 format, of before 2017, by their files.

Such a checkpoint is one table, or several (`model.ckpt-7-00000-of-00002`), without an
index. No name says what they are: a file is one if it ends as a table does.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError
from estimator_ckpt.bundle.sstable import table
from estimator_ckpt.bundle.sstable.table_blocks import FOOTER_SIZE

_SHARD = re.compile(r"-(\?{5}|\d{5,})(-of-\d{5,})$")


def find(path: str, store: files.Store = files) -> Optional[str]:
    """The V1 checkpoint of which a path is the file, a shard, or all shards' name."""
    directory, name = os.path.split(path)
    if name.endswith(".index"):
        return None
    shard = _SHARD.search(path)
    if shard is None and _ends_as_table(path, store):
        return path
    if not store.is_dir(directory or "."):
        return None
    if shard is not None:
        patterns = [_SHARD.sub(r"-?????\2", path)]
    else:
        behind = re.compile(rf"{re.escape(name)}-\d{{5,}}(-of-\d{{5,}})")
        matches = filter(None, map(behind.fullmatch, store.list_dir(directory or ".")))
        patterns = sorted({f"{path}-?????{match[1]}" for match in matches})
    for pattern in patterns:
        if any(_ends_as_table(file, store) for file in shards(pattern, store)):
            return pattern
    return None


def shards(prefix: str, store: files.Store = files) -> list[str]:
    """The files of a V1 checkpoint, sorted: one, or those that its pattern means."""
    directory, pattern = os.path.split(prefix)
    if "?" not in pattern:
        return [prefix]
    matching = re.compile(re.escape(pattern).replace(re.escape("?"), r"\d"))
    return [
        os.path.join(directory, name)
        for name in store.list_dir(directory or ".")
        if matching.fullmatch(name)
    ]


def every_shard(prefix: str, store: files.Store = files) -> list[str]:
    """The files of a V1 checkpoint, sorted: all that there are to be.

    Without one nobody knows which tensors are missing: each says what itself has.

    Args:
      prefix: its file, or the pattern of its shards (`model.ckpt-7-?????-of-00002`).
      store: where they are.

    Raises:
      CorruptIndexError: a shard is missing.
    """
    found = shards(prefix, store)
    named = _named_shards(prefix)
    missing = next((path for path in named if path not in found), None)
    if missing is not None:
        raise CorruptIndexError(
            f"{missing}: the shard is missing, which the names of the others tell of"
        )
    return found


def _named_shards(prefix: str) -> Iterator[str]:
    """The names of as many shards as a pattern says there are; none of another path."""
    shard = _SHARD.search(prefix)
    if shard is None or not shard[1].startswith("?"):
        return iter(())
    stem, of = prefix[: shard.start()], shard[2]
    count = int(of[len("-of-") :])
    return (f"{stem}-{number:05d}{of}" for number in range(count))


def prefixes_of(name: str) -> list[str]:
    """What a checkpoint is called of which a file of this name is a shard."""
    shard = _SHARD.search(name)
    if shard is None:
        return []
    return [name[: shard.start()], _SHARD.sub(r"-?????\2", name)]


def _ends_as_table(path: str, store: files.Store) -> bool:
    if not store.exists(path) or store.is_dir(path):
        return False
    try:
        with contextlib.closing(store.open_file(path)) as file:
            tail = min(file.size, FOOTER_SIZE)
            return table.is_table(file.read(file.size - tail, tail))
    except CheckpointError:  # a pipe, a device, no permission
        return False
