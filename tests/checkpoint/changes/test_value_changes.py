"""Differences of variables and of layers: the right numbers, of any numbers."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.changes.value_changes import (
    Change,
    layers,
    measure,
)


@pytest.mark.parametrize(
    ("before", "after", "distances"),
    [
        (
            np.int64([2**62, -(2**63), 5]),
            np.int64([2**62 + 1, 2**63 - 1, 5]),
            [1, 2**64],
        ),
        (np.uint64([2**64 - 1, 0]), np.uint64([2**64 - 3, 2]), [2, 2]),
        (np.uint8([0, 255]), np.uint8([255, 0]), [255, 255]),
    ],
)
def test_integers_that_no_float64_tells_apart_differ(before, after, distances):
    changed = measure(before, after)
    assert changed == (len(distances), float(max(distances)), float(sum(distances)))


class TestLayers:
    def test_the_mean_is_over_all_elements(self):
        (layer,) = layers(
            [
                Change("a/kernel", roles.TRAINABLE, 6, 2.0, 5.0),
                Change("a/bias", roles.TRAINABLE, 2),
                Change("a/kernel/Adam", roles.SLOT, 6, 100.0, 100.0),
            ]
        )
        assert layer.name == "a"
        assert layer.mean_abs == 12 / 8
        assert layer.max_abs == 5.0
        assert (layer.num_variables, layer.num_changed, layer.num_elements) == (2, 1, 8)

    def test_without_a_graph_numbers_are_in_order(self):
        names = ["layer_10/w", "layer_2/w", "layer_1/w", "embeddings/w", "bias"]
        found = layers(Change(n, roles.MODEL, 1) for n in names)
        assert [layer.name for layer in found] == [
            *("bias", "embeddings", "layer_1", "layer_2", "layer_10")
        ]

    def test_the_graphs_order_comes_first(self):
        changes = [Change(n, roles.MODEL, 1) for n in ("a/w", "b/w", "c/w")]
        found = layers(changes, {"b/w": 0, "a/w": 1})
        assert [layer.name for layer in found] == ["b", "a", "c"]
