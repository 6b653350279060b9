"""Which variables a user wants carried, and how: checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Regexes
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter, Patterns

#: Why a variable that no include names is left out.
NOT_INCLUDED = "not included"


class Choice(NamedTuple):
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
        if self.carry is not None and variable.role is roles.GLOBAL_STEP:
            return "the global step is never carried"
        if self.reset.includes(variable.name):
            return "reset"
        if self.names.excludes(variable.name):
            return "excluded"
        if not self.names.includes(variable.name):
            return NOT_INCLUDED
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
