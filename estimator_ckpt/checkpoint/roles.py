"""What a variable is for, told from names: optimizer state, averages, or the model.

A checkpoint does not say which variables belong to an optimizer. Their names do: a
slot is named after its variable (`dense/kernel/Adam_1`), the beta powers of Adam
after themselves, a Keras optimizer's variables after either.

Source: tf1 `slot_creator`, the optimizers of TensorFlow 1.15.5 (contrib included) and
the Keras optimizers of TensorFlow 2.15.1, as written to checkpoints.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Optional

TRAINABLE = "trainable"
MODEL = "model"
OPTIMIZER = "optimizer"
GLOBAL_STEP = "global_step"

#: How a slot variable is named: `<V>/Adam_1`; `<optimizer>/<V>/m` by the Keras
#: optimizers now called legacy; `<optimizer>/m/<V>` by those since TensorFlow 2.11.
TF1, LEGACY, KERAS = "tf1", "legacy", "keras"


class Slot(NamedTuple):
    """What a slot variable's name says.

    Attributes:
      owner: the variable that it is a slot variable of.
      slot: what it is called: `Adam_1`, `m`.
      style: how it is named: TF1, LEGACY or KERAS.
    """

    owner: str
    slot: str
    style: str


#: The roles that each value of `carry` takes over; the global step's in none.
CARRY: Mapping[str, frozenset[str]] = {
    "trainable": frozenset({TRAINABLE}),
    "model": frozenset({TRAINABLE, MODEL}),
    "all": frozenset({TRAINABLE, MODEL, OPTIMIZER}),
}

#: Slots of tf1 optimizers: `<V>/<slot>` or `<V>/<slot>_<n>`. `adam_m` and `adam_v` are
#: those of BERT's AdamWeightDecayOptimizer; Nadam and LazyAdam call theirs `Adam`.
_TF1_SLOT = re.compile(
    r"(Adam|AdaMax|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|AdagradDA|ProximalAdagrad"
    r"|adam_m|adam_v|gradient_accumulator|gradient_squared_accumulator)(_\d+)?"
)
#: Canned estimators of TensorFlow 1 slice their variables: `<V>/t_0/Adagrad`.
_PART = re.compile(r"/(t|part)_\d+$")
#: Slots of Keras optimizers, legacy ones (`<optimizer>/<V>/<slot>`) and those since
#: 2.11 (`<optimizer>/<slot>/<V>`).
_KERAS_SLOTS = frozenset(
    (
        *("m", "v", "vhat", "u"),
        *("rms", "mg", "momentum", "velocity", "velocity_hat", "average_gradient"),
        *("accumulator", "accum_grad", "accum_var"),
        *("accumulated_grad", "accumulated_delta_var", "linear"),
    )
)
_KERAS_3_SLOTS = frozenset(
    (
        *("momentum", "velocity", "hat", "accumulator", "linear", "gradient", "grad"),
        *("var", "norm"),
    )
)
_BETA_POWER = re.compile(r"(.*/)?beta[12]_power(_\d+)?")
_HYPERPARAMETER = re.compile(
    r"(?P<optimizer>.*/)?(iter|iteration|decay|learning_rate|current_learning_rate"
    r"|beta_1|beta_2|beta|rho|momentum|momentum_cache|l1_regularization_strength"
    r"|l2_regularization_strength|learning_rate_power)"
)
_MOVING_STATISTICS = frozenset({"moving_mean", "moving_variance", "moving_stddev"})
_SHADOW = re.compile(r"(?P<variable>.+)/ExponentialMovingAverage")


def is_optimizer_state(name: str, all_names: Collection[str]) -> bool:
    """Whether `name` is a slot variable, a beta power or a Keras optimizer's variable.

    Args:
      name: a variable name.
      all_names: the names of all variables of the same checkpoint or graph; a slot is
        recognised by the variable that it is named after. A set or dict is fastest.
    """
    if is_beta_power(name) or slot_owner(name, all_names) is not None:
        return True
    hyperparameter = _HYPERPARAMETER.fullmatch(name)
    return hyperparameter is not None and _has_counter(
        hyperparameter["optimizer"], all_names
    )


def is_beta_power(name: str) -> bool:
    """Whether `name` is one of the powers that Adam and AdaMax keep beside slots."""
    return _BETA_POWER.fullmatch(name) is not None


def is_model_state(name: str, all_names: Collection[str]) -> bool:
    """Whether `name` is state that no model trains: BatchNorm statistics, averages.

    Only names that TensorFlow and Keras give by default are recognised.
    """
    last = name.rpartition("/")[2]
    return last in _MOVING_STATISTICS or averaged_variable(name, all_names) is not None


def owner(name: str, all_names: Collection[str]) -> Optional[str]:
    """The variable that `name` is a slot variable or an average of, or None."""
    return slot_owner(name, all_names) or averaged_variable(name, all_names)


def slot_owner(name: str, all_names: Collection[str]) -> Optional[str]:
    """The variable that `name` is a slot variable of, or None."""
    slot = slot_of(name, all_names)
    return None if slot is None else slot.owner


def slot_of(name: str, all_names: Collection[str]) -> Optional[Slot]:
    """What `name` says if it is a slot variable's, or None.

    An optimizer in a variable scope puts the scope before the variable's name
    (`OptimizeLoss/dense/kernel/Adam`).
    """
    variable, _, last = name.rpartition("/")
    if variable and _TF1_SLOT.fullmatch(last):
        owner = _without_scopes(variable, all_names) or _without_scopes(
            _PART.sub("", variable), all_names
        )
        return Slot(owner, last, TF1) if owner else None
    steps = name.split("/")
    if _KERAS_SLOTS.isdisjoint(steps):
        return None
    for optimizer, variable, slot, style in _keras_readings(steps):
        if variable and _has_counter(optimizer, all_names):
            owner = _without_scopes(variable, all_names)
            if owner is not None and owner != name:
                return Slot(owner, slot, style)
    return None


def _keras_readings(steps: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """What a Keras slot's name can mean: optimizer and `/`, variable, slot, style."""
    if steps[-1] in _KERAS_SLOTS:
        yield f"{steps[0]}/", "/".join(steps[1:-1]), steps[-1], LEGACY
    if len(steps) > 1 and steps[1] in _KERAS_SLOTS:
        yield f"{steps[0]}/", "/".join(steps[2:]), steps[1], KERAS
    if steps[0] in _KERAS_SLOTS:
        yield "", "/".join(steps[1:]), steps[0], KERAS


def keras_slot(full_name: Optional[str]) -> Optional[str]:
    """What a slot of a Keras optimizer since 2.11 is called, by its full name.

    `m/dense/kernel` and `Adam/m/dense/kernel` are `m`; in Keras 3
    `adam/dense_kernel_momentum` is `momentum`. None for what is no slot.
    """
    if not full_name:
        return None
    steps = full_name.split("/")
    for step in steps[:2]:
        if step in _KERAS_SLOTS and len(steps) > 1:
            return step
    last = steps[-1].rpartition("_")[2]
    return last if len(steps) == 2 and last in _KERAS_3_SLOTS else None


def is_step_counter(name: str) -> bool:
    """Whether `name` is that of a Keras optimizer's step counter."""
    return name.rpartition("/")[2] in ("iter", "iteration")


def averaged_variable(name: str, all_names: Collection[str]) -> Optional[str]:
    """The variable whose ExponentialMovingAverage `name` is, or None."""
    match = _SHADOW.fullmatch(name)
    return _without_scopes(match["variable"], all_names) if match else None


def _has_counter(optimizer: Optional[str], all_names: Collection[str]) -> bool:
    """Whether a Keras optimizer's step counter is there.

    Names like `m/w` or `layer/decay` are too short to be told from a model's own
    without it. Optimizers since 2.11 name it without their own name before it.
    """
    prefix = optimizer or ""
    return (
        f"{prefix}iter" in all_names
        or f"{prefix}iteration" in all_names
        or "iteration" in all_names
        or _has_settings(prefix, all_names)
    )


def _has_settings(prefix: str, all_names: Collection[str]) -> bool:
    """The same for a Keras optimizer that counts in the global step."""
    return f"{prefix}decay" in all_names and any(
        f"{prefix}{name}" in all_names
        for name in (
            "learning_rate",
            "beta_1",
            "rho",
            "momentum",
            "learning_rate_power",
        )
    )


def _without_scopes(name: str, all_names: Collection[str]) -> Optional[str]:
    """`name`, or what is left of it without leading scopes, if it is in all_names."""
    while name not in all_names:
        _, slash, name = name.partition("/")
        if not slash:
            return None
    return name
