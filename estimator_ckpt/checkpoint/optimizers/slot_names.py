"""What names say of optimizers, derived from what these keep.

Slots, counters, settings and beta powers have names that many checkpoints share. A name
alone decides nothing where there is other evidence: see `checkpoint/evidence`.
"""

from __future__ import annotations

import re
from typing import Optional

from estimator_ckpt.checkpoint.optimizers.keras_classes import (
    KERAS,
    OTHER_CLASSES,
    OTHER_SLOTS,
)

#: Names of slots by generation: LEGACY, KERAS, KERAS_3.
LEGACY_SLOTS = frozenset(
    {name for each in KERAS.values() for name in each.legacy.values()} | {"slow"}
)
KERAS_SLOTS = frozenset(
    {name for each in KERAS.values() for name in each.names.values()} | set(OTHER_SLOTS)
)
KERAS_3_SLOTS = frozenset(
    {name for each in KERAS.values() for name in each.keras_3.values()}
    | set(OTHER_SLOTS)
)
#: What Mesh-TensorFlow puts behind a variable's name, with no `/` between.
MESH_SLOTS = ("_slot_vr", "_slot_vc", "_slot_v", "_slot_m", "_momentum_v")
#: Names that Keras gives its optimizers, in lower case and without `_`.
CLASSES = frozenset(name.lower() for name in (*KERAS, *OTHER_CLASSES))
#: What Keras optimizers call their step counter: `iter` the legacy ones, `iteration`
#: those since 2.11, `iterations` those of Keras 2.2; with `_` the attribute.
COUNTERS = frozenset({"iter", "iteration", "iterations", "_iterations"})
#: Settings that say that an optimizer is near.
TELLING_SETTINGS = frozenset(
    (
        *("learning_rate", "current_learning_rate", "lr", "decay"),
        *("_learning_rate", "_current_learning_rate"),
    )
)
#: All that Keras optimizers keep once, their counters aside.
SETTINGS = TELLING_SETTINGS | frozenset(
    (
        *("beta", "beta_1", "beta_2", "rho", "momentum", "momentum_cache", "epsilon"),
        *("l1_regularization_strength", "l2_regularization_strength", "weight_decay"),
        *("learning_rate_power", "ratio", "total_steps", "sma_max", "m_schedule"),
        *("u_product", "_u_product", "Variable", "variable"),
    )
)
BETA_POWER = re.compile(r"beta[12]_power(?:_(?P<number>\d+))?")


def keras_slot(full_name: Optional[str]) -> Optional[str]:
    """What a slot of a Keras optimizer since 2.11 is called, by its full name.

    `m/dense/kernel` and `Adam/m/dense/kernel` are `m`; in Keras 3
    `adam/dense_kernel_momentum` is `momentum`. None for what is no slot.
    """
    if not full_name:
        return None
    steps = full_name.split("/")
    for step in steps[:2] if len(steps) > 1 else ():
        if step in KERAS_SLOTS or step in LEGACY_SLOTS:
            return step
    if len(steps) != 2:
        return None
    found = [slot for slot in KERAS_3_SLOTS if steps[1].endswith(f"_{slot}")]
    return max(found, key=len, default=None)


def is_beta_power(name: str) -> bool:
    """Whether a variable that an optimizer keeps once is a beta power, by its name."""
    last = name.rpartition("/")[2]
    return BETA_POWER.fullmatch(last[:-2] if last.endswith(":0") else last) is not None


def counts_steps(name: str) -> bool:
    """Whether one says how many steps were taken: a beta power or a step counter."""
    return name.rpartition("/")[2] in COUNTERS or is_beta_power(name)
