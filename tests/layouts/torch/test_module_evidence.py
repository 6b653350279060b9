"""What each variable is, and what says so; a shape alone never does."""

import pytest

from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from estimator_ckpt.layouts.torch import module_evidence
from estimator_ckpt.layouts.torch.module_decisions import Fact, Undecided


def decided(shapes, uses=None, attributes=None):
    facts = {
        name: Fact(shape, (attributes or {}).get(name))
        for name, shape in shapes.items()
    }
    found = module_evidence.decide(facts, uses or {})
    return {
        name: "?" if isinstance(said, Undecided) else said.word
        for name, said in found.items()
    }


@pytest.mark.parametrize(
    ("shapes", "word"),
    [
        ({"a/kernel": (6, 6), "a/bias": (6,)}, "dense"),
        ({"a/kernel": (6, 6)}, "dense"),
        ({"a/weights": (6, 4), "a/biases": (4,)}, "dense"),
        ({"a/weights": (6, 4), "a/BatchNorm/beta": (4,)}, "dense"),
        ({"a/w": (6, 4), "a/b": (4,)}, "dense"),
        ({"a/kernel:0": (6, 4), "a/bias:0": (4,)}, "dense"),
        ({"a/embeddings": (6, 6)}, "embedding"),
        ({"a/word_embeddings": (9, 6)}, "embedding"),
        ({"a/embedding_weights": (9, 6)}, "embedding"),
        ({"cls/output_weights": (2, 6)}, "embedding"),
        ({"c/kernel": (3, 4, 5), "c/bias": (5,)}, "conv"),
        ({"conv1d/kernel": (3, 4, 5)}, "conv"),
        ({"c/kernel": (3, 3, 4, 5)}, "conv"),
        ({"c/weights": (3, 3, 4, 5)}, "conv"),
        ({"c/kernel": (3, 3, 3, 4, 5), "c/bias": (5,)}, "conv"),
        ({"up/kernel": (3, 3, 5, 4), "up/bias": (5,)}, "conv"),
        ({"conv2d_transpose/kernel": (3, 3, 5, 1), "conv2d_transpose/bias": (5,)},
         "conv"),
        ({"a/depthwise_kernel": (3, 3, 4, 1)}, "depthwise"),
        ({"a/depthwise_weights": (3, 3, 4, 2)}, "depthwise"),
        ({"depthwise/kernel": (3, 3, 5, 1), "depthwise/bias": (5,)}, "depthwise"),
        ({"depthwise_conv2d/kernel": (3, 3, 5, 2)}, "depthwise"),  # of Keras 3
        ({"depthwise_conv2d/kernel": (3, 3, 5, 2), "depthwise_conv2d/bias": (10,)},
         "depthwise"),
        ({"x/depthwise_block/conv/kernel": (3, 3, 4, 5)}, "conv"),
        ({"conv2d_3/kernel": (3, 3, 6, 1)}, "conv"),
        ({"x/q/kernel": (6, 2, 3), "x/q/bias": (2, 3)}, "dense"),  # EinsumDense
        ({"x/q/bias": (2, 3), "x/q/kernel": (6, 2, 3)}, "flat"),
        ({"l/kernel": (3, 16), "l/recurrent_kernel": (4, 16), "l/bias": (16,)},
         "keras_lstm"),
        ({"g/kernel": (3, 12), "g/recurrent_kernel": (4, 12), "g/bias": (2, 12)},
         "keras_gru"),
        ({"r/kernel": (3, 4), "r/recurrent_kernel": (4, 4)}, "keras_rnn"),
        # What nothing decides.
        ({"a/weights": (6, 6)}, "?"),
        ({"table": (6, 6)}, "?"),
        ({"a/weight": (6, 6), "a/bias": (6,)}, "?"),  # [out, in] or [in, out]
        ({"x/query/kernel": (6, 2, 3)}, "?"),  # EinsumDense, of which inputs?
        ({"x/attention_output/kernel": (2, 3, 6), "x/attention_output/bias": (6,)},
         "?"),
        ({"einsum_dense/kernel": (2, 3, 6), "einsum_dense/bias": (6,)}, "?"),
        ({"x/kernel": (3, 3, 6, 1)}, "?"),  # Keras 3's depthwise, or one filter
        ({"up/kernel": (3, 3, 5, 1), "up/bias": (5,)}, "?"),  # depthwise in Keras 3
        ({"rnn/basic_lstm_cell/kernel": (7, 16), "rnn/basic_lstm_cell/bias": (16,)},
         "?"),
        ({"g/kernel": (3, 12), "g/recurrent_kernel": (4, 12), "g/bias": (12,)}, "?"),
        ({"g/kernel": (3, 12), "g/recurrent_kernel": (4, 12)}, "?"),
        ({"c/gru_cell/gates/kernel": (7, 8), "c/gru_cell/candidate/kernel": (7, 4)},
         "?"),
    ],
    ids=lambda value: str(next(iter(value.items()))) if type(value) is dict else value,
)  # fmt: skip
def test_names_and_siblings(shapes, word):
    assert decided(shapes)[next(iter(shapes))] == word


@pytest.mark.parametrize(
    ("use", "shape", "word"),
    [
        (GraphUse.MULTIPLIED, (6, 6), "dense"),
        (GraphUse.TRANSPOSED, (6, 6), "embedding"),
        (GraphUse.LOOKED_UP, (6, 6), "embedding"),
        (GraphUse.CONVOLVED, (3, 3, 5, 1), "conv"),
        (GraphUse.DECONVOLVED, (3, 3, 5, 1), "conv"),
        (GraphUse.DEPTHWISE, (3, 3, 5, 1), "depthwise"),
        (GraphUse.MULTIPLIED, (6, 6, 6), "?"),
    ],
)
def test_the_graph_comes_before_names(use, shape, word):
    assert decided({"x/v": shape}, {"x/v": frozenset({use})}) == {"x/v": word}


def test_a_table_that_is_also_multiplied_by_its_transpose_is_one():
    uses = frozenset({GraphUse.LOOKED_UP, GraphUse.TRANSPOSED})
    assert decided({"x/kernel": (9, 4)}, {"x/kernel": uses}) == {
        "x/kernel": "embedding"
    }


def test_a_matrix_that_goes_into_a_loop_is_a_cell_s():
    shapes = {"my/kernel": (7, 16), "my/bias": (16,)}
    uses = {"my/kernel": frozenset({GraphUse.LOOPED, GraphUse.MULTIPLIED})}
    assert set(decided(shapes, uses).values()) == {"?"}


@pytest.mark.parametrize(
    ("scope", "word"),
    [
        ("lstm", "?"),
        ("enc/lstm_fused_cell", "?"),  # as LSTMBlockFusedCell is called
        ("LSTM_1", "?"),
        ("my_gru_fw", "?"),
        ("lstm_output", "dense"),
        ("rnn/dense", "dense"),
    ],
)
def test_a_layer_that_is_called_recurrent_is_no_dense_one(scope, word):
    shapes = {f"{scope}/kernel": (7, 16), f"{scope}/bias": (16,)}
    assert decided(shapes)[f"{scope}/kernel"] == word


def test_gates_that_are_clipped_are_no_sigmoids():
    shapes = {"l/kernel": (3, 16), "l/recurrent_kernel": (4, 16), "l/bias": (16,)}
    facts = {name: Fact(shape) for name, shape in shapes.items()}
    uses = {"l/recurrent_kernel": frozenset({GraphUse.LOOPED, GraphUse.CLIPPED})}
    said = module_evidence.decide(facts, uses)["l/kernel"]
    assert "hard_sigmoid" in said.why
    assert said.rules.startswith("{keras_lstm: l, to: l} takes")


def test_a_bias_for_two_is_no_lstm_s():
    shapes = {"l/kernel": (3, 16), "l/recurrent_kernel": (4, 16), "l/bias": (32,)}
    assert set(decided(shapes).values()) == {"?"}  # of CuDNNLSTM


@pytest.mark.parametrize(
    ("beside", "why"),
    [("w_f_diag", "no peepholes"), ("forget/gamma", "does not normalize its gates")],
)
def test_what_no_lstm_of_pytorch_computes_has_no_rule(beside, why):
    facts = {name: Fact((4,)) for name in ("c/lstm_cell/bias", f"c/lstm_cell/{beside}")}
    facts["c/lstm_cell/kernel"] = Fact((7, 16))
    said = module_evidence.decide(facts, {})["c/lstm_cell/kernel"]
    assert why in said.why
    assert "{lstm" not in said.rules


def test_a_projection_is_asked_for_with_its_cell():
    facts = {
        "c/lstm_cell/kernel": Fact((5, 16)),
        "c/lstm_cell/projection/kernel": Fact((4, 2)),
    }
    uses = dict.fromkeys(facts, frozenset({GraphUse.LOOPED}))
    said = set(module_evidence.decide(facts, uses).values())
    assert len(said) == 1
    assert "projection: true" in said.pop().rules


def test_the_object_graph_s_name_counts_where_the_other_says_nothing():
    assert decided({"layer-1/v": (6, 4)}, attributes={"layer-1/v": "kernel"}) == {
        "layer-1/v": "dense"
    }


def test_the_cell_that_adds_no_forget_bias_needs_no_rule():
    at = "rnn/cudnn_compatible_lstm_cell"
    found = module_evidence.decide(
        {f"{at}/kernel": Fact((7, 16)), f"{at}/bias": Fact((16,))}, {}
    )
    assert found[f"{at}/kernel"].options == {"forget_bias": 0.0}
    assert found[f"{at}/kernel"].module == "rnn"


def test_a_cell_that_pytorch_has_not_says_why():
    found = module_evidence.decide(
        {"c/gates/kernel": Fact((7, 8)), "c/candidate/kernel": Fact((7, 4))}, {}
    )
    assert "before it: no weights make one of the other" in found["c/gates/kernel"].why


def test_an_attention_without_biases_is_known_by_its_parts():
    found = decided(
        {
            "mha/query/kernel": (6, 2, 3),
            "mha/key/kernel": (6, 2, 3),
            "mha/value/kernel": (6, 2, 3),
            "mha/attention_output/kernel": (2, 3, 6),
        }
    )
    assert set(found.values()) == {"dense"}


@pytest.mark.parametrize("end", ["", ":0"])
def test_a_depthwise_kernel_and_a_pointwise_one_are_two_modules(end):
    names = [f"s/{word}_kernel{end}" for word in ("depthwise", "pointwise")]
    found = module_evidence.decide({name: Fact((3, 3, 4, 2)) for name in names}, {})
    assert [found[name].ending for name in names] == [
        ("depthwise", "weight"),
        ("pointwise", "weight"),
    ]
