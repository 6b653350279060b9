"""What a conversion for an object is going to write: each variable, and its origin."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Optional

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.conversion.key_moves import Additions, KeyMoves
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import ObjectVariable
from estimator_ckpt.keras.tensor_origins import Computed, FromSource, Origin
from estimator_ckpt.maps import planner
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.plans import Item, Plan, Verdict

_log = logs.logger()


class ConversionError(CheckpointError, ValueError):
    """A checkpoint that cannot be converted for an object; names every variable."""


@dataclasses.dataclass(frozen=True)
class NewVariable:
    """A variable of the result.

    Attributes:
      item: what a plan says of it.
      origin: where its bytes come from.
      keeps_value: whether these are the object's own now.
    """

    item: Item
    origin: Origin
    keeps_value: bool = False

    @property
    def key(self) -> str:
        assert self.item.target is not None
        assert self.item.target.key is not None
        return self.item.target.key

    @property
    def from_source(self) -> Optional[FromSource]:
        """What of the source it is made of; None if it is not carried."""
        return self.origin if isinstance(self.origin, FromSource) else None


#: A conversion takes everything that has a name in the object.
_EVERYTHING = Choice.of(carry=None)


def decided(
    variable: ObjectVariable, origin: Optional[FromSource], source: Source
) -> NewVariable:
    """What becomes of a variable, as plans decide; its own value if it is a problem.

    Args:
      variable: the object's.
      origin: what of the source it would be made of; None if there is nothing.
      source: the source.
    """
    there = None if origin is None else origin.variable(source.variables)
    item = planner.decide(variable.variable, there, _EVERYTHING)
    if origin is None or not item.verdict.is_carried:
        return NewVariable(item, own_value(variable), keeps_value=True)
    item = item._replace(because=str(origin))
    return NewVariable(item, origin)


def kept(
    variable: ObjectVariable, because: str = "the object's own value"
) -> NewVariable:
    """A variable that keeps its value."""
    item = Item(Verdict.RESET, variable.variable, None, because)
    return NewVariable(item, own_value(variable), keeps_value=True)


def given(variable: Variable, value: Any, because: str) -> NewVariable:
    """A variable that gets a value which the source does not have."""
    origin = Computed(variable.dtype, variable.shape or (), lambda: value)
    return NewVariable(Item(Verdict.RESET, variable, None, because), origin)


def counted(counter: ObjectVariable, steps: Optional[int]) -> NewVariable:
    """A counter of steps; its own value where nothing says how many."""
    if steps is None:
        return kept(counter)
    return given(counter.variable, steps, messages.counted(steps, "step"))


def own_value(variable: ObjectVariable) -> Computed:
    facts = variable.variable
    return Computed(facts.dtype, facts.shape or (), variable.value)


@dataclasses.dataclass(frozen=True)
class ObjectPlan:
    """What is going to be written.

    Attributes:
      source: the source.
      target: what to call what it is for.
      graph: the object graph, serialized; None for a name-based result.
      variables: of the result.
      warnings: what is not as it was, a sentence each.
    """

    source: Source
    target: str
    graph: Optional[bytes]
    variables: tuple[NewVariable, ...]
    warnings: tuple[str, ...]

    @property
    def plan(self) -> Plan:
        """What becomes of every variable, the source's unused ones last."""
        items = [variable.item for variable in self.variables]
        taken = _taken(self.variables)
        unused = [
            Item(Verdict.UNUSED, None, variable, "not in the target")
            for name, variable in self.source.variables.items()
            if name not in taken
        ]
        return Plan(self.source.prefix, self.target, (*items, *unused), self.warnings)

    def log(self) -> None:
        """Logs what becomes of each variable, and what is not as it was."""
        for variable in self.variables:
            item = variable.item
            _log.info("%s: %s (%s)", item.name, item.verdict.value, item.because)
            if item.verdict.is_problem:
                _log.warning("%s: %s; it keeps its own value", item.name, item.because)
        for sentence in self.warnings:
            _log.warning("%s", sentence)

    def key_moves(self) -> KeyMoves:
        """The same as what a conversion writes."""
        checkpoint = self.source.checkpoint
        old_keys: dict[bytes, bytes] = {}
        written = {}
        for variable in self.variables:
            origin, key = variable.from_source, name_to_key(variable.key)
            if origin is not None and origin.is_link:
                old_keys[key] = name_to_key(checkpoint[origin.names[0]].key)
            else:
                written[key] = variable.origin.tensor(checkpoint)
        new_keys: dict[bytes, tuple[bytes, ...]] = {}
        for key, old in old_keys.items():
            # The step that is an optimizer's counter, too, is written as that.
            if key not in written:
                new_keys[old] = (*new_keys.get(old, ()), key)
        added = Additions(self.graph, written=written)
        return KeyMoves(new_keys, added, keeps_names=False)


def require_complete(
    variables: Iterable[NewVariable], source: Source, target: str
) -> None:
    """Raises ConversionError if variables have no value; lists them all."""
    variables = list(variables)
    problems = [
        f"{variable.item.name!r}: {variable.item.because}"
        for variable in variables
        if variable.item.verdict.is_problem
    ]
    if problems:
        raise ConversionError(
            f"{source.prefix} does not fit {target}: {'; '.join(problems)}"
            f"{_left_over(variables, source)}. For other names give an assignment map "
            f"(estimator-ckpt plan --suggest proposes one), for other layouts layout "
            f"rules; strict=False (--nostrict) leaves these variables at the object's "
            f"own values"
        )


def _left_over(variables: Iterable[NewVariable], source: Source) -> str:
    """What the source has of a model that nothing takes, for a message."""
    own = (roles.TRAINABLE, roles.MODEL)
    taken = _taken(variables)
    left = [
        name
        for name, variable in source.variables.items()
        if variable.role in own and name not in taken
    ]
    return f". The source has left: {messages.quoted(left, 10)}" if left else ""


def _taken(variables: Iterable[NewVariable]) -> set[str]:
    """The names of the source's variables that become something."""
    return {v.item.source.name for v in variables if v.item.source is not None}
