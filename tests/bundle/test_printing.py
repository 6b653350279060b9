"""What is printed of names and paths is one line that does nothing to a terminal."""

import pytest

from estimator_ckpt.bundle.errors import CheckpointError, TensorNotFoundError
from estimator_ckpt.bundle.printing import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dense/kernel", "dense/kernel"),
        ("schön/модель/層", "schön/модель/層"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2066b\u200b", "a\\u2066b\\u200b"),
        ("\udcff", "\\udcff"),
        ("a\x85b\x9bc", "a\\x85b\\x9bc"),
        ("a\nb", "a\\nb"),
    ],
)
def test_what_does_not_print_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()
    printable(text).encode()


def test_an_error_is_one_printable_line():
    message = str(CheckpointError("a\nb\r\nc\x1b[31m\u202e: damaged"))
    assert message == "a b c\\x1b[31m\\u202e: damaged"
    assert str(TensorNotFoundError("no 'x\ty'")) == "no 'x\\ty'"


def test_an_error_is_not_longer_than_anybody_reads():
    message = str(CheckpointError(f"dir/model.ckpt: {'x' * 10_000_000} is damaged"))
    assert len(message) < 3100
    assert message.startswith("dir/model.ckpt: xxx")
    assert message.endswith("xxx is damaged")
    assert "9997027 characters left out" in message
    assert one_line("y" * 3000) == "y" * 3000
