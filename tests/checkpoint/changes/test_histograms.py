"""Histograms: the right counts, of any numbers."""

import shutil
import tracemalloc

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.changes.histograms import BINS, histogram
from estimator_ckpt.checkpoint.changes.value_changes import Change
from tests.testdata_paths import TESTDATA


def of(before, after):
    before, after = np.asarray(before), np.asarray(after)
    change = Change("v", roles.MODEL, before.size, 1.0, 1.0)
    halves = [(before[:2], after[:2]), (before[2:], after[2:])]
    return histogram(change, lambda: iter(halves))


class TestHistograms:
    def test_counts_add_up(self):
        found = of([0.0, 1.0, 2.0, 31.0, 32.0], [0.0, 1.0, 2.0, 31.0, 0.0])
        assert (found.low, found.high) == (0, 32)
        assert sum(found.before) == sum(found.after) == sum(found.change) == 5
        assert found.before[:3] == (1, 1, 1)
        assert found.before[-1] == 2  # the greatest is in the last bin, with 31
        assert found.after[0] == 2
        assert (found.change_low, found.change_high) == (-32, 0)
        assert (found.change[0], found.change[-1]) == (1, 4)

    @pytest.mark.parametrize(
        ("before", "after", "lost"),
        [
            ([1.0, np.nan, np.inf, 2.0], [1.0, 1.0, 1.0, 3.0], 2),
            ([-1.7e308, 1.7e308, 0.0], [1.7e308, -1.7e308, 1.0], 2),
            ([5e-324, 0.0, 0.0], [0.0, 0.0, 0.0], 0),
            ([7.0, 7.0, 7.0], [7.0, 7.0, 7.0], 0),
            ([np.nan, np.nan, np.nan], [0.0, 0.0, 0.0], 3),
        ],
    )
    def test_of_any_numbers(self, before, after, lost):
        found = of(before, after)
        assert found.num_not_finite == lost
        for counts in (found.before, found.after, found.change):
            assert len(counts) == BINS
            assert sum(counts) == len(before) - lost

    @pytest.mark.parametrize("dtype", ["float16", "int64", "uint8", "bool", "float64"])
    def test_of_any_dtype(self, dtype):
        found = of(np.array([0, 1, 1, 0], dtype), np.array([1, 1, 0, 0], dtype))
        assert (found.change_low, found.change_high) == (-1, 1)


class TestInADiff:
    @pytest.fixture
    def pair(self, tmp_path):
        rng = np.random.default_rng(0)
        old = {f"l{i}/w": rng.normal(size=100).astype("f4") for i in range(20)}
        old["labels"] = np.array([b"a", b"b"], object)
        new = {
            n: v + np.float32(i) / 10 for i, (n, v) in enumerate(old.items()) if i < 20
        }
        new["labels"] = np.array([b"a", b"c"], object)
        for name, tensors in (("old", old), ("new", new)):
            write_bundle(tmp_path / name, tensors)
        return tmp_path / "old", tmp_path / "new"

    def test_the_twelve_most_changed_have_one(self, pair):
        found = ec.diff(*pair)
        assert [h.name for h in found.histograms] == [
            f"l{i}/w" for i in range(19, 7, -1)
        ]
        assert found.histograms[0].mean_abs == pytest.approx(1.9, rel=1e-5)
        assert found.histograms[0].change_low == pytest.approx(1.9, rel=1e-5)
        assert [layer.mean_abs for layer in found.layers] == pytest.approx(
            [i / 10 for i in range(20)], rel=1e-5
        )
        assert found.layers[0].num_changed == 0

    def test_without_details_nothing_is_read_again(self, pair):
        found = ec.diff(*pair, details=False)
        assert (found.layers, found.histograms) == ((), ())
        assert found.differences == ec.diff(*pair).differences

    def test_memory_does_not_grow_with_the_bytes(self, tmp_path):
        value = np.zeros((40, 250_000), np.float32)  # 40 MB
        for step in (0, 1):
            write_bundle(tmp_path / f"{step}", {"w": value + step})
        del value
        tracemalloc.start()
        found = ec.diff(tmp_path / "0", tmp_path / "1")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(found.histograms[0].change) == 10_000_000
        assert most < 20_000_000

    def test_a_damaged_meta_leaves_the_order_of_names(self, tmp_path, caplog):
        shutil.copytree(TESTDATA / "digits", tmp_path / "digits")
        old, new = (tmp_path / "digits" / f"model.ckpt-{step}" for step in (100, 300))
        old.with_name(f"{old.name}.meta").write_bytes(b"\xff" * 50)
        found = ec.diff(old, new)
        assert [layer.name for layer in found.layers] == [
            *("bn1", "bn2", "conv1", "conv2", "logits")
        ]
        assert "layers are in the order of their names" in caplog.text

    def test_complex_numbers_have_one_of_magnitudes(self, tmp_path):
        for name, values in (("a", [3 + 4j, 2j, 1]), ("b", [0, 2j, np.nan])):
            write_bundle(tmp_path / name, {"c": np.array(values, np.complex64)})
        (found,) = ec.diff(tmp_path / "a", tmp_path / "b").histograms
        assert found.of_magnitudes
        assert (found.low, found.high) == (0, 5)
        assert (found.change_low, found.change_high) == (0, 5)
        assert (found.before[-1], found.after[0]) == (1, 1)
        assert sum(found.before) == sum(found.after) == sum(found.change) == 2
        assert found.remarks() == [
            "complex: magnitudes of values and differences",
            "1 not finite",
        ]
