"""plan, warm_start and the dry runs: what they print, and that nothing is written."""

import functools
import json
import pathlib
import subprocess
import sys

import pytest

import estimator_ckpt as ec
from tests.cli import command_line
from tests.conftest import REPOSITORY
from tests.testdata_paths import PREFIXES, TESTDATA, V1_PREFIXES

DIGITS = str(PREFIXES["digits/model.ckpt-300"])


def run(*arguments, code=0, cwd=REPOSITORY):
    done = command_line.run(*arguments, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done


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


def files_in(directory):
    return sorted(str(path) for path in pathlib.Path(directory).rglob("*"))


@pytest.fixture
def renamed(tmp_path):
    return ec.convert(
        DIGITS, tmp_path / "new", to="tf2", assignment_map={"logits/": "head/"}
    )


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("- {from: logits/, to: head/}\n")
    return path


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


class TestWarmStart:
    def test_a_model_dir_is_made(self, tmp_path, rules):
        done = run(
            "warm_start",
            DIGITS,
            tmp_path / "dir",
            f"--assignment_map={rules}",
            "--json",
        )
        (prefix,) = json.loads(done.stdout)["prefixes"]
        with ec.open_checkpoint(tmp_path / "dir") as checkpoint:
            assert checkpoint.prefix == prefix
            assert "head/kernel" in checkpoint
            assert checkpoint.global_step == 0

    def test_a_dry_run_writes_nothing(self, tmp_path):
        before = files_in(tmp_path)
        done = run("warm_start", DIGITS, tmp_path / "dir", "--dry_run")
        assert "30 carried, 1 reset" in done.stdout
        assert files_in(tmp_path) == before

    @pytest.mark.parametrize("more", [(), ("--overwrite",), ("--dry_run",)])
    @pytest.mark.parametrize("source", [DIGITS, TESTDATA / "v1-format" / "single"])
    def test_a_file_is_no_destination(self, tmp_path, source, more):
        (tmp_path / "file").touch()
        for below in ("", "/dir"):
            done = run("warm_start", source, f"{tmp_path}/file{below}", *more, code=2)
            assert f"{tmp_path}/file: is a file, where" in done.stderr
        assert files_in(tmp_path) == [str(tmp_path / "file")]

    def test_a_dry_run_refuses_what_would_be_refused(self, tmp_path):
        (tmp_path / "file").touch()
        ec.warm_start_model_dir(DIGITS, tmp_path / "dir")
        first = tmp_path / "dir" / "model.ckpt-0"
        for arguments, message in (
            (("warm_start", DIGITS, tmp_path / "dir"), "has checkpoints already"),
            (("warm_start", DIGITS, tmp_path / "n", "--include=none"), "none of its"),
            (
                ("warm_start", DIGITS, tmp_path / "n", "--exclude=none", "--strict"),
                "'none' matches no variable (strict)",
            ),
            (("convert", DIGITS, first, "--to=tf2"), "already there"),
            (("convert", DIGITS, tmp_path / "file/n", "--to=tf2"), "file: is a file,"),
        ):
            done = run(*arguments, "--dry_run", code=2)
            assert message in " ".join(done.stderr.split())
        run("convert", DIGITS, first, "--to=tf2", "--overwrite", "--dry_run")


class TestAverages:
    """--use_ema, alone and with a map."""

    EMA = PREFIXES["ema-momentum/model.ckpt-10"]

    def test_convert(self, tmp_path):
        run("convert", self.EMA, tmp_path / "new", "--to=tf2", "--use_ema")
        with ec.open_checkpoint(self.EMA) as old:
            averages = [n for n in old if n.endswith("/ExponentialMovingAverage")]
            with ec.open_checkpoint(tmp_path / "new") as new:
                assert averages
                assert not set(averages) & set(new)
                for name in averages:
                    assert (new.read(name.rpartition("/")[0]) == old.read(name)).all()

    def test_average_and_warm_start(self, tmp_path):
        directory = self.EMA.parent
        run("average", directory, tmp_path / "mean", "--last=2", "--use_ema")
        run("warm_start", self.EMA, tmp_path / "dir", "--use_ema")
        for path in (tmp_path / "mean", tmp_path / "dir"):
            with ec.open_checkpoint(path) as checkpoint:
                assert not any("Average" in name for name in checkpoint)

    def test_a_plan_with_a_map(self, tmp_path):
        new = ec.convert(self.EMA, tmp_path / "new", to="tf1", exclude=".*Average")
        done = run("plan", self.EMA, new, "--use_ema")
        assert "from 'hidden/kernel/ExponentialMovingAverage'" in done.stdout


class TestDryRuns:
    def test_convert_with_a_map(self, tmp_path, rules):
        before = files_in(tmp_path)
        done = run(
            "convert",
            DIGITS,
            tmp_path / "new",
            "--to=tf1",
            f"--assignment_map={rules}",
            "--dry_run",
        )
        assert "head/kernel/Adam_1" in done.stdout
        assert files_in(tmp_path) == before

    @pytest.mark.parametrize("name", V1_PREFIXES)
    def test_convert_a_source_of_the_v1_format(self, tmp_path, name):
        arguments = "convert", V1_PREFIXES[name], tmp_path / "new", "--to=dual"
        done = run(*arguments, "--dry_run", "--json")
        keys = {pair["new"] for pair in json.loads(done.stdout)["keys"]}
        assert files_in(tmp_path) == []
        run(*arguments)
        with ec.open_checkpoint(tmp_path / "new") as checkpoint:
            assert keys == {key.decode() for key in checkpoint.index.records}
        done = run(*arguments, "--dry_run", code=2)
        assert "new.index: already there" in done.stderr

    def test_convert_all(self, tmp_path):
        source = PREFIXES["ema-momentum/model.ckpt-10"].parent
        done = run(
            "convert", source, tmp_path / "new", "--to=tf2", "--all", "--dry_run"
        )
        prefixes = ec.convert_model_dir(source, tmp_path / "done", to="tf2")
        headings = [line for line in done.stdout.splitlines() if line.endswith(":")]
        assert len(headings) == len(prefixes)
        assert not (tmp_path / "new").exists()

    def test_convert_all_refuses_what_would_be_refused(self, tmp_path):
        source = TESTDATA / "digits"
        ec.convert(f"{source}/model.ckpt-200", f"{tmp_path}/new/", to="tf2")
        ec.convert_model_dir(source, tmp_path / "old", to="tf2")
        (tmp_path / "file").touch()
        before = files_in(tmp_path)
        for destination, message in (
            ("new", "new/model.ckpt-200.index: already there"),
            ("old", "the same model dir"),
            ("file", "file: is a file, where a directory is needed"),
        ):
            arguments = "convert", tmp_path / "old", tmp_path / destination, "--to=tf2"
            for more in ((), ("--dry_run",)):
                done = run(*arguments, "--all", *more, code=2)
                assert message in done.stderr
                assert done.stdout == ""
        assert files_in(tmp_path) == before
        arguments = "convert", tmp_path / "old", tmp_path / "new", "--to=tf2", "--all"
        run(*arguments, "--overwrite", "--dry_run")

    def test_a_training_job(self, tmp_path):
        done = dry_job(tmp_path, DIGITS, "--warm_start_reset=bn1/")
        assert "8 carried, 23 reset" in done.stdout
        assert not (tmp_path / "job").exists()

    def test_a_training_job_gets_the_config_that_its_flags_describe(self, tmp_path):
        (tmp_path / "mine.py").write_text(
            "import tensorflow as tf\n"
            "from model_fns import digits\n"
            "def model_fn(features, labels, mode, config):\n"
            "    spec = digits.model_fn(features, labels, mode, {})\n"
            "    step = config.save_checkpoints_steps\n"
            "    name = config.model_dir.rpartition('/')[2]\n"
            "    tf.compat.v1.get_variable(f'{name}_{step}', [config.tf_random_seed])\n"
            "    return spec\n"
        )
        done = dry_job(
            tmp_path,
            DIGITS,
            "--model_fn=mine:model_fn",
            "--save_checkpoints_steps=7",
            "--tf_random_seed=3",
            code=1,
            cwd=tmp_path,
        )
        missing = next(line for line in done.stdout.splitlines() if "job_7" in line)
        assert missing.split()[:4] == ["missing", "job_7", "12", "B"]
        assert not (tmp_path / "job").exists()

    def test_a_job_that_has_begun_already(self, tmp_path):
        first = ec.warm_start_model_dir(DIGITS, tmp_path / "job")
        done = dry_job(tmp_path, DIGITS)
        assert done.stdout == f"Not warm-starting: {first} is there already\n"

    def test_a_pattern_that_a_strict_job_would_stop_at(self, tmp_path):
        done = dry_job(tmp_path, DIGITS, "--warm_start_exclude=none")
        assert "'none' matches no variable" in done.stdout
        flags = "--warm_start_exclude=none", "--warm_start_strict"
        dry_job(tmp_path, DIGITS, *flags, code=1)

    def test_a_job_that_would_lack_variables_exits_with_1(self, tmp_path):
        done = dry_job(tmp_path, PREFIXES["slim/model.ckpt-3"], code=1)
        assert "missing" in done.stdout
