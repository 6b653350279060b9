"""Every checkpoint of the test data, in every direction, read by real TensorFlows."""

import itertools
import json

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import formats, object_keys
from tests import testdata_paths
from tests.compat.environments import READERS, read_back
from tests.compat.read_back import digest

pytestmark = pytest.mark.compat
FORMATS = formats.CHOICES


def described(prefix, name, is_var_list):
    """What a reader has to find in a checkpoint, from what the session recorded."""
    recorded = testdata_paths.session_values(name)
    original = ec.open_checkpoint(testdata_paths.PREFIXES[name])
    checkpoint = ec.open_checkpoint(prefix)
    variables = {}
    for variable, info in checkpoint.items():
        value = recorded[original.contents.keys.get(variable, variable)]
        by_name = checkpoint.index.get(variable)
        variables[variable] = {
            "key": info.key,
            "dtype": info.dtype,
            "shape": list(info.shape),
            "digest": digest(value),
            "sliced": by_name is not None and by_name.is_partitioned,
        }
    step = checkpoint.contents.global_step
    return {
        "prefix": str(prefix),
        "format": checkpoint.format,
        "variables": variables,
        "is_var_list": is_var_list,
        "step": step if step and object_keys.STEP_KEY in checkpoint.index else None,
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Every checkpoint converted to every format, from every format."""
    root = tmp_path_factory.mktemp("compat")
    listed = []
    for name, prefix in testdata_paths.PREFIXES.items():
        is_name_based = not name.startswith(testdata_paths.OBJECT_BASED)
        first = {to: ec.convert(prefix, root / name / to, to=to) for to in FORMATS}
        for start, at in first.items():
            for to in FORMATS:
                new = ec.convert(at, root / name / f"{start}-{to}", to=to)
                via_names = is_name_based or start == "tf1"
                listed.append(described(new, name, via_names))
        listed += [
            described(at, name, is_name_based and to != "tf1")
            for to, at in first.items()
        ]
    path = root / "manifest.json"
    path.write_text(json.dumps(listed))
    return path


@pytest.mark.parametrize("version", READERS)
def test_every_value_is_bit_equal(manifest, version):
    read_back(version, manifest)


def test_jobs_under_2_15_are_restored_by_a_saver_of_1_15(tmp_path):
    import tensorflow as tf

    from model_fns import digits, embedding, guide
    from tests.estimator import helpers

    if not READERS["1.15.5"].exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 (see make compat)")
    inputs = {
        guide: (guide.input_fn, guide.input_fn),
        digits: (digits.train_input_fn, digits.eval_input_fn),
        embedding: (embedding.train_input_fn, embedding.eval_input_fn),
    }
    listed = []
    for module, format in itertools.product(inputs, ("tf1", "dual")):
        train_input_fn, eval_input_fn = inputs[module]
        model_dir = str(tmp_path / module.__name__ / format)
        est = tf.estimator.Estimator(
            ec.with_scaffold(format)(module.model_fn), model_dir
        )
        est.train(train_input_fn, steps=3)
        prefix = tf.train.latest_checkpoint(model_dir)
        values = helpers.session_values(est, eval_input_fn)
        with ec.open_checkpoint(prefix) as checkpoint:
            listed.append(
                {
                    "prefix": prefix,
                    "format": "tf1",
                    "is_var_list": False,
                    "step": None,
                    "variables": {
                        name: {
                            "dtype": checkpoint[name].dtype,
                            "shape": list(value.shape),
                            "digest": digest(value),
                            "sliced": False,
                        }
                        for name, value in values.items()
                        if name in checkpoint
                    },
                }
            )
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(listed))
    read_back("1.15.5", path)
