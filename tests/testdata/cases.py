"""What each directory of the test data holds: one function per directory.

A case gets its directory, empty and relative to the working directory, and leaves
checkpoints in it, each with a recording (`recorder`) beside it.
"""

import json
import os
import shutil
from urllib.parse import quote

import numpy as np
import recorder
import tensorflow as tf

from model_fns import digits, embedding, guide
from tests.testdata import trajectory, trajectory_graph

tf1 = tf.compat.v1

CASES = {}
OLD_DIR = "/tmp/estimator_ckpt_old_dir"


def case(name):
    """Registers a function as the writer of the directory `name`."""

    def register(function):
        CASES[name] = function
        return function

    return register


# ---------------------------------------------------------------- with a Saver


def new_session(**config):
    """A session on one thread, so that sums come out the same each time."""
    config = tf1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, **config
    )
    session = tf1.Session(config=config)
    session.run(tf1.global_variables_initializer())
    return session


def save(session, path, step=None, meta=True, saver=None):
    """Saves and records all variables; returns the checkpoint's prefix."""
    saver = saver or tf1.train.Saver(save_relative_paths=True)
    prefix = saver.save(session, path, step, write_meta_graph=meta)
    recorder.write(prefix, recorder.variables(session))
    return prefix


def train(directory, loss, optimizer, steps=3, meta=True):
    """Minimizes `loss` for some steps and saves once, with the global step."""
    step = tf1.train.get_or_create_global_step()
    train_op = optimizer.minimize(loss, step)
    with new_session() as session:
        for _ in range(steps):
            session.run(train_op)
        save(session, directory + "/model.ckpt", step, meta)


def guide_variables(values):
    """The guide's three variables."""
    a, b, c = (tf1.constant_initializer(value) for value in values)
    return (
        tf1.get_variable("a", [], initializer=a),
        tf1.get_variable("b", [], initializer=b),
        tf1.get_variable("scoped/c", [], initializer=c),
    )


@case("guide")
def guide_name_based(directory):
    guide_variables([1, 2, 3])
    with new_session() as session:
        save(session, directory + "/tf1-ckpt")


@case("odd-names")
def odd_names(directory):
    names = [
        *("dots.in.name", ".leading_dot", "trailing_dot.", "two..dots", "three...dots"),
        *("a/b", "a.Sb", "a..Sb", "a/.Sb", "a./b", "ends.S", "scope.S/v"),
        *("with-dash", "ends_1", "ends_", "0", "0/1", "CamelCase/v_2"),
        *("a/very/deep/scope/with/many/levels/in/it/v", "a/bc", "ab"),
        *("step", "save_counter", "var_list", "var_list/v", "model/variables/0"),
    ]
    for value, name in enumerate(names):
        tf1.get_variable(name, [], initializer=tf1.constant_initializer(value))
    with new_session() as session:
        save(session, directory + "/model.ckpt")


@case("dtypes")
def dtypes(directory):
    def add(name, value, dtype=None):
        # Only resource variables hold every dtype.
        value = tf.constant(value, dtype)
        tf1.get_variable(name, initializer=value, use_resource=True, trainable=False)

    add("bool", [True, False, True])
    for bits in (8, 16, 32, 64):
        for name in (f"int{bits}", f"uint{bits}"):
            limits = np.iinfo(name)
            add(name, np.array([limits.min, 0, 1, limits.max], name))
    for name in ("half", "bfloat16", "float32", "float64"):
        add(name, [-1.5, 0.0, -0.0, 1 / 3, np.inf, np.nan], getattr(tf, name))
    for name in ("complex64", "complex128"):
        add(name, np.array([1 + 2j, -0.5j, 0, np.inf], name))
    for name in ("qint8", "quint8", "qint16", "quint16", "qint32"):
        raw = np.array([0, 1, 127], name[1:])
        quantized = tf.bitcast(tf.constant(raw), getattr(tf, name))
        tf1.get_variable(
            name, initializer=quantized, use_resource=True, trainable=False
        )

    add("scalar/bool", True)
    add("scalar/int64", 7, tf.int64)
    add("scalar/float32", 0.5)
    add("scalar/string", b"one string")
    add("empty/float32", np.zeros([0], np.float32))
    add("empty/int64", np.zeros([2, 0, 3], np.int64))
    add("empty/string", np.zeros([0], object), tf.string)
    add("string/words", [["to", "be"], ["or", "not"]])
    add("string/empty", ["", "", ""])
    add("string/zeros", [b"\0", b"a\0b", b"ends in \0"])
    # The lengths are varints: 128 and 16384 are the first of two and three bytes.
    add("string/long", [b"x" * size for size in (127, 128, 300, 16384)])
    add("string/not_utf8", [b"\xff\xfe", b"\x80"])
    with new_session() as session:
        save(session, directory + "/model.ckpt")


@case("hashtable")
def hashtable(directory):
    """Two tables, which are saved but are no variables."""
    lookup = tf.contrib.lookup
    floats = lookup.MutableHashTable(tf.int64, tf.float32, -1.0, name="table/floats")
    counts = lookup.MutableHashTable(tf.string, tf.int64, 0, name="counts")
    tf1.get_variable("dense/kernel", initializer=tf.constant([[1.0, 2.0]]))
    keys = tf.constant([10, 20, 30], tf.int64)
    words = tf.constant(["be", "not", "or", "to"])
    with new_session() as session:
        session.run(floats.insert(keys, tf.constant([0.1, 0.2, 0.3])))
        session.run(counts.insert(words, tf.constant([2, 1, 1, 2], tf.int64)))
        prefix = save(session, directory + "/model.ckpt", 1)
        values = recorder.variables(session)
        for name, table in (("table/floats", floats), ("counts", counts)):
            exported = session.run(table.export())
            values[name + "-keys"], values[name + "-values"] = exported
        recorder.write(prefix, values)


@case("ema-momentum")
def ema_momentum(directory):
    """A moving average of each weight, and Momentum's slots."""
    inputs = tf.constant([[0.0, 1.0, 2.0], [1.0, 0.0, -1.0]])
    hidden = tf1.layers.dense(inputs, 4, tf.nn.relu, name="hidden")
    loss = tf.reduce_mean(tf.square(tf1.layers.dense(hidden, 1, name="out") - 1))
    step = tf1.train.get_or_create_global_step()
    train_op = tf1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)
    average = tf1.train.ExponentialMovingAverage(0.9, num_updates=step)
    with tf.control_dependencies([train_op]):
        average_op = average.apply(tf1.trainable_variables())
    saver = tf1.train.Saver(save_relative_paths=True)
    with new_session() as session:
        for wanted in (5, 10):
            while session.run(step) < wanted:
                session.run(average_op)
            # One .meta serves both: the graph is the same.
            save(session, directory + "/model.ckpt", step, wanted == 10, saver)


#: Recurrent cells by the scope that they are in.
CELLS = {
    "basic_lstm": lambda: tf1.nn.rnn_cell.BasicLSTMCell(4),
    "lstm": lambda: tf1.nn.rnn_cell.LSTMCell(4, forget_bias=0.5),
    "lstm_block": lambda: tf.contrib.rnn.LSTMBlockCell(4),
    "cudnn_lstm": lambda: tf.contrib.cudnn_rnn.CudnnCompatibleLSTMCell(4),
    "peephole": lambda: tf1.nn.rnn_cell.LSTMCell(4, use_peepholes=True),
    "gru": lambda: tf1.nn.rnn_cell.GRUCell(4),
    "gru_block": lambda: tf.contrib.rnn.GRUBlockCellV2(4),
    "cudnn_gru": lambda: tf.contrib.cudnn_rnn.CudnnCompatibleGRUCell(4),
}


@case("rnn-cells")
def rnn_cells(directory):
    """Recurrent cells, with what they give for a sequence."""
    inputs = np.random.RandomState(1).normal(size=(2, 5, 3)).astype(np.float32)
    initializer = tf1.random_normal_initializer(stddev=0.5)
    found = {"inputs": tf.constant(inputs)}
    for name, make in CELLS.items():
        with tf1.variable_scope(name, initializer=initializer):
            found[name] = tf1.nn.dynamic_rnn(make(), found["inputs"], dtype=tf.float32)[
                0
            ]
    for variable in tf1.global_variables():  # the cells' own initializers are constant
        variable._initializer_op = variable.assign(initializer(variable.shape)).op
    with new_session() as session:
        save(session, directory + "/model.ckpt", meta=False)
        np.savez_compressed(directory + "/outputs.npz", **session.run(found))


@case("rnn-basic-lstm")
def rnn_basic_lstm(directory):
    inputs = tf.constant(np.linspace(-1, 1, 24).reshape(2, 4, 3), tf.float32)
    cell = tf1.nn.rnn_cell.BasicLSTMCell(4)
    outputs, _ = tf1.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 1))
    train(directory, loss, tf1.train.AdamOptimizer(0.01))


@case("slim")
def slim(directory):
    """The names that tf.contrib.slim gives: weights, biases, BatchNorm."""
    layers = tf.contrib.slim
    images = tf.constant(digits.load("train")[0][:8])
    labels = tf.constant(digits.load("train")[1][:8])
    with tf1.variable_scope("SmallNet"):
        net = layers.conv2d(
            images,
            4,
            [3, 3],
            stride=2,
            normalizer_fn=layers.batch_norm,
            normalizer_params={"scale": True, "updates_collections": None},
        )
        net = layers.conv2d(net, 4, [3, 3], stride=2, normalizer_fn=layers.batch_norm)
        net = layers.flatten(net)
        logits = layers.fully_connected(net, 10, activation_fn=None, scope="Logits")
    loss = tf1.losses.sparse_softmax_cross_entropy(labels, logits)
    train(directory, loss, tf1.train.RMSPropOptimizer(0.01, momentum=0.9))


OPTIMIZERS = {
    "gradient_descent": lambda: tf1.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf1.train.MomentumOptimizer(0.1, 0.9),
    "nesterov": lambda: tf1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adam": lambda: tf1.train.AdamOptimizer(0.1),
    "rmsprop": lambda: tf1.train.RMSPropOptimizer(0.1, momentum=0.9),
    "rmsprop_centered": lambda: tf1.train.RMSPropOptimizer(
        0.1, momentum=0.9, centered=True
    ),
    "adagrad": lambda: tf1.train.AdagradOptimizer(0.1),
    "adagrad_da": lambda: tf1.train.AdagradDAOptimizer(
        0.1, tf1.train.get_or_create_global_step()
    ),
    "proximal_adagrad": lambda: tf1.train.ProximalAdagradOptimizer(0.1),
    "adadelta": lambda: tf1.train.AdadeltaOptimizer(0.1),
    "ftrl": lambda: tf1.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01),
    "adamax": lambda: tf.contrib.opt.AdaMaxOptimizer(0.1),
    "nadam": lambda: tf.contrib.opt.NadamOptimizer(0.1),
    "lazy_adam": lambda: tf.contrib.opt.LazyAdamOptimizer(0.1),
    "adamw": lambda: tf.contrib.opt.AdamWOptimizer(0.01, 0.1),
}


@case("optimizers")
def optimizers(directory):
    """Each optimizer of TF1 on the same model, whose embedding has sparse gradients."""
    for name, make in OPTIMIZERS.items():
        with tf.Graph().as_default():
            tf1.set_random_seed(1)
            table = tf1.get_variable("embedding", [6, 2])
            net = tf.nn.embedding_lookup(table, [0, 2, 2, 5])
            net = tf1.layers.dense(net, 3, name="dense")
            loss = tf.reduce_sum(tf.square(net - 1))
            train(f"{directory}/{name}", loss, make(), meta=False)


class AdamWeightDecay(tf1.train.Optimizer):
    """BERT's optimizer: Adam without bias correction, with decoupled decay."""

    def __init__(self, learning_rate, decay):
        super().__init__(False, "AdamWeightDecay")
        self.learning_rate, self.decay = learning_rate, decay

    def minimize(self, loss, global_step=None, **unused):
        variables = tf1.trainable_variables()
        gradients = [tf.convert_to_tensor(g) for g in tf1.gradients(loss, variables)]
        updates = [global_step.assign_add(1)]
        with tf.control_dependencies(gradients):  # before any weight changes
            for gradient, variable in zip(gradients, variables):
                updates += self.update(gradient, variable)
        return tf.group(*updates)

    def update(self, gradient, variable):
        m, v = (
            tf1.get_variable(
                variable.op.name + "/adam_" + slot,
                variable.shape,
                trainable=False,
                initializer=tf1.zeros_initializer(),
            )
            for slot in "mv"
        )
        new_m = 0.9 * m + 0.1 * gradient
        new_v = 0.999 * v + 0.001 * tf.square(gradient)
        update = new_m / (tf.sqrt(new_v) + 1e-6)
        if "bias" not in variable.op.name and "beta" not in variable.op.name:
            update += self.decay * variable
        return [
            m.assign(new_m),
            v.assign(new_v),
            variable.assign_sub(self.learning_rate * update),
        ]


#: Optimizers by the name of the case; those ending in `_dense` get no sparse gradients.
TRAJECTORIES = {
    **trajectory_graph.OPTIMIZERS,
    "bert": lambda: AdamWeightDecay(0.002, 0.01),
    "adamax": lambda: tf.contrib.opt.AdaMaxOptimizer(0.02),
    "adamax_dense": lambda: tf.contrib.opt.AdaMaxOptimizer(0.02),
    "lazy_adam": lambda: tf.contrib.opt.LazyAdamOptimizer(0.02),
    "lazy_adam_dense": lambda: tf.contrib.opt.LazyAdamOptimizer(0.02),
    "nadam": lambda: tf.contrib.opt.NadamOptimizer(0.02),
}


@case("trajectories")
def trajectories(directory):
    """Weights after each step past a checkpoint, for each optimizer of TF1."""
    for name, make in TRAJECTORIES.items():
        with tf.Graph().as_default():
            tf1.set_random_seed(1)
            trajectory_of(f"{directory}/{name}", name, make)


def trajectory_of(directory, name, make):
    """Trains, saves, trains on; records the model's variables after each step."""
    step = tf1.train.get_or_create_global_step()
    train_on, model = trajectory_graph.build(name, make)
    after = {}  # [MORE, *shape] by variable
    with new_session() as session:
        for number in range(trajectory.STEPS + trajectory.MORE):
            if number == trajectory.STEPS:
                save(session, f"{directory}/model.ckpt", step, meta=False)
            train_on(session, number)
            if number >= trajectory.STEPS:
                for full_name, value in trajectory_graph.values(session, model).items():
                    after.setdefault(full_name, []).append(value)
    after = {quote(k, safe=""): np.stack(v) for k, v in after.items()}
    np.savez_compressed(f"{directory}/trajectory.npz", **after)


@case("partition-dtypes")
def partition_dtypes(directory):
    """Partitioned variables; a part is cut along one axis only, TF1 has no other."""

    def add(name, value, parts, axis=0):
        def part(shape, dtype, partition_info):
            offset = partition_info.var_offset
            extent = [slice(at, at + size) for at, size in zip(offset, shape)]
            return tf.constant(value[tuple(extent)], dtype)

        tf1.get_variable(
            name,
            value.shape,
            tf.as_dtype(value.dtype) if value.dtype != object else tf.string,
            part,
            partitioner=tf1.fixed_size_partitioner(parts, axis),
            trainable=False,
        )

    numbers = np.arange(14).reshape(7, 2)
    add("float32", numbers.astype(np.float32) / 3, 3)
    add("float16", numbers.astype(np.float16) / 3, 3)
    add("int64", numbers - 5, 3)
    add("string", np.array([[b"n%d" % n for n in row] for row in numbers], object), 3)
    add("scope/by_column", numbers.T.astype(np.float32), 2, axis=1)
    add("scope/vector", np.arange(5, dtype=np.float64), 2)
    add("scope/one_part", numbers.astype(np.float32), 1)
    add("scope/many_parts", np.arange(300, dtype=np.int32).reshape(100, 3), 20)
    with new_session() as session:
        save(session, directory + "/model.ckpt")


@case("v1-format")
def v1_format(directory):
    """The format of before 2017, whose file is the prefix itself."""
    v1 = tf1.train.SaverDef.V1
    with tf1.device("/cpu:0"):
        tf1.get_variable("dense/kernel", [3, 2])
        step = tf1.train.get_or_create_global_step()
    with tf1.device("/cpu:1"):
        tf1.get_variable("dense/bias", initializer=tf.constant([0.25, -1.0]))
    with new_session(device_count={"CPU": 2}) as session:
        session.run(step.assign(7))
        for name, sharded in (("single", False), ("sharded", True)):
            path = f"{directory}/{name}"
            os.makedirs(path)
            saver = tf1.train.Saver(
                sharded=sharded, write_version=v1, save_relative_paths=True
            )
            saver.save(session, path + "/model.ckpt", step)
            recorder.write(path + "/model.ckpt-7", recorder.variables(session))


@case("v1-dtypes")
def v1_dtypes(directory):
    """All that the V1 format can hold, in two shards, some of it partitioned."""
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    values = {
        "float32": np.float32([[1.5, -0.0, np.nan], [np.inf, 1e-45, 3.0]]),
        "float64": np.float64([1 / 3, -np.inf, 5e-324]),
        "float16": np.float16([0.1, -2.0, np.inf, 6e-8]),
        "int8": np.arange(-128, 128, dtype=np.int8).reshape(2, 128),
        "int16": np.int16([-32768, -1, 0, 32767]),
        "int32": np.int32([[-(2**31)], [-1], [127], [128], [2**31 - 1]]),
        "int64": np.int64([least, -1, 0, 300, most]),
        "uint8": np.uint8([0, 127, 128, 255]),
        "uint16": np.uint16([0, 65535]),
        "bool": np.array([[True, False], [False, True]]),
        "string": np.array([b"", b"a\x00b", b"long" * 100, "schön".encode()], object),
        "complex64": np.complex64([1 + 2j, -0.5j]),
        "complex128": np.complex128([1 / 3 - 2j]),
        "scalar": np.float32(7),
        "empty": np.zeros((0, 4), np.float32),
    }
    for number, (name, value) in enumerate(values.items()):
        with tf1.device(f"/cpu:{number % 2}"):
            strings = value.dtype == object
            initial = tf.constant(value, tf.string if strings else None)
            tf1.get_variable(name, initializer=initial)
    numbers = np.arange(21).reshape(7, 3)

    def add(name, value, parts, axis):
        def part(shape, dtype, partition_info):
            offset = partition_info.var_offset
            extent = [slice(at, at + size) for at, size in zip(offset, shape)]
            return tf.constant(value[tuple(extent)], dtype)

        tf1.get_variable(
            name,
            value.shape,
            tf.as_dtype(value.dtype),
            part,
            partitioner=tf1.fixed_size_partitioner(parts, axis),
        )

    with tf1.device("/cpu:0"):
        add("parts/by_row", numbers.astype(np.float32) / 3, 3, 0)
    with tf1.device("/cpu:1"):
        add("parts/by_column", numbers - 5, 2, 1)
    with new_session(device_count={"CPU": 2}) as session:
        saver = tf1.train.Saver(
            sharded=True,
            write_version=tf1.train.SaverDef.V1,
            save_relative_paths=True,
        )
        saver.save(session, directory + "/model.ckpt", write_meta_graph=False)
        recorder.write(directory + "/model.ckpt", recorder.variables(session))


@case("state-files")
def state_files(directory):
    """A model dir that was moved after a Saver wrote absolute paths."""
    variable = tf1.get_variable("v", [], initializer=tf1.zeros_initializer())
    saver = tf1.train.Saver(save_relative_paths=False)
    os.makedirs(OLD_DIR)
    with new_session() as session:
        for step in (1, 2):
            session.run(variable.assign_add(1))
            prefix = saver.save(
                session, OLD_DIR + "/model.ckpt", step, write_meta_graph=False
            )
            recorder.write(prefix, recorder.variables(session))
    os.rmdir(directory)
    shutil.move(OLD_DIR, directory)


# ------------------------------------------------- with tf.train.Checkpoint


# TensorFlow 1.15 takes no bare list; this one gives the same keys.
List = tf.contrib.checkpoint.List


def save_objects(checkpoint, session, path):
    """Saves and records a tf.train.Checkpoint; returns the checkpoint's prefix."""
    prefix = checkpoint.save(path, session)
    values = recorder.variables(session)
    recorder.write(prefix, recorder.object_keys(prefix, values))
    return prefix


@case("guide-tf2")
def guide_object_based(directory):
    a, b, c = guide_variables([5, 6, 7])
    checkpoint = tf.train.Checkpoint(variables=List([a, b, c]))
    with new_session() as session:
        save_objects(checkpoint, session, directory + "/tf2-ckpt")


@case("guide-tf2-scoped")
def guide_object_based_scoped(directory):
    a, b, c = guide_variables([1, 2, 3])
    checkpoint = tf.train.Checkpoint(unscoped=List([a, b]), scoped=List([c]))
    with new_session() as session:
        save_objects(checkpoint, session, directory + "/tf2-ckpt")


@case("object-based")
def object_based(directory):
    """A Keras model with a tf1 optimizer, whose slots are slot variables."""
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(3, "relu", name="hidden"),
            tf.keras.layers.BatchNormalization(name="norm"),
            tf.keras.layers.Dense(1, name="out"),
        ]
    )
    optimizer = tf1.train.AdamOptimizer(0.1)
    step = tf1.train.get_or_create_global_step()
    inputs = tf.constant([[0.0, 1.0], [1.0, 0.5]])
    loss = tf.reduce_mean(tf.square(model(inputs, training=True) - 1))
    with tf.control_dependencies(model.get_updates_for(inputs)):
        train_op = optimizer.minimize(loss, step)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    with new_session() as session:
        for _ in range(3):
            session.run(train_op)
        save_objects(checkpoint, session, directory + "/ckpt")


# ---------------------------------------------------------- with an Estimator


def run_config(**options):
    """One thread, one seed, and no summaries."""
    options.setdefault(
        "session_config",
        tf1.ConfigProto(
            intra_op_parallelism_threads=1,
            inter_op_parallelism_threads=1,
            allow_soft_placement=True,
        ),
    )
    return tf.estimator.RunConfig(
        tf_random_seed=1, save_summary_steps=None, log_step_count_steps=None, **options
    )


def train_estimator(estimator, input_fn, steps):
    """Trains, recording each checkpoint; leaves only the recordings still needed."""
    directory = estimator.model_dir
    listener = recorder.Recorder(directory)
    estimator.train(input_fn, steps=steps, saving_listeners=[listener])
    for file in os.listdir(directory):
        prefix, extension = os.path.splitext(os.path.join(directory, file))
        if extension == ".npz" and not os.path.exists(prefix + ".index"):
            os.remove(prefix + ".npz")


def drop_graphs(directory):
    """Drops graph.pbtxt, which is large and stands in .meta too."""
    os.remove(directory + "/graph.pbtxt")


@case("est-tf1")
def est_tf1(directory):
    estimator = tf.estimator.Estimator(guide.model_fn, directory, run_config())
    train_estimator(estimator, guide.input_fn, steps=1)


@case("est-tf1-3steps")
def est_tf1_3steps(directory):
    estimator = tf.estimator.Estimator(guide.model_fn, directory, run_config())
    train_estimator(estimator, guide.input_fn, steps=3)
    drop_graphs(directory)


@case("digits")
def digits_classifier(directory):
    """Three checkpoints, and in values/ what TensorFlow 1.15 makes of the last."""
    config = run_config(save_checkpoints_steps=100, keep_checkpoint_max=3)
    estimator = tf.estimator.Estimator(digits.model_fn, directory, config)
    train_estimator(estimator, digits.train_input_fn, steps=300)
    metrics = estimator.evaluate(digits.eval_input_fn)
    with open(directory + "/eval.json", "w") as file:
        json.dump({name: value.item() for name, value in metrics.items()}, file)


class LossRecorder(tf1.train.SessionRunHook):
    """Appends the loss of each training step, which is that of before the step."""

    def __init__(self, losses):
        self._losses = losses

    def before_run(self, run_context):
        return tf1.train.SessionRunArgs(tf1.get_collection(tf1.GraphKeys.LOSSES)[0])

    def after_run(self, run_context, run_values):
        self._losses.append(run_values.results.item())


@case("digits-losses")
def digits_losses(directory):
    """The losses of the job of `digits`, and of 400 steps more from what it left.

    Leaves no checkpoint, only a recording: `train`, the loss of each step, and
    `evaluate`, the loss and the accuracy on the held-out images at each multiple of
    `every` steps.
    """
    first, last, every = 300, 700, 20
    recorded = {"every": every, "train": [], "evaluate": []}
    config = run_config(save_checkpoints_steps=every, keep_checkpoint_max=None)

    def train(model_dir, input_fn, until):
        hook = LossRecorder(recorded["train"])
        estimator = tf.estimator.Estimator(digits.model_fn, model_dir, config)
        return estimator.train(input_fn, max_steps=until, hooks=[hook])

    def evaluate(estimator, steps):
        for step in steps:
            prefix = f"{estimator.model_dir}/model.ckpt-{step}"
            metrics = estimator.evaluate(
                lambda: digits.eval_input_fn({"batch_size": 360}),  # all of them
                checkpoint_path=prefix,
            )
            values = [metrics["loss"].item(), metrics["accuracy"].item()]
            recorded["evaluate"].append(values)

    model_dir = directory + "/again"
    estimator = train(model_dir, digits.train_input_fn, until=first)
    evaluate(estimator, range(0, first, every))
    committed = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits")
    reader = tf.train.load_checkpoint(committed)
    for name in estimator.get_variable_names():
        # The same job; another processor may round otherwise.
        np.testing.assert_allclose(
            estimator.get_variable_value(name), reader.get_tensor(name), 1e-3, 1e-4
        )
    shutil.rmtree(model_dir)
    shutil.copytree(committed, model_dir)

    def input_fn():
        return digits.ordered_input_fn({"first_step": first})

    estimator = train(model_dir, input_fn, until=last)
    evaluate(estimator, range(first, last + 1, every))
    shutil.rmtree(model_dir)
    with open(directory + "/losses.json", "w") as file:
        json.dump(recorded, file)


@case("embedding-sharded")
def embedding_sharded(directory):
    """The parts of the embedding on two devices: a data shard for each."""
    session_config = tf1.ConfigProto(
        device_count={"CPU": 2},
        intra_op_parallelism_threads=1,
        inter_op_parallelism_threads=1,
        allow_soft_placement=True,
    )

    def device_fn(op):
        return "/cpu:1" if "embedding/weights/part_1" in op.name else "/cpu:0"

    config = run_config(
        session_config=session_config, device_fn=device_fn, keep_checkpoint_max=1
    )
    params = {"dimension": 4, "partitions": 3}
    estimator = tf.estimator.Estimator(embedding.model_fn, directory, config, params)
    train_estimator(estimator, embedding.train_input_fn, steps=20)
    drop_graphs(directory)


def iris(categorical):
    """The iris flowers that scikit-learn ships, with one of their sizes in words."""
    from sklearn import datasets

    data = datasets.load_iris()
    petal_length = data.data[:, 2]
    words = np.array(["short", "middle", "long"])
    features = {
        "petal_length": petal_length.astype(np.float32),
        "petal_width": data.data[:, 3].astype(np.float32),
        categorical: words[np.digitize(petal_length, [2.5, 4.9])],
    }
    dataset = tf.data.Dataset.from_tensor_slices((features, data.target))
    return dataset.repeat().batch(30)


@case("canned-dnn")
def canned_dnn(directory):
    column = tf.feature_column
    words = column.categorical_column_with_vocabulary_list(
        "length_word", ["short", "middle", "long"], num_oov_buckets=1
    )
    estimator = tf.estimator.DNNClassifier(
        [8, 4],
        [
            column.numeric_column("petal_length"),
            column.numeric_column("petal_width"),
            column.embedding_column(words, 2),
        ],
        directory,
        n_classes=3,
        config=run_config(keep_checkpoint_max=1),
    )
    train_estimator(estimator, lambda: iris("length_word"), steps=20)
    drop_graphs(directory)


@case("canned-linear")
def canned_linear(directory):
    column = tf.feature_column
    estimator = tf.estimator.LinearClassifier(
        [
            column.numeric_column("petal_length"),
            column.numeric_column("petal_width"),
            column.categorical_column_with_hash_bucket("length_hash", 10),
        ],
        directory,
        n_classes=3,
        config=run_config(keep_checkpoint_max=1),
    )
    train_estimator(estimator, lambda: iris("length_hash"), steps=20)
    drop_graphs(directory)
