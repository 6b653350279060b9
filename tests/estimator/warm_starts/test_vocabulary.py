"""TensorFlow's own warm start with vocabularies, into and out of every format."""

import numpy as np
import pytest
import tensorflow as tf

from tests.estimator.helpers import FORMATS, ec

OLD = ["red", "green", "blue"]
NEW = ["blue", "black", "red"]
NAME = "dnn/input_from_feature_columns/input_layer/color_embedding/embedding_weights"


def vocabulary(path, words):
    path.write_text("\n".join(words) + "\n")
    return tf.feature_column.categorical_column_with_vocabulary_file("color", str(path))


def input_fn():
    features = {"color": np.array(OLD * 4).reshape(12, 1)}
    labels = np.arange(12).reshape(12, 1) % 2
    return tf.data.Dataset.from_tensor_slices((features, labels)).repeat().batch(4)


def job(column, model_dir, format, settings=None):
    embedded = tf.feature_column.embedding_column(column, 2)
    canned = tf.compat.v1.estimator.DNNClassifier([3], [embedded])
    return tf.estimator.Estimator(
        ec.with_scaffold(format)(canned.model_fn),
        str(model_dir),
        warm_start_from=settings,
    )


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("after", FORMATS)
def test_rows_follow_the_new_vocabulary(tmp_path, before, after):
    old_column = vocabulary(tmp_path / "old.txt", OLD)
    new_column = vocabulary(tmp_path / "new.txt", NEW)
    old = job(old_column, tmp_path / "old", before)
    old.train(input_fn, steps=3)
    with ec.open_checkpoint(tmp_path / "old") as checkpoint:
        old_rows = checkpoint.read(NAME)
        key = checkpoint[NAME].key
    info = tf.estimator.VocabInfo(
        new_vocab=str(tmp_path / "new.txt"),
        new_vocab_size=3,
        num_oov_buckets=0,
        old_vocab=str(tmp_path / "old.txt"),
        old_vocab_size=3,
    )
    settings = tf.estimator.WarmStartSettings(
        ckpt_to_initialize_from=str(tmp_path / "old"),
        vars_to_warm_start=[f"{NAME}.*"],
        var_name_to_vocab_info={NAME: info},
        var_name_to_prev_var_name={NAME: key},
    )
    new = job(new_column, tmp_path / "new", after, settings)
    new.train(lambda: input_fn().take(0), steps=1)  # no step is taken
    with ec.open_checkpoint(tmp_path / "new") as checkpoint:
        assert checkpoint.global_step == 0
        rows = checkpoint.read(NAME)
    np.testing.assert_array_equal(rows[0], old_rows[OLD.index("blue")])
    np.testing.assert_array_equal(rows[2], old_rows[OLD.index("red")])
    assert not (rows[1] == old_rows).all(axis=1).any()
