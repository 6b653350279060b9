"""Tensors out of one file that has no checksums: what its readers have in common.

A format says which tensors there are, and gives each in flat pieces. Whole tensors,
parts of them and their bytes follow from the pieces, as `BundleReader` gives them. The
file is read and not mapped: one that is cut off while it is mapped ends the process.
"""

from __future__ import annotations

import abc
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.tensors import arrays, slices

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

_Reader = TypeVar("_Reader", bound="UncheckedReader")

#: How many elements each piece has.
Counts = Iterator[int]


class PieceReader(abc.ABC):
    """What follows for a `TensorReader` from how it reads tensors, whole or in pieces.

    Attributes:
      index: its tensors as an index of a bundle has them, without checksums.
    """

    index: Index

    @abc.abstractmethod
    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor."""

    @abc.abstractmethod
    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in flat pieces."""

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor."""
        place = slices.place_of(extents, self.index[name].shape)
        return arrays.frozen(self.read(name, check)[place])

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of a tensor, as they would be in a shard."""
        for piece in self.iter_arrays(coding.key_to_name(key)):
            little = piece.byteswap() if sys.byteorder == "big" else piece
            yield little.view("u1").data

    def verify_whole(self, name: str) -> None:
        """Reads all of a tensor, which is all that can be checked beforehand."""
        for _ in self.iter_arrays(name):
            pass

    def unmap(self) -> None:  # noqa: B027
        """Does nothing: nothing is mapped."""


class UncheckedReader(PieceReader):
    """Reads the tensors of a file that has no checksums.

    Attributes:
      prefix: the file.
      index: its tensors as an index of a bundle has them, without checksums.
    """

    #: What it is not, if it cannot be read: `no whole .safetensors file`.
    NOT_ONE: ClassVar[str]
    #: What is said when it is to be verified.
    NO_CHECKSUMS: ClassVar[str]

    def __init__(self, path: str, store: files.Store = files) -> None:
        """Reads which tensors there are.

        Raises:
          CheckpointNotFoundError: there is no such file.
          CorruptIndexError: what it says of its tensors cannot be true.
          UnsupportedCheckpointError: it cannot be read here.
        """
        self.prefix = path
        self._file = store.open_file(path)
        try:
            entries = self._entries()
        except ValueError as error:
            self.close()
            raise CorruptIndexError(f"{path}: {self.NOT_ONE}: {error}") from None
        except BaseException:
            self.close()
            raise
        records = {coding.name_to_key(n): e.serialize() for n, e in entries.items()}
        self.index = Index(path, Header(), dict(sorted(records.items())), b"")

    @abc.abstractmethod
    def _entries(self) -> Mapping[str, Entry]:
        """What tensors the file says it has; a ValueError if that cannot be true."""

    @abc.abstractmethod
    def _pieces(self, name: str, entry: Entry, counts: Counts) -> Iterator[Array]:
        """A tensor's elements in row-major order, flat, so many at a time."""

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor; the arguments and errors are those of `BundleReader`."""
        del check  # there is nothing to check it with
        entry = self.index[name]
        flat, start = arrays.empty((entry.num_elements,), arrays.dtype_of(entry)), 0
        for piece in self.iter_arrays(name):
            flat[start : start + len(piece)] = piece
            start += len(piece)
        return arrays.frozen(flat.reshape(entry.shape))

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in the same pieces as `BundleReader.iter_arrays`."""
        del check
        entry = self.index[name]
        regions = slices.pieces(entry.shape, arrays.dtype_of(entry).itemsize)
        return self._pieces(name, entry, map(slices.volume, regions))

    def verify(self, key: bytes) -> None:
        """Says that there is nothing to verify with.

        Raises:
          UnsupportedCheckpointError: always.
        """
        raise UnsupportedCheckpointError(f"{self.prefix}: {self.NO_CHECKSUMS}")

    def close(self) -> None:
        """Closes the file. Arrays that were read stay valid."""
        self._file.close()

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stored(self, start: int, entry: Entry, counts: Counts) -> Iterator[Array]:
        """The elements that stand in the file from a byte on, so many at a time."""
        dtype = arrays.dtype_of(entry)
        for count in counts:
            data = self._file.read(start, count * dtype.itemsize)
            yield arrays.of_numbers(memoryview(data), dtype, sys.byteorder == "big")
            start += len(data)
