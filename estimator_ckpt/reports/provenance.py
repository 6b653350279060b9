"""What a report was made of: versions, and fingerprints of the checkpoints.

A fingerprint says later whether a checkpoint is still the one that was looked at. Of a
tensor bundle it is the SHA-256 of the index, which holds the checksum of every tensor.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import platform
from collections.abc import Sequence

import estimator_ckpt
from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.index import index_path

#: The packages whose versions are said, where they are installed.
_PACKAGES = ("numpy", "tensorflow", "tensorflow-estimator", "keras", "tf-keras")
#: The largest file without an index that is read for its fingerprint, in bytes.
_MOST = 256_000_000


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What a checkpoint was when a report was made of it.

    Attributes:
      role: what it was there for: `source`, `target`.
      prefix: its prefix; of what is no checkpoint what it is called.
      file: the file that was read; empty if none was.
      sha256: of that file, in hexadecimal digits; else why there is none.
    """

    role: str
    prefix: str
    file: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What was run.

    Attributes:
      command: the command line; empty for a call from Python.
      versions: of each package, by name.
      fingerprints: of the checkpoints.
      made: when, in UTC, to the second.
    """

    command: str
    versions: tuple[tuple[str, str], ...]
    fingerprints: tuple[Fingerprint, ...]
    made: str


def gather(checkpoints: Sequence[tuple[str, str]], command: str = "") -> Provenance:
    """Looks at what is installed, and at the checkpoints' files.

    Args:
      checkpoints: what each was there for, and its prefix.
      command: the command line.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    return Provenance(
        command,
        (
            ("estimator-ckpt", estimator_ckpt.__version__),
            ("python", platform.python_version()),
            *_versions(),
        ),
        tuple(_fingerprint(role, prefix) for role, prefix in checkpoints),
        now.strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def _versions() -> list[tuple[str, str]]:
    from importlib import metadata  # takes time that only reports need

    found = []
    for package in _PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _fingerprint(role: str, prefix: str) -> Fingerprint:
    for path in (index_path(prefix), prefix):
        try:
            if not files.exists(path) or files.is_dir(path):
                continue
            with files.open_file(path) as file:
                if path == prefix and file.size > _MOST:
                    said = f"not taken: more than {_MOST // 1_000_000} MB"
                    return Fingerprint(role, prefix, path, said)
                digest = hashlib.sha256()
                for chunk in file.chunks(0, file.size):
                    digest.update(chunk)
        except CheckpointError as error:
            return Fingerprint(role, prefix, path, f"not taken: {error}")
        return Fingerprint(role, prefix, path, digest.hexdigest())
    return Fingerprint(role, prefix, "", "not taken: no local file")
