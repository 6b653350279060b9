"""Checkpoints of TensorFlow 1.15.5's optimizers, with what each variable is for.

`keras22` needs Keras 2.2.5 and `mesh_*` mesh-tensorflow 0.1.21 beside it; the other
cases need nothing else.
"""

import os

import tensorflow as tf
from truth import AVERAGE, MODEL, OPTIMIZER, SLOT, STEP, TRAINABLE, Truth

tf1 = tf.compat.v1
CASES = {}


def case(function):
    """Registers the writer of the directory of its name."""
    CASES[function.__name__] = function
    return function


def dense(x, units, name):
    """A layer by hand, with TF1's own names."""
    with tf1.variable_scope(name):
        kernel = tf1.get_variable("kernel", [x.shape[-1], units])
        bias = tf1.get_variable("bias", [units], initializer=tf1.zeros_initializer())
        return tf.nn.tanh(tf.matmul(x, kernel) + bias)


def network(name="net"):
    """Two layers; returns a loss."""
    with tf1.variable_scope(name):
        x = dense(tf.ones([4, 3]), 2, "one")
        return tf.reduce_mean(tf.square(dense(x, 3, "two") - 1.0))


def batch_norm(x, name):
    return tf1.layers.batch_normalization(x, training=True, name=name)


def own_of(optimizer, label, truth):
    """The slots and the other variables of a tf1 optimizer."""
    optimizer = getattr(optimizer, "_optimizer", optimizer)
    for slot in optimizer.get_slot_names():
        for variable in tf1.trainable_variables():
            its = optimizer.get_slot(variable, slot)
            if its is not None:
                truth.add(named(its), SLOT, named(variable), label)
    for variable in optimizer.variables():
        truth.add(named(variable), OPTIMIZER, None, label)


def named(variable):
    info = variable._save_slice_info
    return info.full_name if info else variable.op.name


def rest(truth):
    """What is no optimizer's: the graph's own collections say it."""
    step = tf1.train.get_global_step()
    trainable = {named(v) for v in tf1.trainable_variables()}
    for variable in tf1.global_variables():
        name = named(variable)
        role = TRAINABLE if name in trainable else MODEL
        truth.add(name, STEP if variable is step else role)


def save(directory, train_ops, truth, meta=True, saver=None, steps=2, session=None):
    """Trains, saves with a graph-less `.meta`, and writes the truth."""
    if session is None:
        config = tf1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
        )
        session = tf1.Session(config=config)
        session.run(tf1.global_variables_initializer())
    saver = saver or tf1.train.Saver()
    for _ in range(steps):
        session.run(train_ops)
    prefix = os.path.join(directory, "model.ckpt")
    saver.save(session, prefix, write_meta_graph=False, write_state=False)
    if meta:  # of the graph itself only its collections are of use here
        wanted = ("variables", "trainable_variables", "global_step")
        tf1.train.export_meta_graph(
            prefix + ".meta",
            graph_def=tf1.GraphDef(),
            collection_list=[key for key in wanted if tf1.get_collection(key)],
        )
    truth.write(directory)


def plain(directory, optimizer, loss=None, meta=True, **options):
    """One network, one optimizer."""
    loss = network() if loss is None else loss
    step = tf1.train.get_or_create_global_step()
    train_op = optimizer.minimize(loss, step)
    truth = Truth()
    own_of(optimizer, "the", truth)
    rest(truth)
    save(directory, train_op, truth, meta=meta, **options)


@case
def named_adam(directory):
    plain(directory, tf1.train.AdamOptimizer(0.01, name="d_adam"))


@case
def named_adam_no_meta(directory):
    plain(directory, tf1.train.AdamOptimizer(0.01, name="d_adam"), meta=False)


@case
def one_variable_no_meta(directory):
    w = tf1.get_variable("w", [3])
    optimizer = tf1.train.AdamOptimizer(0.01, name="solver")
    plain(directory, optimizer, tf.reduce_sum(w * w), meta=False)


@case
def named_momentum_no_meta(directory):
    plain(directory, tf1.train.MomentumOptimizer(0.1, 0.9, name="sgd"), meta=False)


def two(directory, first, second, meta=True):
    """A GAN's two optimizers: their variables have nothing in common."""
    step = tf1.train.get_or_create_global_step()
    losses = network("generator"), network("discriminator")
    ops = [
        first.minimize(losses[0], step, tf1.trainable_variables("generator")),
        second.minimize(losses[1], None, tf1.trainable_variables("discriminator")),
    ]
    truth = Truth()
    own_of(first, "first", truth)
    own_of(second, "second", truth)
    rest(truth)
    save(directory, ops, truth, meta)


@case
def two_adams(directory):
    two(directory, tf1.train.AdamOptimizer(0.01), tf1.train.AdamOptimizer(0.02))


@case
def two_adams_no_meta(directory):
    two(directory, tf1.train.AdamOptimizer(), tf1.train.AdamOptimizer(), meta=False)


@case
def two_named_adams(directory):
    adam = tf1.train.AdamOptimizer
    two(directory, adam(name="g_adam"), adam(name="d_adam"))


@case
def two_kinds_no_meta(directory):
    first = tf1.train.AdamOptimizer()
    two(directory, first, tf1.train.RMSPropOptimizer(0.1, momentum=0.9), meta=False)


@case
def two_scopes(directory):
    """Each Adam in a scope of its own: powers and slots are both in it."""
    step = tf1.train.get_or_create_global_step()
    truth, ops = Truth(), []
    for name in ("actor", "critic"):
        loss = network(name)
        optimizer = tf1.train.AdamOptimizer()
        with tf1.variable_scope(f"train_{name}"):
            ops.append(optimizer.minimize(loss, step, tf1.trainable_variables(name)))
        own_of(optimizer, name, truth)
    rest(truth)
    save(directory, ops, truth, meta=False)


@case
def optimize_loss(directory):
    optimizer = tf1.train.AdamOptimizer()
    step = tf1.train.get_or_create_global_step()
    train_op = tf.contrib.layers.optimize_loss(
        network(), step, 0.01, lambda lr: optimizer
    )
    truth = Truth()
    own_of(optimizer, "the", truth)
    truth.add("OptimizeLoss/learning_rate", OPTIMIZER, None, "the")
    rest(truth)
    save(directory, train_op, truth)


@case
def contrib_adamw(directory):
    optimizer = tf.contrib.opt.AdamWOptimizer(0.01, 0.001, name="AdamW")
    plain(directory, optimizer, meta=False)


@case
def contrib_lars(directory):
    plain(directory, tf.contrib.opt.LARSOptimizer(0.01), meta=False)


@case
def contrib_addsign(directory):
    plain(directory, tf.contrib.opt.AddSignOptimizer(0.01), meta=False)


@case
def contrib_shampoo(directory):
    plain(directory, tf.contrib.opt.ShampooOptimizer(0, learning_rate=0.01), meta=False)


class Lamb(tf1.train.Optimizer):
    """As BERT's successors write it: slots by get_variable, no powers."""

    def __init__(self, slots=("lamb_m", "lamb_v"), trainable=False):
        super().__init__(False, "LAMBOptimizer")
        self.suffixes, self.trainable, self.made = slots, trainable, []

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        ops = [global_step.assign_add(1)]
        for gradient, variable in grads_and_vars:
            for suffix in self.suffixes:
                slot = tf1.get_variable(
                    f"{variable.op.name}/{suffix}",
                    variable.shape,
                    trainable=self.trainable,
                    initializer=tf1.zeros_initializer(),
                )
                self.made.append((slot, variable))
                ops += [slot.assign(0.9 * slot + 0.1 * gradient)]
            ops += [variable.assign_sub(0.01 * slot)]
        return tf.group(*ops)

    def get_slot_names(self):
        return []

    def variables(self):
        return []


def by_hand(directory, optimizer, meta, loss=None):
    loss = network() if loss is None else loss
    step = tf1.train.get_or_create_global_step()
    train_op = optimizer.minimize(loss, step)
    truth = Truth()
    for slot, variable in optimizer.made:
        truth.add(named(slot), SLOT, named(variable), "the")
    rest(truth)
    save(directory, train_op, truth, meta)


@case
def lamb_no_meta(directory):
    by_hand(directory, Lamb(), meta=False)


@case
def unknown_slots(directory):
    """Slots of a name that nobody has heard of; the collection says the rest."""
    by_hand(directory, Lamb(["first_moment", "secnd"]), meta=True)


@case
def unknown_slots_no_meta(directory):
    by_hand(directory, Lamb(["first_moment", "secnd"]), meta=False)


class Adafactor(tf1.train.Optimizer):
    """With the slots of Tensor2Tensor's: `vr` and `vc` of rows and columns."""

    def __init__(self, momentum=True):
        super().__init__(False, "Adafactor")
        self.momentum = momentum

    def _create_slots(self, var_list):
        for var in var_list:
            shape = var.shape.as_list()
            if self.momentum:
                self._get_or_make_slot(var, tf.zeros(shape), "m", self._name)
            if len(shape) == 2:
                self._get_or_make_slot(var, tf.zeros(shape[:1]), "vr", self._name)
                self._get_or_make_slot(var, tf.zeros(shape[1:]), "vc", self._name)
            else:
                self._get_or_make_slot(var, tf.zeros(shape), "v", self._name)

    def _resource_apply_dense(self, grad, var):
        return var.assign_sub(0.01 * grad)

    _apply_dense = _resource_apply_dense


@case
def t2t_adafactor(directory):
    plain(directory, Adafactor(momentum=False))


@case
def t2t_adafactor_no_meta(directory):
    plain(directory, Adafactor(), meta=False)


@case
def colon_zero(directory):
    """`Saver({v.name: v})`: each name ends in `:0`."""
    loss = network()
    step = tf1.train.get_or_create_global_step()
    optimizer = tf1.train.AdamOptimizer()
    train_op = optimizer.minimize(loss, step)
    truth = Truth()
    own_of(optimizer, "the", truth)
    rest(truth)
    truth.roles = {
        f"{k}:0": [role, None if owner is None else f"{owner}:0", label]
        for k, (role, owner, label) in truth.roles.items()
    }
    saver = tf1.train.Saver({v.name: v for v in tf1.global_variables()})
    save(directory, train_op, truth, meta=False, saver=saver)


@case
def averages(directory):
    """TensorFlow's averages and slots of one that has a name of its own."""
    with_averages(directory, "ExponentialMovingAverage")


@case
def averages_named(directory):
    """Averages as BigGAN's are called."""
    with_averages(directory, "ema_0.9999", meta=False)


def with_averages(directory, name, meta=True):
    loss = network()
    step = tf1.train.get_or_create_global_step()
    optimizer = tf1.train.AdamOptimizer(name="Solver")
    ema = tf1.train.ExponentialMovingAverage(0.9, name=name)
    with tf.control_dependencies([optimizer.minimize(loss, step)]):
        train_op = ema.apply(tf1.trainable_variables())
    truth = Truth()
    own_of(optimizer, "the", truth)
    for variable in tf1.trainable_variables():
        truth.add(named(ema.average(variable)), AVERAGE, named(variable))
    rest(truth)
    save(directory, train_op, truth, meta)


@case
def partitioned(directory):
    with tf1.variable_scope("p", partitioner=tf1.fixed_size_partitioner(2)):
        table = tf1.get_variable("table", [4, 3])
    with tf1.variable_scope("q"):
        w = tf1.get_variable("w", [3, 2])
    loss = tf.reduce_sum(tf.matmul(tf.nn.embedding_lookup(table, [0, 1]), w))
    plain(directory, tf1.train.AdamOptimizer(name="emb_adam"), loss, meta=False)


def decoys():
    """Names that look like an optimizer's in a model that merely uses such words."""
    x = tf.ones([4, 3])
    with tf1.variable_scope("model"):
        x = batch_norm(x, "bn")
        made = []
        for name in ("beta", "momentum", "rho", "decay", "learning_rate", "m", "v"):
            made.append(tf1.get_variable(name, [], trainable=name != "decay"))
        tf1.get_variable(
            "iteration", [], tf.int64, tf1.zeros_initializer(), trainable=False
        )
    with tf1.variable_scope("hyper"):
        for name in ("learning_rate", "momentum"):
            made.append(tf1.get_variable(name, [3]))
    with tf1.variable_scope("target", reuse=tf1.AUTO_REUSE):
        for name, shape in (("one/kernel", [3, 2]), ("one/bias", [2])):
            tf1.get_variable(name, shape, trainable=False)
    with tf1.variable_scope("", reuse=tf1.AUTO_REUSE):
        x = dense(x, 2, "one")
    gate = sum(tf.reduce_sum(v) for v in made)
    return tf.reduce_mean(tf.square(x + gate))


@case
def decoys_adam(directory):
    plain(directory, tf1.train.AdamOptimizer(), decoys())


@case
def decoys_adam_no_meta(directory):
    plain(directory, tf1.train.AdamOptimizer(), decoys(), meta=False)


@case
def decoys_no_optimizer(directory):
    plain(directory, tf1.train.GradientDescentOptimizer(0.01), decoys(), meta=False)


@case
def loss_scale(directory):
    loss = network()
    step = tf1.train.get_or_create_global_step()
    inner = tf1.train.AdamOptimizer()
    scale = tf1.train.experimental.DynamicLossScale(increment_period=1)
    wrapper = tf1.train.experimental.MixedPrecisionLossScaleOptimizer(inner, scale)
    train_op = wrapper.minimize(loss, step)
    truth = Truth()
    own_of(inner, "the", truth)
    for variable in scale._weights.values():
        truth.add(named(variable), "loss_scale")
    rest(truth)
    save(directory, train_op, truth, meta=False)


@case
def loss_scale_manager_no_meta(directory):
    """Of tf.contrib, whose variables have names of their own."""
    loss = network()
    step = tf1.train.get_or_create_global_step()
    contrib = tf.contrib.mixed_precision
    manager = contrib.ExponentialUpdateLossScaleManager(128.0, 10)
    inner = tf1.train.AdamOptimizer()
    train_op = contrib.LossScaleOptimizer(inner, manager).minimize(loss, step)
    truth = Truth()
    own_of(inner, "the", truth)
    for variable in vars(manager).values():
        if isinstance(variable, (tf.Variable, tf1.Variable)):
            truth.add(named(variable), "loss_scale")
    rest(truth)
    save(directory, train_op, truth, meta=False)


# ------------------------------------------------------- Keras in a TF1 graph


def keras_model():
    keras = tf.keras
    return keras.Sequential(
        [
            keras.layers.Dense(2, input_shape=(3,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )


def of_keras(optimizer, model, truth, label="the"):
    """Slots and settings of an OptimizerV2, by its own account."""
    for slot in optimizer.get_slot_names():
        for variable in model.trainable_weights:
            its = optimizer.get_slot(variable, slot)
            if its is not None:
                truth.add(named(its), SLOT, named(variable), label)
    for variable in optimizer.weights:
        truth.add(named(variable), OPTIMIZER, None, label)
    for value in optimizer._hyper.values():
        if isinstance(value, tf.Variable):
            truth.add(named(value), OPTIMIZER, None, label)
    for variable in model.trainable_weights:
        truth.add(named(variable), TRAINABLE)


def keras_fit(directory, optimizer, meta):
    model = keras_model()
    model.compile(optimizer, "mse", metrics=["mae"])
    import numpy as np

    model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=1, verbose=0)
    truth = Truth()
    of_keras(model.optimizer, model, truth)
    rest(truth)
    save(directory, [], truth, meta, session=tf.keras.backend.get_session())


@case
def keras_adam(directory):
    keras_fit(directory, tf.keras.optimizers.Adam(0.01), meta=True)


@case
def keras_adam_no_meta(directory):
    keras_fit(directory, tf.keras.optimizers.Adam(0.01), meta=False)


@case
def keras_sgd_no_meta(directory):
    keras_fit(directory, tf.keras.optimizers.SGD(0.01, 0.9), meta=False)


@case
def keras_in_model_fn(directory):
    """What a model_fn gets with get_updates; the steps are the global step."""
    model = keras_model()
    optimizer = tf.keras.optimizers.RMSprop(0.01, momentum=0.5)
    optimizer.iterations = tf1.train.get_or_create_global_step()
    loss = tf.reduce_mean(model(tf.ones([4, 3])))
    with tf1.name_scope("train"):
        updates = optimizer.get_updates(loss, model.trainable_weights)
    truth = Truth()
    truth.add("global_step", STEP)
    of_keras(optimizer, model, truth)
    rest(truth)
    save(directory, updates, truth, meta=False)


@case
def model_to_estimator(directory):
    """What `model_to_estimator` trains, saved by the Estimator itself."""
    import numpy as np

    model = keras_model()
    model.compile(tf.keras.optimizers.Adam(0.01), "mse")
    config = tf.estimator.RunConfig("work", tf_random_seed=1, keep_checkpoint_max=1)
    estimator = tf.keras.estimator.model_to_estimator(model, config=config)

    def input_fn():
        x = np.ones((4, 3), np.float32)
        return tf.data.Dataset.from_tensors(({model.input_names[0]: x}, x[:, :1]))

    class Recorder(tf1.train.SessionRunHook):
        """Takes the truth from the graph that the Estimator made."""

        def after_create_session(self, session, coord):
            self.names = [v.op.name for v in tf1.global_variables()]
            self.trainable = [v.op.name for v in tf1.trainable_variables()]

    recorder = Recorder()
    estimator.train(input_fn, steps=1, hooks=[recorder])
    prefix = estimator.latest_checkpoint()
    for suffix in (".index", ".data-00000-of-00001"):
        os.replace(prefix + suffix, os.path.join(directory, "model.ckpt" + suffix))
    truth = Truth()
    truth.add("global_step", STEP)
    weights = [v.op.name for v in model.trainable_weights]
    for name in recorder.names:
        owner = next((w for w in weights if f"/{w}/" in f"/{name}"), None)
        if name in weights:
            truth.add(name, TRAINABLE)
        elif name.startswith(("training/", "Adam/")):
            role = SLOT if owner else OPTIMIZER
            truth.add(name, role, owner, "the")
        else:
            truth.add(name, MODEL)
    truth.write(directory)


@case
def keras_around_tf1_no_meta(directory):
    """A tf1 optimizer that a Keras model is compiled with."""
    import numpy as np

    model, inner = keras_model(), tf1.train.AdamOptimizer(0.01)
    model.compile(inner, "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=1, verbose=0)
    truth = Truth()
    for slot in inner.get_slot_names():
        for variable in model.trainable_weights:
            its = inner.get_slot(variable, slot)
            truth.add(named(its), SLOT, named(variable), "the")
    for variable in inner.variables():
        truth.add(named(variable), OPTIMIZER, None, "the")
    truth.add(named(model.optimizer.iterations), OPTIMIZER, None, "around")
    rest(truth)
    save(directory, [], truth, meta=False, session=tf.keras.backend.get_session())


def keras22(directory, optimizer, meta):
    """Keras 2.2's own optimizers: every slot is called `Variable`."""
    import keras
    import numpy as np

    tf1.keras.backend.clear_session()
    keras.backend.clear_session()
    model = keras.Sequential(
        [
            keras.layers.Dense(2, input_shape=(3,), name="one"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(1, name="two"),
        ]
    )
    optimizer = getattr(keras.optimizers, optimizer)
    model.compile(optimizer(0.01), "mse")
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 1)))
    truth = Truth()
    made = model.optimizer
    weights = model._collected_trainable_weights
    slots = [v for v in made.weights if v is not made.iterations]
    for number, slot in enumerate(slots):
        owner = named(weights[number % len(weights)])
        truth.add(named(slot), SLOT, owner, "the")
    for value in (*vars(made).values(), *made.weights):
        if isinstance(value, (tf.Variable, tf1.Variable)):
            truth.add(named(value), OPTIMIZER, None, "the")
    for variable in weights:
        truth.add(named(variable), TRAINABLE)
    for variable in model.weights:
        truth.add(named(variable), MODEL)
    rest(truth)
    save(directory, [], truth, meta, session=keras.backend.get_session())


@case
def keras22_sgd(directory):
    keras22(directory, "SGD", meta=True)


@case
def keras22_rmsprop(directory):
    keras22(directory, "RMSprop", meta=True)


@case
def keras22_adam_no_meta(directory):
    keras22(directory, "Adam", meta=False)


# ---------------------------------------------------------- Mesh-TensorFlow


def mesh(directory, optimizer, meta):
    """A model of Mesh-TensorFlow, as T5 and Mesh's own BERT train theirs."""
    import mesh_tensorflow as mtf

    graph, step = mtf.Graph(), tf1.train.get_or_create_global_step()
    world = mtf.Mesh(graph, "mesh")
    rows, columns = mtf.Dimension("rows", 3), mtf.Dimension("columns", 2)
    with tf1.variable_scope("encoder/block_000/layer_000"):
        kernel = mtf.get_variable(world, "kernel", mtf.Shape([rows, columns]))
        with tf1.variable_scope("rms_norm"):
            scale = mtf.get_variable(world, "scale", mtf.Shape([columns]))
    x = mtf.import_tf_tensor(world, tf.ones([3]), mtf.Shape([rows]))
    loss = mtf.reduce_mean(mtf.square(mtf.einsum([x, kernel], [columns]) * scale - 1.0))
    optimizer = optimizer(mtf)
    gradients = mtf.gradients([loss], [v.outputs[0] for v in graph.trainable_variables])
    model = [v.name for v in graph.trainable_variables]
    updates = optimizer.apply_grads(gradients, graph.trainable_variables)
    lowering = mtf.Lowering(
        graph, {world: mtf.placement_mesh_impl.PlacementMeshImpl([], [], [""])}
    )
    ops = [lowering.lowered_operation(update) for update in updates]
    ops.append(step.assign_add(1))
    truth = Truth()
    for variable in graph.all_variables:
        if variable.name in model:
            truth.add(variable.name, TRAINABLE)
        else:
            owner = max((n for n in model if variable.name.startswith(n)), key=len)
            truth.add(variable.name, SLOT, owner, "the")
    rest(truth)
    save(directory, ops, truth, meta)


@case
def mesh_adafactor(directory):
    mesh(
        directory,
        lambda mtf: mtf.optimize.AdafactorOptimizer(
            learning_rate=0.01, beta1=0.9, min_dim_size_to_factor=2
        ),
        meta=True,
    )


@case
def mesh_adafactor_no_meta(directory):
    mesh(
        directory,
        lambda mtf: mtf.optimize.AdafactorOptimizer(
            learning_rate=0.01, min_dim_size_to_factor=2
        ),
        meta=False,
    )


@case
def mesh_momentum_no_meta(directory):
    mesh(directory, lambda mtf: mtf.optimize.MomentumOptimizer(0.1, 0.9), meta=False)
