"""What checksums alone say: what is equal, and what was renamed."""

import math

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import common_names, equal_sums
from tests.testdata_paths import PREFIXES

SHARDED = PREFIXES["embedding-sharded/model.ckpt-20"]


@pytest.fixture
def sides(tmp_path):
    def opened(first, second):
        for name, values in (("a", first), ("b", second)):
            arrays = {n: np.asarray(v, np.float32) for n, v in values.items()}
            write_bundle(str(tmp_path / name), arrays)
        paths = tmp_path / "a", tmp_path / "b"
        with common_names.opened(*paths, "full_name") as (old, new):
            return old, new

    return opened


def test_equal_values_are_equal_unread(sides):
    first = {"w": [1, 2], "v": [1], "empty": []}
    old, new = sides(first, {**first, "v": [2]})
    assert equal_sums.settled_size(old, new, "w") == 8
    assert equal_sums.settled_size(old, new, "empty") == 0
    assert equal_sums.settled_size(old, new, "v") is None


def test_the_same_bytes_in_another_shape_are_another_variable(sides):
    old, new = sides({"w": [[1, 2]]}, {"w": [1, 2]})
    assert equal_sums.settled_size(old, new, "w") is None


def test_of_a_partitioned_variable_all_slices_count():
    with common_names.opened(SHARDED, SHARDED, "full_name") as (old, new):
        parted = [v for v in old.variables.values() if v.num_slices > 1]
        assert parted
        for variable in parted:
            size = equal_sums.settled_size(old, new, variable.name)
            assert size == variable.size == 4 * math.prod(variable.shape)


def test_what_only_one_can_have_become_was_renamed(sides):
    old, new = sides({"w": [1, 2], "v": [3]}, {"x": [1, 2], "y": [4]})
    assert equal_sums.renamed(old, new, ["w", "v"], ["x", "y"]) == {"w": "x"}


def test_twins_are_not_told_apart(sides):
    old, new = sides({"w": [1], "v": [1]}, {"x": [1], "y": [1]})
    assert equal_sums.renamed(old, new, ["w", "v"], ["x", "y"]) == {}
