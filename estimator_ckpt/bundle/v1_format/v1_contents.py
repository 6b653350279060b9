"""What the tables of a V1 checkpoint say that they have: tensors, and their slices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.v1_schema import (
    SavedTensorSliceMeta,
    SavedTensorSlices,
)
from estimator_ckpt.bundle.sstable.table import Table
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.tensors.slices import resolve

_VERSION = 1


class V1Tensor(NamedTuple):
    """What the tables say of a tensor, and which table has each of its slices."""

    dtype: int
    shape: tuple[int, ...]
    parts: dict[Slice, Table]

    @property
    def entry(self) -> Entry:
        """The tensor as a bundle's index has it: whole, without place or checksum."""
        dtype = dtypes.of(self.dtype)
        entry = Entry(self.dtype, self.shape)
        least = (dtype.size if dtype.size is not None else 1) * entry.num_elements
        return entry._replace(size=least + 4 * dtype.is_string)


def tensors(prefix: str, tables: Iterable[Table]) -> dict[str, V1Tensor]:
    """The tensors of a checkpoint's files, by name.

    Args:
      prefix: the checkpoint, for messages.
      tables: its files.

    Raises:
      CorruptIndexError: a file is damaged, or they do not fit together.
      UnsupportedCheckpointError: made for readers of a later version.
    """
    found: dict[str, V1Tensor] = {}
    for table in tables:
        for tensor in _said_by(table).tensor:
            said = V1Tensor(tensor.type, tensor.shape, {})
            known = found.setdefault(tensor.name, said)
            if known[:2] != said[:2]:
                raise CorruptIndexError(
                    f"{prefix}: its files differ in the dtype or shape of "
                    f"{coding.show(tensor.name)}"
                )
            for part in tensor.slice:
                try:
                    resolve(part, tensor.shape)
                except ValueError as error:
                    raise CorruptIndexError(
                        f"{table.source}: {coding.show(tensor.name)}: {error}"
                    ) from None
                known.parts[part] = table
    return found


def _said_by(table: Table) -> SavedTensorSliceMeta:
    """What a file says that it has."""
    content = table.get(b"")
    try:
        if content is None:
            raise ValueError("it does not say which tensors are in it")
        meta = wire.decoder(SavedTensorSlices)(content).meta
    except ValueError as error:
        raise CorruptIndexError(
            f"{table.source}: a table, but no checkpoint of the V1 format: {error}"
        ) from None
    version = meta.versions
    if version.min_consumer > _VERSION or _VERSION in version.bad_consumers:
        raise UnsupportedCheckpointError(
            f"{table.source}: made for readers of version {version.min_consumer} "
            f"of the V1 format; this is version {_VERSION}"
        )
    return meta
