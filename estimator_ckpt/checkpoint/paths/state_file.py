"""The checkpoint state: the file named `checkpoint` in a model dir.

It names the latest checkpoint and those that are kept, in the text format of a
CheckpointState message, with paths relative to its directory or absolute. Savers
write no timestamps; `tf.train.CheckpointManager`, which deletes what has them, does.

Source: `tensorflow/python/training/checkpoint_state.proto` and the files that
TensorFlow 1.15.5, 2.15.1 and 2.21.0 write. Only the last leaves non-ASCII paths
unescaped; both are read, and escapes are written.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError

FILE_NAME = "checkpoint"

_FIELD = re.compile(
    rb"""(?P<name>[a-z_]+)\s*:\s*
         (?: "(?P<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)"
           | '(?P<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)'
           | (?P<number>[-+0-9.eEinf]+) )\s*""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class CheckpointState(NamedTuple):
    """What a model dir's state file says.

    Attributes:
      latest: the prefix of the latest checkpoint, relative or absolute.
      all: the prefixes of all checkpoints, oldest first.
      timestamps: when each was written, in seconds; empty if it was not recorded.
      last_preserved: when the last checkpoint was kept for good, or None.
    """

    latest: str
    all: tuple[str, ...] = ()
    timestamps: tuple[float, ...] = ()
    last_preserved: Optional[float] = None

    def serialize(self) -> bytes:
        """The bytes of the state file."""
        lines = [f'model_checkpoint_path: "{_escape(self.latest)}"']
        lines += [f'all_model_checkpoint_paths: "{_escape(path)}"' for path in self.all]
        lines += [f"all_model_checkpoint_timestamps: {t!r}" for t in self.timestamps]
        if self.last_preserved is not None:
            lines.append(f"last_preserved_timestamp: {self.last_preserved!r}")
        return "".join(f"{line}\n" for line in lines).encode()


def read(directory: files.PathLike) -> Optional[CheckpointState]:
    """Reads a model dir's state file.

    Returns:
      The state, or None if there is no such file.

    Raises:
      CheckpointError: the file is damaged.
    """
    path = os.path.join(files.local(directory), FILE_NAME)
    if not os.path.isfile(path):
        return None
    return parse(files.read(path), path)


def parse(data: bytes, source: str) -> CheckpointState:
    """Parses the bytes of a state file.

    Raises:
      CheckpointError: they are not one.
    """
    fields: dict[str, list[bytes]] = {}
    position = len(data) - len(data.lstrip())
    while position < len(data):
        match = _FIELD.match(data, position)
        if match is None:
            line = data[position : position + 60].splitlines()[0]
            raise CheckpointError(
                f"{source}: not a checkpoint state file: cannot read {line!r}; delete "
                f"it, or give a checkpoint's prefix instead of the directory"
            )
        position = match.end()
        text = match["double"] if match["double"] is not None else match["single"]
        value = match["number"] if text is None else _ESCAPE.sub(_unescape, text)
        fields.setdefault(match["name"].decode(), []).append(value)
    latest = fields.get("model_checkpoint_path")
    if not latest:
        raise CheckpointError(f"{source}: the state file names no checkpoint")
    try:
        preserved = fields.get("last_preserved_timestamp")
        return CheckpointState(
            latest=os.fsdecode(latest[-1]),
            all=tuple(map(os.fsdecode, fields.get("all_model_checkpoint_paths", ()))),
            timestamps=tuple(
                map(float, fields.get("all_model_checkpoint_timestamps", ()))
            ),
            last_preserved=float(preserved[-1]) if preserved else None,
        )
    except ValueError as error:
        raise CheckpointError(f"{source}: damaged state file: {error}") from None


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape[0] in b"01234567":
        return bytes([int(escape, 8) & 0xFF])
    if escape[:1] == b"x" and len(escape) > 1:
        return bytes([int(escape[1:], 16)])
    return _ESCAPED.get(escape, escape)


def _escape(path: str) -> str:
    return "".join(
        chr(byte)
        if 32 <= byte < 127 and chr(byte) not in '"\\'
        else f"\\{chr(byte)}"
        if chr(byte) in '"\\'
        else f"\\{byte:03o}"
        for byte in os.fsencode(path)
    )
