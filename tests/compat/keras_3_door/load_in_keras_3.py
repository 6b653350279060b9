"""Loads each sort of file into Keras 3's model, in place and by Keras's own files.

    python -m tests.compat.keras_3_door.load_in_keras_3 DIRECTORY

With KERAS_BACKEND set. The files are those of save_in_tensorflow_1.py and
save_in_keras_2.py, with what their models gave.
"""

import logging
import pathlib
import sys
import tempfile

import keras
import numpy as np

import estimator_ckpt as ec
from estimator_ckpt.cli import main as command_line
from tests.compat.keras_3_door import door_model
from tests.compat.keras_3_door import door_sizes as sizes

#: The most by which an output may differ.
MOST = 1e-6
LSTM = [{"lstm": "rnn/basic_lstm_cell", "to": "lstm/lstm_cell", "forget_bias": 1.0}]
#: Each source: whose outputs, the steps that its optimizer took, and layout rules.
SOURCES = {
    "saver": ("tensorflow_1", sizes.STEPS, LSTM),
    "frozen.pb": ("tensorflow_1", None, LSTM),
    "checkpoint/ckpt": ("keras_2", sizes.STEPS, None),
    "save_weights/weights": ("keras_2", sizes.STEPS, None),
    "saved_model": ("keras_2", sizes.STEPS, None),
    "saved_model_without": ("keras_2", None, None),
}


def array(value):
    return np.asarray(keras.ops.convert_to_numpy(value))


def state(model):
    """The values of an optimizer's variables, by their names."""
    return {
        variable.path.partition("/")[2]: array(variable)
        for variable in model.optimizer.variables
    }


def check(model, wanted, steps, where):
    """A model gives the source's outputs, and its optimizer goes on where it was."""
    differs = np.abs(array(model(sizes.IMAGES, training=False)) - wanted).max()
    print(f"{keras.backend.backend()}, {where}: off by {differs:.1e}")
    assert differs < MOST, (where, differs)
    if steps is not None:
        assert int(array(model.optimizer.iterations)) == steps, where


def check_momentums(model, momentums, where):
    """Adam's first moments are those that Keras 2 had; one name differs."""
    found = state(model)
    for name, value in momentums.items():
        name = name.replace("depthwise_depthwise_kernel", "depthwise_kernel")
        np.testing.assert_array_equal(
            found[f"{name}_momentum"], value, f"{where} {name}"
        )


def main(directory):
    logging.disable(logging.WARNING)
    directory = pathlib.Path(directory)
    momentums = dict(np.load(directory / "momentums.npz"))
    for source, (whose, steps, layouts) in SOURCES.items():
        wanted = np.load(directory / f"{whose}.npy")
        options = {"layouts": layouts, "optimizer_state": steps is not None}
        path = directory / source

        model, other = door_model.compiled(), door_model.compiled()
        ec.load_into(model, path, **options)
        with tempfile.TemporaryDirectory() as temporary:
            weights, whole = (
                ec.convert_for(other, path, f"{temporary}/{file}", **options)
                for file in ("model.weights.h5", "model.keras")
            )
            other.load_weights(weights)
            loaded = keras.models.load_model(whole)
        ways = {"in place": model, ".weights.h5": other, ".keras": loaded}
        for way, some in ways.items():
            check(some, wanted, steps, f"{source}, {way}")
        if steps is None:
            continue
        for way, some in ways.items():
            if whose == "keras_2":
                check_momentums(some, momentums, f"{source}, {way}")
            for name, value in state(model).items():
                np.testing.assert_array_equal(state(some)[name], value, name)
    check_the_command(directory)


def check_the_command(directory):
    """The plan and the files of a model that a function gives."""
    function = "tests.compat.keras_3_door.door_model:compiled"
    source = str(directory / "save_weights" / "weights")
    plan = ec.plan_for(door_model.compiled(), source)
    assert not plan.problems
    assert {row[2]: row[0] for row in plan.rows()}["conv/kernel"] == "carried"
    with tempfile.TemporaryDirectory() as temporary:
        path = f"{temporary}/model.weights.h5"
        arguments = [source, path, f"--trackable={function}"]
        for more in (["--dry_run"], []):
            assert command_line.run(["convert_for", *arguments, *more]) == 0
        model = door_model.compiled()
        model.optimizer.build(model.trainable_variables)  # or Keras skips its state
        model.load_weights(path)
    check(model, np.load(directory / "keras_2.npy"), sizes.STEPS, "by the command")


if __name__ == "__main__":
    main(sys.argv[1])
