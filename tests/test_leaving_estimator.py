"""From a TensorFlow 1.15 Estimator to `model.fit`: training goes on with no jump.

The stages of examples/leaving_estimator.py with short settings. The losses that they
must have are TensorFlow 1.15.5's own: it went on from the same checkpoint, on the same
batches (tests/testdata/values/digits-losses).
"""

import numpy as np
import pytest
from PIL import Image

import estimator_ckpt as ec
from examples import leaving_estimator as example
from model_fns import digits_keras
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

STEPS, BEYOND = 20, 10
#: float32's noise in a loss (1e-7 was measured). Without optimizer state: over 1e-3.
NOISE = 2e-6
MAP = f"{REPOSITORY}/configs/digits_keras.yaml"
STAGES = range(1, 5)


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """All stages, and the one that left the optimizer state behind."""
    work = tmp_path_factory.mktemp("leaving") / "work"
    return example.leave(work, STEPS, BEYOND, every=10)


def test_each_stage_takes_over_at_the_step_of_the_one_before(way):
    stages, _ = way
    assert [stage.first for stage in stages] == [0, 300, 320, 340, 360]
    assert [stage.last for stage in stages] == [300, 320, 340, 360, 380]
    assert all(len(stage.losses) == STEPS + BEYOND for stage in stages[1:])


@pytest.mark.parametrize("number", STAGES)
def test_what_is_evaluated_is_the_same_on_both_sides(way, number):
    found = example.hand_overs(way[0])[number - 1]
    assert found.after == pytest.approx(found.before, rel=0, abs=NOISE)


@pytest.mark.parametrize("number", STAGES)
def test_the_earlier_stage_would_have_gone_on_with_the_same_losses(way, number):
    found = example.hand_overs(way[0])[number - 1]
    assert found.steps >= BEYOND
    assert found.apart < NOISE


@pytest.mark.parametrize("number", STAGES)
def test_the_losses_are_those_that_tensorflow_1_had_by_itself(way, number):
    alone, stage = way[0][0], way[0][number]
    expected = alone.losses[stage.first : stage.first + STEPS + BEYOND]
    np.testing.assert_allclose(stage.losses, expected, rtol=0, atol=NOISE)


@pytest.mark.parametrize("number", STAGES)
def test_so_are_the_losses_on_the_held_out_images(way, number):
    alone, stage = way[0][0], way[0][number]
    steps = alone.evaluated.keys() & stage.evaluated.keys()
    assert len(steps) == 2
    for step in steps:
        assert stage.evaluated[step] == pytest.approx(
            alone.evaluated[step], rel=0, abs=NOISE
        )


def test_without_the_optimizer_state_the_losses_differ(way):
    stages, anew = way
    (found,) = example.hand_overs([stages[1], anew])
    assert found.after == pytest.approx(found.before, rel=0, abs=NOISE)  # same weights
    assert anew.losses[0] == pytest.approx(stages[2].losses[0], rel=0, abs=NOISE)
    assert found.apart > 1e-3


def test_one_step_too_few_in_iterations_is_seen(tmp_path):
    trackable = digits_keras.trackable()
    prefix = ec.convert_for(
        trackable,
        TESTDATA / "digits",
        tmp_path / "ckpt",
        assignment_map=MAP,
        iterations=299,
    )
    losses = example.Loop(trackable, prefix, step=300).train(STEPS + BEYOND)
    expected = example.from_tensorflow_1().losses[300 : 300 + STEPS + BEYOND]
    assert np.abs(np.subtract(losses, expected)).max() > 2 * NOISE


@pytest.mark.parametrize("way_of_training", [example.Loop, example.Fit])
def test_straight_from_tensorflow_1_to_keras(way_of_training, tmp_path):
    trackable = digits_keras.trackable()
    prefix = ec.convert_for(
        trackable, TESTDATA / "digits", tmp_path / "ckpt", assignment_map=MAP
    )
    losses = way_of_training(trackable, prefix).train(STEPS)
    expected = example.from_tensorflow_1().losses[300 : 300 + STEPS]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=NOISE)


class TestPlot:
    def test_it_is_an_image_with_the_colours_of_all_stages(self, way, tmp_path):
        path = example.plot(*way, tmp_path / "plot.png")
        check_image(path)

    def test_the_one_in_the_docs(self):
        path = example.ROOT / "docs" / example.PLOT
        assert path.stat().st_size < 60_000
        check_image(path)


def check_image(path):
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (1000, 700))
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert 0.5 < (pixels == 255).all(axis=1).mean() < 0.99
    for colour in [*example.COLOURS, example.CONTRAST]:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        near = np.abs(pixels.astype(int) - wanted).max(axis=1) < 12
        assert near.sum() > 50, colour
