"""Putting a saved checkpoint in its place, so that nobody ever reads half of one.

Through `tf.io.gfile`, so that it works where the model dir is remote. TensorFlow's
Saver renames the new shards over those of an old checkpoint of the same prefix before
it rewrites the index: a job that is killed in between has lost both. A resumed job
does this every time, since it begins by saving the step that it restored.

So a checkpoint that replaces another is saved beside it. Its shards then get names
that the old index does not know (another number of shards), its index takes the old
one's place by a rename, and the old shards go last.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator, Mapping

import tensorflow as tf

from estimator_ckpt.bundle.index import index_path, parse_index, shard_path
from estimator_ckpt.bundle.key_aliases import add_aliases

_SHARD = re.compile(r"\.data-\d{5}-of-(\d{5})")
_BESIDE = re.compile(r"\.saving-[0-9a-f]{32}")


def is_there(prefix: str) -> bool:
    """Whether a prefix has an index."""
    return bool(tf.io.gfile.exists(index_path(prefix)))


@contextlib.contextmanager
def beside(prefix: str) -> Iterator[str]:
    """A new prefix next to `prefix`; whatever is left of it at the end is removed.

    So is what a process that was killed here left behind.
    """
    _remove_leftovers(prefix)
    try:
        yield f"{prefix}.saving-{uuid.uuid4().hex}"
    finally:
        _remove_leftovers(prefix)


def replace(new: str, prefix: str, aliases: Mapping[str, str]) -> None:
    """Puts a checkpoint in the place of another.

    Args:
      new: the prefix under which it was saved; nothing is left there.
      prefix: the prefix of the checkpoint to replace.
      aliases: keys to add, as for `add_aliases`.
    """
    data = _read(index_path(new))
    num_shards = parse_index(data, index_path(new)).header.num_shards
    old_shards = {
        name: match[1]
        for name in _names_behind(prefix)
        if (match := _SHARD.fullmatch(name))
    }
    count = num_shards
    while f"{count:05d}" in old_shards.values():
        count += 1
    for number in range(num_shards):
        tf.io.gfile.rename(
            shard_path(new, number, num_shards), shard_path(prefix, number, count)
        )
    for number in range(num_shards, count):
        _write(shard_path(prefix, number, count), b"")
    index = add_aliases(data, aliases, index_path(prefix), num_shards=count)
    _put_index(prefix, index)
    for name in old_shards:
        tf.io.gfile.remove(f"{prefix}{name}")


def add_name_keys(prefix: str, aliases: Mapping[str, str]) -> None:
    """Adds keys to a saved checkpoint's index; the tensors are not written again."""
    path = index_path(prefix)
    _put_index(prefix, add_aliases(_read(path), aliases, path))


def _put_index(prefix: str, data: bytes) -> None:
    """Gives a prefix its index, whole: written beside, then renamed."""
    path = index_path(prefix)
    new = f"{path}.tmp-{uuid.uuid4().hex}"
    try:
        _write(new, data)
        tf.io.gfile.rename(new, path, overwrite=True)
    except BaseException:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.remove(new)
        raise


def _remove_leftovers(prefix: str) -> None:
    for name in _names_behind(prefix):
        if _BESIDE.match(name):
            path = f"{prefix}{name}".rstrip("/")
            if tf.io.gfile.isdir(path):
                tf.io.gfile.rmtree(path)
            else:
                tf.io.gfile.remove(path)


def _names_behind(prefix: str) -> list[str]:
    """What stands behind a prefix in the names of the files that begin with it."""
    directory, base = os.path.split(prefix)
    return [
        name[len(base) :]
        for name in tf.io.gfile.listdir(directory or ".")
        if name.startswith(base)
    ]


def _read(path: str) -> bytes:
    with tf.io.gfile.GFile(path, "rb") as file:
        return bytes(file.read())


def _write(path: str, data: bytes) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(data)
