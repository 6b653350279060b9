"""The hook that carries a warm start's variables into a graph.

What is carried is decided once the graph is complete, written to the log variable by
variable, and restored by one op for each source when the session is initialized.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Any

from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.estimator import graph_variables
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.estimator.graph_variables import GraphVariable
from estimator_ckpt.estimator.restoring import job_sources
from estimator_ckpt.estimator.warm_starts import carried_values
from estimator_ckpt.estimator.warm_starts.warm_start import DECORATOR
from estimator_ckpt.maps import planner
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.plans import Item, Plan, Verdict
from estimator_ckpt.tf_private import graph_api

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


class WarmStartError(CheckpointError, ValueError):
    """Variables that a warm start cannot carry, or would carry twice.

    A ValueError too, as what `init_from_checkpoint` raises is.
    """


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """One source, and what is to be carried from it.

    Attributes:
      prefix: the checkpoint.
      choice: which variables are carried.
      vocabularies: those that rows follow, by variable name.
      strict: whether what cannot be carried is an error.
    """

    prefix: str
    choice: Choice
    vocabularies: carried_values.Vocabularies
    strict: bool


def with_warm_start(spec: Any, start: WarmStart) -> Any:
    """The spec with a hook that prepares a warm start and an init_fn that runs it.

    A spec that has one gets one more source.
    """
    hooks = spec.training_hooks or ()
    for hook in hooks:
        if isinstance(hook, WarmStartHook):
            hook.starts.append(start)
            return spec
    hook = WarmStartHook(start)
    # A tuple: TPUEstimatorSpec appends one.
    return model_fns.with_changed_scaffold(
        spec._replace(training_hooks=(*hooks, hook)),
        lambda own: hook.add_to(own or tf1.train.Scaffold()),
    )


class WarmStartHook(tf1.train.SessionRunHook):
    """Prepares a warm start when the graph is complete but not yet finalized.

    Attributes:
      starts: the sources, the first decorator's first.
    """

    def __init__(self, start: WarmStart):
        self.starts = [start]
        self._restorers: list[Callable[[tf1.Session], None]] = []
        self._has_init_op = False
        self._copies = contextlib.ExitStack()
        self._own_initializers = graph_api.checkpoint_initializers()

    def begin(self) -> None:
        """Decides what is carried, and adds the ops that carry it."""
        added = graph_api.checkpoint_initializers() - self._own_initializers
        if added:
            raise ValueError(
                f"the Estimator has a warm_start_from of its own beside the "
                f"{DECORATOR} decorator: drop one of them"
            )
        if self._own_initializers:
            _log.warning(
                "The model_fn calls init_from_checkpoint: values carried from %s win",
                messages.listed(start.prefix for start in self.starts),
            )
        given = [graph_variables.of_graph(s.choice.overruling) for s in self.starts]
        made = [_plan(start, found) for start, found in zip(self.starts, given)]
        carried = _carried_by(made)
        for start, plan in zip(self.starts, made):
            _report(plan, carried)
            _complain(plan, carried, start.strict)
        self._restorers = [
            carried_values.restorer(
                plan,
                found,
                self._copies.enter_context(job_sources.restorable(start.prefix)),
                carried_values.with_state(start.vocabularies, found),
                by_initializers=not self._has_init_op,
            )
            for start, plan, found in zip(self.starts, made, given)
        ]

    def end(self, session: tf1.Session) -> None:
        """Lets go of what a source had to be written as for TensorFlow to read it."""
        del session
        self._copies.close()

    def add_to(self, scaffold: tf1.train.Scaffold) -> tf1.train.Scaffold:
        """The Scaffold with an init_fn that restores first, then does its own."""
        own = graph_api.user_init_fn(scaffold)
        self._has_init_op = scaffold.init_op is not None

        def init_fn(finalized: tf1.train.Scaffold, session: tf1.Session) -> None:
            for restore in self._restorers:
                restore(session)
            if own is not None:
                own(finalized, session)

        return graph_api.with_fields(scaffold, init_fn=init_fn)


def _plan(start: WarmStart, everything: Mapping[str, GraphVariable]) -> Plan:
    source = job_sources.read(start.prefix, start.choice.overruling)
    old, new = planner.of_checkpoint(source), carried_values.of_graph(everything)
    remark = planner.undecided(old, new)
    if remark:
        _log.warning("Warm start from %s: %s", source.prefix, remark)
    vocabularies = carried_values.with_state(start.vocabularies, everything)
    made = planner.make(
        old,
        new,
        start.choice._replace(vocabularies=carried_values.axes(vocabularies)),
        source_name=start.prefix,
        target_name="this model",
        ambiguous=source.contents.ambiguous,
    )
    job_sources.require_carried(source, made)
    return made


def _carried_by(made: list[Plan]) -> dict[str, str]:
    """The source of each variable that is carried.

    Raises:
      WarmStartError: a variable would be carried from two; lists all.
    """
    sources: dict[str, list[str]] = {}
    for plan in made:
        for item in plan.items:
            if item.verdict.is_carried:
                sources.setdefault(item.name, []).append(plan.source)
    twice = [
        f"{name!r} from {' and from '.join(found)}"
        for name, found in sources.items()
        if len(found) > 1
    ]
    if twice:
        raise WarmStartError(
            f"variables that would be carried twice: {'; '.join(twice)}. Leave each "
            f"out of one of the sources (include, exclude)"
        )
    return {name: found[0] for name, found in sources.items()}


def _report(plan: Plan, carried: Mapping[str, str]) -> None:
    """A line for each variable of the model, and a summary with counts."""
    shown = [item for item in plan.items if not _is_carried_elsewhere(item, carried)]
    for item in shown:
        if item.target is not None:
            word = _WORDS.get(item.verdict, item.verdict.value)
            _log.info("Warm start: %s: %s (%s)", item.name, word, item.because)
    numbers = {
        _WORDS.get(verdict, verdict.value): number
        for verdict, always in _COUNTED.items()
        if (number := sum(item.verdict is verdict for item in shown)) or always
    }
    problems = any(item.verdict.is_problem for item in shown)
    level = logging.WARNING if problems else logging.INFO
    _log.log(level, "Warm start from %s: %s", plan.source, messages.counts(numbers))


def _is_carried_elsewhere(item: Item, carried: Mapping[str, str]) -> bool:
    """Whether a variable that one source does not give comes from another."""
    is_target = item.target is not None and item.verdict is not Verdict.UNUSED
    return is_target and not item.verdict.is_carried and item.name in carried


def _complain(plan: Plan, carried: Mapping[str, str], strict: bool) -> None:
    problems = [
        f"{item.name!r}: {_WORDS[item.verdict]} ({item.because})"
        for item in plan.problems
        if not _is_carried_elsewhere(item, carried)
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
