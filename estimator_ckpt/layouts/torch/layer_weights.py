"""A weight of one of TensorFlow's layers: its name, and what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from estimator_ckpt.layouts.torch import tensor_names
from estimator_ckpt.layouts.torch.module_decisions import Fact

#: What TensorFlow's layers call their weights, and PyTorch's theirs.
SAME_ORDER = {
    "bias": "bias",
    "biases": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
KERNELS = frozenset({"kernel", "weights"})
DEPTHWISE = frozenset({"depthwise_kernel", "depthwise_weights"})
POINTWISE = frozenset({"pointwise_kernel", "pointwise_weights"})
#: What other libraries and people call a kernel that has a bias beside it.
OTHER_KERNELS = frozenset({"w", "W", "weight"})
BIASES = ("bias", "biases", "b", "B")
#: What BERT's heads call what they multiply by the transpose of.
OUTPUT_WEIGHTS = "output_weights"
TABLE = re.compile(r"(?:.*_)?embeddings?(?:_table|_weights|_matrix)?")
#: Tables whose own name goes for `weight`.
DROPPED = frozenset({"embeddings", "embedding_weights"})
#: Last parts of names that go for `weight`.
KERNEL_NAMES = frozenset(
    (*KERNELS, *DEPTHWISE, *POINTWISE, *OTHER_KERNELS, *DROPPED, OUTPUT_WEIGHTS)
)
_WORDS = frozenset((*SAME_ORDER, *(KERNEL_NAMES - DROPPED)))


class Weight(NamedTuple):
    """A variable that is no cell's, and what there is to tell what it is.

    Attributes:
      name: its name.
      fact: its shape, and what the object graph calls it.
      facts: all variables by name.
      uses: what a graph does with it.
    """

    name: str
    fact: Fact
    facts: Mapping[str, Fact]
    uses: frozenset[GraphUse]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.fact.shape

    @property
    def scope(self) -> str:
        return tensor_names.bare(self.name).rpartition("/")[0]

    @property
    def layer(self) -> str:
        """The last part of its scope."""
        return self.scope.rpartition("/")[2]

    @property
    def last(self) -> str:
        """The last part of its name."""
        return tensor_names.bare(self.name).rpartition("/")[2]

    @property
    def called(self) -> str:
        """What its layer calls it: by its name, or by the object graph."""
        words = (self.last, self.fact.attribute or self.last)
        known = (word for word in words if word in _WORDS or TABLE.fullmatch(word))
        return next(known, self.last)

    @property
    def evidence(self) -> str:
        """What calls it that, for people."""
        is_its_name = self.called == self.last
        return (
            f"{'named' if is_its_name else 'the object graph calls it'} {self.called}"
        )

    @property
    def drops_last(self) -> bool:
        """Whether `weight` takes the place of its name's last part."""
        return self.called in _WORDS or self.called in DROPPED

    def beside(self, word: str, scope: Optional[str] = None) -> Optional[Fact]:
        """A variable of its scope, or another, by its name's last part, or None."""
        scope = self.scope if scope is None else scope
        end = ":0" if self.name.endswith(":0") else ""
        return self.facts.get(f"{scope}/{word}{end}" if scope else f"{word}{end}")

    def is_beside(self, words: frozenset[str]) -> bool:
        """Whether one of these stands in its scope."""
        return any(self.beside(word) is not None for word in words)
