"""What several files of tests about the command line need."""

import shutil

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from tests.testdata_paths import TESTDATA

#: A name that moves the cursor, turns the direction and begins a line.
EVIL = "a\x1b[2Jb\u202ec\nd"


@pytest.fixture
def evil(tmp_path):
    """A checkpoint whose only variable has such a name."""
    write_bundle(tmp_path / "old" / "model", {EVIL: np.float32(1)})
    return tmp_path / "old" / "model"


@pytest.fixture
def damaged(tmp_path):
    """A model dir with one bit of a shard changed."""
    shutil.copytree(TESTDATA / "est-tf1", tmp_path / "damaged")
    shard = tmp_path / "damaged" / "model.ckpt-1.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    return tmp_path / "damaged"
