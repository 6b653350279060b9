"""Garbage: looked for rarely while a command runs, and as before once it is done."""

import gc
import sys

import pytest

from estimator_ckpt.cli import garbage
from tests.cli.command_line import shell


def test_garbage_is_collected_rarely_and_afterwards_as_before():
    before = gc.get_threshold()
    with garbage.collected_rarely():
        assert gc.get_threshold() == (100 * before[0], *before[1:])
        assert gc.isenabled()
    assert gc.get_threshold() == before


def test_in_a_process_of_its_own_a_command_leaves_it_so():
    """Looking once more through all that is there would only delay the end."""
    before = gc.get_threshold()
    try:
        garbage.collect_rarely()
        assert gc.get_threshold() == (100 * before[0], *before[1:])
    finally:
        gc.set_threshold(*before)
    code = (
        "import gc, sys\n"
        "from estimator_ckpt.cli import main\n"
        "main._end_at_once = lambda code: print(gc.get_threshold()[0], code)\n"
        "main.main()"
    )
    done = shell(f"{sys.executable} -c '{code}' completion bash")
    assert done.stdout.endswith(f"\n{100 * before[0]} 0\n")


def test_after_an_error_it_is_as_before_too():
    before = gc.get_threshold()
    with pytest.raises(KeyError, match="gone"), garbage.collected_rarely():
        raise KeyError("gone")
    assert gc.get_threshold() == before


def test_a_job_that_collects_nothing_by_itself_stays_so():
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with garbage.collected_rarely():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
