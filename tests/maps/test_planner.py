"""What becomes of each variable: every verdict, and what goes with what."""

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.planner import make
from estimator_ckpt.maps.plans import Plan, Verdict
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]


def variable(name, shape=(2,), dtype="float32", role=roles.TRAINABLE, **belongs):
    return Variable(name, dtype, shape, role, key=name, size=8, **belongs)


def side(*variables):
    return {v.name: v for v in variables}


def made(source, target, **options):
    choice = Choice.of(**options)
    return make(source, target, choice, source_name="old", target_name="new")


def verdicts(planned):
    return {item.name: item.verdict for item in planned.items}


def test_every_verdict():
    source = side(
        variable("same"),
        variable("old"),
        variable("shape", (3,)),
        variable("dtype", dtype="float64"),
        variable("left"),
        variable("only_here"),
    )
    target = side(
        variable("same"),
        variable("new"),
        variable("shape"),
        variable("dtype"),
        variable("left"),
        variable("missing"),
    )
    planned = made(source, target, assignment_map={"old": "new"}, reset="left")
    assert verdicts(planned) == {
        "same": Verdict.CARRIED,
        "new": Verdict.RENAMED,
        "shape": Verdict.SHAPE_MISMATCH,
        "dtype": Verdict.DTYPE_MISMATCH,
        "left": Verdict.RESET,
        "missing": Verdict.MISSING,
        "only_here": Verdict.UNUSED,
    }
    assert {item.name for item in planned.problems} == {"shape", "dtype", "missing"}
    assert planned.summary() == (
        "old to new: 1 carried, 1 renamed, 1 shape mismatch, 1 dtype mismatch, "
        "1 missing, 1 reset, 1 unused"
    )


def test_without_carry_the_global_step_is_carried_as_in_a_conversion():
    step = side(variable("global_step", (), "int64", roles.GLOBAL_STEP))
    assert verdicts(made(step, step)) == {"global_step": Verdict.CARRIED}
    found = made(step, step, carry="all")
    assert verdicts(found) == {"global_step": Verdict.RESET}


def test_cast_and_resize_only_when_asked():
    source = side(variable("a", (3, 4), "float64"))
    target = side(variable("a", (5, 2)))
    assert made(source, target).items[0].verdict is Verdict.DTYPE_MISMATCH
    found = made(source, target, cast=True)
    assert found.items[0].verdict is Verdict.SHAPE_MISMATCH
    (item,) = made(source, target, cast=True, resize="a").items
    assert item.verdict is Verdict.CARRIED
    assert "cast to float32, what fits of it into [5, 2]" in item.because
    other_rank = side(variable("a", (5,), "float64"))
    found = made(source, other_rank, resize="a")
    assert found.items[0].verdict is Verdict.SHAPE_MISMATCH


@pytest.mark.parametrize("optimizer", ["Adam", None])
def test_beta_powers_go_with_their_slots(optimizer):
    source = side(
        variable("w"),
        variable("w/Adam", role=roles.SLOT, owner="w", optimizer="Adam"),
        variable("w/Adam_1", role=roles.SLOT, owner="w", optimizer="Adam"),
        variable("beta1_power", role=roles.OPTIMIZER, optimizer=optimizer),
    )
    carried = verdicts(made(source, source, carry="all"))
    assert set(carried.values()) == {Verdict.CARRIED}
    alone = verdicts(made(source, source, carry="all", exclude="w/Adam"))
    assert alone["beta1_power"] is Verdict.RESET
    included = verdicts(made(source, source, carry="all", include="w"))
    assert included == carried
    alone = verdicts(made(source, source, carry="all", include="w$"))
    assert alone["beta1_power"] is Verdict.RESET


def test_beta_powers_go_with_the_slots_of_their_own_optimizer():
    source = {}
    for number, v in (("", "g/w"), ("_1", "d/w")):
        optimizer = f"Adam (beta1_power{number})"
        slots = (variable(f"{v}/Adam", role=roles.SLOT, owner=v, optimizer=optimizer),)
        power = f"beta1_power{number}"
        power = variable(power, role=roles.OPTIMIZER, optimizer=optimizer)
        source |= side(variable(v), *slots, power)
    found = verdicts(made(source, source, carry="all", include="d/"))
    assert found == {
        "g/w": Verdict.RESET,
        "g/w/Adam": Verdict.RESET,
        "beta1_power": Verdict.RESET,
        "d/w": Verdict.CARRIED,
        "d/w/Adam": Verdict.CARRIED,
        "beta1_power_1": Verdict.CARRIED,
    }


def test_metrics_and_strings_that_the_source_lacks_are_no_problem():
    target = side(
        variable("w"),
        variable("total", role=roles.METRIC),
        variable("text", dtype="string", role=roles.NO_VARIABLE),
    )
    planned = made(side(variable("w")), target)
    assert planned.problems == []
    assert verdicts(planned)["total"] is Verdict.RESET


def test_an_average_that_the_source_lacks_begins_at_its_variable():
    average = "w/ExponentialMovingAverage"
    target = side(variable("w"), variable(average, role=roles.AVERAGE, owner="w"))
    item = made(side(variable("w")), target, carry="model").items[1]
    assert item.verdict is Verdict.CARRIED
    assert item.source.name == "w"


def test_what_matches_nothing_is_listed():
    found = made(side(variable("a")), side(variable("a")), exclude="x", reset="y")
    assert found.unused == (
        "the pattern 'x' matches no variable",
        "the pattern 'y' matches no variable",
    )


def test_new_names_that_the_target_lacks_are_said_with_those_that_are_near():
    source = side(variable("logits/kernel"), variable("logits/bias"))
    target = side(variable("head/kernel"), variable("head/bias"))
    planned = made(source, target, assignment_map={"logits/": "hed/"})
    assert planned.unused == (
        "the rule 'logits/' -> 'hed/' (rule 1) gives names that the target lacks, such "
        "as 'hed/kernel' (near: 'head/kernel')",
    )
    rules = {"logits/kernel": "head/kernel"}
    assert made(source, target, assignment_map=rules).unused == ()


def test_two_checkpoints(tmp_path):
    new = ec.convert(
        DIGITS, tmp_path / "new", to="tf2", assignment_map={"logits/": "head/"}
    )
    planned = ec.plan(DIGITS, new)
    assert isinstance(planned, Plan)
    assert planned.counts == {
        Verdict.CARRIED: 25,
        Verdict.MISSING: 6,
        Verdict.UNUSED: 6,
    }
    planned = ec.plan(DIGITS, new, assignment_map={"logits/": "head/"})
    assert planned.counts == {Verdict.CARRIED: 25, Verdict.RENAMED: 6}


def test_a_target_that_is_none_of_these_is_refused():
    with pytest.raises(ValueError, match="a checkpoint's path, a model_fn or a track"):
        ec.plan(DIGITS, 3)
    with pytest.raises(ValueError, match="needs an input_fn"):
        ec.plan(DIGITS, lambda features, labels, mode: None)
    with pytest.raises(ValueError, match="unknown carry 'some'"):
        ec.plan(DIGITS, DIGITS, carry="some")


def test_one_source_for_two_variables():
    source = side(variable("net/w"), variable("net/w/Adam", role=roles.OPTIMIZER))
    target = side(
        *(variable(f"{scope}/w") for scope in ("a", "b")),
        *(variable(f"{scope}/w/Adam", role=roles.OPTIMIZER) for scope in ("a", "b")),
    )
    planned = made(source, target, assignment_map={"net/": ["a/", "b/"]}, carry="all")
    assert {(i.name, i.source.name) for i in planned.items} == {
        ("a/w", "net/w"),
        ("b/w", "net/w"),
        ("a/w/Adam", "net/w/Adam"),
        ("b/w/Adam", "net/w/Adam"),
    }
    assert set(verdicts(planned).values()) == {Verdict.RENAMED}
    assert planned.unused == ()


def test_a_copy_that_the_target_lacks_is_told_apart():
    source, target = side(variable("net/w")), side(variable("a/w"))
    planned = made(source, target, assignment_map={"net/": ["a/", "b/"]})
    (said,) = planned.unused
    assert "'net/' -> 'b/' (rule 1) gives names that the target lacks" in said
    planned = made(source, side(variable("c/w")), assignment_map={"net/": ["a/", "b/"]})
    assert planned.items[-1].because == "there is no 'a/w' or 'b/w' in the target"
