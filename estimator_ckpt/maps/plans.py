"""What becomes of each variable, decided before anything runs.

The variables of a source (a checkpoint) are held against those of a target (another
checkpoint, a graph, an object): which are carried, under which name, and why the
others are not. A warm start does what its plan says, and `plan` shows it.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Regexes
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter, Patterns
from estimator_ckpt.maps.renaming import Renaming


class Verdict(enum.Enum):
    """What becomes of a variable."""

    CARRIED = "carried"
    RENAMED = "renamed"
    SHAPE_MISMATCH = "shape mismatch"
    DTYPE_MISMATCH = "dtype mismatch"
    MISSING = "missing"
    RESET = "reset"
    UNUSED = "unused"

    @property
    def is_carried(self) -> bool:
        return self in (Verdict.CARRIED, Verdict.RENAMED)

    @property
    def is_problem(self) -> bool:
        return self in (
            Verdict.SHAPE_MISMATCH,
            Verdict.DTYPE_MISMATCH,
            Verdict.MISSING,
        )


@dataclasses.dataclass(frozen=True)
class Item:
    """What becomes of one variable.

    Attributes:
      verdict: what.
      target: the variable of the target; None if it is unused.
      source: the variable of the source that it comes from, or that was found and
        does not fit; None if there is none.
      because: one phrase for people.
    """

    verdict: Verdict
    target: Optional[Variable]
    source: Optional[Variable]
    because: str

    @property
    def name(self) -> str:
        """The target's name; of an unused variable the source's."""
        variable = self.target or self.source
        return variable.name if variable else ""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What becomes of every variable.

    Attributes:
      source: the source's prefix.
      target: what the target is called.
      items: the target's variables in its order, then the source's unused ones.
      unused: what of the map and the patterns matched nothing, a sentence each.
    """

    source: str
    target: str
    items: tuple[Item, ...]
    unused: tuple[str, ...] = ()

    @property
    def problems(self) -> list[Item]:
        """What should be carried and cannot be."""
        return [item for item in self.items if item.verdict.is_problem]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many variables get each verdict that any gets."""
        found = collections.Counter(item.verdict for item in self.items)
        return {verdict: found[verdict] for verdict in Verdict if found[verdict]}

    def to_json(self) -> dict[str, Any]:
        """The plan as what `json.dumps` takes."""
        return {
            "source": self.source,
            "target": self.target,
            "counts": {verdict.value: n for verdict, n in self.counts.items()},
            "variables": [
                {
                    "verdict": item.verdict.value,
                    "source": _described(item.source),
                    "target": _described(item.target),
                    "because": item.because,
                }
                for item in self.items
            ],
            "unused": list(self.unused),
        }

    def rows(self) -> list[tuple[str, str, str, int, str]]:
        """Verdict, source, target, bytes and reason of each variable."""
        return [
            (
                item.verdict.value,
                item.source.name if item.source else "",
                item.target.name if item.target else "",
                (item.target or item.source or _NOTHING).size,
                item.because,
            )
            for item in self.items
        ]

    def summary(self) -> str:
        """One line: what is carried from where, and how many."""
        counted = ", ".join(
            f"{n} {verdict.value}" for verdict, n in self.counts.items()
        )
        return f"{self.source} to {self.target}: {counted or 'no variables'}"

    def __str__(self) -> str:
        rows = [" ".join(filter(None, map(str, row))) for row in self.rows()]
        return "\n".join([*rows, self.summary()])

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        from html import escape

        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
            for row in self.rows()
        )
        return f"<table>{rows}</table><p>{escape(self.summary())}</p>"


_NOTHING = Variable("", "", None)
#: What a plan says of a variable, in JSON.
_DESCRIBED = (*("name", "dtype", "shape", "role", "key", "size", "owner", "optimizer"),)
_NOT_INCLUDED = "not included"


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which variables are to be carried, and how.

    Attributes:
      carry: a key of `roles.CARRY`; None carries everything, the global step too, as
        a conversion does.
      names: the include and exclude, held against the target's names.
      reset: names to leave at their initial values.
      assignment_map: from the source's names to the target's.
      cast: whether a value may get another dtype.
      resize: names of variables that may take over what fits of another shape.
      vocabularies: the axis along which a variable follows a vocabulary, by its name;
        there its shape may differ.
      overruling: what a user says of variables' roles.
    """

    carry: Optional[str]
    names: Filter
    reset: Filter
    assignment_map: AssignmentMap
    cast: bool
    resize: Filter
    vocabularies: Mapping[str, int]
    overruling: Overruling = AS_FOUND

    @classmethod
    def of(
        cls,
        *,
        carry: Optional[str] = None,
        include: Patterns = None,
        exclude: Patterns = None,
        reset: Patterns = None,
        assignment_map: Any = None,
        cast: bool = False,
        resize: Patterns = None,
        vocabularies: Optional[Mapping[str, int]] = None,
        optimizer_state: Regexes = None,
        model_state: Regexes = None,
    ) -> Choice:
        """Checks what a user asks for.

        Raises:
          ValueError: an unknown `carry`, or a pattern that is no regex.
          AssignmentMapError: the map is none.
        """
        if carry is not None and carry not in roles.CARRY:
            known = ", ".join(map(repr, roles.CARRY))
            raise ValueError(f"unknown carry {carry!r}: use one of {known}")
        return cls(
            carry,
            Filter(include, exclude),
            Filter(() if reset is None else reset),
            AssignmentMap.of(assignment_map),
            cast,
            Filter(() if resize is None else resize),
            vocabularies or {},
            Overruling.of(optimizer_state, model_state),
        )

    def leaves_out(self, variable: Variable) -> Optional[str]:
        """Why a variable is not to be carried, or None if it is."""
        is_step = variable.role == roles.GLOBAL_STEP
        if is_step and self.carry is not None:
            return "the global step is never carried"
        if self.reset.includes(variable.name):
            return "reset"
        if self.names.excludes(variable.name):
            return "excluded"
        if not self.names.includes(variable.name):
            return _NOT_INCLUDED
        if self.carry is None or variable.role in roles.CARRY[self.carry]:
            return None
        return f"carry={self.carry!r} leaves {variable.role} variables out"

    def unused(self, target: Mapping[str, Variable]) -> list[str]:
        """What of the patterns matches nothing, a sentence each."""
        patterns = [
            *self.names.unused(target),
            *self.reset.unused(target),
            *self.resize.unused(target),
        ]
        unknown = [name for name in self.vocabularies if name not in target]
        return [
            *(f"the pattern {pattern!r} matches no variable" for pattern in patterns),
            *(f"vocab_info names {name!r}, which there is not" for name in unknown),
        ]


def make(
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    choice: Choice,
    *,
    source_name: str,
    target_name: str,
    ambiguous: Mapping[str, tuple[str, ...]] = {},
    renaming: Optional[Renaming] = None,
) -> Plan:
    """Decides what becomes of each variable.

    Args:
      source: the source's variables by name.
      target: the target's.
      choice: which are to be carried.
      source_name: what to call the source.
      target_name: what to call the target.
      ambiguous: keys by the name that more than one variable of the source claims.
      renaming: what the choice's map makes of the source, where that is known.

    Raises:
      AssignmentMapError: the map gives two variables one name.
    """
    if renaming is None:
        renaming = choice.assignment_map.rename(
            source, source=source_name, among_others=True, owners=owners_of(source)
        )
    old_names = renaming.sources
    decided = {
        name: decide(variable, source.get(old_names.get(name, "")), choice, ambiguous)
        for name, variable in target.items()
    }
    _take_counts_with_slots(decided, choice)
    _follow_carried_variables(decided, choice)
    taken = {item.source.name for item in decided.values() if item.source}
    left = [
        Item(Verdict.UNUSED, None, variable, _why_unused(name, renaming))
        for name, variable in source.items()
        if name not in taken
    ]
    unused = (
        *renaming.unused,
        *renaming.lost(target),
        *choice.unused(target),
        *choice.overruling.unused({**source, **target}),
    )
    return Plan(source_name, target_name, (*decided.values(), *left), unused)


def of_checkpoint(checkpoint: Checkpoint) -> dict[str, Variable]:
    """The variables of a checkpoint."""
    return dict(checkpoint.items())


def undecided(
    source: Mapping[str, Variable], target: Mapping[str, Variable]
) -> Optional[str]:
    """One line on what could be an optimizer's on either side, None if nothing."""
    every = (*source.values(), *target.values())
    return roles.remark_on(sorted({v.name for v in every if v.is_undecided}))


def owners_of(variables: Mapping[str, Variable]) -> dict[str, str]:
    """The variable that each slot and each average belongs to, where known."""
    return {
        name: variable.owner
        for name, variable in variables.items()
        if variable.owner is not None
    }


def _described(variable: Optional[Variable]) -> Optional[dict[str, Any]]:
    if variable is None:
        return None
    return {name: getattr(variable, name) for name in _DESCRIBED}


def decide(
    target: Variable,
    source: Optional[Variable],
    choice: Choice,
    ambiguous: Mapping[str, tuple[str, ...]] = {},
) -> Item:
    """What becomes of one variable, given what the source has for it.

    Args:
      target: the variable.
      source: what it would get; None if there is nothing.
      choice: what is to be carried.
      ambiguous: keys by the name that more than one variable of the source claims.
    """
    left_out = choice.leaves_out(target)
    if left_out:
        return Item(Verdict.RESET, target, source, left_out)
    if target.name in ambiguous:
        keys = ", ".join(ambiguous[target.name])
        because = f"several variables have this full name there: {keys}"
        return Item(Verdict.MISSING, target, None, because)
    if source is None and target.role in roles.LEFT_BEHIND:
        because = f"not in the source: {str(target.role).replace('_', ' ')}"
        return Item(Verdict.RESET, target, None, because)
    if source is None:
        return Item(Verdict.MISSING, target, None, "no such variable")
    because = f"from {source.key!r}, {source}"
    if source.dtype != target.dtype:
        if not choice.cast:
            because = f"{source} there, {target.dtype} here"
            return Item(Verdict.DTYPE_MISMATCH, target, source, because)
        because += f", cast to {target.dtype}"
    if _follows_vocabulary(source, target, choice):
        because += ", its rows after the vocabulary"
    elif target.shape is not None and source.shape != target.shape:
        if not _can_resize(source, target, choice):
            because = f"{source} there, {target} here"
            return Item(Verdict.SHAPE_MISMATCH, target, source, because)
        because += f", what fits of it into {list(target.shape)}"
    renamed = source.name != target.name
    return Item(
        Verdict.RENAMED if renamed else Verdict.CARRIED, target, source, because
    )


def _follows_vocabulary(source: Variable, target: Variable, choice: Choice) -> bool:
    """Whether two shapes differ at most along the axis of a vocabulary."""
    axis = choice.vocabularies.get(target.name)
    if axis is None or source.shape is None or target.shape is None:
        return False
    return len(source.shape) == len(target.shape) and all(
        a == b for i, (a, b) in enumerate(zip(source.shape, target.shape)) if i != axis
    )


def _can_resize(source: Variable, target: Variable, choice: Choice) -> bool:
    if source.shape is None or target.shape is None:
        return False
    return len(source.shape) == len(target.shape) and choice.resize.includes(
        target.name
    )


def _take_counts_with_slots(decided: dict[str, Item], choice: Choice) -> None:
    """Beta powers and step counters go where the slots of their optimizer go.

    Either without the other would scale the first steps wrongly. Where nobody knows
    whose a power is, slots of any optimizer count.
    """
    slots = [
        item
        for item in decided.values()
        if item.target is not None and item.target.role is roles.SLOT
    ]
    every = {item.target.optimizer for item in slots if item.target is not None}
    carried = {
        item.target.optimizer
        for item in slots
        if item.target is not None and item.verdict.is_carried
    }
    whatever_included = dataclasses.replace(choice, names=Filter(None, None))
    for name, item in decided.items():
        variable = item.target
        if variable is None or not slot_names.counts_steps(name):
            continue
        if variable.role is not roles.OPTIMIZER:
            continue
        is_known = variable.optimizer in every
        if not is_known and not slot_names.is_beta_power(name):
            continue  # of an optimizer without slots
        goes = variable.optimizer in carried if is_known else bool(carried)
        if goes and item.because == _NOT_INCLUDED:
            decided[name] = decide(variable, item.source, whatever_included, {})
        elif item.verdict.is_carried and not goes:
            decided[name] = dataclasses.replace(
                item, verdict=Verdict.RESET, because="no slots carried"
            )


def _follow_carried_variables(decided: dict[str, Item], choice: Choice) -> None:
    """An average that is not carried itself begins at its variable's carried value."""
    if choice.carry is None:
        return
    for name, item in decided.items():
        if item.verdict.is_carried or item.target is None:
            continue
        if choice.names.excludes(name) or choice.reset.includes(name):
            continue
        if item.target.role is not roles.AVERAGE:
            continue
        owner = decided.get(item.target.owner or "")
        if owner is None or not owner.verdict.is_carried or owner.source is None:
            continue
        if owner.target and owner.target.shape == item.target.shape:
            because = f"as its variable, from {owner.source.key!r}"
            decided[name] = Item(Verdict.CARRIED, item.target, owner.source, because)


def _why_unused(name: str, renaming: Renaming) -> str:
    if name in renaming.replaced:
        return "another variable takes its name"
    new = renaming.targets.get(name, (name,))
    if new != (name,):
        return f"there is no {' or '.join(map(repr, new))} in the target"
    return "not in the target"
