"""From what people pass to a prefix: paths of state files, V1 shards, SavedModels."""

import os
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.paths import prefixes, v1_files
from estimator_ckpt.checkpoint.paths.prefixes import Place, Storage
from tests.testdata_paths import TESTDATA


def model_dir(path, named):
    """A model dir with model.ckpt-2, which its state file calls `named`."""
    write_bundle(path / "model.ckpt-2", {"v": np.float32([2])})
    text = named.replace("\\", "\\\\")
    (path / "checkpoint").write_text(f'model_checkpoint_path: "{text}"\n')
    return path


@pytest.mark.parametrize(
    "named",
    [
        "model.ckpt-2",
        "./model.ckpt-2",
        "gs://bucket/jobs/7/model.ckpt-2",
        "hdfs://name-node:8020/user/me/model.ckpt-2",
        "s3://bucket/model.ckpt-2",
        "file:///old/model.ckpt-2",
        r"C:\models\old\model.ckpt-2",
        r"\\server\share\model.ckpt-2",
        "/home/of/another/machine/model.ckpt-2",
        "../moved/away/model.ckpt-2",
    ],
)
def test_a_state_file_of_elsewhere_means_the_checkpoint_of_that_name_here(
    tmp_path, named
):
    checkpoint = ec.open_checkpoint(model_dir(tmp_path, named))
    assert os.path.samefile(
        f"{checkpoint.prefix}.index", tmp_path / "model.ckpt-2.index"
    )


def test_a_local_path_may_be_spelled_as_a_url(tmp_path):
    directory = model_dir(tmp_path, "model.ckpt-2")
    for given in (directory, directory / "model.ckpt-2", directory / "checkpoint"):
        found = prefixes.find(f"file://{given}")
        assert found == Place(f"{directory}/model.ckpt-2")
    new = ec.convert(f"file://{directory}", f"file://{tmp_path}/new/", to="tf2")
    assert new == f"{tmp_path}/new/model.ckpt-2"
    assert not ec.diff(f"file://{new}", directory)


def test_in_a_copied_model_dir_its_own_checkpoint_is_meant(tmp_path):
    old = model_dir(tmp_path / "old", f"{tmp_path}/old/model.ckpt-2")
    new = shutil.copytree(old, tmp_path / "new")
    assert prefixes.find(old) == Place(f"{old}/model.ckpt-2")
    assert prefixes.find(new) == Place(f"{new}/model.ckpt-2")


def test_a_checkpoint_of_another_dir_that_a_state_file_names_is_found(tmp_path):
    write_bundle(tmp_path / "store" / "model.ckpt-2", {"v": np.float32([2])})
    (tmp_path / "job").mkdir()
    for named in (f"{tmp_path}/store/model.ckpt-2", "../store/model.ckpt-2"):
        state = f'model_checkpoint_path: "{named}"\n'
        (tmp_path / "job" / "checkpoint").write_text(state)
        found = prefixes.find(tmp_path / "job").prefix
        assert os.path.realpath(found) == f"{tmp_path}/store/model.ckpt-2"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("single/model.ckpt-7", "single/model.ckpt-7"),
        ("single/model.ckpt-7.meta", "single/model.ckpt-7"),
        ("single", "single/model.ckpt-7"),
        ("sharded", "sharded/model.ckpt-7-?????-of-00002"),
        ("sharded/checkpoint", "sharded/model.ckpt-7-?????-of-00002"),
        ("sharded/model.ckpt-7", "sharded/model.ckpt-7-?????-of-00002"),
        ("sharded/model.ckpt-7.meta", "sharded/model.ckpt-7-?????-of-00002"),
        ("sharded/model.ckpt-7-00001-of-00002", "sharded/model.ckpt-7-?????-of-00002"),
        ("sharded/model.ckpt-7-?????-of-00002", "sharded/model.ckpt-7-?????-of-00002"),
    ],
)
def test_whatever_is_said_of_a_v1_checkpoint_leads_to_it(given, found):
    v1 = TESTDATA / "v1-format"
    assert prefixes.find(v1 / given) == Place(str(v1 / found), Storage.V1)
    assert len(v1_files.shards(str(v1 / found))) == 1 + ("?" in found)


@pytest.mark.parametrize("given", ["", "saved_model.pb", "saved_model.pbtxt"])
def test_a_saved_model_is_its_variables(tmp_path, given):
    write_bundle(tmp_path / "variables" / "variables", {"v": np.arange(3)})
    for name in ("saved_model.pb", "saved_model.pbtxt"):
        (tmp_path / name).touch()
    assert prefixes.find(tmp_path / given).prefix.endswith("/variables/variables")


def test_a_pipe_is_no_checkpoint(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ec.CheckpointError, match="not a regular file"):
        ec.open_checkpoint(tmp_path / "pipe")


def test_files_of_weights_are_told_from_checkpoints(tmp_path):
    for name in ("model.safetensors", "frozen.pb"):
        (tmp_path / name).write_bytes(b"weights")
        assert prefixes.find(tmp_path / name).storage.is_weight_file
    assert {s for s in Storage if not s.is_weight_file} == {Storage.BUNDLE, Storage.V1}
