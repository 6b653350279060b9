"""The layers of a model, and families of layers whose names differ in numbers alone.

A layer is what owns some variables: `dense/kernel` and `dense/bias` are one, a batch
normalization's four another. The twelve query projections of a transformer are a
family.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest.model_layers.words import Word

#: Words with `#` for each number.
Pattern = tuple[str, ...]
#: What the shapes of a layer's variables say that it is.
Signature = tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]
#: The numbers in a name, in order.
Numbers = tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """A layer's variables.

    Attributes:
      name: the scope that they share; of one alone its name.
      words: the name's words, with numbers as integers.
      depths: how many of them are those of the scope that it is in, and how many those
        of the scope around that.
      leaves: the variables, by what they are in the layer (`kernel`).
    """

    name: str
    words: tuple[Word, ...]
    depths: tuple[int, int]
    leaves: Mapping[str, Variable]

    @functools.cached_property
    def signature(self) -> Signature:
        """The sort of layer and its shapes; a bias beside a kernel does not count."""
        statistics = self.leaves.get("moving_variance") or self.leaves.get(
            "moving_mean"
        )
        if statistics is not None:
            return "batch_norm", (_form(statistics),)
        forms = sorted(map(_form, self.leaves.values()))
        kernels = tuple(form for form in forms if len(form[1]) > 1)
        return ("kernels", kernels) if kernels else ("vectors", tuple(forms))

    @property
    def sort(self) -> str:
        """`kernels`, `batch_norm` or `vectors`."""
        return self.signature[0]

    @functools.cached_property
    def pattern(self) -> Pattern:
        """The words, with `#` for each number."""
        return tuple("#" if isinstance(word, int) else word for word in self.words)

    @functools.cached_property
    def numbers(self) -> Numbers:
        return tuple(word for word in self.words if isinstance(word, int))

    @functools.cached_property
    def outputs(self) -> Optional[int]:
        """How many channels a layer with a kernel has, or a batch normalization."""
        shape = max((shape for _, shape in self.signature[1]), key=len)
        if self.sort == "vectors" or not shape:
            return None
        if "depthwise_kernel" in self.leaves and "pointwise_kernel" not in self.leaves:
            return shape[-1] * shape[-2]
        return shape[-2 if "transpose" in self.words else -1]


@dataclasses.dataclass(frozen=True, eq=False)
class Family:
    """Layers of one signature whose names differ in numbers alone.

    Attributes:
      pattern: what their names have in common, `#` for each number.
      signature: that of each.
      members: the layers, in the order of their numbers.
    """

    pattern: Pattern
    signature: Signature
    members: tuple[Layer, ...]

    @functools.cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.pattern) - {"#"}

    @functools.cached_property
    def structure(self) -> tuple[Any, ...]:
        """How the numbers nest: `((), ()), ((), ())` for 4_1, 4_2, 5_1, 5_2."""
        return _structure([layer.numbers for layer in self.members])

    @functools.cached_property
    def is_flat(self) -> bool:
        """Whether one number tells the members apart."""
        return all(inner == () for inner in self.structure)

    @functools.cached_property
    def grid(self) -> Optional[Numbers]:
        """How many numbers there are of each sort, if all go with all; sorted."""
        sizes = [len(set(column)) for column in zip(*(m.numbers for m in self.members))]
        if math.prod(sizes) != len(self.members):
            return None
        return tuple(sorted(size for size in sizes if size > 1))

    def __str__(self) -> str:
        names = [layer.name for layer in self.members]
        return messages.quoted(names, 1)


def families(given: Iterable[Layer]) -> list[Family]:
    """The families that layers form, within their signatures."""
    found: dict[tuple[Pattern, Signature], list[Layer]] = {}
    for layer in given:
        found.setdefault((layer.pattern, layer.signature), []).append(layer)
    return [
        Family(pattern, signature, tuple(sorted(some, key=lambda m: m.numbers)))
        for (pattern, signature), some in found.items()
    ]


def _form(variable: Variable) -> tuple[str, tuple[int, ...]]:
    return variable.dtype, variable.shape or ()


def _structure(vectors: list[Numbers]) -> tuple[Any, ...]:
    """How vectors of numbers nest, without what is the same in all of them."""
    if len(vectors) == 1 or not vectors[0]:
        return ()
    groups: dict[int, list[Numbers]] = {}
    for vector in vectors:
        groups.setdefault(vector[0], []).append(vector[1:])
    if len(groups) == 1:
        return _structure(next(iter(groups.values())))
    return tuple(_structure(group) for group in groups.values())
