"""Gates and kernels of recurrent cells, number by number.

That the layers compute the same is in `test_layer_rules`.
"""

import numpy as np
import pytest

from estimator_ckpt.layouts import recurrent_layers

IN, UNITS = 3, 2


def gates(*numbers, rows=IN + UNITS):
    """A kernel whose gates are numbers, rows telling inputs (0) from states (100)."""
    rows = 100 * (np.arange(rows) >= IN)[:, None]
    return np.concatenate([rows + np.full((1, UNITS), n) for n in numbers], 1)


def numbers_of(kernel):
    """The gates of a kernel, one number each."""
    return [int(part[0, 0]) for part in np.split(kernel, kernel.shape[1] // UNITS, 1)]


def test_lstm_kernels_are_cut_and_gates_swapped():
    kernels, biases = recurrent_layers.lstm("t", "s", "d")
    given = gates(1, 2, 3, 4)  # i j f o
    kernel, recurrent = kernels.forward([given])
    assert kernel.shape == (IN, 4 * UNITS)
    assert recurrent.shape == (UNITS, 4 * UNITS)
    assert numbers_of(kernel) == [1, 3, 2, 4]  # i f c o
    assert numbers_of(recurrent) == [101, 103, 102, 104]
    np.testing.assert_array_equal(kernels.backward([kernel, recurrent])[0], given)
    shift = biases.shift(np.zeros(4 * UNITS))
    assert shift.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]  # the forget gate's


def test_what_keras_has_not_is_refused():
    kernels, _ = recurrent_layers.lstm("t", "s", "d")
    assert set(kernels.refused) >= {"s/w_f_diag", "s/projection/kernel"}


def test_gru_gates_and_candidate_are_one_kernel():
    kernels, biases = recurrent_layers.gru("t", "s", "d")
    given = [gates(1, 2), gates(3)]  # r u, and the candidate
    kernel, recurrent = kernels.forward(given)
    assert numbers_of(kernel) == [2, 1, 3]  # z r h
    assert numbers_of(recurrent) == [102, 101, 103]
    for found, expected in zip(kernels.backward([kernel, recurrent]), given):
        np.testing.assert_array_equal(found, expected)
    (bias,) = biases.forward([np.array([1, 1, 2, 2]), np.array([3, 3])])
    assert bias.tolist() == [2, 2, 1, 1, 3, 3]


def test_cudnn_gru_has_two_biases_of_which_gates_need_one():
    kernels, biases = recurrent_layers.cudnn_gru("t", "s", "d")
    kernel, recurrent = kernels.forward([gates(1, 2), gates(3, rows=IN), gates(4)[IN:]])
    assert numbers_of(kernel) == [2, 1, 3]
    assert numbers_of(recurrent) == [102, 101, 104]
    (bias,) = biases.forward(
        [np.array([1, 1, 2, 2]), np.array([3, 3]), np.array([4, 4])]
    )
    assert bias.tolist() == [[2, 2, 1, 1, 3, 3], [0, 0, 0, 0, 4, 4]]
    assert kernels.backward is None
    assert biases.caveat


@pytest.mark.parametrize("forget_bias", [0, 0.5])
def test_the_forget_bias_is_as_said(forget_bias):
    _, biases = recurrent_layers.lstm("t", "s", "d", forget_bias)
    assert biases.shift(np.zeros(4)).tolist() == [0, forget_bias, 0, 0]
