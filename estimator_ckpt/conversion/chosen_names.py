"""Which variables a conversion takes, and what they are called before and after."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from estimator_ckpt.checkpoint import naming, object_keys
from estimator_ckpt.checkpoint.naming import NamesBy, NamesLike
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Regexes
from estimator_ckpt.maps.assignment import NO_RENAMES, AssignmentMap
from estimator_ckpt.maps.filters import Filter, Patterns


class Naming(NamedTuple):
    """Which variables a conversion takes, and what they are called before and after.

    Attributes:
      names_by: what variables of an object-based source are called.
      root: the name of the dictionary that holds the variables in an object-based
        result. None: `var_list`; but an object-based source keeps its own keys and
        object graph.
      step: the variable that goes under `step`; None leaves it with the others.
      assignment_map: from old names to new ones. It lays an object-based source out
        anew.
      chosen: which variables are taken, by their old names.
      overruling: what a user says of their roles.
    """

    names_by: NamesBy = NamesBy.FULL_NAME
    root: Optional[str] = None
    step: Optional[str] = object_keys.GLOBAL_STEP
    assignment_map: AssignmentMap = NO_RENAMES
    chosen: Filter = Filter()
    overruling: Overruling = AS_FOUND

    @classmethod
    def of(
        cls,
        *,
        names: NamesLike,
        root: Optional[str],
        step: Optional[str],
        assignment_map: Any,
        include: Patterns,
        exclude: Patterns,
        optimizer_state: Regexes = None,
        model_state: Regexes = None,
    ) -> Naming:
        """Checks what a user asks for; the arguments are those of `convert`.

        Raises:
          ValueError: unknown `names`.
          PatternError: a pattern is no regular expression.
          AssignmentMapError: the map is none.
        """
        return cls(
            naming.parse(names),
            root,
            step,
            AssignmentMap.of(assignment_map),
            Filter(include, exclude),
            Overruling.of(optimizer_state, model_state),
        )
