"""Recurrent cells of tf1 as the layers of Keras: gates in another order, kernels cut.

A tf1 cell multiplies `[inputs, state]` with one kernel, Keras each with its own:

    lstm       kernel [in+units, 4*units], gates i, j, f, o
               -> kernel [in, 4*units], recurrent_kernel [units, 4*units], i, f, c, o
               bias [4*units] -> bias [4*units], forget_bias added to f
    gru        gates/kernel [in+units, 2*units], r, u;
               candidate/kernel [in+units, units]
               -> kernel [in, 3*units], recurrent_kernel [units, 3*units], z, r, h
               gates/bias [2*units], candidate/bias [units] -> bias [3*units]
    cudnn_gru  the same, with two candidate projections -> bias [2, 3*units]

Keras's c is tf1's j, its z is u, its h the candidate.

Source: `tensorflow/python/ops/rnn_cell_impl.py` and `tensorflow/contrib/cudnn_rnn` of
TensorFlow 1.15.5, `keras/layers/rnn/{lstm,gru}.py` of Keras 2.15;
`tests/layouts/test_layer_rules.py` runs both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from estimator_ckpt.layouts.layout_rule import LayoutRule

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


def lstm(
    text: str, source: str, target: str, forget_bias: float = 1.0
) -> list[LayoutRule]:
    """BasicLSTMCell, LSTMCell and CuDNN's cells to `keras.layers.LSTM`.

    tf1 adds the forget bias while it runs, Keras keeps it in `bias`. CuDNN's cells
    have none: `forget_bias=0`.
    """
    import numpy as np

    def reordered(array: Array) -> Array:
        i, j, f, o = np.split(array, 4, -1)  # the same swap leads back
        return np.concatenate([i, f, j, o], -1)

    def forward(arrays: Sequence[Array]) -> list[Array]:
        units = arrays[0].shape[1] // 4
        return np.split(reordered(arrays[0]), [len(arrays[0]) - units])

    def backward(arrays: Sequence[Array]) -> list[Array]:
        return [reordered(np.concatenate(arrays))]

    def shift(bias: Array) -> Array:
        gates = np.zeros((4, len(bias) // 4), bias.dtype)
        gates[1] = forget_bias
        return gates.reshape(-1)

    peepholes = "Keras's LSTM has no peepholes"
    return [
        LayoutRule(
            text,
            (f"{source}/kernel",),
            (f"{target}/kernel", f"{target}/recurrent_kernel"),
            forward,
            backward,
            refused={
                **{f"{source}/w_{gate}_diag": peepholes for gate in "fio"},
                f"{source}/projection/kernel": "Keras's LSTM has no projection",
            },
        ),
        LayoutRule(
            text,
            (f"{source}/bias",),
            (f"{target}/bias",),
            lambda arrays: [reordered(arrays[0])],
            lambda arrays: [reordered(arrays[0])],
            shift,
        ),
    ]


def gru(text: str, source: str, target: str) -> list[LayoutRule]:
    """GRUCell to `keras.layers.GRU(reset_after=False)`."""
    import numpy as np

    def fused(arrays: Sequence[Array]) -> Array:
        r, u = np.split(arrays[0], 2, -1)
        return np.concatenate([u, r, arrays[1]], -1)

    def parted(array: Array) -> list[Array]:
        z, r, h = np.split(array, 3, -1)
        return [np.concatenate([r, z], -1), h]

    def forward(arrays: Sequence[Array]) -> list[Array]:
        return np.split(fused(arrays), [len(arrays[1]) - arrays[1].shape[1]])

    return [
        LayoutRule(
            text,
            (f"{source}/gates/kernel", f"{source}/candidate/kernel"),
            (f"{target}/kernel", f"{target}/recurrent_kernel"),
            forward,
            lambda arrays: parted(np.concatenate(arrays)),
        ),
        LayoutRule(
            text,
            (f"{source}/gates/bias", f"{source}/candidate/bias"),
            (f"{target}/bias",),
            lambda arrays: [fused(arrays)],
            lambda arrays: parted(arrays[0]),
        ),
    ]


def cudnn_gru(text: str, source: str, target: str) -> list[LayoutRule]:
    """CudnnCompatibleGRUCell to `keras.layers.GRU` (`reset_after=True`). One way only.

    The candidate's two projections have biases of their own. Keras's gates have two
    each, of which only the sum means something: the second gets zeros.
    """
    import numpy as np

    candidate = f"{source}/candidate"

    def kernels(arrays: Sequence[Array]) -> list[Array]:
        gates, projected, hidden = arrays
        r, u = np.split(gates, 2, -1)
        inputs = len(projected)
        return [
            np.concatenate([u[:inputs], r[:inputs], projected], -1),
            np.concatenate([u[inputs:], r[inputs:], hidden], -1),
        ]

    def biases(arrays: Sequence[Array]) -> list[Array]:
        gates, projected, hidden = arrays
        r, u = np.split(gates, 2, -1)
        zero = np.zeros_like(u)
        inputs = np.concatenate([u, r, projected], -1)
        return [np.stack([inputs, np.concatenate([zero, zero, hidden], -1)])]

    parts = ("input_projection", "hidden_projection")
    return [
        LayoutRule(
            text,
            (f"{source}/gates/kernel", *(f"{candidate}/{p}/kernel" for p in parts)),
            (f"{target}/kernel", f"{target}/recurrent_kernel"),
            kernels,
            None,
        ),
        LayoutRule(
            text,
            (f"{source}/gates/bias", *(f"{candidate}/{p}/bias" for p in parts)),
            (f"{target}/bias",),
            biases,
            None,
            caveat="Keras trains two biases of each gate where there was one",
        ),
    ]
