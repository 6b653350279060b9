"""What variables are of which nothing is said: weights, as a rule.

Most variables of a checkpoint are that: they share these few decisions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact, last_of
from estimator_ckpt.checkpoint.roles import MODEL, SLOT, TRAINABLE, Decision

#: The evidence for what looks like nothing else.
NOTHING = "nothing says otherwise"
#: What most variables are, of which nothing more is said.
_NAMED_A_WEIGHT = Decision(TRAINABLE, "named as a layer's weight")
_NOTHING_SAID = Decision(TRAINABLE, NOTHING)
#: How names of dtypes begin of which variables are trained.
_TRAINED_DTYPES = ("float", "bfloat", "half", "double", "complex")


def of(
    tf1_name: str, fact: Fact, trainable: Mapping[str, bool], collection: str
) -> Decision:
    """What a variable is that is no optimizer's, no average and no metric.

    Args:
      tf1_name: what a graph of TensorFlow 1 would call it.
      fact: what is known of it.
      trainable: whether each variable is in a graph's collection, as far as that is
        believed.
      collection: what to call that.
    """
    trains = trainable.get(tf1_name)
    if trains is not None:
        return _collected(trains, collection)
    if last_of(tf1_name) in known_names.WEIGHTS:
        return _NAMED_A_WEIGHT
    if fact.dtype and not fact.dtype.startswith(_TRAINED_DTYPES):
        return _not_trained(fact.dtype)
    return _NOTHING_SAID


@functools.lru_cache(maxsize=8)
def _collected(trains: bool, collection: str) -> Decision:
    role = TRAINABLE if trains else MODEL
    word = "in" if trains else "not in"
    return Decision(role, f"{word} {collection} of trainable variables")


@functools.lru_cache(maxsize=32)
def _not_trained(dtype: str) -> Decision:
    return Decision(MODEL, f"nothing says more, and {dtype} is not trained")


def of_owners(
    said: Mapping[str, Decision], found: Mapping[str, Decision]
) -> dict[str, Decision]:
    """What has slots is trained, where nothing said more of it.

    Args:
      said: what is said of names, slots among them.
      found: the decisions, those by default among them.
    """
    trained: dict[str, Decision] = {}
    by_slot: dict[Optional[str], Decision] = {}
    for decision in said.values():
        if decision.role is not SLOT:
            continue
        owner = found.get(decision.owner or "")
        if owner is not None and owner.evidence == NOTHING:
            slot = decision.slot
            if slot not in by_slot:
                evidence = f"has a slot {slot}" if slot else "has slots"
                by_slot[slot] = Decision(TRAINABLE, evidence)
            trained[decision.owner or ""] = by_slot[slot]
    return trained
