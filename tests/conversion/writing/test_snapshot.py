"""A source is whole before it is used, and one save whatever happens meanwhile."""

import functools
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    SourceChangedError,
)
from estimator_ckpt.bundle.index import index_path, shard_path
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.checkpoint.paths import state_file
from estimator_ckpt.cli import main
from tests.conftest import REPOSITORY
from tests.conversion import saving
from tests.conversion.saving import tree


def shorten(path):
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) - 1)


def empty(path):
    with open(path, "r+b") as file:
        file.truncate()


def make_fifo(path):
    os.unlink(path)
    os.mkfifo(path)


def make_directory(path):
    os.unlink(path)
    os.mkdir(path)


DAMAGE = [shorten, empty, os.unlink, make_fifo, make_directory]


def make_old(directory):
    """So that nobody waits for whoever may be saving there now."""
    for path in directory.iterdir():
        os.utime(path, (1e9, 1e9))


COMMANDS = {
    "tf1": ("convert", "--to=tf1"),
    "tf2": ("convert", "--to=tf2"),
    "dual": ("convert", "--to=dual"),
    "link": ("convert", "--to=tf2", "--data=link"),
    "copy": ("convert", "--to=tf2", "--data=copy"),
    "stream": ("convert", "--to=tf2", "--data=copy", "--include=out|dense/b"),
    "all": ("convert", "--to=tf2", "--all"),
    "warm_start": ("warm_start",),
    "dry": ("convert", "--to=tf2", "--dry_run"),
    "dry_warm_start": ("warm_start", "--dry_run"),
    "average": ("average", "--last=2"),
}


def make_model_dir(path, numbers=(1, 2)):
    path.mkdir()
    for number in numbers:
        saving.save(str(path / f"model.ckpt-{number}"), number)
    names = tuple(f"model.ckpt-{number}" for number in numbers)
    content = state_file.CheckpointState(latest=names[-1], all=names)
    (path / state_file.FILE_NAME).write_bytes(content.serialize())


def run(command, source, destination, *options):
    name, *flags = COMMANDS[command]
    return main.run([name, str(source), str(destination), *flags, *options])


def make_old_destination(path):
    """What is there already, under every name that a command might replace."""
    for name in ("model.ckpt-0", "model.ckpt-1", "model.ckpt-2"):
        saving.save(str(path / name), 77)
    old = state_file.CheckpointState("model.ckpt-1", ("model.ckpt-0", "model.ckpt-1"))
    (path / state_file.FILE_NAME).write_bytes(old.serialize())


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_source_that_is_not_whole_is_refused_and_nothing_written(
    tmp_path, capsys, command, damage
):
    make_model_dir(tmp_path / "old")
    damage(shard_path(tmp_path / "old" / "model.ckpt-2", 1, 2))
    make_old(tmp_path / "old")
    assert run(command, tmp_path / "old", tmp_path / "new") == 2
    assert not (tmp_path / "new").exists()
    (tmp_path / "there").mkdir()
    make_old_destination(tmp_path / "there")
    before = tree(tmp_path / "there")
    assert run(command, tmp_path / "old", tmp_path / "there", "--overwrite") == 2
    assert tree(tmp_path / "there") == before
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert all("model.ckpt-2.data-00001-of-00002" in line for line in errors)


def test_what_is_left_out_may_be_missing(tmp_path):
    """So that the rest of a damaged checkpoint can be saved."""
    saving.save(str(tmp_path / "c"), 3)
    os.unlink(shard_path(tmp_path / "c", 1, 2))
    new = ec.convert(tmp_path / "c", tmp_path / "n", to="tf1", include="dense/")
    assert ec.verify(new).ok
    assert set(ec.open_checkpoint(new)) == {"dense/bias", "dense/kernel"}


# Before each change of the file system, something happens to the source.

WAYS = {
    "auto": {"data": "auto"},
    "link": {"data": "link"},
    "copy": {"data": "copy"},
    "stream": {"data": "copy", "include": "out/|global_step"},
}


class Meanwhile:
    """Does something before the n-th change that a conversion makes."""

    def __init__(self, monkeypatch, at, does):
        self.count = 0
        change = system_calls.change
        thread = threading.get_ident()

        def counted(operation, call, *arguments):
            if threading.get_ident() != thread or self.count < 0:
                return change(operation, call, *arguments)
            self.count += 1
            if self.count == at:
                self.count = -1000  # what it does is not counted
                does()
                self.count = at
            return change(operation, call, *arguments)

        monkeypatch.setattr(system_calls, "change", counted)


def count_changes(monkeypatch, work):
    with monkeypatch.context() as patch:
        meanwhile = Meanwhile(patch, 0, None)
        work()
    return meanwhile.count


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("half", [False, True], ids=["whole", "shards-first"])
def test_saved_anew_at_any_moment_gives_one_save_whole(
    tmp_path, monkeypatch, way, half
):
    prefix = str(tmp_path / "old" / "best")

    def convert(name):
        return ec.convert(prefix, tmp_path / name / "n", to="tf2", **WAYS[way])

    saving.save(prefix, 1)
    changes = count_changes(monkeypatch, lambda: convert("count"))
    assert changes > 8
    found = set()
    threads = []
    for at in range(1, changes + 1):

        def save(number=at + 1):
            data = saving.prepare(prefix, number)
            saving.rename_shards(prefix)
            if not half:
                saving.write_index(prefix, data)
                return
            threads.append(threading.Timer(0.1, saving.write_index, (prefix, data)))
            threads[-1].start()

        with monkeypatch.context() as patch:
            Meanwhile(patch, at, save)
            new = convert(f"new-{at}")
        found.add(saving.number_in(new) - at)
        for thread in threads:
            thread.join()
    assert found <= {0, 1}
    assert 1 in found  # the new one, where the old one was not complete


@pytest.mark.parametrize("way", WAYS)
def test_deleted_at_any_moment_it_is_complete_or_not_there(tmp_path, monkeypatch, way):
    prefix = str(tmp_path / "old" / "c")

    def convert(name):
        return ec.convert(prefix, tmp_path / name / "n", to="tf2", **WAYS[way])

    saving.save(prefix, 5)
    changes = count_changes(monkeypatch, lambda: convert("count"))
    complete = 0
    for at in range(1, changes + 1):
        saving.save(prefix, 5)
        with monkeypatch.context() as patch:
            Meanwhile(patch, at, functools.partial(saving.delete, prefix))
            try:
                new = convert(f"new-{at}")
            except (SourceChangedError, CheckpointNotFoundError):
                assert tree(tmp_path / f"new-{at}") == {}
                continue
        assert saving.number_in(new) == 5
        complete += 1
    # Only a link needs the source's names; what is open can be copied.
    assert complete == changes if way != "link" else complete >= 3


def test_with_all_what_is_deleted_meanwhile_is_left_out(tmp_path, monkeypatch, caplog):
    model_dir = tmp_path / "old"
    make_model_dir(model_dir, (1, 2, 3))

    def work(name):
        return ec.convert_model_dir(model_dir, tmp_path / name, to="tf2")

    changes = count_changes(monkeypatch, lambda: work("count"))
    left_out = 0
    for at in range(1, changes + 1, 3):
        saving.save(str(model_dir / "model.ckpt-2"), 2)
        caplog.clear()
        with monkeypatch.context() as patch:
            Meanwhile(patch, at, lambda: saving.delete(str(model_dir / "model.ckpt-2")))
            new = work(f"new-{at}")
        assert [saving.number_in(prefix) for prefix in new] in ([1, 2, 3], [1, 3])
        names = tuple(os.path.basename(prefix) for prefix in new)
        assert state_file.read(tmp_path / f"new-{at}").all == names
        if len(new) == 2:
            left_out += 1
            assert "model.ckpt-2: left out, it was deleted meanwhile" in caplog.text
            assert not list((tmp_path / f"new-{at}").glob("model.ckpt-2*"))
    assert left_out > 1


def test_shards_of_another_save_than_the_index_are_refused(tmp_path):
    """What a job leaves that is killed between its shards and its index."""
    prefix = str(tmp_path / "best")
    saving.save(prefix, 1)
    saving.prepare(prefix, 2)
    saving.rename_shards(prefix)
    for data in ("auto", "copy"):
        with pytest.raises(CheckpointError, match="is damaged"):
            ec.convert(prefix, tmp_path / "new" / "n", to="tf2", data=data)
    assert not (tmp_path / "new").exists()


def test_a_source_that_never_rests_is_refused(tmp_path, monkeypatch):
    prefix = str(tmp_path / "best")
    saving.save(prefix, 1)
    change, number = system_calls.change, [1]

    def saved_before_each_index(operation, call, *arguments):
        if operation == "set times" and number[-1]:
            count, number[-1] = number[-1] + 1, 0
            saving.save(prefix, count)
            number[-1] = count
        return change(operation, call, *arguments)

    monkeypatch.setattr(system_calls, "change", saved_before_each_index)
    monkeypatch.setattr(
        "estimator_ckpt.conversion.writing.snapshot._PAUSES", (0.01,) * 3
    )
    with pytest.raises(SourceChangedError, match="was saved anew while"):
        ec.convert(prefix, tmp_path / "new" / "n", to="tf2")
    assert number[-1] == 5
    assert tree(tmp_path / "new") == {}


SAVES_ON_AND_ON = """
import sys, time
from tests.conversion import saving
prefix, number = sys.argv[1], 1
print("ready", flush=True)
while True:
    number += 1
    saving.save(prefix, number)
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("way", WAYS)
def test_beside_a_process_that_saves_on_and_on(tmp_path, way):
    prefix = str(tmp_path / "old" / "best")
    saving.save(prefix, 1)
    arguments = [sys.executable, "-c", SAVES_ON_AND_ON, prefix, "0.15"]
    with subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout.readline() == b"ready\n"
            numbers = []
            for i in range(1000):
                if i >= 25 and numbers[-1] > numbers[0]:
                    break  # it was saved anew between them
                new = tmp_path / "new" / str(i)
                try:
                    numbers.append(
                        saving.number_in(ec.convert(prefix, new, to="tf2", **WAYS[way]))
                    )
                except SourceChangedError:
                    assert not list((tmp_path / "new").glob(f"{i}.*"))
        finally:
            writer.kill()
    assert len(numbers) > 12
    assert numbers == sorted(numbers)
    assert numbers[-1] > numbers[0]


TENSORFLOW_SAVES = """
import sys, time
import tensorflow as tf
tf1 = tf.compat.v1
prefix = sys.argv[1]
with tf.Graph().as_default(), tf1.Session() as session:
    step = tf1.train.get_or_create_global_step()
    zeros = tf1.zeros_initializer()
    names = [f"v{i}" for i in range(9)]
    variables = [tf1.get_variable(n, [200, 100], initializer=zeros) for n in names]
    one = tf.ones_like(variables[0])
    go_on = [tf1.assign_add(step, 1), *(tf1.assign_add(v, one) for v in variables)]
    saver = tf1.train.Saver(sharded=True)
    session.run(tf1.global_variables_initializer())
    while True:
        session.run(go_on)
        saver.save(session, prefix, write_meta_graph=False)
        print("saved", flush=True)
        time.sleep(0.1)
"""


@pytest.mark.usefixtures("needs_tensorflow")
@pytest.mark.parametrize("data", ["auto", "copy"])
def test_beside_a_tensorflow_saver_under_one_name(tmp_path, data):
    prefix = str(tmp_path / "old" / "best")
    os.mkdir(tmp_path / "old")
    arguments = [sys.executable, "-c", TENSORFLOW_SAVES, prefix]
    with subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout.readline() == b"saved\n"
            steps = set()
            deadline = time.monotonic() + 60
            for i in itertools.count():
                try:
                    new = ec.convert(prefix, tmp_path / str(i), to="dual", data=data)
                except SourceChangedError:
                    continue
                finally:
                    assert time.monotonic() < deadline, steps
                assert ec.verify(new).ok
                with ec.open_checkpoint(new) as checkpoint:
                    values = {float(checkpoint.read(f"v{n}").mean()) for n in range(9)}
                    assert values == {float(checkpoint.global_step)}
                    steps.add(checkpoint.global_step)
                if len(steps) > 4 and i >= 20:
                    break
        finally:
            writer.kill()


def test_a_source_of_many_shards_is_not_held_open(tmp_path, monkeypatch):
    """A process may open 1,024 files: of more shards than that, each is looked at."""
    monkeypatch.setattr("estimator_ckpt.conversion.writing.snapshot._MOST_HELD", 1)
    prefix = str(tmp_path / "old" / "best")
    new = tmp_path / "new" / "n"
    for way in WAYS.values():
        convert = functools.partial(ec.convert, prefix, new, to="tf2", **way)
        saving.save(prefix, 1)
        changes = count_changes(monkeypatch, convert)
        for at in range(1, changes + 1, 2):
            shutil.rmtree(tmp_path / "new")
            with monkeypatch.context() as patch:
                Meanwhile(patch, at, functools.partial(saving.save, prefix, 2))
                convert()
            assert saving.number_in(new) in (1, 2)
        shutil.rmtree(tmp_path / "new")


@pytest.mark.parametrize(("there", "seconds"), [(50, 0.1), (0, 1.0)])
def test_an_index_that_is_read_while_it_is_written_is_read_again(
    tmp_path, there, seconds
):
    prefix = str(tmp_path / "best")
    saving.save(prefix, 1)
    index = pathlib.Path(index_path(prefix))
    data = index.read_bytes()
    index.write_bytes(data[:there])
    timer = threading.Timer(seconds, saving.write_index, (prefix, data))
    timer.start()
    assert saving.number_in(ec.convert(prefix, tmp_path / "n", to="tf1")) == 1
    timer.join()


def test_damage_that_is_old_is_said_at_once(tmp_path, monkeypatch):
    prefix = str(tmp_path / "best")
    saving.save(prefix, 1)
    shard = shard_path(prefix, 1, 2)
    shorten(shard)
    make_old(tmp_path)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it waits"))
    with pytest.raises(CheckpointError, match="cut off"):
        ec.convert(prefix, tmp_path / "n", to="tf1")
