"""Writes the frozen graphs of this directory, with TensorFlow 1.15.5:

    python tests/checkpoint/weight_files/frozen_by_tf1/write.py

`reference.npz` and `resource.npz` are what the sessions saw in the variables.
"""

import os
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import graph_util
from tensorflow.python.tools import freeze_graph, optimize_for_inference_lib

HERE = os.path.dirname(os.path.abspath(__file__))


def model(use_resource):
    with tf.variable_scope("net", use_resource=use_resource):
        images = tf.placeholder(tf.float32, [None, 8, 8, 2], "images")
        x = tf.layers.conv2d(images, 4, 3, name="conv", use_bias=False)
        x = tf.layers.batch_normalization(x, name="bn")
        x = tf.layers.separable_conv2d(x, 3, 3, name="separable")
        x = tf.layers.conv2d_transpose(x, 2, 2, name="up")
        x = tf.layers.dense(tf.layers.flatten(x), 5, tf.nn.relu, name="dense")
        table = tf.get_variable("table", [7, 5])
        x += tf.nn.embedding_lookup(table, tf.constant([1, 2, 3, 4, 5])[:1])
        x = tf.matmul(x, table, transpose_b=True)
        half = tf.get_variable("half", [3, 2], tf.float16)
        brain = tf.get_variable(
            "brain", [4], tf.bfloat16, tf.constant_initializer(1.5, tf.bfloat16)
        )
        same = tf.get_variable("same", [50], initializer=tf.ones_initializer())
        count = tf.get_variable("count", [2], tf.int32, tf.zeros_initializer())
        rest = [tf.cast(v, tf.float32) for v in (half, brain, same, count)]
        total = tf.add_n([tf.reduce_sum(value) for value in rest])
        words = tf.constant([b"never", b"weights"], name="words")
        total += tf.cast(tf.size(words), tf.float32)
    return tf.add(tf.reduce_sum(x), total, name="out")


def write(name, content):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(content)


def main():
    for use_resource, name in ((False, "reference"), (True, "resource")):
        tf.set_random_seed(3)
        with tf.Graph().as_default() as graph, tf.Session() as session:
            model(use_resource)
            session.run(tf.global_variables_initializer())
            values = {v.op.name: session.run(v) for v in tf.global_variables()}
            frozen = graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["out"]
            )
            write(f"{name}.pb", frozen.SerializeToString())
            values["net/brain"] = values["net/brain"].astype(np.float32)
            np.savez(os.path.join(HERE, f"{name}.npz"), **values)
            if use_resource:
                continue
            write("text.pb", str(frozen).encode()[:20000])
            optimized = optimize_for_inference_lib.optimize_for_inference(
                frozen, ["net/images"], ["out"], tf.float32.as_datatype_enum
            )
            write("optimized.pb", optimized.SerializeToString())
            directory = tempfile.mkdtemp()
            saved = tf.train.Saver().save(
                session, os.path.join(directory, "model.ckpt")
            )
            tf.train.write_graph(graph, directory, "graph.pbtxt")
        freeze_graph.freeze_graph(
            input_graph=os.path.join(directory, "graph.pbtxt"),
            input_saver="",
            input_binary=False,
            input_checkpoint=saved,
            output_node_names="out",
            restore_op_name="save/restore_all",
            filename_tensor_name="save/Const:0",
            output_graph=os.path.join(HERE, "freeze_graph.pb"),
            clear_devices=True,
            initializer_nodes="",
        )


if __name__ == "__main__":
    main()
