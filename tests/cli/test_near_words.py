"""What was typed wrong is answered with what is near it."""

import pytest

from tests.cli.command_line import call


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["insepct", "a"], "invalid choice: 'insepct' (near: 'inspect')"),
        (["convert-for"], "invalid choice: 'convert-for' (near: 'convert_for', "),
        (["Verify", "a"], "invalid choice: 'Verify' (near: 'verify')"),
        (["frobnicate"], "invalid choice: 'frobnicate'; all commands"),
        (["inspect", "a", "--rport=x"], "arguments: --rport=x (near: '--report')"),
        (["inspect", "a", "--optimizer-state=b"], "(near: '--optimizer_state'"),
        (["inspect", "a", "b"], "unrecognized arguments: b\n"),
        (["diff", "a", "b", "--jsom"], "unrecognized arguments: --jsom (near: "),
    ],
)
def test_the_error_says_what_is_near(arguments, says):
    done = call(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.splitlines()[-1].startswith("estimator-ckpt")


def test_the_usage_is_the_command_s():
    assert call("verify", "a", "--x").stderr.startswith("usage: estimator-ckpt verify ")
