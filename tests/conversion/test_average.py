"""The mean of checkpoints, against NumPy's, and as TensorFlow reads it."""

import os
import pathlib
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.bundle.writer import write_bundle
from tests.conftest import REPOSITORY
from tests.testdata_paths import PREFIXES

FORMATS = ("tf1", "tf2", "dual")
EMA = PREFIXES["ema-momentum/model.ckpt-10"]


def values_of(path):
    with ec.open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


def checkpoints(tmp_path, count=3, formats=("tf1",)):
    """Checkpoints of one model with random values, at the steps 10, 20, ..."""
    random = np.random.default_rng(0)
    found = []
    for i in range(count):
        prefix = str(tmp_path / f"written-{i}" / "model.ckpt")
        write_bundle(
            prefix,
            {
                "w": random.normal(size=(300, 1001)).astype("float32"),
                "w/Adam": random.normal(size=(300, 1001)).astype("float32"),
                "half": random.normal(size=7).astype("float16"),
                "brain": random.normal(size=7).astype(ml_dtypes.bfloat16),
                "wide": random.normal(size=7),
                "wave": (random.normal(size=7) * 1j).astype("complex64"),
                "count": np.array(i, "int32"),
                "flag": np.array(bool(i % 2)),
                "text": np.array([b"%d" % i], object),
                "empty": np.zeros((0, 3), "float32"),
                "global_step": np.array(10 * (i + 1), "int64"),
            },
        )
        to = formats[i % len(formats)]
        found.append(ec.convert(prefix, tmp_path / f"{i}" / "model.ckpt", to=to))
    return found


@pytest.mark.parametrize("formats", [*((f,) for f in FORMATS), FORMATS])
@pytest.mark.parametrize("to", [None, *FORMATS])
def test_it_is_numpys_mean_rounded_once(tmp_path, formats, to):
    sources = checkpoints(tmp_path, formats=formats)
    new = ec.average(sources, tmp_path / "mean", to=to)
    found, all_values = values_of(new), [values_of(path) for path in sources]
    assert ec.open_checkpoint(new).format == (to or formats[-1])
    assert set(found) == set(all_values[0])
    for name in ("w", "half", "brain", "wide", "wave", "empty"):
        wide = "complex128" if name == "wave" else "float64"
        stacked = np.stack([values[name].astype(wide) for values in all_values])
        expected = (stacked.sum(axis=0) / 3).astype(found[name].dtype)
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
    for name in ("w/Adam", "count", "flag", "text", "global_step"):
        np.testing.assert_array_equal(found[name], all_values[2][name], err_msg=name)
    assert ec.verify(new).ok


def test_the_newest_is_that_of_the_highest_step_wherever_it_is_named(tmp_path):
    first, second, third = checkpoints(tmp_path)
    new = ec.average([third, first, second], tmp_path / "mean")
    assert values_of(new)["global_step"] == 30
    assert values_of(new)["text"] == [b"2"]


def test_the_last_of_a_model_dir(tmp_path):
    model_dir = EMA.parent
    new = ec.average(model_dir, tmp_path / "mean", last=2)
    old = [values_of(model_dir / f"model.ckpt-{step}") for step in (5, 10)]
    expected = (old[0]["hidden/kernel"].astype("f8") + old[1]["hidden/kernel"]) / 2
    np.testing.assert_array_equal(
        values_of(new)["hidden/kernel"], expected.astype("f4")
    )
    with pytest.raises(ec.CheckpointError, match=r"names 2 checkpoints .*, not 3"):
        ec.average(model_dir, tmp_path / "more", last=3)
    with pytest.raises(ValueError, match="say how many"):
        ec.average(model_dir, tmp_path / "more")


@pytest.mark.parametrize("to", FORMATS)
def test_partitioned_variables_are_averaged_whole(tmp_path, to):
    source = PREFIXES["embedding-sharded/model.ckpt-20"]
    new = ec.average([source, source], tmp_path / "mean", to=to)
    assert not ec.diff(source, new)


def test_one_checkpoint_is_its_own_mean(tmp_path):
    assert not ec.diff(EMA, ec.average([EMA], tmp_path / "mean"))


@pytest.mark.parametrize("to", ["tf2", "dual"])
def test_tf2_code_consumes_it(tmp_path, to):
    new = ec.average(EMA.parent, tmp_path / "mean", last=2, to=to)
    expected = values_of(new)
    variables = {
        name: tf.Variable(tf.zeros(value.shape, value.dtype))
        for name, value in expected.items()
        if name != "global_step"
    }
    step = tf.Variable(0, dtype=tf.int64)
    restored = tf.train.Checkpoint(var_list=variables, step=step).restore(new)
    restored.assert_consumed()
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable.numpy(), expected[name])


def test_an_objects_own_keys_stay(tmp_path):
    source = PREFIXES["object-based/ckpt-1"]
    new = ec.average([source, source], tmp_path / "mean")
    with ec.open_checkpoint(source) as a, ec.open_checkpoint(new) as b:
        assert {n: i.key for n, i in a.items()} == {n: i.key for n, i in b.items()}


def test_filters_and_maps_hold(tmp_path):
    new = ec.average(
        EMA.parent,
        tmp_path / "mean",
        last=2,
        exclude=".*/Momentum",
        assignment_map="builtin:use_ema",
    )
    names = set(values_of(new))
    assert names == {
        *("global_step", "hidden/kernel", "hidden/bias", "out/kernel", "out/bias")
    }


def test_all_differing_variables_are_named_and_nothing_is_written(tmp_path):
    for name, values in {
        "a": {"x": np.zeros(2, "f4"), "y": np.zeros(2, "f4"), "z": np.zeros(2, "f4")},
        "b": {"x": np.zeros(3, "f4"), "y": np.zeros(2, "f8"), "new": np.zeros(1, "f4")},
    }.items():
        write_bundle(str(tmp_path / name / "c"), values)
    with pytest.raises(ec.CheckpointError) as caught:
        ec.average(
            [tmp_path / "a" / "c", tmp_path / "b" / "c"], tmp_path / "mean" / "c"
        )
    message = str(caught.value)
    assert f"'new' is not in {tmp_path / 'a' / 'c'}" in message
    assert f"'z' is not in {tmp_path / 'b' / 'c'}" in message
    assert "'x' is float32[2]" in message
    assert "'y' is float32[2] in" in message
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"include": "nothing"}, "digits/model.ckpt-300: include and exclude leave"),
        ({"assignment_map": {"logits/kernel": "x", "logits/bias": "x"}}, "one name"),
        ({"assignment_map": "none.yaml"}, "none.yaml"),
    ],
)
def test_bad_options_are_said_before_anything_is_read(tmp_path, options, message):
    def progress(size):
        raise AssertionError("something was averaged")

    with pytest.raises(ec.CheckpointError, match=message):
        ec.average(
            PREFIXES["digits/model.ckpt-300"].parent,
            tmp_path / "m",
            last=2,
            progress=progress,
            **options,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_recent", [True, False])
def test_a_damaged_source_leaves_nothing_behind(tmp_path, is_recent):
    first, second, _ = checkpoints(tmp_path)
    shard = pathlib.Path(f"{second}.data-00000-of-00001")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    if not is_recent:  # so that it is met when the tensor is averaged
        os.utime(shard, (1e9, 1e9))
    (tmp_path / "mean").mkdir()
    with pytest.raises(ec.CheckpointError, match="damaged"):
        ec.average([first, second], tmp_path / "mean" / "c")
    assert not list((tmp_path / "mean").iterdir())


def test_an_existing_destination_is_refused(tmp_path):
    sources = checkpoints(tmp_path, 2)
    ec.average(sources, tmp_path / "mean")
    with pytest.raises(DestinationExistsError):
        ec.average(sources, tmp_path / "mean")
    ec.average(sources, tmp_path / "mean", overwrite=True)
    with pytest.raises(DestinationExistsError, match="the same checkpoint"):
        ec.average(sources, sources[0], overwrite=True)


def test_memory_does_not_grow_with_a_tensor(tmp_path):
    script = (
        "import resource, sys\n"
        "import estimator_ckpt as ec\n"
        "ec.average(sys.argv[1:3], sys.argv[3])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for megabytes in (1, 200):
        sources = [str(tmp_path / f"{megabytes}-{i}") for i in range(2)]
        for prefix in sources:
            write_bundle(prefix, {"v": np.zeros(megabytes << 18, "float32")})
        done = subprocess.run(
            [sys.executable, "-c", script, *sources, str(tmp_path / f"m{megabytes}")],
            check=True,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + (24 << 10)


def test_the_command(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "estimator_ckpt", "average"),
            *(str(EMA.parent), str(tmp_path / "mean" / "c"), "--last=2", "--to=dual"),
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.stdout == f"{tmp_path / 'mean' / 'c'}\n"
    assert ec.open_checkpoint(done.stdout.strip()).format == "dual"
    done = subprocess.run(
        [sys.executable, "-m", "estimator_ckpt", "average", str(EMA), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.returncode == 2
    assert "name two checkpoints or more" in done.stderr


def test_one_scope_becomes_two(tmp_path):
    sources = checkpoints(tmp_path)
    two = {"w": ["online/w", "target/w"]}
    new = ec.average(sources, tmp_path / "mean", to="tf2", assignment_map=two)
    found, every = values_of(new), [values_of(path)["w"] for path in sources]
    mean = np.mean(every, 0, np.float64).astype("float32")
    for name in ("online/w", "target/w"):
        np.testing.assert_array_equal(found[name], mean)
        newest = values_of(sources[-1])["w/Adam"]
        np.testing.assert_array_equal(found[f"{name}/Adam"], newest)
