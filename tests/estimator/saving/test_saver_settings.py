"""What `with_scaffold` was told, as data."""

import pytest

from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator.saving.saver_settings import (
    ON_DAMAGED,
    ON_MISSING,
    Settings,
)


def test_nothing_said_is_tf2_and_every_problem_an_error():
    settings = Settings()
    assert settings.format is formats.TF2
    assert not settings.falls_back
    assert not settings.initializes_missing
    assert not settings.renames


@pytest.mark.parametrize("on_damaged", ON_DAMAGED)
@pytest.mark.parametrize("on_missing", ON_MISSING)
def test_each_word_means_one_thing(on_damaged, on_missing):
    settings = Settings(on_damaged=on_damaged, on_missing=on_missing)
    assert settings.falls_back == (on_damaged == "fall_back")
    assert settings.initializes_missing == (on_missing == "initialize")


def test_the_same_said_twice_is_the_same():
    assert Settings(formats.DUAL) == Settings(formats.DUAL)
    assert Settings(formats.DUAL) != Settings(formats.TF1)
