"""What of a source goes into a new bundle: entries, their bytes' places, new keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.index import Index
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion.key_moves import Additions, KeyMoves
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
      old: the source's index.
      kept: the entries whose bytes are needed, slices included: by key, the keys (of a
        slice those of its variable) that each gets in the result; none if the variable
        is written whole there.
      whole: object keys of partitioned variables that TensorFlow could not join, by
        old key. Their name keys, if there are any, keep the slices.
      added: what the source does not have.
      keeps_names: whether every variable keeps its name.
    """

    old: Index
    kept: Mapping[bytes, Sequence[bytes]]
    whole: Mapping[bytes, Sequence[bytes]]
    added: Additions
    keeps_names: bool

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
        return bool(self.whole) or not self.added.are_none


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
    kept: dict[bytes, Sequence[bytes]] = {}
    new_of = moves.new_keys.get
    for key in index.slice_keys():
        variable = coding.name_to_key(coding.parse_key(key)[0])
        if new := new_of(variable):
            kept[key] = [k for k in new if k not in whole.get(variable, ())]
    for key in index.whole_keys():
        if new := new_of(key):
            kept[key] = new
    for key, apart in whole.items():
        kept[key] = [k for k in kept[key] if k not in apart]
    return Draft(index, kept, whole, moves.added, moves.keeps_names)


def new_keys(key: bytes, of_variable: Sequence[bytes]) -> Iterable[bytes]:
    """The keys in the result of an entry that is kept.

    Args:
      key: its key in the source.
      of_variable: the keys that it, or of a slice its variable, gets.
    """
    if not coding.is_slice_key(key):
        return of_variable
    _, extents = coding.parse_key(key)
    names = map(coding.key_to_name, of_variable)
    return (coding.slice_key(name, extents or ()) for name in names)


def _to_write_whole(index: Index, moves: KeyMoves) -> dict[bytes, list[bytes]]:
    """Object keys of partitioned variables that TensorFlow could not join."""
    if not index.has_slices:  # as most checkpoints
        return {}
    found = {}
    for old, new in moves.new_keys.items():
        objects = [k for k in new if object_keys.is_object_key(coding.key_to_name(k))]
        if not objects:
            continue
        entry = index.entry(old)
        if entry.is_partitioned and entry.dtype_name in _NOT_JOINED:
            found[old] = objects
    return found


def place_of(entry: Entry) -> Place:
    """Where the bytes of an entry are that is no partitioned variable's."""
    return Place(entry.shard_id, entry.offset, entry.size)
