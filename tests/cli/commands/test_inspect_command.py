"""inspect: tables, JSON, slots, roles and values."""

import json
import os
import pty
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
from tests.cli.command_line import call, modules_of, run
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")


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

    def test_values_have_the_digits_that_their_dtype_has(self, tmp_path):
        values = {
            "a": np.float32([0.1, 1e-8]),
            "b": np.float64([0.1]),
            "c": np.float16([0.1]),
            "d": np.array([True, False]),
        }
        write_bundle(tmp_path / "c", values)
        shown = json.loads(run("inspect", tmp_path / "c", "--values", "--json").stdout)
        found = [variable["value"] for variable in shown["variables"]]
        assert found == ["0.1, 1e-08", "0.1", "0.1", "True, False"]

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
        loaded = modules_of("inspect", DIGITS)
        assert {"tensorflow", "numpy", "rich"} & loaded == set()


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
