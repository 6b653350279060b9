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

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional, Union

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages, regexes


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


class Roles(Mapping[str, Decision]):
    """What each variable of a checkpoint, a graph or an object is for, by its name.

    Attributes:
      decisions: the decisions by variable name.
      unused: what of a user's own patterns matched nothing, a sentence each.
    """

    def __init__(
        self, decisions: Mapping[str, Decision], unused: tuple[str, ...] = ()
    ) -> None:
        self.decisions = decisions
        self.unused = unused

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

    @property
    def undecided(self) -> list[str]:
        """The variables that something hints at being more than model state."""
        return [name for name, said in self.decisions.items() if said.is_undecided]

    def remark(self) -> Optional[str]:
        """One line on what stays undecided, and how to overrule it; None if nothing."""
        return remark_on(self.undecided)

    def remarks(self) -> list[str]:
        """What people should know of these: what is undecided, what matched nothing."""
        found = [self.remark(), self._on_powers(), self._on_slots()]
        return [*filter(None, found), *self.unused]

    def _on_slots(self) -> Optional[str]:
        """One line on slots of which nobody knows whose they are.

        As those of Keras 2.2, which it numbers, where no `.meta` says in which order
        the variables were made.
        """
        slots = [
            name
            for name, said in self.decisions.items()
            if said.role is SLOT and said.owner is None
        ]
        if not slots:
            return None
        return (
            f"{messages.quoted(slots, most=3)}: slots of which variables? Nothing here "
            f"decides it, so they follow none that is renamed"
        )

    def _on_powers(self) -> Optional[str]:
        """One line on beta powers of which nobody knows whose they are.

        As of two optimizers of one name, where no `.meta` says which was made first.
        """
        from estimator_ckpt.checkpoint.optimizers import slot_names  # few commands ask

        if all(said.role is not SLOT for said in self.decisions.values()):
            return None
        powers = [
            name
            for name, said in self.decisions.items()
            if said.role is OPTIMIZER
            and said.optimizer is None
            and slot_names.is_beta_power(name)
        ]
        if not powers:
            return None
        return (
            f"{messages.quoted(powers, most=4)}: beta powers of which optimizer? "
            f"Nothing here decides it (a .meta beside the checkpoint would), so they "
            f"go where slots of any go"
        )


def remark_on(names: Sequence[str]) -> Optional[str]:
    """One line on variables whose role is undecided, and how to overrule it."""
    if not names:
        return None
    return (
        f"{messages.quoted(names, most=3)}: optimizer state or not? Nothing here "
        f"decides it, so {'they count' if len(names) > 1 else 'it counts'} as "
        f"model state; optimizer_state=REGEX (--optimizer_state) or "
        f"model_state=REGEX (--model_state) says which"
    )


class RoleError(CheckpointError, ValueError):
    """What a user says of roles is no regular expression."""


#: What users give: one regex, several, or None.
Regexes = Union[None, str, Iterable[str]]


class Overruling(NamedTuple):
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
        """What a user says of a variable; None if nothing.

        Raises:
          RoleError: a regex takes seconds for a name.
        """
        if any(_matches(pattern, name) for pattern in self.model_state):
            return False
        if any(_matches(pattern, name) for pattern in self.optimizer_state):
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
            if not any(_matches(pattern, name) for name in every)
        )


#: For callers who overrule nothing.
AS_FOUND = Overruling()


def _compiled(keyword: str, given: Regexes) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for text in (given,) if isinstance(given, str) else given or ():
        try:
            patterns.append(regexes.compiled(text))
        except (regexes.InvalidRegexError, TypeError) as error:
            raise RoleError(f"{keyword} (--{keyword}): {error}") from None
    return tuple(patterns)


def _matches(pattern: re.Pattern[str], name: str) -> bool:
    try:
        return bool(regexes.matcher(pattern.match, pattern.pattern)(name))
    except regexes.InvalidRegexError as error:
        raise RoleError(str(error)) from None
