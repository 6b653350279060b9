"""Runs the commands as users do, in processes that cost little (`tests.processes`)."""

import os

from tests import processes
from tests.conftest import REPOSITORY


def run(*arguments, cwd=REPOSITORY, **environment):
    """Runs `python -m estimator_ckpt ARGUMENTS...` in `cwd`."""
    return processes.run(
        ["-m", "estimator_ckpt", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environment},
    )
