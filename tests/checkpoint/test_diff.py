"""diff: variables by name, whatever the format; equal sums settle equality."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from estimator_ckpt.checkpoint import diff as diffs
from estimator_ckpt.checkpoint.differences import Aspect
from tests import testdata_paths
from tests.testdata_paths import PREFIXES, TESTDATA


def made(path, **tensors):
    write_bundle(path, tensors)
    return path


def differences(tmp_path, a, b):
    return ec.diff(made(tmp_path / "a", **a), made(tmp_path / "b", **b)).differences


@pytest.mark.parametrize("name", ["digits/model.ckpt-300", "odd-names/model.ckpt"])
def test_formats_of_one_checkpoint_do_not_differ(tmp_path, name):
    for to in ("tf1", "tf2", "dual"):
        new = ec.convert(PREFIXES[name], tmp_path / to, to=to)
        found = ec.diff(PREFIXES[name], new)
        assert not found
        assert found.num_equal == len(ec.open_checkpoint(PREFIXES[name]))


def test_training_changes_values_as_numpy_measures():
    names = [f"digits/model.ckpt-{step}" for step in (100, 300)]
    a, b = map(testdata_paths.session_values, names)
    found = ec.diff(*(PREFIXES[name] for name in names))
    (kernel,) = (d for d in found.differences if d.name == "conv1/kernel")
    distance = np.abs(a["conv1/kernel"].astype(float) - b["conv1/kernel"])
    assert kernel.aspect is Aspect.VALUE
    assert kernel.max_abs == pytest.approx(distance.max())
    assert kernel.mean_abs == pytest.approx(distance.mean())


def test_added_removed_renamed_dtype_and_shape(tmp_path):
    x = np.arange(5, dtype="float32")
    found = differences(
        tmp_path,
        {"gone": np.ones(2), "old": x, "d": np.zeros(3), "s": np.zeros(3)},
        {"new": x, "more": np.ones(7), "d": np.zeros(3, "float32"), "s": np.zeros(4)},
    )
    assert [(d.aspect.value, d.name, d.new_name) for d in found] == [
        ("removed", "gone", None),
        ("added", "more", None),
        ("renamed", "old", "new"),
        ("dtype", "d", None),
        ("shape", "s", None),
    ]
    assert found[3].detail == "float64 -> float32"
    assert found[4].detail == "[3] -> [4]"


def test_two_candidates_are_not_called_renamed(tmp_path):
    x = np.arange(5.0)
    found = differences(tmp_path, {"old": x}, {"new": x, "other": x})
    assert [d.aspect.value for d in found] == ["removed", "added", "added"]


def test_slices_are_compared_by_value_with_the_whole(tmp_path):
    x = np.arange(12.0).reshape(6, 2)
    write_bundle(tmp_path / "w", {"v": x})
    parts = {((0, 4), (0, 2)): x[:4], ((4, 2), (0, 2)): x[4:]}
    write_bundle(tmp_path / "p", {"v": Partitioned((6, 2), parts)})
    assert not ec.diff(tmp_path / "w", tmp_path / "p")


def test_not_a_number_equals_itself_and_nothing_else(tmp_path):
    nan = float("nan")
    (found,) = differences(
        tmp_path, {"v": np.array([nan, nan, 1.0])}, {"v": np.array([nan, 2.0, 1.0])}
    )
    assert found.detail == "1 of 3 elements"
    assert found.max_abs == float("inf")


@pytest.mark.parametrize(
    ("a", "b", "most"),
    [
        (np.array([True, False]), np.array([True, True]), 1.0),
        (np.array([1 + 1j]), np.array([4 + 5j]), 5.0),
        (np.array([b"a", b"b"], object), np.array([b"a", b"c"], object), None),
        (np.array([250], "uint8"), np.array([5], "uint8"), 245.0),
    ],
)
def test_every_kind_of_value_is_measured(tmp_path, a, b, most):
    (found,) = differences(tmp_path, {"v": a}, {"v": b})
    assert found.max_abs == most


def test_equal_sums_are_enough(tmp_path, monkeypatch):
    # It would fail if it were called.
    monkeypatch.setattr(diffs.value_changes, "measure", None)
    new = ec.convert(TESTDATA / "digits", tmp_path / "n", to="tf2", data="copy")
    assert not ec.diff(TESTDATA / "digits", new)
