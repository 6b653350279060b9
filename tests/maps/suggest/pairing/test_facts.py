"""Which numbers became which, and what that says of others."""

from estimator_ckpt.maps.suggest.model_layers.layers import families
from estimator_ckpt.maps.suggest.pairing.facts import Counts, NumberFacts
from tests.maps.suggest.pairing.models import kernels, layers


def sides(source, target):
    return layers(kernels(*source)), layers(kernels(*target))


def test_a_number_that_is_the_same_everywhere_is_no_count():
    side = layers(kernels("darknet53/conv_1", "darknet53/conv_2"))
    (count,) = Counts(side).of(side[1])
    assert count.numbers == (2,)
    assert count.place[-1] == "#"


def test_the_rank_is_that_among_siblings():
    side = layers(kernels("a/x_2", "a/x_5", "a/x_9"))
    assert [Counts(side).rank(one) for one in side] == [0, 1, 2]


def test_a_number_that_became_one_is_no_other():
    source, target = sides(["c_1", "c_2", "c_3"], ["x_0", "x_1", "x_2"])
    facts = NumberFacts(source, target)
    facts.add(source[0], target[0])
    assert facts.allow(source[1], target[1])
    assert not facts.allow(source[1], target[0])
    assert not facts.allow(source[0], target[1])
    assert facts.image_numbers(source[0], target[0]) == (0,)
    assert facts.target_numbers(target[2]) == (2,)


def test_where_one_became_two_nothing_is_said():
    source, target = sides(["c_1", "c_2"], ["x_0", "x_1"])
    facts = NumberFacts(source, target)
    facts.add(source[0], target[0])
    facts.add(source[0], target[1])
    assert facts.allow(source[1], target[0])
    assert facts.image_numbers(source[0], target[0]) is None


def test_families_are_paired_downwards_where_numbers_count_down():
    source, target = sides(
        [*(f"a_{i}/k" for i in range(3)), *(f"a_{i}/m" for i in range(3))],
        [*(f"b_{i}/k" for i in range(3)), *(f"b_{i}/m" for i in range(3))],
    )
    facts = NumberFacts(source, target)
    for i in range(3):
        facts.add(source[i], target[2 - i])
    (mine,), (theirs,) = families(source[3:]), families(target[3:])
    pairs, is_telling = facts.arranged(mine, theirs)
    assert {a.name: b.name for a, b in pairs} == {
        "a_0/m": "b_2/m",
        "a_1/m": "b_1/m",
        "a_2/m": "b_0/m",
    }
    assert is_telling
