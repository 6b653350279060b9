"""One process at a time writes a destination; what a killed one left goes."""

import errno
import fcntl
import os
import signal
import subprocess
import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    DestinationExistsError,
    DestinationInUseError,
)
from estimator_ckpt.bundle.index import index_path, shard_path
from estimator_ckpt.bundle.local_files import leftovers, system_calls
from estimator_ckpt.conversion.writing import claims
from tests.conftest import REPOSITORY
from tests.conversion import nth_change, saving
from tests.conversion.saving import tree
from tests.testdata_paths import PREFIXES

CONVERTS = """
source, destination, *options = arguments
ec.convert(
    source, destination, to="dual", data="copy", overwrite="--overwrite" in options
)
print(count)
"""


def start(at, number, source, destination, *options):
    return subprocess.Popen(
        nth_change.command(CONVERTS, at, number, source, destination, *options),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stopped(at, source, destination):
    """A process that stands still in the middle of a conversion."""
    process = start(at, signal.SIGSTOP, source, destination)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    return process


def go_on(process):
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return int(out)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "old").mkdir()
    prefix = tmp_path / "old" / "c"
    saving.save(str(prefix), 1)
    return prefix


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    """How many changes of the file system a conversion makes."""
    directory = tmp_path_factory.mktemp("count")
    saving.save(str(directory / "c"), 1)
    done = nth_change.run(CONVERTS, 0, 0, directory / "c", directory / "new" / "n")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def names(directory):
    """All files in a directory, temporaries too."""
    return sorted(os.listdir(directory))


def whole(name, num_shards=3):
    return sorted(
        [f"{name}.index", *(shard_path(name, i, num_shards) for i in range(num_shards))]
    )


def test_a_destination_that_is_being_written_is_refused(tmp_path, source, changes):
    other = tmp_path / "old" / "other"
    saving.save(str(other), 2)
    process = stopped(changes // 2, source, tmp_path / "new" / "n")
    try:
        before = tree(tmp_path / "new")
        for overwrite in (False, True):
            with pytest.raises(DestinationInUseError, match="n: another process is"):
                ec.convert(other, tmp_path / "new" / "n", to="tf1", overwrite=overwrite)
        assert tree(tmp_path / "new") == before
        beside = ec.convert(other, tmp_path / "new" / "beside", to="tf1")
        assert saving.number_in(beside) == 2
        assert before.items() <= tree(tmp_path / "new").items()
    finally:
        go_on(process)
    assert saving.number_in(tmp_path / "new" / "n") == 1
    assert names(tmp_path / "new") == sorted(whole("n") + [*whole("beside", 2)])


@pytest.mark.parametrize("overwrite", [False, True])
def test_of_many_at_once_each_is_whole_or_refused(tmp_path, overwrite):
    count = 5
    for number in range(count):
        saving.save(str(tmp_path / "old" / f"c{number}"), number)
    options = ["--overwrite"] if overwrite else []
    processes = [
        start(0, 0, tmp_path / "old" / f"c{number}", tmp_path / "new" / "n", *options)
        for number in range(count)
    ]
    done = []
    for number, process in enumerate(processes):
        _, err = process.communicate(timeout=120)
        if process.returncode == 0:
            done.append(number)
        else:
            assert "DestinationExistsError" in err or "DestinationInUseError" in err
    assert len(done) >= 1 if overwrite else len(done) == 1
    assert saving.number_in(tmp_path / "new" / "n") in done
    with ec.open_checkpoint(tmp_path / "new" / "n") as checkpoint:
        assert names(tmp_path / "new") == whole("n", checkpoint.num_shards)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_any_kill_leaves_goes_with_the_next_run_beside_it(
    tmp_path, source, changes, overwrite
):
    """Also if it writes another destination in that directory."""
    for at in range(1, changes + 10):
        new = tmp_path / f"new-{at}"
        new.mkdir()
        options = ["--overwrite"] if overwrite else []
        if overwrite:
            saving.save(str(new / "n"), 7)
        process = nth_change.run(
            CONVERTS, at, signal.SIGKILL, source, new / "n", *options
        )
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        ec.convert(source, new / "next", to="dual", data="copy")
        left = [name for name in names(new) if not name.startswith("next.")]
        assert names(new) == sorted(left + whole("next"))
        if left:
            number = saving.number_in(new / "n")
            assert number in ((1, 7) if overwrite else (1,))
            shards = whole("n", 2 if number == 7 else len(left) - 1)
            assert left == shards
        else:
            assert not overwrite
    assert at > 20  # a conversion takes more changes than that


def test_nothing_counts_what_a_kill_left_as_a_checkpoint(tmp_path, source, changes):
    found = set()
    for at in range(1, changes + 1, 2):
        new = tmp_path / f"new-{at}"
        nth_change.run(CONVERTS, at, signal.SIGKILL, source, new / "n")
        if not new.exists() or (new / "n.index").exists():
            continue
        found.update(name for name in names(new) if name.startswith("."))
        with pytest.raises(CheckpointError) as caught:
            ec.open_checkpoint(new)
        assert "found there" not in str(caught.value)
    assert len(found) > 3


def test_a_shard_that_an_index_names_is_never_taken_for_a_leftover(
    tmp_path, source, changes
):
    """Somebody completed by hand what a killed process began."""
    new = tmp_path / "new"
    for at in range(1, changes + 1):
        nth_change.run(CONVERTS, at, signal.SIGKILL, source, new / "n")
        shards = names(new) if new.exists() else []
        if sum(name.startswith("n.data") for name in shards) == 3:
            break
        for name in shards:
            os.unlink(new / name)
    other = ec.convert(source, tmp_path / "x" / "n", to="dual", data="copy")
    with open(index_path(other), "rb") as file, open(new / "n.index", "wb") as copy:
        copy.write(file.read())
    ec.convert(source, new / "next", to="tf1")
    assert saving.number_in(new / "n") == 1


def test_an_index_that_appears_before_the_commit_is_not_replaced(
    tmp_path, source, monkeypatch
):
    change = system_calls.change

    def saved_before_the_commit(operation, call, *arguments):
        if operation == "link" and str(arguments[1]).endswith("n.index"):
            monkeypatch.setattr(system_calls, "change", change)
            saving.save(str(tmp_path / "new" / "n"), 9)
        return change(operation, call, *arguments)

    monkeypatch.setattr(system_calls, "change", saved_before_the_commit)
    with pytest.raises(DestinationExistsError, match="already there"):
        ec.convert(source, tmp_path / "new" / "n", to="dual")
    assert saving.number_in(tmp_path / "new" / "n") == 9
    assert names(tmp_path / "new") == whole("n", 2)


def test_what_people_put_there_is_left_alone(tmp_path, source):
    new = tmp_path / "new"
    new.mkdir()
    others = ["n.data-00000-of-00001", "n.data-00000-of-00003", "n.txt", ".hidden"]
    for name in others:
        (new / name).write_bytes(b"mine")
    ec.convert(source, new / "n", to="dual")
    assert saving.number_in(new / "n") == 1
    assert all((new / name).read_bytes() == b"mine" for name in others)


def test_without_locks_it_says_so_and_deletes_no_temporary(
    tmp_path, source, monkeypatch, caplog
):
    def no_locks(fd, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / f"{leftovers.TEMPORARY}1234").write_bytes(b"")
    new = ec.convert(source, tmp_path / "new" / "n", to="tf2")
    assert saving.number_in(new) == 1
    assert "this file system has no locks" in caplog.text
    assert [name for name in names(tmp_path / "new") if name[0] == "."] == [
        f"{leftovers.TEMPORARY}1234"
    ]


def test_a_claim_costs_nothing_to_take_again(tmp_path, source):
    begin = time.monotonic()
    for _ in range(20):
        ec.convert(source, tmp_path / "new" / "n", to="tf1", overwrite=True)
    assert time.monotonic() - begin < 20 * 0.4
    assert not [name for name in names(tmp_path / "new") if name.startswith(".")]


def test_a_claim_of_any_size_is_none_and_goes(tmp_path):
    for name in (".estimator_ckpt-claim-zz", claims_file(tmp_path / "m")):
        with open(tmp_path / name, "wb") as file:
            file.truncate(1 << 40)
    with claims.claimed(str(tmp_path / "m")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_in_a_claims_place_is_named(tmp_path):
    os.mkfifo(tmp_path / claims_file(tmp_path / "m"))
    found = pytest.raises(CheckpointError, match="no regular file; delete it")
    with found, claims.claimed(str(tmp_path / "m")):
        pass


def test_a_directory_in_the_place_of_an_index_leaves_nothing_behind(tmp_path):
    (tmp_path / "m.index").mkdir()
    with pytest.raises(CheckpointError):
        ec.convert(
            PREFIXES["embedding-sharded/model.ckpt-20"],
            tmp_path / "m",
            to="tf2",
            overwrite=True,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["m.index"]


def claims_file(prefix):
    from estimator_ckpt.bundle import checksum

    return f".estimator_ckpt-claim-{checksum.value(os.fsencode(prefix.name)):08x}"


def test_where_no_file_can_be_made_it_gives_up(tmp_path, monkeypatch, source):
    def gone(operation, call, *arguments):
        raise FileNotFoundError(errno.ENOENT, "no such file")

    monkeypatch.setattr(claims, "_PATIENCE", 0.05)
    monkeypatch.setattr(system_calls, "change", gone)
    with pytest.raises(CheckpointError, match="no such file"):
        ec.convert(source, tmp_path / "model.ckpt", to="dual")
