"""absl's flags as arguments: what is wrong with one is a UsageError."""

import argparse

import pytest
from absl import flags

from estimator_ckpt.cli.flag_parser import FlagParser
from estimator_ckpt.cli.usage_errors import UsageError


@pytest.fixture
def parser():
    values = flags.FlagValues()
    flags.DEFINE_integer("steps", 1, "Steps.", flag_values=values, lower_bound=1)
    values.mark_as_parsed()
    return FlagParser(inherited_absl_flags=values), values


def test_a_flag_is_parsed(parser):
    parse, values = parser
    assert parse.parse_args(["--steps=7"]) == argparse.Namespace()
    assert values.steps == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps=many"], "flag --steps=many"),
        (["--steps=0"], "flag --steps=0"),
        (["--flagfile=nowhere.flags"], "nowhere.flags"),
    ],
)
def test_a_bad_value_is_one_line(parser, arguments, message):
    with pytest.raises(UsageError) as caught:
        parser[0].parse_args(arguments)
    assert message in str(caught.value)


def test_a_flagfile_that_is_no_text_is_one_line(parser, tmp_path):
    (tmp_path / "my.flags").write_bytes(b"--steps=\xff\xfe")
    with pytest.raises(UsageError, match=r"^--flagfile: it is no text"):
        parser[0].parse_args([f"--flagfile={tmp_path}/my.flags"])
