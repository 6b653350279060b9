"""The variables of a live object get what a plan says, in place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from estimator_ckpt.keras import tensor_origins
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.keras.objects.descriptions import ObjectDescription


def assign(description: ObjectDescription, made: ObjectPlan) -> None:
    """Gives every variable that does not keep its value the one that a plan says.

    All that is read is checked first, so that damage leaves the object as it was.

    Args:
      description: the object.
      made: what its variables are to be.

    Raises:
      CorruptDataError: a tensor's bytes are damaged or missing.
    """
    checkpoint = made.source.checkpoint
    read = {
        name
        for new in made.variables
        if new.from_source is not None
        for name in new.from_source.names
    }
    for name in sorted(read):
        checkpoint.reader.verify_whole(checkpoint[name].key)
    held = {variable.key: variable for variable in description.every}
    for new in made.variables:
        variable = held[new.key]
        if variable.assign is not None and not new.keeps_value:
            variable.assign(tensor_origins.array_of(new.origin, checkpoint))


@contextlib.contextmanager
def assigned_meanwhile(
    description: ObjectDescription, made: ObjectPlan
) -> Iterator[None]:
    """The object with the values of a plan; afterwards it has its own again."""
    before = [
        (variable, variable.value())
        for variable in description.every
        if variable.assign is not None
    ]
    try:
        assign(description, made)
        yield
    finally:
        for variable, value in before:
            assert variable.assign is not None
            variable.assign(value)
