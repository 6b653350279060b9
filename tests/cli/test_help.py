"""What the commands say of themselves, and that their examples run."""

import re
import shlex
import shutil

import pytest

from estimator_ckpt.cli import main
from tests.cli.command_line import call, run
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

#: Commands whose examples need TensorFlow.
NEED_TENSORFLOW = ("convert_for", "plan", "run", "train", "doctor")


def examples(command):
    shown = call(command, "--help")
    assert shown.returncode == 0, shown.stderr
    _, text = shown.stdout.split("\nexamples:\n")
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines()]


@pytest.fixture
def workplace(tmp_path):
    """What the examples are about: a model dir, and what they import."""
    shutil.copytree(TESTDATA / "digits", tmp_path / "old_job")
    for name in ("configs", "model_fns", "tests"):
        (tmp_path / name).symlink_to(f"{REPOSITORY}/{name}")
    (tmp_path / "train.py").write_text("import sys; print(sys.argv[1:])\n")
    return tmp_path


@pytest.mark.parametrize("command", main.COMMANDS)
def test_help_ends_with_two_examples_that_run(command, workplace):
    if command in NEED_TENSORFLOW:
        pytest.importorskip("tensorflow")
    if command == "completion":
        pytest.importorskip("shtab")
    given = examples(command)
    assert len(given) == 2
    for program, *arguments in given:
        assert (program, arguments[0]) == ("estimator-ckpt", command)
        done = run(*arguments, cwd=workplace)
        # With 1 they say that something differs, or would be missing without a map.
        expected = (0, 1) if command in ("diff", "plan") else (0,)
        assert done.returncode in expected, done.stderr
        assert "Traceback" not in done.stderr
        for report in re.findall(r"--report=(\S+)", " ".join(arguments)):
            assert (workplace / report).stat().st_size > 500


def test_alone_it_says_what_to_try_first():
    done = call()
    assert done.returncode == 2
    assert done.stdout == ""
    for line in ("inspect MODEL_DIR", "doctor", "plan OLD NEW"):
        assert f"  estimator-ckpt {line} " in done.stderr


def test_train_help_lists_the_jobs_flags_and_not_absls():
    shown = run("train", "--help").stdout
    flags = set(re.findall(r"^  --([a-z_]+)", shown, re.MULTILINE))
    needed = {"model_fn", "input_fn", "model_dir", "max_steps", "checkpoint_format"}
    assert needed | {"warm_start_from", "save_checkpoints_steps", "param"} <= flags
    assert not {"verbosity", "logtostderr", "alsologtostderr", "pdb"} & flags
    listed = re.findall(r"^  --([a-z_]+)", shown, re.MULTILINE)
    assert listed[:3] == ["helpfull", "model_fn", "input_fn"]
    assert "--undefok" not in shown
    assert "--undefok" in run("train", "--helpfull").stdout
