"""A full disk while a job trains: one error that says so, wherever it was noticed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

import tensorflow as tf

from estimator_ckpt.bundle.errors import NoSpaceError

#: What TensorFlow says, in the words of the C library.
_FULL = re.compile("No space left on device|Disk quota exceeded|File too large")


@contextlib.contextmanager
def reporting(directory: str, lost: str) -> Iterator[None]:
    """Turns what TensorFlow raises over a full disk into NoSpaceError.

    Args:
      directory: where it writes.
      lost: what came of it, in a few words.
    """
    try:
        yield
    except tf.errors.OpError as error:
        said = _FULL.search(str(error.message))
        if said is None:
            raise
        raise NoSpaceError(
            f"{directory}: {said[0]}: {lost}{_free(directory)}. "
            f"Make room, and start the job again: it goes on from the last checkpoint"
        ) from error


def _free(directory: str) -> str:
    try:
        space = os.statvfs(directory or ".")
    except OSError:
        return ""
    return f"; {space.f_bavail * space.f_frsize} bytes are free"
