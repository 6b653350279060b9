"""The commands: data on stdout, exit codes, JSON; bad input is one line."""

import json
import os
import pty
import shutil
import subprocess
import sys

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import serialize_index, shard_path
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import ShardWriter, write_bundle
from tests.cli.command_line import call, run
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")


@pytest.fixture
def damaged(tmp_path):
    shutil.copytree(TESTDATA / "est-tf1", tmp_path / "damaged")
    shard = tmp_path / "damaged" / "model.ckpt-1.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    return tmp_path / "damaged"


class TestInspect:
    def test_a_table_and_totals(self):
        done = run("inspect", DIGITS)
        lines = done.stdout.splitlines()
        assert done.returncode == 0
        assert lines[0].split() == ["variable", "dtype", "shape", "size"]
        assert len(lines) == 1 + 31 + 1
        assert (
            "format tf1, 31 variables, 46.3 kB, 1 shard, global step 300" in lines[-1]
        )

    def test_slots_are_folded_under_their_variable(self):
        lines = run("inspect", DIGITS, "--slots").stdout.splitlines()
        (kernel,) = (line for line in lines if line.startswith("conv1/kernel"))
        assert kernel.endswith("Adam, Adam_1")
        assert not any(line.startswith("conv1/kernel/Adam") for line in lines)

    def test_values_are_shown_or_summed_up(self):
        guide = run("inspect", TESTDATA / "guide" / "tf1-ckpt", "--values").stdout
        assert guide.splitlines()[3].split()[-1] == "3.0"
        everything = run("inspect", TESTDATA / "dtypes" / "model.ckpt", "--values")
        assert everything.returncode == 0, everything.stderr

    def test_json_has_a_schema_and_every_variable(self):
        found = json.loads(run("inspect", DIGITS, "--json").stdout)
        assert found["schema"] == 1
        assert found["global_step"] == 300
        assert len(found["variables"]) == 31
        assert found["variables"][0]["shape"] == []

    def test_include_chooses(self):
        done = run("inspect", DIGITS, "--include=conv1/kernel$", "--json")
        (variable,) = json.loads(done.stdout)["variables"]
        assert variable["name"] == "conv1/kernel"

    def test_on_a_terminal_a_table_is_drawn(self):
        parent, child = pty.openpty()
        done = subprocess.run(
            [sys.executable, "-m", "estimator_ckpt", "inspect", DIGITS],
            cwd=REPOSITORY,
            stdout=child,
            timeout=60,
            check=True,
        )
        os.close(child)
        drawn = os.read(parent, 100_000).decode()
        os.close(parent)
        assert done.returncode == 0
        assert "─" in drawn

    def test_it_loads_neither_tensorflow_nor_numpy_nor_rich(self):
        code = (
            "import sys; from estimator_ckpt.cli.main import run;"
            f"run(['inspect', {DIGITS!r}]);"
            "print({'tensorflow', 'numpy', 'rich'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == "set()"


class TestConvert:
    def test_the_new_prefix_is_printed(self, tmp_path):
        done = run("convert", DIGITS, f"{tmp_path}/new/", "--to=dual")
        assert done.returncode == 0
        assert done.stdout.strip() == f"{tmp_path}/new/model.ckpt-300"
        assert ec.open_checkpoint(done.stdout.strip()).format == "dual"

    def test_all_is_the_whole_model_dir(self, tmp_path):
        done = run("convert", DIGITS, tmp_path / "new", "--to=tf2", "--all")
        assert len(done.stdout.splitlines()) == 3
        assert ec.open_checkpoint(tmp_path / "new").global_step == 300

    def test_a_dry_run_shows_every_key_and_writes_nothing(self, tmp_path):
        done = run("convert", DIGITS, tmp_path / "new", "--to=tf2", "--dry_run")
        assert done.returncode == 0
        pairs = [line.split() for line in done.stdout.splitlines()[1:]]
        moved = dict(pair for pair in pairs if pair[0] != "(new)")
        assert moved["conv1/kernel"] == (
            "var_list/conv1.Skernel/.ATTRIBUTES/VARIABLE_VALUE"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_dry_run_is_what_is_done(self, tmp_path):
        arguments = ("--to=dual", "--exclude=.*Adam", "--nostep")
        planned = run(
            "convert", DIGITS, tmp_path / "n", *arguments, "--dry_run", "--json"
        )
        keys = {pair["new"] for pair in json.loads(planned.stdout)["keys"]} - {None}
        run("convert", DIGITS, tmp_path / "n", *arguments)
        records = ec.open_checkpoint(tmp_path / "n").index.records
        assert keys == {key.decode() for key in records}

    def test_no_space_left_is_one_line(self, tmp_path):
        done = run("convert", DIGITS, "/dev/full/x", "--to=tf2")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


class TestVerifyAndDiff:
    def test_whole(self):
        done = run("verify", DIGITS)
        assert (done.returncode, done.stderr) == (0, "")
        assert "whole" in done.stdout

    def test_damage_is_exit_code_1(self, damaged):
        done = run("verify", damaged)
        assert done.returncode == 1
        assert "global_step" in done.stdout
        assert json.loads(run("verify", damaged, "--json").stdout)["ok"] is False

    def test_no_difference_is_0_and_a_difference_is_1(self, tmp_path):
        new = ec.convert(DIGITS, tmp_path / "new", to="tf2")
        assert run("diff", DIGITS, new).returncode == 0
        done = run("diff", f"{DIGITS}/model.ckpt-100", new)
        assert done.returncode == 1
        assert done.stdout.splitlines()[-1] == "31 differences, 0 equal variables"
        found = json.loads(
            run("diff", f"{DIGITS}/model.ckpt-100", new, "--json").stdout
        )
        assert found["differences"][0]["kind"] == "value"

    def test_damage_met_by_other_commands_is_exit_code_2(self, damaged):
        (damaged / "model.ckpt-1.index").write_bytes(b"\x00" * 100)
        for arguments in (("inspect", damaged), ("convert", damaged, "x", "--to=tf1")):
            done = run(*arguments)
            assert done.returncode == 2
            assert "model.ckpt-1.index" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "COMMAND"),
        (("bla",), "invalid choice: 'bla'"),
        (("inspect",), "path"),
        (("inspect", "nowhere"), "nowhere: no such checkpoint"),
        (("inspect", "configs"), "configs: a directory without"),
        (("inspect", "README.md"), "README.md: not a checkpoint"),
        (("inspect", DIGITS, "--include=("), "no regular expression"),
        (("verify", "nowhere"), "nowhere: no such checkpoint"),
        (("diff", DIGITS, "nowhere"), "nowhere: no such checkpoint"),
        (("convert", DIGITS, "x"), "--to"),
        (("convert", DIGITS, "x", "--to=tf3"), "invalid choice: 'tf3'"),
        (("convert", DIGITS, "x", "--to=tf1", "--data=y"), "invalid choice: 'y'"),
        (("convert", "nowhere", "x", "--to=tf1"), "nowhere: no such checkpoint"),
        (("convert", "nowhere", "x", "--to=tf1", "--all"), "nowhere: not a model dir"),
        (("convert", DIGITS, f"{DIGITS}/model.ckpt-100", "--to=tf1"), "already there"),
        (("inspect", "gs://bucket/x"), "remote paths are not supported"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_version_and_help():
    assert run("--version").stdout.strip() == ec.__version__
    helped = run("--help")
    assert helped.returncode == 0
    for command in ("inspect", "convert", "verify", "diff", "train"):
        assert command in helped.stdout


def test_an_interrupt_is_130():
    code = (
        "from estimator_ckpt.cli import main\n"
        "def interrupted(arguments): raise KeyboardInterrupt\n"
        "main._dispatch = interrupted; main.main(['inspect'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "estimator-ckpt: error: interrupted"


class TestVariablesThatShareAName:
    """Those of two optimizers in one checkpoint: `Adam/iter` is there twice."""

    PREFIX = TESTDATA / "roles" / "tensorflow-2.15.1" / "gan_legacy" / "model.ckpt"

    def test_each_is_shown_by_its_path_and_counted(self):
        shown = json.loads(call("inspect", self.PREFIX, "--json").stdout)
        names = [variable["name"] for variable in shown["variables"]]
        assert "generator_optimizer/iter" in names
        assert "discriminator_optimizer/iter" in names
        assert len(set(names)) == len(names)
        keys = {variable["key"] for variable in shown["variables"]}
        with ec.open_checkpoint(self.PREFIX, names="path") as checkpoint:
            assert keys == set(checkpoint.contents.keys.values())
        last = call("inspect", self.PREFIX).stdout.splitlines()[-1]
        assert f", {len(names)} variables, " in last

    @pytest.mark.parametrize("names", ["full_name", "path"])
    def test_their_roles_are_shown_too(self, names):
        done = call("inspect", self.PREFIX, "--roles", f"--names={names}")
        lines = done.stdout.splitlines()
        (line,) = (x for x in lines if x.startswith("generator_optimizer/iter "))
        assert " optimizer " in line

    def test_names_path_shows_all_by_their_paths(self):
        done = call("inspect", self.PREFIX, "--names=path", "--json", "--values")
        shown = {v["name"]: v for v in json.loads(done.stdout)["variables"]}
        with ec.open_checkpoint(self.PREFIX, names="path") as checkpoint:
            assert set(shown) == set(checkpoint)
            step = checkpoint.read("generator_optimizer/iter")
        assert shown["generator_optimizer/iter"]["value"] == str(step)


def test_a_variant_is_no_reason_to_refuse_the_others(tmp_path):
    """`--values` of a checkpoint with an iterator's state, as tf.data saves it."""
    with ShardWriter(shard_path(tmp_path / "model", 0, 1)) as shard:
        value = shard.add(np.float32([1, 2]))
    variant = value._replace(dtype=dtypes.VARIANT, shape=())
    entries = [(b"iterator", variant.serialize()), (b"v", value.serialize())]
    files.put(f"{tmp_path}/model.index", serialize_index(Header(), entries))
    done = call("inspect", tmp_path / "model", "--values")
    assert done.returncode == 0, done.stderr
    assert "(only TensorFlow can read it)" in done.stdout
    assert "1.0, 2.0" in done.stdout


def test_a_checkpoint_without_variables_is_inspected_and_converted(tmp_path):
    write_bundle(tmp_path / "old", {})
    assert "0 variables, 0 B" in call("inspect", tmp_path / "old").stdout
    for to in ("tf2", "dual", "tf1"):
        done = call("convert", tmp_path / "old", tmp_path / to, f"--to={to}")
        assert done.returncode == 0, done.stderr
        assert "0 variables" in call("inspect", tmp_path / to).stdout
