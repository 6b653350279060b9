"""Trains the model in Keras 2, and saves it in each of its ways.

python -m tests.compat.keras_3_door.save_in_keras_2 DIRECTORY
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

from tests.compat.keras_3_door import door_model
from tests.compat.keras_3_door import door_sizes as sizes


def main(directory):
    directory = pathlib.Path(directory)
    model = door_model.compiled()
    model.fit(sizes.IMAGES, sizes.LABELS, epochs=sizes.STEPS, verbose=0)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(
        str(directory / "checkpoint" / "ckpt")
    )
    model.save_weights(str(directory / "save_weights" / "weights"))
    model.save(directory / "saved_model", save_format="tf")
    bare = tf.keras.Model(model.inputs, model.outputs)
    bare.save(directory / "saved_model_without", save_format="tf")
    np.save(directory / "keras_2.npy", model.predict(sizes.IMAGES, verbose=0))
    momentums = {
        variable.name.partition(":")[0].replace("/", "_"): momentum.numpy()
        for variable, momentum in zip(
            model.trainable_variables, model.optimizer._momentums
        )
    }
    np.savez(directory / "momentums.npz", **momentums)


if __name__ == "__main__":
    main(sys.argv[1])
