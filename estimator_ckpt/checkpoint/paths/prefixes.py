"""From what people pass to a checkpoint's prefix: the only place that knows.

A checkpoint has no file of its own name: it is a prefix with files behind it. People
pass the prefix, one of those files, the model dir or its state file, or a SavedModel.
Where its files are (local, remote) is the store's business.
"""

from __future__ import annotations

import enum
import os
import re
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointNotFoundError
from estimator_ckpt.bundle.index import index_path

_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_URL = r"[A-Za-z][A-Za-z0-9+.-]*://"


class Storage(enum.Enum):
    """How a checkpoint's tensors are stored."""

    #: A tensor bundle: an index and data shards.
    BUNDLE = "bundle"
    #: The format of before 2017: one table with keys and values, or several.
    V1 = "v1"
    #: A file of the safetensors format.
    SAFETENSORS = "safetensors"
    #: A `.pb` file with a GraphDef whose variables are constants.
    FROZEN_GRAPH = "frozen_graph"

    @property
    def is_weight_file(self) -> bool:
        """Whether it is a file, known by its name, that no op of TensorFlow reads."""
        return self in _WEIGHT_FILES.values()


#: How the file of a name stores weights, by how the name ends.
_WEIGHT_FILES = {".safetensors": Storage.SAFETENSORS, ".pb": Storage.FROZEN_GRAPH}


class Place(NamedTuple):
    """Where a checkpoint is.

    Attributes:
      prefix: its prefix, as TensorFlow takes it; of a V1 checkpoint in shards a
        pattern for all of them (`model.ckpt-7-?????-of-00002`).
      storage: how it is stored there.
    """

    prefix: str
    storage: Storage = Storage.BUNDLE


def find(path: files.PathLike, store: files.Store = files) -> Place:
    """The checkpoint that a path stands for.

    Args:
      path: a prefix; a checkpoint's `.index`, `.data-...` or `.meta` file; a file, or a
        pattern for the files, of a V1 checkpoint; a model dir or its `checkpoint` file
        (its latest checkpoint, also after it was moved); a SavedModel dir; a
        `.safetensors` file; a frozen graph (`.pb`).
      store: where to look.

    Raises:
      CheckpointNotFoundError: there is no checkpoint; says what is there instead.
      UnsupportedCheckpointError: a path that the store does not take.
    """
    text = files.without_scheme(os.fspath(path))
    if not text:
        raise CheckpointNotFoundError("the path of a checkpoint is empty")
    # First, since it refuses what is no path of its own.
    given = _Given(text, store.exists(text), store)
    for meaning in _MEANINGS:
        place = meaning(given)
        if place is not None:
            return place
    from estimator_ckpt.checkpoint.paths import what_is_there

    raise CheckpointNotFoundError(
        f"{text}: {what_is_there.what_is(text, store)}"
        f"{what_is_there.beside(text, store)}"
    )


class _Given(NamedTuple):
    """A path that was given.

    Attributes:
      path: the path.
      exists: whether something of that name is there.
      store: where to look.
    """

    path: str
    exists: bool
    store: files.Store

    @property
    def directory(self) -> str:
        return os.path.dirname(self.path) or "."

    @property
    def name(self) -> str:
        return os.path.basename(self.path)


# Most give a prefix: what the other paths need is imported when one of them is met.


def _bundle(prefix: str, store: files.Store) -> Optional[Place]:
    return Place(prefix) if store.exists(index_path(prefix)) else None


def _v1(prefix: str, store: files.Store) -> Optional[Place]:
    from estimator_ckpt.checkpoint.paths import v1_files

    found = v1_files.find(prefix, store)
    return None if found is None else Place(found, Storage.V1)


def _prefix(given: _Given) -> Optional[Place]:
    return _bundle(given.path, given.store)


def _directory(given: _Given) -> Optional[Place]:
    if not given.exists or not given.store.is_dir(given.path):
        return None
    return _in_directory(given.path, given.store)


def _file_behind_prefix(given: _Given) -> Optional[Place]:
    prefix = _without_ending(given.path)
    return None if prefix == given.path else _bundle(prefix, given.store)


def _state_file(given: _Given) -> Optional[Place]:
    from estimator_ckpt.checkpoint.paths import state_file

    if not given.exists or given.name != state_file.FILE_NAME:
        return None
    return _in_directory(given.directory, given.store)


def _saved_model_file(given: _Given) -> Optional[Place]:
    if not given.exists or given.name not in _SAVED_MODEL:
        return None
    return _bundle(_variables_of(given.directory), given.store)


def _weight_file(given: _Given) -> Optional[Place]:
    if not given.exists or given.name in _SAVED_MODEL:
        return None
    for ending, storage in _WEIGHT_FILES.items():
        if given.name.endswith(ending):
            return Place(given.path, storage)
    return None


def _v1_checkpoint(given: _Given) -> Optional[Place]:
    return _v1(_without_ending(given.path), given.store)


#: What a path can mean, the first that it does first.
_MEANINGS = (
    *(_prefix, _directory, _file_behind_prefix, _state_file),
    *(_saved_model_file, _weight_file, _v1_checkpoint),
)


def find_named(
    directory: str, named: str, store: files.Store = files
) -> Optional[Place]:
    """The checkpoint that a model dir's state file names, or None if it is not there.

    Args:
      directory: the model dir.
      named: the path that stands in its state file.
      store: where to look.
    """
    found = (at(prefix, store) for prefix in places(directory, named))
    return next((place for place in found if place is not None), None)


def at(prefix: str, store: files.Store = files) -> Optional[Place]:
    """The checkpoint with exactly this prefix, or None if there is none.

    Args:
      prefix: a prefix, as a state file names it.
      store: where to look.
    """
    return _bundle(prefix, store) or _v1(prefix, store)


def places(directory: str, named: str) -> list[str]:
    """Where a checkpoint that a state file names can be, the likeliest first.

    Inside the directory as named; under its own name in the directory, if the path is
    of another place: the model dir was moved or copied, or comes from a store or a
    machine (`gs://...`, `C:\\...`) that is not this one. Last, that other place.
    """
    beside = os.path.join(directory, re.split(r"[/\\]", named.rstrip("/\\"))[-1])
    if re.match(_URL, named):
        if named.startswith(f"{directory.rstrip('/')}/"):
            return [named, beside]
        return [beside, named] if re.match(_URL, directory) else [beside]
    path = os.path.join(directory, named)
    inside = os.path.join(os.path.abspath(directory), "")
    found = [path, beside] if os.path.abspath(path).startswith(inside) else []
    return list(dict.fromkeys(found or [beside, path]))


def base_name(prefix: str) -> str:
    """A checkpoint's own name: `dir/model.ckpt-7-?????-of-00002` -> `model.ckpt-7`."""
    return os.path.basename(prefix).partition("-?????-of-")[0]


def _without_ending(path: str) -> str:
    """The prefix of which a path is a file, by its name; else the path itself."""
    from estimator_ckpt.checkpoint.paths.what_is_there import BEHIND_PREFIX

    return BEHIND_PREFIX.sub("", path)


def _in_directory(directory: str, store: files.Store) -> Place:
    from estimator_ckpt.checkpoint.paths import state_file, what_is_there

    saved_model = _variables_of(directory)
    if store.exists(index_path(saved_model)):
        return Place(saved_model)
    path = os.path.join(directory, state_file.FILE_NAME)
    if not store.exists(path) or store.is_dir(path):
        raise CheckpointNotFoundError(
            f"{directory}: a directory without a checkpoint state file"
            f"{what_is_there.prefixes_in(directory, store)}"
        )
    latest = state_file.parse(store.read(path), path).latest
    place = find_named(directory, latest, store)
    if place is None:
        raise CheckpointNotFoundError(
            f"{directory}: its state file names {latest!r}, which is not there"
            f"{what_is_there.prefixes_in(directory, store)}"
        )
    return place


def _variables_of(saved_model: str) -> str:
    return os.path.join(saved_model, "variables", "variables")
