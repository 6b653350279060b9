"""Training that goes on in Keras as TensorFlow 1.15.5 would have gone on.

Each case of tests/testdata/trajectories is converted for a Keras optimizer and trained
on with the batches that TensorFlow 1.15.5 went on with; after each step every variable
is held against what it had then.
"""

import logging

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from tests.testdata import trajectory
from tests.testdata_paths import PREFIXES, RECORDINGS

legacy = tf.keras.optimizers.legacy
new = tf.keras.optimizers
#: float32's noise after ten steps; the weights themselves move by 0.05 to 2.
EXACT = 1e-5


def model_of(case):
    """The model of the trajectories, with sparse or with dense gradients."""
    ids = tf.keras.Input((trajectory.IDS,), dtype=tf.int32)
    if case.endswith("_dense"):
        rows = tf.one_hot(ids, trajectory.ROWS)
        net = tf.keras.layers.Dense(trajectory.WIDTH, use_bias=False, name="embedding")(
            rows
        )
    else:
        net = tf.keras.layers.Embedding(
            trajectory.ROWS, trajectory.WIDTH, name="embedding"
        )(ids)
    net = tf.keras.layers.Flatten()(net)
    net = tf.keras.layers.Dense(trajectory.UNITS, "relu", name="hidden")(net)
    net = tf.keras.layers.BatchNormalization(name="bn")(net)
    return tf.keras.Model(ids, tf.keras.layers.Dense(1, name="out")(net))


def assignment_map(case):
    if case.endswith("_dense"):
        return {"embedding/embeddings": "embedding/kernel"}
    return None


def names_of(model, case):
    """TF1's names of a model's variables."""
    found = {}
    for variable in model.variables:
        name = variable.name.split(":")[0]
        if case.endswith("_dense"):
            name = name.replace("embedding/kernel", "embedding/embeddings")
        found[name] = variable
    return found


def train(model, optimizer, step, decay=0.0):
    """One step on the batch of that number."""
    ids, labels = trajectory.batch(step)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(labels - model(ids, training=True)))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    if decay:  # BERT's: from the weights of before the step
        rate = float(optimizer.learning_rate)
        weights = [(v, tf.identity(v)) for v in variables]
    optimizer.apply_gradients(zip(gradients, variables))
    if decay:
        for variable, before in weights:
            if "bias" not in variable.name and "beta" not in variable.name:
                variable.assign_sub(rate * decay * before)
    return float(loss)


def deviations(case, optimizer, tmp_path, decay=0.0, **options):
    """The largest relative deviation of any variable after each step."""
    model = model_of(case)
    prefix = ec.convert_for(
        {"model": model, "optimizer": optimizer},
        PREFIXES[f"trajectories/{case}/model.ckpt-20"],
        tmp_path / "new" / "ckpt",
        assignment_map=assignment_map(case),
        **options,
    )
    for variable in model.variables:
        variable.assign(tf.ones_like(variable) * 9)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    checkpoint.restore(prefix).assert_consumed()
    recorded = np.load(RECORDINGS / "trajectories" / case / "trajectory.npz")
    known = {name.replace("%2F", "/"): recorded[name] for name in recorded}
    if options.get("layouts"):
        known[TABLE] = known[TABLE][:, ROWS_OF_IDS]
    found = []
    for i in range(trajectory.MORE):
        train(model, optimizer, trajectory.STEPS + i, decay)
        worst = 0.0
        for name, variable in names_of(model, case).items():
            expected = known[name][i]
            scale = np.abs(known[name]).max()
            worst = max(worst, np.abs(variable.numpy() - expected).max() / scale)
        found.append(worst)
    return found


def schedule(rate):
    return tf.keras.optimizers.schedules.ExponentialDecay(rate, 10, 0.8)


FTRL = {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.01}
CASES = {
    "gradient_descent": lambda m: m.SGD(0.05),
    "momentum_dense": lambda m: m.SGD(0.02, 0.9),
    "nesterov_dense": lambda m: m.SGD(0.02, 0.9, nesterov=True),
    "adam": lambda m: m.Adam(0.02, epsilon=1e-8),
    "adam_epsilon": lambda m: m.Adam(0.02, epsilon=1e-3),
    "adam_schedule": lambda m: m.Adam(schedule(0.02), epsilon=1e-8),
    "adam_partitioned": lambda m: m.Adam(0.02, epsilon=1e-8),
    "rmsprop_momentum_dense": lambda m: m.RMSprop(0.005, momentum=0.9, epsilon=1e-10),
    "rmsprop_centered_dense": lambda m: m.RMSprop(
        0.005, momentum=0.9, epsilon=1e-3, centered=True
    ),
    "adadelta_dense": lambda m: m.Adadelta(1.0, epsilon=1e-5),
    "ftrl_dense": lambda m: m.Ftrl(0.1, **FTRL),
    "adamax_dense": lambda m: m.Adamax(0.02, epsilon=1e-8),
    "lazy_adam_dense": lambda m: m.Adam(0.02, epsilon=1e-8),
}


#: The table was in three parts, and `tf.nn.embedding_lookup` read it by "mod".
TABLE = "embedding/embeddings"
LAYOUTS = {"adam_partitioned": [{"mod": TABLE, "to": TABLE, "parts": 3}]}
ROWS_OF_IDS = [id % 3 * (trajectory.ROWS // 3) + id // 3 for id in range(24)]


def is_silent(caplog):
    return not [r for r in caplog.records if r.name == "estimator_ckpt"]


@pytest.mark.parametrize("module", [legacy, new], ids=["legacy", "new"])
@pytest.mark.parametrize("case", CASES)
def test_exact_in_both(case, module, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    optimizer = CASES[case](module)
    found = deviations(case, optimizer, tmp_path, layouts=LAYOUTS.get(case))
    assert max(found) < EXACT
    assert is_silent(caplog)


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
    assert max(deviations(case, ONLY_NEW[case](), tmp_path)) < EXACT
    assert is_silent(caplog)


class TestBert:
    """AdamWeightDecay: Adam without bias correction, with a decay of its own."""

    WARNING = "corrects no bias"

    def test_adam_and_the_decay_in_the_loop(self, tmp_path, caplog):
        optimizer = legacy.Adam(0.002, epsilon=1e-6)
        found = deviations("bert", optimizer, tmp_path, decay=0.01)
        assert max(found) < EXACT
        assert self.WARNING in caplog.text

    def test_adamw(self, tmp_path, caplog):
        optimizer = new.AdamW(0.002, weight_decay=0.01, epsilon=1e-6)
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
        assert max(deviations("bert", optimizer, tmp_path)) < EXACT
        assert self.WARNING in caplog.text

    def test_under_a_schedule_iterations_must_be_said(self, tmp_path):
        optimizer = legacy.Adam(schedule(0.002), epsilon=1e-6)
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
    ("adagrad_small", lambda: legacy.Adagrad(0.1, epsilon=1e-3), 1e-6, 1, "1e-20"),
    ("adadelta", lambda: new.Adadelta(1.0, epsilon=1e-5), 1e-4, 1, "does not touch"),
    ("ftrl", lambda: new.Ftrl(0.1, **FTRL), 1e-2, 2, "does not touch"),
    ("adamax", lambda: new.Adamax(0.02, epsilon=1e-8), 1e-4, 1, "does not touch"),
    ("lazy_adam", lambda: legacy.Adam(0.02, epsilon=1e-8), 1e-4, 1, None),
    ("nadam", lambda: legacy.Nadam(0.02, epsilon=1e-8), 1e-4, 1, "momentum schedule"),
    ("nadam", lambda: new.Nadam(0.02, epsilon=1e-8), 1e-4, 1, "momentum schedule"),
]


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
