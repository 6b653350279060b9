"""A file being written: it appears under its name whole, or not at all.

It is written beside, under a temporary name, synced, renamed, and the directory synced.
What a killed process leaves of it is known by its name, and that nobody holds it: see
leftovers.py.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Optional

from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.bundle.local_files import leftovers, system_calls
from estimator_ckpt.bundle.local_files.leftovers import TEMPORARY
from estimator_ckpt.bundle.local_files.system_calls import PathLike, local, reporting

_MANY, _THREADS = 16, 16

_NO_LINK = frozenset((errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK))


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
        with reporting(self.path, "written", needed):
            self._temporary, self._fd = _create_beside(self.path)

    @property
    def status(self) -> os.stat_result:
        """Which file it is, whatever its name; before `commit`."""
        return os.fstat(self._fd)

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

    def set_times(self, times: os.stat_result) -> None:
        """Gives the file the times of another: Savers tell a checkpoint's age by them.

        What is written afterwards changes them again.
        """
        with reporting(self.path, "written", self._needed or self.size):
            system_calls.change("set times", set_times, self._fd, times)

    def commit(self, *, replace: bool = True, sync: bool = True) -> None:
        """Syncs the file, gives it its name and syncs the directory.

        Args:
          replace: whether to replace a file of that name.
          sync: False leaves syncing to whoever commits many files at once.

        Raises:
          DestinationExistsError: there is a file of that name, and it is not to be
            replaced.
          CheckpointError: the disk is full, or writing failed otherwise.
        """
        with reporting(self.path, "written", self._needed or self.size):
            if sync:
                system_calls.change("sync", os.fsync, self._fd)
            if replace or not self._linked():
                system_calls.change("rename", os.replace, self._temporary, self.path)
        self._close()
        if sync:
            sync_dir(os.path.dirname(self.path))

    def _linked(self) -> bool:
        """Gives the file its name where there is none; False if links are not had."""
        try:
            system_calls.change("link", os.link, self._temporary, self.path)
        except FileExistsError:
            raise already_there(self.path) from None
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            if os.path.lexists(self.path):  # the best that can be done without links
                raise already_there(self.path) from None
            return False
        system_calls.change("delete", os.unlink, self._temporary)
        return True

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
        error_type: Optional[type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        if error_type is not None:
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


def set_times(fd: int, times: os.stat_result) -> None:
    os.utime(fd, ns=(times.st_atime_ns, times.st_mtime_ns))


def is_temporary(name: str) -> bool:
    """Whether a file name is that of a file that was never finished."""
    return os.path.basename(name).startswith(TEMPORARY)


def temporary_beside(path: str, start: str = TEMPORARY) -> str:
    """A new name for a file that is not finished, in the directory of `path`."""
    return os.path.join(os.path.dirname(path), f"{start}{os.urandom(8).hex()}")


def _create_beside(path: str) -> tuple[str, int]:
    """A new temporary file beside `path`, held: its name and the open file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    while True:
        temporary = temporary_beside(path)
        fd = system_calls.change("create", os.open, temporary, flags, 0o666)
        if leftovers.hold(fd):
            return temporary, fd
        os.close(fd)


def already_there(path: str) -> DestinationExistsError:
    """The error for a file that is not to be replaced."""
    return DestinationExistsError(
        f"{path}: already there; give another destination, or overwrite it "
        f"(overwrite=True, --overwrite)"
    )


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


def sync_files(paths: Sequence[str]) -> None:
    """Makes what was written to files last; does not sync their directories.

    Many are synced at once: the file system then does for all of them together what
    takes a disk milliseconds for each alone.
    """
    if len(paths) < _MANY:
        for path in paths:
            _sync_file(path)
        return
    from concurrent.futures import ThreadPoolExecutor  # takes time to import

    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(_sync_file, paths):
                pass
    except RuntimeError:  # no threads to be had
        for path in paths:
            _sync_file(path)


def _sync_file(path: str) -> None:
    with reporting(path, "written"):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            system_calls.change("sync", os.fsync, fd)
        finally:
            os.close(fd)
