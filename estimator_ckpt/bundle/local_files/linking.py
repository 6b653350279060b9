"""A second name for the bytes of a file, in the cheapest way that there is.

A hard link takes no time and no space, and TensorFlow never changes a data file in
place. Where that is not possible or not wanted: blocks shared by the file system, a
copy inside the kernel, a copy through a buffer.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Optional

from estimator_ckpt.bundle.errors import CheckpointError, SourceChangedError
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.local_files.input_file import File
from estimator_ckpt.bundle.local_files.leftovers import LINK
from estimator_ckpt.bundle.local_files.output_file import (
    Output,
    already_there,
    set_times,
    sync_dir,
    temporary_beside,
)
from estimator_ckpt.bundle.local_files.system_calls import (
    PathLike,
    failure,
    local,
    reporting,
)

#: Called with the number of bytes just done.
Progress = Callable[[int], None]


def expect(progress: Optional[Progress], size: int) -> None:
    """Tells who shows progress how many bytes more there will be.

    Args:
      progress: what is told of bytes done; of bytes to do, if it has a method `expect`.
      size: the bytes.
    """
    told = getattr(progress, "expect", None)
    if told is not None:
        told(size)


_FICLONE = 0x40049409  # linux/fs.h
_NO_LINK = frozenset(
    (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
)
_NO_CLONE = _NO_LINK | {errno.EINVAL, errno.ENOTTY, errno.EBADF, errno.ETXTBSY}


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
    with reporting(source, "read"):
        total = os.stat(source).st_size
    if mode == "copy":
        return _copy(source, local(destination), progress)
    try:
        _relink(source, local(destination))
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise failure(destination, "written", error, None) from error
        if mode == "link":
            raise _not_linked(source, os.fspath(destination), error) from error
        return _copy(source, local(destination), progress)
    if progress is not None:
        progress(total)
    return "link"


#: Called with a path and the file that is about to get this name.
Expecting = Callable[[str, os.stat_result], None]


def place(
    file: File,
    destination: str,
    mode: str,
    progress: Optional[Progress],
    expecting: Expecting,
) -> str:
    """Gives the bytes of an open file a new name, where no file is yet.

    What has the file's old name by now does not matter: it is the open file's bytes
    that get the name. Nothing is synced: whoever places many files does that at once.

    Args:
      file: the file.
      destination: the new name.
      mode: as for `link_or_copy`.
      progress: as for `link_or_copy`.
      expecting: called before a file gets the new name.

    Returns:
      How it was done: `link`, `clone` or `copy`.

    Raises:
      DestinationExistsError: there is a file of the new name.
      SourceChangedError: the open file cannot be linked, since it has lost its name to
        another.
      NoSpaceError: the disk is full.
      CheckpointError: `link` is not possible here, or reading or writing failed.
    """
    if mode != "copy" and _linked(file, destination, mode, expecting):
        if progress is not None:
            progress(file.size)
        return "link"
    output = Output(destination, file.size)
    try:
        how = _fill(output, file, progress)
        expecting(destination, output.status)
        output.commit(replace=False, sync=False)
    except BaseException:
        output.discard()
        raise
    return how


def _linked(file: File, destination: str, mode: str, expecting: Expecting) -> bool:
    """Links an open file; False if it is to be copied instead."""
    source = os.path.realpath(file.path)
    expecting(destination, file.status)
    try:
        system_calls.change("link", os.link, source, destination)
    except FileExistsError:
        raise already_there(destination) from None
    except (
        FileNotFoundError
    ) as error:  # deleted meanwhile; the open file is still there
        if mode == "link":
            raise SourceChangedError(
                f"{file.path}: was deleted while it was read"
            ) from error
        return False
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise failure(destination, "written", error, None) from error
        if mode == "link":
            raise _not_linked(source, destination, error) from error
        return False
    if not os.path.samestat(os.stat(destination), file.status):
        system_calls.change("delete", os.unlink, destination)
        raise SourceChangedError(f"{file.path}: was replaced while it was read")
    return True


def _not_linked(source: str, destination: str, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"{destination}: cannot be a hard link to {source}: {error.strerror}. Allow a "
        f"copy (data='copy', --data=copy)"
    )


def copy_times(source: PathLike, destination: PathLike) -> None:
    """Gives a file the times of another: Savers tell a checkpoint's age by them."""
    with reporting(destination, "written"):
        times = os.stat(local(source))
        fd = os.open(local(destination), os.O_RDONLY | os.O_CLOEXEC)
        try:
            system_calls.change("set times", set_times, fd, times)
        finally:
            os.close(fd)


def _relink(source: str, destination: str) -> None:
    """Hard-links under a temporary name, then renames: replaces what is there."""
    temporary = temporary_beside(destination, LINK)
    system_calls.change("link", os.link, source, temporary)
    try:
        system_calls.change("rename", os.replace, temporary, destination)
    finally:
        # Renaming one name of a file to another name of the same file does nothing.
        with suppress(FileNotFoundError):
            system_calls.change("delete", os.unlink, temporary)
    sync_dir(os.path.dirname(destination))


def _copy(source: str, destination: str, progress: Optional[Progress]) -> str:
    """Copies bytes and times; replaces what is there."""
    with File(source) as file, Output(destination, file.size) as output:
        return _fill(output, file, progress)


def _fill(output: Output, file: File, progress: Optional[Progress]) -> str:
    """Copies bytes and times; inside the kernel, sharing blocks, where it can."""
    how = "copy"
    if _cloned(file, output):
        how = "clone"
        if progress is not None:
            progress(file.size)
    else:
        _copy_bytes(file, output, progress)
    output.set_times(file.status)
    return how


def _cloned(file: File, output: Output) -> bool:
    try:
        import fcntl

        system_calls.change("clone", fcntl.ioctl, output._fd, _FICLONE, file._fd)
    except OSError as error:
        if error.errno in _NO_CLONE:
            return False
        raise failure(output.path, "written", error, file.size) from error
    output.size = file.size
    return True


def _copy_bytes(file: File, output: Output, progress: Optional[Progress]) -> None:
    """Copies chunk by chunk: in the kernel, or through a buffer where it cannot."""
    in_kernel = hasattr(os, "copy_file_range")
    while output.size < file.size:
        count = min(system_calls.CHUNK, file.size - output.size)
        done = 0
        if in_kernel:
            try:
                done = system_calls.change(
                    "copy", os.copy_file_range, file._fd, output._fd, count, output.size
                )
            except OSError as error:
                if error.errno not in _NO_CLONE:
                    raise failure(output.path, "written", error, file.size) from error
            in_kernel = done > 0
            output.size += done
        if not done:
            output.write(file.read(output.size, count))
            done = count
        if progress is not None:
            progress(done)
