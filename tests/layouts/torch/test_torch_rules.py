"""What PyTorch's modules are given, number by number, and what leads back."""

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch import axis_orders, permutations, torch_rules


class Memory(io.BytesIO):
    """A scratch file in memory."""

    def __init__(self, needed):
        super().__init__()
        self.needed = needed

    def read(self, offset, size):
        self.seek(offset)
        found = super().read(size)
        assert len(found) == size
        return found


def numbered(*shape, dtype=np.float32):
    return np.arange(math.prod(shape), dtype=dtype).reshape(shape)


def test_a_dense_kernel_is_transposed():
    kernel = numbered(2, 3)
    assert axis_orders.dense((2, 3))(kernel).tolist() == [
        [0, 3],
        [1, 4],
        [2, 5],
    ]
    wide = axis_orders.dense((1, 2, 3))
    assert wide(kernel.reshape(1, 2, 3)).tolist() == [[0, 3], [1, 4], [2, 5]]
    back = axis_orders.dense_back((3, 2), variable=(1, 2, 3))
    assert back(kernel.T.copy()).tolist() == [kernel.tolist()]


def test_heads_are_one_axis():
    kernel = numbered(3, 2, 2)  # in, heads, size
    weight = axis_orders.dense(kernel.shape, inputs=1)(kernel)
    np.testing.assert_array_equal(weight, kernel.reshape(3, 4).T)
    back = axis_orders.dense_back(weight.shape, inputs=1, variable=kernel.shape)
    np.testing.assert_array_equal(back(weight), kernel)
    out = axis_orders.dense((2, 2, 3), inputs=2)
    np.testing.assert_array_equal(out(kernel), kernel.reshape(4, 3).T)
    assert axis_orders.flat((2, 3)).made == (6,)
    assert axis_orders.flat_back((6,), variable=(2, 3)).made == (2, 3)
    with pytest.raises(ValueError, match="cannot have been"):
        axis_orders.flat_back((6,), variable=(2, 2))


def test_a_depthwise_kernel_has_a_row_for_each_channel_it_gives():
    kernel = numbered(2, 1, 3, 2)  # height, width, channels, multiplier
    weight = axis_orders.depthwise(kernel.shape)(kernel)
    assert weight.shape == (6, 1, 2, 1)
    for channel in range(3):
        for m in range(2):
            np.testing.assert_array_equal(
                weight[channel * 2 + m, 0], kernel[:, :, channel, m]
            )
    back = axis_orders.depthwise_back(weight.shape, multiplier=2)
    np.testing.assert_array_equal(back(weight), kernel)


@pytest.mark.parametrize("axes", [2, 3, 4, 5])
def test_a_convolution_s_last_axes_come_first(axes):
    kernel = numbered(*range(2, 2 + axes))
    weight = axis_orders.conv(kernel.shape)(kernel)
    places = tuple(range(axes - 2))
    expected = kernel.transpose(axes - 1, axes - 2, *places)
    np.testing.assert_array_equal(weight, expected)
    np.testing.assert_array_equal(axis_orders.conv_back(weight.shape)(weight), kernel)


SHAPES = st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple)


@given(SHAPES, st.integers(1, 40), st.sampled_from([16, 64, 400]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_piece_by_piece_it_is_the_same(shape, cut, held, is_back):
    """With limits so small that blocks, bands and rows are cut everywhere."""
    make = axis_orders.conv_back if is_back else axis_orders.conv
    permutation = make(shape)
    array = numbered(*shape)
    flat = array.reshape(-1)
    pieces = (flat[i : i + cut] for i in range(0, len(flat), cut))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permutations, "_MOST_WHOLE", 8)
        patch.setattr(permutations, "_MOST_HELD", held)
        patch.setattr(permutations, "_MOST_GIVEN", 12)
        given = list(permutation.pieces(pieces, array.dtype, Memory))
    assert all(piece.ndim == 1 and piece.nbytes <= 12 for piece in given)
    found = np.concatenate(given).reshape(permutation.made)
    np.testing.assert_array_equal(found, permutation(array))


CELLS = {
    "lstm": {"kernel": (7, 16), "bias": (16,)},
    "keras_lstm": {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)},
    "keras_gru": {"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (2, 12)},
    "keras_rnn": {"kernel": (3, 4), "recurrent_kernel": (4, 4), "bias": (4,)},
    "cudnn_gru": {
        "gates/kernel": (7, 8),
        "candidate/input_projection/kernel": (3, 4),
        "candidate/hidden_projection/kernel": (4, 4),
        "gates/bias": (8,),
        "candidate/input_projection/bias": (4,),
        "candidate/hidden_projection/bias": (4,),
    },
}
OPTIONS = {"lstm": {"forget_bias": 1.0}}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("word", CELLS)
def test_cells_come_back_to_the_bit(word, dtype):
    random = np.random.RandomState(3)
    values = {
        f"old/{name}": random.standard_normal(shape).astype(dtype)
        for name, shape in CELLS[word].items()
    }
    for value in values.values():
        value.reshape(-1)[:3] = [-0.0, 0.0, 1e-7]
    rule = torch_rules.rule_of({word: "old", "to": "new", **OPTIONS.get(word, {})}, "r")
    assert sorted(rule.sources) == sorted(values)
    assert {name.split(".")[1] for name in rule.targets} == {
        f"{what}_{of}_l0" for what in ("weight", "bias") for of in ("ih", "hh")
    }
    for part in rule.parts:
        given = [values[name] for name in part.sources]
        made = part.forward(given)
        shapes = [array.shape for array in made]
        assert part.made([array.shape for array in given]) == shapes
        assert [u.shape for u in part.uses_back(shapes)] == [a.shape for a in given]
        for name, back in zip(part.sources, part.backward(made)):
            assert back.dtype == dtype
            assert back.tobytes() == values[name].tobytes(), name


@pytest.mark.parametrize(
    ("word", "shape", "why"),
    [
        ("keras_gru", (12,), "applies the reset gate after the matrix product"),
        ("keras_lstm", (2, 16), "its bias has one axis"),
    ],
)
def test_a_bias_of_another_cell_is_refused(word, shape, why):
    part = torch_rules.rule_of({word: "old", "to": "new"}, "r").parts[-1]
    with pytest.raises(LayoutRuleError, match=why):
        part.made([shape])


def test_the_forget_bias_stands_alone_and_comes_off_what_was_trained():
    rule = torch_rules.rule_of({"lstm": "a", "to": "b", "forget_bias": 1.0}, "r")
    bias = rule.parts[1]
    made = bias.forward([np.array([1, 2, 3, 4], np.float32)])  # i j f o
    assert made[0].tolist() == [1, 3, 2, 4]  # i f g o
    assert made[1].tolist() == [0, 1, 0, 0]
    trained = [made[0], np.array([0.5, 1.25, 0, 0], np.float32)]
    assert bias.backward(trained)[0].tolist() == [1.5, 2, 3.25, 4]


def test_an_lstm_with_a_projection():
    fields = {"lstm": "a", "to": "m", "forget_bias": 0.0, "projection": True}
    rule = torch_rules.rule_of({**fields, "layer": 1, "reverse": True}, "r")
    kernel, projection = numbered(5, 16), numbered(4, 2)
    ih, hh, hr = rule.parts[0].forward([kernel, projection])
    assert (ih.shape, hh.shape, hr.shape) == ((16, 3), (16, 2), (2, 4))
    assert rule.parts[0].targets[2] == "m.weight_hr_l1_reverse"
    back = rule.parts[0].backward([ih, hh, hr])
    np.testing.assert_array_equal(back[0], kernel)
    np.testing.assert_array_equal(back[1], projection)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([{"dense": "a", "to": "b", "axis": 1}], "dense has no option 'axis'"),
        ([{"lstm": "a", "to": "b"}], "say which forget_bias the cell has"),
        ([{"lstm": "a", "forget_bias": 1.0}], "does not say what it gives: 'to'"),
        ([{"gru": "a", "to": "b"}], "before it: no weights make one of the other"),
        ([{"dense": "a*", "to": "b"}], "a name with [*] is for rules of one tensor"),
        ([{"depthwise": "a", "to": "b", "multiplier": 0}], "0 is no depth multiplier"),
        ([{"keras_lstm": "a", "to": "b", "layer": -1}], "-1 is no number of a layer"),
        ([{"dense": "a", "conv": "a"}], "is none: give one of dense, flat, matrix"),
        ([{"dense": 3}], "3 must be a name"),
        ([3], "3 is none: give one of"),
        ("nothing.yaml", "nothing.yaml"),
        ({"dense": "a"}, "layouts are a list of rules"),
    ],
    ids=str,
)
def test_what_is_no_rule_is_one_line(given, reason):
    with pytest.raises(Exception, match=reason) as caught:
        torch_rules.requests_of(given)
    assert isinstance(caught.value, ValueError) or "nothing.yaml" in reason
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "shape"),
    [("dense", (3,)), ("dense", (2, 2, 2)), ("conv", (3,)), ("depthwise", (2, 2))],
)
def test_what_does_not_fit_is_refused(word, shape):
    rule = torch_rules.rule_of({word: "a", "to": "b"}, "rule 1")
    with pytest.raises(LayoutRuleError, match=r"rule 1, .* 'a' to 'b': a "):
        rule.permutation(rule.parts[0], shape, is_back=False)


@pytest.mark.parametrize("word", ["keras_lstm", "keras_rnn"])
def test_kernels_whose_gates_stay_are_moved_in_pieces(word):
    rule = torch_rules.rule_of({word: "a", "to": "b"}, "rule 1")
    kernel = np.arange(96.0).reshape(3, 32)
    there = rule.permutation(rule.parts[0], kernel.shape, is_back=False)
    made = there(kernel)
    np.testing.assert_array_equal(made, rule.parts[0].forward([kernel])[0])
    back = rule.permutation(rule.parts[0], made.shape, is_back=True)
    np.testing.assert_array_equal(back(made), kernel)
    assert rule.permutation(rule.parts[2], (32,), is_back=False) is None
