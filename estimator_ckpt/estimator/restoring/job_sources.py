"""Checkpoints as training jobs read them: opened as everywhere, wherever they are.

What a path means and what a checkpoint holds is decided by `checkpoint.opening`, in the
store that the path is in. So a job finds what the commands and the dry runs show.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator

import tensorflow as tf

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointNotFoundError,
    CorruptDataError,
    CorruptIndexError,
)
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint import opening
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling
from estimator_ckpt.conversion.writing import bundle_copy
from estimator_ckpt.estimator import error_texts, gfile_store
from estimator_ckpt.estimator.restoring import job_dirs
from estimator_ckpt.estimator.restoring.job_dirs import StateFileError
from estimator_ckpt.estimator.restoring.restore_errors import DamagedCheckpointError
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import AssignmentMapError
from estimator_ckpt.maps.plans import Plan


def resolve(path: files.PathLike) -> str:
    """The prefix of the checkpoint that a path stands for, as for `open_checkpoint`.

    Raises:
      CheckpointNotFoundError: nothing is there, or no checkpoint is in it.
    """
    return prefixes.find(path, gfile_store.of(path)).prefix


def is_weight_file(prefix: str) -> bool:
    """Whether it is a file that TensorFlow's ops do not read: a graph, safetensors."""
    return prefixes.find(prefix, gfile_store.of(prefix)).storage.is_weight_file


def not_read_by_tensorflow(prefix: str) -> str:
    """Why TensorFlow's ops do not find a checkpoint at its prefix; empty if they do."""
    if is_weight_file(prefix):
        return "it is a file of another format"
    own = os.path.join(os.path.dirname(prefix), prefixes.base_name(prefix))
    return job_dirs.taken_for_pattern(own)


@contextlib.contextmanager
def restorable(prefix: str) -> Iterator[str]:
    """The prefix of a checkpoint that TensorFlow's ops read.

    It is the same one, or that of a copy that is there for as long as it is used.

    Raises:
      DamagedCheckpointError: it cannot be read.
    """
    if not not_read_by_tensorflow(prefix):
        yield prefix
        return
    with contextlib.ExitStack() as stack:
        with reporting_damage(prefix):
            checkpoint = stack.enter_context(read(prefix))
            reader = checkpoint.reader
            bundle = stack.enter_context(bundle_copy.as_bundle(reader))
            readable = bundle.prefix
            if bundle is reader:
                readable = stack.enter_context(bundle_copy.under_plain_name(bundle))
        yield readable


def read(prefix: str, overruling: Overruling = AS_FOUND) -> Checkpoint:
    """Opens a checkpoint, in the store that it is in.

    Args:
      prefix: its prefix.
      overruling: what a user says of its variables' roles.

    Raises:
      CheckpointNotFoundError: it is not there.
      DamagedCheckpointError: it cannot be read.
    """
    with reporting_damage(prefix):
        store = gfile_store.of(prefix)
        return opening.opened(prefix, store=store, overruling=overruling)


def full_names(checkpoint: Checkpoint) -> dict[str, str]:
    """Object keys by full name, as TensorFlow's own fallback reads them.

    Of two with one name, the last. Empty without an object graph.
    """
    if checkpoint.graph is None:
        return {}
    nodes = checkpoint.graph.saved_nodes()
    return {node.full_name: node.key for node in nodes}


def renamed(source: Checkpoint, assignment_map: AssignmentMap) -> Checkpoint:
    """The checkpoint with its variables under the names that a map gives them.

    A job that goes on under a map reads its own checkpoints through it, too, and those
    have the new names already. So the map must leave new names alone; only a copy of a
    variable that keeps its name may be there already, and is then what is restored.

    Raises:
      AssignmentMapError: it does not, or gives two variables one name.
    """
    keys = source.contents.keys
    owners = source.roles.owners if assignment_map else {}
    pairs = assignment_map.rename(
        keys, source=source.prefix, among_others=True, owners=owners
    ).pairs
    moved = {new: old for old, new in pairs if new != old}
    there = [new for new in moved if new in keys]
    staying = {old for old, new in pairs if new == old}
    _refuse_twice(source, [new for new in there if moved[new] not in staying])
    if not moved:
        return source
    new_keys = {new: keys[old] for old, new in pairs}
    new_keys.update({new: keys[new] for new in there})
    meaning = source.contents._replace(keys=new_keys)
    return Checkpoint(
        source.reader, source.graph, meaning, source.store, source.overruling
    )


def _refuse_twice(source: Checkpoint, twice: Collection[str]) -> None:
    """Refuses new names of variables that others have in the checkpoint."""
    if twice:
        raise AssignmentMapError(
            f"{source.prefix} has variables that the assignment map renames others to: "
            f"{', '.join(map(repr, sorted(twice)))}. A saver's map is for names that "
            f"are gone; for this convert the checkpoint first (estimator-ckpt convert)"
        )


def require_whole_files(prefix: str) -> None:
    """Checks that a checkpoint's files are there, and as long as its index says.

    TensorFlow takes a missing shard for a checkpoint that lacks variables.

    Raises:
      ValueError: there is no such checkpoint.
      DamagedCheckpointError: a file that should be there is missing or cut off.
    """
    try:
        with read(prefix) as checkpoint, reporting_damage(prefix):
            checkpoint.require_whole()
    except CheckpointNotFoundError:
        if _is_recorded(prefix):
            raise DamagedCheckpointError(
                f"{index_path(prefix)}: the index is missing, though the state file "
                f"names it"
            ) from None
        raise ValueError(
            f"The passed save_path is not a valid checkpoint: {prefix}"
        ) from None


def require_carried(source: Checkpoint, made: Plan) -> None:
    """Checks that the files are there from which a plan carries variables.

    Raises:
      DamagedCheckpointError: one is missing or cut off.
    """
    names = [
        item.source.name
        for item in made.items
        if item.verdict.is_carried and item.source is not None
    ]
    with reporting_damage(source.prefix):
        source.require_whole(names)


@contextlib.contextmanager
def reporting_damage(prefix: str) -> Iterator[None]:
    """Turns what reading a damaged checkpoint raises into DamagedCheckpointError."""
    try:
        yield
    except (
        CorruptIndexError,
        CorruptDataError,
        tf.errors.DataLossError,
        tf.errors.OutOfRangeError,
        tf.errors.NotFoundError,
    ) as error:
        lines = error_texts.lines(str(error).strip()) or [type(error).__name__]
        raise DamagedCheckpointError(f"{prefix} is damaged: {lines[0]}") from error


def _is_recorded(prefix: str) -> bool:
    """Whether the state file beside a checkpoint names it as the latest."""
    try:
        found = job_dirs.recorded(os.path.dirname(prefix))
    except StateFileError:
        return False
    return found is not None and job_dirs.is_same(found.latest, prefix)
