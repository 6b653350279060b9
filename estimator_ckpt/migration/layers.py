"""Layers that Keras lays out otherwise than tf1: explicit rules, by hand or from YAML.

    - {lstm: rnn/basic_lstm_cell, to: lstm/lstm_cell, forget_bias: 1.0}
    - {gru: rnn/gru_cell, to: gru/gru_cell}
    - {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: gru/gru_cell}
    - {transpose: table/weights, to: head/kernel, axes: [1, 0]}
    - {reshape: fc6/weights, to: fc1/kernel}
    - {split: attn/c_attn/kernel, to: [q/kernel, k/kernel, v/kernel], axis: -1}
    - {mod: table/weights, to: embedding/embeddings, parts: 4}
    - {fuse: [q/kernel, k/kernel, v/kernel], to: attn/qkv/kernel, axis: -1}

`mod` is for tables in parts that `tf.nn.embedding_lookup` read with its default
`partition_strategy="mod"`: there id 5 of 4 parts is row 1 of part 1, and in one whole
table it must be row 5. Feature columns read by "div", where nothing moves.

A rule reorders numbers and computes none, so a slot variable goes the same way as its
variable; only the forget bias, which tf1 adds while it runs and Keras keeps in `bias`,
is added to the variable alone.

Source: `tensorflow/python/ops/rnn_cell_impl.py` and `tensorflow/contrib/cudnn_rnn` of
TensorFlow 1.15.5 (gates i, j, f, o; r, u), `keras/layers/rnn/{lstm,gru}.py` of Keras
2.15 (gates i, f, c, o; z, r, h); `tests/training/test_layers.py` runs both.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Change = Callable[[Sequence[Array]], Sequence[Array]]

Layouts = Union[None, str, "os.PathLike[str]", Sequence[Mapping[str, Any]]]


class LayoutRuleError(CheckpointError, ValueError):
    """A layout rule that cannot be read, or that does not fit its variables."""


@dataclasses.dataclass(frozen=True)
class LayoutRule:
    """How some variables of tf1 become some of Keras.

    Attributes:
      text: the rule, for messages.
      sources: the names of the tf1 variables.
      targets: the names of the Keras variables.
      forward: gives the latter from the former, shapes aside.
      backward: gives the former from the latter; None if that cannot be.
      shift: what Keras's variable has more than tf1's, made from a target's array;
        None for nothing. Slots have no such difference.
      refused: variables of tf1 that the layer may not have, by why.
    """

    text: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    forward: Change
    backward: Optional[Change]
    shift: Optional[Callable[[Array], Array]] = None
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def apply(
        self, arrays: Sequence[Array], shapes: Sequence[Sequence[int]], is_slot: bool
    ) -> list[Array]:
        """The targets' arrays.

        Args:
          arrays: the sources'.
          shapes: the targets'.
          is_slot: whether they are slots of the variables.

        Raises:
          LayoutRuleError: they do not fit.
        """
        try:
            changed = list(self.forward(arrays))
            if self.shift is not None and not is_slot:
                changed = [array + self.shift(array) for array in changed]
            return [_reshaped(a, shape) for a, shape in zip(changed, shapes)]
        except (ValueError, IndexError) as error:
            found = ", ".join(str(list(array.shape)) for array in arrays)
            wanted = ", ".join(str(list(shape)) for shape in shapes)
            raise LayoutRuleError(
                f"{self.text}: variables of shapes {found} do not become {wanted}: "
                f"{error}"
            ) from None

    def revert(self, arrays: Sequence[Array], is_slot: bool) -> list[Array]:
        """The sources' arrays from the targets'.

        Raises:
          LayoutRuleError: the rule goes one way only.
        """
        if self.backward is None:
            raise LayoutRuleError(f"{self.text}: this rule cannot be reversed")
        if self.shift is not None and not is_slot:
            arrays = [array - self.shift(array) for array in arrays]
        return list(self.backward(arrays))

    def check(self, names: Collection[str]) -> None:
        """Raises LayoutRuleError if a checkpoint's layer is not what the rule means."""
        missing = [name for name in self.sources if name not in names]
        if missing:
            raise LayoutRuleError(
                f"{self.text}: the source has no {', '.join(map(repr, missing))}"
            )
        for name, why in self.refused.items():
            if name in names:
                raise LayoutRuleError(f"{self.text}: {name!r} is there: {why}")


def rules_of(given: Layouts) -> list[LayoutRule]:
    """Rules from whatever a user gives: a list of dicts, or a YAML or JSON file of one.

    Raises:
      LayoutRuleError: it is neither, or a rule is malformed; says which.
    """
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        import yaml  # 15 ms that nobody else need spend

        path = files.local(given)
        try:
            given = yaml.safe_load(files.read(path).decode("utf-8")) or []
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise LayoutRuleError(f"{path}: not YAML: {error}") from None
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
        return make(text, fields[kind], fields["to"], **chosen)
    except (TypeError, AttributeError) as error:
        raise LayoutRuleError(f"{text}: {error}") from None


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


def _reshape(text: str, source: str, target: str) -> list[LayoutRule]:
    return [LayoutRule(text, (source,), (target,), lambda arrays: arrays, None)]


def _split(
    text: str, source: str, targets: Sequence[str], axis: int = -1
) -> list[LayoutRule]:
    import numpy as np

    names = _names(targets)
    return [
        LayoutRule(
            text,
            (source,),
            names,
            lambda arrays: np.split(arrays[0], len(names), axis),
            lambda arrays: [np.concatenate(arrays, axis)],
        )
    ]


def _fuse(
    text: str, sources: Sequence[str], target: str, axis: int = -1
) -> list[LayoutRule]:
    import numpy as np

    names = _names(sources)
    return [
        LayoutRule(
            text,
            names,
            (target,),
            lambda arrays: [np.concatenate(arrays, axis)],
            lambda arrays: np.split(arrays[0], len(names), axis),
        )
    ]


def _mod(text: str, source: str, target: str, parts: int = 0) -> list[LayoutRule]:
    import numpy as np

    if parts < 2:
        raise TypeError("say of how many parts the table was (parts)")

    def places(rows: int) -> Array:
        """The row of each id; the first parts are longer where they differ."""
        sizes = [rows // parts + (part < rows % parts) for part in range(parts)]
        starts = np.cumsum([0, *sizes[:-1]])
        ids = np.arange(rows)
        found: Array = starts[ids % parts] + ids // parts
        return found

    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            lambda arrays: [arrays[0][places(len(arrays[0]))]],
            lambda arrays: [arrays[0][np.argsort(places(len(arrays[0])))]],
        )
    ]


def _lstm(
    text: str, source: str, target: str, forget_bias: float = 1.0
) -> list[LayoutRule]:
    """A tf1 cell of one kernel and gates i, j, f, o; Keras has i, f, c, o."""
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
        ),
    ]


#: The function that makes each kind of rule, and its options.
_KINDS: Mapping[str, tuple[Callable[..., list[LayoutRule]], tuple[str, ...]]] = {
    "lstm": (_lstm, ("forget_bias",)),
    "gru": (_gru, ()),
    "cudnn_gru": (_cudnn_gru, ()),
    "transpose": (_transpose, ("axes",)),
    "reshape": (_reshape, ()),
    "split": (_split, ("axis",)),
    "fuse": (_fuse, ("axis",)),
    "mod": (_mod, ("parts",)),
}


def _names(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or len(given) < 2:
        raise TypeError(f"{given!r} must be a list of two names or more")
    return tuple(given)


def _reshaped(array: Array, shape: Sequence[int]) -> Array:
    import math

    if array.size != math.prod(shape):
        raise ValueError(f"{list(array.shape)} holds not as many as {list(shape)}")
    return array.reshape(tuple(shape))
