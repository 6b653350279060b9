"""Everything that can be wrong with a checkpoint, as exceptions.

A message is one line: which file, which key, what was found, what was expected and
what to do about it. What is in it of files and users cannot make it more than that.
"""

from __future__ import annotations

from estimator_ckpt.bundle.printing import one_line


class CheckpointError(Exception):
    """Something is wrong with a checkpoint, or with what was asked of one."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class CheckpointNotFoundError(CheckpointError):
    """There is no checkpoint, or no such file, where one was asked for."""


class CorruptIndexError(CheckpointError):
    """An index is damaged: a checksum, an order, a length or a message is wrong."""


class CorruptDataError(CheckpointError):
    """A shard is missing or short, or the bytes of a tensor are not those saved."""


class TensorNotFoundError(CheckpointError, KeyError):
    """The checkpoint is fine but holds no tensor, or no slice, of that name.

    A KeyError too, so that what reads like a mapping is one: `get` and the like work.
    """

    __str__ = Exception.__str__  # KeyError's would quote the message


class UnsupportedCheckpointError(CheckpointError):
    """A checkpoint that may be whole, but that cannot be read here.

    A checkpoint for newer readers, a value that only TensorFlow can
    decode, a compressed index without a library for it, a remote path.
    """


class DestinationExistsError(CheckpointError):
    """What was to be written is already there, and nothing allows to replace it."""


class DestinationInUseError(CheckpointError):
    """Another process is writing what was to be written."""


class SourceChangedError(CheckpointError):
    """A checkpoint was saved anew, replaced or deleted while it was read."""


class NoSpaceError(CheckpointError):
    """The disk or the quota is full; the message names the bytes needed."""
