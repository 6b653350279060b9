"""From what people pass to a checkpoint's prefix.

A checkpoint has no file of its own name: it is a prefix with files behind it. People
pass the prefix, one of those files, the model dir or its state file, or a SavedModel.
"""

from __future__ import annotations

import os
import re

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, CheckpointNotFoundError
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint import state_file

_BEHIND_PREFIX = re.compile(r"(\.index|\.meta|\.data-\d{5}-of-\d{5})$")
_TABLE_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_V1_SHARD = re.compile(r"-(\?{5}|\d{5})-of-\d{5}$")
_ONE_V1_SHARD = re.compile(r"-\d{5}(-of-\d{5})$")

#: What a file is, by its first bytes or its name.
_MAGIC = (
    (
        b"\x89HDF",
        "an HDF5 file (Keras weights); Keras reads it, no checkpoint is in it",
    ),
    (b"PK\x03\x04", "a zip file (.keras, .npz); no checkpoint is in it"),
)
_NAMED = (
    (re.compile(r"events\.out\.tfevents"), "an events file (summaries)"),
    (re.compile(r"(saved_model|frozen.*)\.pb(txt)?$"), "a graph, without values"),
    (re.compile(r"graph\.pbtxt$"), "a graph, without values"),
)


class V1CheckpointError(CheckpointError):
    """A checkpoint of the format of before 2017, which only TensorFlow reads.

    Attributes:
      prefix: the checkpoint, as TensorFlow takes it: with all of its shards.
    """

    def __init__(self, prefix: str):
        self.prefix = prefix
        super().__init__(
            f"{prefix}: a checkpoint of the V1 format (of before 2017), which has no "
            f"index; `estimator-ckpt convert` reads it through TensorFlow"
        )


def resolve(path: files.PathLike) -> str:
    """The checkpoint prefix that a path stands for.

    Args:
      path: a prefix; a checkpoint's `.index`, `.data-...` or `.meta` file; a model dir
        or its `checkpoint` file (its latest checkpoint, also after it was moved); a
        SavedModel dir.

    Raises:
      CheckpointNotFoundError: there is no checkpoint; says what is there instead.
      V1CheckpointError: it is one of the V1 format.
      UnsupportedCheckpointError: a remote path.
    """
    text = files.local(path)
    if not text:
        raise CheckpointNotFoundError("the path of a checkpoint is empty")
    if files.exists(index_path(text)):
        return text
    if files.is_dir(text):
        return _in_directory(text)
    if _BEHIND_PREFIX.search(text):
        prefix = _BEHIND_PREFIX.sub("", text)
        if files.exists(index_path(prefix)):
            return prefix
    if os.path.basename(text) == state_file.FILE_NAME and files.exists(text):
        return _in_directory(os.path.dirname(text) or ".")
    if is_v1(text):
        raise V1CheckpointError(_ONE_V1_SHARD.sub(r"-?????\1", text))
    raise CheckpointNotFoundError(f"{text}: {_what_is(text)}{_found_beside(text)}")


def _in_directory(directory: str) -> str:
    saved_model = os.path.join(directory, "variables", "variables")
    if files.exists(index_path(saved_model)):
        return saved_model
    found = state_file.read(directory)
    if found is None:
        raise CheckpointNotFoundError(
            f"{directory}: a directory without a checkpoint state file"
            f"{_prefixes_in(directory)}"
        )
    for prefix in places(directory, found.latest):
        if files.exists(index_path(prefix)):
            return prefix
        if is_v1(prefix):
            raise V1CheckpointError(prefix)
    raise CheckpointNotFoundError(
        f"{directory}: its state file names {found.latest!r}, which is not there"
        f"{_prefixes_in(directory)}"
    )


def places(directory: str, named: str) -> list[str]:
    """Where a checkpoint that a state file names can be.

    Relative to the directory; at an absolute path; or, if the model dir was moved
    after that was written, under its own name in the directory.
    """
    return [
        os.path.join(directory, named),
        os.path.join(directory, os.path.basename(named)),
    ]


def base_name(prefix: str) -> str:
    """A checkpoint's own name: `dir/model.ckpt-7-?????-of-00002` -> `model.ckpt-7`."""
    return os.path.basename(prefix).partition("-?????-of-")[0]


def is_v1(path: str) -> bool:
    """Whether a path is a V1 checkpoint: a table that is no index, or its shards."""
    if _V1_SHARD.search(path):
        directory, pattern = os.path.split(path)
        if not files.is_dir(directory or "."):
            return False
        matching = re.compile(re.escape(pattern).replace(re.escape("?"), r"\d") + "$")
        shards = [n for n in files.list_dir(directory or ".") if matching.match(n)]
        return any(_ends_as_table(os.path.join(directory, name)) for name in shards)
    return _ends_as_table(path)


def _ends_as_table(path: str) -> bool:
    if not os.path.isfile(path) or path.endswith(".index"):
        return False
    with files.File(path) as file:
        return file.size >= 48 and file.read(file.size - 8, 8) == _TABLE_MAGIC


def _what_is(path: str) -> str:
    if not files.exists(path):
        return "no such checkpoint, file or directory"
    if _BEHIND_PREFIX.search(path):
        return "a file of a checkpoint whose .index file is missing"
    for pattern, what in _NAMED:
        if pattern.search(os.path.basename(path)):
            return what
    with files.File(path) as file:
        first = file.read(0, min(file.size, 4))
    for magic, what in _MAGIC:
        if first == magic:
            return what
    return "not a checkpoint"


def _found_beside(path: str) -> str:
    directory = os.path.dirname(path) or "."
    return _prefixes_in(directory) if files.is_dir(directory) else ""


def _prefixes_in(directory: str) -> str:
    try:
        listed = files.list_dir(directory)
    except CheckpointError:
        return ""
    found = [name[: -len(".index")] for name in listed if name.endswith(".index")]
    if not found:
        return ""
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    where = "" if directory == "." else f"{directory.rstrip('/')}/"
    named = ", ".join(f"{where}{name}" for name in found[:5])
    return f"; checkpoints found there: {named}{more}"
