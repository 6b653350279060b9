"""A checkpoint whose names somebody chose to do harm."""

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from tests.reports.pages import HOSTILE


@pytest.fixture
def hostile(tmp_path):
    prefix = tmp_path / "<img src=x>" / "model.ckpt-1"
    write_bundle(prefix, {n: np.float32([i]) for i, n in enumerate(HOSTILE)})
    return prefix
