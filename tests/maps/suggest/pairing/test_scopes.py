"""Where the layers of scopes went leads to where others can be."""

from estimator_ckpt.maps.suggest.model_layers.layers import families
from estimator_ckpt.maps.suggest.pairing import scopes
from estimator_ckpt.maps.suggest.pairing.scopes import Scopes
from tests.maps.suggest.pairing.models import kernels, layer, layers


def narrowed(name, target, images=(), known=()):
    """The names of what a layer can be, and where that is."""
    went = {layer(old): layer(new) for old, new in dict(images).items()}
    mine, theirs = families([layer(name)]), families(layers(kernels(*target)))
    found = Scopes(went, dict(known)).narrow(mine, theirs)[mine[0]]
    return {f.members[0].name for f in found.families}, found.where


TARGET = ["x/alpha", "y/beta"]


def test_where_nothing_is_known_it_can_be_anywhere():
    assert narrowed("a/one", TARGET) == ({"x/alpha", "y/beta"}, scopes.ANYWHERE)


def test_a_scope_leads_to_where_its_layers_went():
    found = narrowed("a/one", TARGET, images={"a/two": "x/gamma"})
    assert found == ({"x/alpha"}, scopes.IN_SCOPE)


def test_or_where_it_went_as_a_whole():
    found = narrowed("a/one", TARGET, known={("a",): ("y",)})
    assert found == ({"y/beta"}, scopes.IN_SCOPE)


def test_where_nothing_is_left_there_it_is_elsewhere():
    found = narrowed("a/one", TARGET, images={"a/two": "z/gamma"})
    assert found == ({"x/alpha", "y/beta"}, scopes.ELSEWHERE)


def test_another_number_of_layers_or_an_opposite_is_not_it():
    assert narrowed("a/one", ["x_1", "x_2"])[0] == set()
    assert narrowed("a/query", ["b/key", "b/q"])[0] == {"b/q"}
