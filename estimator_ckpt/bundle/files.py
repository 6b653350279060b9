"""All access to files, so that another kind of store can take its place here.

Whatever is written appears under its name whole or not at all: it is written beside,
under a temporary name, synced, renamed, and the directory synced. Every call that
changes a file system goes through `_change`, one system call at a time.

Failures are CheckpointErrors of one line that name the file.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Optional, TypeVar, Union

from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    NoSpaceError,
    UnsupportedCheckpointError,
)

PathLike = Union[str, "os.PathLike[str]"]
#: Called with the number of bytes just done.
Progress = Callable[[int], None]

#: Bytes that anything that streams holds at a time.
CHUNK = 4 << 20

# Below this, reading is faster than mapping.
_READ_BELOW = 1 << 20
_TEMPORARY = ".estimator_ckpt-"
_FICLONE = 0x40049409  # linux/fs.h
_NO_LINK = frozenset(
    (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
)
_NO_CLONE = _NO_LINK | {errno.EINVAL, errno.ENOTTY, errno.EBADF, errno.ETXTBSY}

_Result = TypeVar("_Result")


def local(path: PathLike) -> str:
    """A path as a string.

    Raises:
      UnsupportedCheckpointError: it names a remote store, `gs://bucket/dir`.
    """
    text = os.fspath(path)
    if "://" in text:
        raise UnsupportedCheckpointError(
            f"{text}: remote paths are not supported; copy the checkpoint to a local "
            f"directory first"
        )
    return text


# Reading.


def list_dir(path: PathLike) -> list[str]:
    """The names in a directory, sorted, without temporaries left by a crash."""
    with _reporting(path, "listed"):
        names = os.listdir(local(path))
    return sorted(name for name in names if not is_temporary(name))


def is_temporary(name: str) -> bool:
    """Whether a file name is that of a file that was never finished."""
    return os.path.basename(name).startswith(_TEMPORARY)


def exists(path: PathLike) -> bool:
    return os.path.exists(local(path))


def is_dir(path: PathLike) -> bool:
    return os.path.isdir(local(path))


def dirname(path: PathLike) -> str:
    return os.path.dirname(local(path))


def size(path: PathLike) -> int:
    """The size of a file in bytes."""
    with _reporting(path, "read"):
        return os.stat(local(path)).st_size


def read(path: PathLike) -> bytes:
    """The bytes of a whole file."""
    with File(path) as file:
        return file.read(0, file.size)


class File:
    """A file open for reading, at any offset and from any thread.

    Attributes:
      path: the file.
      size: its size in bytes when it was opened.
    """

    _fd = -1

    def __init__(self, path: PathLike) -> None:
        """Opens a regular file.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CheckpointError: it is something else, or may not be read.
        """
        self.path = local(path)
        with _reporting(path, "read"):
            # Opening a pipe would wait for a writer, reading a device might not end.
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise CheckpointError(f"{self.path}: not a regular file")
        self.size: int = status.st_size

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on.

        Raises:
          CheckpointError: the file ends before.
        """
        data = bytearray(size)
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fills a buffer with the bytes from `offset` on."""
        done = 0
        while done < len(buffer):
            with _reporting(self.path, "read"):
                count = os.preadv(self._fd, [buffer[done:]], offset + done)
            if count == 0:
                raise _cut_off(self.path, offset + len(buffer))
            done += count

    def chunks(self, offset: int, size: int) -> Iterator[memoryview]:
        """The bytes of a range, read-only, `CHUNK` at a time but for the last.

        Large ranges are mapped window by window: at twice the speed of reading, and
        what has been seen does not count as this process's memory any more.
        """
        if size <= _READ_BELOW:
            yield memoryview(self.read(offset, size))
            return
        for start in range(offset, offset + size, CHUNK):
            page = start - start % mmap.ALLOCATIONGRANULARITY
            stop = min(start + CHUNK, offset + size)
            yield self._window(page, stop)[start - page :]

    def map(self) -> memoryview:
        """All bytes of the file, read-only, fetched from disk when looked at."""
        return self._window(0, self.size) if self.size else memoryview(b"")

    def _window(self, start: int, stop: int) -> memoryview:
        with _reporting(self.path, "mapped"):
            try:
                window = mmap.mmap(
                    self._fd, stop - start, offset=start, access=mmap.ACCESS_READ
                )
            except ValueError:
                raise _cut_off(self.path, stop) from None
        return memoryview(window)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


# Writing.


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
        self._temporary = _temporary_beside(self.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with _reporting(self.path, "written", needed):
            self._fd: int = _change("create", os.open, self._temporary, flags, 0o666)

    def write(self, data: Any) -> None:
        """Appends the bytes of a buffer."""
        view = memoryview(data).cast("B")
        needed = self._needed or self.size + len(view)
        while len(view):
            with _reporting(self.path, "written", needed):
                count = _change("write", os.write, self._fd, view[:CHUNK])
            self.size += count
            view = view[count:]

    def commit(self) -> None:
        """Syncs the file, gives it its name and syncs the directory."""
        with _reporting(self.path, "written", self._needed or self.size):
            _change("sync", os.fsync, self._fd)
            self._close()
            _change("rename", os.replace, self._temporary, self.path)
        sync_dir(os.path.dirname(self.path))

    def discard(self) -> None:
        """Removes the temporary file; does nothing after `commit`."""
        self._close()
        with suppress(OSError):
            _change("delete", os.unlink, self._temporary)

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


def link_or_copy(
    source: PathLike,
    destination: PathLike,
    mode: str = "auto",
    progress: Optional[Progress] = None,
) -> str:
    """Gives the bytes of a file a second name, in the cheapest way allowed.

    Args:
      source: the file; symbolic links are followed first.
      destination: the new name; what is there is replaced.
      mode: `link`: a hard link. `copy`: a file of its own, sharing blocks where the
        file system can. `auto`: a hard link, else a copy.
      progress: called with the number of bytes done, after each chunk.

    Returns:
      How it was done: `link`, `clone` or `copy`.

    Raises:
      CheckpointNotFoundError: there is no source.
      NoSpaceError: the disk is full.
      CheckpointError: `link` is not possible here, or reading or writing failed.
    """
    if mode not in ("auto", "link", "copy"):
        raise ValueError(f"mode must be 'auto', 'link' or 'copy', not {mode!r}")
    source = os.path.realpath(local(source))
    total = size(source)
    if mode == "copy":
        return _copy(source, local(destination), progress)
    try:
        _link(source, local(destination))
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise _failure(destination, "written", error, None) from error
        if mode == "link":
            raise CheckpointError(
                f"{os.fspath(destination)}: cannot be a hard link to {source}: "
                f"{error.strerror}. Allow a copy (data='copy', --data=copy)"
            ) from error
        return _copy(source, local(destination), progress)
    if progress is not None:
        progress(total)
    return "link"


def copy_times(source: PathLike, destination: PathLike) -> None:
    """Gives a file the times of another: Savers tell a checkpoint's age by them."""
    with _reporting(destination, "written"):
        times = os.stat(local(source))
        fd = os.open(local(destination), os.O_RDONLY | os.O_CLOEXEC)
        try:
            _change("set times", _set_times, fd, times)
        finally:
            os.close(fd)


def rename(source: PathLike, destination: PathLike) -> None:
    """Renames a file, replacing what is there, and syncs the directory."""
    with _reporting(destination, "written"):
        _change("rename", os.replace, local(source), local(destination))
    sync_dir(os.path.dirname(local(destination)))


def delete(path: PathLike, missing_ok: bool = False) -> None:
    """Deletes a file."""
    with _reporting(path, "deleted"):
        try:
            _change("delete", os.unlink, local(path))
        except FileNotFoundError:
            if not missing_ok:
                raise


def make_dirs(path: PathLike) -> None:
    """Makes a directory and those above it, where they do not exist."""
    text = local(path)
    if not text or os.path.isdir(text):
        return
    require_no_file(text)
    parent = os.path.dirname(text.rstrip("/"))
    make_dirs(parent)
    with _reporting(text, "made"), suppress(FileExistsError):
        _change("make directory", os.mkdir, text)
    sync_dir(parent)


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
    """A new directory in another, which is made if need be; removed at the end."""
    import shutil  # costs time that most commands need not spend
    import tempfile

    make_dirs(directory)
    path = tempfile.mkdtemp(prefix=".estimator_ckpt-", dir=directory or ".")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sync_dir(path: PathLike) -> None:
    """Makes what was created, renamed or deleted in a directory last."""
    with _reporting(path, "synced"):
        fd = os.open(local(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _change("sync directory", os.fsync, fd)
        except OSError as error:
            # Some network file systems cannot; there is nothing else to be done.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(fd)


def _change(
    _operation: str, call: Callable[..., _Result], *arguments: object
) -> _Result:
    """Makes one system call that changes a file system; all of them pass here."""
    return call(*arguments)


def _temporary_beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f"{_TEMPORARY}{os.urandom(8).hex()}")


def _link(source: str, destination: str) -> None:
    """Hard-links under a temporary name, then renames: replaces what is there."""
    temporary = _temporary_beside(destination)
    _change("link", os.link, source, temporary)
    try:
        _change("rename", os.replace, temporary, destination)
    finally:
        # Renaming one name of a file to another name of the same file does nothing.
        with suppress(FileNotFoundError):
            _change("delete", os.unlink, temporary)
    sync_dir(os.path.dirname(destination))


def _copy(source: str, destination: str, progress: Optional[Progress]) -> str:
    """Copies bytes and times; inside the kernel, sharing blocks, where it can."""
    with File(source) as file, Output(destination, file.size) as output:
        how = "copy"
        if _cloned(file, output):
            how = "clone"
            if progress is not None:
                progress(file.size)
        else:
            _copy_bytes(file, output, progress)
        times = os.stat(source)
        with _reporting(destination, "written", file.size):
            _change("set times", _set_times, output._fd, times)
    return how


def _cloned(file: File, output: Output) -> bool:
    try:
        import fcntl

        _change("clone", fcntl.ioctl, output._fd, _FICLONE, file._fd)
    except OSError as error:
        if error.errno in _NO_CLONE:
            return False
        raise _failure(output.path, "written", error, file.size) from error
    output.size = file.size
    return True


def _copy_bytes(file: File, output: Output, progress: Optional[Progress]) -> None:
    """Copies chunk by chunk: in the kernel, or through a buffer where it cannot."""
    in_kernel = hasattr(os, "copy_file_range")
    while output.size < file.size:
        count = min(CHUNK, file.size - output.size)
        done = 0
        if in_kernel:
            try:
                done = _change(
                    "copy", os.copy_file_range, file._fd, output._fd, count, output.size
                )
            except OSError as error:
                if error.errno not in _NO_CLONE:
                    raise _failure(output.path, "written", error, file.size) from error
            in_kernel = done > 0
            output.size += done
        if not done:
            output.write(file.read(output.size, count))
            done = count
        if progress is not None:
            progress(done)


def _set_times(fd: int, times: os.stat_result) -> None:
    os.utime(fd, ns=(times.st_atime_ns, times.st_mtime_ns))


@contextmanager
def _reporting(
    path: PathLike, done: str, needed: Optional[int] = None
) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failure(path, done, error, needed) from error


def _cut_off(path: str, end: int) -> CheckpointError:
    return CheckpointError(
        f"{path}: ends before byte {end}; it was cut off while it was being read"
    )


def _failure(
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
