"""The network of `model_fns.digits` as plain TensorFlow 2 has it, in two ways.

`Tf1StyleModel` keeps the body of the model_fn and the names of its variables.
`model` is a Keras model, written anew: its layers have names of their own, and
`configs/digits_keras.yaml` is the map from the old ones.

    conv1            stem_conv       bn1    stem_norm
    conv2            reduce_conv     bn2    reduce_norm
    logits           head

Both give logits, and train with `loss_fn` and the Adam of `optimizer`.
"""

import tensorflow as tf

from model_fns import digits

tf1 = tf.compat.v1

#: The mean over the batch, as `tf1.losses.sparse_softmax_cross_entropy` has it.
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def model(batch_norm_momentum=digits.DEFAULTS["batch_norm_momentum"]):
    """A functional Keras model: float32[batch, 8, 8, 1] to logits [batch, 10]."""
    layers = tf.keras.layers

    def batch_norm(name):
        return layers.BatchNormalization(momentum=batch_norm_momentum, name=name)

    image = tf.keras.Input((8, 8, 1), name="image")
    net = layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem_conv")(image)
    net = tf.nn.relu(batch_norm("stem_norm")(net))
    net = layers.Conv2D(
        16, 3, strides=2, padding="same", use_bias=False, name="reduce_conv"
    )(net)
    net = tf.nn.relu(batch_norm("reduce_norm")(net))
    logits = layers.Dense(10, name="head")(layers.Flatten()(net))
    return tf.keras.Model(image, logits, name="digits")


def optimizer(learning_rate=digits.DEFAULTS["learning_rate"]):
    """The Adam that goes on where `tf1.train.AdamOptimizer(learning_rate)` stopped.

    tf1's epsilon is 1e-8 unless it is given; Keras's would be 1e-7.
    """
    return tf.keras.optimizers.Adam(learning_rate, epsilon=1e-8)


def trackable():
    """What a checkpoint is converted for: the Keras model and its optimizer, built."""
    keras_model, adam = model(), optimizer()
    adam.build(keras_model.trainable_variables)
    return {"model": keras_model, "optimizer": adam}


class Tf1StyleModel(tf.keras.layers.Layer):
    """The body of the model_fn, tracked: its variables keep the names of tf1.

    They are made at the first call, which `tf1_style_trackable` does.
    """

    @tf1.keras.utils.track_tf1_style_variables
    def call(self, image, training=False):
        def batch_norm(inputs, name):
            return tf1.layers.batch_normalization(
                inputs,
                momentum=digits.DEFAULTS["batch_norm_momentum"],
                training=training,
                name=name,
            )

        net = tf1.layers.conv2d(
            image,
            filters=8,
            kernel_size=3,
            padding="same",
            use_bias=False,
            name="conv1",
        )
        net = tf.nn.relu(batch_norm(net, name="bn1"))
        net = tf1.layers.conv2d(
            net,
            filters=16,
            kernel_size=3,
            strides=2,
            padding="same",
            use_bias=False,
            name="conv2",
        )
        net = tf.nn.relu(batch_norm(net, name="bn2"))
        return tf1.layers.dense(tf1.layers.flatten(net), units=10, name="logits")


def tf1_style_trackable():
    """The same for the tracked body of the model_fn."""
    tracked = Tf1StyleModel(name="digits")
    tracked(tf.zeros([1, 8, 8, 1]))
    adam = optimizer()
    adam.build(tracked.trainable_variables)
    return {"model": tracked, "optimizer": adam}
