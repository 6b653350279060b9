"""Roles by evidence: against what the programs that wrote the checkpoints know.

`tests/testdata/roles` holds small checkpoints of TensorFlow 1.15.5, 2.15.1 and 2.21.0
with the truth beside each.
"""

import collections
import re
import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys, regexes
from estimator_ckpt.checkpoint.contents import AmbiguousNameError
from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.roles import Overruling, Role, RoleError
from tests.testdata_paths import PREFIXES, ROLES, true_roles

NAMES = ("full_name", "path")
#: Only a graph's collection, or slots, tell these two apart.
MODEL = {"trainable", "model"}
#: Where nothing tells whose slots these are: they are numbered in an unknown order.
NO_OWNERS = {"1.15.5/keras22_adam_no_meta"}
#: Two optimizers of one name, and no graph that tells them apart.
ONE_LABEL = {"1.15.5/two_adams_no_meta"}
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def opened(case, names="full_name", **overruled):
    return ec.open_checkpoint(ROLES[case] / "model.ckpt", names=names, **overruled)


def short(key):
    return key.replace(SUFFIX, "")


def wrong_of(roles, truth, key_of, case):
    """What of the decisions is not the truth."""
    found = {}
    for name, said in roles.items():
        role, owner, _ = truth[key_of[name]]
        is_right = said.role == role or {said.role, role} <= MODEL
        if role in ("slot", "average") and case not in NO_OWNERS:
            is_right = is_right and key_of.get(said.owner, said.owner) == owner
        if not is_right:
            found[name] = (role, owner, said)
    return found


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("case", ROLES)
def test_each_role_and_owner_is_what_the_program_knew(case, names):
    with opened(case, names) as checkpoint:
        keys = {i.name: short(i.key) for i in checkpoint.everything()}
        paths = {object_keys.path_of(k) or k: short(k) for k in checkpoint.index}
        wrong = wrong_of(checkpoint.roles, true_roles(case), {**paths, **keys}, case)
        assert wrong == {}
        assert set(checkpoint.roles) == set(keys)


@pytest.mark.parametrize("case", [case for case in ROLES if case not in ONE_LABEL])
def test_optimizers_are_told_apart(case):
    """No two optimizers have one name; what one keeps once has one at most."""
    truth = true_roles(case)
    with opened(case, "path") as checkpoint:
        labels = collections.defaultdict(set)
        for name, key in checkpoint.contents.keys.items():
            optimizer = truth[short(key)][2]
            said = checkpoint.roles[name]
            if optimizer is not None:
                labels[optimizer].add(said.optimizer)
                assert said.optimizer is not None, name
            else:
                assert said.optimizer is None, name
    every = [label for found in labels.values() for label in found]
    assert len(every) == len(set(every))


def test_powers_of_two_optimizers_of_one_name_have_no_owner_without_a_graph():
    with opened("1.15.5/two_adams_no_meta") as checkpoint:
        for name in ("beta1_power", "beta1_power_1", "beta2_power_1"):
            assert checkpoint.roles[name].role is Role.OPTIMIZER
            assert checkpoint.roles[name].optimizer is None


def test_the_order_in_a_meta_file_tells_two_optimizers_of_one_name_apart():
    with opened("1.15.5/two_adams") as checkpoint:
        roles = checkpoint.roles
        for number, network in (("", "generator"), ("_1", "discriminator")):
            slot = roles[f"{network}/one/kernel/Adam_1"]
            assert slot.optimizer == roles[f"beta2_power{number}"].optimizer


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("case", [case for case in ROLES if case[0] == "2"])
def test_the_evidence_outlives_a_conversion_to_names(case, names, tmp_path):
    with opened(case, names) as before:
        try:
            new = ec.convert(before.prefix, tmp_path / "n", to="tf1", names=names)
        except AmbiguousNameError:
            assert names == "full_name"
            return
        truth, keys = true_roles(case), before.contents.keys
        keys = {name: short(key) for name, key in keys.items()}
    with ec.open_checkpoint(new) as after:
        known = {name: said for name, said in after.roles.items() if name in keys}
        assert wrong_of(known, truth, keys, case) == {}
        left = {name for name in keys if name not in known}
        assert {truth[keys[name]][0] for name in left} <= {"metric", "no_variable"}


def test_the_old_test_data_of_every_optimizer_is_known():
    for name, prefix in PREFIXES.items():
        if name.startswith(("optimizers/", "trajectories/")):
            with ec.open_checkpoint(prefix) as checkpoint:
                under_another = {
                    n for n in checkpoint if n.rpartition("/")[0] in checkpoint
                }
                found = {n for n, s in checkpoint.roles.items() if s.role is Role.SLOT}
                assert found == under_another, name


# ------------------------------------------------------------- by names alone

KERNELS = {f"net/{n}/kernel": (3, 2) for n in ("one", "two")}
MODEL_NAMES = {**KERNELS, "net/one/bias": (2,), "net/two/bias": (2,)}


def decided(shapes, dtypes=None, **options):
    facts = {
        name: Fact((dtypes or {}).get(name, "float32"), shape)
        for name, shape in shapes.items()
    }
    return role_evidence.decide(facts, **options)


def under(pattern):
    """A variable for each of the model's, in its shape: `{}/Adam`, `ema/{}`."""
    return {pattern.format(name): shape for name, shape in MODEL_NAMES.items()}


@pytest.mark.parametrize(
    ("pattern", "role"),
    [
        ("{}/Adam", Role.SLOT),
        ("{}/my_optimizer_3", Role.SLOT),
        ("train/{}/my_optimizer", Role.SLOT),
        ("{}/adam_m", Role.SLOT),
        ("{}/ExponentialMovingAverage", Role.AVERAGE),
        ("train/{}/ExponentialMovingAverage", Role.AVERAGE),
        ("{}/ema_b999900", Role.AVERAGE),
        ("ema/{}", Role.AVERAGE),
        ("target/{}", Role.MODEL),  # a second network, not a slot
        ("m/{}", Role.MODEL),  # with no step counter anywhere
        ("{}/mask", Role.MODEL),
        ("{}/kernel", Role.TRAINABLE),
    ],
)
def test_a_family_under_several_variables(pattern, role):
    roles = decided({**MODEL_NAMES, **under(pattern)})
    for name in MODEL_NAMES:
        said = roles[pattern.format(name)]
        assert {said.role, role} <= MODEL or said.role is role, said
        if role in (Role.SLOT, Role.AVERAGE):
            assert said.owner == name


def test_a_collection_says_more_than_any_name():
    names = {**MODEL_NAMES, **under("{}/Adam"), "hyper/learning_rate": ()}
    trainable = dict.fromkeys(names, True)
    roles = decided(names, trainable=trainable)
    assert {said.role for said in roles.values()} == {Role.TRAINABLE}


def test_a_collection_that_trains_a_step_counter_is_not_believed():
    names = {
        **MODEL_NAMES,
        **{f"training/SGD/Variable_{i}": s for i, s in enumerate(MODEL_NAMES.values())},
        **dict.fromkeys(("SGD/iterations", "SGD/lr", "SGD/decay"), ()),
    }
    dtypes = {"SGD/iterations": "int64"}
    roles = decided(names, dtypes, trainable=dict.fromkeys(names, True))
    for name in names:
        assert (roles[name].role in MODEL) == name.startswith("net/"), name
    assert roles["training/SGD/Variable_2"].owner == "net/one/bias"


@pytest.mark.parametrize(
    "name", ["iteration", "beta", "momentum", "rho", "decay", "learning_rate"]
)
@pytest.mark.parametrize("beside", ["beta1_power", "iteration", "layer/iteration"])
def test_a_model_may_use_an_optimizers_words(name, beside):
    """Whatever stands elsewhere: a counter of a Keras optimizer, powers of Adam."""
    dtypes = {"iteration": "int64", "layer/iteration": "int64"}
    names = {**MODEL_NAMES, f"layer/{name}": (), "bn/beta": (7,), beside: ()}
    roles = decided(names, dtypes)
    assert roles[f"layer/{name}"].role in MODEL
    assert roles["bn/beta"].role in MODEL
    assert f"layer/{name}" in roles.undecided
    assert "bn/beta" not in roles.undecided


def test_what_stays_undecided_is_said_in_one_line():
    roles = decided({**MODEL_NAMES, "net/one/kernel/thing": (3, 2)})
    assert roles.undecided == ["net/one/kernel/thing"]
    assert roles["net/one/kernel/thing"].role is Role.MODEL
    remark = roles.remark()
    assert "'net/one/kernel/thing'" in remark
    assert "--optimizer_state" in remark
    assert "--model_state" in remark
    assert "\n" not in remark
    assert decided(MODEL_NAMES).remark() is None


def test_a_user_has_the_last_word():
    names = {**MODEL_NAMES, **under("{}/Adam"), "net/one/kernel/thing": (3, 2)}
    said = Overruling.of(r".*/thing", [r"net/two/.*/Adam"])
    roles = decided(names, overruling=said)
    assert roles["net/one/kernel/thing"][:3:2] == (Role.SLOT, "net/one/kernel")
    assert roles["net/one/kernel/Adam"].role is Role.SLOT
    assert roles["net/two/kernel/Adam"].role is Role.MODEL
    assert roles.unused == ()
    assert roles.undecided == []


def test_a_user_can_overrule_the_object_graph():
    case = "2.15.1/new_adam"
    with opened(case, model_state="optimizer/_iterations|iteration") as checkpoint:
        assert checkpoint.roles["iteration"].role is Role.MODEL
        assert checkpoint.roles["learning_rate"].role is Role.OPTIMIZER


def test_names_that_end_in_a_tensors_number_are_names():
    roles = decided(
        {f"{n}:0": s for n, s in {**MODEL_NAMES, **under("{}/Adam")}.items()}
    )
    assert roles["net/one/bias/Adam:0"].owner == "net/one/bias:0"


def test_a_damaged_meta_file_is_no_evidence_and_said(tmp_path, caplog):
    prefix = ec.convert(ROLES["1.15.5/named_adam"] / "model.ckpt", tmp_path, to="tf1")
    (tmp_path / "model.ckpt.meta").write_bytes(b"\x0a\xff")
    with ec.open_checkpoint(prefix) as checkpoint:
        assert checkpoint.roles["net/one/bias/d_adam_1"].owner == "net/one/bias"
    assert "model.ckpt.meta: no MetaGraphDef" in caplog.text


def test_ten_thousand_names_take_well_under_a_tenth_of_a_second():
    facts = {}
    for layer in range(1700):
        for name, shape in (("kernel", (64, 64)), ("bias", (64,))):
            variable = f"encoder/layer_{layer}/attention/self/query/{name}"
            for slot in ("", "/Adam", "/Adam_1"):
                facts[f"{variable}{slot}"] = Fact("float32", shape)
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        roles = role_evidence.decide(facts)
        best = min(best, time.process_time() - began)
    assert collections.Counter(said.role for said in roles.values()) == {
        Role.TRAINABLE: 3400,
        Role.SLOT: 6800,
    }
    assert best < 0.1


# ---------------------------------------------------------- what a user says


def test_the_reason_for_an_overruled_role_is_that_a_user_says_so():
    names = {**MODEL_NAMES, **under("{}/Adam"), "net/one/kernel/thing": (3, 2)}
    roles = decided(names, overruling=Overruling.of(".*thing|net/one/bias", ".*Adam"))
    assert roles["net/one/kernel/Adam"].evidence == "model_state says so"
    assert roles["net/one/kernel/thing"].evidence == "optimizer_state says so"
    assert roles["net/one/bias"].role is Role.OPTIMIZER
    assert roles["net/one/bias"].evidence.startswith("optimizer_state says so")


def test_where_user_and_evidence_agree_the_evidence_stays():
    names = {**MODEL_NAMES, **under("{}/Adam"), "net/bn/moving_mean": (2,)}
    found = decided(names)
    assert decided(names, overruling=Overruling.of(".*Adam", "net/[^/]*/[^/]*$")) == (
        found
    )


@pytest.mark.parametrize(
    "name",
    [
        "net/bn/moving_mean",  # which names alone say is model state
        "net/one/kernel/ema_0.99",
        "net/one/kernel/mask",
        "loose",
    ],
)
def test_anything_can_be_optimizer_state(name):
    roles = decided(
        {**MODEL_NAMES, name: (3, 2)}, overruling=Overruling.of(re.escape(name))
    )
    assert roles[name].role in (Role.SLOT, Role.OPTIMIZER)
    assert roles[name].evidence.startswith("optimizer_state says so")
    if name.startswith("net/one/kernel/"):
        assert (roles[name].role, roles[name].owner) == (Role.SLOT, "net/one/kernel")


@pytest.mark.parametrize("said", [(".*", None), (None, ".*"), (".*", ".*")])
@pytest.mark.parametrize("step", ["global_step", "counter"])
def test_that_it_is_the_global_step_nobody_overrules(said, step):
    roles = decided(
        {**MODEL_NAMES, step: ()},
        {step: "int64"},
        global_step=step,
        overruling=Overruling.of(*said),
    )
    assert roles[step].role is Role.GLOBAL_STEP


def test_a_pattern_that_could_take_years_is_given_up(monkeypatch):
    monkeypatch.setattr(regexes, "_PATIENCE", 0.1)
    said = Overruling.of(r"(n+)+x")
    with pytest.raises(RoleError, match="it repeats what repeats already"):
        decided({"n" * 60: (2,)}, overruling=said)


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize(
    ("case", "slots"),
    [
        ("unnamed_adam", ("mine", "mine_1")),
        ("unnamed_rmsprop", ("RMSProp", "RMSProp_1", "RMSProp_2")),
    ],
)
def test_slots_of_variables_without_names_have_tf1s_own(names, case, slots):
    with opened(f"2.15.1/{case}", names) as checkpoint:
        for variable in ("net/w", "net/others/0", "net/others/1"):
            assert {f"{variable}/{slot}" for slot in slots} <= set(checkpoint)
        assert checkpoint.contents.ambiguous == {}


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("case", [case for case in ROLES if case[0] == "2"])
def test_a_conversion_to_names_keeps_optimizers_apart(case, names, tmp_path):
    """What two optimizers keep belongs to two afterwards; slots of one to one."""
    with opened(case, names) as before:
        try:
            new = ec.convert(before.prefix, tmp_path / "n", to="tf1", names=names)
        except AmbiguousNameError:
            return
        old = {n: s.optimizer for n, s in before.roles.items() if s.role is Role.SLOT}
    with ec.open_checkpoint(new) as after:
        pairs = {(label, after.roles[name].optimizer) for name, label in old.items()}
    assert len(pairs) == len({old for old, _ in pairs}) == len({n for _, n in pairs})


@pytest.mark.parametrize(
    ("names", "step"),
    [
        (["model/global_step"], "model/global_step"),
        (["model/global_step", "global_step"], "global_step"),
        (["a/global_step", "b/global_step"], None),  # which?
    ],
)
def test_a_step_in_a_scope_is_the_step_if_it_is_the_only_one(names, step):
    found = role_evidence.decide({name: Fact("int64", ()) for name in names})
    steps = [n for n, said in found.items() if said.role is Role.GLOBAL_STEP]
    assert steps == ([step] if step else [])
