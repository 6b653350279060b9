"""Conversion of whole model dirs: every checkpoint that the state file names.

All of them are planned and held against their shards before the first file is written.
Then each is converted, claimed and held as a single one is; the state file comes last.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptDataError,
    SourceChangedError,
)
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint import messages, object_keys, prefixes, state_file
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import convert
from estimator_ckpt.conversion.key_moves import Naming
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import claims
from estimator_ckpt.maps.filters import Patterns

_log = logs.logger()
_GRAPH = "graph.pbtxt"
_V1_SHARD = re.compile(r"(.*)-\d{5}(-of-\d{5})")


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
    target = Target.of(destination, to, data, overwrite, progress)
    wanted = Naming.of(
        names=names,
        root=root,
        step=step,
        assignment_map=assignment_map,
        include=include,
        exclude=exclude,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    model_dir = _ModelDir.of(files.local(source))
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
            raise _none_left(model_dir.path)
        _copy_graph(model_dir.path, target.destination)
        files.put(state, _new_state(model_dir.state, written).serialize())
    return list(dict.fromkeys(written.values()))


def moves(source: files.PathLike, destination: files.PathLike) -> list[tuple[str, str]]:
    """The prefixes of a model dir's checkpoints and their new ones, oldest first.

    Raises:
      As `convert_model_dir`, but for what a single checkpoint's conversion raises.
    """
    model_dir, new = _ModelDir.of(files.local(source)), files.local(destination)
    _refuse_same_dir(model_dir.path, new)
    return [
        (member.prefix, os.path.join(new, prefixes.base_name(member.prefix)))
        for member in model_dir.members()
    ]


def prefixes_in(directory: files.PathLike) -> list[str]:
    """The prefixes of a model dir's checkpoints that are there, oldest first.

    Raises:
      CheckpointNotFoundError: it is no model dir.
    """
    model_dir = _ModelDir.of(files.local(directory))
    return [member.prefix for member in model_dir.there()]


class _Member(NamedTuple):
    """A checkpoint of a model dir.

    Attributes:
      prefix: its prefix.
      named: how the state file names it; more than once if in several ways.
    """

    prefix: str
    named: tuple[str, ...]


class _ModelDir(NamedTuple):
    """A model dir: its path, and what its state file says."""

    path: str
    state: state_file.CheckpointState

    @classmethod
    def of(cls, path: str) -> _ModelDir:
        """Reads the state file; CheckpointNotFoundError if there is none."""
        found = state_file.read(path) if files.is_dir(path) else None
        if found is None:
            raise CheckpointNotFoundError(
                f"{path}: not a model dir: no state file named 'checkpoint' in it"
            )
        return cls(path, found)

    def there(self) -> list[_Member]:
        """The checkpoints that are there, oldest first; the others are logged."""
        named = dict.fromkeys([*self.state.all, self.state.latest])
        listings: dict[str, frozenset[str]] = {}
        members: dict[str, _Member] = {}
        gone = []
        for path in named:
            prefix = _existing(self.path, path, listings)
            if prefix is None:
                gone.append(path)
                continue
            same = os.path.realpath(prefix)
            before = members.get(same, _Member(prefix, ()))
            members[same] = before._replace(named=(*before.named, path))
        if gone:
            shown = messages.listed(repr(path)[1:-1] for path in gone)
            _log.warning("%s: left out, not there any more", shown)
        return list(members.values())

    def members(self) -> list[_Member]:
        """The same, at least one, and each with a base name of its own."""
        members = self.there()
        if not members:
            raise _none_left(self.path)
        by_name: dict[str, list[str]] = {}
        for member in members:
            by_name.setdefault(prefixes.base_name(member.prefix), []).append(
                member.prefix
            )
        clashing = [same for same in by_name.values() if len(same) > 1]
        if clashing:
            listed = "; ".join(messages.quoted(same) for same in clashing[:6])
            raise CheckpointError(
                f"{self.path}: its state file names checkpoints of one base name, "
                f"which would overwrite each other: {listed}. Convert them one by one"
            )
        return members


def _target_of(member: _Member, target: Target) -> Target:
    """Where a checkpoint of the model dir goes."""
    base = prefixes.base_name(member.prefix)
    return dataclasses.replace(
        target, destination=os.path.join(target.destination, base)
    )


@contextlib.contextmanager
def _leaving_out(member: _Member) -> Iterator[None]:
    """Leaves a checkpoint out if it was deleted while it was converted."""
    try:
        yield
    except (CheckpointNotFoundError, CorruptDataError, SourceChangedError) as error:
        if _is_there(member.prefix):
            raise
        _log.warning(
            "%s: left out, it was deleted meanwhile (%s)", member.prefix, error
        )


def _refuse_same_dir(old: str, new: str) -> None:
    if files.is_dir(new) and os.path.samefile(old, new):
        raise CheckpointError(
            f"{new}: source and destination are the same model dir; give another "
            f"destination"
        )


def _none_left(directory: str) -> CheckpointNotFoundError:
    return CheckpointNotFoundError(
        f"{directory}: none of the checkpoints that its state file names is there"
    )


def _existing(
    directory: str, named: str, listings: dict[str, frozenset[str]]
) -> Optional[str]:
    """The prefix of a checkpoint that a state file names; None if it is not there.

    Args:
      directory: the model dir.
      named: the path in its state file.
      listings: what directories hold, as far as they were listed: a state file may name
        any number of checkpoints.
    """
    for prefix in prefixes.places(directory, named):
        parent, base = os.path.split(prefix)
        if parent not in listings:
            listings[parent] = _bases_in(parent or ".")
        if base in listings[parent] and _is_there(prefix):
            return prefix
    return None


def _bases_in(directory: str) -> frozenset[str]:
    """The base names that checkpoints in a directory can have."""
    if not files.is_dir(directory):
        return frozenset()
    bases = set()
    for name in files.list_dir(directory):
        bases |= {name, name[: -len(".index")] if name.endswith(".index") else name}
        v1 = _V1_SHARD.fullmatch(name)
        if v1:
            bases |= {v1[1], f"{v1[1]}-?????{v1[2]}"}
    return frozenset(bases)


def _is_there(prefix: str) -> bool:
    return files.exists(index_path(prefix)) or prefixes.is_v1(prefix)


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
    return dataclasses.replace(
        found,
        latest=names.get(found.latest, list(names.values())[-1]),
        all=tuple(kept),
        timestamps=tuple(time for time in kept.values() if time is not None),
    )
