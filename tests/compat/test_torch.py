"""PyTorch's modules load what is exported, and give what TensorFlow 1.15.5 gave."""

import os
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from tests.compat.environments import READERS, TORCH, run

pytestmark = pytest.mark.compat
MODULES = "tests.compat.torch_modules"
LSTM = {"forget_bias": 1.0}
STACKED = {"to": "stacked", "forget_bias": 0.5}
#: What no checkpoint says of these cells: how they stand together, and what is added.
RULES = [
    {"lstm": "basic/basic_lstm_cell", "to": "basic", **LSTM},
    {"lstm": "projected/lstm_cell", "to": "projected", "projection": True, **LSTM},
    {"lstm": "stacked/multi_rnn_cell/cell_0/lstm_cell", **STACKED},
    {"lstm": "stacked/multi_rnn_cell/cell_1/lstm_cell", "layer": 1, **STACKED},
    {"lstm": "both/fw/basic_lstm_cell", "to": "both", **LSTM},
    {"lstm": "both/bw/basic_lstm_cell", "to": "both", "reverse": True, **LSTM},
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """The layers' checkpoint, and what PyTorch wrote of its modules."""
    python = READERS["1.15.5"]
    if not python.exists() or not TORCH.exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 and with PyTorch")
    path = tmp_path_factory.mktemp("layers")
    run(python, "-m", f"{MODULES}.save_layers", path)
    export(path / "model.ckpt", path / "model.safetensors")
    print(run(TORCH, "-m", f"{MODULES}.load_modules", path))
    return path


def export(source, path):
    ec.convert(source, path, to="safetensors", layout="torch", layouts=RULES)


def read(prefix):
    with ec.open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


def model_of(prefix):
    """The model's variables of a checkpoint."""
    with ec.open_checkpoint(prefix) as checkpoint:
        wanted = ("trainable", "model")
        names = [n for n in checkpoint if checkpoint.roles.role(n) in wanted]
        return {name: checkpoint.read(name) for name in names}


def test_modules_give_what_layers_gave(directory):
    assert (directory / "written.safetensors").exists()  # load_modules held them


def test_the_way_back_is_to_the_bit(directory, tmp_path):
    new = ec.convert(
        directory / "model.safetensors", tmp_path / "m", to="dual", layout="torch"
    )
    found, expected = read(new), model_of(directory / "model.ckpt")
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert found[name].tobytes() == value.tobytes(), name


def test_without_the_graph_only_the_table_is_undecided(directory, tmp_path):
    """It is called `weights`, as slim calls kernels; the .meta says: looked up in."""
    for path in directory.glob("model.ckpt.*"):
        if path.suffix != ".meta":
            shutil.copy(path, tmp_path)
    with pytest.raises(LayoutRuleError, match="'embedding/weights'") as caught:
        export(tmp_path / "model.ckpt", tmp_path / "m.safetensors")
    assert str(caught.value).count("[") == 1
    assert not os.path.exists(tmp_path / "m.safetensors")


def test_what_pytorch_wrote_comes_back_with_rules(directory, tmp_path):
    path = directory / "written.safetensors"
    with pytest.raises(LayoutRuleError, match="say what these are"):
        ec.convert(path, tmp_path / "m", to="tf1", layout="torch")
    rules = [
        *RULES,
        {"conv": "conv2d/kernel", "to": "conv2d.weight"},
        {"depthwise": "depthwise.weight", "multiplier": 2},
        {"depthwise": "separable/depthwise_kernel", "to": "separable.depthwise.weight",
         "multiplier": 2},
        {"conv": "separable/pointwise_kernel", "to": "separable.pointwise.weight"},
        {"as_is": "separable/bias", "to": "separable.pointwise.bias"},
        {"dense": "square/weights", "to": "square.weight"},
        {"as_is": "square/biases", "to": "square.bias"},
        {"embedding": "embedding/weights", "to": "embedding.weight"},
        {"cudnn_gru": "cudnn_gru/cudnn_compatible_gru_cell", "to": "cudnn_gru"},
        {"keras_lstm": "keras_lstm", "to": "keras_lstm"},
        {"keras_gru": "keras_gru", "to": "keras_gru"},
        {"keras_rnn": "keras_rnn", "to": "keras_rnn"},
    ]  # fmt: skip
    new = ec.convert(path, tmp_path / "m", to="tf1", layout="torch", layouts=rules)
    found, expected = read(new), model_of(directory / "model.ckpt")
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
