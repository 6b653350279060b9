"""Where a new checkpoint goes, in which format, and whether it may go there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.bundle.local_files.output_file import already_there
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.checkpoint.formats import Format, FormatLike
from estimator_ckpt.checkpoint.paths import prefixes

#: What `to` is for a file of tensors, beside the formats of checkpoints.
SAFETENSORS = "safetensors"
#: How shards can get their new names.
DATA = ("auto", "link", "copy")
#: The layouts that a file of tensors can have, beside TensorFlow's.
LAYOUTS = ("torch",)
#: What floating-point tensors of such a file can be rounded to.
ROUNDED_TO = ("float16", "bfloat16", "float32")


class OptionError(CheckpointError, ValueError):
    """Options that do not go together, or one that has none of its values."""


class Target(NamedTuple):
    """What is to be written, and where.

    Attributes:
      destination: the new prefix, or a directory.
      format: the new checkpoint's format.
      data: how shards get their new names, one of `DATA`.
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes done as shards are linked or copied.
      is_compact: whether only the bytes that are used are written, tensor by tensor,
        each held against its checksum.
    """

    destination: str
    format: Format
    data: str = "auto"
    overwrite: bool = False
    progress: Optional[files.Progress] = None
    is_compact: bool = False

    @classmethod
    def of(
        cls,
        destination: files.PathLike,
        to: FormatLike,
        data: str = "auto",
        overwrite: bool = False,
        progress: Optional[files.Progress] = None,
    ) -> Target:
        """Checks what a user asks for; the arguments are those of `convert`.

        Raises:
          ValueError: an unknown `to` or `data`.
          CheckpointError: the path is empty.
          UnsupportedCheckpointError: it is a remote path.
        """
        format = formats.parse(to)
        require_known("data", data, DATA)
        return cls(local_path(destination), format, data, overwrite, progress)

    def prefix(self, source: str) -> str:
        """The new prefix: a directory takes the source's own name.

        Args:
          source: the source's prefix.
        """
        if self.destination.endswith("/") or files.is_dir(self.destination):
            return os.path.join(self.destination, prefixes.base_name(source))
        return self.destination

    def usable_prefix(self, source: str) -> str:
        """The new prefix, which can be, and may be, written to.

        Raises:
          CheckpointError: a file is in the way of its directory.
          DestinationExistsError: the checkpoint is there, and is not to be replaced,
            or is the source itself.
        """
        prefix = self.prefix(source)
        # A source of the V1 format has no index.
        require_usable(
            prefix, index_path(prefix), index_path(source), "checkpoint", self.overwrite
        )
        return prefix


class CompactTarget(NamedTuple):
    """Where a checkpoint goes that has no byte which is not used.

    Attributes:
      destination: as for `Target`.
      to: its format; None for the source's own.
      overwrite: as for `Target`.
      progress: called with the number of bytes written.
    """

    destination: str
    to: Optional[Format] = None
    overwrite: bool = False
    progress: Optional[files.Progress] = None

    @classmethod
    def of(
        cls,
        destination: files.PathLike,
        to: Optional[FormatLike] = None,
        overwrite: bool = False,
        progress: Optional[files.Progress] = None,
    ) -> CompactTarget:
        """Checks what a user asks for; the arguments are those of `slim`.

        Raises:
          As `Target.of`.
        """
        format = None if to is None else formats.parse(to)
        return cls(local_path(destination), format, overwrite, progress)

    def target(self, source_format: FormatLike) -> Target:
        """The target, once the source's format is known."""
        return Target(
            self.destination,
            self.to or formats.parse(source_format),
            overwrite=self.overwrite,
            progress=self.progress,
            is_compact=True,
        )


def require_usable(path: str, file: str, own: str, what: str, overwrite: bool) -> None:
    """Checks that something new may be written.

    Args:
      path: where it goes.
      file: the file by which it is there.
      own: that of the source.
      what: what it is, for messages.
      overwrite: whether to replace what is there.

    Raises:
      CheckpointError: a file is in the way of its directory.
      DestinationExistsError: it is there, and is not to be replaced, or is the source
        itself.
    """
    files.require_no_file(os.path.dirname(path))
    if not files.exists(file):
        return
    if files.exists(own) and os.path.samefile(file, own):
        raise DestinationExistsError(
            f"{path}: source and destination are the same {what}; give another "
            f"destination"
        )
    if not overwrite:
        raise already_there(file)


def require_known(keyword: str, given: str, known: Sequence[str]) -> None:
    """Raises OptionError if a keyword has none of its values."""
    if given not in known:
        raise OptionError(
            f"unknown {keyword} {given!r}: use one of {', '.join(map(repr, known))}"
        )


def refuse_rules_of_no_layout(layout: Optional[str], layouts: object) -> None:
    """Raises OptionError if there are layout rules, but no layout that they are for."""
    if layout is None and layouts is not None:
        raise OptionError(
            "layouts (--layouts) are rules for layout='torch' (--layout=torch)"
        )


def local_path(destination: files.PathLike) -> str:
    """A destination's path.

    Raises:
      CheckpointError: it is empty.
      UnsupportedCheckpointError: it is a remote path.
    """
    path = files.local(destination)
    if not path:
        raise CheckpointError("the destination's path is empty")
    return path
