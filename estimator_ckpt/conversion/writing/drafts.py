"""What of a source goes into a new bundle: entries, their bytes' places, new keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.writing.snapshot import Snapshot

#: TensorFlow 2.21.0 and earlier cannot join these from slices ("Dtype half not
#: supported"), which a TF2 restore of a partitioned variable needs.
_NOT_JOINED = frozenset(
    {"half", "float16", "uint16", "uint32", "uint64", "string", "qint16", "quint16"}
)


class Place(NamedTuple):
    """Where a tensor's bytes are in a bundle; its keys have one place."""

    shard_id: int
    offset: int
    size: int


class Kept(NamedTuple):
    """An entry of the source whose bytes go into the result.

    Attributes:
      key: its key there.
      name: the name in the key; of a slice, its variable's.
      entry: what it says.
      extents: those of a slice; None of a whole tensor.
      new_names: the keys, of a slice those of its variable, that it gets in the result;
        none if the variable is written whole there.
    """

    key: bytes
    name: str
    entry: Entry
    extents: Optional[Slice]
    new_names: Sequence[str]

    @property
    def has_bytes(self) -> bool:
        """Whether its bytes go over as they are."""
        return bool(self.new_names) and not self.entry.slices

    def new_keys(self) -> Iterator[bytes]:
        """Its keys in the result's index."""
        for new in self.new_names:
            if new == self.name:
                yield self.key
            elif self.extents is None:
                yield coding.name_to_key(new)
            else:
                yield coding.slice_key(new, self.extents)


class Draft(NamedTuple):
    """What of a source goes into a new bundle.

    Attributes:
      moves: the key moves.
      kept: the entries whose bytes are needed.
      whole: object keys of partitioned variables that TensorFlow could not join, by
        old key. Their name keys, if there are any, keep the slices.
    """

    moves: KeyMoves
    kept: Sequence[Kept]
    whole: Mapping[str, Sequence[str]]

    @property
    def places(self) -> set[Place]:
        """Where the bytes are that go over as they are; keys of one tensor have one."""
        return {place_of(kept.entry) for kept in self.kept if kept.has_bytes}

    @property
    def used_shards(self) -> list[int]:
        """The shards in which these bytes are, in order."""
        return sorted({kept.entry.shard_id for kept in self.kept if kept.has_bytes})

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return sum(place.size for place in self.places)

    @property
    def has_new_tensors(self) -> bool:
        """Whether anything is to be written that the source does not have like this."""
        return self.moves.has_new_tensors or bool(self.whole)


class Prepared(NamedTuple):
    """A source that has all that a new bundle needs, and is held.

    Attributes:
      reader: what reads its tensors.
      new: what goes into the new bundle.
      source: its files.
    """

    reader: BundleReader
    new: Draft
    source: Snapshot


def draft(index: Index, moves: KeyMoves) -> Draft:
    """What of a source goes into a new bundle.

    Raises:
      CorruptIndexError: an entry that is needed cannot be true.
    """
    whole = _to_write_whole(index, moves)
    new_keys, entry_of, parse_key = moves.new_keys, index.entry, coding.parse_key
    is_slice_key, key_to_name = coding.is_slice_key, coding.key_to_name
    kept = []
    for key in index.records:
        name, extents = (
            parse_key(key) if is_slice_key(key) else (key_to_name(key), None)
        )
        new_names = new_keys.get(name)
        if new_names:
            kept.append(Kept(key, name, entry_of(key), extents, new_names))
    if whole:
        kept = [item._replace(new_names=_joined_no_more(item, whole)) for item in kept]
    return Draft(moves, kept, whole)


def _joined_no_more(item: Kept, whole: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The new names of an entry but those under which its variable is written whole."""
    return [new for new in item.new_names if new not in whole.get(item.name, ())]


def _to_write_whole(index: Index, moves: KeyMoves) -> dict[str, list[str]]:
    """Object keys of partitioned variables that TensorFlow could not join."""
    if not index.has_slices:  # as most checkpoints
        return {}
    found = {}
    for old, new in moves.new_keys.items():
        objects = [key for key in new if object_keys.is_object_key(key)]
        if (
            objects
            and index[old].is_partitioned
            and index[old].dtype_name in _NOT_JOINED
        ):
            found[old] = objects
    return found


def place_of(entry: Entry) -> Place:
    """Where the bytes of an entry are that is no partitioned variable's."""
    return Place(entry.shard_id, entry.offset, entry.size)
