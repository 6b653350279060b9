"""The messages of docs/errors.md that TensorFlow 2.15 does not say."""

import os
import subprocess

import pytest

from tests.compat.environments import READERS, VENVS
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat

_DENSE = """
import sys, tensorflow
keras = tensorflow.keras

def network(*units, built=True):
    layers = [keras.layers.Dense(n) for n in units]
    return keras.Sequential([keras.Input((3,)), *layers] if built else layers)
"""
_WEIGHTS = f"{_DENSE}\nnetwork(2).save_weights(sys.argv[1] + '/w.weights.h5')\n"
SINCE_2_16 = {
    "module 'tensorflow' has no attribute 'estimator'": (
        "import tensorflow; tensorflow.estimator"
    ),
    "module 'tensorflow._api.v2.compat.v1' has no attribute 'estimator'": (
        "import tensorflow; tensorflow.compat.v1.estimator"
    ),
    "No module named 'tensorflow_estimator'": "import tensorflow_estimator",
    "keras.optimizers.legacy... is not supported in Keras 3": (
        "import tensorflow; tensorflow.keras.optimizers.legacy.Adam()"
    ),
    "cannot import name 'estimator' from 'tensorflow.compat.v1'": (
        "from tensorflow.compat.v1 import estimator"
    ),
    "No module named 'tensorflow.python.estimator'": (
        "from tensorflow.python.estimator import gc"
    ),
    "File format not supported: filepath=... Keras 3 only supports V3 ... files": (
        "import tensorflow; tensorflow.keras.models.load_model('tests/testdata/digits')"
    ),
    "... is not available with Keras 3.": (
        "import tensorflow; tensorflow.compat.v1.layers.dense"
    ),
    "module 'keras._tf_keras.keras... has no attribute ...": (
        "import tensorflow; tensorflow.keras.layers.DenseFeatures"
    ),
    "No module named 'tensorflow.compat.v1.estimator'": (
        "import tensorflow.compat.v1.estimator"
    ),
    "A KerasTensor cannot be used as input to a TensorFlow function.": (
        f"{_DENSE}tensorflow.reduce_mean(keras.Input((3,)))"
    ),
    "property 'iterations' of ... object has no setter": (
        f"{_DENSE}keras.optimizers.Adam().iterations = 0"
    ),
    "module 'keras.utils' has no attribute 'track_tf1_style_variables'": (
        "import tensorflow; tensorflow.compat.v1.keras.utils.track_tf1_style_variables"
    ),
    "No module named 'tensorflow.estimator'": (
        "from tensorflow.estimator import Estimator"
    ),
    "The filename must end in ....weights.h5": (
        f"{_DENSE}network(2).save_weights(sys.argv[1] + '/ckpt')"
    ),
    "Invalid filepath extension for saving.": (
        f"{_DENSE}network(2).save(sys.argv[1] + '/model')"
    ),
    "... argument is deprecated in Keras 3.": (
        f"{_DENSE}network(2).save(sys.argv[1] + '/model', save_format='tf')"
    ),
    "objects could not be loaded. Example error message for object ...": (
        f"{_WEIGHTS}network(2, 2).load_weights(sys.argv[1] + '/w.weights.h5')"
    ),
    "You are loading weights into a model that has not yet been built.": (
        f"{_WEIGHTS}network(2, built=False).load_weights(sys.argv[1] + '/w.weights.h5')"
    ),
    "This optimizer can only be called for the variables it was originally built "
    "with.": (
        f"{_DENSE}adam = keras.optimizers.Adam(); one, two = network(2), network(2)\n"
        "adam.build(one.trainable_variables)\n"
        "adam.apply([v * 1 for v in two.trainable_variables], two.trainable_variables)"
    ),
    "Argument(s) not recognized: {'lr': ...}": (
        f"{_DENSE}keras.optimizers.Adam(lr=0.1)"
    ),
    "Detected incompatible Protobuf Gencode/Runtime versions when loading ...": (
        "from google.protobuf import runtime_version as r\n"
        "r.ValidateProtobufRuntimeVersion(r.Domain.PUBLIC, 99, 0, 0, '', 'x.proto')"
    ),
    "was removed in the NumPy 2.0 release.": "import numpy; numpy.float_",
    "Please ensure the file is an accessible ....keras... zip file.": (
        "import tensorflow; tensorflow.keras.models.load_model('none.keras')"
    ),
    "Keras cannot be imported. Check that it is installed.": (
        "import os, sys; sys.modules['tf_keras'] = None\n"
        "os.environ['TF_USE_LEGACY_KERAS'] = '1'\n"
        "import tensorflow; tensorflow.keras.layers"
    ),
}
WITH_THE_PACKAGE = {
    "cannot import name 'estimator_training' from 'tensorflow.python.distribute'": (
        "import tensorflow_estimator"
    ),
}
IN_1_15 = {
    "Error while reading resource variable ... from Container: ...": (
        "import tensorflow as tf\n"
        "tf.Session().run(tf.get_variable('kernel', [], use_resource=True))"
    ),
    "You are trying to load a weight file containing ... layers into a model with "
    "... layers.": (
        f"{_DENSE.replace('keras.Input', 'keras.layers.InputLayer')}"
        "network(2, 2).save_weights(sys.argv[1] + '/w.h5')\n"
        "network(2).load_weights(sys.argv[1] + '/w.h5')"
    ),
    "Failed to get matching files on ...": (
        "import tensorflow; tensorflow.train.load_checkpoint('no_dir/model.ckpt')"
    ),
}


SAID_BY = {**SINCE_2_16, **WITH_THE_PACKAGE, **IN_1_15}


def test_these_are_the_ones_of_the_index():
    from tests.test_error_messages import SAID_ELSEWHERE

    assert set(SAID_BY) == SAID_ELSEWHERE


@pytest.mark.parametrize("message", SAID_BY)
def test_another_tensorflow_says_it(message, tmp_path):
    from tests.test_error_messages import matches

    python = READERS["1.15.5" if message in IN_1_15 else "2.21.0"]
    if message in WITH_THE_PACKAGE:
        python = VENVS / "tf221py313" / "bin" / "python"
    if not python.exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    kept_out = ("TF_USE_LEGACY_KERAS", "TF2_BEHAVIOR")
    done = subprocess.run(
        [str(python), "-c", SAID_BY[message], str(tmp_path)],
        cwd=REPOSITORY,
        env={k: v for k, v in os.environ.items() if k not in kept_out},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert matches(message, done.stderr), done.stderr[-3000:]
