"""The built-in maps, one entry each: `builtin:NAME` wherever a map can be given."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.maps.map_rules import BUILTIN, AssignmentMapError, Rule
from estimator_ckpt.maps.torch_names import albert, bert, electra, gpt2, resnet, t5
from estimator_ckpt.maps.torch_names.torch_name import TorchName


@dataclasses.dataclass(frozen=True)
class BuiltinMap:
    """A map that comes with the toolkit.

    Attributes:
      regexes: regexes over whole names and what they become, in order.
      replaces: whether a renamed variable takes the place of one that has the name.
      torch_names: gives more regexes, of a map to the names of a model in PyTorch.
      telling: of such a map, what the name of some variable has in it.
    """

    regexes: tuple[tuple[str, str], ...] = ()
    replaces: bool = False
    torch_names: Callable[[], Sequence[TorchName]] = tuple
    telling: str = ""

    def rules(self, name: str) -> list[Rule]:
        """Its rules."""
        where = f"{BUILTIN}{name}"
        return [
            *(
                Rule(re.compile(source), target, where, self.replaces)
                for source, target in self.regexes
            ),
            *(
                Rule(re.compile(row.source), row.target, where, False, row.arrangement)
                for row in self.torch_names()
            ),
        ]

    @property
    def is_to_torch(self) -> bool:
        """Whether it gives the names of a model in PyTorch."""
        return bool(self.telling)


_CELLS = "|".join(
    (
        *("basic_rnn_cell", "gru_cell", "gru_cell/gates", "gru_cell/candidate"),
        *("basic_lstm_cell", "lstm_cell", "lstm_cell/projection"),
        *("output_projection_wrapper", "input_projection_wrapper"),
        *("lstm_block_wrapper", "layer_norm_basic_lstm_cell", "ugrnn_cell", "nas_rnn"),
        *("intersection_rnn_cell", "intersection_rnn_cell/in_projection"),
        *("phased_lstm_cell/mask_gates", "phased_lstm_cell/new_input"),
        *("phased_lstm_cell/output_gate", "attention_cell_wrapper"),
        "attention_cell_wrapper/attn_output_projection",
        *("attention_cell_wrapper/attention", "attention_decoder"),
        r"attention_decoder/Attention_\d+",
        "attention_decoder/AttnOutputProjection",
    )
)
#: What TensorFlow 2's canned estimators keep of tf1's slots, by their optimizers. Their
#: RMSprop has no momentum.
_SLOTS_OF_CANNED = {
    name: {
        algorithm.slots[slot]: keras.legacy[slot]
        for slot in algorithm.slots
        if (name, slot) != ("RMSprop", "momentum")
    }
    for name in ("Adam", "Ftrl", "RMSprop", "Adagrad")
    for keras in (keras_classes.KERAS[name],)
    for algorithm in keras.reads[:1]
}

#: The built-in maps by name. To add one: an entry here, a test in
#: `tests/maps/test_builtin_maps.py`, a row in `docs/plans.md`.
BUILTIN_MAPS: Mapping[str, BuiltinMap] = {
    # The renames of TensorFlow 1.2: RNN_NAME_REPLACEMENTS in
    # `tensorflow/contrib/rnn/python/tools/checkpoint_convert.py` of TensorFlow 1.15.
    "rnn_cells": BuiltinMap(
        (
            (rf"((?:.*/)?(?:{_CELLS}))/weights", r"\1/kernel"),
            (rf"((?:.*/)?(?:{_CELLS}))/biases", r"\1/bias"),
            (r"((?:.*/)?nas_rnn)/recurrent_weights", r"\1/recurrent_kernel"),
        )
    ),
    # Averages take the place of their variables:
    # `tf.compat.v1.train.ExponentialMovingAverage.variables_to_restore`.
    "use_ema": BuiltinMap(((r"(.+)/ExponentialMovingAverage", r"\1"),), replaces=True),
    # Slots of tf1 optimizers under the names that the Keras optimizers of TensorFlow
    # 2's canned estimators give them; the model's own variables kept theirs:
    # `tensorflow_estimator/python/estimator/tools/checkpoint_converter.py`.
    "canned_estimators": BuiltinMap(
        tuple(
            (rf"(.+?)(?:/t_0|/part_0)?/{old}", rf"training/{optimizer}/\1/{new}")
            for optimizer, slots in _SLOTS_OF_CANNED.items()
            for old, new in slots.items()
        )
    ),
    # Names of tf-slim's layers as tf1.layers has them:
    # `tensorflow/contrib/layers/python/layers/layers.py`.
    "slim": BuiltinMap(
        (
            (r"(.+)/weights", r"\1/kernel"),
            (r"(.+)/biases", r"\1/bias"),
            (r"(.+)/depthwise_weights", r"\1/depthwise_kernel"),
            (r"(.+)/pointwise_weights", r"\1/pointwise_kernel"),
        )
    ),
    # Models in PyTorch; each module names its sources.
    "bert_to_hf": BuiltinMap(
        torch_names=lambda: bert.BERT, telling="bert/encoder/layer_0/"
    ),
    "albert_to_hf": BuiltinMap(
        torch_names=lambda: albert.ALBERT, telling="bert/encoder/transformer/group_0/"
    ),
    "electra_to_hf": BuiltinMap(
        torch_names=lambda: electra.ELECTRA, telling="electra/encoder/layer_0/"
    ),
    "electra_generator_to_hf": BuiltinMap(
        torch_names=lambda: electra.ELECTRA_GENERATOR,
        telling="generator/encoder/layer_0/",
    ),
    "gpt2_to_hf": BuiltinMap(torch_names=lambda: gpt2.GPT2, telling="/h0/attn/c_attn/"),
    "t5_to_hf": BuiltinMap(
        torch_names=lambda: t5.T5, telling="/block_000/layer_000/SelfAttention/"
    ),
    "slim_resnet_to_torchvision": BuiltinMap(
        torch_names=resnet.slim, telling="/block1/unit_1/bottleneck_v1/"
    ),
    "official_resnet50_to_torchvision": BuiltinMap(
        torch_names=lambda: resnet.official(3, 4, 6, 3), telling="conv2d_52/kernel"
    ),
    "official_resnet101_to_torchvision": BuiltinMap(
        torch_names=lambda: resnet.official(3, 4, 23, 3), telling="conv2d_103/kernel"
    ),
    "official_resnet152_to_torchvision": BuiltinMap(
        torch_names=lambda: resnet.official(3, 8, 36, 3), telling="conv2d_154/kernel"
    ),
}


def rules_of(name: str, where: str) -> list[Rule]:
    """The rules of a built-in map.

    Args:
      name: its name.
      where: where it was written, for messages.

    Raises:
      AssignmentMapError: there is none of that name.
    """
    if name not in BUILTIN_MAPS:
        raise AssignmentMapError(
            f"{where}: no built-in map {name!r}; there are "
            f"{messages.quoted(BUILTIN_MAPS, len(BUILTIN_MAPS))}"
        )
    return BUILTIN_MAPS[name].rules(name)
