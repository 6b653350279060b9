"""The store of training jobs: whatever `tf.io.gfile` reaches (`gs://`, `hdfs://`, ...).

The functions are those of `files.Store`. Local paths are left to `files` itself, so
that a job sees a local checkpoint exactly as the commands do: `of(path)` chooses.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import tensorflow as tf

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, CheckpointNotFoundError


def of(path: files.PathLike) -> files.Store:
    """The store that a path is in."""
    if "://" not in os.fspath(path):
        return files
    from estimator_ckpt.estimator import gfile_store

    return gfile_store


def exists(path: str) -> bool:
    with _reporting(path):
        return bool(tf.io.gfile.exists(path))


def is_dir(path: str) -> bool:
    with _reporting(path):
        return bool(tf.io.gfile.isdir(path))


def list_dir(path: str) -> list[str]:
    """The names in a directory, sorted, without temporaries left by a crash."""
    with _reporting(path):
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(path)]
    return sorted(name for name in names if name and not files.is_temporary(name))


def size(path: str) -> int:
    """The size of a file in bytes."""
    with _reporting(path):
        return int(tf.io.gfile.stat(path).length)


def read(path: str) -> bytes:
    """The bytes of a whole file."""
    with _reporting(path), tf.io.gfile.GFile(path, "rb") as file:
        return bytes(file.read())


def open_file(path: str) -> File:
    """Opens a file for reading."""
    return File(path)


def put(path: str, data: bytes) -> None:
    """Writes a whole file: beside, then renamed."""
    beside = f"{path}.tmp-{os.urandom(8).hex()}"
    try:
        with _reporting(path):
            with tf.io.gfile.GFile(beside, "wb") as file:
                file.write(data)
            tf.io.gfile.rename(beside, path, overwrite=True)
    except BaseException:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.remove(beside)
        raise


def rename(source: str, destination: str) -> None:
    """Renames a file, replacing what is there."""
    with _reporting(source):
        tf.io.gfile.rename(source, destination, overwrite=True)


def delete(path: str, missing_ok: bool = False) -> None:
    """Deletes a file."""
    try:
        with _reporting(path):
            tf.io.gfile.remove(path)
    except CheckpointNotFoundError:
        if not missing_ok:
            raise


def make_dirs(path: str) -> None:
    """Makes a directory and those above it, where they do not exist."""
    with _reporting(path):
        tf.io.gfile.makedirs(path)


class File:
    """A file open for reading, from any thread.

    Attributes:
      path: the file.
      size: its size in bytes when it was opened.
    """

    def __init__(self, path: str) -> None:
        """Opens it.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CheckpointError: it is a directory, or cannot be read.
        """
        self.path = path
        with _reporting(path):
            status = tf.io.gfile.stat(path)
            if status.is_directory:
                raise CheckpointError(f"{path}: not a regular file")
            self._file = tf.io.gfile.GFile(path, "rb")
        self.size = int(status.length)
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on.

        Raises:
          CheckpointError: the file ends before.
        """
        with self._lock, _reporting(self.path):
            self._file.seek(offset)
            data = bytes(self._file.read(size))
        if len(data) != size:
            raise CheckpointError(
                f"{self.path}: ends before byte {offset + size}; it was cut off while "
                f"it was being read"
            )
        return data

    def chunks(self, offset: int, size: int) -> Iterator[memoryview]:
        """The bytes of a range, `files.CHUNK` at a time but for the last."""
        for start in range(offset, offset + size, files.CHUNK):
            stop = min(start + files.CHUNK, offset + size)
            yield memoryview(self.read(start, stop - start))
        if not size:
            yield memoryview(b"")

    def map(self) -> memoryview:
        """All bytes of the file."""
        return memoryview(self.read(0, self.size))

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def _reporting(path: str) -> Iterator[None]:
    """Turns TensorFlow's errors into CheckpointErrors of one line."""
    try:
        yield
    except tf.errors.NotFoundError:
        raise CheckpointNotFoundError(f"{path}: no such file or directory") from None
    except tf.errors.OpError as error:
        said = " ".join(str(error.message).split())
        raise CheckpointError(f"{path}: {said}") from error
