"""Back to TF1: a Saver restores what Keras saved, and training goes on as in Keras.

Keras trains the trajectories' model, its checkpoint is converted back, and tf1's
optimizer and Keras's go on from it with the same batches. `tests/compat` does the same
with TensorFlow 1.15.5.
"""

import logging
import os
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.layouts import layer_rules
from tests.keras.keras_trajectory import OPTIMIZERS, layouts, model_of, schedule, train
from tests.testdata import trajectory, trajectory_graph
from tests.testdata_paths import PREFIXES

tf1 = tf.compat.v1
IS_KERAS_3 = hasattr(tf.keras, "ops")
legacy = None if IS_KERAS_3 else tf.keras.optimizers.legacy
new = tf.keras.optimizers
#: float32's noise after ten steps.
EXACT = 1e-5

#: What tf1 goes on from as Keras does, with any of its generations.
CASES = {
    case: OPTIMIZERS[case]
    for case in OPTIMIZERS
    if case not in {"adam_epsilon", "adamax_dense", "lazy_adam_dense"}
}
ROWS = [
    *((case, new, CASES[case]) for case in CASES),
    *((case, legacy, CASES[case]) for case in CASES if legacy),
    # Whose slot of the last update tf1 keeps, and Keras does not.
    ("rmsprop_dense", new, lambda m: m.RMSprop(0.01, epsilon=1e-3)),
    ("adagrad", new, lambda m: m.Adagrad(0.1, epsilon=1e-3)),  # compensated
]
if legacy:
    ROWS += [
        ("momentum", legacy, CASES["momentum_dense"]),
        ("nesterov", legacy, CASES["nesterov_dense"]),
        ("ftrl", legacy, CASES["ftrl_dense"]),
        ("adagrad", legacy, lambda m: m.Adagrad(0.1, epsilon=1e-20)),
    ]


def go_on(case, prefix, tmp_path):
    """What tf1 restores and then has: in this process, or in another TensorFlow."""
    python = os.environ.get("ESTIMATOR_CKPT_TF1_PYTHON")
    if not python:
        return trajectory_graph.go_on(case, prefix)
    result = tmp_path / "result.npz"
    script = pathlib.Path(__file__).parents[1] / "compat" / "go_on.py"
    command = [python, str(script), "1.15.5", case, prefix, str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    values = dict(np.load(result))
    step = int(values.pop("step"))
    names = {name: name.replace("%2F", "/") for name in values}
    return step, [
        {names[n]: v[i] for n, v in values.items()} for i in range(trajectory.MORE)
    ]


def back_map(case):
    """From Keras's names to TF1's, where they differ."""
    if case.endswith("_dense"):
        return {"embedding/kernel": "embedding/embeddings"}
    return None


def trained(case, optimizer, directory):
    """A model of a case after some steps, and the checkpoint that it saved."""
    tf.keras.utils.set_random_seed(1)
    model = model_of(case)
    for step in range(trajectory.STEPS):
        train(model, optimizer, step, summed=IS_KERAS_3)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    return model, checkpoint.save(str(directory / "ckpt"))


def in_tf1(model, case):
    """A model's values in the layout and under the names of TF1."""
    found = {n: v.value() for n, v in trackables.describe(model).variables.items()}
    for rule in layer_rules.rules_of(layouts(case)):
        arrays = [found.pop(name) for name in rule.targets]
        if rule.shift is not None:
            arrays = [array - rule.shift(array) for array in arrays]
        found.update(zip(rule.sources, rule.backward(arrays)))
    for name, old in (back_map(case) or {}).items():
        found[old] = found.pop(name)
    return found


def gone_on(model, optimizer, case):
    """What Keras has after each further step."""
    found = []
    for i in range(trajectory.MORE):
        train(model, optimizer, trajectory.STEPS + i, summed=IS_KERAS_3)
        found.append(in_tf1(model, case))
    return found


def deviation(there, here):
    """The largest deviation after any step, relative to the largest value."""
    scale = {name: max(np.abs(step[name]).max() for step in here) for name in here[0]}
    return max(
        np.abs(a[name] - b[name]).max() / scale[name]
        for a, b in zip(there, here)
        for name in b
    )


@pytest.mark.parametrize(
    ("case", "module", "make"),
    ROWS,
    ids=[f"{row[0]}-{row[1].__name__.split('.')[-1]}" for row in ROWS],
)
def test_tf1_goes_on_as_keras_does(case, module, make, tmp_path):
    optimizer = make(module)
    model, saved = trained(case, optimizer, tmp_path / "keras")
    back = ec.convert_for(
        {"model": model, "optimizer": optimizer},
        saved,
        tmp_path / "tf1" / "model.ckpt",
        to="tf1",
        assignment_map=back_map(case),
        layouts=layouts(case),
    )
    assert ec.open_checkpoint(back).format == "tf1"
    in_keras = gone_on(model, optimizer, case)
    step, in_tf1 = go_on(case, back, tmp_path)
    assert step == trajectory.STEPS
    assert deviation(in_tf1, in_keras) < EXACT


def test_a_live_object_with_other_values_reads_the_checkpoints_own(tmp_path):
    """The rate that Keras's momentum was multiplied with is in the checkpoint."""
    optimizer = new.SGD(0.02, 0.9)
    model, saved = trained("momentum_dense", optimizer, tmp_path / "keras")
    back = ec.convert_for(
        {"model": model, "optimizer": new.SGD(0.5, 0.9)},
        saved,
        tmp_path / "model.ckpt",
        to="tf1",
    )
    kept = ec.open_checkpoint(saved, names="path")
    slots = trackables.describe({"model": model, "o": optimizer}).optimizers[0].slots
    key = slots["accumulator"]["out/kernel"].key.replace("o/", "optimizer/", 1)
    (m,) = (kept.read(name) for name, info in kept.items() if info.key == key)
    a = ec.open_checkpoint(back).read("out/kernel/Momentum")
    np.testing.assert_allclose(a, -m / np.float32(0.02), rtol=1e-6)


def test_only_what_means_something_else_is_written(tmp_path):
    optimizer = new.Adam(0.02)
    model, saved = trained("adam", optimizer, tmp_path / "keras")
    trackable = {"model": model, "optimizer": optimizer}
    back = ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    data = [tmp_path / f"model.ckpt.data-0000{i}-of-00002" for i in (0, 1)]
    (old,) = (tmp_path / "keras").glob("*.data-*")
    assert data[0].samefile(old)
    assert data[1].stat().st_size == 4 + 4 + 8  # two powers and the step
    assert set(ec.open_checkpoint(back)) == {
        "beta1_power",
        "beta2_power",
        "global_step",
        *(
            f"{name}{slot}"
            for name in trackables.describe(model).variables
            for slot in (("", "/Adam", "/Adam_1") if "moving" not in name else ("",))
        ),
    }


def test_there_and_back_is_the_same(tmp_path):
    old = PREFIXES["trajectories/adam/model.ckpt-20"]
    trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
    there = ec.convert_for(trackable, old, tmp_path / "there")
    back = ec.convert_for(trackable, there, tmp_path / "back", to="tf1")
    assert not ec.diff(old, back)


def test_bert_and_back(tmp_path):
    old = PREFIXES["trajectories/bert/model.ckpt-20"]
    trackable = {"model": model_of("bert"), "optimizer": new.AdamW(0.002)}
    there = ec.convert_for(trackable, old, tmp_path / "there")
    back = ec.convert_for(trackable, there, tmp_path / "back", to="tf1")
    assert not ec.diff(old, back)


@pytest.mark.parametrize(
    ("make", "warning"),
    [
        (lambda: new.Adam(0.02), None),
        (lambda: new.AdamW(0.02, weight_decay=0.1), "which tf1's Adam does not"),
        (lambda: new.Nadam(0.02), "momentum schedule"),
        (lambda: new.SGD(0.02, 0.9), "does not touch"),
        (lambda: new.SGD(schedule(0.02), 0.9), "under a schedule"),
    ],
)
def test_what_tf1_does_otherwise_is_said(make, warning, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    trackable = {"model": model_of("adam"), "optimizer": make()}
    trackables.describe(trackable)  # builds the optimizer
    saved = tf.train.Checkpoint(**trackable).write(str(tmp_path / "keras"))
    ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    said = [r.getMessage() for r in caplog.records if r.name == "estimator_ckpt"]
    if not IS_KERAS_3:  # which warns of embeddings every time
        assert len(said) == (warning is not None) or "under a schedule" in warning
    assert warning is None or warning in caplog.text


class TestBadInput:
    def test_a_checkpoint_of_another_object(self, tmp_path):
        optimizer = new.Adam(0.02)
        _, saved = trained("adam", optimizer, tmp_path / "keras")
        other = tf.keras.Sequential([tf.keras.layers.Dense(2)])
        other.build((None, 3))
        with pytest.raises(
            ec.CheckpointError, match=r"not written by .* no key 'other"
        ):
            ec.convert_for({"other": other}, saved, tmp_path / "back", to="tf1")
        assert not list(tmp_path.glob("back*"))

    def test_a_step_that_it_did_not_save(self, tmp_path):
        optimizer = new.Adam(0.02)
        model, saved = trained("adam", optimizer, tmp_path / "keras")
        step = tf.Variable(0, dtype=tf.int64)
        trackable = {"model": model, "optimizer": optimizer, "step": step}
        with pytest.raises(ec.CheckpointError, match="no key 'step/"):
            ec.convert_for(trackable, saved, tmp_path / "back", to="tf1")

    def test_another_optimizer_than_the_one_that_saved(self, tmp_path):
        model, saved = trained("adam", new.Adam(0.02), tmp_path / "keras")
        trackable = {"model": model, "optimizer": new.Ftrl(0.02)}
        with pytest.raises(
            ec.CheckpointError, match=r"is 'm.*' there, not 'accumulator'"
        ):
            ec.convert_for(trackable, saved, tmp_path / "back", to="tf1")

    def test_what_tf1_has_no_slot_for(self, tmp_path):
        optimizer = new.Adam(0.02, amsgrad=True)
        model, saved = trained("adam", optimizer, tmp_path / "keras")
        trackable = {"model": model, "optimizer": optimizer}
        with pytest.raises(ec.CheckpointError, match=r"keeps vhat, which Adam of tf1"):
            ec.convert_for(trackable, saved, tmp_path / "back", to="tf1")
        back = ec.convert_for(
            trackable, saved, tmp_path / "back", to="tf1", optimizer_state=False
        )
        assert "out/kernel" in ec.open_checkpoint(back)
        assert "out/kernel/Adam" not in ec.open_checkpoint(back)


def test_a_table_is_left_out_and_said(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    trackable = {"v": tf.Variable(1.0, name="v"), "table": table}
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
    back = ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    assert set(ec.open_checkpoint(back)) == {"v"}
    assert "the table 'table" in caplog.text


def test_a_second_optimizer_has_powers_of_its_own(tmp_path):
    models = [tf.keras.Sequential(name=name) for name in ("d", "g")]
    optimizers = [new.Adam(0.1, epsilon=1e-8), new.Adam(0.1, epsilon=1e-8)]
    for count, (model, optimizer) in enumerate(zip(models, optimizers), 1):
        model.add(tf.keras.layers.Dense(2, name=f"{model.name}_dense"))
        model.build((None, 3))
        optimizer.build(model.trainable_variables)
        for _ in range(count):
            gradients = [tf.ones_like(v) for v in model.trainable_variables]
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    trackable = dict(zip(("d", "g", "d_optimizer", "g_optimizer"), models + optimizers))
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "gan"))
    with pytest.raises(
        ec.CheckpointError,
        match=r"d_optimizer 1, g_optimizer 2.*say which is which.*"
        r"\{'d_optimizer/beta1_power': 'beta1_power'",
    ):
        ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    assert not list(tmp_path.glob("model*"))
    generator_first = {
        f"{name}_optimizer/beta{k}_power": f"beta{k}_power{number}"
        for name, number in (("g", ""), ("d", "_1"))
        for k in (1, 2)
    }
    back = ec.convert_for(
        trackable,
        saved,
        tmp_path / "model.ckpt",
        to="tf1",
        assignment_map=generator_first,
    )
    checkpoint = ec.open_checkpoint(back)
    assert checkpoint.read("beta1_power") == pytest.approx(0.9**3)
    assert checkpoint.read("beta1_power_1") == pytest.approx(0.9**2)
    assert checkpoint.read("beta2_power_1") == pytest.approx(0.999**2)
    assert checkpoint.global_step == 2
    with pytest.raises(ec.CheckpointError, match=r"of different steps \(1, 2\)"):
        ec.convert_for(trackable, back, tmp_path / "again")
    again = ec.convert_for(
        trackable,
        back,
        tmp_path / "again",
        iterations={"d_optimizer": 1, "g_optimizer": 2},
    )
    for optimizer in optimizers:
        optimizer.iterations.assign(0)
    tf.train.Checkpoint(**trackable).restore(again).assert_consumed()
    assert [int(optimizer.iterations) for optimizer in optimizers] == [1, 2]


def test_optimizers_of_the_same_steps_need_no_word_on_their_powers(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, name=n) for n in "ab"])
    model.build((None, 3))
    optimizers = [new.Adam(0.1), new.Adam(0.2)]
    for layer, optimizer in zip(model.layers, optimizers):
        variables = layer.trainable_variables
        optimizer.build(variables)
        optimizer.apply_gradients(zip(map(tf.ones_like, variables), variables))
    trackable = {"model": model, "first": optimizers[0], "second": optimizers[1]}
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
    back = ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    checkpoint = ec.open_checkpoint(back)
    for name in ("beta1_power", "beta1_power_1"):
        assert checkpoint.read(name) == pytest.approx(0.9**2)
    assert checkpoint.global_step == 1


def test_two_optimizers_of_one_variable_are_refused(tmp_path):
    """tf1 would call the slots of the second Adam_2 and Adam_3, or of the first."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, name="a")])
    model.build((None, 3))
    trackable = {"model": model, "first": new.Adam(0.1), "second": new.Adam(0.2)}
    for name in ("first", "second"):
        trackable[name].build(model.trainable_variables)
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
    with pytest.raises(
        ec.CheckpointError, match=r"both train one variable: 'a/kernel/Ad"
    ):
        ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")


def test_a_variable_of_strings_goes_there_and_back(tmp_path):
    words = tf.Variable(["a", "bcd"], name="words")
    module = {"words": words, "w": tf.Variable([1.0], name="w")}
    saved = tf.train.Checkpoint(**module).save(str(tmp_path / "saved"))
    back = ec.convert_for(module, saved, tmp_path / "model.ckpt", to="tf1")
    assert list(ec.open_checkpoint(back).read("words")) == [b"a", b"bcd"]
    planned = ec.plan_for(module, saved, to="tf1")
    assert {row[2]: row[3] for row in planned.rows()}["w"] == 4
    words.assign(["", ""])
    there = ec.convert_for(module, back, tmp_path / "there")
    tf.train.Checkpoint(**module).restore(there).assert_consumed()
    assert list(words.numpy()) == [b"a", b"bcd"]
    only = ec.convert(back, tmp_path / "only", to="tf1", include="w$")
    kept = ec.convert_for(module, only, tmp_path / "kept", strict=False)
    words.assign(["", ""])
    tf.train.Checkpoint(**module).restore(kept).assert_consumed()
    assert list(words.numpy()) == [b"a", b"bcd"]


def test_maps_apply_to_the_names_of_slots_too(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    optimizer = new.Adam(0.02)
    model, saved = trained("adam", optimizer, tmp_path / "keras")
    back = ec.convert_for(
        {"model": model, "optimizer": optimizer},
        saved,
        tmp_path / "model.ckpt",
        to="tf1",
        assignment_map={"out/": "head/"},
    )
    assert "head/kernel/Adam_1" in ec.open_checkpoint(back)
