"""A command line that is wrong is one line and exit code 2, whatever is wrong."""

import pytest

from estimator_ckpt.cli.usage_errors import UsageError
from tests.cli.command_line import call


def test_it_is_nobody_else_s_error():
    """What a checkpoint raises must not be taken for bad usage, nor the other way."""
    assert UsageError.__mro__[1] is Exception


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("average", "a", "new"), "average: name two checkpoints or more"),
        (("average", "a", "b", "new", "--last=2"), "--last is a number of checkpoints"),
        (("average", "a", "new", "--last=0"), "--last is a number of checkpoints"),
        (("plan", "a", "b", "--suggest=map.txt"), "must end in .yaml"),
        (
            ("convert", "a", "b", "--to=safetensors", "--all"),
            "--all does not go with --to=safetensors",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_line(arguments, message):
    done = call(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("estimator-ckpt: error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
