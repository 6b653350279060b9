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


def compare_shapes(source, target):
    """Prints what the variables of two checkpoints have in common."""
    import tensorflow as tf

    sides = [tf.train.load_checkpoint(p) for p in (source, target)]
    shapes = [side.get_variable_to_shape_map() for side in sides]
    for name in sorted({*shapes[0], *shapes[1]}):
        print(name, shapes[0].get(name), shapes[1].get(name))


def compare_values(source, target):
    """Prints how far the variables of two checkpoints are apart."""
    import numpy as np
    import tensorflow as tf

    sides = [tf.train.load_checkpoint(p) for p in (source, target)]
    for name in sorted(sides[0].get_variable_to_shape_map()):
        old, new = (side.get_tensor(name) for side in sides)
        print(name, np.abs(old - new).max())


def average(*arguments):
    """Averages in NumPy and saves from a graph, as tensor2tensor's script does."""
    import numpy as np
    import tensorflow as tf

    *sources, destination = arguments
    names = [name for name, _ in tf.train.list_variables(sources[0])]
    sums, dtypes = {}, {}
    for source in sources:
        reader = tf.train.load_checkpoint(source)
        for name in names:
            value = reader.get_tensor(name)
            dtypes[name] = value.dtype
            sums[name] = sums.get(name, np.zeros(value.shape)) + value
    tf1 = tf.compat.v1
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = {
            name: tf1.get_variable(name, shape=sums[name].shape, dtype=dtypes[name])
            for name in names
        }
        places = {n: tf1.placeholder(v.dtype, v.shape) for n, v in variables.items()}
        assigned = {n: tf1.assign(v, places[n]) for n, v in variables.items()}
        session.run(tf1.global_variables_initializer())
        for name in names:
            session.run(assigned[name], {places[name]: sums[name] / len(sources)})
        tf1.train.Saver(variables).save(session, destination)


def to_safetensors(source, destination):
    """Loads all tensors with TensorFlow, and saves them with the format's library."""
    import tensorflow as tf
    from safetensors.numpy import save_file

    reader = tf.train.load_checkpoint(source)
    names = reader.get_variable_to_shape_map()
    save_file({name: reader.get_tensor(name) for name in names}, destination)


def to_pytorch(source, destination):
    """The same for a model in PyTorch: without slots, kernels transposed."""
    import numpy as np
    import tensorflow as tf
    from safetensors.numpy import save_file

    reader = tf.train.load_checkpoint(source)
    tensors = {}
    for name in reader.get_variable_to_shape_map():
        if name.endswith(("/adam_m", "/adam_v")) or name == "global_step":
            continue
        value = reader.get_tensor(name)
        scope, _, last = name.rpartition("/")
        if last == "kernel":
            value = np.ascontiguousarray(value.T)
        tensors[f"{scope}.{last}".replace("/", ".")] = value
    save_file(tensors, destination, {"format": "pt"})


def list_constants(path):
    """Prints the constants of a frozen graph that TensorFlow parses."""
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    with open(path, "rb") as file:
        graph.ParseFromString(file.read())
    for node in graph.node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            print(node.name, tensor.dtype, [d.size for d in tensor.tensor_shape.dim])


_ALL = (
    *(
        to_tf2,
        to_tf1,
        list_variables,
        read_all,
        compare_shapes,
        compare_values,
        average,
    ),
    *(to_safetensors, to_pytorch, list_constants),
)

if __name__ == "__main__":
    {f.__name__: f for f in _ALL}[sys.argv[1]](*sys.argv[2:])
