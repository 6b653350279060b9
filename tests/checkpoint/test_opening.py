"""open_checkpoint: whatever people pass, the same variables; values bit for bit."""

import os
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests import testdata_paths
from tests.testdata_paths import TESTDATA

PREFIX = str(TESTDATA / "digits" / "model.ckpt-300")


@pytest.mark.parametrize(
    "path",
    [
        PREFIX,
        f"{PREFIX}.index",
        f"{PREFIX}.meta",
        f"{PREFIX}.data-00000-of-00001",
        TESTDATA / "digits",
        f"{TESTDATA}/digits/",
        TESTDATA / "digits" / "checkpoint",
    ],
)
def test_all_that_people_pass_leads_to_the_checkpoint(path):
    checkpoint = ec.open_checkpoint(path)
    assert os.path.samefile(f"{checkpoint.prefix}.index", f"{PREFIX}.index")
    assert checkpoint.global_step == 300
    assert checkpoint.format == "tf1"
    assert len(checkpoint) == len(list(checkpoint)) == 31


def test_a_moved_model_dir_is_resolved_inside_itself():
    checkpoint = ec.open_checkpoint(TESTDATA / "state-files")
    assert checkpoint.prefix == str(TESTDATA / "state-files" / "model.ckpt-2")


def test_a_saved_model_is_its_variables(tmp_path):
    write_bundle(tmp_path / "variables" / "variables", {"v": np.arange(3)})
    np.testing.assert_array_equal(ec.open_checkpoint(tmp_path).read("v"), range(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d / "nothing", "no such checkpoint, file or directory"),
        (lambda d: d, "a directory without a checkpoint state file"),
        (lambda d: write(d / "weights.h5", b"\x89HDF\r\n"), "an HDF5 file"),
        (lambda d: write(d / "model.keras", b"PK\x03\x04"), "a zip file"),
        (lambda d: write(d / "saved_model.pb", b""), "a graph, without values"),
        (lambda d: write(d / "events.out.tfevents.1", b""), "an events file"),
        (lambda d: write(d / "notes.txt", b"text"), "not a checkpoint"),
        (lambda d: write(d / "x.data-00000-of-00001", b""), ".index file is missing"),
        (
            lambda d: write(d / "checkpoint", b"rubbish").parent,
            "not a checkpoint state",
        ),
        (
            lambda d: write(d / "checkpoint", b'model_checkpoint_path: "x"').parent,
            "names 'x', which is not there",
        ),
        (lambda d: "gs://bucket/model.ckpt-1", "remote paths are not supported"),
        (lambda d: "", "is empty"),
    ],
)
def test_what_is_no_checkpoint_is_named_for_what_it_is(tmp_path, make, message):
    with pytest.raises(ec.CheckpointError, match=message) as error:
        ec.open_checkpoint(make(tmp_path))
    assert "\n" not in str(error.value)


def test_prefixes_beside_are_offered(tmp_path):
    for path in (TESTDATA / "est-tf1").glob("model.ckpt-1.*"):
        shutil.copy(path, tmp_path)
    with pytest.raises(ec.CheckpointError, match=r"found there: .*/model.ckpt-1$"):
        ec.open_checkpoint(tmp_path)


@pytest.mark.parametrize("name", testdata_paths.V1_PREFIXES)
def test_the_v1_format_is_opened_as_any_other(name):
    values = testdata_paths.session_values(name)
    with ec.open_checkpoint(testdata_paths.V1_PREFIXES[name]) as checkpoint:
        assert checkpoint.format == "tf1"
        assert checkpoint.global_step == values.get("global_step")
        assert set(checkpoint) == set(values)
        for key, value in values.items():
            assert checkpoint[key].shape == value.shape
            assert checkpoint.read(key).tolist() == value.tolist() or (
                checkpoint.read(key).tobytes() == value.tobytes()
            )
            pieces = list(checkpoint.pieces(key))
            assert sum(piece.size for piece in pieces) == value.size


def write(path, content):
    path.write_bytes(content)
    return path


def test_names_are_held_against_what_there_is():
    with pytest.raises(ValueError, match="unknown names 'bogus'"):
        ec.open_checkpoint("anything", names="bogus")
