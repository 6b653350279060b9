"""The messages of docs/errors.md that TensorFlow 2.15 does not say."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.compat.environments import READERS, TORCH, VENVS, run
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
    "Could not interpret optimizer identifier: ...": (
        "import keras, tf_keras\n"
        "tf_keras.Sequential().compile(keras.optimizers.Adam(), 'mse')"
    ),
    "Only instances of ... can be added to a Sequential model.": (
        "import keras, tf_keras; keras.Sequential([tf_keras.layers.Dense(1)])"
    ),
    "could not be deserialized properly": (
        "import keras, sys, tf_keras\n"
        "layer = tf_keras.layers.Dense(2, input_shape=(3,))\n"
        "tf_keras.Sequential([layer]).save(sys.argv[1] + '/old.keras')\n"
        "keras.models.load_model(sys.argv[1] + '/old.keras')"
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
#: In TensorFlow 1.15: one variable, saved under two paths.
_TWICE = """
import sys
import tensorflow as tf
tf.compat.v1.enable_eager_execution()
variable = tf.Variable(1.0)
prefix = tf.train.Checkpoint(a=variable, b=variable).save(sys.argv[1] + '/ckpt')
"""
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
    "but not all checkpointed values were used.": (
        f"{_TWICE}tf.train.Checkpoint(q=tf.Variable(0.0)).restore(prefix)\n"
        "import gc; gc.collect()"
    ),
    "Inconsistent references when loading the checkpoint into this object graph.": (
        f"{_TWICE}tf.train.Checkpoint(a=tf.Variable(0.0), b=tf.Variable(0.0))"
        ".restore(prefix)"
    ),
    "Some Python objects were not bound to checkpointed values": (
        f"{_TWICE}tf.train.Checkpoint(c=tf.Variable(0.0)).restore(prefix)"
        ".assert_existing_objects_matched()"
    ),
    "requires a different Python: ... not in '>=3.9'": (
        "import subprocess, sys\n"
        "options = ['--no-deps', '--no-index', '--no-build-isolation', '--target']\n"
        "subprocess.run([sys.executable, '-m', 'pip', 'install', *options,"
        " sys.argv[1], '.'])"
    ),
    "Failed to get matching files on ...": (
        "import tensorflow; tensorflow.train.load_checkpoint('no_dir/model.ckpt')"
    ),
}


#: In the environment of PyTorch and transformers, which has no TensorFlow.
_DIGITS = "tests/testdata/digits/model.ckpt-300"
_LINEAR = """
import torch
model = torch.nn.Sequential()
model.add_module("logits", torch.nn.Linear(256, 10))
"""
OF_PYTORCH = {
    "Weights only load failed.": "import torch; torch.load(f'{DIGITS}.index')",
    "size mismatch for ...: copying a param with shape torch.Size(...) from "
    "checkpoint": f"{_LINEAR}model.load_state_dict("
    "{'logits.weight': torch.zeros(256, 10), 'logits.bias': torch.zeros(10)})",
    "Missing key(s) in state_dict: ...": (
        f"{_LINEAR}model.load_state_dict({{'logits/kernel': torch.zeros(256, 10)}})"
    ),
    "Error no file named ... found in directory ...": (
        "import sys, transformers\n"
        "transformers.BertConfig().save_pretrained(sys.argv[1])\n"
        "transformers.BertModel.from_pretrained(sys.argv[1])"
    ),
    "Loading a TensorFlow model in PyTorch, requires TensorFlow to be installed.": (
        "import transformers\n"
        "transformers.BertModel.from_pretrained(f'{DIGITS}.index', from_tf=True,\n"
        "    config=transformers.BertConfig())"
    ),
}
#: In this environment, with the packages of that one behind its own.
_BERT = """
import transformers
from transformers.models.bert import modeling_bert
config = transformers.BertConfig(vocab_size=31, hidden_size={size}, num_labels=5,
    num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
    max_position_embeddings=12)
modeling_bert.load_tf_weights_in_bert(
    transformers.BertForSequenceClassification(config), config,
    "tests/conversion/published/bert_classifier/model.ckpt")
"""
OF_TRANSFORMERS = {
    "object has no attribute 'bias'": _BERT.format(size=16),
    "Pointer shape ... and array shape ... mismatched": _BERT.format(size=8),
}
#: With TensorFlow 2.21, the packages of that environment behind its own, no tf-keras.
WITHOUT_TF_KERAS = {
    "Your currently installed version of Keras is Keras 3, but this is not yet "
    "supported in Transformers.": (
        "sys.modules['tf_keras'] = None\n"
        "import transformers; transformers.TFBertModel(transformers.BertConfig())"
    ),
}
#: NumPy of the time of a TensorFlow.
_LOADED = "import numpy; numpy.load(f'{DIGITS}.index')"
OF_NUMPY = {
    "Cannot load file containing pickled data when allow_pickle=False": "1.15.5",
    "This file contains pickled (object) data.": "2.21.0",
}
#: With TensorFlow 2.21 and the tf-keras of this environment.
BESIDE_2_21 = {
    "has no attribute 'register_load_context_function'": "import tf_keras",
}
SAID_BY = {**SINCE_2_16, **WITH_THE_PACKAGE, **IN_1_15}


#: TensorFlow here beside the NumPy of TensorFlow 2.21.
WITH_NUMPY_2 = {
    "A module that was compiled using NumPy 1.x cannot be run in": "import tensorflow"
}
OTHERS_SAY = {
    *(*OF_PYTORCH, *OF_TRANSFORMERS, *OF_NUMPY),
    *(*WITHOUT_TF_KERAS, *BESIDE_2_21),
}


def test_these_are_the_ones_of_the_index():
    from tests import test_error_messages as here

    assert {*SAID_BY, *WITH_NUMPY_2} == here.SAID_ELSEWHERE
    assert {*OTHERS_SAY, *here.SAID_BY_OTHERS} == set(here.OF_OTHER_PROGRAMS)


def says(message, python, code, path, **environment):
    """Whether a program that ends in an error says a message."""
    from tests.test_error_messages import matches

    kept_out = ("TF_USE_LEGACY_KERAS", "TF2_BEHAVIOR")
    inherited = {k: v for k, v in os.environ.items() if k not in kept_out}
    done = subprocess.run(
        [str(python), "-c", code, str(path)],
        cwd=REPOSITORY,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert matches(message, done.stderr), done.stderr[-3000:]


@pytest.mark.parametrize("message", SAID_BY)
def test_another_tensorflow_says_it(message, tmp_path):
    python = READERS["1.15.5" if message in IN_1_15 else "2.21.0"]
    if message in WITH_THE_PACKAGE:
        python = VENVS / "tf221py313" / "bin" / "python"
    if not python.exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    says(message, python, SAID_BY[message], tmp_path)


#: The registry's torchvision is built for CUDA: beside this PyTorch it does not load.
ALONE = "import sys; sys.modules['torchvision'] = None"


@pytest.mark.parametrize("message", OF_PYTORCH)
def test_pytorch_and_transformers_say_it(message, tmp_path):
    if not TORCH.exists():
        pytest.skip("no interpreter with PyTorch (see make compat)")
    code = f"{ALONE}\nDIGITS = {_DIGITS!r}\n{OF_PYTORCH[message]}"
    says(message, TORCH, code, tmp_path)


@pytest.mark.parametrize("message", OF_NUMPY)
def test_numpy_says_it(message, tmp_path):
    python = READERS[OF_NUMPY[message]]
    if not python.exists():
        pytest.skip("no interpreter with that NumPy (see make compat)")
    says(message, python, f"DIGITS = {_DIGITS!r}\n{_LOADED}", tmp_path)


def packages_of(python, reader):
    """The directory of an environment's packages, for a Python of the same version."""
    asked = "import sys; print(sys.version_info[:2], sys.path[-1], sep='|')"
    if not python.exists() or not reader.exists():
        pytest.skip("no interpreter with these packages (see make compat)")
    versions, directories = zip(
        *(
            subprocess.run(
                [str(each), "-c", asked], capture_output=True, text=True, check=True
            ).stdout.split("|")
            for each in (python, reader)
        )
    )
    if len(set(versions)) > 1:
        pytest.skip("these packages are there for another Python only")
    return directories[0].strip()


@pytest.mark.parametrize("message", OF_TRANSFORMERS)
def test_transformers_say_it_beside_tensorflow(message, tmp_path):
    """As their users had both in one environment."""
    packages = packages_of(TORCH, READERS["2.15.1"])
    # The registry's torchvision is built for CUDA, and nothing here needs it.
    path = (
        f"import sys; sys.path.append({packages!r}); sys.modules['torchvision'] = None"
    )
    code = f"{path}\n{OF_TRANSFORMERS[message]}"
    says(message, sys.executable, code, tmp_path)


@pytest.mark.parametrize("message", WITHOUT_TF_KERAS)
def test_transformers_say_it_without_tf_keras(message, tmp_path):
    packages = packages_of(TORCH, READERS["2.21.0"])
    path = f"{ALONE}\nsys.path.append({packages!r})"
    code = f"{path}\n{WITHOUT_TF_KERAS[message]}"
    says(message, READERS["2.21.0"], code, tmp_path)


@pytest.mark.parametrize("message", WITH_NUMPY_2)
def test_tensorflow_says_it_beside_another_numpy(message, tmp_path):
    if np.__version__ >= "2":
        pytest.skip("TensorFlow is for NumPy 2 here")
    packages = pathlib.Path(packages_of(READERS["2.21.0"], READERS["2.15.1"]))
    for name in ("numpy", "numpy.libs"):
        (tmp_path / name).symlink_to(packages / name)
    beside = {"PYTHONPATH": str(tmp_path)}
    says(message, sys.executable, WITH_NUMPY_2[message], tmp_path, **beside)


@pytest.mark.parametrize("message", BESIDE_2_21)
def test_packages_of_another_time_say_it(message, tmp_path):
    if not READERS["2.21.0"].exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    older = importlib.util.find_spec("tf_keras")
    package = pathlib.Path(older.origin).parent
    if "2.15" not in (package / "__init__.py").read_text(encoding="utf-8"):
        pytest.skip("the tf-keras of this environment is no older one")
    (tmp_path / "tf_keras").symlink_to(package)
    beside = {"PYTHONPATH": str(tmp_path)}
    says(message, READERS["2.21.0"], BESIDE_2_21[message], tmp_path, **beside)


_WEIGHTS_OF_BOTH = """
import sys
import keras, numpy, tf_keras

def network(kind, start):
    layers = kind.layers
    image = start((8, 8, 3))
    net = layers.Conv2D(4, 3, name="conv")(image)
    net = layers.BatchNormalization(name="norm")(net)
    net = layers.DepthwiseConv2D(3, name="depthwise")(net)
    net = layers.LSTM(5, name="lstm")(layers.Reshape((16, 4))(net))
    return kind.Model(image, layers.Dense(2, name="out")(net))

old, new = network(tf_keras, tf_keras.Input), network(keras, keras.Input)
random = numpy.random.RandomState(0)
old.set_weights([random.uniform(0.01, 0.3, w.shape) for w in old.get_weights()])
old.save_weights(sys.argv[1] + "/old.weights.h5")
new.load_weights(sys.argv[1] + "/old.weights.h5")
images = random.uniform(size=(2, 8, 8, 3)).astype("float32")
numpy.testing.assert_allclose(new(images), old(images), rtol=1e-5)
assert numpy.ptp(old(images)) > 1e-3
"""


def test_keras_3_reads_the_weights_that_tf_keras_saves(tmp_path):
    """Which weights-file.md says of a `.keras` file of Keras 2."""
    python = READERS["2.21.0"]
    if not python.exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    run(python, "-c", _WEIGHTS_OF_BOTH, tmp_path)
