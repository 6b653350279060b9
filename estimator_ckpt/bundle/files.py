"""All access to files, so that another store can take its place here.

The rooms without TensorFlow open, list, write, rename and delete through this module
and through no other. Its functions of `Store` are what another store has to offer: the
savers' `tf.io.gfile` is one.

    system_calls   the calls that change something, and what is told of failures
    input_file     a file open for reading
    output_file    a file being written, that appears whole or not at all
    linking        a second name for a file's bytes
    leftovers      temporaries of processes that are gone

Failures are CheckpointErrors of one line that name the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files import leftovers, system_calls
from estimator_ckpt.bundle.local_files.input_file import File
from estimator_ckpt.bundle.local_files.leftovers import TEMPORARY
from estimator_ckpt.bundle.local_files.linking import (
    Progress,
    copy_times,
    expect,
    link_or_copy,
    place,
)
from estimator_ckpt.bundle.local_files.output_file import (
    Output,
    is_temporary,
    put,
    sync_dir,
    sync_files,
)
from estimator_ckpt.bundle.local_files.system_calls import (
    CHUNK,
    PathLike,
    local,
    reporting,
    without_scheme,
)

__all__ = [
    "CHUNK",
    "File",
    "InputFile",
    "Output",
    "PathLike",
    "Progress",
    "Store",
    "copy_times",
    "delete",
    "dirname",
    "exists",
    "expect",
    "is_dir",
    "is_temporary",
    "link_or_copy",
    "list_dir",
    "list_temporaries",
    "local",
    "make_dirs",
    "open_file",
    "place",
    "put",
    "read",
    "rename",
    "require_no_file",
    "size",
    "symlink",
    "sync_dir",
    "sync_files",
    "temporary_dir",
    "without_scheme",
]


class InputFile(Protocol):
    """A file of a store that is open for reading; `File` is one."""

    path: str
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on."""

    def chunks(self, offset: int, size: int) -> Iterator[memoryview]:
        """The bytes of a range, read-only, at most `CHUNK` at a time."""

    def map(self) -> memoryview:
        """All bytes of the file, read-only."""

    def close(self) -> None:
        """Closes it."""


class Store(Protocol):
    """A place for checkpoints; this module is one, for local files.

    Small files only (indexes, state files) are read and put whole, shards through
    `open_file`; paths are strings as the store takes them, joined by `/`. Errors are
    CheckpointErrors: a file that is not there is a CheckpointNotFoundError, in
    `exists` and `is_dir` it is False.
    """

    def exists(self, path: str) -> bool:
        """Whether there is a file or a directory of this name."""

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory."""

    def list_dir(self, path: str) -> list[str]:
        """The names in a directory, sorted, without `/` and without temporaries."""

    def size(self, path: str) -> int:
        """The size of a file in bytes."""

    def read(self, path: str) -> bytes:
        """The bytes of a whole file."""

    def open_file(self, path: str) -> InputFile:
        """Opens a regular file; of anything else, an error."""

    def put(self, path: str, data: bytes) -> None:
        """Writes a whole file: afterwards it has these bytes, or is as before."""

    def rename(self, source: str, destination: str) -> None:
        """Renames a file, replacing what is there."""

    def delete(self, path: str, missing_ok: bool = False) -> None:
        """Deletes a file."""

    def make_dirs(self, path: str) -> None:
        """Makes a directory and those above it, where they do not exist."""


def list_dir(path: PathLike) -> list[str]:
    """The names in a directory, sorted, without temporaries left by a crash."""
    with reporting(path, "listed"):
        names = os.listdir(local(path))
    return sorted(name for name in names if not is_temporary(name))


def exists(path: PathLike) -> bool:
    return os.path.exists(local(path))


def is_dir(path: PathLike) -> bool:
    return os.path.isdir(local(path))


def dirname(path: PathLike) -> str:
    return os.path.dirname(local(path))


def size(path: PathLike) -> int:
    """The size of a file in bytes."""
    with reporting(path, "read"):
        return os.stat(local(path)).st_size


def read(path: PathLike) -> bytes:
    """The bytes of a whole file."""
    with File(path) as file:
        return file.read(0, file.size)


def open_file(path: PathLike) -> File:
    """Opens a regular file for reading."""
    return File(path)


def rename(source: PathLike, destination: PathLike) -> None:
    """Renames a file, replacing what is there, and syncs the directory."""
    with reporting(destination, "written"):
        system_calls.change("rename", os.replace, local(source), local(destination))
    sync_dir(os.path.dirname(local(destination)))


def symlink(target: PathLike, path: PathLike) -> None:
    """Makes a symbolic link to a file."""
    with reporting(path, "written"):
        system_calls.change("symlink", os.symlink, local(target), local(path))


def delete(path: PathLike, missing_ok: bool = False) -> None:
    """Deletes a file."""
    with reporting(path, "deleted"):
        try:
            system_calls.change("delete", os.unlink, local(path))
        except FileNotFoundError:
            if not missing_ok:
                raise


def make_dirs(path: PathLike) -> None:
    """Makes a directory and those above it, where they do not exist."""
    text = local(path)
    require_no_file(text)
    missing = []
    while text and not os.path.isdir(text):
        missing.append(text)
        text = os.path.dirname(text.rstrip("/"))
    for directory in reversed(missing):
        with reporting(directory, "made"), suppress(FileExistsError):
            system_calls.change("make directory", os.mkdir, directory)
        sync_dir(os.path.dirname(directory.rstrip("/")))


def require_no_file(path: PathLike) -> None:
    """Checks that no file stands where a directory, or one above it, is to be.

    Raises:
      CheckpointError: one does.
    """
    text = local(path).rstrip("/")
    while text and not os.path.lexists(text):
        text = os.path.dirname(text)
    if text and not os.path.isdir(text):
        raise CheckpointError(
            f"{text}: is a file, where a directory is needed; give another destination"
        )


@contextmanager
def temporary_dir(directory: str) -> Iterator[str]:
    """A new directory in another, which is made if need be; removed at the end.

    It is held: if the process is killed, others can tell that it is a leftover.
    """
    import shutil  # costs time that most commands need not spend
    import tempfile

    make_dirs(directory)
    held = False
    while not held:
        with reporting(directory, "written"):
            path = tempfile.mkdtemp(prefix=TEMPORARY, dir=directory or ".")
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        held = leftovers.hold(fd)
        if not held:
            os.close(fd)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(fd)


def list_temporaries(directory: PathLike) -> list[str]:
    """The names in a directory of what is not finished; none if it cannot be listed."""
    try:
        return sorted(filter(is_temporary, os.listdir(local(directory) or ".")))
    except OSError:
        return []
