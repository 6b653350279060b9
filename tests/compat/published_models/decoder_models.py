"""GPT-2 and T5, as OpenAI and Mesh-TensorFlow have them, in TensorFlow 1.15."""

import math

import numpy as np
import tensorflow as tf

from tests.compat.published_models.bert_models import IDS, tanh_gelu
from tests.compat.published_models.sizes import (
    BATCH,
    BUCKETS,
    FARTHEST,
    HEADS,
    HIDDEN,
    INTERMEDIATE,
    KEY,
    LENGTH,
    POSITIONS,
    VOCABULARY,
)

TARGETS = np.roll(IDS, 1, axis=1)
FUTURE = np.triu(np.ones([LENGTH, LENGTH], np.float32), 1) * -1e10


def split(x, size):
    return tf.transpose(tf.reshape(x, [BATCH, LENGTH, HEADS, size]), [0, 2, 1, 3])


def joined(x, width):
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [BATCH, LENGTH, width])


def gpt2(layers=2):
    """GPT-2's logits; its `conv1d` has kernels [1, in, out]."""
    with tf.variable_scope("model"):
        places = tf.get_variable("wpe", [POSITIONS, HIDDEN])
        words = tf.get_variable("wte", [VOCABULARY, HIDDEN])
        x = tf.gather(words, IDS) + places[:LENGTH]
        for number in range(layers):
            with tf.variable_scope(f"h{number}"):
                x = x + _gpt2_attention(_norm(x, "ln_1"))
                y = _norm(x, "ln_2")
                with tf.variable_scope("mlp"):
                    wide = tanh_gelu(_conv1d(y, "c_fc", 4 * HIDDEN))
                    x = x + _conv1d(wide, "c_proj", HIDDEN)
        return {"logits": tf.tensordot(_norm(x, "ln_f"), words, [[2], [1]])}


def _norm(x, scope):
    with tf.variable_scope(scope):
        scale = tf.get_variable("g", [HIDDEN])
        offset = tf.get_variable("b", [HIDDEN])
    mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
    return (x - mean) * tf.rsqrt(variance + 1e-5) * scale + offset


def _conv1d(x, scope, width):
    with tf.variable_scope(scope):
        kernel = tf.get_variable("w", [1, int(x.shape[-1]), width])
        return tf.tensordot(x, kernel[0], 1) + tf.get_variable("b", [width])


def _gpt2_attention(x):
    with tf.variable_scope("attn"):
        query, key, value = (
            split(part, HIDDEN // HEADS)
            for part in tf.split(_conv1d(x, "c_attn", 3 * HIDDEN), 3, axis=2)
        )
        scores = tf.matmul(query, key, transpose_b=True) / math.sqrt(HIDDEN // HEADS)
        found = tf.matmul(tf.nn.softmax(scores + FUTURE), value)
        return _conv1d(joined(found, HIDDEN), "c_proj", HIDDEN)


def t5(is_first=True, blocks=2):
    """T5 with shared embeddings; or the later one, with gates and logits of its own."""
    words = tf.get_variable("shared/embedding", [VOCABULARY, HIDDEN])
    memory = _t5_stack("encoder", tf.gather(words, IDS), None, is_first, blocks)
    x = _t5_stack("decoder", tf.gather(words, TARGETS), memory, is_first, blocks)
    if is_first:
        return {"logits": tf.tensordot(x * HIDDEN**-0.5, words, [[2], [1]])}
    kernel = tf.get_variable("decoder/logits/kernel", [HIDDEN, VOCABULARY])
    return {"logits": tf.tensordot(x, kernel, 1)}


def _t5_stack(scope, x, memory, is_first, blocks):
    norm = "layer_norm" if is_first else "rms_norm"
    bias = None
    with tf.variable_scope(scope):
        for block in range(blocks):
            parts = [lambda y, b: _t5_attention("SelfAttention", y, y, b)]
            if memory is not None:
                parts.append(
                    lambda y, b: _t5_attention("EncDecAttention", y, memory, 0.0)
                )
            parts.append(lambda y, b: _t5_feed_forward(y, is_first))
            for place, part in enumerate(parts):
                with tf.variable_scope(f"block_{block:03}/layer_{place:03}"):
                    if bias is None:
                        bias = _relative_bias(is_bidirectional=memory is None)
                    x = x + part(_rms_norm(x, norm), bias)
        return _rms_norm(x, "final_layer_norm" if is_first else norm)


def _rms_norm(x, scope):
    with tf.variable_scope(scope):
        scale = tf.get_variable("scale", [HIDDEN])
    mean = tf.reduce_mean(tf.square(x), -1, keepdims=True)
    return x * tf.rsqrt(mean + 1e-6) * scale


def _t5_attention(scope, x, memory, bias):
    """Attention without a scale; queries, keys and values are [in, heads * size]."""
    with tf.variable_scope(scope):
        query, key, value = (
            split(tf.tensordot(y, tf.get_variable(name, [HIDDEN, HEADS * KEY]), 1), KEY)
            for name, y in (("q", x), ("k", memory), ("v", memory))
        )
        weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)
        out = tf.get_variable("o", [HEADS * KEY, HIDDEN])
        return tf.tensordot(joined(tf.matmul(weights, value), HEADS * KEY), out, 1)


def _relative_bias(is_bidirectional):
    """A bias [heads, queries, keys] by how far a key is, from a table of buckets."""
    distance = np.arange(LENGTH)[None] - np.arange(LENGTH)[:, None]
    buckets, first = BUCKETS, np.zeros_like(distance)
    if is_bidirectional:
        buckets //= 2
        first = (distance > 0) * buckets
        distance = np.abs(distance)
    else:
        distance = np.maximum(-distance, 0)
    near = buckets // 2
    log = np.log(np.maximum(distance, 1) / near) / math.log(FARTHEST / near)
    far = np.minimum(near + (log * (buckets - near)).astype(int), buckets - 1)
    found = first + np.where(distance < near, distance, far)
    with tf.variable_scope("SelfAttention"):
        table = tf.get_variable("relative_attention_bias", [HEADS, BUCKETS])
    bias = tf.gather(table, found, axis=1)
    return bias if is_bidirectional else bias + FUTURE


def _t5_feed_forward(x, is_first):
    def dense(y, name, width):
        shape = [int(y.shape[-1]), width]
        return tf.tensordot(y, tf.get_variable(name + "/kernel", shape), 1)

    with tf.variable_scope("DenseReluDense"):
        if is_first:
            wide = tf.nn.relu(dense(x, "wi", INTERMEDIATE))
        else:
            wide = tanh_gelu(dense(x, "wi_0", INTERMEDIATE)) * dense(
                x, "wi_1", INTERMEDIATE
            )
        return dense(wide, "wo", HIDDEN)
