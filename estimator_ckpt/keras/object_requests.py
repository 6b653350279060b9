"""What a user asks of a conversion for an object, checked once; and its source."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import messages, naming, opening
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Overruling, Regexes
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.objects.descriptions import ObjectDescription
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.layouts.layout_rule import LayoutRule
from estimator_ckpt.maps.assignment import AssignmentMap

#: Steps that optimizers took: of the only one, or by their paths in the object.
Iterations = Union[None, int, Mapping[str, int]]


@dataclasses.dataclass(frozen=True)
class Request:
    """What a user asks of a conversion for an object, or back from it.

    Attributes:
      names_by: what variables of an object-based source are called.
      renames: from the source's names to the result's.
      rules: layout rules, from tf1 to the object, in both directions.
      optimizer_state: whether slots and steps are converted.
      overruling: what a user says of the roles of the source's variables.
      iterations: the steps that optimizers took, where the source is not to say.
      strict: whether a variable without a value is an error.
      input_shape: what to build a model with that is not built.
      save_counter: whether the object saves one.
    """

    names_by: NamesBy
    renames: AssignmentMap
    rules: Sequence[LayoutRule]
    optimizer_state: bool
    overruling: Overruling
    iterations: Iterations
    strict: bool
    input_shape: Optional[Sequence[Optional[int]]] = None
    save_counter: bool = True

    @classmethod
    def of(
        cls,
        *,
        names: naming.NamesLike,
        assignment_map: Any,
        layouts: layer_rules.Layouts,
        optimizer_state: Union[bool, Regexes],
        model_state: Regexes,
        iterations: Iterations,
        input_shape: Optional[Sequence[Optional[int]]],
        strict: bool,
        save_counter: bool,
    ) -> Request:
        """Checks what a user asks for; the arguments are those of `convert_for`.

        Raises:
          ValueError: unknown `names`.
          AssignmentMapError: the map cannot be read.
          LayoutRuleError: a layout rule is malformed.
          RoleError: a pattern is no regular expression.
        """
        patterns: Regexes = None
        if not isinstance(optimizer_state, bool):
            patterns, optimizer_state = optimizer_state, optimizer_state is not None
        return cls(
            names_by=naming.parse(names),
            renames=AssignmentMap.of(assignment_map),
            rules=layer_rules.rules_of(layouts),
            optimizer_state=optimizer_state,
            overruling=Overruling.of(patterns, model_state),
            iterations=iterations,
            strict=strict,
            input_shape=input_shape,
            save_counter=save_counter,
        )


@contextlib.contextmanager
def opened(
    source: files.PathLike, request: Request, names_by: Optional[NamesBy] = None
) -> Iterator[Checkpoint]:
    """The source.

    Args:
      source: its path.
      request: what a user asks for.
      names_by: what its variables are called, whatever the user says.

    Raises:
      AmbiguousNameError: two variables have one name.
      As `open_checkpoint`.
    """
    with opening.opened(
        source, names=names_by or request.names_by, overruling=request.overruling
    ) as checkpoint:
        checkpoint.contents.require_unique(checkpoint.prefix)
        yield checkpoint


def steps_by_path(description: ObjectDescription, given: Iterations) -> dict[str, int]:
    """The steps that a user says optimizers took, by their paths."""
    paths = [optimizer.path for optimizer in description.optimizers]
    if given is None:
        return {}
    if isinstance(given, int):
        return dict.fromkeys(paths, given)
    unknown = sorted(set(given) - set(paths))
    if unknown:
        raise ConversionError(
            f"iterations names {messages.quoted(unknown)}: the optimizers of "
            f"{description.called} are {messages.quoted(paths) or 'none'}"
        )
    return dict(given)
