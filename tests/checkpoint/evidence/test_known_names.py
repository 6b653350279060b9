"""Names that say by themselves what a variable is for."""

import pytest

from estimator_ckpt.checkpoint.evidence import known_names


@pytest.mark.parametrize(
    ("name", "is_average"),
    [
        ("ExponentialMovingAverage", True),
        ("ExponentialMovingAverage_2", True),
        ("ema", True),
        ("ema_0.999", True),
        ("my_shadow", True),
        ("SWA", True),
        ("emanate", False),
        ("schema", False),
        ("average_pool", False),
        ("kernel", False),
    ],
)
def test_what_averages_are_called(name, is_average):
    assert known_names.is_average(name) is is_average


def test_a_group_counts_where_all_of_it_stands_together():
    names = {"m/total", "m/count", "n/total"}
    groups = known_names.METRICS
    assert known_names.is_complete("total", "m/", groups, names)
    assert not known_names.is_complete("total", "n/", groups, names)
    assert not known_names.is_complete("kernel", "m/", groups, names | {"m/kernel"})


def test_what_layers_train_is_never_a_slot():
    assert {"kernel", "moving_mean", "mask"} <= known_names.NO_SLOTS
    assert "Adam" not in known_names.NO_SLOTS
