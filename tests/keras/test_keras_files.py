"""Keras files: which paths are ones, what may be in them, and what Keras reads back."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.keras import keras_files
from estimator_ckpt.keras.objects.descriptions import TrackableError
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("new.weights.h5", True),
        ("new.keras", True),
        ("new.h5", True),  # refused later, with what it should be called
        ("new/model.ckpt", False),
        ("keras", False),
    ],
)
def test_which_paths_are_keras_files(path, is_one):
    assert keras_files.is_one(path) is is_one


@pytest.fixture(scope="module")
def net():
    keras = pytest.importorskip("tensorflow").keras
    model = keras.Sequential([keras.layers.Dense(3, name="net")])
    model.build((None, 2))
    return model


def test_what_cannot_be_written_is_refused_first(net, tmp_path):
    with pytest.raises(ec.CheckpointError, match=r"ends in \.weights\.h5"):
        keras_files.check(net, tmp_path / "new.h5", overwrite=False)
    with pytest.raises(TrackableError, match="give the model itself"):
        keras_files.check({"net": net}, tmp_path / "new.keras", overwrite=False)
    (tmp_path / "new.keras").touch()
    with pytest.raises(DestinationExistsError, match="already there"):
        keras_files.check(net, tmp_path / "new.keras", overwrite=False)
    keras_files.check(net, tmp_path / "new.keras", overwrite=True)


@pytest.mark.parametrize("name", ["new.weights.h5", "new.keras"])
def test_keras_reads_the_values_and_the_model_has_its_own_again(net, tmp_path, name):
    written = described.values()
    before = [value.copy() for value in net.get_weights()]
    with described.source(tmp_path / "c", written):
        ec.convert_for(net, tmp_path / "c", tmp_path / name)
    for mine, now in zip(before, net.get_weights()):
        np.testing.assert_array_equal(mine, now)
    if name.endswith(".keras"):
        models = pytest.importorskip("tensorflow").keras.models
        read = models.load_model(tmp_path / name)
    else:
        read = type(net).from_config(net.get_config())
        read.build((None, 2))
        read.load_weights(str(tmp_path / name))
    for name, value in zip((KERNEL, BIAS), read.get_weights()):
        np.testing.assert_array_equal(value, written[name])
