"""The variables that a model_fn makes, in a graph that is thrown away."""

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.roles import Role
from estimator_ckpt.estimator import model_fn_graph
from tests.estimator import helpers


def test_training_makes_slots_and_prediction_none():
    given = (helpers.model_fn, helpers.input_fn, {"units": 5})
    trained = model_fn_graph.of_model_fn(*given, "train", None)
    assert trained["hidden/kernel"].shape == (2, 5)
    assert trained["hidden/kernel/Momentum"].owner == "hidden/kernel"
    assert trained["global_step"].role is Role.GLOBAL_STEP
    predicted = model_fn_graph.of_model_fn(*given, "infer", None)
    assert "hidden/kernel/Momentum" not in predicted


def test_functions_get_what_they_take_and_the_default_graph_stays():
    seen = {}

    def input_fn(params):
        seen["params"] = params
        return {"x": tf.constant([[1.0]])}  # features without labels

    def model_fn(features, labels, mode):
        seen["labels"] = labels
        tf1.get_variable("v", [3])

    found = model_fn_graph.of_model_fn(model_fn, input_fn, {"a": 1}, "infer", None)
    assert set(found) == {"global_step", "v"}
    assert seen == {"params": {"a": 1}, "labels": None}
    assert not tf1.global_variables()
