"""What people use instead, as whole processes: python -m benchmarks.others NAME ..."""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def to_tf2(source, destination):
    """Reads all variables into a tf.train.Checkpoint and saves it: the guide's way."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(source)
    variables = {
        name: tf.Variable(reader.get_tensor(name))
        for name in reader.get_variable_to_dtype_map()
    }
    tf.train.Checkpoint(vars=variables).save(destination)


def to_tf1(source, destination):
    """Reads every variable and saves them with a tf1 Saver, as the guide does."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(source)
    variables = {}
    for key in reader.get_variable_to_dtype_map():
        if key.startswith("var_list/"):
            name = key.split("/")[1].replace(".S", "/")
            variables[name] = tf.Variable(reader.get_tensor(key))
    tf.compat.v1.train.Saver(var_list=variables).save(None, destination)


def list_variables(source):
    """Prints names and shapes with tf.train.list_variables."""
    import tensorflow as tf

    for name, shape in tf.train.list_variables(source):
        print(name, shape)


def read_all(source):
    """Reads every tensor with TensorFlow, which checks the checksums."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(source)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


if __name__ == "__main__":
    {f.__name__: f for f in (to_tf2, to_tf1, list_variables, read_all)}[sys.argv[1]](
        *sys.argv[2:]
    )
