"""Second keys for tensors that are in a bundle already: index bytes to index bytes.

An alias has the entry of another key, so it names the same bytes in the same shard.
This is what makes a `dual` checkpoint as small as one of its formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.errors import TensorNotFoundError
from estimator_ckpt.bundle.index import parse_index, serialize_index


def add_aliases(
    data: bytes,
    aliases: Mapping[str, str],
    source: str,
    *,
    num_shards: Optional[int] = None,
) -> bytes:
    """Adds keys that stand for tensors under other keys.

    Args:
      data: the bytes of an index.
      aliases: the key that each new key stands for, by new key. One that is there
        already is replaced. Of a partitioned variable the slices get keys too.
      source: the index's file, for messages.
      num_shards: the number of shards to say that there are, if it is to be another:
        it is a part of each shard's file name.

    Returns:
      The bytes of the new index.

    Raises:
      CorruptIndexError: `data` is no whole index.
      TensorNotFoundError: an alias stands for a key that is not there.
    """
    index = parse_index(data, source)
    records = dict(index.records)
    new_names: dict[str, list[str]] = {}
    for alias, name in aliases.items():
        new_names.setdefault(name, []).append(alias)
        try:
            records[coding.name_to_key(alias)] = index.records[coding.name_to_key(name)]
        except KeyError:
            raise TensorNotFoundError(
                f"{source}: {alias!r} is to stand for {name!r}, which is not in it"
            ) from None
    for key, record in index.records.items():
        if coding.is_slice_key(key):
            name, extents = coding.parse_key(key)
            for alias in new_names.get(name, ()):
                records[coding.slice_key(alias, extents or ())] = record
    header = index.header
    if num_shards is not None:
        header = header._replace(num_shards=num_shards)
    return serialize_index(header, records.items())
