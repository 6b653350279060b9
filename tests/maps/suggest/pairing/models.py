"""Models as layers, and what is decided about two of them, for tests of each way."""

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest.model_layers import reading
from estimator_ckpt.maps.suggest.pairing.decisions import Decisions


def layers(shapes):
    """The layers of variables, given by name with their shapes."""
    return reading.layers(
        Variable(name, "float32", tuple(shape), key=name)
        for name, shape in shapes.items()
    )


def kernels(*names, shape=(8, 8)):
    return {f"{name}/kernel": shape for name in names}


def layer(name, shape=(8, 8)):
    (found,) = layers(kernels(name, shape=shape))
    return found


def decisions(source, target, ordered=False):
    """Nothing decided yet; `ordered`: the order in which they are given is known."""
    sides = layers(source), layers(target)
    places = {one: i for side in sides for i, one in enumerate(side)} if ordered else {}
    return Decisions(*sides, places)


def accept(made, pairs, reason):
    """Decides that layers of these names are the same."""
    mine = {one.name: one for one in made.source}
    theirs = {one.name: one for one in made.target}
    for name, image in pairs.items():
        made.accept(mine[name], theirs[image], reason)


def found(made):
    return {one.name: image.name for one, image in made.images.items()}
