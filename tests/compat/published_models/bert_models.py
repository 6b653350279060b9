"""BERT, ALBERT and ELECTRA, as google-research has them, in TensorFlow 1.15."""

import math

import numpy as np
import tensorflow as tf

from tests.compat.published_models.sizes import (
    BATCH,
    EMBEDDING,
    HEADS,
    HIDDEN,
    INTERMEDIATE,
    LENGTH,
    POSITIONS,
    TYPES,
    VOCABULARY,
)

_RANDOM = np.random.RandomState(0)
IDS = _RANDOM.randint(VOCABULARY, size=(BATCH, LENGTH))
TYPE_IDS = _RANDOM.randint(TYPES, size=(BATCH, LENGTH))


def tanh_gelu(x):
    return 0.5 * x * (1 + tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def erf_gelu(x):
    return 0.5 * x * (1 + tf.math.erf(x / math.sqrt(2)))


def layer_norm(x):
    return tf.contrib.layers.layer_norm(x, begin_norm_axis=-1, begin_params_axis=-1)


def embedded(scope, width):
    """The sum of the embeddings, normalized; and the table of words."""
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        words = tf.get_variable("word_embeddings", [VOCABULARY, width])
        types = tf.get_variable("token_type_embeddings", [TYPES, width])
        positions = tf.get_variable("position_embeddings", [POSITIONS, width])
        x = tf.gather(words, IDS) + tf.gather(types, TYPE_IDS) + positions[:LENGTH]
        return layer_norm(x), words


def attention(x):
    """What each head finds, side by side: of a scope `self`."""

    def heads(name):
        found = tf.layers.dense(x, HIDDEN, name=name)
        split = tf.reshape(found, [BATCH, LENGTH, HEADS, HIDDEN // HEADS])
        return tf.transpose(split, [0, 2, 1, 3])

    with tf.variable_scope("self"):
        query, key, value = (heads(name) for name in ("query", "key", "value"))
    scores = tf.matmul(query, key, transpose_b=True) / math.sqrt(HIDDEN // HEADS)
    found = tf.matmul(tf.nn.softmax(scores), value)
    return tf.reshape(tf.transpose(found, [0, 2, 1, 3]), [BATCH, LENGTH, HIDDEN])


def encoder(x, layers, gelu):
    """BERT's layers, which ELECTRA has too."""
    for number in range(layers):
        with tf.variable_scope(f"encoder/layer_{number}"):
            with tf.variable_scope("attention"):
                found = attention(x)
                with tf.variable_scope("output"):
                    x = layer_norm(tf.layers.dense(found, HIDDEN, name="dense") + x)
            with tf.variable_scope("intermediate"):
                wide = gelu(tf.layers.dense(x, INTERMEDIATE, name="dense"))
            with tf.variable_scope("output"):
                x = layer_norm(tf.layers.dense(wide, HIDDEN, name="dense") + x)
    return x


def word_logits(x, words, gelu):
    """Logits of the words, from the table of embeddings: of a scope of their own."""
    x = layer_norm(gelu(tf.layers.dense(x, int(words.shape[1]), name="dense")))
    bias = tf.get_variable("output_bias", [VOCABULARY])
    return tf.tensordot(x, words, [[2], [1]]) + bias


def outputs(x, count):
    """A matrix [outputs, inputs] and a bias: of a scope of their own."""
    weights = tf.get_variable("output_weights", [count, int(x.shape[-1])])
    bias = tf.get_variable("output_bias", [count])
    return tf.matmul(x, weights, transpose_b=True) + bias


def pooled(x):
    with tf.variable_scope("pooler"):
        return tf.layers.dense(x[:, 0], HIDDEN, tf.tanh, name="dense")


def bert(layers=3, labels=None):
    """BERT with the heads of its pre-training; or with a classifier of labels."""
    x, words = embedded("bert/embeddings", HIDDEN)
    with tf.variable_scope("bert"):
        x = encoder(x, layers, tanh_gelu)
        top = pooled(x)
    if labels:
        return {"logits": outputs(top, labels)}
    with tf.variable_scope("cls/predictions"):
        with tf.variable_scope("transform"):
            y = layer_norm(tanh_gelu(tf.layers.dense(x, HIDDEN, name="dense")))
        bias = tf.get_variable("output_bias", [VOCABULARY])
        found = tf.tensordot(y, words, [[2], [1]]) + bias
    with tf.variable_scope("cls/seq_relationship"):
        return {
            "prediction_logits": found,
            "seq_relationship_logits": outputs(top, 2),
        }


def bert_squad():
    """BERT with the head of SQuAD: a start and an end for each token."""
    x, _ = embedded("bert/embeddings", HIDDEN)
    with tf.variable_scope("bert"):
        x = encoder(x, 1, tanh_gelu)
    with tf.variable_scope("cls/squad"):
        found = outputs(tf.reshape(x, [-1, HIDDEN]), 2)
    start, end = tf.unstack(tf.reshape(found, [BATCH, LENGTH, 2]), axis=2)
    return {"start_logits": start, "end_logits": end}


def albert(layers=4, groups=2, inner=2):
    """ALBERT: the layers of a group share their variables."""
    x, words = embedded("bert/embeddings", EMBEDDING)
    with tf.variable_scope("bert/encoder"):
        x = tf.layers.dense(x, HIDDEN, name="embedding_hidden_mapping_in")
        with tf.variable_scope("transformer", reuse=tf.AUTO_REUSE):
            for number in range(layers):
                group = number * groups // layers
                for place in range(inner):
                    scope = f"group_{group}/inner_group_{place}"
                    with tf.variable_scope(scope):
                        x = _albert_layer(x)
    with tf.variable_scope("bert"):
        top = pooled(x)
    with tf.variable_scope("cls/predictions"):
        with tf.variable_scope("transform"):
            y = layer_norm(tanh_gelu(tf.layers.dense(x, EMBEDDING, name="dense")))
        bias = tf.get_variable("output_bias", [VOCABULARY])
        found = tf.tensordot(y, words, [[2], [1]]) + bias
    with tf.variable_scope("cls/seq_relationship"):
        return {"prediction_logits": found, "sop_logits": outputs(top, 2)}


def _albert_layer(x):
    with tf.variable_scope("attention_1"):
        found = attention(x)
        with tf.variable_scope("output"):
            found = tf.layers.dense(found, HIDDEN, name="dense")
    x = layer_norm(found + x)
    with tf.variable_scope("ffn_1/intermediate"):
        wide = tanh_gelu(tf.layers.dense(x, INTERMEDIATE, name="dense"))
        with tf.variable_scope("output"):
            found = tf.layers.dense(wide, HIDDEN, name="dense")
    return layer_norm(found + x)


def electra():
    """ELECTRA's generator and discriminator, which share the embeddings."""
    made = {}
    for scope, layers in (("generator", 1), ("electra", 2)):
        x, words = embedded("electra/embeddings", EMBEDDING)
        with tf.variable_scope(scope):
            x = tf.layers.dense(x, HIDDEN, name="embeddings_project")
            made[scope] = encoder(x, layers, erf_gelu)
    with tf.variable_scope("generator_predictions"):
        generated = word_logits(made["generator"], words, erf_gelu)
    with tf.variable_scope("discriminator_predictions"):
        x = erf_gelu(tf.layers.dense(made["electra"], HIDDEN))
        found = tf.squeeze(tf.layers.dense(x, 1), -1)
    return {"generator_logits": generated, "discriminator_logits": found}
