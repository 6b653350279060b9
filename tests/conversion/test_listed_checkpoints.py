"""The checkpoints that a model dir's state file names."""

import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.paths import state_file
from estimator_ckpt.cli import main
from tests.conversion import saving


@pytest.mark.parametrize("dry_run", [False, True])
def test_two_checkpoints_of_one_base_name_are_refused(tmp_path, capsys, dry_run):
    """They would overwrite each other; nothing is written."""
    source = tmp_path / "old"
    for name, number in (("a", 1), ("b", 2)):
        saving.save(str(source / name / "model.ckpt"), number)
    saving.save(str(source / "other"), 3)
    paths = ("other", "a/model.ckpt", f"{source}/b/model.ckpt")
    content = state_file.CheckpointState(latest=paths[-1], all=paths)
    (source / "checkpoint").write_bytes(content.serialize())
    options = ["--dry_run"] if dry_run else []
    arguments = ["convert", str(source), str(tmp_path / "new"), "--to=tf2", "--all"]
    assert main.run([*arguments, *options]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "one base name" in error
    assert "a/model.ckpt" in error
    assert "b/model.ckpt" in error
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_that_is_named_in_two_ways_is_converted_once(tmp_path):
    source = tmp_path / "old"
    saving.save(str(source / "c-1"), 1)
    saving.save(str(source / "c-2"), 2)
    paths = ("c-1", "./c-1", f"{source}/c-1", "c-2")
    content = state_file.CheckpointState(
        latest=f"{source}/c-2", all=paths, timestamps=(1.0, 2.0, 3.0, 4.0)
    )
    (source / "checkpoint").write_bytes(content.serialize())
    new = ec.convert_model_dir(source, tmp_path / "new", to="tf2")
    assert [saving.number_in(prefix) for prefix in new] == [1, 2]
    found = state_file.read(tmp_path / "new")
    assert (found.latest, found.all) == ("c-2", ("c-1", "c-2"))
    assert len(found.timestamps) == 2


def test_a_state_file_may_name_any_number_of_checkpoints(tmp_path, caplog):
    source = tmp_path / "old"
    saving.save(str(source / "c-1"), 1)
    paths = ("c-1", *(f"gone-{number}" for number in range(20_000)))
    content = state_file.CheckpointState(latest="c-1", all=paths)
    (source / "checkpoint").write_bytes(content.serialize())
    begin = time.monotonic()
    assert len(ec.convert_model_dir(source, tmp_path / "new", to="tf1")) == 1
    assert time.monotonic() - begin < 10
    assert "and 19994 more: left out, not there any more" in caplog.text
