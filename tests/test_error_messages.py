"""docs/errors.md: a real TensorFlow says each message, and its page quotes it."""

import logging
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from model_fns import guide
from tests import processes
from tests.conftest import REPOSITORY
from tests.doc_pages import blocks
from tests.testdata_paths import TESTDATA

DOCS = pathlib.Path(REPOSITORY) / "docs"
ROW = re.compile(r"^\| `([^`]+(?:`\S+`[^`]*)?)` \| (?:([^|\[]+) \| )?(\[.*) \|$")
LINK = re.compile(r"\]\(([\w/.-]+)\)")
DIGITS = str(TESTDATA / "digits" / "model.ckpt-300")
GUIDE = str(TESTDATA / "guide" / "tf1-ckpt")


def rows():
    """The messages of the index, TensorFlow's and others': {message: [pages]}."""
    own, other = {}, {}
    for line in (DOCS / "errors.md").read_text(encoding="utf-8").splitlines():
        match = ROW.match(line)
        if match:
            found = other if match[2] else own
            found[match[1]] = LINK.findall(match[3])
    return own, other


ROWS, OF_OTHER_PROGRAMS = rows()


def matches(message, text):
    """Whether `text` says the message, in which `...` stands for anything."""
    pieces = message.replace("...", "\0").split("\0")
    return re.search(".*?".join(map(re.escape, pieces)), text, re.DOTALL)


def restore(name, source=GUIDE, shape=(), resource=True, **options):
    """A TF1 Saver restores a variable of this name."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable(name, shape, use_resource=resource, **options)
        tf1.train.Saver().restore(session, source)


def partitioned():
    with tf.Graph().as_default(), tf1.Session() as session:
        halves = tf1.fixed_size_partitioner(2)
        table = list(tf1.get_variable("emb", [4], partitioner=halves))
        session.run(tf1.global_variables_initializer())
        yield {part.op.name: part for part in table}, session


def parts_of_a_saver(path):
    """The guide's dictionary of variables, on the checkpoint of a plain Saver."""
    for parts, session in partitioned():
        tf1.train.Saver().save(session, str(path))
        tf1.train.Saver(parts).restore(session, str(path))


def parts_of_a_checkpoint(path):
    for parts, _ in partitioned():
        prefix = tf.train.Checkpoint(var_list=parts).write(str(path))
    for parts, session in partitioned():
        renamed = {f"other_{name}": part for name, part in parts.items()}
        tf1.train.Saver(renamed).restore(session, prefix)


def init_from(source, name, shape=(), rules=None):
    with tf.Graph().as_default():
        tf1.get_variable(name, shape)
        tf1.train.init_from_checkpoint(source, rules or {name: name})


def saved(path, **objects):
    return tf.train.Checkpoint(**objects).save(str(path / "ckpt"))


def vanished(path):
    prefix = saved(path, v=tf.Variable(1.0), w=tf.Variable(1.0))
    status = tf.train.Checkpoint(v=tf.Variable(0.0)).restore(prefix)
    status.assert_consumed()


def left_over(path):
    """The log of a restored object that goes away before all its values are used."""
    tf.train.Checkpoint(v=tf.Variable(0.0)).restore(
        saved(path, v=tf.Variable(1.0), w=tf.Variable(1.0))
    )


def more_objects(path):
    written = tf.train.Checkpoint(v=tf.Variable(1.0)).write(str(path / "ckpt"))
    tf.train.Checkpoint(v=tf.Variable(0.0)).restore(written).assert_consumed()


def by_name():
    root = tf.train.Checkpoint(v=tf.Variable(0.0, name="head/kernel"))
    root.restore(GUIDE).assert_consumed()


def said_once(path):
    """The same in a process that has not been warned yet: its log."""
    code = (
        "from tests import test_error_messages as t\n"
        "t.tf.get_logger().setLevel('WARNING')\n"
        "t.by_name()\n"
    )
    env = {**os.environ, "PYTHONPATH": REPOSITORY}
    if env.pop("ESTIMATOR_CKPT_RUN", None):  # it does not show deprecations
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=path, env=env, stderr=subprocess.PIPE, text=True, check=False
        ).stderr
    return processes.run(["-c", code], cwd=path, env=env).stderr


def other_shape(path):
    prefix = saved(path, v=tf.Variable([1.0]))
    tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).restore(prefix)


def train(model_fn, model_dir, **options):
    estimator = tf.estimator.Estimator(model_fn, str(model_dir), **options)
    estimator.train(guide.input_fn, steps=1)


def guides_recipe(features, labels, mode):
    spec = guide.model_fn(features, labels, mode)
    (var,) = (v for v in tf1.global_variables() if v.op.name == "var")
    root = tf.train.Checkpoint(var_list={"var": var}, step=tf1.train.get_global_step())
    return spec._replace(scaffold=tf1.train.Scaffold(saver=root))


def over_a_tf1_model_dir(path):
    shutil.copytree(TESTDATA / "est-tf1", path / "job")
    train(guides_recipe, path / "job")


def over_a_tf2_model_dir(path):
    train(guides_recipe, path)
    train(guide.model_fn, path)


def canned(path):
    shutil.copytree(TESTDATA / "canned-dnn", path / "job")
    column = tf.feature_column
    words = column.categorical_column_with_vocabulary_list(
        "length_word", ["short", "middle", "long"], num_oov_buckets=1
    )
    numbers = [column.numeric_column(n) for n in ("petal_length", "petal_width")]
    columns = [*numbers, column.embedding_column(words, 2)]
    features = {
        "petal_length": [1.0],
        "petal_width": [1.0],
        "length_word": ["short"],
    }
    tf.estimator.DNNClassifier(
        [8, 4], columns, n_classes=3, model_dir=str(path / "job")
    ).train(lambda: tf.data.Dataset.from_tensors((features, [0])), steps=1)


def damaged(path, change, file=".data-00000-of-00001"):
    """Reads every tensor of a checkpoint one of whose files was changed."""
    shutil.copytree(TESTDATA / "digits", path / "job")
    change(path / "job" / f"model.ckpt-300{file}")
    reader = tf.train.load_checkpoint(str(path / "job" / "model.ckpt-300"))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def cut_off(shard):
    shard.write_bytes(shard.read_bytes()[:20_000])


def overwritten(shard):
    shard.write_bytes(bytes(500) + shard.read_bytes()[500:])


def emptied(index):
    index.write_bytes(b"")


def flipped(index):
    """A bit of the first block is another."""
    content = bytearray(index.read_bytes())
    content[60] ^= 1
    index.write_bytes(content)


def weights_of_a_layer(path, units, use_bias, by_name):
    """Keras weights of a layer of four units, into one of others."""

    def network(units, use_bias):
        options = {"use_bias": use_bias, "name": "a", "input_shape": (3,)}
        return tf.keras.Sequential([tf.keras.layers.Dense(units, **options)])

    network(4, True).save_weights(str(path / "w.h5"))
    network(units, use_bias).load_weights(str(path / "w.h5"), by_name=by_name)


def eager_in_a_graph():
    eager = tf.Variable(1.0)
    with tf.Graph().as_default():
        return eager + 1.0


def keras_before_an_estimator(path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    train(keras_model_fn, path)
    model(tf.zeros([1, 3]))


def keras_model_fn(features, labels, mode):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    loss = tf.reduce_sum(model(tf.ones([1, 1])))
    optimizer = tf1.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def variables_anew():
    tf.function(lambda: tf.Variable(1.0) + 1.0)()


def load_weights_from_a_shard(input_shape):
    options = {} if input_shape is None else {"input_shape": input_shape}
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, **options)])
    model.load_weights(f"{DIGITS}.data-00000-of-00001")


def moved(path):
    (path / "checkpoint").write_text('model_checkpoint_path: "/data/old/model.ckpt-2"')
    tf.train.latest_checkpoint(str(path))


def job(path):
    """An Estimator on a model dir without a checkpoint that is found."""
    moved(path)
    return tf.estimator.Estimator(guide.model_fn, str(path))


def gone(name):
    """A name of TensorFlow 1's, as in `import tensorflow as tf; tf.placeholder`."""
    if name.startswith("import "):
        exec(name)
    place = tf
    for part in name.split("."):
        place = getattr(place, part)


def saver_of_an_empty_graph():
    with tf.Graph().as_default():
        tf1.train.Saver()


def warm_started(path, **settings):
    train(guide.model_fn, path)
    ours = tf.estimator.WarmStartSettings(str(path), **settings)
    train(guide.model_fn, path / "warm", warm_start_from=ours)


def part_of_the_variables(path):
    """Two trainings after the guide's recipe, whose Checkpoint leaves one out."""

    def model_fn(features, labels, mode):
        spec = guides_recipe(features, labels, mode)
        tf1.get_variable("left_out", [])
        return spec

    train(model_fn, path)
    train(model_fn, path)


def uninitialized(resource):
    with tf.Graph().as_default(), tf1.Session() as session:
        session.run(tf1.get_variable("kernel", [], use_resource=resource))


def nothing_matches(path):
    written = tf.train.Checkpoint(v=tf.Variable(1.0)).write(str(path / "ckpt"))
    status = tf.train.Checkpoint(w=tf.Variable(0.0)).restore(written)
    status.assert_nontrivial_match()


def a_partitioned_variable():
    with tf.Graph().as_default():
        halves = tf1.fixed_size_partitioner(2)
        tf.train.Checkpoint(emb=tf1.get_variable("emb", [4], partitioner=halves))


def weights_of(path, *units, into=(2,), built=True, suffix="weights.h5"):
    """Keras weights of these layers, into a model of others. Returns load_weights'."""

    def network(units, built=True):
        options = {"input_shape": (3,)} if built else {}
        layers = [tf.keras.layers.Dense(n, **options) for n in units]
        return tf.keras.Sequential(layers)

    network(units, built).save_weights(str(path / f"w.{suffix}"))
    return network(into).load_weights(str(path / f"w.{suffix}"))


def imported(meta):
    with tf.Graph().as_default():
        tf1.train.import_meta_graph(str(meta))


def model_of_weights(path):
    weights_of(path, 2, suffix="h5")
    tf.keras.models.load_model(str(path / "w.h5"))


def weights_by_name(path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    model.save_weights(str(path))
    model.load_weights(str(path), by_name=True)


def set_weights(*shapes):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    (layer,) = model.layers
    (model if len(shapes) == 1 else layer).set_weights([np.zeros(s) for s in shapes])


def another_kind_of_adam(path):
    legacy, newer = tf.keras.optimizers.legacy.Adam(), tf.keras.optimizers.Adam()
    kernel = tf.Variable([1.0])
    legacy.apply_gradients([(tf.ones([1]), kernel)])
    newer.build([kernel])
    prefix = saved(path, kernel=kernel, optimizer=legacy)
    tf.train.Checkpoint(kernel=kernel, optimizer=newer).restore(prefix)


def adam_of_one_variable():
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build([tf.Variable(1.0)])
    return optimizer


def adam_of_fewer_variables(path):
    def compiled(optimizer):
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
        model.compile(optimizer, "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    file = str(path / "model.weights.h5")
    compiled(tf.keras.optimizers.SGD(momentum=0.9)).save_weights(file)
    compiled(tf.keras.optimizers.Adam()).load_weights(file)


def adam_in_a_graph():
    with tf.Graph().as_default():
        weight = tf.Variable(1.0)
        tf.keras.optimizers.Adam().minimize(weight * weight, [weight])


def canned_with(optimizer, path):
    columns = [tf.feature_column.numeric_column("x")]
    tf.estimator.DNNRegressor(
        [2], columns, model_dir=str(path), optimizer=optimizer
    ).train(lambda: tf.data.Dataset.from_tensors(({"x": [1.0]}, [1.0])), steps=1)


def exported(path):
    """An Estimator's SavedModel."""
    estimator = tf.estimator.Estimator(guide.model_fn, str(path / "job"))
    estimator.train(guide.input_fn, steps=1)
    receiver = guide.serving_input_receiver_fn
    return estimator.export_saved_model(str(path / "export"), receiver).decode()


def keras_loads(path):
    tf.keras.models.load_model(exported(path))


def of_tags(path):
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.saved_model.loader.load(session, ["train"], exported(path))


def old_generated_code():
    """What protoc before 3.19 generates for a message with one field."""
    protobuf_4()
    from google.protobuf import descriptor

    descriptor.FieldDescriptor(
        *("name", "Old.name", 0, 1, 9, 9, 1, False, "", None, None, None, False, None)
    )


def new_generated_code():
    protobuf_4()
    from google.protobuf import runtime_version  # noqa: F401


def protobuf_4():
    import google.protobuf

    if google.protobuf.__version__ >= "5":
        pytest.skip("says it no more")


def pip_without_an_index():
    command = [sys.executable, "-m", "pip", "download", "--no-index", "--no-deps"]
    return subprocess.run(
        [*command, "tensorflow==1.15.5"], capture_output=True, text=True, check=False
    ).stderr


def read_as_safetensors():
    pytest.importorskip("safetensors.numpy").load_file(f"{DIGITS}.index")


SAID_BY = {
    "module 'tensorflow' has no attribute 'contrib'": lambda path: gone("contrib"),
    "No module named 'tensorflow.contrib'": lambda path: gone(
        "import tensorflow.contrib.slim"
    ),
    "module 'tensorflow' has no attribute ...": lambda path: gone("placeholder"),
    "module 'tensorflow._api.v2.train' has no attribute ...": lambda path: gone(
        "train.AdamOptimizer"
    ),
    "tf.placeholder() is not compatible with eager execution.": (
        lambda path: tf1.placeholder(tf.float32)
    ),
    "The Session graph is empty.": lambda path: tf1.Session().run(tf.constant(1.0)),
    "When eager execution is enabled, ... must specify a list or dict of variables to "
    "save": lambda path: tf1.train.Saver(),
    "module 'tensorflow._api.v2.nn' has no attribute ...": lambda path: gone(
        "nn.rnn_cell"
    ),
    "keras.api._v2.keras... has no attribute ...": lambda path: gone(
        "losses.softmax_cross_entropy"
    ),
    "module '...summary' has no attribute ...": lambda path: gone("summary.FileWriter"),
    "module 'tensorflow_estimator.python.estimator.api._v2.estimator' has no attribute "
    "...": lambda path: gone("estimator.inputs"),
    "object has no attribute 'make_one_shot_iterator'": (
        lambda path: tf.data.Dataset.range(3).make_one_shot_iterator()
    ),
    "Got an unexpected keyword argument ...": (
        lambda path: tf.reduce_sum([1.0], keep_dims=True)
    ),
    "tf.gradients is not supported when eager execution is enabled.": (
        lambda path: tf.gradients(tf.constant(1.0), [tf.constant(1.0)])
    ),
    "This operation is not supported when eager execution is enabled.": (
        lambda path: tf.Variable(1.0).eval()
    ),
    "'NoneType' object has no attribute 'run'": (
        lambda path: tf1.get_default_session().run([])
    ),
    "got an unexpected keyword argument 'input_layer_partitioner'": (
        lambda path: tf.estimator.DNNClassifier([2], [], input_layer_partitioner=None)
    ),
    "Error parsing message": lambda path: tf1.GraphDef().ParseFromString(
        pathlib.Path(f"{DIGITS}.meta").read_bytes()
    ),
    "Weight count mismatch for layer ...": lambda path: weights_of_a_layer(
        path, 4, use_bias=False, by_name=False
    ),
    "Shape mismatch in layer ...": lambda path: weights_of_a_layer(
        path, 2, use_bias=True, by_name=True
    ),
    "Attempting to capture an EagerTensor without building a function.": (
        lambda path: eager_in_a_graph()
    ),
    "Your Layer or Model is in an invalid state.": keras_before_an_estimator,
    "tf.function only supports singleton tf.Variables created on the first call.": (
        lambda path: variables_anew()
    ),
    "must be applied to a method of a subclassed": (
        lambda path: tf1.keras.utils.track_tf1_style_variables(lambda x: x)(1.0)
    ),
    "remote paths are not supported": lambda path: ec.open_checkpoint("gs://b/ckpt-1"),
    "Exporting/importing meta graphs is not supported when eager execution is "
    "enabled.": lambda path: tf1.train.import_meta_graph(f"{DIGITS}.meta"),
    "... passed to Optimizer.compute_gradients should be a function when eager "
    "execution is enabled.": lambda path: tf1.train.AdamOptimizer().minimize(
        tf.constant(1.0)
    ),
    "Assignment map with scope only name ... should map to scope only ...": (
        lambda path: init_from(DIGITS, "other", rules={"logits/bias": "bias"})
    ),
    "Restoring an object-based checkpoint using a name-based saver.": (
        lambda path: restore("v", tf.train.Checkpoint(v=tf.Variable(1.0)).save(path))
    ),
    "No space left on device": lambda path: tf.io.write_file("/dev/full", "full"),
    "No file or directory found at ...": (
        lambda path: tf.keras.models.load_model(DIGITS)
    ),
    "Weights may only be loaded based on topology into Models when loading "
    "TensorFlow-formatted weights": lambda path: weights_by_name(path / "ckpt"),
    "No variables to save": lambda path: saver_of_an_empty_graph(),
    "You provided the following variables in var_name_to_prev_var_name that were not "
    "used: ...": lambda path: warm_started(
        path, var_name_to_prev_var_name={"hed/kernel": "head/kernel"}
    ),
    "Warm-started 0 variables.": lambda path: warm_started(
        path, vars_to_warm_start="dense"
    ),
    "Variables not initialized: ...": part_of_the_variables,
    "Attempting to use uninitialized value ...": lambda path: uninitialized(False),
    "Could not find variable ... This could mean that the variable has been deleted.": (
        lambda path: uninitialized(True)
    ),
    "was expecting root to be a trackable object": (
        lambda path: tf.train.Checkpoint({"v": tf.Variable(1.0)})
    ),
    "was expecting ... trackable object": (lambda path: a_partitioned_variable()),
    "Nothing except the root object matched a checkpointed value.": nothing_matches,
    "'NoneType' object has no attribute 'assert_consumed'": lambda path: weights_of(
        path, 2
    ).assert_consumed(),
    "Is a directory: perhaps your file is in a different file format": (
        lambda path: tf1.train.NewCheckpointReader(str(path))
    ),
    "error message = 'Is a directory'": lambda path: tf.keras.Sequential(
        [tf.keras.layers.Dense(2, input_shape=(3,))]
    ).load_weights(str(TESTDATA / "digits")),
    "Expected binary or unicode string, got None": lambda path: (
        tf.train.load_checkpoint(tf.train.latest_checkpoint(str(path)))
    ),
    "'NoneType' object has no attribute 'model_checkpoint_path'": (
        lambda path: tf.train.get_checkpoint_state(str(path)).model_checkpoint_path
    ),
    "File does not exist. Received: ...": lambda path: imported(path / "no.meta"),
    "No model config found in the file at ...": lambda path: model_of_weights(path),
    "has no attribute 'BoostedTreesClassifier'": (
        lambda path: tf.estimator.BoostedTreesClassifier
    ),
    "Expected an object of type ... for export.": lambda path: tf.saved_model.save(
        tf.estimator.Estimator(guide.model_fn, str(path)), str(path / "export")
    ),
    "Layer count mismatch when loading weights from file.": lambda path: weights_of(
        path, 2, 2, suffix="h5"
    ),
    "expected ... variables, but received ... variables during loading.": (
        lambda path: weights_of(path, 2, into=(2, 2))
    ),
    "Cannot assign value to variable ... Shape mismatch.": lambda path: weights_of(
        path, 4
    ),
    "have not yet been created.": lambda path: weights_of(
        path, 2, built=False, suffix="h5"
    ),
    "You called ... on layer ... with a weight list of length ...": (
        lambda path: set_weights((3, 2))
    ),
    "is not compatible with provided weight shape ...": lambda path: set_weights(
        (2, 3), (2,)
    ),
    "You are trying to restore a checkpoint from a legacy ... optimizer into a "
    "v2.11+": another_kind_of_adam,
    "The optimizer cannot recognize variable ...": lambda path: (
        adam_of_one_variable().apply_gradients([(tf.ones([]), tf.Variable(1.0))])
    ),
    "on an optimizer that has not yet been built.": lambda path: (
        tf.keras.optimizers.Adam().set_weights([np.zeros(1)])
    ),
    "Skipping variable loading for optimizer ...": adam_of_fewer_variables,
    "is required when a ... loss is passed.": lambda path: adam_in_a_graph(),
    "'Adam' object has no attribute ...": lambda path: (
        tf.keras.optimizers.Adam().get_updates
    ),
    "decay is deprecated in the new ... optimizer": lambda path: (
        tf.keras.optimizers.Adam(decay=0.1)
    ),
    "The given object is not a tf.keras.optimizers.Optimizer instance.": (
        lambda path: canned_with(tf1.train.AdamOptimizer(), path)
    ),
    "Please set your optimizer as an instance of ...": lambda path: canned_with(
        tf.keras.optimizers.Adam(), path
    ),
    "'AutoTrackable' object is not callable": lambda path: tf.saved_model.load(
        exported(path)
    )(1.0),
    "SavedModel saved prior to TF 2.5 detected when loading Keras model.": keras_loads,
    "MetaGraphDef associated with tags ... could not be found in SavedModel": of_tags,
    "No matching distribution found for tensorflow==1...": (
        lambda path: pip_without_an_index()
    ),
    "Descriptors cannot be created directly.": lambda path: old_generated_code(),
    "cannot import name 'runtime_version' from 'google.protobuf'": (
        lambda path: new_generated_code()
    ),
    "module 'numpy' has no attribute ...": lambda path: np.object,
    "Key ... not found in checkpoint": lambda path: restore("dense/kernel"),
    "Key .../ExponentialMovingAverage not found in checkpoint": lambda path: restore(
        "a/ExponentialMovingAverage"
    ),
    "Key .../.ATTRIBUTES/VARIABLE_VALUE not found in checkpoint": over_a_tf1_model_dir,
    "Key .../part_0 not found in checkpoint": lambda path: parts_of_a_saver(path / "p"),
    "Key beta1_power not found in checkpoint": lambda path: restore("beta1_power"),
    "Key training/... not found in checkpoint": canned,
    "Key output_bias not found in checkpoint": lambda path: restore("output_bias"),
    "Key global_step not found in checkpoint": lambda path: restore("global_step"),
    "Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint": lambda path: restore(
        "dense/kernel"
    ),
    "Restoring from checkpoint failed. This is most likely due to a Variable name or "
    "other graph key that is missing from the checkpoint.": lambda path: restore("d"),
    "Existing variables not in the checkpoint: ...": lambda path: parts_of_a_checkpoint(
        path / "p"
    ),
    "Tensor ... is not found in ... checkpoint": lambda path: init_from(GUIDE, "head"),
    "This is most likely due to a mismatch between the current graph and the graph "
    "from the checkpoint.": lambda path: restore(
        "logits/kernel", source=DIGITS, shape=[256, 100], resource=False
    ),
    "expected dtype ... does not equal original dtype ...": lambda path: restore(
        "a", dtype=tf.float64
    ),
    "shape in shape_and_slice spec ... does not match the shape stored in checkpoint: "
    "...": lambda path: restore(
        "logits/kernel",
        source=DIGITS,
        shape=[300, 10],
        partitioner=tf1.fixed_size_partitioner(2),
    ),
    "Assign requires shapes of both tensors to match. lhs shape= ... rhs shape= ...": (
        lambda path: restore(
            "logits/kernel", source=DIGITS, shape=[256, 100], resource=False
        )
    ),
    "Shape of variable ... doesn't match with shape of tensor ... from checkpoint "
    "reader.": lambda path: init_from(DIGITS, "logits/kernel", [256, 100]),
    "Received incompatible tensor with shape ... when attempting to restore variable "
    "with shape ...": other_shape,
    "Unresolved object in checkpoint": vanished,
    "Value in checkpoint could not be found in the restored object: ...": left_over,
    "Detecting that an object or model or tf.train.Checkpoint is being deleted with "
    "unrestored values.": left_over,
    "Found ... Python objects that were not bound to checkpointed values": more_objects,
    "Some objects had attributes which were not restored:": lambda path: by_name(),
    "Restoring a name-based tf.train.Saver checkpoint using the object-based restore "
    "API.": lambda path: said_once(path),
    "not an sstable (bad magic number)": lambda path: tf.train.load_checkpoint(
        f"{DIGITS}.meta"
    ),
    "file signature not found": lambda path: load_weights_from_a_shard([3]),
    "Unable to load weights saved in HDF5 format into a subclassed Model which has not "
    "created its variables yet.": lambda path: load_weights_from_a_shard(None),
    "file is too short to be an sstable": lambda path: damaged(path, emptied, ".index"),
    "block checksum mismatch": lambda path: damaged(path, flipped, ".index"),
    "Read less bytes than requested": lambda path: damaged(path, cut_off),
    "Checksum does not match: stored ... vs. calculated on the restored bytes ...": (
        lambda path: damaged(path, overwritten)
    ),
    ".data-...; No such file or directory": lambda path: damaged(
        path, pathlib.Path.unlink
    ),
    "Tensor name ... not found in checkpoint files ...": lambda path: restore(
        "logits/kernel", source=f"{DIGITS}.index", shape=[256, 10]
    ),
    "The passed save_path is not a valid checkpoint: ...": lambda path: restore(
        "a", source=f"{DIGITS}0"
    ),
    "Failed to find any matching files for ...": lambda path: tf.train.load_checkpoint(
        f"{DIGITS}0"
    ),
    "Couldn't match files for checkpoint ...": moved,
    "Couldn't find 'checkpoint' file or checkpoints in given directory ...": (
        lambda path: tf.train.load_checkpoint(str(path))
    ),
    "Could not find trained model in model_dir: ...": lambda path: job(path).evaluate(
        guide.input_fn
    ),
    "Couldn't find trained model at ...": lambda path: job(path).export_saved_model(
        str(path / "export"), guide.serving_input_receiver_fn
    ),
    "Can't load save_path when it is None.": lambda path: restore("a", source=None),
    "No checkpoint specified (save_path=None); nothing is being restored.": (
        lambda path: tf.train.Checkpoint().restore(None).assert_consumed()
    ),
    "Graph is finalized and cannot be modified.": over_a_tf2_model_dir,
    "Warm-starting variables only in TRAINABLE_VARIABLES.": lambda path: train(
        guide.model_fn, path, warm_start_from=str(TESTDATA / "est-tf1")
    ),
    "SavedModel file does not exist at: ...": lambda path: tf.keras.models.load_model(
        str(TESTDATA / "digits")
    ),
}
#: What another TensorFlow says, or only one of 2.16 and later:
#: tests/compat/test_error_messages.py.
SAID_ELSEWHERE = {
    "requires a different Python: ... not in '>=3.9'",
    "A module that was compiled using NumPy 1.x cannot be run in",
    "but not all checkpointed values were used.",
    "Inconsistent references when loading the checkpoint into this object graph.",
    "Some Python objects were not bound to checkpointed values",
    "Could not interpret optimizer identifier: ...",
    "Only instances of ... can be added to a Sequential model.",
    "could not be deserialized properly",
    "... is not available with Keras 3.",
    "module 'keras._tf_keras.keras... has no attribute ...",
    "No module named 'tensorflow.compat.v1.estimator'",
    "A KerasTensor cannot be used as input to a TensorFlow function.",
    "property 'iterations' of ... object has no setter",
    "Error while reading resource variable ... from Container: ...",
    "You are trying to load a weight file containing ... layers into a model with "
    "... layers.",
    "module 'keras.utils' has no attribute 'track_tf1_style_variables'",
    "No module named 'tensorflow.estimator'",
    "The filename must end in ....weights.h5",
    "Invalid filepath extension for saving.",
    "... argument is deprecated in Keras 3.",
    "objects could not be loaded. Example error message for object ...",
    "You are loading weights into a model that has not yet been built.",
    "This optimizer can only be called for the variables it was originally built with.",
    "Argument(s) not recognized: {'lr': ...}",
    "Detected incompatible Protobuf Gencode/Runtime versions when loading ...",
    "was removed in the NumPy 2.0 release.",
    "Keras cannot be imported. Check that it is installed.",
    "cannot import name 'estimator_training' from 'tensorflow.python.distribute'",
    "Please ensure the file is an accessible ....keras... zip file.",
    "Failed to get matching files on ...",
    "module 'tensorflow' has no attribute 'estimator'",
    "module 'tensorflow._api.v2.compat.v1' has no attribute 'estimator'",
    "cannot import name 'estimator' from 'tensorflow.compat.v1'",
    "No module named 'tensorflow_estimator'",
    "keras.optimizers.legacy... is not supported in Keras 3",
    "No module named 'tensorflow.python.estimator'",
    "File format not supported: filepath=... Keras 3 only supports V3 ... files",
}


def unpickled(file):
    with open(file, "rb") as opened:
        pickle.load(opened)


#: What programs say that every environment of the tests has.
SAID_BY_OTHERS = {
    "Failed to interpret file ... as a pickle": lambda path: np.load(
        f"{DIGITS}.index", allow_pickle=True
    ),
    "invalid load key, ...": lambda path: unpickled(f"{DIGITS}.data-00000-of-00001"),
    "Error while deserializing header: header too large": (
        lambda path: read_as_safetensors()
    ),
}


def chain(error):
    """An error and those that it came from, as a traceback shows them."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_the_index_has_rows_and_each_has_one_that_says_it():
    assert len(ROWS) > 90
    assert set(ROWS) == {*SAID_BY, *SAID_ELSEWHERE}


@pytest.mark.parametrize("message", [*SAID_BY, *SAID_BY_OTHERS])
def test_the_program_says_it(message, tmp_path, caplog):
    tf.get_logger().propagate = True
    tf.get_logger().setLevel(logging.INFO)
    caplog.set_level(logging.INFO)
    try:
        result = {**SAID_BY, **SAID_BY_OTHERS}[message](tmp_path)
        said = result if isinstance(result, str) else ""
    except Exception as error:  # whatever the message is of
        said = "\n".join(map(str, chain(error)))
    finally:
        tf.get_logger().setLevel(logging.ERROR)
    said += "\n".join(record.getMessage() for record in caplog.records)
    assert matches(message, said), said[-3000:]


def test_resource_variables_take_another_shape_without_a_word():
    """Which new-head.md warns of."""
    with tf.Graph().as_default(), tf1.Session() as session:
        kernel = tf1.get_variable("logits/kernel", [256, 100], use_resource=True)
        tf1.train.Saver([kernel]).restore(session, DIGITS)
        assert session.run(kernel).shape == (256, 10)


@pytest.mark.parametrize("message", [*ROWS, *OF_OTHER_PROGRAMS])
def test_its_page_quotes_it(message):
    for page in {**ROWS, **OF_OTHER_PROGRAMS}[message]:
        quoted = "\n".join(
            body
            for block_language, _, body in blocks(DOCS / page)
            if block_language == "text"
        )
        # The table of key-not-found has the keys, and leads on.
        text = (DOCS / page).read_text(encoding="utf-8")
        assert matches(message, quoted) or (
            page.endswith("key-not-found.md") and message.split()[1] in text
        ), page


def test_every_page_is_in_the_index_or_begins_without_an_error():
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    for page in (DOCS / "situations").glob("*.md"):
        assert f"(situations/{page.name})" in text, page.name


def test_a_canned_estimator_of_tf2_takes_smaller_steps_by_its_defaults(tmp_path):
    """Which canned-estimators.md warns of."""
    columns = [tf.feature_column.numeric_column("x")]

    def input_fn():
        return tf.data.Dataset.from_tensors(({"x": [1.0, 2.0] * 2}, [3.0, 7.0] * 2))

    def trained(module, kind, *arguments, **options):
        path = str(tmp_path / f"{module.__name__}.{kind}")
        job = getattr(module, kind)(*arguments, model_dir=path, **options)
        return job.train(input_fn)

    def rates(job):
        saved = ec.open_checkpoint(job.model_dir)
        return {
            name.split("/")[1]: round(float(saved.read(name)), 6)
            for name in saved
            if name.endswith("/learning_rate")
        }

    newer, older = (
        trained(module, "DNNRegressor", [2], columns)
        for module in (tf.estimator, tf1.estimator)
    )
    assert rates(newer) == {"Adagrad": 0.001}
    for job, factor in ((newer, 1), (older, 4)):
        found = job.evaluate(input_fn)
        np.testing.assert_allclose(found["loss"], factor * found["average_loss"], 1e-6)

    both = {"linear_feature_columns": columns, "dnn_feature_columns": columns}
    kind = "DNNLinearCombinedRegressor"
    combined = trained(tf.estimator, kind, dnn_hidden_units=[2], **both)
    assert rates(combined) == {"Adagrad": 0.001, "Ftrl": 0.005}
    linear = trained(tf.estimator, "LinearRegressor", columns)
    assert rates(linear) == {"Ftrl": 0.2}
