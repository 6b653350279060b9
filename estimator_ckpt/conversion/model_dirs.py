"""Conversion of whole model dirs: every checkpoint that the state file names."""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptDataError,
)
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint import object_keys, prefixes, state_file
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.conversion import convert
from estimator_ckpt.conversion.key_moves import Naming
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.maps.filters import Patterns

_log = logging.getLogger("estimator_ckpt")
_GRAPH = "graph.pbtxt"


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
      data: as for `convert`.
      overwrite: whether to replace checkpoints that are there.
      progress: as for `convert`.

    Returns:
      The new prefixes, oldest first.

    Raises:
      As `convert`; CheckpointNotFoundError if no checkpoint of the model dir is left.
    """
    target = Target.of(destination, to, data, overwrite, progress)
    wanted = Naming.of(
        names=names,
        root=root,
        step=step,
        assignment_map=assignment_map,
        include=include,
        exclude=exclude,
    )
    old, new = files.local(source), target.destination
    found = _state(old)
    planned = _moves(old, new, found)
    targets = {
        path: dataclasses.replace(target, destination=new_prefix)
        for path, (_, new_prefix) in planned.items()
    }
    for path, (prefix, _) in planned.items():  # all, before the first is written
        targets[path].usable_prefix(prefix)
    written: dict[str, str] = {}
    for path, (prefix, _) in planned.items():
        try:
            written[path] = convert.run(prefix, targets[path], wanted)
        except (CheckpointNotFoundError, CorruptDataError) as error:
            if _is_there(prefix):
                raise
            _log.warning("%s: left out, it was deleted meanwhile (%s)", prefix, error)
    if not written:
        raise _none_left(old)
    if files.exists(os.path.join(old, _GRAPH)):
        graph = os.path.join(old, _GRAPH)
        files.link_or_copy(graph, os.path.join(new, _GRAPH), "copy")
    files.put(
        os.path.join(new, state_file.FILE_NAME), _new_state(found, written).serialize()
    )
    return list(written.values())


def moves(source: files.PathLike, destination: files.PathLike) -> list[tuple[str, str]]:
    """The prefixes of a model dir's checkpoints and their new ones, oldest first.

    Raises:
      As `convert_model_dir`, but for what a single checkpoint's conversion raises.
    """
    old, new = files.local(source), files.local(destination)
    return list(_moves(old, new, _state(old)).values())


def prefixes_in(directory: files.PathLike) -> list[str]:
    """The prefixes of a model dir's checkpoints that are there, oldest first.

    Raises:
      CheckpointNotFoundError: it is no model dir.
    """
    path = files.local(directory)
    found = [_existing(path, named) for named in _named(_state(path))]
    return [prefix for prefix in found if prefix is not None]


def _state(directory: str) -> state_file.CheckpointState:
    found = state_file.read(directory) if files.is_dir(directory) else None
    if found is None:
        raise CheckpointNotFoundError(
            f"{directory}: not a model dir: no state file named 'checkpoint' in it"
        )
    return found


def _moves(
    old: str, new: str, found: state_file.CheckpointState
) -> dict[str, tuple[str, str]]:
    """Old and new prefix of each checkpoint that is there, by its path in the state."""
    if files.is_dir(new) and os.path.samefile(old, new):
        raise CheckpointError(
            f"{new}: source and destination are the same model dir; give another "
            f"destination"
        )
    result = {}
    for path in _named(found):
        prefix = _existing(old, path)
        if prefix is None:
            _log.warning("%s: left out, it is not there any more", path)
            continue
        result[path] = prefix, os.path.join(new, prefixes.base_name(prefix))
    if not result:
        raise _none_left(old)
    return result


def _none_left(directory: str) -> CheckpointNotFoundError:
    return CheckpointNotFoundError(
        f"{directory}: none of the checkpoints that its state file names is there"
    )


def _named(found: state_file.CheckpointState) -> list[str]:
    return [*found.all, *([] if found.latest in found.all else [found.latest])]


def _existing(directory: str, path: str) -> Optional[str]:
    for prefix in prefixes.places(directory, path):
        if _is_there(prefix):
            return prefix
    return None


def _is_there(prefix: str) -> bool:
    return files.exists(index_path(prefix)) or prefixes.is_v1(prefix)


def _new_state(
    found: state_file.CheckpointState, written: dict[str, str]
) -> state_file.CheckpointState:
    """The state of the new dir: the same checkpoints by their names in it."""
    names = {path: os.path.basename(prefix) for path, prefix in written.items()}
    kept = [path for path in found.all if path in names]
    has_times = len(found.timestamps) == len(found.all)
    times = dict(zip(found.all, found.timestamps)) if has_times else {}
    return dataclasses.replace(
        found,
        latest=names.get(found.latest, list(names.values())[-1]),
        all=tuple(names[path] for path in kept),
        timestamps=tuple(times[path] for path in kept) if has_times else (),
    )
