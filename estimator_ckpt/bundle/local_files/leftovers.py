"""Temporaries of processes that are gone.

Whoever makes a temporary file or directory holds a lock on it for as long as it lives;
the kernel lets go of the lock however the process ends. So a temporary that nobody
holds is one that a killed process left, and whoever comes by may remove it.

Where a file system has no locks (some network file systems), nothing counts as left.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

from estimator_ckpt.bundle.local_files import system_calls

#: What the name of a file that is not finished begins with.
TEMPORARY = ".estimator_ckpt-"
#: The same of a second name of a finished file; a lock would be one on that file.
LINK = f"{TEMPORARY}link-"

# A second name has its final name a moment later.
_LINK_SECONDS = 60.0


def hold(fd: int) -> bool:
    """Holds a new temporary; False if it was taken for a leftover: then make another.

    Args:
      fd: the open file or directory.
    """
    try:
        _lock(fd)
    except BlockingIOError:
        return False
    except OSError:  # no locks here, so nobody takes it for a leftover
        return True
    return os.fstat(fd).st_nlink > 0


def is_free(fd: int) -> bool:
    """Whether nobody holds a temporary; until `fd` is closed it is held here."""
    try:
        _lock(fd)
    except OSError:
        return False
    return True


def _lock(fd: int) -> None:
    """Holds what is open, or raises an OSError."""
    import fcntl  # who only reads makes no temporaries

    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove(path: str) -> None:
    """Removes a temporary if a process that is gone left it; never fails."""
    with suppress(OSError):
        if os.path.basename(path).startswith(LINK):
            if time.time() - os.lstat(path).st_ctime > _LINK_SECONDS:
                system_calls.change("delete", os.unlink, path)
            return
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(path, flags)
        try:
            if not is_free(fd):
                return
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                import shutil  # costs time that most commands need not spend

                system_calls.change("delete", shutil.rmtree, path)
            else:
                system_calls.change("delete", os.unlink, path)
        finally:
            os.close(fd)
