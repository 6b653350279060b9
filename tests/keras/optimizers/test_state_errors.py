"""What is said where a Keras optimizer cannot go on from a checkpoint."""

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.keras.optimizers import state_errors
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from estimator_ckpt.maps.assignment import AssignmentMap
from tests.keras import described


def test_it_is_a_checkpoint_s_error_and_a_value_error():
    assert issubclass(OptimizerStateError, ec.CheckpointError)
    assert issubclass(OptimizerStateError, ValueError)


def test_what_an_optimizer_goes_on_from_is_said_by_tf1_s_names():
    sgd = described.optimizer("SGD", ("accumulator",))
    assert state_errors.expected(sgd) == "Momentum or GradientDescent"
    unknown = described.optimizer(keras_class=keras_classes.UNKNOWN)
    assert state_errors.expected(unknown) == ""


def test_the_map_that_is_hinted_at_does_what_is_said(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text(f"- {state_errors.HINT[state_errors.HINT.index('{') : -1]}\n")
    renaming = AssignmentMap.of(path).rename(
        dict.fromkeys(["w/my_adam", "w/my_adam_1"]), source="here"
    )
    assert [new for _, new in renaming.pairs] == ["w/Adam", "w/Adam_1"]
