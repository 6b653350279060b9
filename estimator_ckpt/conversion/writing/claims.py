"""Claims: one process at a time writes a destination, and cleans up after the killed.

A claim is a file beside the destination that its process holds a lock on. The kernel
lets go of the lock however the process ends, so there is nothing to wait for or to
delete by hand. Before a file gets a name in the directory, the claim records which file
and which name; so whoever finds a claim that nobody holds knows what its process left,
and removes that and nothing else.

    record   role | device | inode | name: text with tabs between, a zero byte behind

`commit` is the index: with it the new files count. Without it they go, with it those
go that the new ones replace. A file that is another by now is never deleted, nor a
shard that any index there names.

On a file system without locks there are no claims; a warning says so.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import checksum, files, logs
from estimator_ckpt.bundle.errors import CheckpointError, DestinationInUseError
from estimator_ckpt.bundle.index import index_path, read_index
from estimator_ckpt.bundle.local_files import leftovers, system_calls

_CLAIM = f"{leftovers.TEMPORARY}claim-"
_SHARD = re.compile(r"\.data-\d{5,}-of-\d{5,}$")
# Of 10,000 shards a claim takes 1 MB.
_MOST = 4 << 20
# Whoever looks whether a claim is left holds it for a moment.
_PATIENCE = 0.5


class Role(enum.Enum):
    """What a file is in a claim."""

    NEW = "new"
    OLD = "old"
    COMMIT = "commit"


class Record(NamedTuple):
    """A file and its name in the claim's directory."""

    role: Role
    device: int
    inode: int
    name: str

    def is_there(self, directory: str) -> bool:
        """Whether the file still has its name."""
        try:
            status = os.lstat(os.path.join(directory, self.name))
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self.device, self.inode)


class Claim:
    """The right to write a destination.

    Attributes:
      directory: the destination's directory.
    """

    def __init__(self, directory: str, fd: int, is_locked: bool) -> None:
        self.directory = directory
        self._fd = fd
        self._is_locked = is_locked
        self._records = _parse(_read(fd))

    def expects(self, path: str, status: os.stat_result, role: Role = Role.NEW) -> None:
        """Records that a file is about to get a name.

        Args:
          path: the name.
          status: which file.
          role: `COMMIT` for the one that makes all others count.
        """
        name = os.path.basename(path)
        record = Record(role, status.st_dev, status.st_ino, name)
        line = f"{role.value}\t{status.st_dev}\t{status.st_ino}\t{name}\0"
        with system_calls.reporting(path, "written"):
            system_calls.change("claim", os.write, self._fd, os.fsencode(line))
        self._records.append(record)

    def replaces(self, path: str) -> None:
        """Records a file that goes when the new ones count."""
        with contextlib.suppress(FileNotFoundError):
            self.expects(path, os.lstat(path), Role.OLD)

    def settle(self) -> None:
        """Deletes what does not count: the old files, or the new ones."""
        commits = [r for r in self._records if r.role is Role.COMMIT]
        is_done = any(record.is_there(self.directory) for record in commits)
        goes = Role.OLD if is_done else Role.NEW
        for record in self._records:
            path = os.path.join(self.directory, record.name)
            if record.role is not goes or not record.is_there(self.directory):
                continue
            if goes is Role.NEW and _is_named(path):
                continue
            try:
                files.delete(path, missing_ok=True)
            except CheckpointError as error:
                _warn("%s; it is not needed any more", error)
        self._records = []

    def release(self, path: str) -> None:
        """Lets others claim the destination; `path` is the claim's file."""
        try:
            if self._is_locked:
                with contextlib.suppress(OSError):
                    system_calls.change("delete", os.unlink, path)
        finally:
            os.close(self._fd)


@contextlib.contextmanager
def claimed(destination: str) -> Iterator[Claim]:
    """Claims a destination, and removes what killed processes left in its directory.

    At the end what does not count is deleted, whether there was an error or not.

    Args:
      destination: what is going to be written: a checkpoint's prefix, or a model dir's
        state file. Its directory is made.

    Raises:
      DestinationInUseError: another process is writing it.
      CheckpointError: the directory cannot be made, or not be written to.
    """
    directory, base = os.path.split(destination)
    path = os.path.join(directory, f"{_CLAIM}{checksum.value(os.fsencode(base)):08x}")
    claim = _claim(path, destination)
    try:
        claim.settle()
        _remove_leftovers(directory, path)
        try:
            yield claim
        finally:
            claim.settle()
    finally:
        claim.release(path)


def _claim(path: str, destination: str) -> Claim:
    """The claim whose file is `path`; with the records of a process that was killed."""
    deadline = time.monotonic() + _PATIENCE
    directory = os.path.dirname(path)
    while True:
        files.make_dirs(directory)
        with system_calls.reporting(path, "written"):
            try:
                fd = _open(path)
            except FileNotFoundError:  # somebody removed the empty directory
                if time.monotonic() > deadline:  # or nothing can be made in it
                    raise
                continue
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise CheckpointError(
                f"{path}: stands where the claim of {destination} would, and is no "
                f"regular file; delete it"
            )
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            if time.monotonic() > deadline:
                raise DestinationInUseError(
                    f"{destination}: another process is writing it; wait until it is "
                    f"done, or give another destination"
                ) from None
            time.sleep(0.02)
            continue
        except OSError as error:
            _warn(
                "%s: this file system has no locks (%s), so nothing keeps another "
                "command from writing the same destination",
                directory or ".",
                error.strerror,
            )
            os.unlink(path)
            return Claim(directory, fd, is_locked=False)
        if _is_at(fd, path):
            return Claim(directory, fd, is_locked=True)
        os.close(fd)  # it was deleted by whoever held it


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    fd: int = system_calls.change("create", os.open, path, flags, 0o666)
    return fd


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _is_named(path: str) -> bool:
    """Whether the index beside a shard names it, or cannot be read."""
    prefix = _SHARD.sub("", path)
    if prefix == path or not os.path.isfile(index_path(prefix)):
        return False
    try:
        num_shards = read_index(index_path(prefix)).header.num_shards
    except CheckpointError:
        return True
    return path.endswith(f"-of-{num_shards:05d}")


def _warn(message: str, *values: object) -> None:
    logs.logger().warning(message, *values)


def _remove_leftovers(directory: str, own: str) -> None:
    """Removes what killed processes left in a directory."""
    for name in files.list_temporaries(directory):
        path = os.path.join(directory, name)
        if path == own:
            continue
        if name.startswith(_CLAIM):
            _settle_left(directory, path)
        else:
            leftovers.remove(path)


def _settle_left(directory: str, path: str) -> None:
    """Settles and removes another destination's claim, if nobody holds it."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        if leftovers.is_free(fd) and _is_at(fd, path):
            claim = Claim(directory, fd, is_locked=True)
            claim.settle()
            claim.release(path)
        else:
            os.close(fd)


def _read(fd: int) -> bytes:
    """A claim's records; none if it is longer than any claim of ours."""
    size = os.fstat(fd).st_size
    return b"" if size > _MOST else os.pread(fd, size, 0)


def _parse(data: bytes) -> list[Record]:
    """The records in a claim's file; what a power failure left of one is no record."""
    found = map(_parse_record, os.fsdecode(data).split("\0")[:-1])
    return [record for record in found if record is not None]


def _parse_record(text: str) -> Optional[Record]:
    try:
        role, device, inode, name = text.split("\t", 3)
        record = Record(Role(role), int(device), int(inode), name)
    except ValueError:
        return None
    return record if name and "/" not in name else None
