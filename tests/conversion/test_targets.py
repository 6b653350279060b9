"""Where a new checkpoint goes, and whether it may."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.conversion.targets import CompactTarget, Target


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("new", "tf3"), "unknown checkpoint format 'tf3'"),
        (("new", "tf2", "move"), "unknown data 'move'"),
        (("", "tf2"), "the destination's path is empty"),
        (("gs://bucket/new", "tf2"), "remote paths are not supported"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(ValueError if "unknown" in message else ec.CheckpointError) as e:
        Target.of(*given)
    assert message in str(e.value)


def test_a_directory_takes_the_source_s_own_name(tmp_path):
    assert Target.of("new/", "tf2").prefix("old/model.ckpt-7") == "new/model.ckpt-7"
    assert Target.of(tmp_path, "tf2").prefix("a/c-1") == f"{tmp_path}/c-1"
    assert Target.of("new/c-9", "tf2").prefix("old/model.ckpt-7") == "new/c-9"


def test_what_is_there_is_usable_only_to_overwrite(tmp_path):
    write_bundle(tmp_path / "old", {"v": np.float32(1)})
    write_bundle(tmp_path / "new", {"v": np.float32(2)})
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    with pytest.raises(DestinationExistsError, match="already there"):
        Target.of(new, "tf2").usable_prefix(old)
    assert Target.of(new, "tf2", overwrite=True).usable_prefix(old) == new
    with pytest.raises(DestinationExistsError, match="the same checkpoint"):
        Target.of(old, "tf2", overwrite=True).usable_prefix(old)


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ec.CheckpointError, match="is a file, where"):
        Target.of(f"{tmp_path}/file/new", "tf2").usable_prefix("old")


@pytest.mark.parametrize("to", [None, "dual"])
def test_a_compact_target_has_the_source_s_format_unless_another_is_said(to):
    target = CompactTarget.of("new", to, overwrite=True).target("tf2")
    assert target.format == formats.parse(to or "tf2")
    assert (target.is_compact, target.overwrite) == (True, True)
