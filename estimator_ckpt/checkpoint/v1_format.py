"""Checkpoints of the V1 format (of before 2017), read through TensorFlow.

They have no index and another encoding, so their tensors must be read and written
again. TensorFlow does the reading in a process of its own: nothing on this floor
imports it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, UnsupportedCheckpointError
from estimator_ckpt.checkpoint import prefixes

_log = logging.getLogger("estimator_ckpt")
_READER = "estimator_ckpt.tf_private.v1_reader"


@contextlib.contextmanager
def as_bundle(prefix: str, directory: Optional[str]) -> Iterator[str]:
    """A tensor bundle with the tensors of a V1 checkpoint, for as long as it is used.

    Args:
      prefix: the V1 checkpoint: a file, or a pattern for the files of its shards.
      directory: where the bundle is to be, so that its data can be linked there; None
        if it is only to be read.

    Yields:
      The bundle's prefix, in a directory that is removed afterwards.

    Raises:
      UnsupportedCheckpointError: TensorFlow is not installed.
      CheckpointError: TensorFlow cannot read the checkpoint.
    """
    if find_spec("tensorflow") is None:
        raise UnsupportedCheckpointError(
            f"{prefix}: a checkpoint of the V1 format (of before 2017), which only "
            f"TensorFlow can read: pip install tensorflow"
        )
    _log.warning(
        "%s is of the V1 format: its tensors are read through TensorFlow and written "
        "again, which takes longer than a conversion by index",
        prefix,
    )
    if directory is None:
        directory = tempfile.gettempdir()
    with files.temporary_dir(directory) as temporary:
        bundle = os.path.join(temporary, prefixes.base_name(prefix))
        done = subprocess.run(
            [sys.executable, "-m", _READER, prefix, bundle],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
            raise CheckpointError(f"{prefix}: TensorFlow cannot read it: {reason}")
        yield bundle
