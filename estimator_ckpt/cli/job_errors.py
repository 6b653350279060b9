"""What a training job raised, as its user needs it.

The user's own lines of the traceback are shown, those of TensorFlow and of this package
are not; then follows the one line that each command ends with.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.cli import user_functions
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.estimator import error_texts


@contextlib.contextmanager
def reporting(model_dir: str) -> Iterator[None]:
    """Turns what a job raises into UsageError, after the user's traceback.

    Args:
      model_dir: the job's model dir: where the disk may be full.

    Raises:
      UsageError: a line that says what went wrong.
      NoSpaceError: the disk is full.
    """
    try:
        yield
    except (CheckpointError, UsageError, OSError):
        raise
    except Exception as error:
        from estimator_ckpt.estimator.saving import (
            disk_space,  # it has imported TensorFlow
        )

        with disk_space.reporting(model_dir, "the job stopped"):
            frames = [
                *_own(traceback.extract_tb(error.__traceback__)),
                *_own(_frames_told(str(error))),
            ]
            if frames:
                print("Traceback (most recent call last):", file=sys.stderr)
                print(*traceback.format_list(frames), sep="", end="", file=sys.stderr)
            said = " ".join(" ".join(error_texts.lines(str(error))).split())
            raise UsageError(f"{type(error).__name__}: {said}") from error


def _own(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    return [frame for frame in frames if user_functions.is_own(frame.filename)]


def _frames_told(text: str) -> list[traceback.FrameSummary]:
    """The frames that a message of TensorFlow lists: where its op was made."""
    return [traceback.FrameSummary(*frame) for frame in error_texts.frames(text)]
