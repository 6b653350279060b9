"""What a job resumes from, and when it must not begin anew.

TensorFlow begins at step 0, over the checkpoints that are there, when the state file is
missing or cut off. Here such a job stops, or goes on from the newest checkpoint that is
whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.paths import prefixes, state_file
from estimator_ckpt.checkpoint.verify import verify_in
from estimator_ckpt.estimator import gfile_store
from estimator_ckpt.estimator.restoring import job_dirs
from estimator_ckpt.estimator.restoring.job_dirs import Recorded, StateFileError
from estimator_ckpt.estimator.restoring.restore_errors import DamagedCheckpointError
from estimator_ckpt.estimator.saving import commits

_log = logs.logger()


def require_fresh(directory: str, file_name: str = state_file.FILE_NAME) -> None:
    """Checks that a job that restored nothing does not begin over checkpoints.

    Raises:
      DamagedCheckpointError: there are some, which its state file does not name, since
        it is missing, cut off or empty. Names the newest that is whole.
    """
    problem = _problem(directory, file_name)
    if problem is not None:
        raise _starting_over(problem, job_dirs.saved_in(directory))


def what_is_there(directory: str) -> Optional[str]:
    """What a job in a model dir goes on from, or must not begin over; None if it
    begins.
    """
    try:
        found = job_dirs.recorded(directory)
    except StateFileError as error:
        return str(error)
    if found is not None:
        return found.latest
    return next(reversed(job_dirs.saved_in(directory)), None)


def prepare(directory: str, *, falls_back: bool) -> bool:
    """Makes a model dir one that a job resumes from as it should; for its chief only.

    Paths of other places in its state file become those of the checkpoints here. What
    a killed job left half saved is removed. A directory without a state file is left
    as it is if no checkpoint is in it.

    Args:
      directory: the model dir.
      falls_back: whether to go on from the newest whole checkpoint where the state file
        is missing or cannot be read.

    Returns:
      Whether TensorFlow would not have found the newest checkpoint before.

    Raises:
      ModelDirError: TensorFlow takes its path for a pattern.
      DamagedCheckpointError: its state file is missing, cut off or empty, and
        checkpoints are there that the job would begin over.
    """
    job_dirs.require_plain(directory)
    problem = _problem(directory, state_file.FILE_NAME)
    if problem is not None:
        saved = job_dirs.saved_in(directory)
        whole = newest_whole(saved) if falls_back else None
        if whole is None:
            raise _starting_over(problem, saved)
        _log.warning("%s. Falling back to %s, which is whole", problem, whole)
        _record(directory, whole, saved[: saved.index(whole) + 1])
        return True
    found = job_dirs.recorded(directory)
    if found is None:
        commits.remove_unfinished(directory, named=())
        return False
    if found.elsewhere:
        taken = job_dirs.those_there(directory, found.elsewhere)
        _log.warning(
            "%s: the state file names checkpoints of another place: %s. They are left "
            "alone; of those names, %d of %d are in this directory and count",
            directory,
            messages.listed(found.elsewhere),
            len(taken),
            len(found.elsewhere),
        )
    is_new = bool(found.elsewhere) or not _is_read_as(directory, found)
    if is_new:
        _record(directory, found.latest, found.all)
    _warn_of_newer(directory, found)
    commits.remove_unfinished(directory, named=[found.latest, *found.all])
    return is_new


def newest_whole(candidates: Iterable[str]) -> Optional[str]:
    """The last of some prefixes whose every byte is as it was saved."""
    return next(filter(is_whole, reversed(list(candidates))), None)


def newest_whole_before(prefix: str) -> Optional[str]:
    """The newest whole checkpoint that the state file lists before `prefix`."""
    directory = os.path.dirname(prefix)
    try:
        found = job_dirs.recorded(directory)
    except StateFileError:
        return None
    listed = list(found.all) if found else []
    place = next(
        (i for i, path in enumerate(listed) if job_dirs.is_same(path, prefix)),
        len(listed),
    )
    return newest_whole(listed[:place])


def restore_instead_of_beginning(
    directory: str, saver: tf1.train.Saver, session: tf1.Session
) -> bool:
    """Restores the model dir's checkpoint into a session that TensorFlow gave none.

    Of a model dir that was moved TensorFlow finds none, and evaluates initial values.

    Returns:
      Whether there was one.

    Raises:
      DamagedCheckpointError: as `require_fresh`.
    """
    require_fresh(directory)
    found = job_dirs.recorded(directory)
    if found is None:
        return False
    _log.warning(
        "%s: the state file names a checkpoint of another place, or one that is not "
        "there. Restoring %s",
        directory,
        found.latest,
    )
    saver.restore(session, found.latest)
    return True


def in_place_of(directory: str, prefix: str) -> str:
    """The checkpoint in a model dir that a path in its state file stands for.

    Args:
      directory: the model dir.
      prefix: what is to be restored: the path, as TensorFlow reads it, or any other,
        which stands for itself.
    """
    try:
        found = job_dirs.recorded(directory)
    except StateFileError:
        return prefix
    if found is None:
        return prefix
    named = {job_dirs.identity(os.path.join(directory, p)) for p in found.elsewhere}
    here = job_dirs.within(directory, prefix)
    is_named = job_dirs.identity(prefix) in named
    return here if here is not None and is_named else prefix


def is_whole(prefix: str) -> bool:
    """Whether every tensor of a checkpoint is as it was saved; each is read."""
    store = gfile_store.of(prefix)
    try:
        return verify_in(store, prefixes.find(prefix, store)).ok
    except CheckpointError:
        return False


def _problem(directory: str, file_name: str) -> Optional[str]:
    """What is wrong with a state file that a job would take for none."""
    path = os.path.join(directory, file_name)
    try:
        found = job_dirs.recorded(directory, file_name)
    except StateFileError:
        return f"{path}: the checkpoint state file is empty, cut off, or another file"
    if found is None and job_dirs.saved_in(directory):
        return f"{path}: the checkpoint state file is missing"
    return None


def _warn_of_newer(directory: str, found: Recorded) -> None:
    """Says that a job that goes on from an older checkpoint replaces no newer one."""
    saved = job_dirs.saved_in(directory)
    after = saved[saved.index(found.latest) + 1 :] if found.latest in saved else []
    newer = [path for path in after if path not in found.all]
    if newer:
        _log.warning(
            "The state file names %s, but newer checkpoints are beside it: %s. The job "
            "replaces none of them: it stops when it gets there. Move them away if "
            "they are not needed",
            found.latest,
            messages.listed(newer),
        )


def _is_read_as(directory: str, found: Recorded) -> bool:
    """Whether TensorFlow takes the same from a state file."""
    try:
        state = tf.train.get_checkpoint_state(directory)
    except ValueError:
        return False
    if state is None:
        return False
    return job_dirs.is_same(state.model_checkpoint_path, found.latest)


def _record(directory: str, latest: str, everything: Iterable[str]) -> None:
    """Writes a state file with relative paths."""
    names = [os.path.relpath(path, directory or ".") for path in everything]
    last = os.path.relpath(latest, directory or ".")
    state = state_file.CheckpointState(latest=last, all=(*names,))
    path = os.path.join(directory, state_file.FILE_NAME)
    gfile_store.of(directory).put(path, state.serialize())


def _starting_over(problem: str, saved: list[str]) -> DamagedCheckpointError:
    if not saved:
        return DamagedCheckpointError(f"{problem}. Delete it to begin anew")
    whole = newest_whole(saved)
    found = (
        f"The newest one that is whole is {whole}: to train on from it, say "
        f"on_damaged='fall_back' (--on_damaged=fall_back)"
        if whole
        else "None of them is whole"
    )
    return DamagedCheckpointError(
        f"{problem}, and {messages.counted(len(saved), 'checkpoint')} beside it would "
        f"be written over from step 0 on. {found}; to begin anew, give another model "
        f"dir"
    )
