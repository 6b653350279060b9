"""What the runtime stands on in a TensorFlow that has no tf.estimator of its own.

Where a later TensorFlow changes one of these, the test says which.
"""

import inspect
import logging
import os
import subprocess
import sys

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.estimator import runtime
from estimator_ckpt.tf_private.estimator_runtime import (
    api_names,
    deprecations,
    installation,
    legacy_keras,
)
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(
    installation.is_native(), reason="this TensorFlow has tf.estimator"
)


@pytest.fixture(autouse=True, scope="module")
def _enabled():
    runtime.enable_estimator()


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_the_lazy_loader_takes_a_name_the_globals_and_a_module():
    from tensorflow.python.util.lazy_loader import LazyLoader

    space = {}
    loader = LazyLoader("text", space, "email.charset")
    assert loader.Charset
    assert space["text"].Charset


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow",
        "tensorflow._api.v2.compat.v1",
        "tensorflow._api.v2.compat.v2",
        "tensorflow._api.v2.compat.v1.compat.v1",
        "tensorflow._api.v2.compat.v1.compat.v2",
        "tensorflow._api.v2.compat.v2.compat.v1",
        "tensorflow._api.v2.compat.v2.compat.v2",
    ],
)
def test_the_api_is_in_modules_of_these_names(name):
    assert name in sys.modules
    wrapped = getattr(sys.modules[name], "_tfmw_wrapped_module", sys.modules[name])
    assert "estimator" in vars(wrapped)
    assert api_names._folder("_v1" if name.endswith("v1") else "_v2") in list(
        sys.modules[name].__path__
    )


def test_exported_symbols_know_their_names():
    from tensorflow.python.util import tf_export

    core, estimator = (
        tf_export.API_ATTRS[name] for name in ("tensorflow", "estimator")
    )
    assert type(core) is type(estimator)
    assert len(core) == 2
    assert "estimator" in tf_export.SUBPACKAGE_NAMESPACES
    assert tf_export.get_v2_names(tf.estimator.RunConfig) == ["estimator.RunConfig"]
    assert tf_export.get_v1_names(tf.estimator.RunConfig) == ["estimator.RunConfig"]
    assert tf_export.get_v2_names(tf.Graph) == ["Graph"]


def test_deprecated_calls_are_logged_with_these_words(caplog):
    from tensorflow.python.util import deprecation

    @deprecation.deprecated(None, "Use another.")
    def old():
        return 1

    logger = logging.getLogger("tensorflow")
    level, filters = logger.level, logger.filters
    logger.setLevel(logging.WARNING)
    logger.filters = []  # ours leaves nothing of them
    try:
        assert old() == 1
    finally:
        logger.setLevel(level)
        logger.filters = filters
    (said,) = {str(record.msg) for record in caplog.records}
    assert deprecations._MARKS[0] in said


def test_the_distribute_coordinator_is_called_by_these_names():
    from tensorflow.python.distribute import (
        distribute_coordinator,
        distribute_coordinator_context,
    )

    names = parameters(distribute_coordinator.run_distribute_coordinator)
    assert names[:4] == ["worker_fn", "strategy", "eval_fn", "eval_strategy"]
    assert {"mode", "session_config"} <= set(names)
    modes = distribute_coordinator.CoordinatorMode
    assert modes.INDEPENDENT_WORKER != modes.STANDALONE_CLIENT
    context = distribute_coordinator._WorkerContext
    for attribute in (
        "cluster_spec",
        "is_chief",
        "master_target",
        "task_id",
        "task_type",
    ):
        assert isinstance(getattr(context, attribute), property)
    assert distribute_coordinator_context.get_current_worker_context() is None


def test_write_graph_asks_protobuf_through_its_modules_text_format(tmp_path):
    from tensorflow.python.framework import graph_io

    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name="one")
    asked = []
    given = graph_io.text_format

    class Listening:
        def MessageToString(self, message, *args, **options):
            asked.append(type(message).__name__)
            return given.MessageToString(message, *args, **options)

    graph_io.text_format = Listening()
    try:
        path = tf1.train.write_graph(graph.as_graph_def(), str(tmp_path), "g.pbtxt")
    finally:
        graph_io.text_format = given
    assert asked == ["GraphDef"]
    with open(path) as text:
        assert 'name: "one"' in text.read()


def test_whether_a_model_is_loaded_is_asked_of_load_context():
    from tensorflow.python.distribute import load_context

    assert not load_context.in_load_context()
    register = tf.__internal__.register_load_context_function
    before = load_context.in_load_context
    try:
        register(lambda: True)
        assert load_context.in_load_context() is True
    finally:
        load_context.in_load_context = before


def test_a_tpu_is_looked_for_in_one_place():
    from tensorflow_estimator.python.estimator.tpu import tpu_context

    context = tpu_context._InternalTPUContext
    assert context._get_tpu_system_metadata.__module__.startswith("estimator_ckpt")
    assert callable(tpu_context.tpu_system_metadata_lib._query_tpu_system_metadata)


def test_names_that_moved_are_where_they_were():
    from tensorflow.python.framework import ops

    assert callable(ops.register_tensor_conversion_function)


@pytest.mark.parametrize("asked", ["1", ""])
def test_tf_keras_and_keras_3_are_told_apart_before_they_are_loaded(asked):
    code = (
        "import os; os.environ['TF_USE_LEGACY_KERAS'] = {asked!r}\n"
        "from estimator_ckpt.estimator import runtime; runtime.offer()\n"
        "import tensorflow as tf\n"
        "from estimator_ckpt.tf_private.estimator_runtime import legacy_keras as k\n"
        "assert not k.is_keras_3_used()\n"
        "tf.compat.v1.keras.Model\n"
        "print(k.is_keras_3_used(), tf.keras.Model.__module__.split('.')[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.format(asked=asked)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "", "ESTIMATOR_CKPT_RUN": ""},
    )
    expected = ["False", "tf_keras"] if asked else ["True", "keras"]
    assert done.stdout.split() == expected
    assert legacy_keras.is_asked_for()
