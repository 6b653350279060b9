"""The test data is what its README says, and TensorFlow reads it as recorded."""

import re

import numpy as np
import pytest
import tensorflow as tf

from tests import testdata_paths
from tests.testdata_paths import PREFIXES, TESTDATA, V1_PREFIXES, session_values

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
OLD_DIR = b"/tmp/estimator_ckpt_old_dir"
FILES = [
    path
    for path in TESTDATA.glob("**/*")
    if path.is_file() and path.suffix not in (".py", ".pyc")
]


def readme_table():
    """From the README: {checkpoint name: number of keys}."""
    rows = re.findall(
        r"^\| `(\S+)` \| (.+?) \| (\d+) \|",
        (TESTDATA / "README.md").read_text(),
        flags=re.MULTILINE,
    )
    table = {}
    for directory, checkpoints, keys in rows:
        for checkpoint in checkpoints.split(", "):
            if checkpoint == "-":
                prefix = "model.ckpt"
            elif checkpoint.startswith("`"):
                prefix = checkpoint.strip("`")
            else:
                prefix = f"model.ckpt-{checkpoint}"
            table[f"{directory}/{prefix}"] = int(keys)
    return table


def equal_bits(left, right):
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype == object:
        return left.shape == right.shape and left.tolist() == right.tolist()
    return (left.dtype, left.shape, left.tobytes()) == (
        right.dtype,
        right.shape,
        right.tobytes(),
    )


def test_all_of_it_is_under_3_and_a_half_megabytes():
    assert sum(path.stat().st_size for path in FILES) < 3_500_000


def test_readme_lists_every_checkpoint():
    assert readme_table().keys() == PREFIXES.keys() | V1_PREFIXES.keys()


@pytest.mark.parametrize("name", PREFIXES)
def test_checkpoint_holds_the_recorded_keys_and_as_many_as_readme_says(name):
    found = set(
        tf.train.load_checkpoint(str(PREFIXES[name])).get_variable_to_dtype_map()
    )
    assert len(found) == readme_table()[name]
    if name.startswith(testdata_paths.OBJECT_BASED):
        found.remove(OBJECT_GRAPH)
    assert found == session_values(name).keys()


@pytest.mark.parametrize("name", PREFIXES)
def test_tensorflow_reads_the_values_that_the_session_saw(name):
    reader = tf.train.load_checkpoint(str(PREFIXES[name]))
    # TensorFlow cannot join slices of these two dtypes (see the test below).
    unjoinable = {"float16", "string"} if name.startswith("partition-dtypes/") else ()
    different = [
        key
        for key, value in session_values(name).items()
        if key not in unjoinable and not equal_bits(reader.get_tensor(key), value)
    ]
    assert different == []


@pytest.mark.parametrize("name", ["float16", "string"])
def test_slices_that_tensorflow_cannot_join_hold_the_values_one_by_one(name):
    prefix = "partition-dtypes/model.ckpt"
    value = session_values(prefix)[name]
    dtype = tf.string if name == "string" else tf.float16
    parts = [
        tf.raw_ops.RestoreV2(
            prefix=str(PREFIXES[prefix]),
            tensor_names=[name],
            shape_and_slices=[f"7 2 {start},{size}:0,2"],
            dtypes=[dtype],
        )[0].numpy()
        for start, size in ((0, 3), (3, 2), (5, 2))
    ]
    assert equal_bits(np.concatenate(parts), value)


@pytest.mark.parametrize("name", V1_PREFIXES)
def test_v1_checkpoint_holds_the_values_that_the_session_saw(name):
    reader = tf.train.load_checkpoint(str(V1_PREFIXES[name]))
    values = session_values(name)
    assert reader.get_variable_to_shape_map().keys() == values.keys()
    assert len(values) == readme_table()[name]
    for key, value in values.items():
        # Not get_tensor, which cannot show slices, nor some dtypes, of this format.
        (found,) = tf.raw_ops.RestoreV2(
            prefix=str(V1_PREFIXES[name]),
            tensor_names=[key],
            shape_and_slices=[""],
            dtypes=[reader.get_variable_to_dtype_map()[key]],
        )
        assert equal_bits(found.numpy(), value), key


def test_state_files_name_the_latest_checkpoint_relatively():
    for path in TESTDATA.glob("**/checkpoint"):
        directory = path.parent
        if directory.name == "state-files":
            continue
        latest = tf.train.latest_checkpoint(str(directory))
        known = [*PREFIXES.values(), *V1_PREFIXES.values()]
        assert latest in [str(prefix) for prefix in known]
        assert b"/" not in path.read_bytes()


def test_moved_dir_names_paths_that_are_gone():
    directory = TESTDATA / "state-files"
    assert OLD_DIR in (directory / "checkpoint").read_bytes()
    assert tf.train.latest_checkpoint(str(directory)) is None


def test_no_path_of_a_machine_is_in_any_file():
    here = TESTDATA.parts[1]  # the first folder on the way to this checkout
    usual = "home|root|tmp|usr|var|opt|mnt|srv|Users"
    absolute = re.compile(rf"/(?:{usual}|{re.escape(here)})/[\w./-]+".encode())
    found = {
        (path.relative_to(TESTDATA).as_posix(), match)
        for path in FILES
        if path.name != "README.md"
        for match in absolute.findall(path.read_bytes())
    }
    # The one file that is there for its absolute paths.
    allowed = {
        ("state-files/checkpoint", OLD_DIR + b"/model.ckpt-%d" % n) for n in (1, 2)
    }
    assert found == allowed


def test_events_files_are_left_out():
    assert list(TESTDATA.glob("**/events.*")) == []


def test_saver_wrote_slices_and_shards():
    reader = tf.train.load_checkpoint(str(PREFIXES["embedding-sharded/model.ckpt-20"]))
    assert reader.get_variable_to_shape_map()["embedding/weights"] == [1088, 4]
    shards = TESTDATA.glob("embedding-sharded/*.data-*-of-00002")
    assert all(path.stat().st_size > 10_000 for path in shards)


def test_dtypes_are_all_that_a_checkpoint_of_tensorflow_1_can_hold():
    reader = tf.train.load_checkpoint(str(PREFIXES["dtypes/model.ckpt"]))
    words = "bool string bfloat16 float16 float32 float64 complex64 complex128"
    words += " int8 int16 int32 int64 uint8 uint16 uint32 uint64"
    words += " qint8 qint16 qint32 quint8 quint16"
    found = {dtype.name for dtype in reader.get_variable_to_dtype_map().values()}
    assert found == set(words.split())


@pytest.mark.parametrize(("name", "expected"), [
    ("est-tf1/model.ckpt-1", {"var": 2.0, "global_step": 1}),
    ("est-tf1-3steps/model.ckpt-3", {"var": 6.0, "global_step": 3}),
    ("guide/tf1-ckpt", {"a": 1.0, "b": 2.0, "scoped/c": 3.0}),
])  # fmt: skip
def test_the_guides_values(name, expected):
    assert session_values(name) == expected


def test_generator_refuses_any_other_tensorflow():
    import subprocess
    import sys

    ran = subprocess.run(
        [sys.executable, str(TESTDATA / "generate.py")], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert f"written by TensorFlow 1.15.5, and this is {tf.__version__}" in ran.stderr
