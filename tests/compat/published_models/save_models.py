"""Saves the models with random weights, and what they give, in TensorFlow 1.15.

    python -m tests.compat.published_models.save_models DIRECTORY NAME...

For each name a checkpoint `DIRECTORY/NAME/model.ckpt`, as a Saver writes it after some
steps of training, the same frozen, `DIRECTORY/NAME/frozen.pb`, and `DIRECTORY/NAME.npz`
with what the model gives.
"""

import functools
import os
import sys
import zlib

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

from tests.compat.published_models import (
    bert_models,
    decoder_models,
    resnet_models,
)

tf.logging.set_verbosity(tf.logging.ERROR)


def adam(shape):
    """The slots of google-research's AdamWeightDecayOptimizer: endings and shapes."""
    return {"/adam_m": shape, "/adam_v": shape}


def adafactor(shape):
    """Those of Mesh-TensorFlow's Adafactor."""
    if len(shape) < 2:
        return {"_slot_v": shape}
    return {"_slot_vr": shape[:1], "_slot_vc": shape[1:]}


def momentum(shape):
    """That of tf.train.MomentumOptimizer."""
    return {"/Momentum": shape}


def nothing(shape):
    """A model that was published without its optimizer's state."""
    del shape
    return {}


#: Each model's function, and its optimizer's slots.
MODELS = {
    "bert": (bert_models.bert, adam),
    "bert_classifier": (functools.partial(bert_models.bert, 1, 5), adam),
    "bert_squad": (bert_models.bert_squad, nothing),
    "albert": (bert_models.albert, adam),
    "electra": (bert_models.electra, adam),
    "gpt2": (decoder_models.gpt2, nothing),
    "t5": (decoder_models.t5, adafactor),
    "t5_1_1": (functools.partial(decoder_models.t5, is_first=False), adafactor),
    "slim_resnet50": (resnet_models.slim_resnet, momentum),
    "official_resnet50": (
        functools.partial(resnet_models.official_resnet, (3, 4, 6, 3)),
        nothing,
    ),
}


def random_value(variable, random):
    """A value that keeps what a deep network computes from growing or fading."""
    shape = variable.shape.as_list()
    last = variable.op.name.rpartition("/")[2]
    if last in ("gamma", "g", "scale", "moving_variance"):
        return random.uniform(0.7, 1.3, shape)
    if len(shape) < 2:
        return random.normal(0, 0.1, shape)
    return random.normal(0, np.prod(shape[:-1]) ** -0.5, shape)


def save(name, directory):
    make, slots = MODELS[name]
    random = np.random.RandomState(zlib.crc32(name.encode()) % 2**32)
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = make()
        variables = tf.global_variables()
        for variable in tf.trainable_variables():
            for ending, shape in slots(variable.shape.as_list()).items():
                value = np.full(shape, 7, np.float32)
                tf.Variable(value, False, name=variable.op.name + ending)
        tf.train.get_or_create_global_step()
        session.run(tf.global_variables_initializer())
        for variable in variables:
            variable.load(random_value(variable, random), session)
        tf.train.Saver().save(session, os.path.join(directory, name, "model.ckpt"))
        np.savez(os.path.join(directory, name + ".npz"), **session.run(outputs))
        frozen = tf.graph_util.convert_variables_to_constants(
            session, session.graph_def, [value.op.name for value in outputs.values()]
        )
    with open(os.path.join(directory, name, "frozen.pb"), "wb") as file:
        file.write(frozen.SerializeToString())


def main(directory, *names):
    for name in names:
        save(name, directory)
    inputs = {
        "ids": bert_models.IDS,
        "type_ids": bert_models.TYPE_IDS,
        "targets": decoder_models.TARGETS,
        "images": resnet_models.IMAGES,
    }
    np.savez(os.path.join(directory, "inputs.npz"), **inputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
