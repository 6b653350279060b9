"""What a variable is for: a weight, model state, a slot, an optimizer's counter, ...

A checkpoint does not say which variables belong to an optimizer. `role_evidence.decide`
tells it from what is at hand; this module holds the words for the answer, and the
answer itself.

    found = checkpoint.roles            # of an open checkpoint, by variable name
    found["dense/kernel/Adam_1"].role   # Role.SLOT
    found["dense/kernel/Adam_1"].owner  # 'dense/kernel'
    found.undecided                     # what looked like something and stayed model

Whoever asks what a variable is for asks these decisions; no other module looks at
names.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Optional, Union

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import object_keys


class Role(str, enum.Enum):
    """What a variable is for."""

    TRAINABLE = "trainable"
    #: State of the model that nothing trains: moving statistics, counters of its own.
    MODEL = "model"
    #: A moving average of another variable.
    AVERAGE = "average"
    #: A slot variable: what an optimizer keeps for one variable.
    SLOT = "slot"
    #: What an optimizer keeps once: its step counter, beta powers, settings.
    OPTIMIZER = "optimizer"
    LOSS_SCALE = "loss_scale"
    METRIC = "metric"
    GLOBAL_STEP = "global_step"
    #: A string, a variant, or saved state that no variable holds.
    NO_VARIABLE = "no_variable"

    def __str__(self) -> str:
        return self.value


TRAINABLE = Role.TRAINABLE
MODEL = Role.MODEL
AVERAGE = Role.AVERAGE
SLOT = Role.SLOT
OPTIMIZER = Role.OPTIMIZER
LOSS_SCALE = Role.LOSS_SCALE
METRIC = Role.METRIC
GLOBAL_STEP = Role.GLOBAL_STEP
NO_VARIABLE = Role.NO_VARIABLE

#: The roles of what a model computes with.
OF_MODEL = frozenset({TRAINABLE, MODEL, AVERAGE})
#: The roles of what training needs to go on, and nothing else.
OF_OPTIMIZER = frozenset({SLOT, OPTIMIZER, LOSS_SCALE})
#: The roles of what stays where it is: nobody's weights, and no optimizer's.
LEFT_BEHIND = frozenset({METRIC, NO_VARIABLE})

#: The roles that each value of `carry` takes over; the global step's in none.
CARRY: Mapping[str, frozenset[Role]] = {
    "trainable": frozenset({TRAINABLE}),
    "model": OF_MODEL,
    "all": OF_MODEL | OF_OPTIMIZER,
}

#: How a slot variable is named: `<V>/Adam_1`; `<optimizer>/<V>/m` by the Keras
#: optimizers now called legacy; `<optimizer>/m/<V>` by those since TensorFlow 2.11;
#: `<optimizer>/<V>_momentum` by Keras 3, V's `/` being `_`.
TF1, LEGACY, KERAS, KERAS_3 = "tf1", "legacy", "keras", "keras_3"


class Decision(NamedTuple):
    """What a variable is for, and how that is known.

    Attributes:
      role: what it is for.
      evidence: one phrase for people: what says so.
      owner: the variable that a slot or an average belongs to; None if unknown.
      slot: what a slot is called: `Adam_1`, `m`, `momentum`.
      style: how a slot is named: TF1, LEGACY, KERAS or KERAS_3.
      optimizer: what to call the optimizer that it belongs to; what belongs to one
        optimizer has one name. None if it is no optimizer's, or nobody knows which.
      is_undecided: whether something hints at an optimizer, but not enough does: it
        counts as model state.
    """

    role: Role
    evidence: str
    owner: Optional[str] = None
    slot: Optional[str] = None
    style: Optional[str] = None
    optimizer: Optional[str] = None
    is_undecided: bool = False


class Slot(NamedTuple):
    """A slot of some variable.

    Attributes:
      slot: what it is called.
      style: how it is named: TF1, LEGACY, KERAS or KERAS_3.
      optimizer: what to call its optimizer.
      name: its variable name.
    """

    slot: str
    style: str
    optimizer: Optional[str]
    name: str


@dataclasses.dataclass(frozen=True)
class Roles(Mapping[str, Decision]):
    """What each variable of a checkpoint, a graph or an object is for, by its name.

    Attributes:
      decisions: the decisions by variable name.
      unused: what of a user's own patterns matched nothing, a sentence each.
    """

    decisions: Mapping[str, Decision]
    unused: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Decision:
        return self.decisions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.decisions)

    def __len__(self) -> int:
        return len(self.decisions)

    def role(self, name: str) -> Role:
        """What a variable is for; model state if it is not among these."""
        decision = self.decisions.get(name)
        return MODEL if decision is None else decision.role

    def owner(self, name: str) -> Optional[str]:
        """The variable that a slot or an average belongs to, or None."""
        decision = self.decisions.get(name)
        return None if decision is None else decision.owner

    def slot_owner(self, name: str) -> Optional[str]:
        """The variable that a slot belongs to, or None for what is none."""
        decision = self.decisions.get(name)
        return decision.owner if decision and decision.role is SLOT else None

    def averaged(self, name: str) -> Optional[str]:
        """The variable that an average is of, or None for what is none."""
        decision = self.decisions.get(name)
        return decision.owner if decision and decision.role is AVERAGE else None

    @property
    def owners(self) -> dict[str, str]:
        """The variable that each slot and each average belongs to, where known."""
        return {
            name: said.owner
            for name, said in self.decisions.items()
            if said.owner is not None
        }

    def slots_by_owner(self) -> dict[str, list[Slot]]:
        """The slots of each variable that has any."""
        found: dict[str, list[Slot]] = {}
        for name, decision in self.decisions.items():
            if decision.role is SLOT and decision.owner is not None:
                slot = Slot(
                    decision.slot or "", decision.style or TF1, decision.optimizer, name
                )
                found.setdefault(decision.owner, []).append(slot)
        return found

    @property
    def undecided(self) -> list[str]:
        """The variables that something hints at being more than model state."""
        return [name for name, said in self.decisions.items() if said.is_undecided]

    def remark(self) -> Optional[str]:
        """One line on what stays undecided, and how to overrule it; None if nothing."""
        names = self.undecided
        if not names:
            return None
        shown = ", ".join(map(repr, names[:3]))
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return (
            f"{shown}{more}: optimizer state or not? Nothing here decides it, so "
            f"{'they count' if len(names) > 1 else 'it counts'} as model state; "
            f"optimizer_state=REGEX (--optimizer_state) or model_state=REGEX "
            f"(--model_state) says which"
        )


class RoleError(CheckpointError, ValueError):
    """What a user says of roles is no regular expression."""


#: What users give: one regex, several, or None.
Regexes = Union[None, str, Iterable[str]]


@dataclasses.dataclass(frozen=True)
class Overruling:
    """What a user says of variables, whatever the evidence.

    Attributes:
      optimizer_state: regexes of what is optimizer state, matched from the beginning
        of a name (`re.match`), as `include` is.
      model_state: the same of what is model state; where both match, it wins.
    """

    optimizer_state: tuple[re.Pattern[str], ...] = ()
    model_state: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(
        cls, optimizer_state: Regexes = None, model_state: Regexes = None
    ) -> Overruling:
        """From what a user gives.

        Raises:
          RoleError: one is no regular expression.
        """
        return cls(
            _compiled("optimizer_state", optimizer_state),
            _compiled("model_state", model_state),
        )

    def __bool__(self) -> bool:
        return bool(self.optimizer_state or self.model_state)

    def is_optimizer_state(self, name: str) -> Optional[bool]:
        """What a user says of a variable; None if nothing."""
        if any(pattern.match(name) for pattern in self.model_state):
            return False
        if any(pattern.match(name) for pattern in self.optimizer_state):
            return True
        return None

    def unused(self, names: Iterable[str]) -> tuple[str, ...]:
        """A sentence for each pattern that matches none of these."""
        every = list(names)
        return tuple(
            f"{keyword}={pattern.pattern!r} matches no variable"
            for keyword, patterns in (
                ("optimizer_state", self.optimizer_state),
                ("model_state", self.model_state),
            )
            for pattern in patterns
            if not any(pattern.match(name) for name in every)
        )


#: For callers who overrule nothing.
AS_FOUND = Overruling()


def _compiled(keyword: str, given: Regexes) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for text in (given,) if isinstance(given, str) else given or ():
        try:
            patterns.append(re.compile(text))
        except (re.error, TypeError) as error:
            raise RoleError(
                f"{keyword}={text!r} (--{keyword}) is no regular expression: {error}"
            ) from None
    return tuple(patterns)


# By names alone: what callers use until they ask for decisions.


class NamedSlot(NamedTuple):
    """What a slot variable's name says.

    Attributes:
      owner: the variable that it is a slot variable of.
      slot: what it is called: `Adam_1`, `m`.
      style: how it is named: TF1, LEGACY or KERAS.
    """

    owner: str
    slot: str
    style: str


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


def slot_of(name: str, all_names: Collection[str]) -> Optional[NamedSlot]:
    """What `name` says if it is a slot variable's, or None.

    An optimizer in a variable scope puts the scope before the variable's name
    (`OptimizeLoss/dense/kernel/Adam`).
    """
    variable, _, last = name.rpartition("/")
    if variable and _TF1_SLOT.fullmatch(last):
        owner = _without_scopes(variable, all_names) or _without_scopes(
            _PART.sub("", variable), all_names
        )
        return NamedSlot(owner, last, TF1) if owner else None
    steps = name.split("/")
    if _KERAS_SLOTS.isdisjoint(steps):
        return None
    for optimizer, variable, slot, style in _keras_readings(steps):
        if variable and _has_counter(optimizer, all_names):
            owner = _without_scopes(variable, all_names)
            if owner is not None and owner != name:
                return NamedSlot(owner, slot, style)
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
    return next((n for n in object_keys.endings(name) if n in all_names), None)
