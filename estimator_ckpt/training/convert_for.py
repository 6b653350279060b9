"""Checkpoints for live objects: a Keras model and its optimizer, from a TF1 job.

The object says which keys it restores from; names, maps and layout rules say which of
the source's variables those are. The result is the source's own bytes under these
keys, and one small shard with what had to be computed.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.migration import convert, layers, names, optimizers, plan
from estimator_ckpt.migration.assignment import AssignmentMap
from estimator_ckpt.migration.checkpoint import Checkpoint, open_checkpoint
from estimator_ckpt.migration.rekey import NewTensor, Rekeying
from estimator_ckpt.training import recipes, states, trackables
from estimator_ckpt.training.recipes import Recipe
from estimator_ckpt.training.trackables import Described, Live, LiveOptimizer

_log = logging.getLogger("estimator_ckpt")


class ConversionError(CheckpointError, ValueError):
    """A checkpoint that cannot be converted for an object; names every variable."""


def convert_for(
    trackable: Any,
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: str = "tf2",
    assignment_map: Any = None,
    layouts: layers.Layouts = None,
    optimizer_state: bool = True,
    iterations: Optional[int] = None,
    input_shape: Optional[Sequence[Optional[int]]] = None,
    names: str = "full_name",
    strict: bool = True,
    save_counter: bool = True,
    data: str = "auto",
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Writes the checkpoint that a live object restores everything from.

    `tf.train.Checkpoint(...).restore(prefix).assert_consumed()` passes. With
    `to="tf1"` it is the other way round: from a checkpoint that the object wrote to
    one for a tf1 Saver, with slots, beta powers and the global step.

    Args:
      trackable: a Keras model, a `tf.train.Checkpoint`, a `tf.Module`, or a dict, which
        stands for `tf.train.Checkpoint(**dict)`; its keys are those of the result. An
        optimizer in it that is not built is built.
      source: a checkpoint in any format, as `open_checkpoint` takes it.
      destination: the new prefix, or a directory; as for `convert`.
      to: `tf2` for the object, or `tf1` back from it.
      assignment_map: from the names in `source` to those of the result, as for
        `convert`.
      layouts: rules for layers that differ in more than names (LSTM, GRU, fused
        kernels), as a list of dicts or a YAML file; see `migration.layers`.
      optimizer_state: whether slots and steps are converted; else the object's own
        values are written.
      iterations: the steps that the optimizer has taken. None: from the beta powers,
        else the global step.
      input_shape: what to build a model with that is not built.
      names: what variables of an object-based source are called, as for
        `open_checkpoint`.
      strict: whether a variable that the source lacks is an error; else it gets the
        object's own value, with a warning.
      save_counter: whether the result has one: `tf.train.Checkpoint.restore` asks for
        it, and `read` and `model.load_weights` must not find it.
      data: as for `convert`.
      overwrite: whether to replace a checkpoint that is there.
      progress: as for `convert`.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to`, `data` or `names`.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the destination is there, and overwrite is False.
      TrackableError: the object has no variables, or is not built.
      ConversionError: variables or slots are missing or do not fit, or the source has
        the state of another optimizer; lists them all. Nothing is written.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
      LayoutRuleError: a layout rule is malformed, or does not fit.
    """
    convert.check(data, names)
    if to not in ("tf2", "tf1"):
        raise ValueError(f"unknown to {to!r}: use 'tf2', or 'tf1' for the way back")
    renames = AssignmentMap.of(assignment_map)
    rules = layers.rules_of(layouts)
    described = trackables.describe(
        trackable, save_counter=save_counter, input_shape=input_shape
    )
    with open_checkpoint(source, names=names) as checkpoint:
        checkpoint.layout.require_unique(checkpoint.prefix)
        target = convert.destination_of(checkpoint.prefix, destination)
        convert.refuse_existing(checkpoint.prefix, target, overwrite)
        if to == "tf1":
            from estimator_ckpt.training import convert_back

            made = convert_back.result(
                described, checkpoint, renames, rules, optimizer_state
            )
        else:
            made = _result(
                described,
                checkpoint,
                renames,
                rules,
                optimizer_state=optimizer_state,
                iterations=iterations,
                strict=strict,
            )
        for sentence in made.warnings:
            _log.warning("%s", sentence)
        conversion = convert.Conversion(checkpoint.prefix, to, made.rekeying())
        convert.write(checkpoint.reader, conversion, target, data, progress)
    return target


@dataclasses.dataclass
class Result:
    """What is going to be written.

    Attributes:
      checkpoint: the source.
      links: the source's variable names by new key.
      written: new tensors by key.
      graph: the object graph, serialized; None for a name-based result.
      warnings: what is not as it was, a sentence each.
    """

    checkpoint: Checkpoint
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    written: dict[str, NewTensor] = dataclasses.field(default_factory=dict)
    graph: Optional[bytes] = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def add(self, key: str, recipe: Recipe, is_slot: bool = False) -> None:
        if recipe.is_link:
            self.links[key] = recipe.sources[0]
        else:
            self.written[key] = recipe.tensor(self.checkpoint, is_slot)

    def add_value(self, live: Live) -> None:
        """The object's own value."""
        self.written[live.key] = recipes.constant(live.value(), live.dtype)

    def rekeying(self) -> Rekeying:
        moves: dict[str, tuple[str, ...]] = {}
        for key, name in self.links.items():
            old = self.checkpoint[name].key
            moves[old] = (*moves.get(old, ()), key)
        return Rekeying(
            moves=moves,
            graph=self.graph,
            needs_counter=False,
            written=self.written,
            keeps_names=False,
        )


def _result(
    described: Described,
    checkpoint: Checkpoint,
    renames: AssignmentMap,
    rules: Iterable[layers.LayoutRule],
    *,
    optimizer_state: bool,
    iterations: Optional[int],
    strict: bool,
) -> Result:
    source = plan.of_checkpoint(checkpoint)
    renaming = renames.rename(source, source=checkpoint.prefix, among_others=True)
    old_names = {new: old for old, new in renaming.targets.items()}
    result = Result(checkpoint, graph=described.graph.SerializeToString())
    result.warnings += renaming.unused
    found, problems = _model_recipes(described, checkpoint, old_names, rules)
    if problems and strict:
        listed = "; ".join(problems)
        raise ConversionError(
            f"{checkpoint.prefix} does not fit the object: {listed}. For other names "
            f"give an assignment map (estimator-ckpt plan --suggest proposes one), for "
            f"other layouts layout rules; strict=False (--nostrict) leaves these "
            f"variables at their own values"
        )
    for name, live in described.variables.items():
        if name in found:
            result.add(live.key, found[name])
        else:
            result.add_value(live)
    result.warnings += [f"{problem}: it keeps its own value" for problem in problems]
    for live in described.fixed:
        result.add_value(live)
    step = checkpoint.layout.global_step
    if described.step is not None:
        if step is None or checkpoint[step].dtype != described.step.dtype:
            value = checkpoint.global_step
            number = described.step.value() if value is None else value
            result.written[described.step.key] = recipes.constant(
                number, described.step.dtype
            )
        else:
            result.add(described.step.key, Recipe((step,)))
    for optimizer in described.optimizers:
        if optimizer_state:
            _add_state(result, optimizer, found, iterations, described.has_embeddings)
        else:
            for live in _all_of(optimizer):
                result.add_value(live)
    _set_counter(result, described)
    return result


def _model_recipes(
    described: Described,
    checkpoint: Checkpoint,
    old_names: Mapping[str, str],
    rules: Iterable[layers.LayoutRule],
) -> tuple[dict[str, Recipe], list[str]]:
    """How each variable of the model is made, and what keeps others from it."""
    found: dict[str, Recipe] = {}
    for rule in rules:
        rule.check(checkpoint)
        absent = [name for name in rule.targets if name not in described.variables]
        if absent:
            raise layers.LayoutRuleError(
                f"{rule.text}: the object has no {', '.join(map(repr, absent))}; it "
                f"has {', '.join(map(repr, sorted(described.variables)))}"
            )
        shapes = tuple(described.variables[name].shape for name in rule.targets)
        for output, name in enumerate(rule.targets):
            found[name] = Recipe(rule.sources, rule, shapes, output)
    problems = []
    for name, live in described.variables.items():
        if name in found:
            continue
        old = old_names.get(name)
        if old is None:
            problems.append(f"{name!r} is not in it")
            continue
        there, here = checkpoint[old], (live.dtype, live.shape)
        if (there.dtype, there.shape) != here:
            problems.append(
                f"{name!r} is {there.dtype}{list(there.shape)} there and "
                f"{live.dtype}{list(live.shape)} here"
            )
            continue
        found[name] = Recipe((old,))
    return found, problems


def _all_of(optimizer: LiveOptimizer) -> list[Live]:
    slots = [s for by_owner in optimizer.slots.values() for s in by_owner.values()]
    return [optimizer.iterations, *optimizer.others, *slots]


def _add_state(
    result: Result,
    optimizer: LiveOptimizer,
    model: Mapping[str, Recipe],
    iterations: Optional[int],
    has_embeddings: bool,
) -> None:
    """Adds an optimizer's slots and its step counter."""
    checkpoint = result.checkpoint
    owners = {owner for by in optimizer.slots.values() for owner in by}
    sources = {s for owner in owners if owner in model for s in model[owner].sources}
    state = states.find(checkpoint, optimizer, sources)
    steps = state.steps if iterations is None else iterations
    if steps is None:
        raise ConversionError(
            f"{checkpoint.prefix} says nowhere how many steps the optimizer took: give "
            f"them (iterations=, --iterations)"
        )
    changes = state.changes(optimizer, steps)
    initial = []
    for slot, by_owner in optimizer.slots.items():
        known = state.slots.get(slot, {})
        for owner, live in by_owner.items():
            recipe = model.get(owner)
            made_of = [known.get(s) for s in recipe.sources] if recipe else [None]
            if recipe is None or None in made_of:
                result.add_value(live)
                initial.append(owner)
                continue
            slots = [name for name in made_of if name is not None]
            made = recipe.of_slots(slots, changes.get(slot))
            if made.rule is None and checkpoint[slots[0]].shape != live.shape:
                raise ConversionError(
                    f"{checkpoint.prefix}: the slot {slots[0]!r} is "
                    f"{list(checkpoint[slots[0]].shape)}, its variable {owner!r} "
                    f"{list(live.shape)}"
                )
            result.add(live.key, made, is_slot=True)
    if initial and state.kind is not optimizers.SGD:
        listed = ", ".join(map(repr, sorted(set(initial))))
        result.warnings.append(
            f"{optimizer.name}: the source has no slots for {listed}: they start anew"
        )
    for live in optimizer.others:
        result.add_value(live)
    counter = optimizer.iterations
    result.written[counter.key] = recipes.constant(steps, counter.dtype)
    result.warnings += state.warnings(optimizer, steps, has_embeddings)


def _set_counter(result: Result, described: Described) -> None:
    """The global step as save_counter, so that no earlier checkpoint is saved over."""
    step = result.checkpoint.global_step
    if names.SAVE_COUNTER_KEY in result.written and step is not None:
        result.written[names.SAVE_COUNTER_KEY] = recipes.constant(step, "int64")
