"""Layers that Keras lays out otherwise: the same outputs as in TensorFlow 1.15.5."""

import logging

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from tests.testdata_paths import PREFIXES, RECORDINGS

CELLS = PREFIXES["rnn-cells/model.ckpt"]


def lstm():
    return tf.keras.layers.LSTM(4, return_sequences=True, name="new")


def gru(reset_after):
    return tf.keras.layers.GRU(
        4, return_sequences=True, reset_after=reset_after, name="new"
    )


ROWS = [
    ("basic_lstm", "basic_lstm_cell", lstm, {"lstm": 1.0}),
    ("lstm", "lstm_cell", lstm, {"lstm": 0.5}),
    ("lstm_block", "lstm_cell", lstm, {"lstm": 1.0}),
    ("cudnn_lstm", "cudnn_compatible_lstm_cell", lstm, {"lstm": 0}),
    ("gru", "gru_cell", lambda: gru(False), {"gru": None}),
    ("gru_block", "gru_cell", lambda: gru(False), {"gru": None}),
    (
        "cudnn_gru",
        "cudnn_compatible_gru_cell",
        lambda: gru(True),
        {"cudnn_gru": None},
    ),
]


def model_of(layer):
    inputs = tf.keras.Input((5, 3))
    return tf.keras.Model(inputs, layer(inputs))


def rule_of(scope, cell, model, word):
    ((name, forget_bias),) = word.items()
    new = next(n for n in ec_names(model) if n.endswith("/recurrent_kernel"))
    rule = {name: f"{scope}/rnn/{cell}", "to": new.rpartition("/")[0]}
    return rule if forget_bias is None else {**rule, "forget_bias": forget_bias}


def ec_names(model):
    from estimator_ckpt.keras.objects import trackables

    return trackables.describe(model).variables


@pytest.mark.parametrize(("scope", "cell", "make", "word"), ROWS)
def test_a_recurrent_layer_gives_what_it_gave_in_tf1(scope, cell, make, word, tmp_path):
    model = model_of(make())
    rule = rule_of(scope, cell, model, word)
    prefix = ec.convert_for(model, CELLS, tmp_path / "ckpt", layouts=[rule])
    tf.train.Checkpoint(model).restore(prefix).assert_consumed()
    outputs = np.load(RECORDINGS / "rnn-cells" / "outputs.npz")
    np.testing.assert_allclose(
        model(outputs["inputs"]).numpy(), outputs[scope], atol=1e-6
    )


@pytest.mark.parametrize(("scope", "cell", "make", "word"), ROWS[:6])
def test_and_back(scope, cell, make, word, tmp_path):
    model = model_of(make())
    rule = rule_of(scope, cell, model, word)
    new = ec.convert_for(model, CELLS, tmp_path / "new", layouts=[rule])
    back = ec.convert_for(model, new, tmp_path / "back", to="tf1", layouts=[rule])
    old = ec.open_checkpoint(CELLS)
    with ec.open_checkpoint(back) as checkpoint:
        mine = {name for name in old if name.startswith(f"{scope}/")}
        assert set(checkpoint) == mine
        for name in mine:
            np.testing.assert_allclose(checkpoint.read(name), old.read(name), atol=1e-7)


def test_what_keras_has_no_layer_for_is_refused(tmp_path):
    model = model_of(lstm())
    rule = rule_of("peephole", "lstm_cell", model, {"lstm": 1.0})
    with pytest.raises(LayoutRuleError, match=r"w_f_diag.*has no peepholes"):
        ec.convert_for(model, CELLS, tmp_path / "ckpt", layouts=[rule])
    assert not list(tmp_path.iterdir())


def test_a_rule_that_goes_one_way_only(tmp_path):
    model = model_of(gru(True))
    rule = rule_of("cudnn_gru", "cudnn_compatible_gru_cell", model, {"cudnn_gru": None})
    new = ec.convert_for(model, CELLS, tmp_path / "new", layouts=[rule])
    with pytest.raises(LayoutRuleError, match="cannot be reversed"):
        ec.convert_for(model, new, tmp_path / "back", to="tf1", layouts=[rule])


class Net(tf.Module):
    """Variables of given names and shapes."""

    def __init__(self, **shapes):
        super().__init__("net")
        for name, shape in shapes.items():
            setattr(self, name, tf.Variable(tf.zeros(shape), name=name))


@pytest.fixture
def save(tmp_path):
    """Saves arrays as TF1 variables; returns the prefix."""

    def write(**arrays):
        tf1 = tf.compat.v1
        with tf.Graph().as_default(), tf1.Session() as session:
            for name, value in arrays.items():
                tf1.get_variable(name, initializer=np.asarray(value, np.float32))
            session.run(tf1.global_variables_initializer())
            return tf1.train.Saver().save(session, str(tmp_path / "old" / "model.ckpt"))

    return write


def numbers(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def there_and_back(net, old, tmp_path, rule):
    """The variables of a net after a conversion, and those of the way back."""
    new = ec.convert_for(net, old, tmp_path / "new", layouts=[rule])
    tf.train.Checkpoint(net).restore(new).assert_consumed()
    back = ec.convert_for(net, new, tmp_path / "back", to="tf1", layouts=[rule])
    with ec.open_checkpoint(back) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


class TestReordering:
    def test_transpose(self, save, tmp_path):
        net = Net(head=(4, 3))
        back = there_and_back(
            net,
            save(table=numbers(3, 4)),
            tmp_path,
            {"transpose": "table", "to": "head"},
        )
        np.testing.assert_array_equal(net.head, numbers(3, 4).T)
        np.testing.assert_array_equal(back["table"], numbers(3, 4))

    def test_reshape(self, save, tmp_path):
        net = Net(dense=(12, 5))
        rule = {"reshape": "conv", "to": "dense", "shape": [2, 2, 3, 5]}
        back = there_and_back(net, save(conv=numbers(2, 2, 3, 5)), tmp_path, rule)
        np.testing.assert_array_equal(net.dense, numbers(12, 5))
        assert back["conv"].shape == (2, 2, 3, 5)

    def test_mod(self, save, tmp_path):
        net = Net(table=(10, 2))
        rule = {"mod": "table", "to": "table", "parts": 4}
        old = numbers(10, 2)
        parts = np.concatenate([old[part::4] for part in range(4)])
        back = there_and_back(net, save(table=parts), tmp_path, rule)
        np.testing.assert_array_equal(net.table, old)
        np.testing.assert_array_equal(back["table"], parts)

    def test_fuse(self, save, tmp_path):
        net = Net(qkv=(3, 6))
        q, k, v = np.split(numbers(3, 6), 3, -1)
        rule = {"fuse": ["q", "k", "v"], "to": "qkv"}
        back = there_and_back(net, save(q=q, k=k, v=v), tmp_path, rule)
        np.testing.assert_array_equal(net.qkv, numbers(3, 6))
        np.testing.assert_array_equal(back["k"], k)

    def test_split_into_heads(self, save, tmp_path):
        net = Net(q=(6, 2, 4), k=(6, 2, 4), v=(6, 2, 4))
        rule = {"split": "qkv", "to": ["q", "k", "v"], "shape": [6, 24]}
        back = there_and_back(net, save(qkv=numbers(6, 24)), tmp_path, rule)
        np.testing.assert_array_equal(net.k, numbers(6, 24)[:, 8:16].reshape(6, 2, 4))
        np.testing.assert_array_equal(back["qkv"], numbers(6, 24))

    def test_heads_do_not_come_back_by_guessing(self, save, tmp_path):
        net = Net(q=(6, 2, 4), k=(6, 2, 4), v=(6, 2, 4))
        rule = {"split": "qkv", "to": ["q", "k", "v"]}
        with pytest.raises(LayoutRuleError, match=r"give the shape of the whole"):
            there_and_back(net, save(qkv=numbers(6, 24)), tmp_path, rule)


def attend(x, kernel, bias, out, heads):
    """Self-attention with fused projections, as GPT-2 has it (without a mask)."""
    q, k, v = (
        tf.transpose(tf.reshape(part, (*part.shape[:2], heads, -1)), (0, 2, 1, 3))
        for part in tf.split(x @ kernel + bias, 3, -1)
    )
    weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / q.shape[-1] ** 0.5)
    joined = tf.transpose(weights @ v, (0, 2, 1, 3))
    return tf.reshape(joined, x.shape) @ out


def test_fused_attention_in_a_multi_head_attention_of_keras(save, tmp_path):
    random = np.random.RandomState(1)
    x, kernel, bias, out = (
        random.normal(size=shape).astype(np.float32)
        for shape in ((2, 5, 8), (8, 24), (24,), (8, 8))
    )
    layer = tf.keras.layers.MultiHeadAttention(2, 4, name="mha")
    inputs = tf.keras.Input((5, 8))
    model = tf.keras.Model(inputs, layer(inputs, inputs))
    names = {n.rpartition("mha/")[2]: n for n in ec_names(model)}
    parts = ("query", "key", "value")
    prefix = ec.convert_for(
        model,
        save(kernel=kernel, bias=bias, out=out, out_bias=np.zeros(8)),
        tmp_path / "new",
        assignment_map={"out_bias": names["attention_output/bias"]},
        layouts=[
            {"split": "kernel", "to": [names[f"{p}/kernel"] for p in parts]},
            {"split": "bias", "to": [names[f"{p}/bias"] for p in parts]},
            {"reshape": "out", "to": names["attention_output/kernel"]},
        ],
    )
    tf.train.Checkpoint(model).restore(prefix).assert_consumed()
    np.testing.assert_allclose(
        model(x).numpy(), attend(x, kernel, bias, out, 2).numpy(), atol=1e-5
    )


def test_what_training_does_otherwise_is_said(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    model = model_of(gru(True))
    rule = rule_of("cudnn_gru", "cudnn_compatible_gru_cell", model, {"cudnn_gru": None})
    ec.convert_for(
        {"model": model, "optimizer": tf.keras.optimizers.SGD()},
        CELLS,
        tmp_path / "ckpt",
        layouts=[rule],
        iterations=0,
    )
    assert "trains two biases of each gate" in caplog.text


class TestBadRules:
    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ([{"to": "a"}], "layout rule 1: .* give one of lstm, gru"),
            ([{"transpose": "a"}], "and 'to'"),
            ([{"transpose": "a", "to": "b", "axis": 1}], "no option 'axis'"),
            ([{"split": "a", "to": "b"}], "must be a list of two names or more"),
            ([{"mod": "a", "to": "b"}], "of how many parts"),
            ({"transpose": "a", "to": "b"}, "layouts are a list of rules"),
            ([{"transpose": "nowhere", "to": "head"}], "source has no 'nowhere'"),
            ([{"transpose": "table", "to": "nowhere"}], "has no 'nowhere'; it has"),
            (
                [{"transpose": "table", "to": "head", "axes": [0, 1]}, {"reshape": 1}],
                "layout rule 2",
            ),
            ([{"split": "table", "to": ["head", "head"]}], "does not fit|become"),
            ([{"transpose": "table", "to": "head", "axes": "x"}], "rule 1, transpose"),
            ([{"mod": "table", "to": "head", "parts": 2.5}], "of how many parts"),
            ([{"transpose": ["table"], "to": "head"}], r"\['table'\] must be a name"),
            ([{"lstm": "a", "to": "b", "forget_bias": "x"}], "rule 1, lstm .*float"),
            ([{"lstm": "a", "to": "b", "forget_bias": 10**400}], "too large"),
            ([{"lstm": "a", "to": "b", "forget_bias": float("nan")}], "finite"),
            ([{"lstm": "", "to": "b"}], "must be a name"),
            ([{"transpose": "table", "to": "head", "axes": [10**30, 0]}], "axes"),
            ([{"transpose": "table", "to": "head", "axes": [0, 0]}], "in some order"),
            ([{"split": "table", "to": ["a", "b"], "axis": 10**30}], "is no axis"),
            ([{"split": "table", "to": ["a", "b"], "axis": 1.5}], "integer"),
            ([{"split": "table", "to": ["a"] * 10**6}], "at most 1000"),
            ([{"mod": "table", "to": "head", "parts": 10**12}], "of how many parts"),
            ([{"mod": "table", "to": "head", "parts": True}], "of how many parts"),
            ([{"reshape": "table", "to": "head", "shape": [10**30]}], "shape"),
            ([{"reshape": "table", "to": "head", "shape": [-1, 2]}], "0 or more"),
            ([{"reshape": "table", "to": "head", "shape": "xy"}], "list of sizes"),
            ([{"lstm": "a", "to": "b", "forget_bias": None}], "rule 1, lstm .*float"),
        ],
    )
    def test_each_says_which_and_what(self, rules, message, save, tmp_path):
        old = save(table=numbers(3, 5))
        with pytest.raises(LayoutRuleError, match=message):
            ec.convert_for(Net(head=(5, 3)), old, tmp_path / "new", layouts=rules)
        assert not list(tmp_path.glob("new*"))

    def test_a_file_that_is_no_yaml(self, save, tmp_path):
        (tmp_path / "rules.yaml").write_text("- {transpose: [")
        old = save(table=numbers(3, 5))
        with pytest.raises(LayoutRuleError, match=r"rules\.yaml:2: not YAML"):
            ec.convert_for(
                Net(head=(5, 3)), old, tmp_path / "new", layouts=tmp_path / "rules.yaml"
            )


def test_a_file_of_rules(save, tmp_path):
    (tmp_path / "rules.yaml").write_text("- {transpose: table, to: head}\n")
    net = Net(head=(5, 3))
    old = save(table=numbers(3, 5))
    new = ec.convert_for(net, old, tmp_path / "new", layouts=tmp_path / "rules.yaml")
    tf.train.Checkpoint(net).restore(new).assert_consumed()
    np.testing.assert_array_equal(net.head, numbers(3, 5).T)


def test_a_table_passes_through_memory_in_pieces(save, tmp_path, monkeypatch):
    from estimator_ckpt.keras import tensor_origins

    monkeypatch.setattr(tensor_origins, "_PIECE", 100)  # five rows
    old = numbers(103, 5)
    parts = np.concatenate([old[part::4] for part in range(4)])
    net = Net(table=(103, 5))
    rule = {"mod": "table", "to": "table", "parts": 4}
    back = there_and_back(net, save(table=parts), tmp_path, rule)
    np.testing.assert_array_equal(net.table, old)
    np.testing.assert_array_equal(back["table"], parts)
