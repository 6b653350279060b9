"""How many steps an optimizer took, from its beta powers, and the powers after steps.

tf1's Adam and AdaMax keep beta^(t+1), a scalar each, multiplied in float32 step by
step; Keras counts t, an int64 scalar:

    t = log(power) / log(beta) - 1

Source: TensorFlow 1.15.5, `tensorflow/python/training/adam.py`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Optional

#: What Keras's Adam counts more than BERT's optimizer, which corrects no bias: by then
#: the bias corrections of Adam are exactly 1 in float32.
UNCORRECTED = 10_000_000

#: Below it a float32 has lost digits.
_SMALLEST = 1.2e-38
_AT_ONCE = 100_000


def steps_taken(
    powers: Mapping[str, float],
    betas: Mapping[str, float],
    global_step: Optional[int],
) -> Optional[int]:
    """How many steps Adam or AdaMax took, from its beta powers.

    The optimizer multiplies in float32, so a power is beta^(t+1) but for t roundings;
    where that many roundings lead from the global step to the power, the global step
    is taken, and else t is computed. A power that fell below the smallest number says
    nothing (beta1's after some 830 steps at 0.9, beta2's after 87,000 at 0.999).

    Args:
      powers: the values by name: `beta1_power`, `beta2_power`.
      betas: the optimizer's, by the same names.
      global_step: the checkpoint's, None if it has none.

    Returns:
      The steps; the global step where no power says more.

    Raises:
      ValueError: no number of steps gives these powers, so they are of other betas.
    """
    told: dict[str, float] = {}
    for name in ("beta2_power", "beta1_power"):
        power = powers.get(name, 0.0)
        beta = _float32(betas.get(name, 0.0))
        if not _SMALLEST < power < 1 or not 0 < beta < 1:
            continue
        exponent = told[name] = math.log(power) / math.log(beta)
        if global_step is not None and _agree(exponent, global_step + 1, beta):
            return global_step
    if not told:
        return global_step
    steps = round(next(iter(told.values())))
    if steps < 1 or not all(
        _agree(exponent, steps, betas[name]) for name, exponent in told.items()
    ):
        given = ", ".join(f"{name} of {betas[name]:.6g}" for name in told)
        listed = ", ".join(f"{exponent - 1:.6g}" for exponent in told.values())
        raise ValueError(f"{given} would be those after {listed} steps")
    return steps - 1


def _agree(exponent: float, count: int, beta: float) -> bool:
    """Whether a power is that of so many factors, each of which was rounded."""
    rounding = count * 2**-24 / -math.log(beta)
    return abs(exponent - count) <= max(rounding, 0.01)


def power_after(beta: float, steps: int) -> float:
    """The beta power that tf1 keeps after so many steps.

    Multiplied step by step in float32, as tf1 does, so that it is the same to the bit.
    """
    import numpy as np

    power = factor = np.float32(beta)
    for done in range(0, steps, _AT_ONCE):
        factors = np.full(min(steps - done, _AT_ONCE) + 1, factor)
        factors[0] = power
        power = np.multiply.accumulate(factors)[-1]
        if power < _SMALLEST:
            return 0.0
    return float(power)


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
