"""Warm starts: a new job begins with the variables of an old checkpoint.

A session that restores a checkpoint of its own is never initialized: so a warm start
happens once per model dir. The global step is never carried.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

import tensorflow as tf

from estimator_ckpt.bundle import argument_types, logs
from estimator_ckpt.bundle.errors import CheckpointError, UnsupportedCheckpointError
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.estimator import graph_variables, runtime
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.filters import Patterns

# A program decorates its model_fns whether it trains or not: what only a run needs is
# loaded with it.
if TYPE_CHECKING:
    from estimator_ckpt.bundle import files
    from estimator_ckpt.estimator.warm_starts import carried_values

#: What users know the decorator by.
DECORATOR = "warm_start_from"

_log = logs.logger()


@argument_types.checked
def warm_start_from(
    source: files.PathLike,
    *,
    carry: str = "model",
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    reset: Patterns = None,
    vocab_info: Optional[carried_values.Vocabularies] = None,
    resize: Patterns = None,
    cast: bool = False,
    strict: bool = False,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> Callable[[model_fns.ModelFn], model_fns.ModelFn]:
    """Initializes a model_fn's variables from an old checkpoint, without its step.

    In TRAIN mode, when the model dir holds no checkpoint yet. Every variable gets a
    line in the log (logger `estimator_ckpt`) that says what was done and from which
    name; a summary counts them. The values win over initializers and over an
    `init_from_checkpoint` of the model_fn's own; an `init_fn` of its Scaffold runs
    after. An ExponentialMovingAverage that the source lacks begins at its variable's
    carried value.

    Stacked, it carries from several sources into one model: what one of them lacks
    another may have, but each variable may be carried from one only.

    Args:
      source: a model dir, a checkpoint prefix or a SavedModel dir, in any format, also
        V1.
      carry: `trainable` (trainable variables), `model` (also other state of the
        model, such as BatchNorm's moving statistics), or `all` (also optimizer
        state: slot variables, and beta powers when their slots are carried).
      include: a regex, or several; only variables whose name one matches from its
        beginning (`re.match`, as TensorFlow's `vars_to_warm_start`) are carried.
        All patterns are held against the model's names, not the source's.
      exclude: a regex, or several; variables whose name one matches are not carried.
      assignment_map: from the source's names to the model's, as
        `init_from_checkpoint` has it: a dict or list of pairs (old to new; scopes end
        in `/`), the path of a YAML or JSON file, or `builtin:NAME`, such as
        `builtin:use_ema`. It renames and never selects. A list of new names copies:
        `{"net/": ["online/", "target/"]}`.
      reset: a regex, or several; variables that keep their initial values, such as
        step counters of the model's own.
      vocab_info: `tf.estimator.VocabInfo` by variable name: rows, those of slots and
        averages too, follow the words of the new vocabulary; new words keep the
        initializer's values, or get `backup_initializer`'s.
      resize: a regex, or several, of variables that take over what fits where the
        shapes differ; the rest of them keeps its initial values.
      cast: whether a value may be cast to the variable's dtype.
      strict: raise an error if a variable that is to be carried cannot be, or if a
        pattern matches nothing, instead of a warning.
      optimizer_state: regexes of variables that are optimizer state, whatever the
        evidence says (`re.match`), in the model and in the source.
      model_state: the same of model state; it wins.

    Returns:
      A decorator for model_fns.

    Raises:
      ValueError: an unknown `carry`, a pattern that is no regex, or a map that cannot
        be read (AssignmentMapError, which is one).
      CheckpointNotFoundError: (when training begins) `source` holds no checkpoint.
      WarmStartError: (when training begins) a variable would be carried from two
        sources; or, with `strict`, some cannot be carried: lists all.
      DamagedCheckpointError: (when training begins) the model dir has checkpoints that
        its state file does not name, since it is missing or cut off.
    """
    vocabularies, axes = dict(vocab_info or {}), {}
    if vocabularies:
        from estimator_ckpt.estimator.warm_starts import carried_values

        axes = carried_values.axes(vocabularies)
    choice = Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        reset=reset,
        assignment_map=AssignmentMap.of(
            assignment_map, name_of=graph_variables.name_of
        ),
        cast=cast,
        resize=resize,
        vocabularies=axes,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )

    return by_choice(source, choice, vocabularies=vocabularies, strict=strict)


def by_choice(
    source: files.PathLike,
    choice: Choice,
    *,
    vocabularies: carried_values.Vocabularies,
    strict: bool,
) -> Callable[[model_fns.ModelFn], model_fns.ModelFn]:
    """The decorator of a choice; see `warm_start_from`."""

    def decorate(model_fn: model_fns.ModelFn) -> model_fns.ModelFn:
        def change(spec: Any, config: Optional[tf.estimator.RunConfig]) -> Any:
            if spec.mode != tf.estimator.ModeKeys.TRAIN:
                return spec
            from estimator_ckpt.estimator.warm_starts import first_run

            return first_run.warm_started(
                spec, config, source, choice, vocabularies=vocabularies, strict=strict
            )

        return model_fns.wrap(model_fn, DECORATOR, change)

    return decorate


@argument_types.checked
def warm_start_settings(
    source: files.PathLike,
    *,
    carry: str = "model",
    include: Patterns = None,
    exclude: Patterns = None,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> tf.estimator.WarmStartSettings:
    """The same choice as a `tf.estimator.WarmStartSettings`, for canned estimators.

    It covers what can be told from the source's names: TensorFlow carries each of
    the listed variables that the model has, and raises if a shape differs. For more,
    wrap the canned estimator's model_fn:
    `tf.estimator.Estimator(warm_start_from(source)(canned.model_fn))`.

    Args:
      source: a model dir, a checkpoint prefix or a SavedModel dir.
      carry: `trainable` and `model` leave out optimizer state (a source's names do
        not tell trainable variables from others: with `trainable`, averages and
        BatchNorm's moving statistics are left out by their names); `all` does not.
      include: as for `warm_start_from`, against the source's names.
      exclude: as for `warm_start_from`, against the source's names.
      optimizer_state: as for `warm_start_from`, against the source's names.
      model_state: as for `warm_start_from`, against the source's names.

    Raises:
      ValueError: an unknown `carry`, or a pattern that is no regex.
      CheckpointNotFoundError: `source` holds no checkpoint.
      UnsupportedCheckpointError: `source` is a file that TensorFlow does not read.
      CheckpointError: nothing is left to carry.
      DamagedCheckpointError: a file that has some of it is missing or cut off.
    """
    from estimator_ckpt.estimator.restoring import job_sources
    from estimator_ckpt.maps import planner

    choice = Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    found = job_sources.read(job_sources.resolve(source), choice.overruling)
    why = job_sources.not_read_by_tensorflow(found.prefix)
    if found.store.is_dir(found.prefix):  # in which it would look for a state file
        why = "a directory has its name"
    if why:
        raise UnsupportedCheckpointError(
            f"{found.prefix}: TensorFlow's WarmStartSettings does not read it: {why}. "
            f"Convert it first (estimator-ckpt convert), or wrap the model_fn with "
            f"warm_start_from"
        )
    found.contents.require_unique(found.prefix)
    known = found.contents.keys
    variables = planner.of_checkpoint(found)
    for said in (*found.roles.remarks(), *choice.unused(variables)):
        _log.warning("%s: %s", found.prefix, said)
    chosen = [
        name
        for name, variable in variables.items()
        if choice.leaves_out(variable) is None
    ]
    if not chosen:
        raise CheckpointError(
            f"{found.prefix}: none of its {len(known)} variables is chosen by "
            f"carry={carry!r}, include and exclude"
        )
    with job_sources.reporting_damage(found.prefix):
        found.require_whole(chosen)
    # TensorFlow matches against `name:0`, of parts against `name/part_0:0`.
    alternatives = "|".join(map(re.escape, sorted(chosen)))
    # TensorFlow looks full names up itself, and raises over an entry that the model
    # does not use: give keys only where full names do not lead to them.
    full_names = job_sources.full_names(found)
    by_full_name = all(full_names.get(n, n) == known[n] for n in chosen)
    renamed = {} if by_full_name else {name: known[name] for name in chosen}
    return runtime.enable_estimator().WarmStartSettings(
        ckpt_to_initialize_from=found.prefix,
        vars_to_warm_start=[rf"(?:{alternatives})(?:/part_\d+)?:0$"],
        var_name_to_prev_var_name=renamed,
    )
