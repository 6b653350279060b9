"""Which key of a checkpoint each of a saver's saveables is restored from.

A checkpoint of any format will do: its object keys are looked for, then its names. What
it lacks, or has in another shape or dtype, is an error that lists all of it, or starts
at its initial value where that was asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Optional

import tensorflow as tf

from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.estimator.restoring.restore_errors import (
    MismatchError,
    MissingVariableError,
    RestoreError,
)
from estimator_ckpt.estimator.saving.saver_keys import SaverKeys

#: What the global step may be.
_INTEGERS = frozenset({"int32", "int64"})


@dataclasses.dataclass(frozen=True)
class RestoreKeys:
    """Where each saveable is found in a checkpoint.

    Attributes:
      keys: the key of each, by what the saver calls it.
      missing: what the checkpoint lacks, and starts at its initial value.
      averages: averages that it lacks, with the variables whose values they take.
      step: the global step, if its dtype is another integer there.
    """

    keys: Mapping[str, str]
    missing: tuple[str, ...] = ()
    averages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    step: Optional[str] = None


def choose(
    source: Checkpoint,
    saver: SaverKeys,
    dtypes: Mapping[str, tf.DType],
    *,
    initialize_missing: bool,
) -> RestoreKeys:
    """Finds everything that is restored in a checkpoint.

    Args:
      source: the checkpoint.
      saver: the keys that the saver saves under.
      dtypes: what is restored, by what the saver calls it, with its dtype.
      initialize_missing: whether what the checkpoint lacks starts at its initial value,
        and an average of a variable at that variable's value there.

    Raises:
      MissingVariableError: something is not there; names all, of what differs too.
      MismatchError: something has another shape or dtype there; names all.
    """
    found = {
        called: _find(source, saver.name(called), saver.object_keys.get(called))
        for called in dtypes
    }
    keys = {called: key for called, key in found.items() if key is not None}
    averages: dict[str, str] = {}
    if initialize_missing:
        averages = _averages(source, saver, [c for c in found if c not in keys])
        keys.update({c: source.contents.keys[of] for c, of in averages.items()})
    missing, lacks = _lacking(
        source, saver, [c for c in dtypes if c not in keys], initialize_missing
    )
    differs, step = _differing(source, saver, keys, dtypes)
    if missing and not set(keys) - {saver.step}:
        lacks = [f"none of the {len(missing)} variables of this graph is in it"]
    _complain(source, lacks, differs, hint=not initialize_missing)
    return RestoreKeys(keys, tuple(missing), averages, step)


def _lacking(
    source: Checkpoint, saver: SaverKeys, absent: list[str], initialize_missing: bool
) -> tuple[list[str], list[str]]:
    """What a checkpoint lacks: what may start at its initial value, and complaints."""
    missing, lacks = [], []
    for called in absent:
        name = saver.name(called)
        if name in source.contents.ambiguous:
            lacks.append(f"{name!r} is the full name of more than one variable there")
        elif initialize_missing and _starts_somewhere(saver, called):
            missing.append(called)
        else:
            lacks.append(f"{name!r} is not in it")
    return missing, lacks


def _differing(
    source: Checkpoint,
    saver: SaverKeys,
    keys: Mapping[str, str],
    dtypes: Mapping[str, tf.DType],
) -> tuple[list[str], Optional[str]]:
    """Complaints about other shapes and dtypes; the step, if it is to be cast."""
    differs, step = [], None
    for called, key in keys.items():
        entry, name = source.index[key], saver.name(called)
        variable = saver.variables.get(called)
        wanted = dtypes[called].name
        if variable is not None and variable.shape not in (None, entry.shape):
            differs.append(
                f"{name!r} has shape {list(entry.shape)} there and "
                f"{list(variable.shape or ())} here"
            )
        elif entry.dtype_name == wanted:
            continue
        elif called == saver.step and entry.dtype_name in _INTEGERS:
            step = called
        else:
            differs.append(
                f"{name!r} has dtype {entry.dtype_name} there and {wanted} here"
            )
    return differs, step


def _complain(
    source: Checkpoint, lacks: list[str], differs: list[str], *, hint: bool
) -> None:
    if not (lacks or differs):
        return
    error_type: type[RestoreError] = MissingVariableError if lacks else MismatchError
    start = (
        "; to go on from it all the same, with what it lacks at its initial value, say "
        "on_missing='initialize' (--on_missing=initialize)"
        if hint and lacks and not differs
        else ""
    )
    raise error_type(
        f"{source.prefix} does not fit this graph: {'; '.join([*lacks, *differs])}. To "
        f"take over what does fit, warm-start a new model dir from it "
        f"(warm_start_from, --warm_start_from); for renamed variables give "
        f"an assignment map (assignment_map=, --assignment_map){start}"
    )


def _find(source: Checkpoint, name: str, object_key: Optional[str]) -> Optional[str]:
    if object_key is not None and object_key in source.index:
        return object_key
    if name in source.contents.keys:
        return source.contents.keys[name]
    # A hash table is saved under its name with `-keys` and `-values` behind it.
    table, dash, part = name.rpartition("-")
    key = f"{source.contents.tables.get(table, table)}{dash}{part}"
    return key if key in source.index else None


def _starts_somewhere(saver: SaverKeys, called: str) -> bool:
    """Whether it has an initial value: a table starts empty."""
    variable = saver.variables.get(called)
    return variable is None or variable.initializers is not None


def _averages(
    source: Checkpoint, saver: SaverKeys, missing: list[str]
) -> dict[str, str]:
    """The variable of a checkpoint that each missing average is of."""
    if not missing:
        return {}
    there = {
        name: Fact(source.index[key].dtype_name, source.index[key].shape)
        for name, key in source.contents.keys.items()
    }
    variables = [(called, saver.variables.get(called)) for called in missing]
    facts = {
        saver.name(called): Fact(variable.dtype.name, variable.shape)
        for called, variable in variables
        if variable is not None
    }
    decided = role_evidence.decide({**there, **facts})
    found = {called: decided.averaged(saver.name(called)) for called in missing}
    return {c: of for c, of in found.items() if of is not None and of in there}
