"""Training that goes on in Keras as TensorFlow 1.15.5 would have gone on.

Each case of tests/testdata/trajectories is converted for a Keras optimizer and trained
on with the batches that TensorFlow 1.15.5 went on with; after each step every variable
is held against what it had then.
"""

import functools
import logging

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.layouts import layer_rules
from tests.keras.keras_trajectory import (
    FTRL,
    OPTIMIZERS,
    assignment_map,
    layouts,
    model_of,
    schedule,
    train,
)
from tests.testdata import trajectory
from tests.testdata_paths import PREFIXES, RECORDINGS

IS_KERAS_3 = hasattr(tf.keras, "ops")
#: Keras 3 has no legacy optimizers.
legacy = None if IS_KERAS_3 else tf.keras.optimizers.legacy
new = tf.keras.optimizers
MODULES = [new] if IS_KERAS_3 else [legacy, new]
#: float32's noise after ten steps; the weights themselves move by 0.05 to 2.
EXACT = 1e-5

not_in_keras_3 = pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 has no such optimizer")


@functools.cache
def recorded(case):
    """TF1's variables after each step, in the layout and under the names of Keras."""
    values = np.load(RECORDINGS / "trajectories" / case / "trajectory.npz")
    every = {name.replace("%2F", "/"): values[name] for name in values}
    steps = [{n: v[i] for n, v in every.items()} for i in range(trajectory.MORE)]
    for step in steps:
        for rule in layer_rules.rules_of(layouts(case)):
            arrays = [step[name] for name in rule.sources]
            for name, array in zip(rule.targets, rule.forward(arrays)):
                shift = 0 if rule.shift is None else rule.shift(array)
                step[name] = array + shift
        for old, name in (assignment_map(case) or {}).items():
            step[name] = step[old]
    return steps


def deviations(case, optimizer, tmp_path, decay=0.0, summed=False, **options):
    """The largest relative deviation of any variable after each step."""
    model = model_of(case)
    prefix = ec.convert_for(
        {"model": model, "optimizer": optimizer},
        PREFIXES[f"trajectories/{case}/model.ckpt-20"],
        tmp_path / "new" / "ckpt",
        assignment_map=assignment_map(case),
        layouts=layouts(case),
        **options,
    )
    variables = trackables.describe(model).variables
    for held in variables.values():
        held.assign(tf.ones(held.variable.shape) * 9)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    checkpoint.restore(prefix).assert_consumed()
    known = recorded(case)
    found = []
    for i in range(trajectory.MORE):
        train(model, optimizer, trajectory.STEPS + i, decay, summed)
        worst = 0.0
        for name, held in variables.items():
            scale = max(np.abs(step[name]).max() for step in known)
            worst = max(worst, np.abs(held.value() - known[i][name]).max() / scale)
        found.append(worst)
    return found


#: Keras 3 does not sum the gradients of ids that repeat; here the loop does.
def needs_sums(case):
    return IS_KERAS_3 and not case.endswith("_dense") and case != "gradient_descent"


def is_silent(caplog):
    return not [r for r in caplog.records if r.name == "estimator_ckpt"]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.split(".")[-1])
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_exact_in_both(case, module, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    optimizer = OPTIMIZERS[case](module)
    found = deviations(case, optimizer, tmp_path, summed=needs_sums(case))
    assert max(found) < EXACT
    assert is_silent(caplog) or needs_sums(case)


ONLY_LEGACY = {
    "momentum": lambda: legacy.SGD(0.02, 0.9),
    "nesterov": lambda: legacy.SGD(0.02, 0.9, nesterov=True),
    "rmsprop": lambda: legacy.RMSprop(0.01, epsilon=1e-3, momentum=1e-30),
    "rmsprop_momentum": lambda: legacy.RMSprop(0.005, momentum=0.9, epsilon=1e-10),
    "rmsprop_centered": lambda: legacy.RMSprop(
        0.005, momentum=0.9, epsilon=1e-3, centered=True
    ),
    "adagrad": lambda: legacy.Adagrad(0.1, epsilon=1e-20),
    "adagrad_small": lambda: legacy.Adagrad(0.1, epsilon=1e-20),
    "adadelta": lambda: legacy.Adadelta(1.0, epsilon=1e-5),
    "ftrl": lambda: legacy.Ftrl(0.1, **FTRL),
    "adamax": lambda: legacy.Adamax(0.02, epsilon=1e-8),
}


@not_in_keras_3
@pytest.mark.parametrize("case", ONLY_LEGACY)
def test_exact_in_legacy_with_embeddings(case, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    assert max(deviations(case, ONLY_LEGACY[case](), tmp_path)) < EXACT
    assert is_silent(caplog)


ONLY_NEW = {
    "adagrad": lambda: new.Adagrad(0.1),
    "adagrad_small": lambda: new.Adagrad(0.1, epsilon=1e-3),  # compensated
    "rmsprop_dense": lambda: new.RMSprop(0.01, epsilon=1e-3),
}


@pytest.mark.parametrize("case", ONLY_NEW)
def test_exact_in_new(case, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    found = deviations(case, ONLY_NEW[case](), tmp_path, summed=needs_sums(case))
    assert max(found) < EXACT
    assert is_silent(caplog) or needs_sums(case)


class TestBert:
    """AdamWeightDecay: Adam without bias correction, with a decay of its own."""

    WARNING = "corrects no bias"

    @not_in_keras_3
    def test_adam_and_the_decay_in_the_loop(self, tmp_path, caplog):
        optimizer = legacy.Adam(0.002, epsilon=1e-6)
        found = deviations("bert", optimizer, tmp_path, decay=0.01)
        assert max(found) < EXACT
        assert self.WARNING in caplog.text

    def test_adamw(self, tmp_path, caplog):
        optimizer = new.AdamW(0.002, weight_decay=0.01, epsilon=1e-6)
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
        found = deviations("bert", optimizer, tmp_path, summed=needs_sums("bert"))
        assert max(found) < EXACT
        assert self.WARNING in caplog.text

    def test_under_a_schedule_iterations_must_be_said(self, tmp_path):
        optimizer = new.Adam(schedule(0.002), epsilon=1e-6)
        with pytest.raises(ec.CheckpointError, match=r"iterations=, --iterations"):
            deviations("bert", optimizer, tmp_path)
        assert not (tmp_path / "new").exists()


#: What is not equivalent: the optimizer, the least and the most that it is off after
#: ten steps, and what the warning says; None where a checkpoint does not tell.
NOT_EQUIVALENT = [
    ("momentum", lambda: new.SGD(0.02, 0.9), 1e-3, 1, "does not touch"),
    ("nesterov", lambda: new.SGD(0.02, 0.9, nesterov=True), 1e-3, 1, "does not touch"),
    (
        "momentum_schedule_dense",
        lambda: legacy.SGD(schedule(0.02), 0.9),
        1e-3,
        1,
        "under a schedule",
    ),
    ("rmsprop", lambda: new.RMSprop(0.01, epsilon=1e-3), 1e-4, 1, "momentum=1e-30"),
    (
        "rmsprop",
        lambda: legacy.RMSprop(0.01, epsilon=1e-3),
        1e-4,
        1,
        "outside of the root",
    ),
    (
        "rmsprop_momentum",
        lambda: new.RMSprop(0.005, momentum=0.9, epsilon=1e-10),
        1e-4,
        1,
        "does not touch",
    ),
    (
        "rmsprop_centered",
        lambda: new.RMSprop(0.005, momentum=0.9, epsilon=1e-3, centered=True),
        1e-4,
        1,
        "does not touch",
    ),
    ("adagrad_small", lambda: legacy.Adagrad(0.1, epsilon=1e-3), 1e-6, 1, "1e-20"),
    ("adadelta", lambda: new.Adadelta(1.0, epsilon=1e-5), 1e-4, 1, "does not touch"),
    ("ftrl", lambda: new.Ftrl(0.1, **FTRL), 1e-2, 2, "does not touch"),
    ("adamax", lambda: new.Adamax(0.02, epsilon=1e-8), 1e-4, 1, "does not touch"),
    ("lazy_adam", lambda: legacy.Adam(0.02, epsilon=1e-8), 1e-4, 1, None),
    ("lazy_adam", lambda: new.Adam(0.02, epsilon=1e-8), 1e-4, 1, None),
    (
        "ftrl",
        lambda: legacy.Ftrl(0.1, beta=0.1, **FTRL),
        1e-5,
        1,
        "beta=0 is exact",
    ),
    (
        "gradient_descent",
        lambda: legacy.SGD(0.05, decay=0.01),
        1e-5,
        1,
        "decay=0 is exact",
    ),
    ("nadam", lambda: legacy.Nadam(0.02, epsilon=1e-8), 1e-4, 1, "momentum schedule"),
    ("nadam", lambda: new.Nadam(0.02, epsilon=1e-8), 1e-4, 1, "momentum schedule"),
]


@not_in_keras_3
@pytest.mark.parametrize(
    ("case", "make", "least", "most", "warning"),
    NOT_EQUIVALENT,
    ids=[f"{case}-{i}" for i, (case, *_) in enumerate(NOT_EQUIVALENT)],
)
def test_what_is_not_equivalent_says_so(
    case, make, least, most, warning, tmp_path, caplog
):
    caplog.set_level(logging.WARNING)
    found = deviations(case, make(), tmp_path)
    assert least < max(found) < most
    if warning is None:
        assert is_silent(caplog)
    else:
        assert warning in caplog.text


def test_the_first_step_of_momentum_under_a_schedule_is_exact(tmp_path):
    optimizer = new.SGD(schedule(0.02), 0.9)
    first, *later = deviations("momentum_schedule_dense", optimizer, tmp_path)
    assert first < EXACT < max(later)


@not_in_keras_3
def test_ftrl_sets_rows_to_0_that_no_batch_touched(tmp_path):
    """Those that a legacy optimizer leaves alone."""
    tables = []
    for i, module in enumerate((legacy, new)):
        model, optimizer = model_of("ftrl"), module.Ftrl(0.1, **FTRL)
        trackable = {"model": model, "optimizer": optimizer}
        source = PREFIXES["trajectories/ftrl/model.ckpt-20"]
        prefix = ec.convert_for(trackable, source, tmp_path / str(i))
        tf.train.Checkpoint(**trackable).restore(prefix).assert_consumed()
        table = model.get_layer("embedding").embeddings
        before = table.numpy()
        train(model, optimizer, trajectory.STEPS)
        tables.append((before, table.numpy()))
    (before, kept), (_, after) = tables
    zero = (before != 0).any(-1) & (after == 0).all(-1)
    assert zero.any()
    np.testing.assert_array_equal(kept[zero], before[zero])


@not_in_keras_3
def test_momentum_under_a_schedule_can_be_made_exact(tmp_path):
    rate = schedule(0.02)
    first = trajectory.STEPS
    optimizer = legacy.SGD(rate, momentum=0.9)
    # Keras keeps lr in the slot: the decay of momentum makes up for lr's change.
    optimizer._set_hyper(
        "momentum",
        lambda: (
            0.9
            * tf.where(
                optimizer.iterations > first,
                rate(optimizer.iterations) / rate(optimizer.iterations - 1),
                1.0,
            )
        ),
    )
    assert max(deviations("momentum_schedule_dense", optimizer, tmp_path)) < EXACT


@pytest.mark.skipif(not IS_KERAS_3, reason="what Keras 3 does")
def test_repeated_ids_that_are_not_summed_say_so(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    found = deviations("adam", new.Adam(0.02, epsilon=1e-8), tmp_path)
    assert 1e-4 < max(found) < 1
    assert "sum them before apply_gradients" in caplog.text
