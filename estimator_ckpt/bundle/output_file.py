"""A file being written: it appears under its name whole, or not at all.

It is written beside, under a temporary name, synced, renamed, and the directory synced.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from types import TracebackType
from typing import Any, Optional

from estimator_ckpt.bundle import system_calls
from estimator_ckpt.bundle.system_calls import PathLike, local, reporting

#: What the name of a file that is not finished begins with.
TEMPORARY = ".estimator_ckpt-"


class Output:
    """A file being written beside its name; it gets its name when committed.

    As a context manager it commits at the end, or discards if there was an error.

    Attributes:
      path: the name that the file will have.
      size: bytes written so far.
    """

    def __init__(self, path: PathLike, needed: Optional[int] = None) -> None:
        """Creates the temporary file, with the mode 0666 less the umask.

        Args:
          path: the name that the file will have; what is there is replaced.
          needed: bytes that will be written, if known: named if the disk is full.
        """
        self.path = local(path)
        self.size = 0
        self._needed = needed
        self._temporary = temporary_beside(self.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with reporting(self.path, "written", needed):
            self._fd: int = system_calls.change(
                "create", os.open, self._temporary, flags, 0o666
            )

    def write(self, data: Any) -> None:
        """Appends the bytes of a buffer."""
        view = memoryview(data).cast("B")
        needed = self._needed or self.size + len(view)
        while len(view):
            with reporting(self.path, "written", needed):
                count = system_calls.change(
                    "write", os.write, self._fd, view[: system_calls.CHUNK]
                )
            self.size += count
            view = view[count:]

    def commit(self) -> None:
        """Syncs the file, gives it its name and syncs the directory."""
        with reporting(self.path, "written", self._needed or self.size):
            system_calls.change("sync", os.fsync, self._fd)
            self._close()
            system_calls.change("rename", os.replace, self._temporary, self.path)
        sync_dir(os.path.dirname(self.path))

    def discard(self) -> None:
        """Removes the temporary file; does nothing after `commit`."""
        self._close()
        with suppress(OSError):
            system_calls.change("delete", os.unlink, self._temporary)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.commit()
        except BaseException:
            self.discard()
            raise


def put(path: PathLike, data: Any) -> None:
    """Writes a whole file: afterwards it is there with these bytes, or as before."""
    with Output(path, memoryview(data).nbytes) as output:
        output.write(data)


def is_temporary(name: str) -> bool:
    """Whether a file name is that of a file that was never finished."""
    return os.path.basename(name).startswith(TEMPORARY)


def temporary_beside(path: str) -> str:
    """A new name for a file that is not finished, in the directory of `path`."""
    return os.path.join(os.path.dirname(path), f"{TEMPORARY}{os.urandom(8).hex()}")


def sync_dir(path: PathLike) -> None:
    """Makes what was created, renamed or deleted in a directory last."""
    with reporting(path, "synced"):
        fd = os.open(local(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            system_calls.change("sync directory", os.fsync, fd)
        except OSError as error:
            # Some network file systems cannot; there is nothing else to be done.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(fd)
