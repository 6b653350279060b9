"""Differences by layer and histograms, of two checkpoints."""

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import common_names, roles
from estimator_ckpt.checkpoint.changes import change_details
from estimator_ckpt.checkpoint.changes.value_changes import Change


@pytest.fixture
def sides(tmp_path):
    value = np.arange(300_000, dtype=np.float32)
    for name, plus in (("a", 0), ("b", 1)):
        write_bundle(str(tmp_path / name), {"d/w": value + plus, "d/b": value[:3]})
    paths = tmp_path / "a", tmp_path / "b"
    with common_names.opened(*paths, "full_name") as found:
        yield found


def test_pieces_are_those_of_both_sides_and_are_told(sides):
    done = []
    pairs = list(change_details.pieces(*sides, "d/w", done.append))
    assert len(pairs) > 1
    assert all(np.array_equal(new - old, np.ones_like(old)) for old, new in pairs)
    assert sum(done) == 300_000 * 4


def test_layers_and_the_histogram_of_what_changed_most(sides):
    changes = [
        Change("d/w", roles.TRAINABLE, 300_000, 1.0, 1.0),
        Change("d/b", roles.TRAINABLE, 3, 0.0, 0.0),
    ]
    layers, histograms = change_details.of(*sides, changes, None)
    assert [layer.name for layer in layers] == ["d"]
    assert [histogram.name for histogram in histograms] == ["d/w"]
