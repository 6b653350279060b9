"""Two checkpoints, and their variables under the names of both."""

import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import common_names, equal_sums, roles
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


def test_names_and_keys_of_both_are_one_table_only_if_they_are_the_same(tmp_path):
    """In one order, too: it is that of columns and reasons."""
    for name, values in (("a", "uvw"), ("b", "uvw"), ("c", "uvx")):
        write_bundle(str(tmp_path / name), dict.fromkeys(values, np.float32(1)))
    objects = ec.convert(tmp_path / "a", tmp_path / "objects", to="tf2")
    for other, is_same in (("b", True), ("c", False), (objects, False)):
        with common_names.opened(
            tmp_path / "a", tmp_path / other, "full_name"
        ) as sides:
            old, new = (side.checkpoint.contents for side in sides)
        assert (old.keys is new.keys) == is_same
        assert new == ec.open_checkpoint(tmp_path / other).contents


def is_decided(side):
    return "roles" in vars(side.checkpoint)


def test_what_nobody_asks_for_is_not_made():
    with common_names.opened(DIGITS, DIGITS, "full_name") as (old, new):
        sizes = [equal_sums.settled_size(old, new, name) for name in old.keys]
        assert all(sizes)
        assert not is_decided(old)
        assert not is_decided(new)
        assert old.variables["bn1/beta"].role is roles.TRAINABLE
        assert is_decided(old)


ADAM = {"w": np.zeros(3, "f4"), "w/Adam": np.ones(3, "f4"), "step": np.int64(0)}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({**ADAM, "w": np.ones(3, "f4")}, True),  # values say nothing
        ({**ADAM, "w/Adam": np.ones(2, "f4")}, False),
        ({**ADAM, "step": np.float32(0)}, False),
        ({**ADAM, "v": np.zeros(3, "f4")}, False),
    ],
)
def test_roles_of_two_with_the_same_evidence_are_decided_once(tmp_path, other, is_same):
    paths = tmp_path / "a", tmp_path / "b"
    for path, values in zip(paths, (ADAM, other)):
        write_bundle(str(path), values)
    with common_names.opened(*paths, "full_name") as (old, new):
        common_names.decide_roles(old, new)
        assert (old.checkpoint.roles is new.checkpoint.roles) == is_same
    for side, path in zip((old, new), paths):
        assert side.checkpoint.roles == ec.open_checkpoint(path).roles


#: A string's size is told by no shape.
TEXT = {**ADAM, "text": np.array(b"one")}


@pytest.mark.parametrize(
    ("other", "num_same"),
    [
        ({**TEXT, "w": np.ones(3, "f4")}, 4),
        ({**TEXT, "text": np.array(b"seven")}, 1),  # others are elsewhere for that
        ({**TEXT, "w/Adam": np.ones(2, "f4")}, 0),  # others are something else for it
        ({**TEXT, "u": np.zeros(3, "f4")}, 0),
        ({name: TEXT[name] for name in ("w", "step")}, 0),
    ],
)
def test_all_variables_of_both_are_those_of_each(tmp_path, other, num_same):
    """What is equal is one object, whichever of the two has more."""
    paths = tmp_path / "a", tmp_path / "b"
    for path, values in zip(paths, (TEXT, other)):
        write_bundle(str(path), values)
    for first, second in (paths, paths[::-1]):
        with common_names.opened(first, second, "full_name") as sides:
            old, new = common_names.all_variables(*sides)
        assert list(old.items()) == list(ec.open_checkpoint(first).items())
        assert list(new.items()) == list(ec.open_checkpoint(second).items())
        assert sum(old[name] is new.get(name) for name in old) == num_same


@pytest.mark.parametrize(
    ("other", "is_same"),
    [({**TEXT, "w": np.ones(3, "f4")}, True), ({**TEXT, "x": np.float32(1)}, False)],
)
def test_of_objects_too_what_is_equal_is_one_object(tmp_path, other, is_same):
    """And one answer is that of both, if their graphs are of the same bytes."""
    paths = tmp_path / "a", tmp_path / "b"
    for path, values in zip(paths, (TEXT, other)):
        write_bundle(str(path), values)
    paths = [ec.convert(path, f"{path}-tf2", to="tf2") for path in paths]
    with common_names.opened(*paths, "full_name") as (old, new):
        found = common_names.all_variables(old, new)
        assert dict(old.variables) == found[0]
        assert (old.checkpoint.graph == new.checkpoint.graph) == is_same
        assert (old.checkpoint.roles is new.checkpoint.roles) == is_same
    for variables, path in zip(found, paths):
        assert list(variables.items()) == list(ec.open_checkpoint(path).items())
    assert all(found[0][name] is found[1][name] for name in TEXT)


def test_a_meta_file_beside_one_of_two_is_other_evidence(tmp_path):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(f"{DIGITS}{suffix}", tmp_path / f"alone{suffix}")
    with common_names.opened(DIGITS, tmp_path / "alone", "full_name") as (old, new):
        found = common_names.all_variables(old, new)
    for variables, side in zip(found, (old, new)):
        opened = ec.open_checkpoint(side.checkpoint.prefix)
        assert list(variables.items()) == list(opened.items())
    assert old.checkpoint.roles["bn1/beta"].evidence == (
        "in the .meta's collection of trainable variables"
    )
    assert new.checkpoint.roles["bn1/beta"].evidence != (
        old.checkpoint.roles["bn1/beta"].evidence
    )
