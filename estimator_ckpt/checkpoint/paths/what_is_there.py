"""What there is where no checkpoint is: what a file is, and what is beside it.

"Not an sstable (bad magic number)" is one of TensorFlow's most asked-about errors: a
path that is no checkpoint's is named for what it is, with the checkpoints beside it.
"""

from __future__ import annotations

import contextlib
import os
import re

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages

#: A file of a checkpoint: its prefix, and what stands behind it.
BEHIND_PREFIX = re.compile(r"(\.index|\.meta|\.data-\d{5,}-of-\d{5,})$")
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


def what_is(path: str, store: files.Store) -> str:
    if not store.exists(path):
        return "no such checkpoint, file or directory"
    if BEHIND_PREFIX.search(path):
        return "a file of a checkpoint whose .index file is missing"
    for pattern, what in _NAMED:
        if pattern.search(os.path.basename(path)):
            return what
    with contextlib.closing(store.open_file(path)) as file:
        first = file.read(0, min(file.size, 4))
    for magic, what in _MAGIC:
        if first == magic:
            return what
    return "not a checkpoint"


def beside(path: str, store: files.Store) -> str:
    directory = os.path.dirname(path) or "."
    return prefixes_in(directory, store) if store.is_dir(directory) else ""


def prefixes_in(directory: str, store: files.Store) -> str:
    try:
        listed = store.list_dir(directory)
    except CheckpointError:
        return ""
    where = "" if directory == "." else f"{directory.rstrip('/')}/"
    found = [
        f"{where}{name[: -len('.index')]}" for name in listed if name.endswith(".index")
    ]
    if not found:
        return ""
    found.sort(key=messages.natural)
    return f"; checkpoints found there: {messages.listed(found, most=5)}"
