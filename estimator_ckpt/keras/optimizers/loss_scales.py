"""The scale of a loss that was scaled, and the steps since it changed.

    TensorFlow 1.15, Keras 2   current_loss_scale, good_steps
    tf.contrib                 loss_scale, good_steps, bad_steps
    Keras 3                    dynamic_scale, step_counter

They mean the same: the scale doubles after so many steps with finite gradients.
"""

from __future__ import annotations

import dataclasses
from typing import Optional

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.keras import object_plans
from estimator_ckpt.keras.object_plans import NewVariable
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    LossScale,
    ObjectDescription,
    ObjectVariable,
)
from estimator_ckpt.keras.tensor_origins import FromSource

_SCALES = frozenset({"current_loss_scale", "loss_scale", "dynamic_scale"})
_COUNTERS = frozenset({"good_steps", "step_counter"})
#: What TensorFlow 1.15 calls the scale and its counter.
TF1_NAMES = ("current_loss_scale", "good_steps")


@dataclasses.dataclass(frozen=True)
class _Saved:
    """The names of a loss scale's variables in a checkpoint."""

    scale: str
    good_steps: Optional[str]


def carried(wanted: LossScale, source: Source) -> list[NewVariable]:
    """A loss scale that goes on from a checkpoint's.

    Args:
      wanted: the object's.
      source: the checkpoint.
    """
    found = _saved(source)
    if len(found) != 1:
        why = "no loss scale there" if not found else "several loss scales there"
        both = (wanted.scale, wanted.good_steps)
        return [object_plans.kept(variable, why) for variable in both]
    return [
        _value(wanted.scale, found[0].scale, source),
        _value(wanted.good_steps, found[0].good_steps, source),
    ]


def remarks(description: ObjectDescription, source: Source) -> list[str]:
    """What is to be said of a checkpoint's loss scales, a sentence each."""
    found = _saved(source)
    names = messages.quoted(saved.scale for saved in found)
    wanted = [o.called for o in description.optimizers if o.loss_scale is not None]
    if found and description.optimizers and not wanted:
        return [f"the loss scale {names} is left out: no LossScaleOptimizer is given"]
    if len(found) > 1:
        return [
            f"{messages.listed(wanted)}: there are several loss scales ({names}): its "
            f"own is kept"
        ]
    return []


def _saved(source: Source) -> list[_Saved]:
    """The loss scales of a checkpoint."""
    kept: dict[str, dict[str, str]] = {}
    for name, said in source.roles.items():
        if said.role is roles.LOSS_SCALE:
            scope, _, last = name.rpartition("/")
            kept.setdefault(scope, {})[last.removesuffix(":0")] = name
    found = []
    for by_last in kept.values():
        scales = [name for last, name in by_last.items() if last in _SCALES]
        counters = [name for last, name in by_last.items() if last in _COUNTERS]
        if len(scales) == 1:
            found.append(_Saved(scales[0], counters[0] if counters else None))
    return found


def _value(
    variable: ObjectVariable, name: Optional[str], source: Source
) -> NewVariable:
    """A scale or a counter: the bytes where the dtype is the same, else the number."""
    if name is None:
        return object_plans.kept(variable, "no such counter")
    if source.variables[name].dtype == variable.variable.dtype:
        return object_plans.decided(variable, FromSource((name,)), source)
    value = source.checkpoint.read(name).item()
    return object_plans.given(variable.variable, value, f"from {name!r}")
