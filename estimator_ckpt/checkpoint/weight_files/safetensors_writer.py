"""Tensors into a `.safetensors` file, one after another, in little memory.

Byte by byte: safetensors_reader.py. Tensors come by falling size of their
elements, then by name, and the header ends on a multiple of 8 bytes: so every tensor
begins on a multiple of its element's size, without gaps. The format's own library
(0.8.0) reads such files, and writes them likewise. The file appears whole or not at
all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.errors import CheckpointError, UnsupportedCheckpointError
from estimator_ckpt.bundle.tensors.dtypes import DataType
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import DTYPES, METADATA

_NAMES = {number: name for name, number in DTYPES.items()}
_ALIGNMENT = 8


class TensorToWrite(NamedTuple):
    """A tensor of the file.

    Attributes:
      dtype: its type, one that the format has (`can_hold`).
      shape: its shape.
      chunks: gives buffers with its little-endian bytes, in row-major order, when the
        tensor's turn has come.
    """

    dtype: DataType
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[Any]]

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return math.prod(self.shape) * (self.dtype.size or 0)


def can_hold(dtype: DataType) -> bool:
    """Whether the format has a type; it has no strings, variants and complex128."""
    return dtype.number in _NAMES


def write(
    path: files.PathLike,
    tensors: Mapping[str, TensorToWrite],
    metadata: Mapping[str, str],
    *,
    overwrite: bool = False,
    before_commit: Optional[Callable[[files.Output], None]] = None,
) -> None:
    """Writes a file.

    Args:
      path: the file; its directory is made if it is missing.
      tensors: what to write, by name.
      metadata: what the file says of itself: `format` (`pt`, `tf`) and more.
      overwrite: whether to replace a file of that name.
      before_commit: called when all is written, before the file gets its name; an
        error leaves it without one.

    Raises:
      DestinationExistsError: there is one, and it is not to be replaced.
      UnsupportedCheckpointError: the format has no such type.
      CheckpointError: a name cannot be one, a tensor's bytes are not as many as its
        shape says, the disk is full, or writing failed otherwise.
    """
    target = files.local(path)
    order = sorted(tensors, key=lambda name: (-(tensors[name].dtype.size or 0), name))
    header = _header(target, order, tensors, metadata)
    files.make_dirs(files.dirname(target))
    needed = len(header) + sum(tensor.size for tensor in tensors.values())
    output = files.Output(target, needed)
    try:
        output.write(header)
        for name in order:
            start, tensor = output.size, tensors[name]
            for chunk in tensor.chunks():
                output.write(chunk)
            if output.size - start != tensor.size:
                raise CheckpointError(
                    f"{target}: {output.size - start} bytes were given for "
                    f"{coding.show(name)}, {tensor.dtype.name}{list(tensor.shape)} of "
                    f"{tensor.size}"
                )
        if before_commit is not None:
            before_commit(output)
        output.commit(replace=overwrite)
    except BaseException:
        output.discard()
        raise


def _header(
    target: str,
    order: list[str],
    tensors: Mapping[str, TensorToWrite],
    metadata: Mapping[str, str],
) -> bytes:
    """The header with its size, padded."""
    content: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    at = 0
    for name in order:
        tensor = tensors[name]
        if not can_hold(tensor.dtype):
            raise UnsupportedCheckpointError(
                f"{target}: {coding.show(name)} is {tensor.dtype.name}, which the "
                f"format has not; exclude it (exclude, --exclude)"
            )
        if not name or name == METADATA or name.startswith("\0"):
            raise CheckpointError(f"{target}: {name!r} cannot be a tensor's name there")
        content[name] = {
            "dtype": _NAMES[tensor.dtype.number],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.size],
        }
        at += tensor.size
    try:
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"{target}: {error.object[error.start : error.end]!r} in a name is no UTF-8"
        ) from None
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
