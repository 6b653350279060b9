"""What a checkpoint says of its variables' roles: its index, its graph, its `.meta`.

`role_evidence` decides by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import meta_graph, role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.roles import Overruling, Roles

if TYPE_CHECKING:
    from estimator_ckpt.bundle.entry import Entry
    from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
    from estimator_ckpt.checkpoint.stored_graph import StoredGraph


def of_checkpoint(checkpoint: Checkpoint) -> Roles:
    """What each variable of a checkpoint is for: by graph, `.meta` and names.

    Variables that share a full name are among them under their paths.
    """
    return _AtHand.of(checkpoint, by_key(checkpoint.index, {})).decide()


def of_both(
    first: Checkpoint,
    second: Checkpoint,
    facts: Optional[tuple[Mapping[str, Fact], Mapping[str, Fact]]] = None,
) -> tuple[Roles, Roles]:
    """The same of two checkpoints; one answer for both if the evidence is the same.

    Args:
      first: a checkpoint.
      second: another.
      facts: what their indexes say of each key, if it is known.
    """
    if facts is None:
        same: SameFacts = {}
        facts = by_key(first.index, same), by_key(second.index, same)
    evidence, other = _AtHand.of(first, facts[0]), _AtHand.of(second, facts[1])
    found = evidence.decide()
    return found, found if evidence == other else other.decide()


#: Facts by dtype and shape: all keys that have the same share one.
SameFacts = dict[tuple[Any, tuple[int, ...]], Fact]


def by_key(entries: Mapping[str, Entry], same: SameFacts) -> dict[str, Fact]:
    """The dtype and shape of each key."""
    found = {}
    for key, entry in entries.items():
        about = entry.dtype, entry.shape
        fact = same.get(about)
        if fact is None:
            fact = same[about] = Fact(entry.dtype_name, entry.shape)
        found[key] = fact
    return found


class _AtHand(NamedTuple):
    """All that a checkpoint says of its variables' roles, as `decide` takes it."""

    facts: Mapping[str, Fact]
    global_step: Optional[str]
    keys: Mapping[str, str]
    graph: Optional[StoredGraph]
    facts_by_key: Mapping[str, Fact]
    trainable: Optional[Sequence[tuple[str, bool]]]  # where order counts
    overruling: Overruling

    @classmethod
    def of(cls, checkpoint: Checkpoint, said: Mapping[str, Fact]) -> _AtHand:
        meaning, graph = checkpoint.contents, checkpoint.graph
        keys = meaning.keys
        if meaning.ambiguous:
            keys = dict(keys)
            for shared in meaning.ambiguous.values():  # under their paths
                for key in shared:
                    keys.setdefault(object_keys.path_of(key) or key, key)
        facts = said  # names are keys
        if graph is not None:
            facts = {name: said[key] for name, key in keys.items()}
        trainable = _beside(checkpoint)
        return cls(
            *(facts, meaning.global_step, keys, graph, said),
            None if trainable is None else tuple(trainable.items()),
            checkpoint.overruling,
        )

    def decide(self) -> Roles:
        trainable = None if self.trainable is None else dict(self.trainable)
        return role_evidence.decide(
            **{**self._asdict(), "trainable": trainable},
            collection="the .meta's collection",
        )


def _beside(checkpoint: Checkpoint) -> Optional[Mapping[str, bool]]:
    """What the `.meta` beside it says of its variables, as `decide` takes it.

    One that cannot be read is no evidence, and logged.
    """
    try:
        return meta_graph.trainability(checkpoint.prefix, checkpoint.store)
    except CorruptIndexError as error:
        logs.logger().warning("%s; roles are decided without it", error)
        return None
