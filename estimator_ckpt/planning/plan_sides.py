"""The two sides of a plan: a source, and whatever a target can be.

TensorFlow is imported only for a model_fn, whose graph is built and thrown away, and
for an object.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import common_names, naming
from estimator_ckpt.checkpoint.evidence import meta_graph
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.opening import opened
from estimator_ckpt.checkpoint.paths import wholeness
from estimator_ckpt.checkpoint.roles import Overruling
from estimator_ckpt.checkpoint.variable import StoredVariable, Variable
from estimator_ckpt.maps import planner


class GraphInputs(NamedTuple):
    """What a model_fn's graph is built from; nothing of it matters for other targets.

    Attributes:
      input_fn: where features and labels come from.
      params: the model_fn's params.
      mode: `train`, `eval` or `infer`.
      config: a RunConfig; None for one as `RunConfig()` makes it.
    """

    input_fn: Optional[Callable[..., Any]] = None
    params: Optional[Mapping[str, Any]] = None
    mode: str = "train"
    config: Any = None


#: For targets that are no model_fn.
NO_GRAPH = GraphInputs()


class ReadBy(NamedTuple):
    """How checkpoints are read.

    Attributes:
      names: what variables of object-based ones are called.
      overruling: what a user says of variables' roles.
    """

    names: NamesLike
    overruling: Overruling


def _no_files(_: Iterable[StoredVariable]) -> None:
    """What is no checkpoint has no files that could be missing."""


class Side(NamedTuple):
    """A source or a target.

    Attributes:
      name: what to call it.
      variables: its variables by name.
      order: gives their names in the order in which a graph made them; none if that
        is not known.
      ambiguous: keys by the name that more than one variable claims.
      is_of_objects: whether it is a checkpoint with an object graph.
      full_names: of an object, what a checkpoint of it calls each variable.
      require_stored: checks that the files are there that have some of the variables.
    """

    name: str
    variables: Mapping[str, Variable]
    order: Callable[[], list[str]] = list
    ambiguous: Mapping[str, tuple[str, ...]] = {}
    is_of_objects: bool = False
    full_names: Mapping[str, str] = {}
    require_stored: Callable[[Iterable[StoredVariable]], None] = _no_files


def sides_of(
    source: files.PathLike, target: Any, read_by: ReadBy, graph_inputs: GraphInputs
) -> tuple[Side, Side]:
    """The source and the target, whatever that is.

    Raises:
      ValueError: the target is nothing of these, or a model_fn without an input_fn.
      CheckpointNotFoundError: there is no such checkpoint.
    """
    if isinstance(target, (str, os.PathLike)):
        with common_names.opened(source, target, *read_by) as (a, b):
            there, here = common_names.all_variables(a, b)
            return _side(a.checkpoint, there), _side(b.checkpoint, here)
    from estimator_ckpt.keras.objects import object_variables

    if object_variables.is_trackable(target):
        found = object_variables.of_trackable(
            target, read_by.overruling, naming.parse(read_by.names)
        )
        new = Side(type(target).__name__, found.variables, full_names=found.full_names)
        return _checkpoint(source, read_by), new
    if not callable(target):
        raise ValueError(
            f"a plan's target is a checkpoint's path, a model_fn or a trackable "
            f"object, not {target!r}"
        )
    if graph_inputs.input_fn is None:
        raise ValueError(
            "a plan for a model_fn needs an input_fn (--input_fn), from which its "
            "graph is built"
        )
    from estimator_ckpt.estimator import gfile_store, model_fn_graph

    # The source is where a job of this model_fn would read it.
    old = _checkpoint(source, read_by, gfile_store.of(source))
    variables = model_fn_graph.of_model_fn(
        target,
        graph_inputs.input_fn,
        graph_inputs.params,
        graph_inputs.mode,
        graph_inputs.config,
        read_by.overruling,
    )
    called = getattr(target, "__name__", type(target).__name__)
    return old, Side(called, variables, functools.partial(list, variables))


def _checkpoint(
    path: files.PathLike, read_by: ReadBy, store: files.Store = files
) -> Side:
    """A checkpoint that is held against a graph or an object."""
    names, overruling = read_by
    with opened(path, names=names, store=store, overruling=overruling) as checkpoint:
        return _side(checkpoint, planner.of_checkpoint(checkpoint))


def _side(checkpoint: Checkpoint, variables: Mapping[str, Variable]) -> Side:
    require_stored = _no_files
    if checkpoint.is_bundle:
        require_stored = functools.partial(
            wholeness.require_stored,
            *(checkpoint.prefix, checkpoint.index),
            store=checkpoint.store,
        )
    return Side(
        checkpoint.prefix,
        variables,
        functools.partial(
            meta_graph.creation_order, checkpoint.prefix, checkpoint.store
        ),
        checkpoint.contents.ambiguous,
        checkpoint.graph is not None,
        require_stored=require_stored,
    )
