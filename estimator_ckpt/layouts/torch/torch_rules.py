"""Rules that give PyTorch's tensors, from Python, YAML, or a file's own metadata.

    - {dense: fc/weights}         also conv, depthwise, matrix, embedding, as_is
    - {dense: "layer_*/w"}        `*` stands for anything
    - {embedding: table, to: emb.weight}
    - {dense: query/kernel, inputs: 1}   [in, heads, size], the bias {flat: query/bias}
    - {depthwise: mix/w, to: mix.weight, multiplier: 2}
    - {lstm: rnn/basic_lstm_cell, to: rnn, forget_bias: 1.0}
    - {lstm: fw/lstm_cell, to: rnn, forget_bias: 1.0, layer: 1, reverse: true}
    - {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: rnn}
    - {keras_lstm: lstm/lstm_cell, to: lstm}  also keras_gru, keras_rnn

`to` is a tensor's name, of recurrent cells a module's. The rules of `layer_rules` that
are about single tensors (transpose, reshape, split, fuse) are rules here, too. What
becomes of the numbers stands in `axis_orders` and `recurrent_modules`. To add a rule: a
function there, and a row of `ONE_TENSOR` or `CELLS`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.layouts.layer_rules import Layouts, RuleMaker
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError, Shape
from estimator_ckpt.layouts.torch import axis_orders, recurrent_modules
from estimator_ckpt.layouts.torch.permutations import Permutation

# No model has more layers in one module, and no kernel a larger multiplier.
_MOST_LAYERS, _MOST_CHANNELS = 10_000, 1 << 20


@dataclasses.dataclass(frozen=True)
class TensorRule:
    """How one tensor becomes one of PyTorch's.

    Attributes:
      forward: of a shape, how its axes are put, with the options.
      backward: the same on the way back.
      options: what each option can be, by its name.
    """

    forward: Callable[..., Permutation]
    backward: Callable[..., Permutation]
    options: Mapping[str, Callable[[Any], Any]] = dataclasses.field(
        default_factory=dict
    )


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} must be true or false")
    return value


def _layer(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST_LAYERS:
        raise ValueError(f"{value!r} is no number of a layer")
    return value


def _multiplier(value: Any) -> int:
    if type(value) is not int or not 0 < value <= _MOST_CHANNELS:
        raise ValueError(f"{value!r} is no depth multiplier")
    return value


_SHAPED = {"variable": layer_rules.a_shape}
#: The rules for one tensor, by the word that they begin with.
ONE_TENSOR: Mapping[str, TensorRule] = {
    "dense": TensorRule(
        axis_orders.dense,
        axis_orders.dense_back,
        {**_SHAPED, "inputs": _layer},
    ),
    "flat": TensorRule(axis_orders.flat, axis_orders.flat_back, _SHAPED),
    "matrix": TensorRule(axis_orders.matrix, axis_orders.matrix_back, _SHAPED),
    "conv": TensorRule(axis_orders.conv, axis_orders.conv_back),
    "depthwise": TensorRule(
        axis_orders.depthwise,
        axis_orders.depthwise_back,
        {"multiplier": _multiplier},
    ),
    "embedding": TensorRule(axis_orders.as_is, axis_orders.as_is),
    "as_is": TensorRule(axis_orders.as_is, axis_orders.as_is),
}
_OF_CELLS = {"layer": _layer, "reverse": _flag}
_OF_KERAS = {**_OF_CELLS, "bias": _flag}
#: The rules for recurrent cells.
CELLS: Mapping[str, RuleMaker] = {
    "lstm": RuleMaker(
        recurrent_modules.lstm,
        {**_OF_CELLS, "forget_bias": layer_rules.a_number, "projection": _flag},
    ),
    "gru": RuleMaker(recurrent_modules.gru, _OF_CELLS),
    "cudnn_gru": RuleMaker(recurrent_modules.cudnn_gru, _OF_CELLS),
    "keras_lstm": RuleMaker(recurrent_modules.keras_lstm, _OF_KERAS),
    "keras_gru": RuleMaker(recurrent_modules.keras_gru, _OF_KERAS),
    "keras_rnn": RuleMaker(recurrent_modules.keras_rnn, _OF_KERAS),
}
#: Those that say in so many words which axes go where.
GENERAL: Mapping[str, RuleMaker] = {
    word: layer_rules.RULES[word] for word in ("transpose", "reshape", "split", "fuse")
}
#: How many gates cells have whose order is PyTorch's, too.
_GATES = {"keras_lstm": 4, "keras_rnn": 1}
WORDS = (*ONE_TENSOR, *CELLS, *GENERAL)


@dataclasses.dataclass(frozen=True)
class TorchRule:
    """A rule whose variables and tensors are known.

    Attributes:
      word: what it begins with.
      fields: what would be written in a file: the word, `to` and options.
      parts: what becomes of which variables.
    """

    word: str
    fields: Mapping[str, Any]
    parts: tuple[LayoutRule, ...]

    @property
    def sources(self) -> list[str]:
        """The variables that it takes."""
        return [name for part in self.parts for name in part.sources]

    @property
    def targets(self) -> list[str]:
        """The tensors that it gives."""
        return [name for part in self.parts for name in part.targets]

    def permutation(
        self, part: LayoutRule, shape: Shape, is_back: bool
    ) -> Optional[Permutation]:
        """How the axes of the one tensor of a part are put; None if that is not all.

        Raises:
          LayoutRuleError: a tensor of that shape cannot be it.
        """
        rule = ONE_TENSOR.get(self.word)
        if rule is None:
            return self._transposed(part, shape, shape[0 if is_back else -1 :][:1])
        options = {
            name: read(self.fields[name])
            for name, read in rule.options.items()
            if name in self.fields
        }
        try:
            if is_back:
                return rule.backward(shape, **options)
            return rule.forward(shape, **options)
        except ValueError as error:
            raise LayoutRuleError(f"{self.parts[0].text}: {error}") from None

    def _transposed(
        self, part: LayoutRule, shape: Shape, gates: Shape
    ) -> Optional[Permutation]:
        """The same of a cell's kernel whose gates stay in their order."""
        is_kernel = len(part.targets) == 1 and len(shape) == 2
        if not is_kernel or self.word not in _GATES or gates[0] % _GATES[self.word]:
            return None
        return Permutation(shape, (1, 0), shape[::-1])


@dataclasses.dataclass(frozen=True)
class Request:
    """A rule as a user gives it: `to` may be left out, and the source have a `*`.

    Attributes:
      word: what it begins with.
      fields: what is written.
      where: where, for messages.
    """

    word: str
    fields: Mapping[str, Any]
    where: str

    @property
    def source(self) -> Any:
        return self.fields[self.word]

    @property
    def is_open(self) -> bool:
        """Whether it says of which variables it is by a pattern."""
        return isinstance(self.source, str) and "*" in self.source

    def is_about(self, name: str) -> bool:
        """Whether it is about a variable, as one of several."""
        return fnmatch.fnmatchcase(name, self.source.replace("[", "[[]"))

    def take(
        self, names: Iterable[str], taken: dict[str, Request], source: str
    ) -> None:
        """Notes in `taken` that names are this rule's.

        Raises:
          LayoutRuleError: another rule is about one of them.
        """
        for name in names:
            other = taken.setdefault(name, self)
            if other is not self:
                raise LayoutRuleError(
                    f"{source}: {other.where} and {self.where} are both about "
                    f"{name!r}; give one rule for it"
                )

    def about_none(self, what: str, source: str) -> str:
        """What is said where it is about no variable, or no tensor, of a source."""
        return f"{self.where}: {self.source!r} matches no {what} of {source}"

    def rule(self, **fields: Any) -> TorchRule:
        """The rule, with some of its fields given.

        Raises:
          LayoutRuleError: it is malformed.
        """
        return rule_of({**self.fields, **fields}, self.where)


def requests_of(given: Layouts) -> list[Request]:
    """Rules from whatever a user gives: a list of dicts, or a YAML or JSON file of one.

    Raises:
      LayoutRuleError: it is neither, or a rule is malformed; says which.
    """
    found = []
    for number, fields in enumerate(layer_rules.items_of(given), 1):
        where = f"layout rule {number}"
        word = layer_rules.word_of(fields, where, WORDS)
        request = Request(word, fields, where)
        if request.is_open and (word not in ONE_TENSOR or "to" in fields):
            raise LayoutRuleError(
                f"{where}: {fields!r}: a name with * is for rules of one tensor, "
                f"without 'to'"
            )
        if word not in ONE_TENSOR and "to" not in fields:
            raise LayoutRuleError(
                f"{where}: {fields!r} does not say what it gives: 'to'"
            )
        if not request.is_open:  # so that what is wrong is said at once
            request.rule(**({} if "to" in fields else {"to": "weight"}))
        found.append(request)
    return found


def rule_of(fields: Mapping[str, Any], where: str) -> TorchRule:
    """A rule from its fields, all of which are there.

    Raises:
      LayoutRuleError: it is malformed.
    """
    word = layer_rules.word_of(fields, where, WORDS)
    if "to" not in fields:
        raise LayoutRuleError(f"{where}: {fields!r} does not say what it gives: 'to'")
    if word in ONE_TENSOR:
        options = ONE_TENSOR[word].options
        maker = RuleMaker(functools.partial(_one_tensor, word), options)
    else:
        maker = CELLS.get(word) or GENERAL[word]
    parts = layer_rules.made_of(maker, word, fields, where)
    return TorchRule(word, dict(fields), tuple(parts))


def _one_tensor(
    word: str, text: str, source: str, target: str, **options: Any
) -> list[LayoutRule]:
    rule = ONE_TENSOR[word]

    def forward(arrays: Sequence[Any]) -> list[Any]:
        return [rule.forward(arrays[0].shape, **options)(arrays[0])]

    def backward(arrays: Sequence[Any]) -> list[Any]:
        return [rule.backward(arrays[0].shape, **options)(arrays[0])]

    return [LayoutRule(text, (source,), (target,), forward, backward)]
