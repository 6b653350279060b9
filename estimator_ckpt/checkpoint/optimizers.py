"""What tf1 optimizers and Keras optimizers keep, and how one becomes the other.

Every slot is elementwise, so a slot that means the same on both sides keeps its bytes.
Where it does not, a formula here says what it becomes:

    momentum   tf1: a <- mu a + g, w <- w - lr a; Keras: m <- mu m - lr g, w <- w + m.
               So m = -lr a, with the rate of the next step.
    adagrad    tf1: g / sqrt(a); Keras since 2.11: g / sqrt(a + epsilon).
               So a' = a - epsilon.
    Adam       tf1 keeps beta^(t+1), Keras counts t.

Source: the optimizers of TensorFlow 1.15.5 (`tensorflow/python/training/*.py`,
`tensorflow/core/kernels/training_ops.cc`), of Keras 2.15 and of Keras 3;
`tests/keras/test_trajectories.py` holds each against a real TensorFlow 1.15.5.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import roles

#: What Keras's Adam counts more than BERT's optimizer, which corrects no bias: by then
#: the bias corrections of Adam are exactly 1 in float32.
UNCORRECTED = 10_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class Kind:
    """A kind of optimizer state.

    Attributes:
      name: what to call it.
      slots: the tf1 names of its slot variables, by what they are; `Adam_1` stands for
        `<variable>/Adam_1`.
      powers: its beta powers, in tf1.
    """

    name: str
    slots: Mapping[str, str]
    powers: tuple[str, ...] = ()


ADAM = Kind("Adam", {"m": "Adam", "v": "Adam_1"}, ("beta1_power", "beta2_power"))
BERT = Kind("AdamWeightDecay", {"m": "adam_m", "v": "adam_v"})
ADAMAX = Kind("AdaMax", {"m": "AdaMax", "u": "AdaMax_1"}, ("beta1_power",))
MOMENTUM = Kind("Momentum", {"accumulator": "Momentum"})
RMSPROP = Kind("RMSProp", {"rms": "RMSProp", "momentum": "RMSProp_1"})
CENTERED = Kind(
    "centered RMSProp", {"rms": "RMSProp", "mg": "RMSProp_1", "momentum": "RMSProp_2"}
)
ADAGRAD = Kind("Adagrad", {"accumulator": "Adagrad"})
ADADELTA = Kind("Adadelta", {"accumulator": "Adadelta", "update": "Adadelta_1"})
FTRL = Kind("Ftrl", {"accumulator": "Ftrl", "linear": "Ftrl_1"})
SGD = Kind("GradientDescent", {})

_KINDS = (ADAM, BERT, ADAMAX, MOMENTUM, CENTERED, RMSPROP, ADAGRAD, ADADELTA, FTRL)


@dataclasses.dataclass(frozen=True)
class KerasKind:
    """A class of Keras optimizers.

    Attributes:
      reads: the kinds whose state it can take, the first being what it writes.
      legacy: the names of its slots in `tf.keras.optimizers.legacy`, by what they are.
      names: the same in the optimizers of 2.11 and later (`<optimizer>/<name>/<V>`).
    """

    reads: tuple[Kind, ...]
    legacy: Mapping[str, str]
    names: Mapping[str, str]

    def read_as(self, slots: Collection[str]) -> Optional[Kind]:
        """The kind that slots of these meanings are the state of; None if none."""
        if CENTERED in self.reads and "mg" in slots:
            return CENTERED
        return self.reads[0] if set(slots) <= set(self.legacy) else None


_ADAM = KerasKind(
    (ADAM, BERT),
    {"m": "m", "v": "v", "vhat": "vhat"},
    {"m": "m", "v": "v", "vhat": "vhat"},
)
KERAS: Mapping[str, KerasKind] = {
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "Nadam": _ADAM,
    "SGD": KerasKind(
        (MOMENTUM, SGD),
        {"accumulator": "momentum"},
        {"accumulator": "m"},
    ),
    "RMSprop": KerasKind(
        (RMSPROP, CENTERED),
        {"rms": "rms", "momentum": "momentum", "mg": "mg"},
        {"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
    ),
    "Adagrad": KerasKind(
        (ADAGRAD,),
        {"accumulator": "accumulator"},
        {"accumulator": "accumulator"},
    ),
    "Adadelta": KerasKind(
        (ADADELTA,),
        {"accumulator": "accum_grad", "update": "accum_var"},
        {"accumulator": "accumulated_grad", "update": "accumulated_delta_var"},
    ),
    "Ftrl": KerasKind(
        (FTRL,),
        {"accumulator": "accumulator", "linear": "linear"},
        {"accumulator": "accumulator", "linear": "linear"},
    ),
    "Adamax": KerasKind((ADAMAX,), {"m": "m", "u": "v"}, {"m": "m", "u": "u"}),
}

#: A class of which nothing is known.
UNKNOWN = KerasKind((), {}, {})

#: Kinds whose newer Keras optimizers treat rows that no gradient touched otherwise
#: than tf1, which leaves them alone.
DENSE_ONLY = frozenset({MOMENTUM, RMSPROP, CENTERED, ADADELTA, FTRL, ADAMAX})


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
    kind: Kind, *, is_legacy: bool, learning_rate: float, epsilon: float
) -> dict[str, Change]:
    """What becomes of tf1's slots that mean something else in Keras, by what they are.

    Args:
      kind: of which optimizer they are.
      is_legacy: whether they are for `tf.keras.optimizers.legacy`.
      learning_rate: the rate of the next step.
      epsilon: the Keras optimizer's.
    """
    if kind is MOMENTUM:
        return {"accumulator": Change(-learning_rate)}
    if kind is ADAGRAD and not is_legacy and epsilon:
        return {"accumulator": Change(offset=-epsilon)}
    return {}


def slots_by_owner(names: Collection[str]) -> dict[str, dict[roles.Slot, str]]:
    """The slot variables of each variable, by what their names say.

    Args:
      names: all names of a checkpoint.
    """
    found: dict[str, dict[roles.Slot, str]] = {}
    for name in names:
        slot = roles.slot_of(name, names)
        if slot is not None:
            found.setdefault(slot.owner, {})[slot] = name
    return found


def kind_of(suffixes: Collection[str]) -> Optional[Kind]:
    """The tf1 optimizer that leaves slots of these names, None if unknown."""
    for kind in _KINDS:
        if set(kind.slots.values()) == set(suffixes):
            return kind
    return None


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


_SMALLEST = 1.2e-38
_AT_ONCE = 100_000


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
