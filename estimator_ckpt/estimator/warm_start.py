"""Warm starts: a new job begins with the variables of an old checkpoint.

What is carried is decided once the graph is complete, written to the log variable by
variable, and restored by one op when the session is initialized. A session that
restores a checkpoint of its own is never initialized: so a warm start happens once
per model dir. The global step is never carried.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.estimator import (
    carried_values,
    graph_variables,
    restoring,
    runtime,
)
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.maps import plans
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Patterns
from estimator_ckpt.maps.plans import Choice, Plan, Verdict
from estimator_ckpt.tf_private import graph_api

_DECORATOR = "warm_start_from"
#: What the log calls a verdict, where that is not the verdict's own word.
_WORDS = {
    Verdict.MISSING: "not in source",
    Verdict.SHAPE_MISMATCH: "different shape",
    Verdict.DTYPE_MISMATCH: "different dtype",
}
#: The verdicts that the summary counts, and whether even if there are none.
_COUNTED = {
    Verdict.CARRIED: True,
    Verdict.RENAMED: False,
    Verdict.MISSING: True,
    Verdict.SHAPE_MISMATCH: True,
    Verdict.DTYPE_MISMATCH: False,
    Verdict.RESET: True,
}
_log = logs.logger()


class WarmStartError(CheckpointError):
    """Variables that a strict warm start cannot carry."""


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

    Args:
      source: a model dir or checkpoint prefix, in any format, also V1.
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
        `builtin:use_ema`. It renames and never selects.
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
      ValueError: an unknown `carry`, a pattern that is no regex, a map that cannot be
        read (AssignmentMapError, which is one), or a model_fn that has been
        decorated with it before.
      CheckpointNotFoundError: (when training begins) `source` holds no checkpoint.
      WarmStartError: (when training begins, `strict`) lists every variable that
        cannot be carried.
    """
    vocabularies = dict(vocab_info or {})
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
        vocabularies=carried_values.axes(vocabularies),
        optimizer_state=optimizer_state,
        model_state=model_state,
    )

    def decorate(model_fn: model_fns.ModelFn) -> model_fns.ModelFn:
        def change(spec: Any, config: Optional[tf.estimator.RunConfig]) -> Any:
            if not _is_due(spec, config):
                return spec
            prefix = restoring.resolve(source)
            hook = _WarmStartHook(prefix, choice, vocabularies, strict)
            return _with_warm_start(spec, hook)

        return model_fns.wrap(model_fn, _DECORATOR, change)

    return decorate


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
      source: a model dir or checkpoint prefix.
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
      CheckpointError: nothing is left to carry.
    """
    choice = Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    found = restoring.read(restoring.resolve(source), choice.overruling)
    found.contents.require_unique(found.prefix)
    known = found.contents.keys
    chosen = [
        name
        for name, variable in plans.of_checkpoint(found).items()
        if choice.leaves_out(variable) is None
    ]
    if not chosen:
        raise CheckpointError(
            f"{found.prefix}: none of its {len(known)} variables is chosen by "
            f"carry={carry!r}, include and exclude"
        )
    # TensorFlow matches against `name:0`, of parts against `name/part_0:0`.
    alternatives = "|".join(map(re.escape, sorted(chosen)))
    # TensorFlow looks full names up itself, and raises over an entry that the model
    # does not use: give keys only where full names do not lead to them.
    full_names = restoring.full_names(found)
    by_full_name = all(full_names.get(n, n) == known[n] for n in chosen)
    renamed = {} if by_full_name else {name: known[name] for name in chosen}
    return runtime.enable_estimator().WarmStartSettings(
        ckpt_to_initialize_from=found.prefix,
        vars_to_warm_start=[rf"(?:{alternatives})(?:/part_\d+)?:0$"],
        var_name_to_prev_var_name=renamed,
    )


def _is_due(spec: Any, config: Optional[tf.estimator.RunConfig]) -> bool:
    """Whether this model_fn call is for the first training of a model dir, as chief."""
    if spec.mode != tf.estimator.ModeKeys.TRAIN:
        return False
    if config is None:
        return True
    if config.model_dir:
        existing = restoring.latest(config.model_dir)
        if existing:
            _log.info("Not warm-starting: %s is there already", existing)
            return False
    return bool(config.is_chief)


def _with_warm_start(spec: Any, hook: _WarmStartHook) -> Any:
    """The spec with a hook that prepares the warm start and an init_fn that runs it."""
    # A tuple: TPUEstimatorSpec appends one.
    hooks = (*(spec.training_hooks or ()), hook)
    return model_fns.with_changed_scaffold(
        spec._replace(training_hooks=hooks),
        lambda own: hook.add_to(own or tf1.train.Scaffold()),
    )


class _WarmStartHook(tf1.train.SessionRunHook):
    """Prepares a warm start when the graph is complete but not yet finalized."""

    def __init__(
        self,
        prefix: str,
        choice: Choice,
        vocabularies: carried_values.Vocabularies,
        strict: bool,
    ):
        self._prefix = prefix
        self._choice = choice
        self._vocabularies = vocabularies
        self._strict = strict
        self._restore: Optional[Callable[[tf1.Session], None]] = None
        self._has_init_op = False
        self._own_initializers = graph_api.checkpoint_initializers()

    def begin(self) -> None:
        added = graph_api.checkpoint_initializers() - self._own_initializers
        if added:
            raise ValueError(
                f"the Estimator has a warm_start_from of its own beside the "
                f"{_DECORATOR} decorator: drop one of them"
            )
        if self._own_initializers:
            _log.warning(
                "The model_fn calls init_from_checkpoint: values carried from %s win",
                self._prefix,
            )
        overruling = self._choice.overruling
        source = restoring.read(self._prefix, overruling)
        everything = graph_variables.of_graph(overruling)
        vocabularies = carried_values.with_state(self._vocabularies, everything)
        plan = plans.make(
            plans.of_checkpoint(source),
            carried_values.of_graph(everything),
            dataclasses.replace(
                self._choice, vocabularies=carried_values.axes(vocabularies)
            ),
            source_name=self._prefix,
            target_name="this model",
            ambiguous=source.contents.ambiguous,
        )
        _report(plan)
        _complain(plan, self._strict)
        self._restore = carried_values.restorer(
            plan,
            everything,
            self._prefix,
            vocabularies,
            by_initializers=not self._has_init_op,
        )

    def add_to(self, scaffold: tf1.train.Scaffold) -> tf1.train.Scaffold:
        """The Scaffold with an init_fn that restores first, then does its own."""
        own = graph_api.user_init_fn(scaffold)
        self._has_init_op = scaffold.init_op is not None

        def init_fn(finalized: tf1.train.Scaffold, session: tf1.Session) -> None:
            if self._restore is not None:
                self._restore(session)
            if own is not None:
                own(finalized, session)

        return graph_api.with_fields(scaffold, init_fn=init_fn)


def _report(plan: Plan) -> None:
    """A line for each variable of the model, and a summary with counts."""
    for item in plan.items:
        if item.target is not None:
            word = _WORDS.get(item.verdict, item.verdict.value)
            _log.info("Warm start: %s: %s (%s)", item.name, word, item.because)
    counts = plan.counts
    shown = [
        f"{counts.get(verdict, 0)} {_WORDS.get(verdict, verdict.value)}"
        for verdict, always in _COUNTED.items()
        if always or verdict in counts
    ]
    level = logging.WARNING if plan.problems else logging.INFO
    _log.log(level, "Warm start from %s: %s", plan.source, ", ".join(shown))


def _complain(plan: Plan, strict: bool) -> None:
    problems = [
        f"{item.name!r}: {_WORDS[item.verdict]} ({item.because})"
        for item in plan.problems
    ]
    problems += plan.unused
    if not problems:
        return
    if strict:
        raise WarmStartError(
            f"{plan.source} cannot warm-start this model (strict): "
            f"{'; '.join(problems)}. Exclude these variables (exclude, "
            f"--warm_start_exclude), or warm-start without strict"
        )
    for problem in problems:
        _log.warning("Warm start: %s", problem)
