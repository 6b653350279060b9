"""Rules for layers that Keras lays out otherwise than tf1, from Python or YAML.

    - {lstm: rnn/basic_lstm_cell, to: lstm/lstm_cell, forget_bias: 1.0}
    - {gru: rnn/gru_cell, to: gru/gru_cell}
    - {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: gru/gru_cell}
    - {transpose: table/weights, to: head/kernel, axes: [1, 0]}
    - {reshape: fc6/weights, to: fc1/kernel, shape: [7, 7, 512, 4096]}
    - {split: attn/c_attn/kernel, to: [q/kernel, k/kernel, v/kernel], axis: -1}
    - {mod: table/weights, to: embedding/embeddings, parts: 4}
    - {fuse: [q/kernel, k/kernel, v/kernel], to: attn/qkv/kernel, axis: -1}

`mod` is for tables in parts that `tf.nn.embedding_lookup` read with its default
`partition_strategy="mod"`: there id 5 of 4 parts is row 1 of part 1, and in one whole
table it must be row 5. Feature columns read by "div", where nothing moves.

What a rule gives takes the shape of its target: a part of `split` may be that of
attention heads. `shape` is that of the tf1 variable (of `fuse`, of the Keras variable),
which the way back needs where the shapes differ in more than the axis.

The cells of CuDNN have no forget bias of their own: `{lstm: ..., forget_bias: 0}`.

Source: `tensorflow/python/ops/rnn_cell_impl.py` and `tensorflow/contrib/cudnn_rnn` of
TensorFlow 1.15.5 (gates i, j, f, o; r, u), `keras/layers/rnn/{lstm,gru}.py` of Keras
2.15 (gates i, f, c, o; z, r, h); `tests/layouts/test_layer_rules.py` runs both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import user_files
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError, Run

if TYPE_CHECKING:
    from estimator_ckpt.layouts.layout_rule import Array, Reorder, Runs

Layouts = Union[None, str, "os.PathLike[str]", Sequence[Mapping[str, Any]]]


def rules_of(given: Layouts) -> list[LayoutRule]:
    """Rules from whatever a user gives: a list of dicts, or a YAML or JSON file of one.

    Raises:
      LayoutRuleError: it is neither, or a rule is malformed; says which.
    """
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        path = files.local(given)
        try:
            given = user_files.load(files.read(path), path) or []
        except user_files.UserFileError as error:
            raise LayoutRuleError(str(error)) from None
    if not isinstance(given, (list, tuple)):
        raise LayoutRuleError(
            f"layouts are a list of rules such as {{lstm: old/scope, to: new/scope}}, "
            f"not {given!r}"
        )
    found: list[LayoutRule] = []
    for number, fields in enumerate(given, 1):
        found += _rules(fields, f"layout rule {number}")
    return found


def _rules(fields: Any, where: str) -> list[LayoutRule]:
    kinds = [kind for kind in _KINDS if isinstance(fields, Mapping) and kind in fields]
    if len(kinds) != 1 or "to" not in fields:
        raise LayoutRuleError(
            f"{where}: {fields!r} is none: give one of {', '.join(_KINDS)}, and 'to'"
        )
    (kind,) = kinds
    make, options = _KINDS[kind]
    unknown = [name for name in fields if name not in (kind, "to", *options)]
    if unknown:
        raise LayoutRuleError(f"{where}: {kind} has no option {unknown[0]!r}")
    chosen = {name: fields[name] for name in options if name in fields}
    text = f"{where}, {kind} {fields[kind]!r} to {fields['to']!r}"
    try:
        made = make(text, fields[kind], fields["to"], **chosen)
    except (TypeError, AttributeError, ValueError, OverflowError) as error:
        raise LayoutRuleError(f"{text}: {error}") from None
    for rule in made:
        for name in (*rule.sources, *rule.targets):
            if not isinstance(name, str):
                raise LayoutRuleError(f"{text}: {name!r} must be a name")
    return made


def _transpose(
    text: str, source: str, target: str, axes: Sequence[int] = (1, 0)
) -> list[LayoutRule]:
    import numpy as np

    back = tuple(int(axis) for axis in np.argsort(axes))
    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            lambda arrays: [arrays[0].transpose(axes)],
            lambda arrays: [arrays[0].transpose(back)],
        )
    ]


def _reshape(
    text: str, source: str, target: str, shape: Optional[Sequence[int]] = None
) -> list[LayoutRule]:
    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            lambda arrays: arrays,
            None if shape is None else lambda arrays: [arrays[0].reshape(shape)],
        )
    ]


def _split(
    text: str,
    source: str,
    targets: Sequence[str],
    axis: int = -1,
    shape: Optional[Sequence[int]] = None,
) -> list[LayoutRule]:
    names = _names(targets)
    part, join = _part_and_join(len(names), axis, shape)
    return [LayoutRule(text, (source,), names, part, join)]


def _fuse(
    text: str,
    sources: Sequence[str],
    target: str,
    axis: int = -1,
    shape: Optional[Sequence[int]] = None,
) -> list[LayoutRule]:
    names = _names(sources)
    part, join = _part_and_join(len(names), axis, shape)
    return [LayoutRule(text, names, (target,), join, part)]


def _part_and_join(
    count: int, axis: int, shape: Optional[Sequence[int]]
) -> tuple[Reorder, Reorder]:
    """Parts one array into some along an axis, and joins them.

    Args:
      count: how many.
      axis: the axis.
      shape: that of the whole; None: as it is, with two axes at most, since of more
        nobody can tell which were one.
    """
    import numpy as np

    def part(arrays: Sequence[Array]) -> Sequence[Array]:
        return np.split(_shaped(arrays[0], shape), count, axis)

    def join(arrays: Sequence[Array]) -> Sequence[Array]:
        if shape is None:
            return [np.concatenate([_shaped(array, None) for array in arrays], axis)]
        one = list(shape)
        one[axis] //= count
        return [np.concatenate([array.reshape(one) for array in arrays], axis)]

    return part, join


def _shaped(array: Array, shape: Optional[Sequence[int]]) -> Array:
    if shape is not None:
        return array.reshape(shape)
    if array.ndim > 2:
        raise ValueError("with more than two axes, give the shape of the whole (shape)")
    return array


def _mod(text: str, source: str, target: str, parts: int = 0) -> list[LayoutRule]:
    """A table of which id `i` was row `i // parts` of part `i % parts`."""
    if not isinstance(parts, int) or not 2 <= parts <= 1_000_000:
        raise TypeError("say of how many parts the table was (parts)")

    def start_of(part: int, rows: int) -> int:
        """The first row of a part; the first parts are longer where they differ."""
        return part * (rows // parts) + min(part, rows % parts)

    def of_ids(start: int, stop: int, rows: int) -> list[Run]:
        runs = []
        for part in range(parts):
            first = start + (part - start) % parts
            count = len(range(first, stop, parts))
            row = start_of(part, rows) + first // parts
            runs.append(Run(row, 1, count, first - start, parts))
        return runs

    def of_rows(start: int, stop: int, rows: int) -> list[Run]:
        runs = []
        for part in range(parts):
            begin = start_of(part, rows)
            row = max(start, begin)
            count = max(min(stop, start_of(part + 1, rows)) - row, 0)
            runs.append(Run((row - begin) * parts + part, parts, count, row - start, 1))
        return runs

    def moved(runs: Runs) -> Reorder:
        return lambda arrays: [_moved_rows(arrays[0], runs)]

    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            moved(of_ids),
            moved(of_rows),
            runs=(of_ids, of_rows),
        )
    ]


def _moved_rows(array: Array, runs: Runs) -> Array:
    """A table whose rows are made of runs of another's."""
    import numpy as np

    out = np.empty_like(array)
    for run in runs(0, len(array), len(array)):
        rows = array[run.first :: run.step][: run.number]
        out[run.place :: run.stride][: run.number] = rows
    return out


def _lstm(
    text: str, source: str, target: str, forget_bias: float = 1.0
) -> list[LayoutRule]:
    """A tf1 cell of one kernel and gates i, j, f, o; Keras has i, f, c, o."""
    import numpy as np

    forget_bias = float(forget_bias)

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


def _gru(text: str, source: str, target: str) -> list[LayoutRule]:
    """Gates r, u and a candidate; Keras (`reset_after=False`) has z, r, h; z is u."""
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


def _cudnn_gru(text: str, source: str, target: str) -> list[LayoutRule]:
    """As `_gru`, but the candidate's two projections have biases of their own.

    That is Keras's `reset_after=True`, whose gates have two biases each, of which only
    the sum means something: the second gets zeros.
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
        return [
            np.stack(
                [
                    np.concatenate([u, r, projected], -1),
                    np.concatenate([zero, zero, hidden], -1),
                ]
            )
        ]

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


#: The function that makes each kind of rule, and its options.
_KINDS: Mapping[str, tuple[Callable[..., list[LayoutRule]], tuple[str, ...]]] = {
    "lstm": (_lstm, ("forget_bias",)),
    "gru": (_gru, ()),
    "cudnn_gru": (_cudnn_gru, ()),
    "transpose": (_transpose, ("axes",)),
    "reshape": (_reshape, ("shape",)),
    "split": (_split, ("axis", "shape")),
    "fuse": (_fuse, ("axis", "shape")),
    "mod": (_mod, ("parts",)),
}


def _names(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or len(given) < 2:
        raise TypeError(f"{given!r} must be a list of two names or more")
    return tuple(given)
