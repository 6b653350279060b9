"""How much names have in common, and which is clearly the most alike."""

import pytest

from estimator_ckpt.maps.suggest.model_layers.layers import families
from estimator_ckpt.maps.suggest.pairing.likeness import Likeness
from estimator_ckpt.maps.suggest.pairing.scopes import Scopes
from tests.maps.suggest.pairing.models import kernels, layers


def best(name, source, target):
    """What of the target is most like a layer of the source, and whether alone."""
    mine, theirs = (families(layers(kernels(*side))) for side in (source, target))
    scopes = Scopes({}, {})
    there, back = scopes.narrow(mine, theirs), scopes.narrow(theirs, mine)
    (family,) = (f for f in mine if f.members[0].name == name)
    other, alike, only = Likeness(mine, theirs).best(family, there, back)
    return other and other.members[0].name, alike, only


@pytest.mark.parametrize(
    ("name", "source", "target", "found"),
    [
        ("a/query", ["a/query", "a/key"], ["x/q", "x/k"], "x/q"),
        ("enc/fc", ["enc/fc", "dec/fc"], ["encoder/d", "decoder/d"], "encoder/d"),
        ("final", ["final", "first"], ["f", "second"], "f"),  # an abbreviation
        ("transform/x", ["transform/x", "b"], ["transformer/x", "c"], "transformer/x"),
        ("user", ["user", "item"], ["left", "right"], None),
        ("a/x", ["a/x", "b/x"], ["c/x", "d/x"], None),  # one word, which all have
    ],
)
def test_the_most_alike(name, source, target, found):
    assert best(name, source, target)[0] == found


def test_the_only_one_is_it_without_a_word_in_common():
    other, alike, only = best("user", ["user"], ["left"])
    assert (other, alike, only) == ("left", 0.0, True)


def test_the_same_names_are_most_alike():
    assert best("a/x", ["a/x", "b/y"], ["a/x", "b/y"])[1] == pytest.approx(1)
