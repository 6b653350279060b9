"""Two checkpoints, and their variables under the names of both."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import common_names
from tests.testdata_paths import PREFIXES, ROLES

DIGITS = PREFIXES["digits/model.ckpt-300"]


@pytest.mark.parametrize("to", ["tf2", "dual"])
@pytest.mark.parametrize("names", ["full_name", "path"])
def test_a_conversion_and_its_source_have_the_same_names(tmp_path, to, names):
    new = ec.convert(DIGITS, tmp_path / "new", to=to)
    with common_names.opened(DIGITS, new, names) as (old, converted):
        assert set(old.variables) == set(converted.variables)
        assert list(old.variables) == sorted(old.variables)


def test_two_that_have_nothing_in_common_keep_what_they_have(tmp_path):
    for name in "ab":
        write_bundle(str(tmp_path / name), {name: np.float32(1)})
    paths = tmp_path / "a", tmp_path / "b"
    with common_names.opened(*paths, "full_name") as (a, b):
        assert (set(a.variables), set(b.variables)) == ({"a"}, {"b"})
        assert common_names.left_behind(a, b, a.variables) == []


def test_names_that_are_shared_on_one_side_are_paths_on_both():
    shared = next(
        path / "model.ckpt"
        for path in ROLES.values()
        if ec.open_checkpoint(path / "model.ckpt").contents.ambiguous
    )
    with common_names.opened(shared, shared, "full_name") as (a, b):
        ambiguous = a.checkpoint.contents.ambiguous
        assert ambiguous.keys().isdisjoint(a.variables)
        assert len(a.variables) >= sum(map(len, ambiguous.values()))
        assert set(a.variables) == set(b.variables)
