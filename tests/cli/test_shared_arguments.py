"""The arguments that commands share, roles above all, and the data they become."""

import argparse
import json

import pytest

from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.cli import shared_arguments
from tests.cli import command_line
from tests.testdata_paths import ROLES


def prefix(case):
    return ROLES[case] / "model.ckpt"


def inspected(case, *arguments):
    done = command_line.call("inspect", prefix(case), "--json", "--roles", *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return {fields["name"]: fields for fields in document["variables"]}, document


def test_inspect_shows_role_owner_and_evidence():
    done = command_line.call("inspect", prefix("1.15.5/named_adam_no_meta"), "--roles")
    (row,) = [
        line
        for line in done.stdout.splitlines()
        if line.startswith("net/one/bias/d_adam ")
    ]
    assert "slot" in row
    assert "net/one/bias (d_adam)" in row
    assert row.endswith("in V's shape")


@pytest.mark.parametrize("names", ["full_name", "path"])
def test_inspect_gives_the_same_as_json(names):
    variables, document = inspected("2.15.1/new_adam", f"--names={names}")
    slots = [fields for fields in variables.values() if fields["role"] == "slot"]
    assert len(slots) == 12
    for fields in slots:
        assert variables[fields["owner"]]["role"] == "trainable"
        assert fields["optimizer"] == "optimizer"
    assert document["remarks"] == []


def test_what_is_undecided_is_said_and_can_be_overruled():
    case = "1.15.5/decoys_no_optimizer"
    variables, document = inspected(case)
    assert variables["model/decay"]["is_undecided"]
    (remark,) = document["remarks"]
    assert "--optimizer_state" in remark
    said = ["--optimizer_state=model/decay", "--model_state=model/.*"]
    variables, document = inspected(case, *said)
    assert document["remarks"] == []
    assert variables["model/decay"]["role"] == "model"
    variables, document = inspected(case, "--optimizer_state=model/decay")
    assert variables["model/decay"]["role"] == "optimizer"


def test_a_pattern_that_is_none_is_one_line():
    done = command_line.call("inspect", prefix("1.15.5/two_adams"), "--model_state=(")
    assert done.returncode == 2
    assert "model_state" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        "inspect",
        "plan",
        "average",
        "warm_start",
        "convert",
        "convert_for",
        "slim",
        "diff",
    ],
)
def test_every_command_that_uses_roles_can_be_overruled(command):
    text = command_line.call(command, "--help").stdout
    assert "--optimizer_state" in text
    assert "--model_state" in text


@pytest.mark.parametrize("as_json", [False, True])
def test_diff_says_what_a_conversion_left_out(as_json, tmp_path):
    source = prefix("2.15.1/saved_model_new")
    options = ["--names=path"]
    command_line.call("convert", source, tmp_path / "n", "--to=tf1", *options)
    if as_json:
        options.append("--json")
    done = command_line.call("diff", source, tmp_path / "n", *options)
    assert done.returncode == 0
    if as_json:
        assert len(json.loads(done.stdout)["left_out"]) == 2
    else:
        first, last = done.stdout.splitlines()
        assert first.startswith("0 differences, ")
        assert "left out: metrics and strings of objects" in last


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    shared_arguments.add_filters(parser)
    shared_arguments.add_map(parser)
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_root(parser)
    shared_arguments.add_carry(parser, None, "what")
    return parser.parse_args(arguments)


def test_names_filters_and_map_become_one_naming():
    given = parsed("--include=a", "--exclude=a/b", "--names=path", "--root=vars")
    naming = shared_arguments.chosen_names(given)
    assert naming.names_by is NamesBy.PATH
    assert (naming.root, naming.step) == ("vars", "global_step")
    assert [name for name in ("a/a", "a/b", "c") if naming.chosen.keeps(name)] == [
        "a/a"
    ]
    assert not naming.assignment_map


def test_averages_come_before_the_map_that_is_given(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("- {from: b, to: c}\n")
    given = parsed("--use_ema", f"--assignment_map={path}")
    names = {"v": None, "v/ExponentialMovingAverage": None, "b": None}
    renaming = shared_arguments.chosen_names(given).assignment_map.rename(
        names, source="here"
    )
    assert dict(renaming.pairs) == {"v/ExponentialMovingAverage": "v", "b": "c"}


def test_a_choice_carries_what_was_said():
    given = parsed("--carry=model", "--reset=head/", "--optimizer_state=.*slot")
    choice = shared_arguments.choice(given)
    assert choice.carry == "model"
    assert choice.reset.includes("head/kernel")
    assert not choice.reset.includes("body/kernel")
    assert choice.overruling.is_optimizer_state("x/slot")
