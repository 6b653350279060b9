"""All ways together, in their order."""

from estimator_ckpt.maps.suggest.pairing import matching
from tests.maps.suggest.pairing.models import kernels, layers


def matched(source, target, ordered=False):
    sides = layers(source), layers(target)
    places = {one: i for side in sides for i, one in enumerate(side)} if ordered else {}
    made = matching.match(*sides, places)
    return {one.name: image.name for one, image in made.images.items()}


def test_each_way_goes_on_from_what_others_decided():
    source = kernels("net/fc_1", "net/fc_2", "net/a", "net/b")
    source |= kernels("net/emb", shape=(100, 8))
    target = kernels("m/dense_1", "m/dense_2", "m/a", "m/b")
    target |= kernels("m/tok", shape=(100, 8))
    assert matched(source, target) == {
        "net/emb": "m/tok",
        "net/fc_1": "m/dense_1",
        "net/fc_2": "m/dense_2",
        "net/a": "m/a",
        "net/b": "m/b",
    }


def test_a_place_is_no_evidence_against_names():
    """A model that was saved in another order than it was built."""
    source, target = kernels("fc_1", "fc_2"), kernels("fc_2", "fc_1")
    assert matched(source, target, ordered=True) == {"fc_1": "fc_1", "fc_2": "fc_2"}


def test_two_towers_that_nothing_tells_apart_stay_undecided():
    assert matched(kernels("a/fc", "b/fc"), kernels("x/fc", "y/fc")) == {}
