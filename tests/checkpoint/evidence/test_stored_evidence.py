"""What a checkpoint says of its variables' roles."""

import logging
import shutil

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import stored_evidence
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]


@pytest.mark.parametrize("to", ["tf1", "tf2", "dual"])
def test_two_checkpoints_of_one_job_have_the_same_roles_at_once(tmp_path, to):
    steps = [PREFIXES[f"digits/model.ckpt-{step}"] for step in (200, 300)]
    paths = [ec.convert(p, tmp_path / f"{i}/new", to=to) for i, p in enumerate(steps)]
    first, second = map(ec.open_checkpoint, paths)
    found, other = stored_evidence.of_both(first, second)
    assert found is other
    assert found == stored_evidence.of_checkpoint(second)
    assert found["bn1/beta/Adam"].owner == "bn1/beta"


def test_what_a_user_says_of_one_is_other_evidence():
    first = ec.open_checkpoint(DIGITS)
    second = ec.open_checkpoint(DIGITS, model_state="bn1/beta/Adam$")
    found, other = stored_evidence.of_both(first, second)
    assert found["bn1/beta/Adam"].role is roles.SLOT
    assert other["bn1/beta/Adam"].role is roles.MODEL


def test_a_meta_file_that_cannot_be_read_is_no_evidence_and_logged(tmp_path, caplog):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(f"{DIGITS}{suffix}", tmp_path / f"model{suffix}")
    (tmp_path / "model.meta").write_bytes(b"\xff")
    with caplog.at_level(logging.WARNING, "estimator_ckpt"):
        found = stored_evidence.of_checkpoint(ec.open_checkpoint(tmp_path / "model"))
    assert "roles are decided without it" in caplog.text
    assert found["bn1/beta/Adam"].evidence == "named Adam, as tf1's slots are"
