"""Which layers come before and after others, by names and by places."""

import itertools

from estimator_ckpt.maps.suggest.model_layers import ordering
from tests.maps.suggest.pairing.models import kernels, layers

NAMES = ["encoder/block_1", "encoder/block_2", "decoder/block_1", "user", "item"]
LAYERS = layers(kernels(*NAMES))


def names_of(bits):
    return {NAMES[i] for i in range(len(NAMES)) if bits >> i & 1}


def test_numbers_and_flows_say_what_comes_first():
    before, after = ordering.Order(LAYERS, {}).around(LAYERS[1])
    assert names_of(before) == {"encoder/block_1"}
    assert names_of(after) == {"decoder/block_1"}


def test_all_at_once_is_as_two_by_two():
    places = {LAYERS[3]: 1, LAYERS[4]: 0}
    for known in ({}, places):
        order = ordering.Order(LAYERS, known)
        for (i, a), (j, b) in itertools.permutations(enumerate(LAYERS), 2):
            is_after = bool(order.around(a)[1] >> j & 1)
            assert is_after == ordering.is_before(a, b, known), (NAMES[i], NAMES[j])


def test_places_decide_where_they_are_known():
    user, item = LAYERS[3:]
    assert not ordering.is_before(user, item, {})
    assert ordering.is_before(user, item, {user: 0, item: 1})


def test_an_order_that_names_contradict_is_none():
    places = {one: i for i, one in enumerate(LAYERS)}
    assert ordering.are_in_order(LAYERS, places)
    assert not ordering.are_in_order(LAYERS, {one: -i for one, i in places.items()})


def test_two_contradict_if_a_pair_is_before_one_and_after_the_other():
    assert ordering.contradict((0b01, 0), (0, 0b01))
    assert not ordering.contradict((0b01, 0b10), (0b01, 0))
