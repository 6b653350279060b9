"""Each command once as an interpreter of its own; other tests fork (`command_line`)."""

import os
import subprocess
import sys

import pytest

from estimator_ckpt.cli.main import COMMANDS
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")
KERAS = "--trackable=model_fns.digits_keras:trackable"
RUNS = {
    "inspect": (DIGITS,),
    "convert": (DIGITS, "new/", "--to=dual"),
    "convert_for": (
        *(DIGITS, "new/", KERAS),
        "--assignment_map=configs/digits_keras.yaml",
    ),
    "verify": (DIGITS,),
    "plan": (DIGITS, DIGITS),
    "warm_start": (DIGITS, "new/"),
    "average": (f"{DIGITS}/model.ckpt-200", f"{DIGITS}/model.ckpt-300", "new/"),
    "slim": (DIGITS, "new/"),
    "diff": (DIGITS, DIGITS),
    "doctor": (),
    "completion": ("bash",),
    "run": ("-m", "estimator_ckpt", "--version"),
    "train": ("--flagfile=configs/guide.flags", "--model_dir=new"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_a_process_of_its_own(command, tmp_path):
    if command in ("convert_for", "doctor", "run", "train"):
        pytest.importorskip("tensorflow")
    for name in ("configs", "tests"):  # what the flagfiles name
        (tmp_path / name).symlink_to(f"{REPOSITORY}/{name}")
    done = subprocess.run(
        [sys.executable, "-m", "estimator_ckpt", command, *RUNS[command]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or command == "train"
    assert (tmp_path / "new").exists() == any("new" in given for given in RUNS[command])
