"""plan, warm_start and the dry runs: what they print, and that nothing is written."""

import functools
import json
import subprocess
import sys

import pytest

import estimator_ckpt as ec
from tests.cli.command_line import expect as run
from tests.cli.command_line import files_in
from tests.testdata_paths import PREFIXES, TESTDATA

DIGITS = str(PREFIXES["digits/model.ckpt-300"])


def dry_job(tmp_path, source, *arguments, **options):
    """A training job that only shows what it would be warm-started with."""
    return run(
        "train",
        "--model_fn=model_fns.digits:model_fn",
        "--input_fn=model_fns.digits:train_input_fn",
        f"--model_dir={tmp_path / 'job'}",
        "--max_steps=1",
        f"--warm_start_from={source}",
        "--dry_run",
        *arguments,
        **options,
    )


class TestPlan:
    def test_a_table_and_1_if_something_is_missing(self, renamed):
        done = run("plan", DIGITS, renamed, code=1)
        assert "missing" in done.stdout
        assert done.stdout.endswith("25 carried, 6 missing, 6 unused\n")
        assert not done.stderr

    def test_0_if_all_is_carried(self, renamed, rules):
        done = run("plan", DIGITS, renamed, f"--assignment_map={rules}")
        assert done.stdout.endswith("25 carried, 6 renamed\n")

    def test_json(self, renamed):
        content = json.loads(run("plan", DIGITS, renamed, "--json", code=1).stdout)
        assert content["schema"] == 1
        assert content["counts"] == {"carried": 25, "missing": 6, "unused": 6}

    def test_a_model_fn(self, tmp_path):
        before = files_in(tmp_path)
        done = run(
            "plan",
            DIGITS,
            "model_fns.digits:model_fn",
            "--input_fn=model_fns.digits:train_input_fn",
            "--carry=model",
            "--reset=bn1/",
        )
        assert "8 carried, 23 reset" in done.stdout
        assert files_in(tmp_path) == before

    def test_bad_input_is_one_line(self, tmp_path):
        done = run("plan", DIGITS, tmp_path / "none", code=2)
        assert len(done.stderr.splitlines()) == 1
        done = run("plan", DIGITS, "model_fns.digits:model_fn", code=2)
        assert "needs --input_fn" in done.stderr
        done = run("plan", DIGITS, "os:none", "--input_fn=os:getcwd", code=2)
        assert "has no function 'none'" in done.stderr
        done = run("plan", DIGITS, DIGITS, "--assignment_map=none.yaml", code=2)
        assert "none.yaml" in done.stderr

    def test_a_source_of_the_v1_format(self, tmp_path):
        source = TESTDATA / "v1-format" / "single"
        new = ec.convert(source, tmp_path / "new", to="tf2")
        done = run("plan", source, new)
        assert "carried" in done.stdout
        assert "missing" not in done.stdout
        done = run("warm_start", source, tmp_path / "dir", "--dry_run")
        assert f"{source / 'model.ckpt-7'} to {tmp_path / 'dir'}: " in done.stdout
        assert not (tmp_path / "dir").exists()

    def test_tensorflow_is_not_loaded_for_two_checkpoints(self, renamed):
        program = (
            "import sys\n"
            "from estimator_ckpt.cli import main\n"
            f"main.run(['plan', {DIGITS!r}, {renamed!r}])\n"
            "assert 'tensorflow' not in sys.modules\n"
            "assert 'numpy' not in sys.modules\n"
        )
        subprocess.run(
            [sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL
        )


USERS = """
import functools
import tensorflow as tf
from model_fns import digits

def input_fn():
    print("a line of the user's")
    return digits.train_input_fn()

def model_fn(features, labels, mode, config):
    return digits.model_fn(features, labels, mode, {})

def with_more(features, labels, more, mode, config):
    return model_fn(features, labels, mode, config)

bound = functools.partial(with_more, more=None)

def raises(features, labels, mode):
    raise KeyError("of the\\nuser's")

def wrong(features, labels, mode):
    return tf.zeros([2]) + tf.zeros([3])

def wants(features, labels, mode, more):
    return more

def no_input():
    raise RuntimeError("no data")
"""


class TestFunctionsOfUsers:
    @pytest.fixture
    def of_users(self, tmp_path):
        (tmp_path / "mine.py").write_text(USERS)
        return functools.partial(run, "plan", DIGITS, cwd=tmp_path)

    @pytest.mark.parametrize("name", ["model_fn", "bound"])
    def test_they_get_what_they_take_and_may_print(self, of_users, name):
        done = of_users(
            f"mine:{name}", "--input_fn=mine:input_fn", "--carry=all", "--json"
        )
        assert json.loads(done.stdout)["counts"] == {"carried": 30, "reset": 1}
        assert "a line of the user's" in done.stderr

    @pytest.mark.parametrize(
        ("target", "input_fn", "message"),
        [
            ("raises", "input_fn", '--target=mine:raises: KeyError: "of the'),
            ("raises", "input_fn", "/mine.py:19)"),
            ("wrong", "input_fn", "/mine.py:22)"),  # and no place within TensorFlow
            ("wants", "input_fn", "missing 1 required positional argument: 'more'"),
            ("model_fn", "no_input", "--input_fn=mine:no_input: RuntimeError: no data"),
            ("no_input", None, "--target=mine:no_input: RuntimeError: no data"),
        ],
    )
    def test_what_they_raise_is_one_line(self, of_users, target, input_fn, message):
        more = [f"--input_fn=mine:{input_fn}"] if input_fn else []
        done = of_users(f"mine:{target}", *more, code=2)
        said = [x for x in done.stderr.splitlines() if x.startswith("estimator-ckpt:")]
        assert len(said) == 1
        assert message in said[0]
        assert "Traceback" not in done.stderr
        assert not done.stdout

    def test_in_a_dry_run_too(self, tmp_path):
        (tmp_path / "mine.py").write_text(USERS)
        done = dry_job(tmp_path, DIGITS, "--model_fn=mine:raises", code=2, cwd=tmp_path)
        assert "--model_fn=mine:raises: KeyError: " in done.stderr
        assert "Traceback" not in done.stderr


class TestSuggest:
    def test_the_file_is_a_map_that_fits(self, tmp_path, renamed):
        path = tmp_path / "suggested.yaml"
        done = run("plan", DIGITS, renamed, f"--suggest={path}", code=1)
        assert "renames 2 of 12" in done.stderr
        assert "- {from: logits/, to: head/}" in path.read_text()
        done = run("plan", DIGITS, renamed, f"--assignment_map={path}")
        assert done.stdout.endswith("25 carried, 6 renamed\n")

    def test_a_file_that_is_there_stays(self, renamed, rules):
        before = rules.read_text()
        done = run("plan", DIGITS, renamed, f"--suggest={rules}", code=2)
        assert "exists already" in done.stderr
        assert rules.read_text() == before

    def test_a_file_that_could_not_be_read_back(self, tmp_path, renamed):
        done = run("plan", DIGITS, renamed, f"--suggest={tmp_path / 'map'}", code=2)
        assert "must end in .yaml" in done.stderr
        assert not (tmp_path / "map").exists()
