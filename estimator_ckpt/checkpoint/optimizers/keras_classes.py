"""What Keras's optimizers keep, by class, under the names of each generation.

The names and attributes in here are keys read from files: `_momentums` is what the
object graph of a checkpoint calls the list of first moments, since Keras saves it under
that name. They are data. No attribute of a live Keras object is asked for by them here;
that is done in `tf_private` alone.

Source: the optimizers of Keras 2.15 and of Keras 3;
`tests/keras/optimizers/test_trajectories.py` holds each against a real TensorFlow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm


class KerasClass(NamedTuple):
    """A class of Keras optimizers; slots are given by what they are.

    Attributes:
      reads: the algorithms of tf1 whose state it can take, the first being what it
        writes.
      legacy: the names of its slots in `tf.keras.optimizers.legacy`
        (`<optimizer>/<V>/<name>`).
      names: the same in the optimizers of 2.11 to 2.15 (`<optimizer>/<name>/<V>`).
      attributes: the lists that hold them there, and in Keras 3, as they stand in
        the object graphs of checkpoints.
      keras_3: their names in Keras 3 (`<optimizer>/<V>_<name>`, `/` in V being `_`).
    """

    reads: tuple[Algorithm, ...]
    legacy: Mapping[str, str]
    names: Mapping[str, str]
    attributes: Mapping[str, str]
    keras_3: Mapping[str, str]

    def read_as(self, slots: Collection[str]) -> Optional[Algorithm]:
        """The algorithm whose state slots of these meanings are; None if none."""
        if algorithms.CENTERED in self.reads and "mg" in slots:
            return algorithms.CENTERED
        return self.reads[0] if set(slots) <= set(self.legacy) else None


_ADAM = KerasClass(
    reads=(algorithms.ADAM, algorithms.BERT),
    legacy={"m": "m", "v": "v", "vhat": "vhat"},
    names={"m": "m", "v": "v", "vhat": "vhat"},
    attributes={"m": "_momentums", "v": "_velocities", "vhat": "_velocity_hats"},
    keras_3={"m": "momentum", "v": "velocity", "vhat": "velocity_hat"},
)
KERAS: Mapping[str, KerasClass] = {
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "Nadam": _ADAM,
    "SGD": KerasClass(
        reads=(algorithms.MOMENTUM, algorithms.SGD),
        legacy={"accumulator": "momentum"},
        names={"accumulator": "m"},
        attributes={"accumulator": "momentums"},
        keras_3={"accumulator": "momentum"},
    ),
    "RMSprop": KerasClass(
        reads=(algorithms.RMSPROP, algorithms.CENTERED),
        legacy={"rms": "rms", "momentum": "momentum", "mg": "mg"},
        names={"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
        attributes={
            "rms": "_velocities",
            "momentum": "_momentums",
            "mg": "_average_gradients",
        },
        keras_3={"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
    ),
    "Adagrad": KerasClass(
        reads=(algorithms.ADAGRAD,),
        legacy={"accumulator": "accumulator"},
        names={"accumulator": "accumulator"},
        attributes={"accumulator": "_accumulators"},
        keras_3={"accumulator": "accumulator"},
    ),
    "Adadelta": KerasClass(
        reads=(algorithms.ADADELTA,),
        legacy={"accumulator": "accum_grad", "update": "accum_var"},
        names={"accumulator": "accumulated_grad", "update": "accumulated_delta_var"},
        attributes={
            "accumulator": "_accumulated_grads",
            "update": "_accumulated_delta_vars",
        },
        keras_3={"accumulator": "accumulated_grad", "update": "accumulated_delta_var"},
    ),
    "Ftrl": KerasClass(
        reads=(algorithms.FTRL,),
        legacy={"accumulator": "accumulator", "linear": "linear"},
        names={"accumulator": "accumulator", "linear": "linear"},
        attributes={"accumulator": "_accumulators", "linear": "_linears"},
        keras_3={"accumulator": "accumulator", "linear": "linear"},
    ),
    "Adamax": KerasClass(
        reads=(algorithms.ADAMAX,),
        legacy={"m": "m", "u": "v"},
        names={"m": "m", "u": "u"},
        attributes={"m": "_m", "u": "_u"},
        keras_3={"m": "momentum", "u": "norm"},
    ),
}

#: A class of which nothing is known.
UNKNOWN = KerasClass((), {}, {}, {}, {})

#: Keras optimizers whose state nothing here converts; their variables are known all
#: the same.
OTHER_CLASSES = ("Adafactor", "Lion", "Lamb", "Muon", "LossScaleOptimizer")
#: Slots of theirs, of wrappers, and of gradient accumulation, in any generation.
OTHER_SLOTS = (
    *("r", "c", "velocity_hat", "gradient_accumulator", "slow"),
    *("adam_momentum", "adam_velocity"),
)
