"""The variables of a live object get what a plan says, in place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from estimator_ckpt.keras import tensor_origins
from estimator_ckpt.keras.descriptions import ObjectDescription
from estimator_ckpt.keras.object_plans import ObjectPlan


def load(description: ObjectDescription, made: ObjectPlan) -> None:
    """Assigns every variable that does not keep its value, one at a time.

    Args:
      description: the object.
      made: what its variables are to be. All of it has been decided, so what can
        still fail is reading: a damaged tensor leaves the ones before it assigned.
    """
    held = {variable.key: variable for variable in description.every}
    for new in made.variables:
        variable = held[new.key]
        if variable.assign is not None and not new.keeps_value:
            variable.assign(tensor_origins.array_of(new.origin, made.source.checkpoint))


@contextlib.contextmanager
def loaded_meanwhile(
    description: ObjectDescription, made: ObjectPlan
) -> Iterator[None]:
    """The object with the values of a plan; afterwards it has its own again."""
    before = [
        (variable, variable.value())
        for variable in description.every
        if variable.assign is not None
    ]
    try:
        load(description, made)
        yield
    finally:
        for variable, value in before:
            assert variable.assign is not None
            variable.assign(value)
