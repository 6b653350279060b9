"""A job's model dir: which checkpoints are its own.

TensorFlow believes the state file. Absolute paths in it (of a model dir that was copied
or moved, or as `tf.train.Checkpoint.save` writes them) make it resume from, and later
delete, checkpoints of another directory. Here only what is in the directory counts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterable
from typing import Optional

import tensorflow as tf

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint.paths import prefixes, state_file
from estimator_ckpt.estimator import gfile_store
from estimator_ckpt.estimator.saving import commits

#: What TensorFlow takes for a pattern in the path of a checkpoint.
_PATTERN = re.compile(r"[*?\[\\]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: The index of a checkpoint that a job saved: its name ends in the step.
_SAVED = re.compile(r"(?P<prefix>.*-(?P<step>\d+))\.index")


class StateFileError(CheckpointError):
    """A state file that is empty, cut off, or something else."""


class ModelDirError(CheckpointError, ValueError):
    """A model dir that TensorFlow cannot resume from, by its name."""


@dataclasses.dataclass(frozen=True)
class Recorded:
    """What a state file says of the checkpoints in its directory.

    Attributes:
      latest: the prefix of the latest one, there or not.
      all: the prefixes of those that are there, oldest first.
      elsewhere: paths that stand in the file and are of another place.
    """

    latest: str
    all: tuple[str, ...]
    elsewhere: tuple[str, ...]


def require_plain(path: str) -> None:
    """Checks that TensorFlow does not take a path for a pattern.

    Raises:
      ModelDirError: it does, and would never find a checkpoint there again.
    """
    why = taken_for_pattern(path)
    if why:
        raise ModelDirError(
            f"{path}: {why}: a job there never resumes, and deletes no checkpoint. "
            f"Give a path without any of * ? [ \\"
        )


def taken_for_pattern(path: str) -> str:
    """What TensorFlow takes for a pattern in a path; empty if nothing."""
    found = _PATTERN.search(path)
    if found is None:
        return ""
    return f"TensorFlow takes {found[0]!r} in its path for a pattern"


def recorded(
    directory: str, file_name: str = state_file.FILE_NAME
) -> Optional[Recorded]:
    """Reads a state file for what it says of its own directory.

    Returns:
      None if there is no such file.

    Raises:
      StateFileError: the file is empty, cut off, or no state file.
    """
    path = os.path.join(directory, file_name)
    store = gfile_store.of(directory)
    if not store.exists(path) or store.is_dir(path):
        return None
    data = store.read(path)
    try:
        state = state_file.parse(data, path)
    except CheckpointError as error:
        raise StateFileError(str(error)) from error
    latest = within(directory, state.latest)
    if latest is None:
        raise StateFileError(f"{path}: {state.latest!r} is no name of a checkpoint")
    elsewhere = [
        named
        for named in dict.fromkeys((*state.all, state.latest))
        if not is_inside(directory, named)
    ]
    return Recorded(
        latest=latest,
        all=tuple(those_there(directory, state.all)),
        elsewhere=tuple(elsewhere),
    )


def within(directory: str, named: str) -> Optional[str]:
    """The prefix in a directory that a path in its state file stands for.

    Of a path that leads elsewhere (absolute, `..`, through a link, of another store or
    machine), that of its base name; None where that is no name of a checkpoint.
    """
    base = re.split(r"[/\\]", named.rstrip("/\\"))[-1]
    if not base or base in (".", "..") or _PATTERN.search(base):
        return None
    below = _below(directory, named)
    return (
        os.path.join(directory, below, base) if below else os.path.join(directory, base)
    )


def is_inside(directory: str, named: str) -> bool:
    """Whether a path in a state file leads into its directory."""
    return _below(directory, named) is not None


def those_there(directory: str, named: Iterable[str]) -> list[str]:
    """The prefixes within a directory, each once, that have checkpoints there."""
    found = [within(directory, path) for path in named]
    return [path for path in dict.fromkeys(found) if path and _is_there(path)]


def with_times(there: Iterable[str]) -> list[tuple[str, float]]:
    """Prefixes with the times, in seconds, at which they were last saved.

    Those that are not there are left out: another process deleted them.
    """
    found = []
    for prefix in there:
        for path in (index_path(prefix), prefix):  # of the V1 format
            with contextlib.suppress(tf.errors.OpError):
                found.append((prefix, tf.io.gfile.stat(path).mtime_nsec / 1e9))
                break
    return found


def saved_in(directory: str) -> list[str]:
    """The prefixes of the checkpoints that jobs saved in a directory, by step.

    What a killed job did not get into the state file is none.
    """
    store = gfile_store.of(directory)
    if not store.is_dir(directory or "."):
        return []
    found = filter(None, map(_SAVED.fullmatch, store.list_dir(directory or ".")))
    in_order = sorted(found, key=lambda match: (int(match["step"]), match["prefix"]))
    unfinished = {mark.base for mark in commits.marks_in(directory)}
    return [
        os.path.join(directory, match["prefix"])
        for match in in_order
        if match["prefix"] not in unfinished and not commits.is_of_mark(match[0])
    ]


def identity(prefix: str) -> str:
    """A prefix as one string, however its directory was written."""
    directory, base = os.path.split(prefix)
    return os.path.join(_real(directory), base)


def is_same(prefix: str, other: str) -> bool:
    """Whether two prefixes are one, however their directories were written."""
    return identity(prefix) == identity(other)


def _below(directory: str, named: str) -> Optional[str]:
    """The directory below `directory` that a named path is in; "" for itself.

    None if it is elsewhere. Links are followed: a name may not lead out of it.
    """
    is_url = _URL.match(named) is not None
    if "\\" in named or (is_url and not _URL.match(directory)):
        return None
    path = named if is_url else os.path.join(directory, named)
    root, parent = _real(directory), _real(os.path.dirname(path))
    if parent == root:
        return ""
    inside = os.path.join(root, "")
    return parent[len(inside) :] if parent.startswith(inside) else None


def _real(path: str) -> str:
    """A directory as one string, however it was written."""
    url = _URL.match(path)
    if url is None:
        return os.path.realpath(path)
    return url[0] + os.path.normpath(path[url.end() :])


def _is_there(prefix: str) -> bool:
    return prefixes.at(prefix, gfile_store.of(prefix)) is not None
