"""What becomes of a slot's numbers in an optimizer where they mean something else.

Every slot is elementwise, so a slot that means the same on both sides keeps its bytes.
Where it does not, a formula here says what it becomes, whatever its shape:

    momentum   tf1: a <- mu a + g, w <- w - lr a; Keras: m <- mu m - lr g, w <- w + m.
               So m = -lr a, with the rate of the next step.
    adagrad    tf1: g / sqrt(a); Keras since 2.11: g / sqrt(a + epsilon).
               So a' = a - epsilon.

Source: TensorFlow 1.15.5 (`tensorflow/python/training/{momentum,adagrad}.py`,
`tensorflow/core/kernels/training_ops.cc`), Keras 2.15 and Keras 3;
`tests/keras/optimizers/test_trajectories.py` holds each against a real TensorFlow
1.15.5.
"""

from __future__ import annotations

import dataclasses

from estimator_ckpt.checkpoint.optimizers.algorithms import (
    ADAGRAD,
    MOMENTUM,
    Algorithm,
)


@dataclasses.dataclass(frozen=True)
class Change:
    """What becomes of each number of a slot.

    Attributes:
      factor: what it is multiplied with, first.
      offset: what is then added.
    """

    factor: float = 1.0
    offset: float = 0.0

    @property
    def inverse(self) -> Change:
        return Change(1 / self.factor, -self.offset / self.factor)

    def __str__(self) -> str:
        parts = []
        if self.factor != 1:
            parts.append(f"times {self.factor:.6g}")
        if self.offset:
            parts.append(f"plus {self.offset:.6g}")
        return ", ".join(parts)


def to_keras(
    algorithm: Algorithm, *, is_legacy: bool, learning_rate: float, epsilon: float
) -> dict[str, Change]:
    """What becomes of tf1's slots that mean something else in Keras, by what they are.

    Args:
      algorithm: of which optimizer they are.
      is_legacy: whether they are for `tf.keras.optimizers.legacy`.
      learning_rate: the rate of the next step.
      epsilon: the Keras optimizer's.
    """
    if algorithm is MOMENTUM:
        return {"accumulator": Change(-learning_rate)}
    if algorithm is ADAGRAD and not is_legacy and epsilon:
        return {"accumulator": Change(offset=-epsilon)}
    return {}
