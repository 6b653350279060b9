"""Programs that get a signal right before their n-th change of the file system."""

import sys

from tests import forks

_BEFORE = """
import os, sys
from estimator_ckpt.bundle.local_files import system_calls
import estimator_ckpt as ec

at, number, *arguments = sys.argv[1:]
change, count = system_calls.change, 0

def counted(operation, call, *arguments):
    global count
    count += 1
    if count == int(at):
        os.kill(os.getpid(), int(number))
    return change(operation, call, *arguments)

system_calls.change = counted
"""


def run(program, at, number, *arguments):
    """Runs one to its end, in a fork.

    Args:
      program: Python; it has `ec`, its `arguments`, and `count`, the changes so far.
      at: before which change; 0 for none.
      number: the signal.
      *arguments: the program's.
    """
    return forks.run(f"{_BEFORE}{program}", at, int(number), *arguments)


def command(program, at, number, *arguments):
    """What to type for the same in an interpreter of its own."""
    given = map(str, (at, int(number), *arguments))
    return [sys.executable, "-c", f"{_BEFORE}{program}", *given]
