"""Conversion of whole model dirs: every checkpoint that the state file names.

All of them are planned and held against their shards before the first file is written.
Then each is converted, claimed and held as a single one is; the state file comes last.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Optional

from estimator_ckpt.bundle import argument_types, files, logs
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptDataError,
    SourceChangedError,
)
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.paths import prefixes, state_file
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import convert, listed_checkpoints
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.listed_checkpoints import Member, ModelDir
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import claims
from estimator_ckpt.maps.filters import Patterns

_GRAPH = "graph.pbtxt"


@argument_types.checked
def convert_model_dir(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: FormatLike,
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    names: NamesLike = "full_name",
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    data: str = "auto",
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> list[str]:
    """Converts every checkpoint that a model dir's state file names.

    The state file is written last, with relative paths, in the same order. Checkpoints
    keep their times, by which Savers tell their age. Events and exports are not
    copied. It may run beside a training job: what retention deletes meanwhile is left
    out, with a warning.

    Args:
      source: a model dir.
      destination: the new model dir.
      to: `tf1`, `tf2` or `dual`.
      include: as for `convert`.
      exclude: as for `convert`.
      assignment_map: as for `convert`.
      names: as for `convert`.
      root: as for `convert`.
      step: as for `convert`.
      optimizer_state: as for `convert`.
      model_state: as for `convert`.
      data: as for `convert`.
      overwrite: whether to replace checkpoints that are there.
      progress: as for `convert`.

    Returns:
      The new prefixes, oldest first.

    Raises:
      CheckpointNotFoundError: it is no model dir, or no checkpoint of it is left.
      CheckpointError: two of its checkpoints have one base name.
      As `convert`. What is wrong with any checkpoint is said before the first file is
      written.
    """
    return run(
        source,
        Target.of(destination, to, data, overwrite, progress),
        Naming.of(
            names=names,
            root=root,
            step=step,
            assignment_map=assignment_map,
            include=include,
            exclude=exclude,
            optimizer_state=optimizer_state,
            model_state=model_state,
        ),
    )


def run(source: files.PathLike, target: Target, wanted: Naming) -> list[str]:
    """Converts a model dir's checkpoints; see `convert_model_dir`."""
    model_dir = ModelDir.of(files.local(source))
    members = model_dir.members()
    new = {member.prefix: _target_of(member, target) for member in members}
    _refuse_same_dir(model_dir.path, target.destination)
    left = []
    for member in members:  # all, before the first file is written
        with _leaving_out(member):
            convert.plan(member.prefix, new[member.prefix], wanted)
            left.append(member)
    written: dict[str, str] = {}
    state = os.path.join(target.destination, state_file.FILE_NAME)
    with claims.claimed(state):
        for member in left:
            with _leaving_out(member):
                target_of_member = new[member.prefix]
                prefix = convert.run(member.prefix, target_of_member, wanted)
                written.update(dict.fromkeys(member.named, prefix))
        if not written:
            raise listed_checkpoints.none_left(model_dir.path)
        _copy_graph(model_dir.path, target.destination)
        files.put(state, _new_state(model_dir.state, written).serialize())
    return list(dict.fromkeys(written.values()))


def plan(
    source: files.PathLike, target: Target, wanted: Naming
) -> list[convert.Conversion]:
    """What `run` would do with each checkpoint, oldest first; refuses what it would."""
    model_dir = ModelDir.of(files.local(source))
    _refuse_same_dir(model_dir.path, target.destination)
    return [
        convert.plan(member.prefix, _target_of(member, target), wanted)
        for member in model_dir.members()
    ]


def _target_of(member: Member, target: Target) -> Target:
    """Where a checkpoint of the model dir goes."""
    base = prefixes.base_name(member.prefix)
    return target._replace(destination=os.path.join(target.destination, base))


@contextlib.contextmanager
def _leaving_out(member: Member) -> Iterator[None]:
    """Leaves a checkpoint out if it was deleted while it was converted."""
    try:
        yield
    except (CheckpointNotFoundError, CorruptDataError, SourceChangedError) as error:
        if prefixes.at(member.prefix) is not None:
            raise
        logs.logger().warning(
            "%s: left out, it was deleted meanwhile (%s)", member.prefix, error
        )


def _refuse_same_dir(old: str, new: str) -> None:
    if files.is_dir(new) and os.path.samefile(old, new):
        raise CheckpointError(
            f"{new}: source and destination are the same model dir; give another "
            f"destination"
        )


def _copy_graph(old: str, new: str) -> None:
    """Copies `graph.pbtxt`, if there is one."""
    with contextlib.suppress(CheckpointNotFoundError):
        files.link_or_copy(os.path.join(old, _GRAPH), os.path.join(new, _GRAPH), "copy")


def _new_state(
    found: state_file.CheckpointState, written: dict[str, str]
) -> state_file.CheckpointState:
    """The state of the new dir: the same checkpoints by their names in it."""
    names = {path: os.path.basename(prefix) for path, prefix in written.items()}
    has_times = len(found.timestamps) == len(found.all)
    times = dict(zip(found.all, found.timestamps)) if has_times else {}
    kept = {names[path]: times.get(path) for path in found.all if path in names}
    return found._replace(
        latest=names.get(found.latest, list(names.values())[-1]),
        all=tuple(kept),
        timestamps=tuple(time for time in kept.values() if time is not None),
    )
