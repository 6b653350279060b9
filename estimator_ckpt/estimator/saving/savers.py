"""One Saver for the three formats.

It is a `tf1.train.Saver` whose ops are built when the Scaffold is finalized, so that
it sees every variable, and which differs from TensorFlow's in the keys only: names
are turned into keys as they are given to SaveV2 and RestoreV2. Slices, shards, the
state file and listeners stay TensorFlow's own; retention counts the checkpoints of the
directory that is saved into, and no others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.paths import state_file
from estimator_ckpt.estimator import graph_variables
from estimator_ckpt.estimator.restoring import (
    job_dirs,
    job_sources,
    restore_keys,
    resuming,
)
from estimator_ckpt.estimator.restoring.restore_errors import (
    DamagedCheckpointError,
    RestoreError,
)
from estimator_ckpt.estimator.restoring.restore_keys import RestoreKeys
from estimator_ckpt.estimator.saving import commits, disk_space
from estimator_ckpt.estimator.saving.saver_ops import SaverOps
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.tf_private import savers_api

#: How often a checkpoint is read again that was saved anew meanwhile.
_ATTEMPTS = 3
_log = logs.logger()


class FormatSaver(savers_api.Saver):
    """A tf1 Saver that saves in one format and restores from any.

    Attributes:
      settings: what it was told of its checkpoints.
      asked: what the user said, before the Scaffold that it is for changed it.
      own: the checkpoints that this run restored or saved, and may replace.

    Args:
      settings: what the user says of its checkpoints.
      asked: the settings as they were given, if the Scaffold that it is for changed
        them.
      var_list: what to save and restore, as for `tf1.train.Saver`; None for all.
      model_dir: the job's model dir, if it is known.
      is_chief: whether it is the chief's, and not one whose checkpoints nobody reads.
      **options: `sharded`, `max_to_keep` and others of `tf1.train.Saver`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        asked: Optional[Settings] = None,
        var_list: Any = None,
        model_dir: Optional[str] = None,
        is_chief: bool = True,
        **options: Any,
    ):
        self.settings = settings
        self.asked = asked or settings
        self._model_dir = model_dir
        self._is_chief = is_chief
        self._ops = SaverOps(settings, var_list)
        self.own: set[str] = set()
        self._has_restored = False
        self._built_with: list[FormatSaver] = []
        self._recovered: list[str] = []
        self._kept: dict[str, list[tuple[str, float]]] = {}
        self._marks: list[commits.Mark] = []
        super().__init__(defer_build=True, builder=self._ops, **options)

    @property
    def checkpoint(self) -> tf.train.Checkpoint:
        """A `tf.train.Checkpoint` of the same object keys.

        Partitioned variables are left out of it: TensorFlow's Checkpoint knows only
        their parts.
        """
        if self._ops.checkpoint is None:
            step = tf1.train.get_global_step()
            everything = graph_variables.of_graph()
            if step is not None:
                everything.pop(graph_variables.name_of(step), None)
            tracked = {
                name: variable.saveable
                for name, variable in everything.items()
                if not isinstance(variable.saveable, list)
            }
            self._ops.checkpoint = tf.train.Checkpoint(
                var_list=tracked, **({} if step is None else {"step": step})
            )
        return self._ops.checkpoint

    def build(self) -> None:
        """Adds the save and restore ops to the default graph."""
        super().build()
        for other in self._built_with:
            other.build()
        # Where Estimator's default saver would stand, for whoever looks for one.
        if not self.is_empty and not tf1.get_collection(tf1.GraphKeys.SAVERS):
            tf1.add_to_collection(tf1.GraphKeys.SAVERS, self)

    def build_with(self, other: FormatSaver) -> None:
        """Has another saver of the same job built when this one is."""
        other.own = self.own
        self._built_with.append(other)

    def recover_last_checkpoints(self, checkpoint_paths: Iterable[str]) -> None:
        """Takes over the checkpoints that the state file lists, for retention."""
        self._recovered = list(checkpoint_paths)
        self._kept = {}
        self.set_last_checkpoints_with_time(job_dirs.with_times(self._recovered))

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: Optional[str] = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        **options: Any,
    ) -> Any:
        """Saves a checkpoint, as `tf1.train.Saver.save` does.

        Raises:
          DamagedCheckpointError: nothing was restored, and the directory has
            checkpoints that its state file should name.
          DestinationExistsError: the checkpoint would replace one that this run neither
            restored nor saved.
          NoSpaceError: the disk is full.
        """
        directory = os.path.dirname(tf.compat.as_str(save_path))
        job_dirs.require_plain(directory)
        with disk_space.reporting(directory, "the checkpoint was not saved"):
            if write_state:
                self._enter(directory, latest_filename or state_file.FILE_NAME)
            saved = super().save(
                sess,
                save_path,
                global_step=global_step,
                latest_filename=latest_filename,
                meta_graph_suffix=meta_graph_suffix,
                write_meta_graph=write_meta_graph,
                write_state=write_state,
                **options,
            )
            commits.unmark(self._marks)
        self._marks = []
        self._kept[directory] = self.kept
        return saved

    def _enter(self, directory: str, file_name: str) -> None:
        """Makes retention count what is in a directory."""
        kept = self._kept.get(directory)
        if kept is None:
            if self._is_chief and not self._has_restored:
                resuming.require_fresh(directory, file_name)
            there = job_dirs.those_there(directory, self._recovered)
            kept = job_dirs.with_times(there)
        self.set_last_checkpoints_with_time(kept)

    def write(self, session: tf1.Session, prefix: str) -> Any:
        """Saves all tensors under a prefix, and the name keys that `dual` adds."""
        aliases = self._ops.keys.aliases
        if not commits.is_there(prefix):
            with commits.marked(prefix) as mark:
                written = super().write(session, prefix)
                if aliases:
                    commits.add_name_keys(prefix, aliases)
            self._marks.append(mark)
            self.own.add(job_dirs.identity(prefix))
            return written
        left = commits.marks_left_of(prefix)
        with commits.beside(prefix) as temporary:
            super().write(session, temporary)
            if not commits.is_same(temporary, prefix, aliases):
                if not left:
                    self._require_own(prefix)
                commits.replace(temporary, prefix, aliases)
        self._marks += left
        self.own.add(job_dirs.identity(prefix))
        return prefix

    def _require_own(self, prefix: str) -> None:
        """Checks that a checkpoint may be replaced."""
        if not self._is_chief or job_dirs.identity(prefix) in self.own:
            return
        if self.settings.falls_back and not resuming.is_whole(prefix):
            return
        raise DestinationExistsError(
            f"{prefix} is there already, and this job neither restored nor saved it: "
            f"it is not replaced. Move it away to go on, or train on from it (it must "
            f"be the one that the state file names)"
        )

    def restore(self, sess: Any, save_path: str) -> None:
        """Restores the variables from a checkpoint of any of the three formats.

        Args:
          sess: the session to restore into.
          save_path: the checkpoint's prefix.

        Raises:
          ValueError: `save_path` is None or no checkpoint.
          DamagedCheckpointError: it is not whole; names the newest one that is.
          MissingVariableError: the checkpoint lacks variables.
          MismatchError: it has others in their place: shapes or dtypes differ.
        """
        if not self.is_built:  # export_saved_model never finalizes the Scaffold
            with sess.graph.as_default():
                self.build()
        if self.is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = self._here(tf.compat.as_text(save_path))
        try:
            self._restore(sess, prefix)
        except DamagedCheckpointError as error:
            whole = resuming.newest_whole_before(prefix)
            if whole is None:
                raise DamagedCheckpointError(
                    f"{error}. The state file names no older checkpoint that is whole"
                ) from error
            if not self.settings.falls_back:
                raise DamagedCheckpointError(
                    f"{error}. The newest one that is whole is {whole}: to train on "
                    f"from it, say on_damaged='fall_back' (--on_damaged=fall_back)"
                ) from error
            _log.warning("%s. Falling back to %s, which is whole", error, whole)
            self._restore(sess, whole)

    def _here(self, prefix: str) -> str:
        """A prefix of another place that the state file names, in the model dir."""
        if not self._model_dir:
            return prefix
        here = resuming.in_place_of(self._model_dir, prefix)
        if here != prefix:
            _log.warning("Restoring %s, which takes the place of %s", here, prefix)
        return here

    def _restore(self, session: tf1.Session, prefix: str) -> None:
        """Restores a checkpoint, which a job may save anew meanwhile."""
        for _ in range(_ATTEMPTS):
            before = commits.version(prefix)
            try:
                return self._restore_once(session, prefix)
            except (DamagedCheckpointError, RestoreError):
                if commits.version(prefix) == before:
                    raise
                _log.info("%s was saved anew while it was read", prefix)
        return self._restore_once(session, prefix)

    def _restore_once(self, session: tf1.Session, prefix: str) -> None:
        job_sources.require_whole_files(prefix)
        with job_sources.read(prefix, self.settings.overruling) as checkpoint:
            source = job_sources.renamed(checkpoint, self.settings.renames)
            found = restore_keys.choose(
                source,
                self._ops.keys,
                self._ops.dtypes(),
                initialize_missing=self.settings.initializes_missing,
            )
            feed = self._ops.feed(session, source, found)
        feed[self.saver_def.filename_tensor_name] = prefix
        tf1.logging.info("Restoring parameters from %s", prefix)
        with job_sources.reporting_damage(prefix):
            session.run(self.saver_def.restore_op_name, feed)
        self._ops.initialize(session, found)
        self._tell_of_initialized(prefix, found)
        self._has_restored = True
        self.own.add(job_dirs.identity(prefix))

    def _tell_of_initialized(self, prefix: str, found: RestoreKeys) -> None:
        said = []
        if found.missing:
            said.append(f"at their initial values: {', '.join(found.missing)}")
        if found.averages:
            pairs = (f"{name} (of {of})" for name, of in found.averages.items())
            said.append(f"averages, at their variables' values: {', '.join(pairs)}")
        if said:
            count = len(found.missing) + len(found.averages)
            _log.warning(
                "%s lacks %s, which start %s",
                prefix,
                messages.counted(count, "variable"),
                "; and, as ".join(said),
            )
