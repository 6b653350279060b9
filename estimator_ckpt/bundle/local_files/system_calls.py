"""System calls, and what is told of those that fail.

Every call that changes a file system goes through `change`, one system call at a time:
so a test can count them, make one fail, or kill the process before any of them.

Failures are CheckpointErrors of one line that name the file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Optional, TypeVar, Union

from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    NoSpaceError,
    UnsupportedCheckpointError,
)

PathLike = Union[str, "os.PathLike[str]"]

#: Bytes that anything that streams holds at a time.
CHUNK = 4 << 20

_LONGEST_PATH = 4096  # linux/limits.h

_Result = TypeVar("_Result")


def local(path: PathLike) -> str:
    """A path as a string; one of `file:///dir` is `/dir`.

    Raises:
      UnsupportedCheckpointError: it names a remote store, `gs://bucket/dir`.
      CheckpointError: no file can have that name.
    """
    text = without_scheme(os.fspath(path))
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded or len(encoded) >= _LONGEST_PATH:
        raise CheckpointError(f"{text}: too long for a path, or not made of text")
    if "://" in text:
        raise UnsupportedCheckpointError(
            f"{text}: remote paths are not supported; copy the checkpoint to a local "
            f"directory first"
        )
    return text


def without_scheme(path: str) -> str:
    """The path of `file:///dir`, as TensorFlow takes it, which is `/dir`."""
    return path[len("file://") :] if path.startswith("file:///") else path


def change(
    _operation: str, call: Callable[..., _Result], *arguments: object
) -> _Result:
    """Makes one system call that changes a file system; all of them pass here.

    Args:
      _operation: what it does, in a word, for those who watch.
      call: the system call.
      *arguments: what it takes.
    """
    return call(*arguments)


@contextmanager
def reporting(
    path: PathLike, done: str, needed: Optional[int] = None
) -> Iterator[None]:
    """Makes a failed system call a CheckpointError that names the file.

    Args:
      path: the file.
      done: what could not be done to it: `read`, `written`.
      needed: the bytes that were to be written, if known.
    """
    try:
        yield
    except OSError as error:
        raise failure(path, done, error, needed) from error


def failure(
    path: PathLike, done: str, error: OSError, needed: Optional[int]
) -> CheckpointError:
    """What to tell about a failed system call."""
    name = os.fspath(path)
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return CheckpointNotFoundError(f"{name}: no such file or directory")
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        need = "more space is" if needed is None else f"{needed} bytes are"
        free = ""
        with suppress(OSError):
            store = os.statvfs(os.path.dirname(name) or ".")
            free = f", and {store.f_bavail * store.f_frsize} bytes are free"
        return NoSpaceError(
            f"{name}: {error.strerror}: {need} needed{free}. Make room, or write "
            f"to another place"
        )
    return CheckpointError(f"{name}: cannot be {done}: {error.strerror}")
