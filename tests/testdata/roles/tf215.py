"""Checkpoints of TensorFlow 2.15.1's objects, with what each variable is for."""

import os

import numpy as np
import tensorflow as tf
from truth import (
    AVERAGE,
    LOSS_SCALE,
    METRIC,
    MODEL,
    OPTIMIZER,
    SLOT,
    STEP,
    TRAINABLE,
    of_objects,
)

keras = tf.keras
legacy = keras.optimizers.legacy
CASES = {}
X, Y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)


def case(function):
    """Registers the writer of the directory of its name."""
    CASES[function.__name__] = function
    return function


def sequential(name=None):
    return keras.Sequential(
        [
            keras.layers.Dense(2, input_shape=(3,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ],
        name=name,
    )


def of_model(model):
    """What a model says of its own variables."""
    for variable in model.trainable_variables:
        yield variable, TRAINABLE, None, None
    for variable in model.non_trainable_variables:
        yield variable, MODEL, None, None


def of_legacy(optimizer, variables, label="the"):
    """What a legacy optimizer says of its variables."""
    for slot in optimizer.get_slot_names():
        for variable in variables:
            try:
                yield optimizer.get_slot(variable, slot), SLOT, variable, label
            except KeyError:
                pass
    for variable in (*optimizer.weights, *optimizer._hyper.values()):
        yield variable, OPTIMIZER, None, label


def of_new(
    optimizer, variables, label="the", averages="_model_variables_moving_average"
):
    """What an optimizer since 2.11 says of its variables."""
    for variable, average in zip(variables, getattr(optimizer, averages, ())):
        yield average, AVERAGE, variable, label
    by_shape = {}
    for name, value in vars(optimizer).items():
        if name in ("_variables", averages) or not isinstance(value, (list, tuple)):
            continue
        if len(value) == len(variables) and all(hasattr(v, "assign") for v in value):
            by_shape[name] = value
    for value in by_shape.values():
        for slot, variable in zip(value, variables):
            yield slot, SLOT, variable, label
    for variable in optimizer.variables:
        yield variable, OPTIMIZER, None, label
    for value in vars(optimizer).values():
        if hasattr(value, "assign"):
            yield value, OPTIMIZER, None, label


def said_of(optimizer, variables, label="the"):
    if hasattr(optimizer, "get_slot_names"):
        return of_legacy(optimizer, variables, label)
    return of_new(optimizer, variables, label)


def save(directory, root, said):
    """Saves an object, and what each of its variables is for."""
    from estimator_ckpt.tf_private import trackables_api

    prefix = os.path.join(directory, "model.ckpt")
    written = tf.train.Checkpoint.write
    if isinstance(root, tf.train.Checkpoint):
        root._maybe_create_save_counter()
        written(root, prefix)
    else:
        root.save_weights(prefix)
        os.remove(os.path.join(directory, "checkpoint"))
    graph, objects, _ = trackables_api.objects_of(root)
    of_objects(prefix, graph, objects, list(said)).write(directory)


def step(optimizer, variables):
    """One step of an optimizer alone."""
    pairs = [(tf.ones_like(variable), variable) for variable in variables]
    optimizer.apply_gradients(pairs)


def trained(directory, optimizer, model=None):
    """A Checkpoint of a model and an optimizer after one step."""
    model = model or sequential()
    step(optimizer, model.trainable_variables)
    root = tf.train.Checkpoint(model=model, optimizer=optimizer)
    said = [*of_model(model), *said_of(optimizer, model.trainable_variables)]
    save(directory, root, said)


for name in ("Adam", "SGD", "RMSprop", "Ftrl"):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    CASES[f"legacy_{name.lower()}"] = lambda directory, name=name, options=options: (
        trained(directory, getattr(legacy, name)(0.01, **options))
    )
for name in ("Adam", "SGD", "RMSprop", "Adafactor", "Nadam", "Ftrl"):
    options = {"RMSprop": {"momentum": 0.9, "centered": True}}.get(name, {})
    CASES[f"new_{name.lower()}"] = lambda directory, name=name, options=options: (
        trained(directory, getattr(keras.optimizers, name)(0.01, **options))
    )


@case
def new_adam_ema(directory):
    trained(directory, keras.optimizers.Adam(0.01, use_ema=True, amsgrad=True))


@case
def new_adam_schedule(directory):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    trained(directory, keras.optimizers.Adam(schedule))


@case
def legacy_resumed_before_a_step(directory):
    """Its slots are made by the restore, and called as their variables."""
    model = sequential()
    optimizer = legacy.Adam(0.01)
    step(optimizer, model.trainable_variables)
    prefix = tf.train.Checkpoint(model=model, optimizer=optimizer).write("before")
    keras.backend.clear_session()
    model, optimizer = sequential(), legacy.Adam(0.01)
    root = tf.train.Checkpoint(model=model, optimizer=optimizer)
    root.restore(prefix)
    variables = model.trainable_variables
    save(directory, root, [*of_model(model), *of_legacy(optimizer, variables)])


def fitted(directory, optimizer):
    """A compiled model's own weights: optimizer and metrics are in it."""
    model = sequential()
    model.compile(
        optimizer, "mse", metrics=["mae", keras.metrics.AUC(num_thresholds=3)]
    )
    model.fit(X, Y, verbose=0)
    root = tf.train.Checkpoint(model=model)
    said = list(of_model(model))
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    said += said_of(inner, model.trainable_variables)
    said += [(v, METRIC, None, None) for m in model.metrics for v in m.variables]
    save(directory, root, said)


@case
def compiled_new(directory):
    fitted(directory, keras.optimizers.Adam(0.01))


@case
def weights_only(directory):
    """`model.save_weights` of a compiled model."""
    model = sequential()
    model.compile(keras.optimizers.SGD(0.01, 0.9), "mse")
    model.fit(X, Y, verbose=0)
    said = [*of_model(model), *of_new(model.optimizer, model.trainable_variables)]
    said += [(v, METRIC, None, None) for m in model.metrics for v in m.variables]
    save(directory, model, said)


def scaled(directory, inner):
    model = sequential()
    wrapper = keras.mixed_precision.LossScaleOptimizer(inner)
    step(wrapper, model.trainable_variables)
    root = tf.train.Checkpoint(model=model, optimizer=wrapper)
    said = [*of_model(model), *said_of(inner, model.trainable_variables)]
    for variable in (wrapper._loss_scale, wrapper.dynamic_counter):
        for v in getattr(variable, "_weights", {None: variable}).values():
            said.append((v, LOSS_SCALE, None, None))
    scale = wrapper._loss_scale
    for v in (
        getattr(scale, "_current_loss_scale", None),
        getattr(scale, "_counter", None),
    ):
        if v is not None:
            said.append((v, LOSS_SCALE, None, None))
    save(directory, root, said)


@case
def loss_scale_legacy(directory):
    scaled(directory, legacy.Adam(0.01))


@case
def loss_scale_new(directory):
    scaled(directory, keras.optimizers.Adam(0.01))


@case
def gan_new(directory):
    two(directory, keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02))


@case
def gan_legacy(directory):
    two(directory, legacy.Adam(0.01), legacy.Adam(0.02))


def two(directory, first, second):
    """A GAN: two models, two optimizers, and steps that differ."""
    generator, discriminator = sequential("generator"), sequential("discriminator")
    step(first, generator.trainable_variables)
    step(second, discriminator.trainable_variables)
    step(second, discriminator.trainable_variables)
    root = tf.train.Checkpoint(
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=first,
        discriminator_optimizer=second,
    )
    said = [*of_model(generator), *of_model(discriminator)]
    said += said_of(first, generator.trainable_variables, "first")
    said += said_of(second, discriminator.trainable_variables, "second")
    save(directory, root, said)


class OwnLists(keras.optimizers.Optimizer):
    """An optimizer of one's own since 2.11, whose lists are called as none are."""

    def __init__(self):
        super().__init__(name="mine")
        self._learning_rate = self._build_learning_rate(0.1)
        self.first, self.anchors = [], []

    def build(self, var_list):
        super().build(var_list)
        for variable in () if self.first else var_list:
            self.first.append(self.add_variable_from_reference(variable, "first"))
            self.anchors.append(self.add_variable_from_reference(variable, "anchor"))

    def update_step(self, gradient, variable):
        variable.assign_sub(0.1 * gradient)

    def get_config(self):
        return {}


@case
def own_new(directory):
    trained(directory, OwnLists())


class OwnSlots(legacy.Optimizer):
    """The same of the legacy ones."""

    def __init__(self, name="Mine"):
        super().__init__(name)
        self._set_hyper("learning_rate", 0.1)
        self._set_hyper("warmup", 0.2)

    def _create_slots(self, var_list):
        for variable in var_list:
            self.add_slot(variable, "first")
            self.add_slot(variable, "anchor")

    def _resource_apply_dense(self, gradient, variable, apply_state=None):
        return variable.assign_sub(0.1 * gradient)

    def get_config(self):
        return {}


@case
def own_legacy(directory):
    trained(directory, OwnSlots())


@case
def many_metrics(directory):
    """And a module that counts for itself, beside a weight."""
    metrics = [
        keras.metrics.Mean(),
        keras.metrics.Precision(),
        keras.metrics.MeanIoU(2),
        keras.metrics.AUC(num_thresholds=3),
    ]
    for metric in metrics:
        metric.update_state(*([1.0], [1.0])[: 1 if metric is metrics[0] else 2])
    module = tf.Module()
    module.total = tf.Variable(1.0, name="total")
    module.count = tf.Variable(1.0, name="count")
    module.w = tf.Variable(tf.ones([3, 2]), name="w")
    said = [(v, METRIC, None, None) for m in metrics for v in m.variables]
    root = tf.train.Checkpoint(module=module, metrics=metrics)
    save(directory, root, [*said, *of_module(module)])


class Decoy(tf.Module):
    """A module whose attributes are called as an optimizer's are."""

    def __init__(self):
        super().__init__()
        self.m = tf.Variable(tf.ones([3]), name="m")
        self.v = tf.Variable(tf.ones([3]), name="v")
        self.momentum = tf.Variable(tf.ones([2]), name="momentum")
        self.learning_rate = tf.Variable(0.5, name="learning_rate")
        self.beta = tf.Variable(0.5, name="beta")
        self.iteration = tf.Variable(
            0, name="iteration", trainable=False, dtype=tf.int64
        )
        self.iter = tf.Variable(0, name="iter", trainable=False, dtype=tf.int64)
        self._variables = [tf.Variable(tf.ones([2]), name="extra")]
        self.kernel = tf.Variable(tf.ones([3, 3]), name="kernel")


def of_module(module):
    for variable in module.variables:
        yield variable, TRAINABLE if variable.trainable else MODEL, None, None


def decoy(directory, optimizer):
    module = Decoy()
    step(optimizer, module.trainable_variables)
    root = tf.train.Checkpoint(module=module, optimizer=optimizer)
    said = said_of(optimizer, module.trainable_variables)
    save(directory, root, [*of_module(module), *said])


@case
def decoy_legacy(directory):
    decoy(directory, legacy.Adam(0.01))


@case
def decoy_new(directory):
    decoy(directory, keras.optimizers.Adam(0.01))


@case
def decoy_alone(directory):
    module = Decoy()
    save(directory, tf.train.Checkpoint(module=module), of_module(module))


@case
def odds_and_ends(directory):
    """Iterators, generators, strings, tables, a step, averages, a tf1 optimizer."""
    w, b = tf.Variable(tf.ones([3, 2]), name="w"), tf.Variable(tf.ones([2]), name="b")
    optimizer = tf.compat.v1.train.AdamOptimizer(0.01)
    optimizer.apply_gradients([(tf.ones_like(v), v) for v in (w, b)])
    ema = tf.train.ExponentialMovingAverage(0.9)
    ema.apply([w, b])
    said = [(w, TRAINABLE, None, None), (b, TRAINABLE, None, None)]
    said += [(ema.average(v), AVERAGE, v, None) for v in (w, b)]
    for slot in ("m", "v"):
        said += [(optimizer.get_slot(v, slot), SLOT, v, "the") for v in (w, b)]
    said += [(v, OPTIMIZER, None, "the") for v in optimizer.variables()]
    metric = keras.metrics.MeanSquaredError()
    metric.update_state(Y, Y)
    said += [(v, METRIC, None, None) for v in metric.variables]
    generator = tf.random.Generator.from_seed(1)
    said.append((generator.state, MODEL, None, None))
    step_counter = tf.Variable(3, dtype=tf.int64, trainable=False, name="global_step")
    said.append((step_counter, STEP, None, None))
    text = tf.Variable("text", trainable=False, name="text")
    said.append((text, "no_variable", None, None))
    iterator = iter(tf.data.Dataset.range(3))
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(["a"], [1])
    root = tf.train.Checkpoint(
        w=w,
        b=b,
        optimizer=optimizer,
        metric=metric,
        generator=generator,
        step=step_counter,
        text=text,
        iterator=iterator,
        table=table,
        averages=[ema.average(w), ema.average(b)],
    )
    save(directory, root, said)


def unnamed(directory, optimizer):
    """Variables that nobody named: slots are called after `Variable`."""
    w, *others = [tf.Variable(tf.ones(shape)) for shape in ([3, 2], [2], [2])]
    variables = [w, *others]
    step(optimizer, variables)
    said = [(v, TRAINABLE, None, None) for v in variables]
    if hasattr(optimizer, "_hyper"):
        said += of_legacy(optimizer, variables)
    else:
        for slot in optimizer.get_slot_names():
            its = [(optimizer.get_slot(v, slot), v) for v in variables]
            said += [(variable, SLOT, v, "the") for variable, v in its]
        said += [(v, OPTIMIZER, None, "the") for v in optimizer.variables()]
    net = {"w": w, "others": others}
    save(directory, tf.train.Checkpoint(net=net, optimizer=optimizer), said)


@case
def unnamed_adam(directory):
    unnamed(directory, tf.compat.v1.train.AdamOptimizer(0.1, name="mine"))


@case
def unnamed_rmsprop(directory):
    optimizer = tf.compat.v1.train.RMSPropOptimizer(0.1, momentum=0.9, centered=True)
    unnamed(directory, optimizer)


@case
def unnamed_legacy(directory):
    unnamed(directory, legacy.Adam(0.1))


def saved_model(directory, optimizer):
    """The `variables/variables` of a compiled Keras model's SavedModel."""
    model = sequential()
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    model.save("saved", save_format="tf")
    for suffix in (".index", ".data-00000-of-00001"):
        os.replace(
            "saved/variables/variables" + suffix, directory + "/model.ckpt" + suffix
        )
    reader = tf.train.load_checkpoint(directory + "/model.ckpt")
    from tensorflow.core.protobuf import trackable_object_graph_pb2 as graph_pb2
    from truth import NO_VARIABLE, Truth

    graph = graph_pb2.TrackableObjectGraph.FromString(
        reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    )
    truth = Truth()
    values = {}
    said = [*of_model(model), *said_of(model.optimizer, model.trainable_variables)]
    said += [(v, METRIC, None, None) for m in model.metrics for v in m.variables]
    # A SavedModel is written from a copy of the graph: full names say which is which,
    # and these are unique here but for the optimizer's, which its own list tells apart.
    for node in graph.nodes:
        for attribute in node.attributes:
            values.setdefault(attribute.full_name, []).append(attribute.checkpoint_key)
    keys = {}
    for variable, *_ in said:
        name = variable.name.split(":")[0]
        if len(values.get(name, ())) == 1:
            keys[id(variable)] = values[name][0]
    for variable, role, owner, optimizer in said:
        if id(variable) in keys:
            its = None if owner is None else keys[id(owner)]
            truth.add(keys[id(variable)], role, its, optimizer)
    for node in graph.nodes:
        for attribute in node.attributes:
            if attribute.name != "VARIABLE_VALUE":
                truth.add(attribute.checkpoint_key, NO_VARIABLE)
            elif "/metrics/" in attribute.checkpoint_key:
                truth.add(attribute.checkpoint_key, METRIC)
            elif attribute.checkpoint_key.startswith("save_counter/"):
                truth.add(attribute.checkpoint_key, NO_VARIABLE)
            assert attribute.checkpoint_key in truth.roles, attribute
    truth.write(directory)


@case
def saved_model_new(directory):
    saved_model(directory, keras.optimizers.Adam(0.01))


@case
def saved_model_legacy(directory):
    saved_model(directory, legacy.RMSprop(0.01))


# --------------------------------------------------- in a graph, by a Saver


def in_graph(directory, optimizer, scope, steps_are_global):
    """A legacy Keras optimizer in a model_fn's graph."""
    from truth import Truth

    tf1 = tf.compat.v1
    with tf.Graph().as_default(), tf1.Session() as session:
        model = sequential()
        made = optimizer()
        if steps_are_global:
            made.iterations = tf1.train.get_or_create_global_step()
        loss = tf.reduce_mean(model(tf.constant(X)))
        with tf1.name_scope(scope):
            op = made.get_updates(loss, model.trainable_weights)
        truth = Truth()
        if steps_are_global:
            truth.add("global_step", STEP)
        for variable, role, owner, label in (
            *of_legacy(made, model.trainable_weights),
            *of_model(model),
        ):
            if isinstance(variable, tf.Variable):
                its = None if owner is None else owner.op.name
                truth.add(variable.op.name, role, its, label)
        session.run(tf1.global_variables_initializer())
        session.run(op)
        saver = tf1.train.Saver()
        saver.save(
            session,
            directory + "/model.ckpt",
            write_meta_graph=False,
            write_state=False,
        )
        truth.write(directory)


@case
def graph_legacy(directory):
    in_graph(directory, lambda: legacy.Adam(0.01), "training", False)


@case
def graph_legacy_global_step(directory):
    in_graph(directory, lambda: legacy.Adagrad(0.01), "train", True)
