"""enable_estimator, with the TensorFlow that is here: each test in a fresh interpreter.

With TensorFlow 2.12 to 2.15 the same must hold with nothing done.
"""

import os
import subprocess
import sys

import pytest

from estimator_ckpt.tf_private.estimator_runtime import installation
from tests.conftest import REPOSITORY

IS_NATIVE = installation.is_native()
through_the_runtime = pytest.mark.skipif(IS_NATIVE, reason="TensorFlow has Estimator")

TRAINS = """
import tempfile
import numpy as np
def model_fn(features, labels, mode):
    logits = tf.compat.v1.layers.dense(features["x"], 1)
    loss = tf.reduce_mean((logits - labels) ** 2)
    step = tf.compat.v1.train.get_global_step()
    train_op = tf.compat.v1.train.AdamOptimizer(0.1).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
def input_fn():
    x = np.ones([8, 2], np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, x[:, :1])).repeat().batch(4)
estimator = tf.estimator.Estimator(model_fn, tempfile.mkdtemp())
estimator.train(input_fn, steps=3).train(input_fn, max_steps=5)
assert estimator.evaluate(input_fn, steps=1)["global_step"] == 5
"""


def python(code, **environment):
    """Runs code in an interpreter that nothing has prepared."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ESTIMATOR_CKPT_RUN")
        and name not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**clean, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def printed(code, **environment):
    done = python(code, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


@pytest.mark.parametrize(
    "imports",
    [
        "import estimator_ckpt as ec; ec.enable_estimator(); import tensorflow as tf",
        "import tensorflow as tf, estimator_ckpt as ec; ec.enable_estimator()",
        "import tensorflow as tf; import estimator_ckpt as ec; ec.with_scaffold('tf2')",
        "import tensorflow as tf; from estimator_ckpt import warm_start_from",
    ],
    ids=["before tensorflow", "after tensorflow", "with_scaffold", "warm_start_from"],
)
def test_a_job_trains_resumes_and_evaluates(imports):
    printed(f"{imports}\n{TRAINS}")


def test_it_returns_tf_estimator_however_often_it_is_called():
    code = (
        "import sys, estimator_ckpt as ec\n"
        "first = ec.enable_estimator()\n"
        "finders = list(sys.meta_path)\n"
        "import tensorflow as tf\n"
        "assert ec.enable_estimator().Estimator is first.Estimator\n"
        "assert first.Estimator is tf.estimator.Estimator\n"
        "assert tf.compat.v1.estimator.Estimator is not tf.estimator.Estimator\n"
        "assert sys.meta_path == finders\n"
    )
    printed(code)


@pytest.mark.skipif(not IS_NATIVE, reason="TensorFlow lacks Estimator")
def test_where_tensorflow_has_estimator_nothing_is_done():
    code = (
        "import os, sys, estimator_ckpt as ec\n"
        "before = list(sys.meta_path), dict(os.environ)\n"
        "estimator = ec.enable_estimator()\n"
        "import tensorflow as tf\n"
        "assert estimator is tf.estimator\n"
        "after = [x for x in sys.meta_path if 'estimator_ckpt' in type(x).__module__]\n"
        "assert not after and before[1].items() <= dict(os.environ).items()\n"
        "assert 'TF_USE_LEGACY_KERAS' not in os.environ\n"
    )
    printed(code)


@through_the_runtime
def test_tf_keras_is_tf_keras_after_as_before():
    for imports in (
        "import estimator_ckpt as ec; ec.enable_estimator(); import tensorflow as tf",
        "import tensorflow as tf, estimator_ckpt as ec; ec.enable_estimator()",
    ):
        names = printed(
            f"{imports}\n"
            "import tensorflow.keras as k\n"
            "from tensorflow.keras import layers\n"
            "v1 = tf.compat.v1\n"
            "for x in (tf.keras.Model, k.Model, layers.Dense, v1.layers.dense,\n"
            "          v1.nn.rnn_cell.LSTMCell, v1.keras.Model, tf.optimizers.Adam,\n"
            "          tf.losses.MeanSquaredError, tf.initializers.Zeros):\n"
            "    print(x.__module__.split('.')[0])\n"
        )
        assert set(names) == {"tf_keras"}
        assert len(names) == 9


@through_the_runtime
@pytest.mark.parametrize(
    "use",
    [
        "tf.keras.Model",
        "tf.optimizers.Adam",
        "import tensorflow.keras",
        "from tensorflow.keras.layers import Dense",
    ],
)
def test_keras_3_in_use_is_one_line(use):
    done = python(
        f"import tensorflow as tf\n{use}\n"
        "import estimator_ckpt as ec\n"
        "try: ec.enable_estimator()\n"
        "except ImportError as error: print(error)\n"
    )
    (line,) = done.stdout.splitlines()
    assert "Keras 3" in line
    assert "estimator-ckpt run" in line


@through_the_runtime
def test_a_variable_that_asks_for_keras_3_is_overruled_with_a_warning():
    done = python(
        f"import estimator_ckpt as ec; ec.enable_estimator()\n"
        f"import tensorflow as tf\n{TRAINS}",
        TF_USE_LEGACY_KERAS="0",
    )
    assert done.returncode == 0, done.stderr
    assert "TF_USE_LEGACY_KERAS=0" in done.stderr


MISSING = (
    "import importlib.util as u; find = u.find_spec\n"
    "u.find_spec = lambda n, *a: None if n == {package!r} else find(n, *a)\n"
    "import estimator_ckpt as ec\n"
    "try: ec.enable_estimator()\n"
    "except ImportError as error: print(error)\n"
)


@pytest.mark.parametrize(
    ("package", "says"),
    [
        ("tensorflow", "pip install 'estimator-ckpt[estimator]'"),
        ("tensorflow_estimator", "pip install"),
        pytest.param(
            "tf_keras", "pip install 'tf-keras==2.", marks=through_the_runtime
        ),
    ],
)
def test_a_missing_package_is_one_line_that_says_what_to_install(package, says):
    done = python(MISSING.format(package=package))
    (line,) = done.stdout.splitlines()
    assert package.replace("_", "-") in line
    assert says in line


def test_a_tensorflow_before_2_12_is_one_line(tmp_path):
    folder = tmp_path / "tensorflow"
    folder.mkdir()
    (folder / "__init__.py").write_text("__version__ = '2.11.1'")
    done = python(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import tensorflow, estimator_ckpt as ec\n"
        "try: ec.enable_estimator()\n"
        "except ImportError as error: print(error)\n"
    )
    (line,) = done.stdout.splitlines()
    assert "2.11.1 is too old" in line
    assert "2.12" in line


def test_all_that_tensorflow_2_15_offers_of_estimator_is_there():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "estimator_ckpt",
            "run",
            "-m",
            "tests.estimator.surface",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert done.stdout.split()[0] == done.stdout.split()[2]


TPU = """
import tensorflow.compat.v1 as tf
def input_fn(params):
    return tf.data.Dataset.from_tensors(({"x": [[1.0]]}, [[1.0]])).repeat()
def model_fn(features, labels, mode, params):
    loss = tf.reduce_mean((tf.layers.dense(features["x"], 1) - labels) ** 2)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    return tf.estimator.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op)
def estimator(use_tpu):
    config = tf.estimator.tpu.RunConfig()
    return tf.estimator.tpu.TPUEstimator(
        model_fn, config=config, use_tpu=use_tpu, train_batch_size=8, params={}
    )
"""


def test_a_tpu_estimator_trains_without_a_tpu():
    code = "estimator(False).train(input_fn, steps=2)"
    printed(f"import estimator_ckpt as ec; ec.enable_estimator()\n{TPU}\n{code}")


@through_the_runtime
@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("estimator(True).train(input_fn, steps=2)", "TPU hardware"),
        ("estimator(True).evaluate(input_fn, steps=2)", "TPU hardware"),
        (
            "from tensorflow.python.tpu import session_support as s\n"
            "s.GracefulShutdownHook('model.ckpt')",
            "TPU hardware",
        ),
        (
            "from tensorflow.python.tpu import tpu_embedding as t\n"
            "t.TPUEmbedding({}, {}, 8, t.TRAINING)",
            "TPU embeddings",
        ),
        (
            "from tensorflow.python.tpu import tpu_embedding_gradient as g\n"
            "g.create_dummy_table_variables(None)",
            "TPU embeddings",
        ),
        (
            "from tensorflow.python.distribute import distribute_config\n"
            "e = tf.compat.v2.estimator\n"
            "remote = distribute_config.DistributeConfig(\n"
            "    train_distribute=tf.distribute.MirroredStrategy(['/cpu:0']),\n"
            "    remote_cluster=tf.train.ClusterSpec({'worker': ['localhost:1']}))\n"
            "made = e.Estimator(\n"
            "    model_fn, config=e.RunConfig(experimental_distribute=remote))\n"
            "e.train_and_evaluate(\n"
            "    made, e.TrainSpec(input_fn, 1), e.EvalSpec(input_fn))",
            "remote_cluster",
        ),
    ],
)
def test_what_cannot_work_is_one_sentence_when_it_is_used(use, says):
    use = "\n".join(f"    {line}" for line in use.splitlines())
    done = python(
        f"import estimator_ckpt as ec; ec.enable_estimator()\n{TPU}\n"
        f"try:\n{use}\nexcept NotImplementedError as error: print(error)\n"
    )
    assert done.stdout, done.stderr[-2000:]
    (line,) = done.stdout.splitlines()
    assert says in line
    assert "2.16" in line


USERS = """
import tensorflow as tf
from tensorflow.compat.v1 import estimator
from tensorflow.python.estimator import run_config

def model_fn(features, labels, mode):
    loss = tf.reduce_mean(tf.compat.v1.layers.dense(features, 1, name="out"))
    step = tf.compat.v1.train.get_global_step()
    train_op = tf.compat.v1.train.AdamOptimizer().minimize(loss, step)
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

def input_fn():
    return tf.data.Dataset.from_tensors((tf.ones([1, 2]), tf.ones([1]))).repeat(9)

def trackable():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
    model.build((None, 2))
    return {"model": model, "optimizer": tf.keras.optimizers.legacy.Adam()}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a user's module `users`, and the model dir `old` of its job."""
    folder = tmp_path_factory.mktemp("users")
    (folder / "users.py").write_text(USERS)
    done = command(
        folder,
        *("train", "--model_fn=users:model_fn", "--input_fn=users:input_fn"),
        *("--model_dir=old", "--max_steps=3", "--checkpoint_format=tf1"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def command(folder, *arguments, **environment):
    """`estimator-ckpt ARGUMENTS...` where nothing has prepared TensorFlow."""
    return python(
        f"import os, sys; os.chdir({str(folder)!r})\n"
        f"sys.path.insert(1, {REPOSITORY!r})\n"
        "from estimator_ckpt.cli.main import main\n"
        f"sys.argv = ['estimator-ckpt', *{arguments!r}]; main()",
        **environment,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "old", "users:model_fn", "--input_fn=users:input_fn"),
        (
            *("train", "--model_fn=users:model_fn", "--input_fn=users:input_fn"),
            *("--model_dir=new", "--max_steps=2", "--warm_start_from=old"),
        ),
        ("convert_for", "old", "new-keras", "--trackable=users:trackable"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_enable_it_by_themselves(trained, arguments):
    done = command(trained, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


def test_plan_and_convert_for_enable_it_by_themselves(trained):
    printed(
        f"import sys; sys.path.insert(0, {str(trained)!r})\n"
        "import estimator_ckpt as ec\n"
        f"old, new = {str(trained / 'old')!r}, {str(trained / 'objects')!r}\n"
        "def model_fn(features, labels, mode):\n"
        "    import users\n"
        "    return users.model_fn(features, labels, mode)\n"
        "def input_fn():\n"
        "    import users\n"
        "    return users.input_fn()\n"
        "plan = ec.plan(old, model_fn, input_fn=input_fn)\n"
        "assert not plan.problems, plan\n"
        "import users\n"
        "ec.convert_for(users.trackable(), old, new)\n"
    )
