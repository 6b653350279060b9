"""Recurrent cells of TensorFlow as PyTorch's nn.LSTM, nn.GRU and nn.RNN.

PyTorch's rows are gates: weight_ih [gates*units, in], weight_hh [gates*units, units],
and each of its two biases is added. tf1's kernel is [in + units, gates*units].

    lstm        tf1's gates i j f o    -> i f g o; g is j
    keras_lstm  Keras's i f c o        -> i f g o; as they are
    cudnn_gru   CudnnCompatibleGRUCell's r u -> r z n; z is u, n the candidate
    keras_gru   Keras's z r h (reset_after=True) -> r z n; its two rows of biases are
                bias_ih and bias_hh
    keras_rnn   SimpleRNN -> nn.RNN

tf1 adds the forget bias as it runs. It goes into `bias_hh`, alone: added to the bias,
it could not be taken away again without loss, (b + 1.0) - 1.0 is another number.

A cell whose reset gate is applied before the matrix product (GRUCell, GRUBlockCellV2,
Keras's GRU with reset_after=False) is none that nn.GRU can compute.

Source: `tensorflow/python/ops/rnn_cell_impl.py` and `contrib/cudnn_rnn` of TensorFlow
1.15.5, `keras/layers/rnn/{lstm,gru}.py` of Keras 2.15, PyTorch's documentation of LSTM
and GRU; `tests/compat/test_torch.py` runs all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.layouts.layout_rule import LayoutRule

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

#: Why a cell with w_i_diag cannot be an nn.LSTM.
NO_PEEPHOLES = "nn.LSTM has no peepholes"
#: Why a GRU of these cannot be an nn.GRU.
NO_GRU = (
    "PyTorch's GRU applies the reset gate after the matrix product, this cell before "
    "it: no weights make one of the other"
)


def _names(module: str, layer: int, reverse: bool) -> tuple[str, str, str, str]:
    """What a layer of a module calls its weights and biases."""
    end = f"l{layer}{'_reverse' if reverse else ''}"
    before = f"{module}." if module else ""
    return (
        f"{before}weight_ih_{end}",
        f"{before}weight_hh_{end}",
        f"{before}bias_ih_{end}",
        f"{before}bias_hh_{end}",
    )


def _blocks(array: Array, order: Sequence[int]) -> Array:
    """The blocks of the last axis in another order."""
    import numpy as np

    parts = np.split(array, len(order), -1)
    return np.concatenate([parts[place] for place in order], -1)


def _sum(first: Array, second: Array) -> Array:
    """Their sum; where the second is zero, the first to the bit (`-0.0`, too)."""
    import numpy as np

    return np.where(second == 0, first, first + second)


def lstm(
    text: str,
    source: str,
    module: str,
    forget_bias: Optional[float] = None,
    layer: int = 0,
    reverse: bool = False,
    projection: bool = False,
) -> list[LayoutRule]:
    """BasicLSTMCell and LSTMCell (also with `num_proj`) to `nn.LSTM`."""
    import numpy as np

    if forget_bias is None:
        raise TypeError(
            "say which forget_bias the cell has (1.0 where none was given to it): no "
            "checkpoint holds it"
        )
    order = (0, 2, 1, 3)  # the same swap leads back
    ih, hh, bias_ih, bias_hh = _names(module, layer, reverse)
    hr = hh.replace("weight_hh_", "weight_hr_")

    def forward(arrays: Sequence[Array]) -> list[Array]:
        kernel, *projected = arrays
        state = projected[0].shape[1] if projected else kernel.shape[1] // 4
        moved = _blocks(kernel, order)
        inputs = len(moved) - state
        return [moved[:inputs].T, moved[inputs:].T, *(p.T for p in projected)]

    def backward(arrays: Sequence[Array]) -> list[Array]:
        kernel = np.concatenate([arrays[0].T, arrays[1].T])
        return [_blocks(kernel, order), *(p.T for p in arrays[2:])]

    def forget(bias: Array) -> Array:
        gates = np.zeros((4, len(bias) // 4), bias.dtype)
        gates[1] = forget_bias
        return gates.reshape(-1)

    def biases(arrays: Sequence[Array]) -> list[Array]:
        moved = _blocks(arrays[0], order)
        return [moved, forget(moved)]

    def bias(arrays: Sequence[Array]) -> list[Array]:
        rest = arrays[1] - forget(arrays[1])
        return [_blocks(_sum(arrays[0], rest), order)]

    refused = {f"{source}/w_{gate}_diag": NO_PEEPHOLES for gate in "ifo"}
    extra = f"{source}/projection/kernel"
    if not projection:
        refused[extra] = "the cell has a projection: say so (projection: true)"
    return [
        LayoutRule(
            text,
            (f"{source}/kernel", extra) if projection else (f"{source}/kernel",),
            (ih, hh, hr) if projection else (ih, hh),
            forward,
            backward,
            refused=refused,
        ),
        LayoutRule(text, (f"{source}/bias",), (bias_ih, bias_hh), biases, bias),
    ]


def _keras(
    text: str,
    source: str,
    module: str,
    layer: int = 0,
    reverse: bool = False,
    bias: bool = True,
    *,
    order: Sequence[int],
    has_two_biases: bool = False,
) -> list[LayoutRule]:
    """A layer of Keras, whose blocks come in another order."""
    import numpy as np

    back = sorted(range(len(order)), key=lambda place: order[place])
    ih, hh, bias_ih, bias_hh = _names(module, layer, reverse)
    rules = [
        LayoutRule(
            text,
            (f"{source}/{old}",),
            (new,),
            lambda arrays: [_blocks(arrays[0], order).T],
            lambda arrays: [_blocks(arrays[0].T, back)],
        )
        for old, new in (("kernel", ih), ("recurrent_kernel", hh))
    ]

    def biases(arrays: Sequence[Array]) -> list[Array]:
        if arrays[0].ndim != 1 + has_two_biases:
            raise ValueError(NO_GRU if has_two_biases else "its bias has one axis")
        moved = _blocks(arrays[0], order)
        return list(moved) if has_two_biases else [moved, np.zeros_like(moved)]

    def joined(arrays: Sequence[Array]) -> list[Array]:
        if has_two_biases:
            return [_blocks(np.stack(arrays), back)]
        return [_blocks(_sum(arrays[0], arrays[1]), back)]

    if bias:
        names = (bias_ih, bias_hh)
        rules.append(LayoutRule(text, (f"{source}/bias",), names, biases, joined))
    return rules


#: Layers of Keras: LSTM to nn.LSTM, GRU (reset_after) to nn.GRU, SimpleRNN to nn.RNN.
keras_lstm = functools.partial(_keras, order=range(4))
keras_gru = functools.partial(_keras, order=(1, 0, 2), has_two_biases=True)
keras_rnn = functools.partial(_keras, order=(0,))


def gru(text: str, source: str, module: str, **_: object) -> list[LayoutRule]:
    """Says that GRUCell cannot be had.

    Raises:
      ValueError: always.
    """
    raise ValueError(f"{NO_GRU}. CudnnCompatibleGRUCell is {{cudnn_gru: ...}}")


def cudnn_gru(
    text: str, source: str, module: str, layer: int = 0, reverse: bool = False
) -> list[LayoutRule]:
    """CudnnCompatibleGRUCell to `nn.GRU`."""
    import numpy as np

    ih, hh, bias_ih, bias_hh = _names(module, layer, reverse)
    candidate = f"{source}/candidate"

    def kernels(arrays: Sequence[Array]) -> list[Array]:
        gates, projected, hidden = arrays
        inputs = len(projected)
        return [
            np.concatenate([gates[:inputs], projected], -1).T,
            np.concatenate([gates[inputs:], hidden], -1).T,
        ]

    def parted(arrays: Sequence[Array]) -> list[Array]:
        inputs, state = (array.T for array in arrays)
        units = len(state)
        gates = np.concatenate([inputs[:, : 2 * units], state[:, : 2 * units]])
        return [gates, inputs[:, 2 * units :], state[:, 2 * units :]]

    def biases(arrays: Sequence[Array]) -> list[Array]:
        gates, projected, hidden = arrays
        return [
            np.concatenate([gates, projected]),
            np.concatenate([np.zeros_like(gates), hidden]),
        ]

    def bias(arrays: Sequence[Array]) -> list[Array]:
        inputs, state = arrays
        two = len(inputs) // 3 * 2
        return [_sum(inputs[:two], state[:two]), inputs[two:], state[two:]]

    parts = ("input_projection", "hidden_projection")
    return [
        LayoutRule(
            text,
            (f"{source}/gates/kernel", *(f"{candidate}/{p}/kernel" for p in parts)),
            (ih, hh),
            kernels,
            parted,
        ),
        LayoutRule(
            text,
            (f"{source}/gates/bias", *(f"{candidate}/{p}/bias" for p in parts)),
            (bias_ih, bias_hh),
            biases,
            bias,
        ),
    ]
