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
`tests/keras/optimizers/test_trajectories.py` holds each against a real TensorFlow
1.15.5.
"""

from __future__ import annotations

import dataclasses
import math
import re
import struct
from collections.abc import Collection, Mapping
from typing import Optional

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

#: What other optimizers of TensorFlow 1 call their slots, less the number of the second
#: and later ones (`AdamW_1`): those of `tf.contrib.opt`, Tensor2Tensor, BERT's
#: successors, and TensorFlow 1's AdagradDA.
_OTHER_TF1_SLOTS = (
    *("AdagradDA", "gradient_accumulator", "gradient_squared_accumulator"),
    *("ProximalAdagrad", "AdamW", "Nadam", "LazyAdam", "Adafactor", "Shampoo", "GGT"),
    *("AddSignOptimizer", "PowerSignOptimizer", "LARSOptimizer", "LAMBOptimizer"),
    *("lamb_m", "lamb_v", "Yogi", "RAdam", "AMSGrad", "RMSPropOptimizer"),
)


@dataclasses.dataclass(frozen=True)
class KerasKind:
    """A class of Keras optimizers; slots are given by what they are.

    Attributes:
      reads: the kinds whose state it can take, the first being what it writes.
      legacy: the names of its slots in `tf.keras.optimizers.legacy`
        (`<optimizer>/<V>/<name>`).
      names: the same in the optimizers of 2.11 to 2.15 (`<optimizer>/<name>/<V>`).
      attributes: the lists that hold them there, and in Keras 3.
      keras_3: their names in Keras 3 (`<optimizer>/<V>_<name>`, `/` in V being `_`).
    """

    reads: tuple[Kind, ...]
    legacy: Mapping[str, str]
    names: Mapping[str, str]
    attributes: Mapping[str, str]
    keras_3: Mapping[str, str]

    def read_as(self, slots: Collection[str]) -> Optional[Kind]:
        """The kind that slots of these meanings are the state of; None if none."""
        if CENTERED in self.reads and "mg" in slots:
            return CENTERED
        return self.reads[0] if set(slots) <= set(self.legacy) else None


_ADAM = KerasKind(
    reads=(ADAM, BERT),
    legacy={"m": "m", "v": "v", "vhat": "vhat"},
    names={"m": "m", "v": "v", "vhat": "vhat"},
    attributes={"m": "_momentums", "v": "_velocities", "vhat": "_velocity_hats"},
    keras_3={"m": "momentum", "v": "velocity", "vhat": "velocity_hat"},
)
KERAS: Mapping[str, KerasKind] = {
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "Nadam": _ADAM,
    "SGD": KerasKind(
        reads=(MOMENTUM, SGD),
        legacy={"accumulator": "momentum"},
        names={"accumulator": "m"},
        attributes={"accumulator": "momentums"},
        keras_3={"accumulator": "momentum"},
    ),
    "RMSprop": KerasKind(
        reads=(RMSPROP, CENTERED),
        legacy={"rms": "rms", "momentum": "momentum", "mg": "mg"},
        names={"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
        attributes={
            "rms": "_velocities",
            "momentum": "_momentums",
            "mg": "_average_gradients",
        },
        keras_3={"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
    ),
    "Adagrad": KerasKind(
        reads=(ADAGRAD,),
        legacy={"accumulator": "accumulator"},
        names={"accumulator": "accumulator"},
        attributes={"accumulator": "_accumulators"},
        keras_3={"accumulator": "accumulator"},
    ),
    "Adadelta": KerasKind(
        reads=(ADADELTA,),
        legacy={"accumulator": "accum_grad", "update": "accum_var"},
        names={"accumulator": "accumulated_grad", "update": "accumulated_delta_var"},
        attributes={
            "accumulator": "_accumulated_grads",
            "update": "_accumulated_delta_vars",
        },
        keras_3={"accumulator": "accumulated_grad", "update": "accumulated_delta_var"},
    ),
    "Ftrl": KerasKind(
        reads=(FTRL,),
        legacy={"accumulator": "accumulator", "linear": "linear"},
        names={"accumulator": "accumulator", "linear": "linear"},
        attributes={"accumulator": "_accumulators", "linear": "_linears"},
        keras_3={"accumulator": "accumulator", "linear": "linear"},
    ),
    "Adamax": KerasKind(
        reads=(ADAMAX,),
        legacy={"m": "m", "u": "v"},
        names={"m": "m", "u": "u"},
        attributes={"m": "_m", "u": "_u"},
        keras_3={"m": "momentum", "u": "norm"},
    ),
}
#: Keras optimizers whose state nothing here converts; their variables are known all
#: the same.
_OTHER_KERAS = ("Adafactor", "Lion", "Lamb", "Muon", "LossScaleOptimizer")
#: Slots of theirs, of wrappers, and of gradient accumulation, in any generation.
_OTHER_KERAS_SLOTS = (
    *("r", "c", "velocity_hat", "gradient_accumulator", "slow"),
    *("adam_momentum", "adam_velocity"),
)

#: A class of which nothing is known.
UNKNOWN = KerasKind((), {}, {}, {}, {})

#: Kinds whose newer Keras optimizers treat rows that no gradient touched otherwise
#: than tf1, which leaves them alone.
DENSE_ONLY = frozenset({MOMENTUM, RMSPROP, CENTERED, ADADELTA, FTRL, ADAMAX})


# What names say, derived from the tables above.

#: Names of tf1 slots, less their numbers.
TF1_SLOTS = frozenset(
    {
        re.sub(r"_\d+$", "", name)
        for kind in _KINDS
        for name in kind.slots.values()
        if kind is not BERT
    }
    | set(BERT.slots.values())
    | set(_OTHER_TF1_SLOTS)
)
#: Names of slots by generation: LEGACY, KERAS, KERAS_3.
LEGACY_SLOTS = frozenset(
    {name for kind in KERAS.values() for name in kind.legacy.values()} | {"slow"}
)
KERAS_SLOTS = frozenset(
    {name for kind in KERAS.values() for name in kind.names.values()}
    | set(_OTHER_KERAS_SLOTS)
)
KERAS_3_SLOTS = frozenset(
    {name for kind in KERAS.values() for name in kind.keras_3.values()}
    | set(_OTHER_KERAS_SLOTS)
)
#: What Mesh-TensorFlow puts behind a variable's name, with no `/` between.
MESH_SLOTS = ("_slot_vr", "_slot_vc", "_slot_v", "_slot_m", "_momentum_v")
#: Names that Keras gives its optimizers, in lower case and without `_`.
CLASSES = frozenset(name.lower() for name in (*KERAS, *_OTHER_KERAS))
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
#: Optimizers of tf1 that keep no beta powers, by the names of their slots.
WITHOUT_POWERS = frozenset(
    re.sub(r"_\d+$", "", name)
    for kind in _KINDS
    if not kind.powers
    for name in kind.slots.values()
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


def kind_of(suffixes: Collection[str]) -> Optional[Kind]:
    """The tf1 optimizer that leaves slots of these names, None if unknown."""
    for kind in _KINDS:
        if set(kind.slots.values()) == set(suffixes):
            return kind
    return None


def kinds_of(slots: Collection[str], powers: Collection[str]) -> list[Kind]:
    """The tf1 optimizers that can have left slots of these names for each variable.

    A usual name says which. Of a name that the user gave (`d_adam`, `d_adam_1`), all
    that keep as many slots and the same powers.

    Args:
      slots: `Adam` and `Adam_1`.
      powers: the names of the beta powers beside them: `beta1_power`.
    """
    usual = kind_of(slots)
    if usual is not None:
        return [usual]
    bases = {re.sub(r"_\d+$", "", name) for name in slots}
    if len(bases) > 1 or (bases <= TF1_SLOTS and not powers):
        return []
    return [
        kind
        for kind in _KINDS
        if kind is not BERT
        and len(kind.slots) == len(slots)
        and set(kind.powers) == set(powers)
    ]


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
