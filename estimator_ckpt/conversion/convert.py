"""Conversion between the formats, by rewriting only the index.

A name-based and an object-based checkpoint are the same table of tensors under other
keys. So a conversion is a plan of key moves, and a new bundle that follows it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import object_keys, opening
from estimator_ckpt.checkpoint.formats import Format, FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import key_moves
from estimator_ckpt.conversion.key_moves import KeyMoves, Naming
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import new_bundle, snapshot
from estimator_ckpt.conversion.writing.new_bundle import Written
from estimator_ckpt.maps.filters import Patterns


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What a conversion is going to do; nothing is written yet.

    Attributes:
      source: the source's prefix.
      format: the new checkpoint's format.
      moves: what becomes of each key.
    """

    source: str
    format: Format
    moves: KeyMoves


def convert(
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
) -> str:
    """Converts a checkpoint to another format.

    Slices, slot variables, hash tables' entries and whatever else is in the bundle
    travel untouched. The values are not read; use `verify` for that.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it; one of the V1
        format is read and written, at the cost of its bytes.
      destination: the new prefix; a directory (or a path ending in `/`) takes the
        source's own name.
      to: `tf1`, `tf2` or `dual`.
      include: regexes of variable names to keep, matched from the beginning.
      exclude: regexes of variable names to leave out; they win. Both are held
        against the source's names; one that matches nothing is logged.
      assignment_map: new names: a dict or list of pairs (old to new), the path of a
        YAML or JSON file, or `builtin:NAME`; see `maps.assignment`. It lays an
        object-based source out anew.
      names: what variables of an object-based source are called: `full_name` or
        `path`, as for `open_checkpoint`.
      root: the dictionary that holds the variables in an object-based result. None:
        `var_list`; but an object-based source keeps its own keys and object graph.
      step: the variable that goes under `step`; None leaves it with the others.
      optimizer_state: regexes of variables that are optimizer state, whatever the
        evidence says, as for `open_checkpoint`.
      model_state: the same of model state.
      data: how shards get their new names: `link` (a hard link), `copy` (files of
        their own; where more than a tenth of the bytes is not used, only what is used
        is written), `auto` (a hard link, else a copy). A link keeps all bytes of its
        shard, also those of variables that are left out.
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes done as shards are linked or copied.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to`, `data` or `names`, or a pattern that is no regex.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the destination is there, and overwrite is False.
      AmbiguousNameError: two variables claim one name.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
      DestinationInUseError: another process is writing the destination.
      SourceChangedError: the source was saved anew again and again meanwhile.
      NoSpaceError: the disk is full.
      CheckpointError: the source is damaged, or writing failed.
      In all of these cases nothing is left behind.
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
    return run(source, target, wanted)


def plan_conversion(
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
    overwrite: bool = False,
) -> Conversion:
    """What `convert` would do, without doing it; refuses what it would.

    Args:
      source: as for `convert`.
      destination: as for `convert`.
      to: as for `convert`.
      include: as for `convert`.
      exclude: as for `convert`.
      assignment_map: as for `convert`.
      names: as for `convert`.
      root: as for `convert`.
      step: as for `convert`.
      optimizer_state: as for `convert`.
      model_state: as for `convert`.
      overwrite: as for `convert`.

    Raises:
      As `convert`.
    """
    target = Target.of(destination, to, overwrite=overwrite)
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
    return plan(source, target, wanted)


def plan(source: files.PathLike, target: Target, wanted: Naming) -> Conversion:
    """What `run` would do. Errors are those of `convert`."""

    def attempt() -> Conversion:
        with _opened(source, target, wanted) as (checkpoint, conversion, _):
            if checkpoint.is_bundle:
                with new_bundle.prepared(checkpoint.bundle, conversion.moves):
                    pass
            return conversion

    return snapshot.settled([source], attempt)


def run(source: files.PathLike, target: Target, wanted: Naming) -> str:
    """Converts a checkpoint; returns the new prefix. Errors are those of `convert`."""

    def attempt() -> tuple[str, Conversion, Written]:
        with _opened(source, target, wanted) as (checkpoint, conversion, prefix):
            moves = conversion.moves
            with opening.as_bundle(checkpoint, os.path.dirname(prefix)) as bundle:
                written = new_bundle.write(bundle.bundle, moves, prefix, target)
            return prefix, conversion, written

    prefix, conversion, written = snapshot.settled([source], attempt)
    sentences = [*conversion.moves.unused]
    if not wanted.chosen.keeps_all and written.used < written.size:
        sentences.append(
            f"{prefix}: the data are linked, so all of their {written.size} bytes "
            f"stay, of which {written.used} are used; data='copy' (--data=copy) writes "
            f"only these"
        )
    warn(sentences)
    return prefix


def warn(sentences: Iterable[str]) -> None:
    """Logs what the user should know of a conversion."""
    for sentence in sentences:
        from estimator_ckpt.bundle import logs  # 4 ms that most need not spend

        logs.logger().warning("%s", sentence)


@contextlib.contextmanager
def _opened(
    source: files.PathLike, target: Target, wanted: Naming
) -> Iterator[tuple[Checkpoint, Conversion, str]]:
    """The source, what is to be done, and the new prefix, which may be written to."""
    with opening.opened(
        source,
        names=wanted.names_by,
        root=wanted.root,
        overruling=wanted.overruling,
    ) as checkpoint:
        prefix = target.usable_prefix(checkpoint.prefix)
        moves = moves_of(checkpoint, target, wanted)
        conversion = Conversion(checkpoint.prefix, target.format, moves)
        yield checkpoint, conversion, prefix


def moves_of(checkpoint: Checkpoint, target: Target, wanted: Naming) -> KeyMoves:
    """The key moves of a conversion. Errors are those of `convert`."""
    for alias in checkpoint.contents.aliases:
        _require_same(checkpoint, alias, checkpoint.contents.keys[alias])
    return key_moves.of_conversion(
        checkpoint.contents,
        checkpoint.index,
        checkpoint.graph,
        target.format,
        wanted,
        checkpoint.prefix,
        lambda: checkpoint.roles,
    )


def _require_same(reader: Checkpoint, alias: str, key: str) -> None:
    """A name key beside an object key of that name must hold the same tensor."""
    a, b = reader.index[alias], reader.index[key]
    same = (a.dtype, a.shape) == (b.dtype, b.shape)
    if same and not (a.is_partitioned or b.is_partitioned):
        same = (a.size, a.crc32c) == (b.size, b.crc32c)
    if not same:
        raise CheckpointError(
            f"{reader.prefix}: {alias!r} and {key!r} are both the variable {alias!r} "
            f"but differ; give names='path' (--names=path) to keep them apart"
        )
