"""Each ready-made model_fn trains, evaluates, predicts and exports by itself."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from model_fns import digits, digits_keras, embedding, guide
from tests.testdata_paths import PREFIXES, TESTDATA, digits_evaluation, session_values

KERAS_NAMES = Path(guide.__file__).parent.parent / "configs" / "digits_keras.yaml"


def estimator(module, model_dir, params=None):
    config = tf.estimator.RunConfig(str(model_dir), tf_random_seed=1)
    return tf.estimator.Estimator(module.model_fn, config=config, params=params)


def serve(est, path, module):
    """Exports, and loads the export as TF2 code does."""
    exported = est.export_saved_model(str(path), module.serving_input_receiver_fn)
    return tf.saved_model.load(exported.decode()).signatures["serving_default"]


def test_guide_adds_two_in_every_step(tmp_path):
    est = estimator(guide, tmp_path)
    est.train(guide.input_fn, steps=1)
    assert est.get_variable_value("var") == 2.0
    est.train(guide.input_fn, steps=4)
    assert est.get_variable_value("var") == 10.0
    assert est.evaluate(guide.input_fn) == {"loss": 1.0, "var": 10.0, "global_step": 5}
    assert list(est.predict(guide.input_fn)) == [{"var": 10.0}] * 3
    output = serve(est, tmp_path / "export", guide)(tf.constant(0))
    np.testing.assert_array_equal(output["var"], [10.0])


@pytest.mark.parametrize(("module", "accuracy"), [(digits, 0.95), (embedding, 0.88)])
def test_300_steps_reach_the_accuracy(module, accuracy, tmp_path):
    est = estimator(module, tmp_path)
    est.train(module.train_input_fn, steps=300)
    metrics = est.evaluate(module.eval_input_fn)
    assert metrics["accuracy"] > accuracy

    _, labels = digits.load("test")
    predictions = list(est.predict(module.eval_input_fn))
    classes = [prediction["class"] for prediction in predictions]
    assert np.mean(classes == labels) == pytest.approx(metrics["accuracy"])

    batch = next(module.eval_input_fn().as_numpy_iterator())[0]
    served = serve(est, tmp_path / "export", module)(
        **{name: tf.constant(value) for name, value in batch.items()}
    )
    np.testing.assert_allclose(
        served["probabilities"],
        [prediction["probabilities"] for prediction in predictions[:64]],
        rtol=1e-4,
        atol=1e-6,
    )


def test_digits_documents_its_variables(tmp_path):
    est = estimator(digits, tmp_path)
    est.train(digits.train_input_fn, steps=1)
    names = est.get_variable_names()
    assert sorted(names) == sorted(session_values("digits/model.ckpt-300"))
    for name in names:
        word = name.replace("/Adam_1", "").replace("/Adam", "")
        assert word in digits.__doc__, name


def test_digits_are_small(tmp_path):
    values = session_values("digits/model.ckpt-300")
    assert sum(value.size for value in values.values()) < 25_000
    data = PREFIXES["digits/model.ckpt-300"].parent.glob("*-300.data-*")
    assert sum(path.stat().st_size for path in data) < 300_000


def test_tf1_digits_evaluate_as_in_tf1(tmp_path):
    model_dir = tmp_path / "digits"
    shutil.copytree(TESTDATA / "digits", model_dir)
    metrics = estimator(digits, model_dir).evaluate(digits.eval_input_fn)
    recorded = digits_evaluation()
    assert metrics["accuracy"] == recorded["accuracy"]
    assert metrics["global_step"] == recorded["global_step"]
    assert metrics["loss"] == pytest.approx(recorded["loss"], rel=1e-4)


def test_embedding_resumes_with_another_number_of_parts(tmp_path):
    shutil.copytree(TESTDATA / "embedding-sharded", tmp_path / "dir")
    tensor = session_values("embedding-sharded/model.ckpt-20")["embedding/weights"]
    est = estimator(embedding, tmp_path / "dir", {"dimension": 4, "partitions": 5})
    before = est.evaluate(embedding.eval_input_fn)
    est.train(embedding.train_input_fn, steps=20)
    after = est.evaluate(embedding.eval_input_fn)
    assert (before["global_step"], after["global_step"]) == (20, 40)
    assert after["loss"] < before["loss"]
    assert est.get_variable_value("embedding/weights").shape == tensor.shape


def test_split_is_disjoint_and_complete():
    train_images, train_labels = digits.load("train")
    test_images, test_labels = digits.load("test")
    assert (len(train_labels), len(test_labels)) == (1437, 360)
    assert train_images.shape[1:] == test_images.shape[1:] == (8, 8, 1)
    assert train_images.dtype == np.float32
    assert train_images.max() == 1.0
    assert set(train_labels) == set(test_labels) == set(range(10))


def test_batches_begin_at_the_step_given_and_repeat():
    dataset = digits.ordered_input_fn({"first_step": 7})
    for step, (features, labels) in zip((7, 8), dataset.as_numpy_iterator()):
        images, expected = digits.batch(step)
        np.testing.assert_array_equal(features["image"], images)
        np.testing.assert_array_equal(labels, expected)
    assert (digits.batch(7)[1] != digits.batch(8)[1]).any()


@pytest.mark.parametrize(
    ("make", "renames"),
    [(digits_keras.tf1_style_trackable, None), (digits_keras.trackable, KERAS_NAMES)],
)
def test_digits_in_tf2_evaluate_as_in_tf1(make, renames, tmp_path):
    trackable, source = make(), PREFIXES["digits/model.ckpt-300"]
    prefix = ec.convert_for(trackable, source, tmp_path / "c", assignment_map=renames)
    tf.train.Checkpoint(**trackable).restore(prefix).assert_consumed()
    images, labels = digits.load("test")
    found = np.argmax(trackable["model"](images), axis=1) == labels
    assert np.mean(found) == pytest.approx(digits_evaluation()["accuracy"])


def test_model_fns_know_nothing_of_this_toolkit():
    for path in Path(guide.__file__).parent.glob("*.py"):
        assert not re.search("(import|from) estimator_ckpt", path.read_text()), path
