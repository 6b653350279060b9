"""Flags for people's own absl binaries."""

import pytest
import tensorflow as tf
from absl import flags as absl_flags

import estimator_ckpt as ec
from model_fns import guide
from tests.testdata_paths import TESTDATA


def parsed(*arguments, prefix=""):
    values = absl_flags.FlagValues()
    ec.flags.define_flags(prefix, flag_values=values)
    values(["program", *arguments])
    return values


def test_without_flags_the_model_fn_stays_itself():
    fn = ec.flags.decorate(guide.model_fn, flag_values=parsed())
    assert fn is guide.model_fn


def test_flags_choose_format_and_warm_start(tmp_path):
    values = parsed(
        "--checkpoint_format=tf2",
        f"--warm_start_from={TESTDATA / 'est-tf1'}",
        f"--model_dir={tmp_path}",
        "--keep_checkpoint_max=7",
        "--save_checkpoints_steps=10",
    )
    config = ec.flags.run_config(flag_values=values)
    assert config.keep_checkpoint_max == 7
    assert config.save_checkpoints_steps == 10
    est = tf.estimator.Estimator(
        ec.flags.decorate(guide.model_fn, flag_values=values), config=config
    )
    est.train(guide.input_fn, steps=1)
    reader = tf.train.load_checkpoint(str(tmp_path))
    assert reader.get_tensor("var_list/var/.ATTRIBUTES/VARIABLE_VALUE") == 4.0


@pytest.mark.parametrize(
    ("arguments", "is_carried"),
    [
        ([], True),
        (["--warm_start_optimizer_state=var"], False),
        (["--warm_start_optimizer_state=var", "--warm_start_model_state=va"], True),
    ],
)
def test_flags_overrule_what_variables_are_for(tmp_path, arguments, is_carried):
    source = TESTDATA / "est-tf1"
    values = parsed(f"--warm_start_from={source}", *arguments)
    est = tf.estimator.Estimator(
        ec.flags.decorate(guide.model_fn, flag_values=values), str(tmp_path)
    )
    est.train(guide.input_fn, steps=1)
    fresh = tf.estimator.Estimator(guide.model_fn, str(tmp_path / "fresh"))
    fresh.train(guide.input_fn, steps=1)
    carried = 4.0
    assert fresh.get_variable_value("var") != carried
    expected = carried if is_carried else fresh.get_variable_value("var")
    assert est.get_variable_value("var") == expected


def test_a_prefix_lets_two_jobs_share_a_binary():
    values = parsed("--student_checkpoint_format=dual", prefix="student_")
    assert values.student_checkpoint_format == "dual"
    assert "checkpoint_format" not in values


def test_flags_that_are_defined_already_are_used_as_they_are():
    values = absl_flags.FlagValues()
    absl_flags.DEFINE_string("model_dir", "/mine", "mine", flag_values=values)
    ec.flags.define_flags(flag_values=values)
    values(["program"])
    assert values.model_dir == "/mine"


def test_what_was_not_given_keeps_run_configs_default():
    ours = ec.flags.run_config(flag_values=parsed())
    assert ours.keep_checkpoint_max == tf.estimator.RunConfig().keep_checkpoint_max
    assert ours.save_checkpoints_secs == tf.estimator.RunConfig().save_checkpoints_secs


def test_overrides_win():
    values = parsed("--keep_checkpoint_max=7")
    config = ec.flags.run_config(flag_values=values, keep_checkpoint_max=1)
    assert config.keep_checkpoint_max == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--checkpoint_format=tf3", "should be one of <tf1|tf2|dual>"),
        ("--warm_start_carry=none", "should be one of <trainable|model|all>"),
        ("--warm_start_exclude=[", "no regular expression"),
        ("--warm_start_optimizer_state=[", "no regular expression"),
        ("--warm_start_model_state=[", "no regular expression"),
        ("--keep_checkpoint_max=-1", "lower bound|>= 0|non-negative"),
    ],
)
def test_bad_values_are_refused_when_parsed(argument, message):
    with pytest.raises(absl_flags.IllegalFlagValueError, match=message):
        parsed(argument)
