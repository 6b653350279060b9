"""Rules for layers that Keras lays out otherwise than tf1, from Python or YAML.

    - {lstm: rnn/basic_lstm_cell, to: lstm/lstm_cell, forget_bias: 1.0}
    - {gru: rnn/gru_cell, to: gru/gru_cell}
    - {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: gru/gru_cell}
    - {transpose: table/weights, to: head/kernel, axes: [1, 0]}
    - {reshape: fc6/weights, to: fc1/kernel, shape: [7, 7, 512, 4096]}
    - {split: attn/c_attn/kernel, to: [q/kernel, k/kernel, v/kernel], axis: -1}
    - {mod: table/weights, to: embedding/embeddings, parts: 4}
    - {fuse: [q/kernel, k/kernel, v/kernel], to: attn/qkv/kernel, axis: -1}

What a rule gives takes the shape of its target: a part of `split` may be that of
attention heads. `shape` is that of the tf1 variable (of `fuse`, of the Keras variable),
which the way back needs where the shapes differ in more than the axis.

What becomes of the numbers stands in `recurrent_layers`, `rearrangements` and
`modulo_tables`. To add a rule: a function there, and a row of `RULES`.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import user_files
from estimator_ckpt.layouts import modulo_tables, rearrangements, recurrent_layers
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError, Shape

Layouts = Union[None, str, "os.PathLike[str]", Sequence[Mapping[str, Any]]]

#: The most axes that an array can have in NumPy, the most numbers in one, the most
#: variables that a rule joins, and the most parts of a table.
_MOST_AXES, _MOST_NUMBERS, _MOST_JOINED, _MOST_PARTS = 32, 2**60, 1000, 2**16


def rules_of(given: Layouts) -> list[LayoutRule]:
    """Rules from whatever a user gives: a list of dicts, or a YAML or JSON file of one.

    Raises:
      LayoutRuleError: it is neither, or a rule is malformed; says which.
    """
    found: list[LayoutRule] = []
    for number, fields in enumerate(items_of(given), 1):
        found += _rules(fields, f"layout rule {number}")
    return found


def items_of(given: Layouts) -> Sequence[Any]:
    """What stands in a list of rules, wherever that is.

    Raises:
      LayoutRuleError: it is no list, or the file cannot be read.
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
    return given


# What options can be; each raises TypeError or ValueError for what they cannot.


def a_name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} must be a name")
    return value


def _several_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        raise TypeError(f"{value!r} must be a list of two names or more")
    if len(value) > _MOST_JOINED:
        raise ValueError(f"{len(value)} names: at most {_MOST_JOINED} can be joined")
    return tuple(map(a_name, value))


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{value!r} must be an integer")
    return operator.index(value)


def _axis(value: Any) -> int:
    if not -_MOST_AXES <= _integer(value) < _MOST_AXES:
        raise ValueError(f"{value!r} is no axis")
    return int(value)


def _axes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"axes {value!r} must be a list of integers")
    axes = tuple(map(_integer, value))
    if sorted(axes) != list(range(len(axes))) or len(axes) > _MOST_AXES:
        raise ValueError(f"axes {value!r} must be 0 to {len(axes) - 1} in some order")
    return axes


def a_shape(value: Any) -> Shape:
    if not isinstance(value, (list, tuple)) or len(value) > _MOST_AXES:
        raise TypeError(f"shape {value!r} must be a list of sizes")
    shape = tuple(map(_integer, value))
    if any(size < 0 for size in shape) or math.prod(shape) > _MOST_NUMBERS:
        raise ValueError(f"shape {value!r} is none: sizes are 0 or more")
    return shape


def _parts(value: Any) -> int:
    if not isinstance(value, int) or not 1 < value <= _MOST_PARTS:
        raise ValueError(
            f"say of how many parts the table was (parts), 2 to {_MOST_PARTS}, not "
            f"{value!r}"
        )
    return value


def a_number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} must be a finite number")
    return number


@dataclasses.dataclass(frozen=True)
class RuleMaker:
    """How a rule is made from what is written.

    Attributes:
      make: makes rules, of a text for messages, the source, the target and options.
      options: what each option can be, by its name.
      source: what stands as the source can be.
      target: what stands as `to` can be.
    """

    make: Callable[..., list[LayoutRule]]
    options: Mapping[str, Callable[[Any], Any]]
    source: Callable[[Any], Any] = a_name
    target: Callable[[Any], Any] = a_name


#: How each rule is made, by the word that it begins with.
RULES: Mapping[str, RuleMaker] = {
    "lstm": RuleMaker(recurrent_layers.lstm, {"forget_bias": a_number}),
    "gru": RuleMaker(recurrent_layers.gru, {}),
    "cudnn_gru": RuleMaker(recurrent_layers.cudnn_gru, {}),
    "transpose": RuleMaker(rearrangements.transpose, {"axes": _axes}),
    "reshape": RuleMaker(rearrangements.reshape, {"shape": a_shape}),
    "split": RuleMaker(
        rearrangements.split, {"axis": _axis, "shape": a_shape}, target=_several_names
    ),
    "fuse": RuleMaker(
        rearrangements.fuse, {"axis": _axis, "shape": a_shape}, source=_several_names
    ),
    "mod": RuleMaker(modulo_tables.mod, {"parts": _parts}),
}


def _rules(fields: Any, where: str) -> list[LayoutRule]:
    """The rules that one item of a list stands for."""
    word = word_of(fields, where, RULES)
    if "to" not in fields:
        raise LayoutRuleError(
            f"{where}: {fields!r} is none: give one of {', '.join(RULES)}, and 'to'"
        )
    return made_of(RULES[word], word, fields, where)


def word_of(fields: Any, where: str, rules: Collection[str]) -> str:
    """The word that one item of a list begins with.

    Raises:
      LayoutRuleError: it has none of them, or several.
    """
    words = [w for w in rules if isinstance(fields, Mapping) and w in fields]
    if len(words) != 1:
        raise LayoutRuleError(
            f"{where}: {fields!r} is none: give one of {', '.join(rules)}, and 'to'"
        )
    return words[0]


def made_of(
    maker: RuleMaker, word: str, fields: Mapping[str, Any], where: str
) -> list[LayoutRule]:
    """The rules that one item of a list stands for, of which the word is known.

    Raises:
      LayoutRuleError: it is malformed.
    """
    unknown = [name for name in fields if name not in (word, "to", *maker.options)]
    if unknown:
        raise LayoutRuleError(f"{where}: {word} has no option {unknown[0]!r}")
    text = f"{where}, {word} {fields[word]!r} to {fields['to']!r}"
    try:
        return maker.make(
            text,
            maker.source(fields[word]),
            maker.target(fields["to"]),
            **{
                name: check(fields[name])
                for name, check in maker.options.items()
                if name in fields
            },
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise LayoutRuleError(f"{text}: {error}") from None
