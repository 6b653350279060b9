"""A full disk is one error, wherever TensorFlow met it."""

import pytest
import tensorflow as tf

from estimator_ckpt.bundle.errors import NoSpaceError
from estimator_ckpt.estimator.saving import disk_space


def write_to_a_full_device(directory):
    with disk_space.reporting(directory, "the checkpoint is lost"):
        tf.io.write_file("/dev/full", "x" * (1 << 20))


def test_a_write_to_a_full_device(tmp_path):
    with pytest.raises(NoSpaceError) as caught:
        write_to_a_full_device(str(tmp_path))
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}: No space left on device: the checkpoint is")
    assert "bytes are free" in text
    assert "\n" not in text


def test_other_errors_stay_what_they_are(tmp_path):
    reporting = disk_space.reporting(str(tmp_path), "lost")
    with pytest.raises(tf.errors.NotFoundError), reporting:
        tf.io.read_file(str(tmp_path / "nowhere"))
