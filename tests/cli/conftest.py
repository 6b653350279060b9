"""What several files of tests about the command line need."""

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle

#: A name that moves the cursor, turns the direction and begins a line.
EVIL = "a\x1b[2Jb\u202ec\nd"


@pytest.fixture
def evil(tmp_path):
    """A checkpoint whose only variable has such a name."""
    write_bundle(tmp_path / "old" / "model", {EVIL: np.float32(1)})
    return tmp_path / "old" / "model"
