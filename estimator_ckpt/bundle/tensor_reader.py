"""What reads the tensors of a checkpoint, whatever its files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from estimator_ckpt.bundle.index import Index

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


class TensorReader(Protocol):
    """What reads the tensors of a checkpoint, however they are stored.

    `BundleReader` is one, `V1Reader` another. Arguments, results and errors are those
    of the methods of `BundleReader`.

    Attributes:
      prefix: the checkpoint's prefix.
      index: what tensors there are.
    """

    prefix: str
    index: Index

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor."""

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor."""

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in flat pieces."""

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of an entry, as they are or would be in a shard."""

    def verify(self, key: bytes) -> None:
        """Holds the bytes of an entry against their checksum."""

    def verify_whole(self, name: str) -> None:
        """The same for a tensor, of a partitioned variable all slices."""

    def unmap(self) -> None:
        """Lets go of mapped files."""

    def close(self) -> None:
        """Closes the files."""
