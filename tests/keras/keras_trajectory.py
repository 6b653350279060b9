"""The trajectories' model in Keras, and a step of its training."""

import tensorflow as tf

from tests.testdata import trajectory


def model_of(case):
    """The model of a case, with sparse or with dense gradients."""
    ids = tf.keras.Input((trajectory.IDS,), dtype=tf.int32)
    layers = tf.keras.layers
    if case.endswith("_dense"):
        rows = tf.keras.layers.Lambda(
            lambda x: tf.one_hot(x, trajectory.ROWS),
            output_shape=(trajectory.IDS, trajectory.ROWS),
        )(ids)
        net = layers.Dense(trajectory.WIDTH, use_bias=False, name="embedding")(rows)
    else:
        net = layers.Embedding(trajectory.ROWS, trajectory.WIDTH, name="embedding")(ids)
    if case.endswith("_lstm"):
        net = layers.LSTM(trajectory.UNITS, name="lstm")(net)
    else:
        net = layers.Flatten()(net)
        net = layers.Dense(trajectory.UNITS, "relu", name="hidden")(net)
        net = layers.BatchNormalization(name="bn")(net)
    return tf.keras.Model(ids, layers.Dense(1, name="out")(net))


def assignment_map(case):
    """From TF1's names to Keras's, where they differ."""
    if case.endswith("_dense"):
        return {"embedding/embeddings": "embedding/kernel"}
    return None


def layouts(case):
    """The layout rules of a case."""
    table = "embedding/embeddings"
    if case.endswith("_partitioned"):  # `embedding_lookup` read its parts by "mod"
        return [{"mod": table, "to": table, "parts": 3}]
    if case.endswith("_lstm"):
        return [{"lstm": "rnn/basic_lstm_cell", "to": "lstm/lstm_cell"}]
    return None


def gradients_of(tape, loss, variables, summed=False):
    """Gradients; with the rows of repeated ids summed, where that is asked for."""
    found = tape.gradient(loss, variables)
    if summed:
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    return found


def train(model, optimizer, step, decay=0.0, summed=False):
    """One step on the batch of that number.

    Args:
      model: the model.
      optimizer: its optimizer.
      step: the number of the batch.
      decay: the weight decay of BERT's optimizer, from the weights before the step.
      summed: whether sparse gradients become dense, as Keras 3 needs them.
    """
    ids, labels = trajectory.batch(step)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(labels - model(ids, training=True)))
    variables = model.trainable_variables
    gradients = gradients_of(tape, loss, variables, summed)
    if decay:
        rate = float(optimizer.learning_rate)
        weights = [(v, tf.identity(v)) for v in variables]
    optimizer.apply_gradients(zip(gradients, variables))
    if decay:
        for variable, before in weights:
            if "bias" not in variable.name and "beta" not in variable.name:
                variable.assign_sub(rate * decay * before)


def schedule(rate):
    return tf.keras.optimizers.schedules.ExponentialDecay(rate, 10, 0.8)


FTRL = {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.01}
#: By the name of a case: Keras's optimizer that goes on as tf1's, given its module.
OPTIMIZERS = {
    "gradient_descent": lambda m: m.SGD(0.05),
    "momentum_dense": lambda m: m.SGD(0.02, 0.9),
    "nesterov_dense": lambda m: m.SGD(0.02, 0.9, nesterov=True),
    "adam": lambda m: m.Adam(0.02, epsilon=1e-8),
    "adam_epsilon": lambda m: m.Adam(0.02, epsilon=1e-3),
    "adam_schedule": lambda m: m.Adam(schedule(0.02), epsilon=1e-8),
    "adam_partitioned": lambda m: m.Adam(0.02, epsilon=1e-8),
    "adam_lstm": lambda m: m.Adam(0.02, epsilon=1e-8),
    "rmsprop_momentum_dense": lambda m: m.RMSprop(0.005, momentum=0.9, epsilon=1e-10),
    "rmsprop_centered_dense": lambda m: m.RMSprop(
        0.005, momentum=0.9, epsilon=1e-3, centered=True
    ),
    "adadelta_dense": lambda m: m.Adadelta(1.0, epsilon=1e-5),
    "ftrl_dense": lambda m: m.Ftrl(0.1, **FTRL),
    "adamax_dense": lambda m: m.Adamax(0.02, epsilon=1e-8),
    "lazy_adam_dense": lambda m: m.Adam(0.02, epsilon=1e-8),
}
