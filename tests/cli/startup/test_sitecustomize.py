"""What each Python that `run` starts reads first."""

import os

from tests.cli.commands.test_run_command import RUN, call, write
from tests.conftest import REPOSITORY


def test_another_sitecustomize_is_read_as_well(tmp_path):
    write(tmp_path, "site/sitecustomize.py", "print('theirs')")
    write(tmp_path, "job.py", "import sitecustomize; print(sitecustomize.__file__)")
    found = call(
        [*RUN, "job.py"],
        tmp_path,
        PYTHONPATH=f"{tmp_path}/site{os.pathsep}{REPOSITORY}",
    )
    assert found.stdout.split()[-2:] == ["theirs", f"{tmp_path}/site/sitecustomize.py"]
    assert not found.stderr
