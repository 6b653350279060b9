"""The checkpoints that a model dir's state file names, as far as they are there."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.errors import CheckpointError, CheckpointNotFoundError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.paths import prefixes, state_file, v1_files


def prefixes_in(directory: files.PathLike) -> list[str]:
    """The prefixes of a model dir's checkpoints that are there, oldest first.

    Raises:
      CheckpointNotFoundError: it is no model dir.
    """
    model_dir = ModelDir.of(files.local(directory))
    return [member.prefix for member in model_dir.there()]


class Member(NamedTuple):
    """A checkpoint of a model dir.

    Attributes:
      prefix: its prefix.
      named: how the state file names it; more than once if in several ways.
    """

    prefix: str
    named: tuple[str, ...]


class ModelDir(NamedTuple):
    """A model dir: its path, and what its state file says."""

    path: str
    state: state_file.CheckpointState

    @classmethod
    def of(cls, path: str) -> ModelDir:
        """Reads the state file; CheckpointNotFoundError if there is none."""
        found = state_file.read(path) if files.is_dir(path) else None
        if found is None:
            raise CheckpointNotFoundError(
                f"{path}: not a model dir: no state file named 'checkpoint' in it"
            )
        return cls(path, found)

    def there(self) -> list[Member]:
        """The checkpoints that are there, oldest first; the others are logged."""
        named = dict.fromkeys([*self.state.all, self.state.latest])
        listings: dict[str, frozenset[str]] = {}
        members: dict[str, Member] = {}
        gone = []
        for path in named:
            prefix = _existing(self.path, path, listings)
            if prefix is None:
                gone.append(path)
                continue
            same = os.path.realpath(prefix)
            before = members.get(same, Member(prefix, ()))
            members[same] = before._replace(named=(*before.named, path))
        if gone:
            shown = messages.listed(repr(path)[1:-1] for path in gone)
            logs.logger().warning("%s: left out, not there any more", shown)
        return list(members.values())

    def members(self) -> list[Member]:
        """The same, at least one, and each with a base name of its own."""
        members = self.there()
        if not members:
            raise none_left(self.path)
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


def none_left(directory: str) -> CheckpointNotFoundError:
    """The error for a model dir whose state file names what is gone."""
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
        if base in listings[parent] and prefixes.at(prefix) is not None:
            return prefix
    return None


def _bases_in(directory: str) -> frozenset[str]:
    """The base names that checkpoints in a directory can have."""
    if not files.is_dir(directory):
        return frozenset()
    bases = set()
    for name in files.list_dir(directory):
        bases |= {name, name[: -len(".index")] if name.endswith(".index") else name}
        bases.update(v1_files.prefixes_of(name))
    return frozenset(bases)
