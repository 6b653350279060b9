"""What is said where a Keras optimizer cannot go on from a checkpoint."""

from __future__ import annotations

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription

#: What can be done in any case.
ANEW = "optimizer_state=False (--nooptimizer_state) starts it anew"
#: What can be done about slots of unknown names.
HINT = (
    "slots get their usual names from an assignment map "
    "(such as {regex: '(.+)/my_adam(_1)?', to: '\\1/Adam\\2'})"
)


class OptimizerStateError(CheckpointError, ValueError):
    """The state of another optimizer than the one given, or of one that is unknown."""


def expected(optimizer: OptimizerDescription) -> str:
    """The algorithms whose state an optimizer goes on from."""
    return " or ".join(algorithm.name for algorithm in optimizer.keras_class.reads)
