"""A temporary that nobody holds is a leftover; one that is held is not."""

import os
import subprocess
import sys
import time

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.local_files import leftovers, output_file
from tests.conftest import REPOSITORY

HOLDS = """
import sys, time
from estimator_ckpt.bundle import files
directory = sys.argv[1]
output = files.Output(f"{directory}/f")
output.write(b"half")
with files.temporary_dir(directory) as temporary:
    open(f"{temporary}/inside", "w").close()
    print("ready", flush=True)
    time.sleep(600)
"""


def remove_all(directory):
    for name in files.list_temporaries(directory):
        leftovers.remove(os.path.join(directory, name))
    return os.listdir(directory)


def test_what_a_living_process_holds_stays_and_goes_when_it_is_killed(tmp_path):
    arguments = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert len(remove_all(tmp_path)) == 2
        process.kill()
    assert remove_all(tmp_path) == []


def test_what_this_process_holds_stays(tmp_path):
    output = files.Output(tmp_path / "f")
    assert len(remove_all(tmp_path)) == 1
    output.write(b"all")
    output.commit()
    assert (tmp_path / "f").read_bytes() == b"all"


def test_a_file_taken_for_a_leftover_before_it_was_held_is_made_again(
    tmp_path, monkeypatch
):
    hold, taken = leftovers.hold, []

    def too_late(fd):
        if not taken:
            taken.extend(os.listdir(tmp_path))
            remove_all(tmp_path)
        return hold(fd)

    monkeypatch.setattr(leftovers, "hold", too_late)
    files.put(tmp_path / "f", b"whole")
    assert len(taken) == 1
    assert os.listdir(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"whole"


def test_a_second_name_is_a_leftover_when_it_is_old(tmp_path, monkeypatch):
    (tmp_path / "data").write_bytes(b"data")
    link = output_file.temporary_beside(str(tmp_path / "x"), leftovers.LINK)
    os.link(tmp_path / "data", link)
    assert len(remove_all(tmp_path)) == 2
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert remove_all(tmp_path) == ["data"]
    assert (tmp_path / "data").read_bytes() == b"data"


def test_what_has_no_temporarys_name_is_none(tmp_path):
    (tmp_path / ".estimator").touch()
    (tmp_path / "estimator_ckpt-1").touch()
    assert files.list_temporaries(tmp_path) == []
    assert files.list_temporaries(tmp_path / "nothing") == []
