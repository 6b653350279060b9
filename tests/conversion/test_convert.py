"""Conversion: other keys, the same bytes, whole or not at all."""

import errno
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.index import read_index, shard_path
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import formats, object_keys
from tests import testdata_paths

PREFIXES = testdata_paths.PREFIXES
NAME_BASED = sorted(
    n for n in PREFIXES if not n.startswith(testdata_paths.OBJECT_BASED)
)
FORMATS = formats.CHOICES
#: Variables of dtypes that TensorFlow cannot join are written whole, see convert.py.
WHOLE = {"partition-dtypes/model.ckpt": {"float16", "string"}}


def records(prefix):
    return read_index(f"{prefix}.index").records


def assert_same_values(prefix, name):
    expected = testdata_paths.session_values(name)
    checkpoint = ec.open_checkpoint(prefix)
    for key, value in expected.items():
        found = checkpoint.read(key)
        if found.dtype == object:
            assert found.tolist() == value.tolist(), key
        else:  # also of what is not a number, each bit
            assert found.dtype == value.dtype
            assert found.shape == value.shape
            assert found.tobytes() == value.tobytes(), key


@pytest.mark.parametrize("name", NAME_BASED)
def test_every_direction_keeps_every_value(tmp_path, name):
    at = PREFIXES[name]
    chain = ["tf1", "tf1", "tf2", "tf2", "dual", "dual", "tf1", "dual", "tf2", "tf1"]
    for number, to in enumerate(chain):
        at = ec.convert(at, tmp_path / f"{number}-{to}", to=to)
        assert ec.open_checkpoint(at).format == to
        assert_same_values(at, name)
        assert ec.verify(at).ok


@pytest.mark.parametrize("name", NAME_BASED)
def test_to_tf2_and_back_gives_the_same_keys_and_bytes(tmp_path, name):
    tf2 = ec.convert(PREFIXES[name], tmp_path / "tf2", to="tf2")
    back = ec.convert(tf2, tmp_path / "back", to="tf1")

    def of(prefix):
        return {
            key: record
            for key, record in records(prefix).items()
            if not any(whole.encode() in key for whole in WHOLE.get(name, ()))
        }

    assert of(back) == of(PREFIXES[name])
    for shard in range(read_index(f"{PREFIXES[name]}.index").header.num_shards):
        total = read_index(f"{PREFIXES[name]}.index").header.num_shards
        new_total = read_index(f"{back}.index").header.num_shards
        old = pathlib.Path(shard_path(PREFIXES[name], shard, total)).read_bytes()
        assert pathlib.Path(shard_path(back, shard, new_total)).read_bytes() == old


@pytest.mark.parametrize("name", [n for n in PREFIXES if n not in NAME_BASED])
def test_object_based_checkpoints_keep_their_keys_and_graph(tmp_path, name):
    for to in ("tf2", "dual"):
        new = ec.convert(PREFIXES[name], tmp_path / to, to=to)
        old_records, new_records = records(PREFIXES[name]), records(new)
        for key, record in old_records.items():
            assert new_records[key] == record
        if to == "dual":
            checkpoint = ec.open_checkpoint(PREFIXES[name])
            assert set(checkpoint) <= {key.decode() for key in new_records}


def test_full_names_become_tf1_names(tmp_path):
    new = ec.convert(PREFIXES["guide-tf2/tf2-ckpt-1"], tmp_path / "new", to="tf1")
    assert {k.decode() for k in records(new)} == {"a", "b", "scoped/c"}
    assert ec.open_checkpoint(new).read("scoped/c") == 7.0


def test_paths_become_names_when_asked(tmp_path):
    prefix = PREFIXES["guide-tf2/tf2-ckpt-1"]
    new = ec.convert(prefix, tmp_path / "new", to="tf1", names="path")
    assert {k.decode() for k in records(new)} == {
        "variables/0",
        "variables/1",
        "variables/2",
    }


def test_root_lays_an_object_based_source_out_anew(tmp_path):
    prefix = PREFIXES["guide-tf2/tf2-ckpt-1"]
    new = ec.convert(prefix, tmp_path / "new", to="tf2", root="vars")
    keys = {k.decode() for k in records(new)}
    assert object_keys.variable_key("scoped/c", "vars") in keys
    assert not any(key.startswith("variables/") for key in keys)


def test_the_step_stays_with_the_variables_when_asked(tmp_path):
    prefix = PREFIXES["digits/model.ckpt-300"]
    new = ec.convert(prefix, tmp_path / "new", to="tf2", step=None)
    keys = {k.decode() for k in records(new)}
    assert object_keys.variable_key("global_step") in keys
    assert object_keys.STEP_KEY not in keys


@pytest.mark.parametrize(
    ("name", "counter"), [("digits/model.ckpt-300", 300), ("guide/tf1-ckpt", 1)]
)
def test_save_counter_is_the_global_step_or_1(tmp_path, name, counter):
    new = ec.convert(PREFIXES[name], tmp_path / "new", to="tf2")
    assert ec.open_checkpoint(new).read(object_keys.SAVE_COUNTER_KEY) == counter


def test_include_and_exclude_choose_variables(tmp_path):
    new = ec.convert(
        PREFIXES["digits/model.ckpt-300"],
        tmp_path / "new",
        to="tf2",
        include=["conv1/", "conv2/"],
        exclude=".*/Adam",
    )
    assert set(ec.open_checkpoint(new)) == {"conv1/kernel", "conv2/kernel"}


def test_a_filter_prunes_the_object_graph_too(tmp_path):
    import tensorflow as tf

    new = ec.convert(
        PREFIXES["guide-tf2-scoped/tf2-ckpt-1"], tmp_path / "n", to="tf2", exclude="b"
    )
    a, c = tf.Variable(0.0), tf.Variable(0.0)
    restored = tf.train.Checkpoint(unscoped=[a], scoped=[c])
    restored.restore(new).assert_consumed()
    assert (a.numpy(), c.numpy()) == (1.0, 3.0)


class TestData:
    def test_shards_are_linked_and_the_index_never_is(self, tmp_path):
        source = tmp_path / "a"
        write_bundle(source, {"v": np.arange(10)})
        new = ec.convert(source, tmp_path / "b", to="dual")
        assert os.path.samefile(f"{source}.data-00000-of-00001", shard_path(new, 0, 2))
        assert os.stat(f"{new}.index").st_nlink == 1

    def test_copy_makes_files_of_their_own(self, tmp_path):
        source = tmp_path / "a"
        write_bundle(source, {"v": np.arange(10)})
        new = ec.convert(source, tmp_path / "b", to="dual", data="copy")
        assert os.stat(shard_path(new, 0, 2)).st_nlink == 1

    def test_a_link_to_a_relative_symlink_does_not_dangle(self, tmp_path):
        (tmp_path / "store").mkdir()
        write_bundle(tmp_path / "store" / "a", {"v": np.arange(10)})
        (tmp_path / "view").mkdir()
        for path in (tmp_path / "store").iterdir():
            (tmp_path / "view" / path.name).symlink_to(f"../store/{path.name}")
        new = ec.convert(tmp_path / "view" / "a", tmp_path / "x" / "b", to="tf2")
        assert ec.verify(new).ok

    def test_copy_with_a_filter_writes_only_what_is_kept(self, tmp_path):
        source = tmp_path / "a"
        write_bundle(source, {"big": np.zeros(100_000), "small": np.arange(4)})
        new = ec.convert(
            source, tmp_path / "b", to="dual", data="copy", include="small"
        )
        size = sum(p.stat().st_size for p in tmp_path.glob("b.data-*"))
        assert size < 10_000
        np.testing.assert_array_equal(ec.open_checkpoint(new).read("small"), range(4))

    def test_copying_only_what_is_kept_keeps_slices(self, tmp_path):
        name = "embedding-sharded/model.ckpt-20"
        new = ec.convert(
            PREFIXES[name], tmp_path / "b", to="tf1", data="copy", include=".*Adagrad"
        )
        expected = testdata_paths.session_values(name)
        checkpoint = ec.open_checkpoint(new)
        assert len(checkpoint) == 3
        for variable in checkpoint:
            np.testing.assert_array_equal(checkpoint.read(variable), expected[variable])

    def test_shards_that_nothing_kept_uses_are_left_out(self, tmp_path):
        source = PREFIXES["canned-dnn/model.ckpt-20"]
        assert read_index(f"{source}.index").header.num_shards == 2
        new = ec.convert(source, tmp_path / "b", to="tf1", exclude="global_step")
        assert read_index(f"{new}.index").header.num_shards == 1
        assert ec.verify(new).ok

    def test_what_tensorflow_cannot_join_is_written_whole(self, tmp_path):
        import tensorflow as tf

        name = "partition-dtypes/model.ckpt"
        expected = testdata_paths.session_values(name)
        new = ec.convert(PREFIXES[name], tmp_path / "b", to="dual")
        for variable, value in expected.items():
            (found,) = tf.raw_ops.RestoreV2(
                prefix=new,
                tensor_names=[object_keys.variable_key(variable)],
                shape_and_slices=[""],
                dtypes=[tf.as_dtype(ec.open_checkpoint(new)[variable].dtype)],
            )
            np.testing.assert_array_equal(found.numpy(), value)


class TestDestination:
    @pytest.fixture
    def source(self, tmp_path):
        write_bundle(tmp_path / "a", {"v": np.arange(10)})
        return tmp_path / "a"

    def test_a_directory_takes_the_sources_name(self, tmp_path, source):
        (tmp_path / "dir").mkdir()
        assert ec.convert(source, tmp_path / "dir", to="tf1") == str(tmp_path / "dir/a")
        assert ec.convert(source, f"{tmp_path}/new/", to="tf1") == f"{tmp_path}/new/a"

    def test_what_is_there_is_refused(self, tmp_path, source):
        ec.convert(source, tmp_path / "b", to="tf1")
        with pytest.raises(ec.CheckpointError, match="already there"):
            ec.convert(source, tmp_path / "b", to="tf2")
        assert ec.open_checkpoint(tmp_path / "b").format == "tf1"

    def test_the_source_itself_is_refused_even_to_overwrite(self, source):
        with pytest.raises(ec.CheckpointError, match="are the same checkpoint"):
            ec.convert(source, source, to="tf2", overwrite=True)

    @pytest.mark.parametrize("first", FORMATS)
    @pytest.mark.parametrize("second", FORMATS)
    def test_overwriting_leaves_nothing_of_the_old(
        self, tmp_path, source, first, second
    ):
        other = tmp_path / "other"
        write_bundle(other, {"w": np.arange(3)})
        ec.convert(other, tmp_path / "b", to=first)
        new = ec.convert(source, tmp_path / "b", to=second, overwrite=True)
        assert set(ec.open_checkpoint(new)) == {"v"}
        assert ec.verify(new).ok
        total = read_index(f"{new}.index").header.num_shards
        assert {p.name for p in tmp_path.glob("b.*")} == {
            "b.index",
            *(os.path.basename(shard_path("b", i, total)) for i in range(total)),
        }

    def test_meta_goes_along_except_beside_tf2(self, tmp_path):
        source = PREFIXES["digits/model.ckpt-300"]
        for to in FORMATS:
            new = ec.convert(source, tmp_path / to, to=to)
            assert os.path.exists(f"{new}.meta") == (to != "tf2")

    def test_files_get_the_usual_permissions(self, tmp_path, source):
        new = ec.convert(source, tmp_path / "b", to="tf2")
        mask = os.umask(0)
        os.umask(mask)
        assert os.stat(f"{new}.index").st_mode & 0o777 == 0o666 & ~mask


class TestBadInput:
    def test_two_variables_of_one_full_name_are_both_listed(self, tmp_path):
        import tensorflow as tf

        checkpoint = tf.train.Checkpoint(
            x=tf.Variable(1.0, name="same"), y=tf.Variable(2.0, name="same")
        )
        prefix = checkpoint.save(str(tmp_path / "c"))
        with pytest.raises(ec.CheckpointError) as error:
            ec.convert(prefix, tmp_path / "n", to="tf1")
        for part in ("'same'", "x/.ATTRIBUTES", "y/.ATTRIBUTES", "--names=path"):
            assert part in str(error.value)
        new = ec.convert(prefix, tmp_path / "n", to="tf1", names="path")
        assert set(ec.open_checkpoint(new)) == {"x", "y"}
        kept = ec.convert(prefix, tmp_path / "t", to="tf2")
        checkpoint.restore(kept).assert_consumed()

    def test_the_guides_own_conversion_is_read_by_its_paths(self, tmp_path):
        """It gives every variable the full name `Variable`."""
        import tensorflow as tf

        variables = {"a": tf.Variable(1.0), "scoped/c": tf.Variable(3.0)}
        prefix = tf.train.Checkpoint(vars=variables).save(str(tmp_path / "c"))
        new = ec.convert(prefix, tmp_path / "n", to="tf1")
        assert set(ec.open_checkpoint(new)) == {"a", "scoped/c"}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"to": "tf3"}, "unknown checkpoint format 'tf3'"),
            ({"to": "tf1", "data": "move"}, "unknown data 'move'"),
            ({"to": "tf1", "names": "short"}, "unknown names 'short'"),
            ({"to": "tf1", "include": "("}, "no regular expression"),
        ],
    )
    def test_wrong_options(self, tmp_path, options, message):
        with pytest.raises(ValueError, match=message):
            ec.convert(PREFIXES["guide/tf1-ckpt"], tmp_path / "n", **options)
        assert list(tmp_path.iterdir()) == []

    def test_a_filter_that_leaves_nothing(self, tmp_path):
        with pytest.raises(ec.CheckpointError, match="leave none of its 3 variables"):
            ec.convert(
                PREFIXES["guide/tf1-ckpt"], tmp_path / "n", to="tf2", include="x"
            )
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_shard_is_named(self, tmp_path):
        for path in PREFIXES["guide/tf1-ckpt"].parent.glob("tf1-ckpt.index"):
            shutil.copy(path, tmp_path / path.name)
        with pytest.raises(ec.CheckpointError, match="data-00000-of-00001: the shard"):
            ec.convert(tmp_path / "tf1-ckpt", tmp_path / "n", to="tf1")
        assert not (tmp_path / "n.index").exists()

    def test_no_shard_stays_behind_where_the_index_fails(self, tmp_path, monkeypatch):
        old = ec.convert(PREFIXES["guide/tf1-ckpt"], tmp_path / "n", to="tf2")
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

        change = system_calls.change

        def full_at_the_index(operation, call, *arguments):
            if operation in ("rename", "link") and str(arguments[1]).endswith(".index"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return change(operation, call, *arguments)

        monkeypatch.setattr(system_calls, "change", full_at_the_index)
        for name, overwrite in (("n", True), ("m", True), ("m", False)):
            with pytest.raises(ec.CheckpointError, match="No space left"):
                ec.convert(
                    PREFIXES["guide/tf1-ckpt"],
                    tmp_path / name,
                    to="dual",
                    overwrite=overwrite,
                )
        assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert ec.verify(old).ok


@pytest.mark.parametrize("name", testdata_paths.V1_PREFIXES)
def test_the_v1_format_is_written_again(tmp_path, name, caplog):
    new = ec.convert(testdata_paths.V1_PREFIXES[name], tmp_path / "n", to="tf2")
    assert "V1 format" in caplog.text
    assert_same_values(new, name)
    assert not list(tmp_path.glob(".estimator_ckpt-*"))


@pytest.mark.parametrize("name", testdata_paths.V1_PREFIXES)
def test_the_v1_format_keeps_its_name_in_another_directory(tmp_path, name):
    new = ec.convert(testdata_paths.V1_PREFIXES[name], f"{tmp_path}/", to="tf2")
    assert new == str(tmp_path / pathlib.Path(name).name)
    assert_same_values(new, name)


def test_a_shard_of_the_v1_format_stands_for_all_of_them(tmp_path):
    name = "v1-format/sharded/model.ckpt-7"
    shard = testdata_paths.TESTDATA / f"{name}-00000-of-00002"
    assert_same_values(ec.convert(shard, tmp_path / "n", to="tf1"), name)


def test_the_v1_format_needs_no_tensorflow_nor_another_process(tmp_path):
    """Nor does what lies in the working directory get run."""
    name = "v1-format/single/model.ckpt-7"
    for module in ("numpy", "tensorflow", "estimator_ckpt"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('run')")
    command = ["convert", testdata_paths.V1_PREFIXES[name], "new", "--to=tf2"]
    program = pathlib.Path(sys.executable).with_name("estimator-ckpt")
    done = subprocess.run(
        [program, *map(str, command)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert_same_values(tmp_path / "new", name)


def test_the_source_is_never_opened_for_writing(tmp_path, monkeypatch):
    source = tmp_path / "source"
    shutil.copytree(testdata_paths.TESTDATA / "digits", source)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.iterdir()}
    touched = []
    change = system_calls.change

    def watch(operation, call, *arguments):
        touched.extend(str(a) for a in arguments if isinstance(a, str))
        return change(operation, call, *arguments)

    monkeypatch.setattr(system_calls, "change", watch)
    ec.convert_model_dir(source, tmp_path / "new", to="dual")
    assert {
        p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.iterdir()
    } == before
    assert touched


@pytest.mark.parametrize("to", ["tf1", "tf2", "dual"])
def test_a_global_step_of_int32_is_int64_where_objects_read_it(to, tmp_path, caplog):
    """`tf.Variable(0, name="global_step")`; TF2's step is int64, and is not cast."""
    values = {"w": np.ones(3, np.float32), "global_step": np.int32(7)}
    write_bundle(tmp_path / "old", values)
    new = ec.convert(tmp_path / "old", tmp_path / "new", to=to)
    wanted = "int32" if to == "tf1" else "int64"
    with ec.open_checkpoint(new) as made:
        assert (made["global_step"].dtype, made.global_step) == (wanted, 7)
    assert ("int64 in the result" in caplog.text) == (to != "tf1")
    assert ec.verify(new).ok
    assert not ec.diff(tmp_path / "old", new)
    assert ec.plan(tmp_path / "old", new).problems == []
    again = ec.convert(new, tmp_path / "again", to="tf1")  # aliases are of one dtype
    assert ec.open_checkpoint(again).global_step == 7
