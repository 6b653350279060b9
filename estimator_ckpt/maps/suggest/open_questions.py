"""What stays undecided, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest import variable_pairs
from estimator_ckpt.maps.suggest.model_layers import reading
from estimator_ckpt.maps.suggest.model_layers.layers import Signature
from estimator_ckpt.maps.suggest.pairing.decisions import Decisions
from estimator_ckpt.maps.suggest.variable_pairs import Pair

#: The most variables of one sort that a sentence names.
_MOST_NAMED = 4


def sentences(
    made: Decisions, pairs: Iterable[Pair], old_names: Mapping[str, str]
) -> list[str]:
    """A sentence for each sort of layer that is left, and for each lone variable.

    Args:
      made: what is decided, under the names that the user's map gives.
      pairs: the variables that were found.
      old_names: the source's names by those.
    """
    taken = variable_pairs.names_in(pairs)
    return [
        *(
            _on_sort(signature, [old_names[name] for name in mine], theirs)
            for signature, (mine, theirs) in _left(made, taken).items()
            if mine or theirs
        ),
        *(
            f"{old_names[variable.name]!r}: {image.name!r} is its layer, and has no "
            f"variable that fits it"
            for layer, image in made.images.items()
            for variable in layer.leaves.values()
            if variable.name not in taken[0]
        ),
    ]


def on_long_names(
    variables: Iterable[Variable], old_names: Mapping[str, str]
) -> list[str]:
    """A sentence for each variable that is not looked at."""
    return [
        f"{old_names[variable.name]!r}: no model gives such a long name"
        for variable in variables
        if not reading.can_read(variable)
    ]


def _left(
    made: Decisions, taken: tuple[set[str], set[str]]
) -> dict[Signature, tuple[list[str], list[str]]]:
    """Names of the layers that are not decided, of both sides, by sort of layer."""
    left: dict[Signature, tuple[list[str], list[str]]] = {}
    for i, side in enumerate(made.left):
        for layer in side:
            names = [v.name for v in layer.leaves.values() if v.name not in taken[i]]
            left.setdefault(layer.signature, ([], []))[i].extend(names)
    return left


def _on_sort(signature: Signature, mine: list[str], theirs: list[str]) -> str:
    """A sentence on the layers of one sort that are left."""
    shapes = ", ".join(f"{dtype}{list(shape)}" for dtype, shape in signature[1])
    listed, others = (messages.quoted(names, _MOST_NAMED) for names in (mine, theirs))
    if mine and theirs:
        return (
            f"{listed} could be {others} ({shapes}): neither names nor order say which"
        )
    if mine:
        return f"{listed} ({shapes}): the target has none left"
    return f"{others} ({shapes}): the source has none left"
