"""Plans and proposals for whatever a target can be."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.bundle import argument_types, files, logs
from estimator_ckpt.checkpoint import naming, object_keys, roles
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.roles import Overruling, Regexes
from estimator_ckpt.checkpoint.variable import StoredVariable, Variable
from estimator_ckpt.maps import planner
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.filters import Patterns
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.planning import plan_sides
from estimator_ckpt.planning.plan_sides import NO_GRAPH, GraphInputs, ReadBy, Side

# Most plans are without a map, and most people ask for no proposal.
if TYPE_CHECKING:
    from estimator_ckpt.estimator.warm_starts import carried_values
    from estimator_ckpt.maps.renaming import Renaming
    from estimator_ckpt.maps.suggest.suggestion import Suggestion


@argument_types.checked
def plan(
    source: files.PathLike,
    target: Any,
    *,
    carry: Optional[str] = None,
    assignment_map: Any = None,
    include: Patterns = None,
    exclude: Patterns = None,
    reset: Patterns = None,
    resize: Patterns = None,
    cast: bool = False,
    vocab_info: Optional[carried_values.Vocabularies] = None,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    input_fn: Optional[Callable[..., Any]] = None,
    params: Optional[Mapping[str, Any]] = None,
    mode: str = "train",
    config: Any = None,
) -> Plan:
    """What each variable of a target would get from a checkpoint. Writes nothing.

    Args:
      source: a checkpoint, as `open_checkpoint` takes it.
      target: a checkpoint's path (of a PyTorch model's `.safetensors` file, kernels are
        held against it as a built-in map says PyTorch has them); a model_fn, whose
        graph is built and thrown away; or an object (a `tf.train.Checkpoint`, a Keras
        model, a `tf.Module`, a dict).
      carry: as for `warm_start_from`; None for everything, the global step too, as a
        conversion does.
      assignment_map: as for `warm_start_from`.
      include: as for `warm_start_from`.
      exclude: as for `warm_start_from`.
      reset: as for `warm_start_from`.
      resize: as for `warm_start_from`.
      cast: as for `warm_start_from`.
      vocab_info: as for `warm_start_from`.
      names: what variables of an object-based checkpoint are called, as for
        `open_checkpoint`.
      optimizer_state: regexes of variables, on either side, that are optimizer state
        whatever the evidence says, as for `open_checkpoint`.
      model_state: the same of model state.
      input_fn: for a model_fn, where its features and labels come from.
      params: for a model_fn, its params.
      mode: for a model_fn, its mode: `train`, `eval` or `infer`.
      config: for a model_fn, its RunConfig; None for one as `RunConfig()` makes it.

    Returns:
      The plan: printable, with `to_json()`.

    Raises:
      ValueError: an unknown `carry`, a pattern that is no regex, or a model_fn without
        an input_fn.
      CheckpointNotFoundError: there is no such checkpoint.
      CorruptDataError: a file that has a variable that would be carried is missing, or
        is cut off.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
    """
    choice = Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        reset=reset,
        resize=resize,
        cast=cast,
        assignment_map=assignment_map,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    graph_inputs = GraphInputs(input_fn, params, mode, config)
    return planned(source, target, choice, names, graph_inputs, vocab_info)


@argument_types.checked
def suggest(
    source: files.PathLike,
    target: Any,
    *,
    assignment_map: Any = None,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    input_fn: Optional[Callable[..., Any]] = None,
    params: Optional[Mapping[str, Any]] = None,
    mode: str = "train",
    config: Any = None,
) -> Suggestion:
    """Proposes which variable of a target is which of a checkpoint. Writes nothing.

    Decided by names, shapes, dtypes and the order of layers; of a checkpoint that order
    is known from the numbers in names, and from the `.meta` file beside it.

    Args:
      source: a checkpoint, as `open_checkpoint` takes it.
      target: as for `plan`.
      assignment_map: a map that is right as far as it goes.
      names: as for `plan`.
      optimizer_state: as for `plan`.
      model_state: as for `plan`.
      input_fn: as for `plan`.
      params: as for `plan`.
      mode: as for `plan`.
      config: as for `plan`.

    Returns:
      The proposal: an `assignment_map` to give to other calls, `to_yaml()` for a file
      to edit, `pairs` with the confidence of each, and what is `undecided`.

    Raises:
      ValueError: a model_fn without an input_fn.
      CheckpointNotFoundError: there is no such checkpoint.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
    """
    return suggested(
        source,
        target,
        AssignmentMap.of(assignment_map),
        ReadBy(names, Overruling.of(optimizer_state, model_state)),
        GraphInputs(input_fn, params, mode, config),
    )


def planned(
    source: files.PathLike,
    target: Any,
    choice: Choice,
    names: NamesLike = "full_name",
    graph_inputs: GraphInputs = NO_GRAPH,
    vocab_info: Optional[carried_values.Vocabularies] = None,
) -> Plan:
    """The plan of a choice; see `plan`."""
    read_by = ReadBy(names, choice.overruling)
    old, new = plan_sides.sides_of(source, target, read_by, graph_inputs)
    _say_undecided(old, new)
    if vocab_info:
        from estimator_ckpt.estimator.warm_starts import carried_values

        followed = carried_values.with_state(vocab_info, new.variables)
        axes = carried_values.axes(followed)
        choice = choice._replace(vocabularies=axes)
    variables = old.variables
    renaming = None
    if choice.assignment_map:
        if _is_of_pytorch(target):
            variables = _as_pytorch_has_them(old, choice.assignment_map)
        renaming = choice.assignment_map.rename(
            variables,
            source=old.name,
            among_others=True,
            owners=planner.owners_of(variables),
        )
    made = planner.make(
        variables,
        new.variables,
        choice,
        source_name=old.name,
        target_name=new.name,
        ambiguous=old.ambiguous,
        renaming=renaming,
        matched=_matched(old, new, renaming, names),
    )
    old.require_stored(
        item.source
        for item in made.items
        if item.verdict.is_carried and isinstance(item.source, StoredVariable)
    )
    return made


def suggested(
    source: files.PathLike,
    target: Any,
    given: AssignmentMap,
    read_by: ReadBy,
    graph_inputs: GraphInputs,
) -> Suggestion:
    """The proposal beyond a map that is given; see `suggest`."""
    old, new = plan_sides.sides_of(source, target, read_by, graph_inputs)
    _say_undecided(old, new)
    for said in read_by.overruling.unused({**old.variables, **new.variables}):
        logs.logger().warning("%s", said)
    from estimator_ckpt.maps.suggest import suggestion

    return suggestion.suggest(
        old.variables,
        new.variables,
        source_order=old.order(),
        target_order=new.order(),
        given=given,
    )


def _say_undecided(old: Side, new: Side) -> None:
    remark = planner.undecided(old.variables, new.variables)
    if remark:
        logs.logger().warning("%s to %s: %s", old.name, new.name, remark)


def _is_of_pytorch(target: Any) -> bool:
    """Whether a target is a file of a PyTorch model."""
    from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SUFFIX

    return isinstance(target, (str, os.PathLike)) and os.fspath(target).endswith(SUFFIX)


def _as_pytorch_has_them(side: Side, names: AssignmentMap) -> Mapping[str, Variable]:
    """Variables in the shapes that a map to PyTorch's names says they have there."""
    found = dict(side.variables)
    if not any(rule.arrangement is not None for rule in names.rules):
        return found
    owners = planner.owners_of(found)
    for move in names.rename(
        found, source=side.name, among_others=True, owners=owners
    ).moves:
        if move.rule is not None and move.rule.arrangement is not None:
            variable = found[move.old]
            shape = move.rule.arrangement.shape_of(variable.shape or ())
            found[move.old] = variable._replace(shape=shape)
    return found


def _matched(
    old: Side, new: Side, renaming: Optional[Renaming], names: NamesLike
) -> dict[str, str]:
    """The source's names of an object's variables, as a conversion for it has them."""
    if not new.full_names:
        return {}
    known: Mapping[str, str] = (
        {name: name for name in old.variables} if renaming is None else renaming.sources
    )
    from estimator_ckpt.keras import matching_names

    by_paths = naming.parse(names) is naming.NamesBy.PATH
    variables = [
        matching_names.Named(
            name,
            new.full_names[name],
            object_keys.path_of(variable.key or "") if by_paths else None,
            variable.role is roles.TRAINABLE,
        )
        for name, variable in new.variables.items()
        if variable.role in roles.OF_MODEL
    ]
    found = matching_names.by_name(variables, known, is_of_objects=old.is_of_objects)
    return {**_matched_state(old, new, {**found, **known}), **found}


def _matched_state(old: Side, new: Side, known: Mapping[str, str]) -> dict[str, str]:
    """The source's names of an object's optimizer state, which stands at the same keys.

    Optimizers name it after their number in the program, so names alone tell little.
    """
    by_key = {variable.key: variable for variable in old.variables.values()}
    found: dict[str, str] = {}
    of_another_class = set()
    for name, variable in new.variables.items():
        if variable.role not in roles.OF_OPTIMIZER or name in known:
            continue
        there = by_key.get(variable.key)
        owner = variable.owner and known.get(variable.owner, variable.owner)
        state = (variable.role, owner, variable.slot)
        if there is not None and (there.role, there.owner, there.slot) == state:
            found[name] = there.name
        elif variable.slot_of in known:
            of_another_class.add(variable.optimizer)
    return {
        name: old_name
        for name, old_name in found.items()
        if new.variables[name].optimizer not in of_another_class
    }
