"""One answer: a table over checkpoints and operations.

Each operation does with each variable what its role says, the role being what the
program that wrote the checkpoint knows.
"""

import logging
import re

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.roles import LEFT_BEHIND
from tests.testdata_paths import ROLES, true_roles

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
OF_MODEL = {"trainable", "model", "average"}
CASES = [
    "1.15.5/named_adam_no_meta",
    "1.15.5/two_adams",
    "1.15.5/two_scopes",
    "1.15.5/optimize_loss",
    "1.15.5/unknown_slots_no_meta",
    "1.15.5/t2t_adafactor",
    "1.15.5/colon_zero",
    "1.15.5/averages_named",
    "1.15.5/decoys_adam",
    "1.15.5/loss_scale",
    "1.15.5/keras_adam_no_meta",
    "1.15.5/keras22_sgd",
    "1.15.5/mesh_adafactor",
    "2.15.1/legacy_adam",
    "2.15.1/legacy_resumed_before_a_step",
    "2.15.1/new_adam",
    "2.15.1/new_adam_ema",
    "2.15.1/loss_scale_new",
    "2.15.1/saved_model_new",
    "2.15.1/odds_and_ends",
    "2.21.0/adam_sequential",
    "2.21.0/gan_sequential",
]


def truth_of(checkpoint, case):
    """The true role of each variable, by name."""
    truth = true_roles(case)
    return {
        name: truth[key.replace(SUFFIX, "")][0]
        for name, key in checkpoint.contents.keys.items()
    }


def carried(made):
    """The variables of a first checkpoint; a hash table's entries are always there."""
    return {name for name in made if not name.startswith("table-")} - {"global_step"}


def source_of(case, names):
    return ec.open_checkpoint(ROLES[case] / "model.ckpt", names=names)


@pytest.fixture(params=["full_name", "path"])
def names(request):
    return request.param


def skip_if_ambiguous(checkpoint):
    if checkpoint.contents.ambiguous:
        pytest.skip("its full names are not unique")


@pytest.mark.parametrize("case", CASES)
def test_carry_model_takes_the_model_and_nothing_else(case, names, tmp_path):
    with source_of(case, names) as source:
        skip_if_ambiguous(source)
        truth = truth_of(source, case)
        new = ec.warm_start_model_dir(
            source.prefix, tmp_path / "new", to="tf1", carry="model", names=names
        )
    with ec.open_checkpoint(new) as made:
        wanted = {name for name, role in truth.items() if role in OF_MODEL}
        assert carried(made) == wanted


@pytest.mark.parametrize("case", CASES)
def test_carry_all_takes_optimizer_state_too(case, names, tmp_path):
    with source_of(case, names) as source:
        skip_if_ambiguous(source)
        truth = truth_of(source, case)
        new = ec.warm_start_model_dir(
            source.prefix, tmp_path / "new", to="tf1", carry="all", names=names
        )
    with ec.open_checkpoint(new) as made:
        left = {"global_step", "metric", "no_variable"}
        wanted = {name for name, role in truth.items() if role not in left}
        assert carried(made) == wanted


#: Without what only TensorFlow can read.
@pytest.mark.parametrize("case", [c for c in CASES if c != "2.15.1/odds_and_ends"])
def test_the_mean_is_of_the_model_alone(case, names, tmp_path):
    """Of two checkpoints, the second twice the first: model 1.5 times, slots twice."""
    with source_of(case, names) as source:
        skip_if_ambiguous(source)
        truth = truth_of(source, case)
        tensors = {key: source.reader.read(key) for key in source.index}
        doubled = {
            key: np.asarray(value * 2, value.dtype)
            if value.dtype.kind == "f"
            else value
            for key, value in tensors.items()
        }
        write_bundle(tmp_path / "twice", doubled)
        new = ec.average(
            [source.prefix, tmp_path / "twice"], tmp_path / "mean", names=names
        )
        with ec.open_checkpoint(new, names=names) as made:
            for name in set(made) & set(source):  # a TF2 result has one name more
                old = source.read(name)
                factor = 1.5 if truth[name] in OF_MODEL else 2
                wanted = old * factor if old.dtype.kind == "f" else old
                np.testing.assert_allclose(made.read(name), wanted, 1e-6, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_slots_and_averages_follow_a_renamed_variable(case, tmp_path):
    with source_of(case, "full_name") as source:
        skip_if_ambiguous(source)
        owners = source.roles.owners
        renamed = next(iter(sorted(owners.values())))
        followers = {name for name, owner in owners.items() if owner == renamed}
        target = "renamed/by_a_map" + (":0" if renamed.endswith(":0") else "")
        new = ec.convert(
            source.prefix, tmp_path / "new", to="tf1", assignment_map={renamed: target}
        )
        before = {name: source.read(name) for name in followers | {renamed}}
    with ec.open_checkpoint(new) as made:
        np.testing.assert_array_equal(made.read(target), before[renamed])
        found = {n for n, owner in made.roles.owners.items() if owner == target}
        if case == "1.15.5/keras22_sgd":  # numbered: no name says whose they are
            return
        assert len(found) == len(followers)
        sums = sorted(float(np.sum(before[name])) for name in followers)
        assert sorted(float(np.sum(made.read(name))) for name in found) == sums


@pytest.mark.parametrize("case", [case for case in ROLES if case[0] == "2"])
def test_a_conversion_has_what_its_source_has(case, names, tmp_path):
    """In each format, for diff and plan, in both directions: nothing differs."""
    with source_of(case, names) as source:
        is_ambiguous = bool(source.contents.ambiguous)
        metrics = {i.name for i in source.everything() if i.role in LEFT_BEHIND}
    for to in ("tf2",) if is_ambiguous else ("tf1", "tf2", "dual"):
        new = ec.convert(source.prefix, tmp_path / to, to=to, names=names)
        for a, b in ((source.prefix, new), (new, source.prefix)):
            found = ec.diff(a, b, names=names)
            assert found.differences == ()
            assert set(found.left_out) == (metrics if to == "tf1" else set())
            assert ec.plan(a, b, names=names).problems == []


def test_what_only_one_object_has_is_a_difference(tmp_path):
    """A metric, too: only a checkpoint by names cannot have one."""
    case = "2.15.1/saved_model_new"
    with source_of(case, "full_name") as source:
        new = ec.convert(source.prefix, tmp_path / "n", to="tf2", exclude=["total"])
    (found,) = ec.diff(source.prefix, new).differences
    assert (found.aspect.value, found.name) == ("removed", "total")


def test_the_entries_of_a_table_are_compared(tmp_path):
    case = "2.15.1/odds_and_ends"
    with source_of(case, "full_name") as source:
        new = ec.convert(source.prefix, tmp_path / "n", to="tf1")
    with ec.open_checkpoint(new) as made:
        values = {name: made.read(name) for name in made}
    values["table-values"] = values["table-values"] + 1
    write_bundle(tmp_path / "changed", values)
    (found,) = ec.diff(source.prefix, tmp_path / "changed").differences
    assert (found.aspect.value, found.name) == ("value", "table-values")


def test_variables_of_one_name_are_compared_by_their_paths(tmp_path):
    with source_of("2.15.1/gan_new", "full_name") as source:
        (shared, *_) = source.contents.ambiguous.values()
        path = object_keys.path_of(shared[0])
        kept = object_keys.path_of(shared[1])
        new = ec.convert(
            source.prefix,
            tmp_path / "n",
            to="tf2",
            names="path",
            exclude=[f"{re.escape(path)}$"],
        )
    (found,) = ec.diff(source.prefix, new).differences
    assert (found.aspect.value, found.name) in {("removed", path), ("removed", kept)}


DONE_TO_ONE = {
    "convert": lambda old, new, said: ec.convert(old, new, to="tf2", **said),
    "average": lambda old, new, said: ec.average([old, old], new, **said),
    "slim": lambda old, new, said: ec.slim(old, new, **said),
    "warm_start": lambda old, new, said: ec.warm_start_model_dir(
        old, new, to="tf1", **said
    ),
    "suggest": lambda old, new, said: ec.suggest(old, old, **said),
    "diff": lambda old, new, said: [
        logging.getLogger("estimator_ckpt").warning("%s", sentence)
        for sentence in ec.diff(old, old, **said).remarks()
    ],
    "plan": lambda old, new, said: [
        logging.getLogger("estimator_ckpt").warning("%s", sentence)
        for sentence in ec.plan(old, old, **said).unused
    ],
}


@pytest.mark.parametrize("does", DONE_TO_ONE)
@pytest.mark.parametrize("keyword", ["optimizer_state", "model_state"])
def test_an_overruling_that_matches_nothing_is_said(does, keyword, tmp_path, caplog):
    source = ROLES["1.15.5/named_adam_no_meta"] / "model.ckpt"
    said = {keyword: ["nothing/of/that/name", "net/one/.*"]}
    DONE_TO_ONE[does](source, tmp_path / "new", said)
    assert f"{keyword}='nothing/of/that/name' matches no variable" in caplog.text
    assert "net/one/.*' matches" not in caplog.text
    assert caplog.text.count("matches no variable") == 1


@pytest.mark.parametrize("does", [does for does in DONE_TO_ONE if does != "diff"])
def test_what_is_undecided_is_said_in_one_line(does, tmp_path, caplog):
    source = ROLES["1.15.5/decoys_no_optimizer"] / "model.ckpt"
    said = {"assignment_map": {"one/": "first/"}} if does == "convert" else {}
    DONE_TO_ONE[does](source, tmp_path / "new", said)
    lines = [line for line in caplog.messages if "optimizer state or not?" in line]
    assert len(lines) == 1
    assert "--model_state" in lines[0]
