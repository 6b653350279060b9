"""What is said where Keras goes on otherwise; by how much, trajectories say."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.keras.objects.descriptions import Generation
from estimator_ckpt.keras.optimizers import caveats
from estimator_ckpt.keras.optimizers.optimizer_state import State
from tests.keras import described

LEGACY, KERAS_3 = Generation.LEGACY, Generation.KERAS_3


def of(algorithm, known, *, embeddings=False, steps=7, **options):
    state = State(algorithm, roles.TF1, {}, steps, 7)
    optimizer = described.optimizer(known, **options)
    return caveats.of(state, optimizer, steps, embeddings)


@pytest.mark.parametrize(
    ("algorithm", "known", "options", "said"),
    [
        (algorithms.ADAM, "Adam", {}, None),
        (
            algorithms.ADAM,
            "Adam",
            {"settings": {"weight_decay": 0.1}},
            "decays weights",
        ),
        (
            algorithms.MOMENTUM,
            "SGD",
            {"has_schedule": True, "slots": ("accumulator",)},
            "under a schedule",
        ),
        (
            algorithms.ADAGRAD,
            "Adagrad",
            {"generation": LEGACY, "slots": ("accumulator",)},
            "epsilon=1e-20 is exact",
        ),
        (
            algorithms.ADAGRAD,
            "Adagrad",
            {"settings": {"epsilon": 1e-20}, "generation": LEGACY, "slots": ()},
            None,
        ),
        (
            algorithms.RMSPROP,
            "RMSprop",
            {"generation": LEGACY, "slots": ("rms",)},
            "momentum=1e-30 is exactly tf1's",
        ),
        (
            algorithms.RMSPROP,
            "RMSprop",
            {"generation": LEGACY, "slots": ("rms", "momentum")},
            None,
        ),
        (
            algorithms.ADAM,
            "Adam",
            {"generation": LEGACY, "settings": {"decay": 0.1}},
            "decay=0 is exact",
        ),
        (algorithms.FTRL, "Ftrl", {"settings": {"beta": 0.1}}, "beta=0 is exact"),
        (algorithms.BERT, "AdamW", {"settings": {"weight_decay": 0.1}}, "no bias"),
        (algorithms.ADAM, "Nadam", {"called": "Nadam"}, "momentum schedule"),
    ],
)
def test_of_an_option(algorithm, known, options, said):
    found = of(algorithm, known, **options)
    if said is None:
        assert found == []
    else:
        assert [said in sentence for sentence in found] == [True]


def test_rows_that_no_gradient_touched():
    slots = ("accumulator",)
    (said,) = of(algorithms.MOMENTUM, "SGD", embeddings=True, slots=slots)
    assert "tf.keras.optimizers.legacy is exact" in said
    assert not of(
        algorithms.MOMENTUM, "SGD", embeddings=True, slots=slots, generation=LEGACY
    )
    assert len(of(algorithms.ADAM, "Adam", embeddings=True, generation=KERAS_3)) == 1


def test_a_schedule_that_another_count_goes_on_from():
    (said,) = of(algorithms.ADAM, "Adam", steps=5, has_schedule=True)
    assert said.startswith("Adam: it took 5 steps, and the global step is 7")
    assert not of(algorithms.ADAM, "Adam", steps=7, has_schedule=True)


def test_the_way_back_says_the_same_of_settings():
    optimizer = described.optimizer(settings={"weight_decay": 0.1})
    (said,) = caveats.of_way_back(algorithms.ADAM, optimizer, False)
    assert said == "Adam: it decays weights, which tf1's Adam does not"
