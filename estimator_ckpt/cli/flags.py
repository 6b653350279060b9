"""absl flags for people's own training binaries.

    from absl import app
    import estimator_ckpt as ec

    ec.flags.define_flags()

    def main(argv):
        estimator = tf.estimator.Estimator(
            ec.flags.decorate(model_fn), config=ec.flags.run_config())
        estimator.train(input_fn, max_steps=1000)

    app.run(main)

Nothing here imports TensorFlow before `decorate` or `run_config` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from absl import flags

from estimator_ckpt.checkpoint import formats, roles
from estimator_ckpt.maps.filters import PatternError, compile_patterns

if TYPE_CHECKING:
    import tensorflow as tf

    from estimator_ckpt.maps.choices import Choice

ModelFn = Callable[..., Any]


def define_flags(
    prefix: str = "", *, flag_values: flags.FlagValues = flags.FLAGS
) -> None:
    """Defines the flags that `decorate` and `run_config` read.

    A flag of the same name that is defined already is used as it is.

    Args:
      prefix: put before each flag's name, such as `student_`.
      flag_values: where to define them.
    """

    def define(
        definition: Callable[..., Any], name: str, *args: Any, **kw: Any
    ) -> None:
        if prefix + name not in flag_values:
            definition(prefix + name, *args, flag_values=flag_values, **kw)

    define(
        flags.DEFINE_enum,
        "checkpoint_format",
        None,
        list(formats.CHOICES),
        "Format of the checkpoints to save: tf1 (keys are variable names), tf2 (object "
        "keys), dual (both). Without it the model_fn saves as it is.",
    )
    define(
        flags.DEFINE_enum,
        "on_damaged",
        "error",
        ["error", "fall_back"],
        "When the latest checkpoint is damaged: stop and name the newest that is "
        "whole, or train on from that one. Needs --checkpoint_format.",
    )
    define(
        flags.DEFINE_enum,
        "on_missing",
        "error",
        ["error", "initialize"],
        "When the checkpoint to go on from lacks variables of the graph: stop and list "
        "them, or start them at their initial values (averages at their variables'). "
        "Needs --checkpoint_format.",
    )
    define(
        flags.DEFINE_string,
        "assignment_map",
        None,
        "New names of variables that checkpoints of the model dir have under old ones: "
        "a YAML or JSON file of rules, or builtin:NAME; a rule with a list of new "
        "names copies. Needs --checkpoint_format.",
    )
    for name, what in (
        ("optimizer_state", "optimizer state, whatever the evidence says"),
        ("model_state", "no optimizer state; this one wins"),
    ):
        define(
            flags.DEFINE_multi_string,
            name,
            None,
            f"Regex of variables that --assignment_map renames that are {what}. Needs "
            "--checkpoint_format",  # absl goes on with how it is repeated
        )
        flags.register_validator(
            f"{prefix}{name}",
            _are_patterns,
            message="not a regular expression",
            flag_values=flag_values,
        )
    define(
        flags.DEFINE_string,
        "warm_start_from",
        None,
        "Model dir or checkpoint prefix to initialize from while the model dir has no "
        "checkpoint. The global step is not carried.",
    )
    define(
        flags.DEFINE_enum,
        "warm_start_carry",
        "model",
        list(roles.CARRY),
        "What to carry: trainable variables, all state of the model, or optimizer "
        "state too.",
    )
    for name, what in (
        ("include", "to carry"),
        ("exclude", "not to carry"),
        ("reset", "to leave at their initial values"),
        ("resize", "that take over what fits of another shape"),
        ("optimizer_state", "that are optimizer state, whatever the evidence says"),
        ("model_state", "that are not optimizer state; this one wins"),
    ):
        define(
            flags.DEFINE_multi_string,
            f"warm_start_{name}",
            None,
            f"Regex of variables {what}, matched from the beginning of their names",
        )
        flags.register_validator(
            f"{prefix}warm_start_{name}",
            _are_patterns,
            message="not a regular expression",
            flag_values=flag_values,
        )
    define(
        flags.DEFINE_string,
        "warm_start_assignment_map",
        None,
        "Names of the source's variables in the model: a YAML or JSON file of "
        "rules, or builtin:NAME; a rule with a list of new names copies.",
    )
    define(
        flags.DEFINE_bool,
        "warm_start_use_ema",
        False,
        "Averages (ExponentialMovingAverage) take the place of their variables.",
    )
    define(
        flags.DEFINE_bool,
        "warm_start_cast",
        False,
        "Cast values to the variables' dtypes.",
    )
    define(
        flags.DEFINE_bool,
        "warm_start_strict",
        False,
        "Stop if a variable that is to be carried cannot be.",
    )
    define(flags.DEFINE_string, "model_dir", None, "Where the job's checkpoints are.")
    for name, default, lower, what in _RUN_CONFIG_INTEGERS:
        define(flags.DEFINE_integer, name, default, what, lower_bound=lower)
    define(
        flags.DEFINE_float,
        "keep_checkpoint_every_n_hours",
        None,
        "Keep a checkpoint for good every so many hours.",
        lower_bound=0.0,
    )


#: RunConfig fields: name, default (None: RunConfig's own), lower bound, help.
_RUN_CONFIG_INTEGERS: tuple[tuple[str, Optional[int], int, str], ...] = (
    ("save_checkpoints_steps", None, 1, "Save a checkpoint every so many steps."),
    ("save_checkpoints_secs", None, 1, "Save a checkpoint every so many seconds."),
    ("keep_checkpoint_max", None, 0, "Checkpoints to keep; 0 keeps all."),
    ("save_summary_steps", None, 0, "Write summaries every so many steps."),
    ("log_step_count_steps", None, 1, "Log the speed every so many steps."),
    ("tf_random_seed", None, 0, "Seed of TensorFlow's random numbers."),
)


def decorate(
    model_fn: ModelFn,
    prefix: str = "",
    *,
    flag_values: flags.FlagValues = flags.FLAGS,
) -> ModelFn:
    """Wraps a model_fn as the flags say.

    Args:
      model_fn: any model_fn that Estimator takes.
      prefix: as given to `define_flags`.
      flag_values: as given to `define_flags`.

    Returns:
      `model_fn` in `with_scaffold` if `--checkpoint_format` is given, and in
      `warm_start_from` if `--warm_start_from` is.
    """
    import estimator_ckpt as ec

    def value(name: str) -> Any:
        return flag_values[prefix + name].value

    if value("checkpoint_format"):
        model_fn = ec.with_scaffold(
            value("checkpoint_format"),
            on_damaged=value("on_damaged"),
            on_missing=value("on_missing"),
            assignment_map=value("assignment_map"),
            optimizer_state=value("optimizer_state"),
            model_state=value("model_state"),
        )(model_fn)
    if value("warm_start_from"):
        from estimator_ckpt.estimator.warm_starts import warm_start

        model_fn = warm_start.by_choice(
            value("warm_start_from"),
            warm_start_choice(prefix, flag_values),
            vocabularies={},
            strict=value("warm_start_strict"),
        )(model_fn)
    return model_fn


def warm_start_choice(
    prefix: str = "", flag_values: flags.FlagValues = flags.FLAGS
) -> Choice:
    """Which variables the flags carry, and how; errors are `warm_start_from`'s."""
    from estimator_ckpt.maps.choices import Choice

    def value(name: str) -> Any:
        return flag_values[f"{prefix}warm_start_{name}"].value

    averages = "builtin:use_ema" if value("use_ema") else None
    return Choice.of(
        carry=value("carry"),
        include=value("include"),
        exclude=value("exclude"),
        reset=value("reset"),
        assignment_map=[averages, value("assignment_map")],
        cast=value("cast"),
        resize=value("resize"),
        optimizer_state=value("optimizer_state"),
        model_state=value("model_state"),
    )


def run_config(
    prefix: str = "",
    *,
    flag_values: flags.FlagValues = flags.FLAGS,
    **overrides: Any,
) -> tf.estimator.RunConfig:
    """The RunConfig that the flags describe.

    Args:
      prefix: as given to `define_flags`.
      flag_values: as given to `define_flags`.
      **overrides: RunConfig fields that win over the flags.

    Returns:
      A RunConfig with `--model_dir`, `--save_checkpoints_steps` and the others that
      were given; what was not keeps RunConfig's own default. TF_CONFIG is read, as by
      every RunConfig.
    """
    from estimator_ckpt.estimator.runtime import enable_estimator

    fields = {
        name: flag_values[prefix + name].value
        for name in (
            "model_dir",
            "keep_checkpoint_every_n_hours",
            *(name for name, *_ in _RUN_CONFIG_INTEGERS),
        )
    }
    given = {name: value for name, value in fields.items() if value is not None}
    given.update(overrides)
    return enable_estimator().RunConfig(**given)


def _are_patterns(given: Optional[list[str]]) -> bool:
    try:
        compile_patterns(given)
    except PatternError as error:
        raise flags.ValidationError(str(error)) from None
    return True
