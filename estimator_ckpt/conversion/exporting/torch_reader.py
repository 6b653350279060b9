"""A file in PyTorch's layout, read as the variables that its tensors were made of."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.local_files.scratch_file import ScratchFile
from estimator_ckpt.bundle.tensors import arrays
from estimator_ckpt.checkpoint import contents
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader
from estimator_ckpt.checkpoint.weight_files.unchecked_reader import PieceReader
from estimator_ckpt.conversion.exporting import variable_origins
from estimator_ckpt.conversion.exporting.variable_origins import Origins
from estimator_ckpt.layouts.torch.torch_rules import Request

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


class TorchReader(PieceReader):
    """Reads variables out of a file in PyTorch's layout, as a `TensorReader`.

    Attributes:
      prefix: the file.
      index: the variables, without places and checksums.
      left_out: the tensors that no variable is made of.
      unused: a sentence for each rule of the user's that is about no tensor.
    """

    def __init__(self, reader: SafetensorsReader, origins: Origins) -> None:
        """Reads from a file.

        Args:
          reader: the file; `close` closes it.
          origins: what its variables are made of, as `variable_origins.of_file` says.
        """
        self.prefix = reader.prefix
        self.left_out, self.unused = origins.left_out, origins.unused
        self._reader, self._origins = reader, origins.of
        records = {
            coding.name_to_key(name): origin.entry.serialize()
            for name, origin in origins.of.items()
        }
        self.index = Index(self.prefix, Header(), dict(sorted(records.items())), b"")

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a variable."""
        del check  # there is nothing to check it with
        entry, origin = self.index[name], self._origins[name]
        given = [self._reader.read(tensor) for tensor in origin.tensors]
        if origin.permutation is not None:
            return arrays.frozen(origin.permutation(given[0]).reshape(entry.shape))
        assert origin.part.backward is not None
        made = origin.part.backward(given)[origin.place]
        return arrays.frozen(made.reshape(entry.shape))

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a variable in flat pieces."""
        entry, origin = self.index[name], self._origins[name]
        dtype = arrays.dtype_of(entry)
        if origin.permutation is not None:
            (tensor,) = origin.tensors
            yield from origin.permutation.pieces(
                self._reader.iter_arrays(tensor),
                dtype,
                functools.partial(ScratchFile, tempfile.gettempdir()),
            )
            return
        yield from arrays.in_pieces(self.read(name, check))

    def verify(self, key: bytes) -> None:
        """Says that there is nothing to verify with.

        Raises:
          UnsupportedCheckpointError: always.
        """
        self._reader.verify(key)

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()


def opened(
    checkpoint: Checkpoint, requests: Sequence[Request], store: files.Store = files
) -> Checkpoint:
    """A file in PyTorch's layout, as a checkpoint of variables.

    Args:
      checkpoint: the file as it is; the new one closes it.
      requests: the user's rules.
      store: where it is.

    Raises:
      UnsupportedCheckpointError: it is no `.safetensors` file.
      As `variable_origins.of_file`.
    """
    if not isinstance(checkpoint.reader, SafetensorsReader):
        raise UnsupportedCheckpointError(
            f"{checkpoint.prefix}: layout='torch' (--layout=torch) is for what is "
            f"written in PyTorch's layout, or read from a .safetensors file in it"
        )
    origins = variable_origins.of_file(checkpoint.reader, requests)
    reader = TorchReader(checkpoint.reader, origins)
    meaning = contents.of_names(reader.index)
    return Checkpoint(reader, None, meaning, store, checkpoint.overruling)
