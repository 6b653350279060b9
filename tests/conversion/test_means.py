"""Means of variables, computed when they are written."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.conversion import conversion_moves, means
from estimator_ckpt.conversion.chosen_names import Naming


@pytest.fixture
def opened(tmp_path):
    """Two checkpoints: halves whose sum overflows, integers, a slot, a partitioned."""
    found = []
    for i in range(2):
        w = np.array([60000, 1 + i, np.float16(2**-14)], np.float16)
        values = {
            "w": w,
            "w/Adam": w,
            "count": np.int32(i),
            "parts": Partitioned(
                (2, 2),
                {
                    (Extent(0, 1), Extent(0, 2)): np.float32([[i, 2]]),
                    (Extent(1, 1), Extent(0, 2)): np.float32([[3, 4]]),
                },
            ),
        }
        write_bundle(tmp_path / f"c-{i}", values)
        found.append(ec.open_checkpoint(tmp_path / f"c-{i}"))
    yield found
    for checkpoint in found:
        checkpoint.close()


def averaged(opened, progress=None):
    newest = opened[-1]
    moves = conversion_moves.of_checkpoint(newest, formats.TF1, Naming())
    return moves, means.averaged(moves, newest, opened, progress)


def test_the_mean_is_computed_in_float64_and_rounded_once(opened):
    _, made = averaged(opened)
    content = b"".join(bytes(chunk) for chunk in made.added.written[b"w"].chunks())
    assert np.frombuffer(content, np.float16).tolist() == [60000, 1.5, 2**-14]
    assert (made.added.written[b"w"].dtype, made.added.written[b"w"].shape) == (
        "float16",
        (3,),
    )


def test_a_partitioned_variable_has_one_mean(opened):
    _, made = averaged(opened)
    content = b"".join(bytes(chunk) for chunk in made.added.written[b"parts"].chunks())
    assert np.frombuffer(content, np.float32).tolist() == [0.5, 2, 3, 4]


def test_integers_and_slots_stay_the_newest_s(opened):
    moves, made = averaged(opened)
    assert set(made.added.written) == {b"w", b"parts"}
    assert made.new_keys[b"w"] == ()
    for name in (b"count", b"w/Adam"):
        assert made.new_keys[name] == moves.new_keys[name] == (name,)
    assert not made.keeps_names


def test_progress_has_the_bytes_of_the_means(opened):
    done = []
    _, made = averaged(opened, done.append)
    for tensor in made.added.written.values():
        list(tensor.chunks())
    assert sum(done) == 3 * 2 + 4 * 4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("error")
def test_whose_values_are_no_numbers_is_said_once(tmp_path, caplog, bad):
    many = np.zeros(1_000_000, np.float32)  # several pieces
    write_bundle(tmp_path / "fine", {"w": many, "v": many[:1]})
    write_bundle(tmp_path / "diverged", {"w": many + bad, "v": many[:1]})
    new = ec.average([tmp_path / "fine", tmp_path / "diverged"], tmp_path / "mean")
    with ec.open_checkpoint(new) as mean:
        assert not np.isfinite(mean.read("w")).any()
        assert mean.read("v") == 0
    (record,) = caplog.records
    said = f"'w' has NaN or infinite values in {tmp_path / 'diverged'}, and so in the"
    assert said in record.getMessage()
