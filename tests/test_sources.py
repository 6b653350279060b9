"""Whatever people pass, wherever they pass it: the same checkpoint, the same answer."""

import json

import numpy as np
import pytest

import estimator_ckpt as ec
from tests import sources
from tests.cli.command_line import call
from tests.sources import NONE, SOURCES, STEP, VALUES, WEIGHTS


def read(path):
    with ec.open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


def opened(source, new):
    return read(source)


def converted(source, new):
    return read(ec.convert(source, new / "model.ckpt-7", to="dual"))


def converted_as_planned(source, new):
    planned = call("convert", source, new / "x", "--to=tf1", "--dry_run", "--json")
    keys = {pair["new"] for pair in json.loads(planned.stdout)["keys"]}
    found = read(ec.convert(source, new / "x", to="tf1"))
    assert keys == set(found)
    return found


def averaged(source, new):
    return read(ec.average([source, source], new / "model.ckpt-7"))


def warm_started(source, new):
    planned = call("warm_start", source, new, "--dry_run", "--json")
    items = json.loads(planned.stdout)["variables"]
    assert {i["target"]["name"]: i["verdict"] for i in items} == {
        **dict.fromkeys(WEIGHTS, "carried"),
        "global_step": "reset",
    }
    found = read(ec.warm_start_model_dir(source, new, to="tf1"))
    assert found["global_step"] == 0
    return {**found, "global_step": np.int64(STEP)}


@pytest.mark.parametrize("entry", [opened, converted, converted_as_planned, averaged])
@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_every_entry_point_reads_the_same_variables(tmp_path, make_source, entry):
    found = entry(make_source(tmp_path / "source"), tmp_path / "new")
    assert set(found) == set(VALUES)
    for name, value in VALUES.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_a_warm_started_model_dir_is_as_its_plan_says(tmp_path, make_source):
    found = warm_started(make_source(tmp_path / "source"), tmp_path / "new")
    for name, value in VALUES.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_commands_that_look_see_the_same(tmp_path, make_source):
    source = make_source(tmp_path / "source")
    shown = json.loads(call("inspect", source, "--json", "--values").stdout)
    assert {v["name"] for v in shown["variables"]} == set(VALUES)
    assert shown["global_step"] == STEP
    assert call("verify", source).stdout.endswith(": whole\n")
    assert call("diff", source, sources.model_dir(tmp_path / "other")).returncode == 0
    planned = json.loads(call("plan", source, tmp_path / "other", "--json").stdout)
    assert planned["counts"] == {"carried": 3}
    back = json.loads(call("plan", tmp_path / "other", source, "--json").stdout)
    assert back["counts"] == {"carried": 3}


COMMANDS = [
    ("inspect", "SOURCE"),
    ("verify", "SOURCE"),
    ("diff", "SOURCE", "OTHER"),
    ("diff", "OTHER", "SOURCE"),
    ("plan", "SOURCE", "OTHER"),
    ("convert", "SOURCE", "NEW", "--to=tf2"),
    ("convert", "SOURCE", "NEW", "--to=tf2", "--dry_run"),
    ("average", "SOURCE", "OTHER", "NEW"),
    ("slim", "SOURCE", "NEW"),
    ("warm_start", "SOURCE", "NEW"),
    ("warm_start", "SOURCE", "NEW", "--dry_run"),
]


def called(tmp_path, command, source):
    """A command on a source, another checkpoint and a new path."""
    paths = {
        "SOURCE": source,
        "OTHER": sources.model_dir(tmp_path / "other"),
        "NEW": tmp_path / "new",
    }
    return call(*(paths.get(word, word) for word in command))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "make_source", NONE, ids=lambda make_source: make_source.__name__
)
def test_what_is_no_checkpoint_is_refused_in_the_same_words(
    tmp_path, make_source, command
):
    done = called(tmp_path, command, make_source(tmp_path / "source"))
    assert done.returncode == 2
    assert NONE[make_source] in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


#: What the index alone settles.
BY_INDEX = ("diff", "verify")


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c[0] not in BY_INDEX], ids=" ".join
)
def test_a_shard_that_is_missing_is_told_by_plans_and_dry_runs_too(tmp_path, command):
    source = sources.model_dir(tmp_path / "source")
    shard = source / "model.ckpt-7.data-00000-of-00001"
    shard.unlink()
    done = called(tmp_path, command, source)
    assert done.returncode == 2
    assert f"{shard}: the shard is missing" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_shard_that_is_missing_of_a_checkpoint_of_before_2017(tmp_path, command):
    """It has no index: what the others say is not all that there was."""
    source = sources.v1_with_a_shard_gone(tmp_path / "source")
    done = called(tmp_path, command, source)
    assert done.returncode == (1 if command[0] == "verify" else 2)
    assert "-00001-of-00002: the shard is missing" in done.stdout + done.stderr
    assert not (tmp_path / "new").exists()
