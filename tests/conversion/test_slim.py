"""What only training needs is left out, by role; only what is used is written."""

import os

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.testdata_paths import PREFIXES, V1_PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]
EMA = PREFIXES["ema-momentum/model.ckpt-10"]
FORMATS = ("tf1", "tf2", "dual")


def assert_kept(new, old, is_kept):
    """The new checkpoint has these variables of the old one, with their values."""
    with ec.open_checkpoint(new) as a, ec.open_checkpoint(old) as b:
        assert set(a) == {name for name in b if is_kept(name)}
        for name in a:
            np.testing.assert_array_equal(a.read(name), b.read(name), err_msg=name)
    assert ec.verify(new).ok


def shards_size(prefix):
    directory, base = os.path.split(prefix)
    names = [n for n in os.listdir(directory) if n.startswith(f"{base}.data")]
    return sum(os.path.getsize(os.path.join(directory, name)) for name in names)


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("to", [None, *FORMATS])
def test_optimizer_state_goes_and_the_model_stays(tmp_path, before, to):
    old = ec.convert(DIGITS, tmp_path / "old", to=before)
    new = ec.slim(old, tmp_path / "new", to=to)
    assert_kept(new, old, lambda name: "Adam" not in name and "power" not in name)
    with ec.open_checkpoint(new) as checkpoint:
        assert checkpoint.format == (to or before)
        assert checkpoint.global_step == 300
        assert "bn1/moving_mean" in checkpoint
    assert shards_size(new) < 0.5 * shards_size(str(DIGITS))


@pytest.mark.parametrize("keep_averages", [False, True])
def test_averages_go_unless_they_are_kept(tmp_path, keep_averages):
    new = ec.slim(EMA, tmp_path / "new", keep_averages=keep_averages)
    assert_kept(
        new,
        EMA,
        lambda name: (
            not name.endswith("/Momentum")
            and (keep_averages or "ExponentialMovingAverage" not in name)
        ),
    )


def test_the_object_restores_what_is_left(tmp_path):
    import tensorflow as tf

    model = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(50,))])
    model.compile(tf.keras.optimizers.Adam(), "mse")
    model.fit(np.ones((8, 50)), np.ones((8, 3)), verbose=0)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    old = checkpoint.save(str(tmp_path / "old"))
    expected = [value.numpy() for value in model.weights]
    new = ec.slim(old, tmp_path / "new")
    other = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(50,))])
    restored = tf.train.Checkpoint(model=other)
    restored.restore(new).assert_existing_objects_matched().expect_partial()
    for value, wanted in zip(other.weights, expected):
        np.testing.assert_array_equal(value.numpy(), wanted)
    with ec.open_checkpoint(new) as found:
        sizes = [info.size for info in found.values()]
    assert sum(sizes) == 4 * (50 * 3 + 3)


def test_variables_that_share_a_name_are_told_by_their_paths(tmp_path):
    import tensorflow as tf

    checkpoint = tf.train.Checkpoint(
        x=tf.Variable(1.0, name="same"), y=tf.Variable(2.0, name="same")
    )
    old = checkpoint.save(str(tmp_path / "old"))
    new = ec.slim(old, tmp_path / "new")
    checkpoint.restore(new).assert_consumed()
    with pytest.raises(ec.CheckpointError, match="share a full name"):
        ec.slim(old, tmp_path / "named", to="tf1")
    named = ec.slim(old, tmp_path / "named", to="tf1", names="path")
    assert set(ec.open_checkpoint(named)) == {"x", "y"}


def test_a_batch_norms_beta_is_no_optimizers(tmp_path):
    values = {
        "bn/beta": np.ones(3, "f4"),
        "bn/gamma": np.ones(3, "f4"),
        "w": np.ones((3, 3), "f4"),
        "w/Adam": np.ones((3, 3), "f4"),
        "w/Adam_1": np.ones((3, 3), "f4"),
        "beta1_power": np.array(0.9, "f4"),
        "beta2_power": np.array(0.99, "f4"),
    }
    write_bundle(tmp_path / "c", values)
    new = ec.slim(tmp_path / "c", tmp_path / "n")
    assert_kept(new, tmp_path / "c", {"bn/beta", "bn/gamma", "w"}.__contains__)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, {"w", "w/mine"}),
        ({"optimizer_state": ".*/mine"}, {"w"}),
        ({"model_state": "w/"}, {"w", "w/mine", "w/Adam", "w/Adam_1"}),
    ],
)
def test_the_user_may_overrule_what_is_what(tmp_path, options, kept):
    write_bundle(
        tmp_path / "c",
        {name: np.ones(3, "f4") for name in ("w", "w/Adam", "w/Adam_1", "w/mine")},
    )
    new = ec.slim(tmp_path / "c", tmp_path / "n", **options)
    assert_kept(new, tmp_path / "c", kept.__contains__)


def test_partitioned_variables_and_what_lies_in_several_shards(tmp_path):
    old = PREFIXES["embedding-sharded/model.ckpt-20"]
    new = ec.slim(old, tmp_path / "new")
    assert_kept(new, old, lambda name: not name.endswith("Adagrad"))
    with ec.open_checkpoint(new) as checkpoint:
        assert checkpoint.num_shards == 1


def test_the_v1_format(tmp_path):
    (old, *_) = V1_PREFIXES.values()
    new = ec.slim(old, tmp_path / "new")
    assert ec.verify(new).ok
    assert ec.open_checkpoint(new).global_step == 7


def test_nothing_but_optimizer_state_is_an_error(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.ones(3, "f4")})
    with pytest.raises(ec.CheckpointError, match="all of its 1 variables are"):
        ec.slim(tmp_path / "c", tmp_path / "n", optimizer_state="v")
    assert sorted(os.listdir(tmp_path)) == ["c.data-00000-of-00001", "c.index"]


def test_a_damaged_tensor_is_refused(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.ones(300_000, "f4"), "w": np.ones(9, "f4")})
    shard = tmp_path / "c.data-00000-of-00001"
    content = bytearray(shard.read_bytes())
    content[600_000] ^= 1
    shard.write_bytes(content)
    os.utime(shard, (1e9, 1e9))
    with pytest.raises(ec.CheckpointError, match="'v' is damaged"):
        ec.slim(tmp_path / "c", tmp_path / "new" / "n")
    assert os.listdir(tmp_path / "new") == []
