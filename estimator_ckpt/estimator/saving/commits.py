"""Putting a saved checkpoint in its place, so that nobody ever reads half of one.

TensorFlow's Saver renames the new shards over those of an old checkpoint of the same
prefix before it rewrites the index: a job that is killed in between has lost both. A
resumed job does this every time, since it begins by saving the step that it restored.

So a checkpoint that replaces another is saved beside it. If it holds the same, the old
one stays as it is. Else its shards get names that the old index does not know (another
number of shards), and its index takes the old one's place by a rename. The old shards
stay until the checkpoint is replaced once more or deleted: whoever has read the old
index goes on reading them.

A new checkpoint is marked until the state file names it: what a killed job left with a
mark was never a checkpoint of anybody's. The mark is a file that its process holds a
lock on, so that a job that is alive is not taken for one that was killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Optional

import tensorflow as tf

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.index import Index, index_path, parse_index, shard_path
from estimator_ckpt.bundle.key_aliases import add_aliases
from estimator_ckpt.bundle.local_files import leftovers, system_calls
from estimator_ckpt.estimator import gfile_store

_SHARD = re.compile(r"\.data-\d{5}-of-(\d{5})")
#: The name of a mark. What is saved beside has names that begin with it.
_MARK = re.compile(r"\.saving-[0-9a-f]{32}-(?P<base>.+)")
#: A small file that was not put in its place; what else is temporary has claims.
_PUT = re.compile(rf"{re.escape(leftovers.TEMPORARY)}[0-9a-f]{{16}}")
#: What stands behind a prefix in the names of its files.
_BEHIND = re.compile(r"(\.index|\.data-.*|_temp|\.part.*)$")


def is_there(prefix: str) -> bool:
    """Whether a prefix has an index."""
    return gfile_store.of(prefix).exists(index_path(prefix))


def version(prefix: str) -> Optional[bytes]:
    """What tells a checkpoint from one that is saved anew under its prefix."""
    try:
        return _read_index(prefix)
    except CheckpointError:
        return None


class Mark(NamedTuple):
    """The mark of a save that is not finished.

    Attributes:
      path: its file, and the prefix of what is saved beside.
      base: the base name of the prefix that is marked.
      fd: the file, held by this process; None if it is another's, or a remote one.
    """

    path: str
    base: str
    fd: Optional[int] = None


def marks_in(directory: str) -> list[Mark]:
    """The marks in a directory."""
    matches = map(_MARK.fullmatch, _names_in(directory))
    return [
        Mark(os.path.join(directory, match[0]), match["base"])
        for match in matches
        if match and not _BEHIND.search(match[0])
    ]


def is_of_mark(name: str) -> bool:
    """Whether a file belongs to a save that is not finished."""
    return _MARK.fullmatch(name) is not None


def marks_left_of(prefix: str) -> list[Mark]:
    """The marks that killed jobs left of a prefix."""
    directory, base = os.path.split(prefix)
    found = (mark for mark in marks_in(directory) if mark.base == base)
    return [mark for mark in found if not _is_held(mark.path)]


def mark(prefix: str) -> Mark:
    """Marks a prefix as one that is being saved."""
    directory, base = os.path.split(prefix)
    path = os.path.join(directory, f".saving-{uuid.uuid4().hex}-{base}")
    store = gfile_store.of(prefix)
    if directory and not store.is_dir(directory):
        store.make_dirs(directory)
    if store is not files:
        store.put(path, b"")
        return Mark(path, base)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with system_calls.reporting(path, "written"):
        fd: int = system_calls.change("create", os.open, path, flags, 0o666)
    leftovers.hold(fd)
    return Mark(path, base, fd)


def unmark(marks: Iterable[Mark]) -> None:
    """Takes marks away: the state file names the checkpoint now, or it is gone."""
    for each in marks:
        gfile_store.of(each.path).delete(each.path, missing_ok=True)
        if each.fd is not None:
            os.close(each.fd)


@contextlib.contextmanager
def marked(prefix: str) -> Iterator[Mark]:
    """Marks a new prefix; if saving fails, nothing of it is left.

    Otherwise the mark stays: whoever has named the checkpoint takes it away.
    """
    own = mark(prefix)
    try:
        yield own
    except BaseException:
        with contextlib.suppress(CheckpointError, tf.errors.OpError):
            if not is_there(prefix):
                _remove_behind(prefix)
                unmark([own])
        raise


@contextlib.contextmanager
def beside(prefix: str) -> Iterator[str]:
    """A new prefix next to `prefix`; whatever is left of it at the end is removed."""
    own = mark(prefix)
    try:
        yield own.path
    finally:
        with contextlib.suppress(CheckpointError, tf.errors.OpError):
            _remove_behind(own.path)
            unmark([own])


def is_same(new: str, prefix: str, aliases: Mapping[str, str]) -> bool:
    """Whether a checkpoint holds what another one would be replaced by.

    Every tensor has the same key, place, size and checksum in both.

    Args:
      new: the prefix of the new one.
      prefix: the prefix of the one that is there.
      aliases: keys to add to the new one, as for `add_aliases`.
    """
    try:
        old = _entries(parse_index(_read_index(prefix), index_path(prefix)))
    except CheckpointError:
        return False
    data = add_aliases(_read_index(new), aliases, index_path(new))
    return _entries(parse_index(data, index_path(new))) == old


def replace(new: str, prefix: str, aliases: Mapping[str, str]) -> None:
    """Puts a checkpoint in the place of another.

    Args:
      new: the prefix under which it was saved; nothing is left there.
      prefix: the prefix of the checkpoint to replace.
      aliases: keys to add, as for `add_aliases`.
    """
    store = gfile_store.of(prefix)
    data = _read_index(new)
    num_shards = parse_index(data, index_path(new)).header.num_shards
    taken = {
        name: int(match[1])
        for name in _names_behind(prefix)
        if (match := _SHARD.fullmatch(name))
    }
    kept = _num_shards(prefix)
    count = num_shards
    while count in taken.values():
        count += 1
    for number in range(num_shards):
        store.rename(
            shard_path(new, number, num_shards), shard_path(prefix, number, count)
        )
    for number in range(num_shards, count):
        store.put(shard_path(prefix, number, count), b"")
    index = add_aliases(data, aliases, index_path(prefix), num_shards=count)
    store.put(index_path(prefix), index)
    for name, old_count in taken.items():
        if old_count != kept:
            store.delete(f"{prefix}{name}", missing_ok=True)


def add_name_keys(prefix: str, aliases: Mapping[str, str]) -> None:
    """Adds keys to a saved checkpoint's index; the tensors are not written again."""
    path = index_path(prefix)
    gfile_store.of(prefix).put(path, add_aliases(_read_index(prefix), aliases, path))


def remove_unfinished(directory: str, *, named: Collection[str]) -> None:
    """Removes what killed jobs left half saved in a model dir.

    A checkpoint that is whole but that no state file named keeps its mark.

    Args:
      directory: the model dir.
      named: the prefixes that its state file names.
    """
    for each in marks_in(directory):
        if _is_held(each.path):
            continue
        marked = os.path.join(directory, each.base)
        _remove_behind(each.path)
        if not is_there(marked):
            _remove_behind(marked)
        elif marked not in named:
            continue
        unmark([each])
    if gfile_store.of(directory) is files and files.is_dir(directory or "."):
        for name in filter(_PUT.fullmatch, files.list_temporaries(directory or ".")):
            leftovers.remove(os.path.join(directory, name))


def _is_held(path: str) -> bool:
    """Whether a process that is alive holds a mark."""
    if gfile_store.of(path) is not files:
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True  # it is gone meanwhile
    try:
        return not leftovers.is_free(fd)
    finally:
        os.close(fd)


def _entries(index: Index) -> dict[bytes, object]:
    """What an index says of every key, less what means nothing of partitioned ones."""
    found: dict[bytes, object] = {}
    for key in index.records:
        entry = index.entry(key)
        if entry.is_partitioned:
            found[key] = (entry.dtype, entry.shape, entry.slices)
        else:
            found[key] = entry
    return found


def _num_shards(prefix: str) -> int:
    """The number of shards that a prefix's index speaks of, 0 if it cannot be read."""
    try:
        return parse_index(_read_index(prefix), index_path(prefix)).header.num_shards
    except CheckpointError:
        return 0


def _read_index(prefix: str) -> bytes:
    return gfile_store.of(prefix).read(index_path(prefix))


def _remove_behind(prefix: str) -> None:
    """Removes the files of a prefix that has no index, or that is beside another."""
    for name in filter(_BEHIND.match, _names_behind(prefix)):
        path = f"{prefix}{name}"
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)
        else:
            gfile_store.of(path).delete(path, missing_ok=True)


def _names_behind(prefix: str) -> list[str]:
    """What stands behind a prefix in the names of the files that begin with it."""
    directory, base = os.path.split(prefix)
    return [name[len(base) :] for name in _names_in(directory) if name.startswith(base)]


def _names_in(directory: str) -> list[str]:
    """All names in a directory, those of temporaries too."""
    if not tf.io.gfile.isdir(directory or "."):
        return []
    return [name.rstrip("/") for name in tf.io.gfile.listdir(directory or ".")]
