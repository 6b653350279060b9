"""A message is one printable line, whatever files and users put into it."""

import pytest

from estimator_ckpt.bundle import errors
from estimator_ckpt.bundle.errors import CheckpointError, TensorNotFoundError

EVERY = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, CheckpointError)
]


@pytest.mark.parametrize("error", EVERY)
def test_a_message_is_one_line_that_a_terminal_may_see(error):
    text = str(error("c: 'a\nb'\x1b[2J is \u202egone"))
    assert text.isprintable()
    assert text.startswith("c: 'a b'")
    assert len(str(error("x" * 10**6))) < 4000


def test_what_is_not_there_is_a_key_error_that_does_not_quote():
    error = TensorNotFoundError("c: no tensor 'w'")
    assert isinstance(error, KeyError)
    assert str(error) == "c: no tensor 'w'"
