"""`estimator-ckpt train`: every flagfile in configs/ runs; bad input is one line."""

import glob
import os
import pathlib
import shutil

import pytest
import tensorflow as tf

import estimator_ckpt as ec
from tests import sources
from tests.cli.command_line import expect, run
from tests.conftest import REPOSITORY
from tests.testdata_paths import PREFIXES, TESTDATA

DIGITS = str(PREFIXES["digits/model.ckpt-300"])
CONFIGS = sorted(glob.glob(os.path.join(REPOSITORY, "configs", "*.flags")))


def train(config, model_dir, *more):
    return run("train", f"--flagfile={config}", f"--model_dir={model_dir}", *more)


def tensors(model_dir):
    reader = tf.train.load_checkpoint(str(model_dir))
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("config", CONFIGS, ids=os.path.basename)
def test_every_flagfile_runs_to_its_last_step(config, tmp_path):
    done = train(config, tmp_path)
    assert done.returncode == 0, done.stderr
    text = pathlib.Path(config).read_text()
    (steps,) = (line for line in text.split() if line.startswith("--max_steps="))
    latest = tf.train.latest_checkpoint(str(tmp_path))
    assert latest.endswith(f"model.ckpt-{steps.partition('=')[2]}")
    if "--warm_start_from" in text:
        assert "Warm start from tests/testdata/" in done.stderr
        assert ", 0 not in source, 0 different shape, " in done.stderr


def test_the_digits_go_on_in_a_converted_model_dir(tmp_path):
    ec.convert_model_dir("tests/testdata/digits", tmp_path, to="tf2")
    config = os.path.join(REPOSITORY, "configs", "digits_leaving.flags")
    assert train(config, tmp_path, "--max_steps=301").returncode == 0
    values = tensors(tmp_path)
    assert values["step/.ATTRIBUTES/VARIABLE_VALUE"] == 301
    power = values["var_list/beta2_power/.ATTRIBUTES/VARIABLE_VALUE"]
    assert power == pytest.approx(0.999**302, rel=1e-4)


def test_the_guides_job_ends_with_the_guides_values(tmp_path):
    train(os.path.join(REPOSITORY, "configs", "guide.flags"), tmp_path)
    values = tensors(tmp_path)
    assert values["var_list/var/.ATTRIBUTES/VARIABLE_VALUE"] == 4.0
    assert values["step/.ATTRIBUTES/VARIABLE_VALUE"] == 1


def test_flags_on_the_command_line_win_over_the_flagfile(tmp_path):
    config = os.path.join(REPOSITORY, "configs", "guide.flags")
    done = train(config, tmp_path, "--checkpoint_format=tf1", "--max_steps=2")
    assert done.returncode == 0, done.stderr
    assert tensors(tmp_path) == {"var": 6.0, "global_step": 2}


def test_a_model_fn_of_ones_own_is_found_in_the_working_directory(tmp_path):
    (tmp_path / "mine.py").write_text("from model_fns.guide import *\n")
    done = run(
        "train",
        "--model_fn=mine:model_fn",
        "--input_fn=mine:input_fn",
        "--model_dir=job",
        "--max_steps=1",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert tensors(tmp_path / "job")["var"] == 2.0


JOB = (
    "--model_fn=model_fns.guide:model_fn",
    "--input_fn=model_fns.guide:input_fn",
    "--max_steps=1",
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--checkpoint_format=tf3",), "checkpoint_format"),
        (("--warm_start_carry=some",), "warm_start_carry"),
        (("--warm_start_include=(",), "'(' is no regular expression"),
        (("--save_checkpoints_steps=0",), "save_checkpoints_steps"),
        (("--max_steps=many",), "max_steps"),
        (("--flagfile=/nowhere/x.flags",), "/nowhere/x.flags"),
        (("--no_such_flag=1",), "no_such_flag"),
        (("--param=x",), "name=value"),
        (("--param=x=2001-99-99",), "'2001-99-99' is not YAML"),
        (("--param=x=" + "[" * 5000,), "is not YAML"),
        (("--param=x={",), "'{' is not YAML"),
        (("--flagfile=tests/testdata/digits/model.ckpt-300.index",), "it is no text"),
        (("--model_dir=",), "--model_dir is needed"),
        (("--model_fn=model_fns.guide",), "package.module:function"),
        (("--model_fn=no.such:fn",), "cannot import 'no.such'"),
        (("--model_fn=model_fns.guide:nothing",), "no function 'nothing'"),
        (("--warm_start_from=/nowhere",), "/nowhere: no such checkpoint"),
        (("--warm_start_from=configs",), "a directory without a checkpoint"),
        (("--warm_start_from=README.md",), "README.md"),
        (("--model_dir=/proc/none",), "--model_dir=/proc/none: "),
        (("--model_dir=README.md/x",), "--model_dir=README.md/x: "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, message):
    done = run("train", *JOB, f"--model_dir={tmp_path}", *arguments)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("estimator-ckpt")
    assert message in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("missing", ["model_fn", "input_fn", "model_dir", "max_steps"])
def test_a_flag_that_is_needed_is_asked_for(tmp_path, missing):
    given = (*JOB, f"--model_dir={tmp_path}")
    done = run("train", *(a for a in given if not a.startswith(f"--{missing}=")))
    assert done.returncode == 2
    assert f"--{missing} is needed" in done.stderr


def test_a_dry_run_needs_no_steps_and_roles_can_be_overruled_in_it(tmp_path):
    done = run(
        *("train", "--model_fn=model_fns.digits:model_fn", "--dry_run"),
        *("--input_fn=model_fns.digits:train_input_fn", f"--model_dir={tmp_path}"),
        *("--warm_start_from=tests/testdata/digits", "--warm_start_carry=model"),
        *("--warm_start_optimizer_state=conv1/kernel$", "--warm_start_model_state=no"),
    )
    assert done.returncode == 0, done.stderr
    (row,) = (line for line in done.stdout.splitlines() if " conv1/kernel " in line)
    assert row.startswith("reset")
    assert "carry='model' leaves optimizer variables out" in row
    assert "model_state='no' matches no variable" in done.stdout
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("source_name", ["saved_model", "from_a_store", "v1"])
def test_a_dry_run_and_its_job_agree_on_what_a_source_is(tmp_path, source_name):
    """The guide's model has `var`, which none of them has: both say so."""
    source = getattr(sources, source_name)(tmp_path / "source")
    config = os.path.join(REPOSITORY, "configs", "guide.flags")
    more = (f"--warm_start_from={source}", "--warm_start_carry=model")
    dry = train(config, tmp_path / "job", *more, "--dry_run")
    assert dry.returncode == 1, dry.stderr
    assert "missing" in dry.stdout
    done = train(config, tmp_path / "job", *more)  # strict, as the flagfile says
    assert done.returncode == 2
    assert "'var': not in source" in done.stderr
    done = train(config, tmp_path / "job", *more, "--nowarm_start_strict")
    assert done.returncode == 0, done.stderr
    assert "'var': not in source" in done.stderr


def dry_job(tmp_path, source, *arguments, **options):
    """A training job that only shows what it would be warm-started with."""
    return expect(
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


class TestDryRunsOfJobs:
    def test_a_training_job(self, tmp_path):
        done = dry_job(tmp_path, DIGITS, "--warm_start_reset=bn1/")
        assert "8 carried, 23 reset" in done.stdout
        assert not (tmp_path / "job").exists()

    def test_a_source_that_lacks_needed_bytes_is_refused(self, tmp_path):
        shutil.copytree(TESTDATA / "digits", tmp_path / "old")
        shard = tmp_path / "old" / "model.ckpt-300.data-00000-of-00001"
        os.truncate(shard, 8)
        done = dry_job(tmp_path, tmp_path / "old", code=2)
        assert f"{shard}: the shard is cut off: it has 8 bytes of" in done.stderr

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
