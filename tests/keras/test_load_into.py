"""A checkpoint into a live object, in place."""

import logging

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint.weight_files import safetensors_writer
from estimator_ckpt.checkpoint.weight_files.safetensors_writer import TensorToWrite
from estimator_ckpt.keras.objects import trackables
from tests.keras.keras_trajectory import model_of
from tests.testdata import trajectory
from tests.testdata_paths import PREFIXES, TESTDATA, session_values

IS_KERAS_3 = hasattr(tf.keras, "ops")
new = tf.keras.optimizers
ADAM = PREFIXES["trajectories/adam/model.ckpt-20"]
VALUES = session_values("trajectories/adam/model.ckpt-20")


def compiled():
    model = model_of("adam")
    model.compile(new.Adam(0.02, epsilon=1e-8), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def everything(trackable):
    """The values of all variables of an object, by key."""
    found = trackables.describe(trackable, save_counter=False)
    return {variable.key: np.array(variable.value()) for variable in found.every}


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        np.testing.assert_array_equal(found[key], value)


def test_it_does_what_convert_for_and_a_restore_do(tmp_path):
    model, other = compiled(), compiled()
    plan = ec.load_into(model, ADAM)
    prefix = ec.convert_for(other, ADAM, tmp_path / "new")
    tf.train.Checkpoint(other).restore(prefix).assert_consumed()
    assert_same(everything(model), everything(other))
    assert int(model.optimizer.iterations) == 20
    np.testing.assert_array_equal(model.get_layer("out").kernel, VALUES["out/kernel"])
    rows = {row[2]: row for row in plan.rows()}
    assert rows["out/kernel"][:2] == ("carried", "out/kernel")


def test_a_dict_with_a_step(tmp_path):
    step = tf.Variable(0, dtype=tf.int64)
    optimizer = new.Adam(0.02)
    ec.load_into({"model": model_of("adam"), "o": optimizer, "step": step}, ADAM)
    assert int(step) == int(optimizer.iterations) == 20


def test_what_is_computed_is_assigned_too():
    source = PREFIXES["trajectories/momentum_dense/model.ckpt-20"]
    slots = session_values("trajectories/momentum_dense/model.ckpt-20")
    optimizer = new.SGD(0.5, 0.9)
    trackable = {"model": model_of("momentum_dense"), "optimizer": optimizer}
    names = {"embedding/embeddings": "embedding/kernel"}
    ec.load_into(trackable, source, assignment_map=names)
    (described,) = trackables.describe(trackable).optimizers
    m = described.slots["accumulator"]["out/kernel"].value()
    np.testing.assert_allclose(m, -0.5 * slots["out/kernel/Momentum"], rtol=1e-6)


def test_an_object_that_does_not_fit_is_left_as_it_was(tmp_path):
    model = compiled()
    before = everything(model)
    with pytest.raises(ec.CheckpointError, match="does not fit the model"):
        ec.load_into(model, PREFIXES["digits/model.ckpt-300"])
    source = ec.convert(ADAM, tmp_path / "old", to="tf1", data="copy")
    (shard,) = tmp_path.glob("old.data-*")
    with open(shard, "r+b") as file:
        file.seek(ec.open_checkpoint(source)["out/kernel/Adam_1"].offset)
        file.write(b"\xff\xff\xff\xff")
    with pytest.raises(ec.CheckpointError, match="is damaged"):
        ec.load_into(model, source)
    assert_same(everything(model), before)


def test_what_is_missing_keeps_its_value_where_that_is_asked_for(caplog):
    caplog.set_level(logging.WARNING)
    model = tf.keras.Sequential(
        [tf.keras.layers.Dense(1, name="out"), tf.keras.layers.Dense(2, name="more")]
    )
    model.build((None, trajectory.UNITS))
    before = np.array(model.get_layer("more").kernel)
    ec.load_into(model, ADAM, strict=False)
    np.testing.assert_array_equal(model.get_layer("more").kernel, before)
    np.testing.assert_array_equal(model.get_layer("out").kernel, VALUES["out/kernel"])
    assert "more/kernel: no such variable; it keeps its own value" in caplog.text


def test_a_model_is_built_with_an_input_shape():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
    ec.load_into(model, ADAM, input_shape=(None, trajectory.UNITS))
    np.testing.assert_array_equal(model.weights[0], VALUES["out/kernel"])


def rebuilt(optimizer):
    """The model of `tests/testdata/roles/tensorflow-2.15.1`, in the Keras at hand."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Dense(2, name="dense"),
            layers.BatchNormalization(name="batch_normalization"),
            layers.Dense(1, name="dense_1"),
        ]
    )
    model.build((None, 3))
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize(
    "kept", ["weights_only", "compiled_new", "new_adam", "saved_model_new"]
)
def test_what_keras_2_saved(kept):
    """`save_weights`, a compiled model's, a Checkpoint's, a SavedModel's bundle."""
    source = TESTDATA / "roles/tensorflow-2.15.1" / kept / "model.ckpt"
    model = rebuilt(new.SGD(0.01) if kept == "weights_only" else new.Adam(0.01))
    ec.load_into(model, source)
    found = trackables.describe(model, save_counter=False)
    with ec.open_checkpoint(source) as checkpoint:
        for name, held in found.variables.items():
            np.testing.assert_array_equal(held.value(), checkpoint.read(name), name)
        (steps,) = (int(checkpoint.read(n)) for n in checkpoint if n == "iteration")
    assert int(model.optimizer.iterations) == steps > 0


@pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 writes no SavedModel of this sort")
@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_saved_model_dir_gives_the_same_outputs(is_compiled, tmp_path):
    x = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    model = rebuilt(new.Adam(0.01))
    model.fit(x, x[:, :1], verbose=0)
    if not is_compiled:
        model = tf.keras.Sequential(model.layers)
        model(x)
    model.save(tmp_path / "saved", save_format="tf")
    other = rebuilt(new.Adam(0.01))
    ec.load_into(other, tmp_path / "saved", optimizer_state=is_compiled)
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)
    assert int(other.optimizer.iterations) == is_compiled


def a_frozen_graph(values):
    """A graph of variables of these values, frozen."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        made = [v1.get_variable(n, initializer=value) for n, value in values.items()]
        tf.concat([tf.reshape(variable, [-1]) for variable in made], 0, name="all")
        session.run(v1.global_variables_initializer())
        return v1.graph_util.convert_variables_to_constants(
            session, session.graph_def, ["all"]
        )


KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2)
BIAS = np.array([5, 7], np.float32)


def one_layer():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, name="out")])
    model.build((None, 3))
    return model


@pytest.mark.parametrize("sort", ["frozen", "safetensors"])
def test_files_without_checksums_are_sources_too(sort, tmp_path):
    source, options = tmp_path / "frozen.pb", {}
    if sort == "frozen":
        graph = a_frozen_graph({"out/kernel": KERNEL, "out/bias": BIAS})
        source.write_bytes(graph.SerializeToString())
    else:
        source = tmp_path / "turned.safetensors"
        tensors = {"out.weight": KERNEL.T, "out.bias": BIAS}
        written = {
            name: TensorToWrite(
                dtypes.named("float32"), value.shape, lambda v=value: [v.tobytes()]
            )
            for name, value in tensors.items()
        }
        safetensors_writer.write(source, written, {})
        rule = {"transpose": "out.weight", "to": "out/kernel", "axes": [1, 0]}
        options = {"layouts": [rule], "assignment_map": {"out.bias": "out/bias"}}
    model, other = one_layer(), one_layer()
    ec.load_into(model, source, **options)
    weights = ec.convert_for(other, source, tmp_path / "n.weights.h5", **options)
    other.load_weights(weights)
    for loaded in (model, other):
        np.testing.assert_array_equal(loaded.weights[0], KERNEL)
        np.testing.assert_array_equal(loaded.weights[1], BIAS)


def test_a_damaged_frozen_graph_leaves_the_object_as_it_was(tmp_path):
    graph = a_frozen_graph({"out/kernel": KERNEL, "out/bias": BIAS})
    (kernel,) = [node for node in graph.node if node.name == "out/kernel"]
    kernel.attr["value"].tensor.tensor_content = b"\0" * 7
    source = tmp_path / "frozen.pb"
    source.write_bytes(graph.SerializeToString())
    model = one_layer()
    before = everything(model)
    with pytest.raises(ec.CheckpointError, match="7 bytes for 6 elements"):
        ec.load_into(model, source)
    assert_same(everything(model), before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: new.RMSprop(0.01),
        lambda: new.RMSprop(0.01, momentum=0.5),
        lambda: new.RMSprop(0.01, momentum=0.5, centered=True),
        lambda: new.Adam(0.01, amsgrad=True),
        lambda: new.Nadam(0.01),
        lambda: new.SGD(0.01, 0.9),
        lambda: new.Adadelta(0.01),
        lambda: new.Ftrl(0.01),
    ],
    ids=["rms", "rms-m", "rms-c", "amsgrad", "nadam", "sgd", "adadelta", "ftrl"],
)
def test_an_optimizer_goes_on_from_its_own_kind(make, tmp_path):
    """RMSprop has lists of the names of Adam's, with other things in them."""
    x = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    model = rebuilt(make())
    model.fit(x, x[:, :1], verbose=0, epochs=2)
    source = tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(
        str(tmp_path / "ckpt")
    )
    other = rebuilt(make())
    ec.load_into(other, source)
    mine, theirs = (
        trackables.describe(m, save_counter=False).optimizers[0] for m in (model, other)
    )
    assert mine.slots
    assert mine.slots.keys() == theirs.slots.keys()
    for slot, by_owner in mine.slots.items():
        values = [np.array(held.value()) for held in by_owner.values()]
        assert any(value.any() for value in values), slot
        for value, held in zip(values, theirs.slots[slot].values()):
            np.testing.assert_array_equal(value, held.value(), slot)
    assert int(other.optimizer.iterations) == 2
