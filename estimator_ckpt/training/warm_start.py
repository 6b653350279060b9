"""Warm starts: a new job begins with the variables of an old checkpoint.

What is carried is decided once the graph is complete, written to the log variable by
variable, and restored by one op when the session is initialized. A session that
restores a checkpoint of its own is never initialized: so a warm start happens once
per model dir. The global step is never carried.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.migration import roles
from estimator_ckpt.migration.patterns import Filter, Patterns
from estimator_ckpt.training import model_fn as model_fns
from estimator_ckpt.training import private, sources, variables

_DECORATOR = "warm_start_from"
_log = logging.getLogger("estimator_ckpt")


class WarmStartError(CheckpointError):
    """Variables that a strict warm start cannot carry."""


class Verdict(enum.Enum):
    """What a warm start does with a variable."""

    CARRIED = "carried"
    NOT_IN_SOURCE = "not in source"
    DIFFERENT_SHAPE = "different shape"
    DIFFERENT_DTYPE = "different dtype"
    RESET = "reset"

    @property
    def is_problem(self) -> bool:
        return self not in (Verdict.CARRIED, Verdict.RESET)


@dataclasses.dataclass(frozen=True)
class Decision:
    """What a warm start does with one variable of the graph, and why.

    Attributes:
      variable: the variable.
      verdict: what is done.
      key: for CARRIED, the source's key that its value comes from.
      because: one phrase for the log.
    """

    variable: variables.GraphVariable
    verdict: Verdict
    key: Optional[str]
    because: str


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which variables a warm start is to carry.

    Attributes:
      carry: a key of `roles.CARRY`.
      names: the include and exclude.
    """

    carry: str
    names: Filter

    @classmethod
    def of(cls, carry: str, include: Patterns, exclude: Patterns) -> Choice:
        """Checks the arguments of a warm start.

        Raises:
          ValueError: an unknown `carry`, or a pattern that is no regex.
        """
        if carry not in roles.CARRY:
            known = ", ".join(map(repr, roles.CARRY))
            raise ValueError(f"unknown carry {carry!r}: use one of {known}")
        return cls(carry, Filter(include, exclude))

    def leaves_out(self, variable: variables.GraphVariable) -> Optional[str]:
        """Why a variable is not to be carried, or None if it is."""
        if variable.role == roles.GLOBAL_STEP:
            return "the global step is never carried"
        if self.names.excludes(variable.name):
            return "excluded"
        if not self.names.includes(variable.name):
            return "not included"
        if variable.role not in roles.CARRY[self.carry]:
            return f"carry={self.carry!r} leaves {variable.role} variables out"
        return None


def warm_start_from(
    source: files.PathLike,
    *,
    carry: str = "model",
    include: Patterns = None,
    exclude: Patterns = None,
    strict: bool = False,
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
      exclude: a regex, or several; variables whose name one matches are not carried.
      strict: raise an error if a variable that is to be carried cannot be, or if a
        pattern matches nothing, instead of a warning.

    Returns:
      A decorator for model_fns.

    Raises:
      ValueError: an unknown `carry`, a pattern that is no regex, or a model_fn that
        has been decorated with it before.
      CheckpointNotFoundError: (when training begins) `source` holds no checkpoint.
      WarmStartError: (when training begins, `strict`) lists every variable that
        cannot be carried.
    """
    choice = Choice.of(carry, include, exclude)

    def decorate(model_fn: model_fns.ModelFn) -> model_fns.ModelFn:
        def change(spec: Any, config: Optional[tf.estimator.RunConfig]) -> Any:
            if not _is_due(spec, config):
                return spec
            prefix = sources.resolve(source)
            return _with_warm_start(spec, prefix, choice, strict)

        return model_fns.wrap(model_fn, _DECORATOR, change)

    return decorate


def warm_start_settings(
    source: files.PathLike,
    *,
    carry: str = "model",
    include: Patterns = None,
    exclude: Patterns = None,
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

    Raises:
      ValueError: an unknown `carry`, or a pattern that is no regex.
      CheckpointNotFoundError: `source` holds no checkpoint.
      CheckpointError: nothing is left to carry.
    """
    choice = Choice.of(carry, include, exclude)
    found = sources.read(sources.resolve(source))
    found.layout.require_unique(found.prefix)
    known = found.layout.keys
    chosen = [
        name
        for name in known
        if choice.leaves_out(_variable_of_source(found, name)) is None
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
    by_full_name = all(found.full_names.get(n, n) == known[n] for n in chosen)
    renamed = {} if by_full_name else {name: known[name] for name in chosen}
    return tf.estimator.WarmStartSettings(
        ckpt_to_initialize_from=found.prefix,
        vars_to_warm_start=[rf"(?:{alternatives})(?:/part_\d+)?:0$"],
        var_name_to_prev_var_name=renamed,
    )


def decide(
    source: sources.Source,
    graph_variables: Mapping[str, variables.GraphVariable],
    choice: Choice,
) -> list[Decision]:
    """What a warm start does with each variable of a graph, in the graph's order."""
    decisions = {
        name: _decide(source, variable, choice)
        for name, variable in graph_variables.items()
    }
    _reset_lone_beta_powers(decisions)
    _follow_carried_variables(decisions, choice)
    return list(decisions.values())


def _decide(
    source: sources.Source, variable: variables.GraphVariable, choice: Choice
) -> Decision:
    left_out = choice.leaves_out(variable)
    if left_out:
        return Decision(variable, Verdict.RESET, None, left_out)
    if variable.name in source.layout.ambiguous:
        keys = ", ".join(source.layout.ambiguous[variable.name])
        because = f"several variables have this full name there: {keys}"
        return Decision(variable, Verdict.NOT_IN_SOURCE, None, because)
    key = source.layout.keys.get(variable.name)
    if key is None:
        return Decision(variable, Verdict.NOT_IN_SOURCE, None, "no such variable")
    shape, dtype = source.shapes[key], source.dtypes[key]
    there = f"{dtype.name}{list(shape)}"
    if dtype != variable.dtype:
        because = f"{there} there, {variable.dtype.name} here"
        return Decision(variable, Verdict.DIFFERENT_DTYPE, None, because)
    if variable.shape is not None and shape != variable.shape:
        because = f"{there} there, {list(variable.shape)} here"
        return Decision(variable, Verdict.DIFFERENT_SHAPE, None, because)
    return Decision(variable, Verdict.CARRIED, key, f"from {key!r}, {there}")


def _reset_lone_beta_powers(decisions: dict[str, Decision]) -> None:
    """Beta powers without their slots would scale the first steps wrongly."""
    slots_carried = any(
        decision.verdict is Verdict.CARRIED and roles.slot_owner(name, decisions)
        for name, decision in decisions.items()
    )
    if slots_carried:
        return
    for name, decision in decisions.items():
        if decision.verdict is Verdict.CARRIED and roles.is_beta_power(name):
            decisions[name] = dataclasses.replace(
                decision, verdict=Verdict.RESET, key=None, because="no slots carried"
            )


def _follow_carried_variables(decisions: dict[str, Decision], choice: Choice) -> None:
    """An average that is not carried itself begins at its variable's carried value."""
    for name, decision in decisions.items():
        if decision.verdict is Verdict.CARRIED or choice.names.excludes(name):
            continue
        variable = roles.averaged_variable(name, decisions)
        if variable is None or decisions[variable].verdict is not Verdict.CARRIED:
            continue
        if decisions[variable].variable.shape != decision.variable.shape:
            continue
        decisions[name] = Decision(
            decision.variable,
            Verdict.CARRIED,
            decisions[variable].key,
            f"as its variable, from {decisions[variable].key!r}",
        )


def _is_due(spec: Any, config: Optional[tf.estimator.RunConfig]) -> bool:
    """Whether this model_fn call is for the first training of a model dir, as chief."""
    if spec.mode != tf.estimator.ModeKeys.TRAIN:
        return False
    if config is None:
        return True
    if config.model_dir:
        existing = sources.latest(config.model_dir)
        if existing:
            _log.info("Not warm-starting: %s is there already", existing)
            return False
    return bool(config.is_chief)


def _with_warm_start(spec: Any, prefix: str, choice: Choice, strict: bool) -> Any:
    """The spec with a hook that prepares the warm start and an init_fn that runs it."""
    hook = _WarmStartHook(prefix, choice, strict)
    hooks = [*(spec.training_hooks or ()), hook]
    return model_fns.with_changed_scaffold(
        spec._replace(training_hooks=hooks),
        lambda own: hook.add_to(own or tf1.train.Scaffold()),
    )


class _WarmStartHook(tf1.train.SessionRunHook):
    """Prepares a warm start when the graph is complete but not yet finalized."""

    def __init__(self, prefix: str, choice: Choice, strict: bool):
        self._prefix = prefix
        self._choice = choice
        self._strict = strict
        self._saver: Optional[tf1.train.Saver] = None
        self._own_initializers = _checkpoint_initializers()

    def begin(self) -> None:
        added = _checkpoint_initializers() - self._own_initializers
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
        everything = variables.of_graph()
        decisions = decide(sources.read(self._prefix), everything, self._choice)
        _report(self._prefix, decisions)
        _complain(
            self._prefix,
            decisions,
            self._choice.names.unused(everything),
            self._strict,
        )
        carried = {d.variable.name: d for d in decisions if d.key is not None}
        if carried:
            saveables = private.saveables_by_name(None)
            self._saver = private.Saver(
                {name: saveables[name] for name in carried},
                name="warm_start",
                sharded=True,
                builder=private.RestoreBuilder(
                    {name: str(d.key) for name, d in carried.items()}
                ),
            )

    def add_to(self, scaffold: tf1.train.Scaffold) -> tf1.train.Scaffold:
        """The Scaffold with an init_fn that restores first, then does its own."""
        own = private.user_init_fn(scaffold)

        def init_fn(finalized: tf1.train.Scaffold, session: tf1.Session) -> None:
            if self._saver is not None:
                self._saver.restore(session, self._prefix)
            if own is not None:
                own(finalized, session)

        return private.with_fields(scaffold, init_fn=init_fn)


def _checkpoint_initializers() -> frozenset[str]:
    """The ops that init_from_checkpoint made in the default graph."""
    return frozenset(
        operation.name
        for operation in tf1.get_default_graph().get_operations()
        if operation.type == "RestoreV2" and "checkpoint_initializer" in operation.name
    )


def _report(prefix: str, decisions: Sequence[Decision]) -> None:
    """A line for each variable, and a summary with counts."""
    for decision in decisions:
        _log.info(
            "Warm start: %s: %s (%s)",
            decision.variable.name,
            decision.verdict.value,
            decision.because,
        )
    counts = collections.Counter(decision.verdict for decision in decisions)
    shown = [
        verdict
        for verdict in Verdict
        if counts[verdict] or verdict is not Verdict.DIFFERENT_DTYPE
    ]
    _log.log(
        logging.WARNING
        if any(decision.verdict.is_problem for decision in decisions)
        else logging.INFO,
        "Warm start from %s: %s",
        prefix,
        ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in shown),
    )


def _complain(
    prefix: str, decisions: Sequence[Decision], unused: Sequence[str], strict: bool
) -> None:
    problems = [
        f"{d.variable.name!r}: {d.verdict.value} ({d.because})"
        for d in decisions
        if d.verdict.is_problem
    ]
    problems += [f"the pattern {pattern!r} matches no variable" for pattern in unused]
    if not problems:
        return
    if strict:
        raise WarmStartError(
            f"{prefix} cannot warm-start this model (strict): {'; '.join(problems)}. "
            f"Exclude these variables (exclude, --warm_start_exclude), or warm-start "
            f"without strict"
        )
    for problem in problems:
        _log.warning("Warm start: %s", problem)


def _variable_of_source(source: sources.Source, name: str) -> variables.GraphVariable:
    """A variable of a checkpoint, its role told from its name."""
    key = source.layout.keys[name]
    if name == source.layout.global_step:
        role = roles.GLOBAL_STEP
    elif name in source.layout.slots or roles.is_optimizer_state(
        name, source.layout.keys
    ):
        role = roles.OPTIMIZER
    elif roles.is_model_state(name, source.layout.keys):
        role = roles.MODEL
    else:
        role = roles.TRAINABLE
    return variables.GraphVariable(
        name=name,
        parts=(),
        shape=source.shapes[key],
        dtype=source.dtypes[key],
        role=role,
    )
