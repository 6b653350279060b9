"""A file open for reading, at any offset and from any thread."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from estimator_ckpt.bundle.errors import CheckpointError, SourceChangedError
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.local_files.system_calls import PathLike, local, reporting

# Below this, reading is faster than mapping.
_READ_BELOW = 1 << 20


class File:
    """A file open for reading, at any offset and from any thread.

    Attributes:
      path: the file.
      size: its size in bytes when it was opened.
      status: which file it is, and its times, when it was opened.
    """

    _fd = -1

    def __init__(self, path: PathLike) -> None:
        """Opens a regular file.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CheckpointError: it is something else, or may not be read.
        """
        self.path = local(path)
        with reporting(path, "read"):
            # Opening a pipe would wait for a writer, reading a device might not end.
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise CheckpointError(f"{self.path}: not a regular file")
        self.size: int = status.st_size
        self.status = status

    @property
    def is_unchanged(self) -> bool:
        """Whether nobody wrote to it since it was opened."""
        with reporting(self.path, "read"):
            now = os.fstat(self._fd)
        then = self.status
        return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on.

        Raises:
          SourceChangedError: the file ends before; it was longer when it was opened.
        """
        data = bytearray(size)
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fills a buffer with the bytes from `offset` on."""
        done = 0
        while done < len(buffer):
            with reporting(self.path, "read"):
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
        import mmap  # what is read of most files is small

        for start in range(offset, offset + size, system_calls.CHUNK):
            page = start - start % mmap.ALLOCATIONGRANULARITY
            stop = min(start + system_calls.CHUNK, offset + size)
            yield self._window(page, stop)[start - page :]

    def map(self) -> memoryview:
        """All bytes of the file, read-only, fetched from disk when looked at."""
        return self._window(0, self.size) if self.size else memoryview(b"")

    def _window(self, start: int, stop: int) -> memoryview:
        import mmap

        with reporting(self.path, "mapped"):
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


def _cut_off(path: str, end: int) -> SourceChangedError:
    return SourceChangedError(
        f"{path}: ends before byte {end}; it was cut off while it was being read"
    )
