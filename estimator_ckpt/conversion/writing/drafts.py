"""What of a source goes into a new bundle: entries, their bytes' places, new keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from estimator_ckpt.bundle import coding
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


class Draft(NamedTuple):
    """What of a source goes into a new bundle.

    Attributes:
      moves: the key moves.
      old: the source's index.
      kept: the entries whose bytes are needed, slices included: by key, the keys (of a
        slice those of its variable) that each gets in the result; none if the variable
        is written whole there.
      whole: object keys of partitioned variables that TensorFlow could not join, by
        old key. Their name keys, if there are any, keep the slices.
    """

    moves: KeyMoves
    old: Index
    kept: Mapping[bytes, Sequence[str]]
    whole: Mapping[str, Sequence[str]]

    @property
    def carried(self) -> Iterator[bytes]:
        """The keys of entries whose bytes, if they have any, go over as they are."""
        return (key for key, new_names in self.kept.items() if new_names)

    @property
    def places(self) -> set[Place]:
        """Where the bytes are that go over as they are; keys of one tensor have one."""
        entries = self.old.entries(self.carried)
        return {place_of(entry) for entry in entries if not entry.slices}

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

    @property
    def used_shards(self) -> list[int]:
        """The shards with bytes that go over as they are, in order."""
        if not self.new.whole:  # as of most checkpoints: all that is needed does
            return sorted(self.source.shards)
        return sorted(self.new.old.ends(self.new.carried))


def draft(index: Index, moves: KeyMoves) -> Draft:
    """What of a source goes into a new bundle.

    Raises:
      CorruptIndexError: a key, or the entry of a partitioned variable, cannot be true.
    """
    whole = _to_write_whole(index, moves)
    kept: dict[bytes, Sequence[str]] = {}
    all_new_keys = moves.new_keys
    for key, name in index.named_keys():
        new_names = all_new_keys.get(name)
        if new_names:
            kept[key] = new_names
            if name in whole:
                kept[key] = [new for new in new_names if new not in whole[name]]
    return Draft(moves, index, kept, whole)


def new_keys(key: bytes, new_names: Iterable[str]) -> Iterator[bytes]:
    """The keys in the result of an entry that is kept."""
    if not coding.is_slice_key(key):
        return map(coding.name_to_key, new_names)
    _, extents = coding.parse_key(key)
    return (coding.slice_key(new, extents or ()) for new in new_names)


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
