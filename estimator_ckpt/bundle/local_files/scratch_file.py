"""A file without a name, for what does not fit into memory.

It is gone when it is closed, or when its process ends, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.local_files.leftovers import TEMPORARY
from estimator_ckpt.bundle.local_files.system_calls import reporting


class ScratchFile:
    """A file without a name, written from its beginning to its end, then read."""

    def __init__(self, directory: str, needed: int) -> None:
        """Makes the file.

        Args:
          directory: where: on a file system that has the space.
          needed: the bytes that will be written: named if the disk is full.

        Raises:
          CheckpointError: it cannot be made.
        """
        self._path = os.path.join(directory or ".", "a temporary file")
        self._needed = needed
        with reporting(self._path, "written", needed):
            self._fd = _without_name(directory or ".")

    def write(self, data: Any) -> None:
        """Appends the bytes of a buffer.

        Raises:
          NoSpaceError: the disk is full.
        """
        view = memoryview(data).cast("B")
        while len(view):
            with reporting(self._path, "written", self._needed):
                count = system_calls.change(
                    "write", os.write, self._fd, view[: system_calls.CHUNK]
                )
            view = view[count:]

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on."""
        data = bytearray(size)
        done = 0
        while done < size:
            with reporting(self._path, "read"):
                view = memoryview(data)[done:]
                count = os.preadv(self._fd, [view], offset + done)
            if not count:
                raise EOFError(f"{self._path} ends before {offset + size}")
            done += count
        return bytes(data)

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._fd)


def _without_name(directory: str) -> int:
    """An open file that has no name."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(directory, flags | os.O_TMPFILE, 0o600)
    except OSError:  # some file systems have no files without names
        fd, path = tempfile.mkstemp(prefix=TEMPORARY, dir=directory)
        os.unlink(path)
        return fd
