"""What Keras 2 and tf.train.Checkpoint saved, as PyTorch's tensors, and back."""

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.contents import AmbiguousNameError

LAYERS = tf.keras.layers


def series_model():
    inputs = tf.keras.Input((6, 5))
    x = LAYERS.MultiHeadAttention(2, 3, name="mha")(inputs, inputs)
    x = LAYERS.Conv1D(4, 3, name="conv1d")(x)
    x = LAYERS.Bidirectional(LAYERS.LSTM(3), name="both")(x)
    model = tf.keras.Model(inputs, LAYERS.Dense(2, name="dense")(x))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 6, 5)), np.ones((4, 2)), verbose=0)
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One compiled model, in each way in which people save one."""
    model, path = series_model(), tmp_path_factory.mktemp("keras")
    model.save_weights(path / "weights" / "ckpt")
    model.save(path / "whole", save_format="tf")
    objects = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    objects.write(str(path / "objects" / "ckpt"))
    return {
        "save_weights": path / "weights" / "ckpt",
        "SavedModel": path / "whole",
        "tf.train.Checkpoint": path / "objects" / "ckpt",
    }, {weight.name[: -len(":0")]: weight.numpy() for weight in model.weights}


@pytest.mark.parametrize("way", ["save_weights", "SavedModel", "tf.train.Checkpoint"])
def test_a_compiled_model_goes_out_and_comes_back(tmp_path, saved, way, caplog):
    sources, weights = saved
    path = tmp_path / "m.safetensors"
    ec.convert(sources[way], path, to="safetensors", layout="torch")
    with ec.open_checkpoint(path) as found:
        assert not any("Adam" in name or "total" in name for name in found)
        kernel = weights["mha/query/kernel"]  # [in, heads, size]
        np.testing.assert_array_equal(
            found.read("mha.query.weight"), kernel.reshape(5, 6).T
        )
        np.testing.assert_array_equal(
            found.read("mha.query.bias"), weights["mha/query/bias"].reshape(-1)
        )
        kernel = weights["mha/attention_output/kernel"]  # [heads, size, out]
        np.testing.assert_array_equal(
            found.read("mha.attention_output.weight"), kernel.reshape(6, 5).T
        )
        np.testing.assert_array_equal(
            found.read("conv1d.weight"), weights["conv1d/kernel"].transpose(2, 1, 0)
        )
        np.testing.assert_array_equal(
            found.read("both.backward_lstm.weight_ih_l0"),
            weights["both/backward_lstm/lstm_cell/kernel"].T,
        )
    back = ec.convert(path, tmp_path / "back", to="tf1", layout="torch")
    with ec.open_checkpoint(back) as found:
        assert set(found) == set(weights)
        for name, value in weights.items():
            assert found.read(name).shape == value.shape
            assert found.read(name).tobytes() == value.tobytes(), name
    if way == "SavedModel":
        assert "metric (carry, --carry, says what is taken)" in caplog.text


def test_names_that_two_weights_share_are_refused(tmp_path):
    layers = [LAYERS.Dense(2, name="same") for _ in range(2)]
    for layer in layers:
        layer.build((None, 3))
    tf.train.Checkpoint(a=layers[0], b=layers[1]).write(str(tmp_path / "ckpt"))
    options = {"to": "safetensors", "layout": "torch"}
    with pytest.raises(AmbiguousNameError, match="share a full name"):
        ec.convert(tmp_path / "ckpt", tmp_path / "m.safetensors", **options)
    path = ec.convert(
        tmp_path / "ckpt", tmp_path / "m.safetensors", names="path", **options
    )
    with ec.open_checkpoint(path) as found:
        assert set(found) == {"a.weight", "a.bias", "b.weight", "b.bias"}
