"""What a job resumes from, what it deletes, and when it must not begin anew."""

import logging
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.estimator.restoring.job_dirs import ModelDirError
from estimator_ckpt.estimator.restoring.restore_errors import DamagedCheckpointError
from estimator_ckpt.estimator.saving import commits
from tests.estimator import counting
from tests.estimator.counting import files_of, steps_in

FORMATS = ("tf1", "tf2", "dual")


def named(prefix_of, steps=(3, 4)):
    """A state file that names checkpoints by `prefix_of(step)`."""
    paths = [prefix_of(step).replace("\\", "\\\\") for step in steps]
    lines = [f'model_checkpoint_path: "{paths[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{path}"' for path in paths]
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module", params=FORMATS)
def trained(request, tmp_path_factory):
    """A format, and a model dir with the checkpoints 3 and 4."""
    path = tmp_path_factory.mktemp(request.param) / "original"
    counting.train(path, 4, request.param)
    return request.param, path


@pytest.fixture
def original(trained, tmp_path):
    """A format, a model dir and a copy of it; both can be changed."""
    format, path = trained
    shutil.copytree(path, tmp_path / "original")
    shutil.copytree(path, tmp_path / "copy")
    return format, tmp_path / "original", tmp_path / "copy"


PATHS_OF_THE_ORIGINAL = {
    "absolute": lambda there, step: f"{there}/model.ckpt-{step}",
    "relative": lambda there, step: f"../{there.name}/model.ckpt-{step}",
    "below, through a link": lambda there, step: f"link/model.ckpt-{step}",
    "dots": lambda there, step: f"{there}/../{there.name}/./model.ckpt-{step}",
}


@pytest.mark.parametrize("path", PATHS_OF_THE_ORIGINAL)
def test_a_copied_model_dir_leaves_the_original_alone(original, path, caplog):
    format, there, copy = original
    state = named(lambda step: PATHS_OF_THE_ORIGINAL[path](there, step))
    (copy / "link").symlink_to(there)
    (copy / "checkpoint").write_text(state)
    before = files_of(there)
    with caplog.at_level(logging.WARNING, "estimator_ckpt"):
        counting.train(copy, 3, format)
    assert files_of(there) == before
    assert steps_in(copy) == [6, 7]
    assert "names checkpoints of another place" in caplog.text
    assert "../" not in (copy / "checkpoint").read_text()
    assert str(there) not in (copy / "checkpoint").read_text()


@pytest.mark.parametrize("format", ["tf1", "tf2"])
def test_nor_does_a_saver_of_the_model_fns_own_touch_it(tmp_path, format):
    def own_fn(features, labels, mode):
        spec = counting.model_fn(features, labels, mode)
        saver = tf1.train.Saver(max_to_keep=2)
        return spec._replace(scaffold=tf1.train.Scaffold(saver=saver))

    counting.train(tmp_path / "original", 4, format)
    there, copy = tmp_path / "original", tmp_path / "copy"
    shutil.copytree(there, copy)
    (copy / "checkpoint").write_text(named(lambda s: f"{there}/model.ckpt-{s}"))
    before = files_of(there)
    counting.train(copy, 3, format, own_fn)
    assert files_of(there) == before
    assert steps_in(copy) == [6, 7]


def test_nor_does_a_session_that_says_nothing_of_its_directory(original):
    format, there, copy = original
    (copy / "checkpoint").write_text(named(lambda s: f"{there}/model.ckpt-{s}"))
    before = files_of(there)
    monitored(copy, format, steps=9)
    assert files_of(there) == before
    assert steps_in(copy)[-1] == 13


def monitored(directory, format, steps, **options):
    with tf.Graph().as_default():
        step = tf1.train.get_or_create_global_step()
        counter = tf1.get_variable("counter", [3], initializer=tf1.zeros_initializer())
        update = tf.group(counter.assign_add(tf.ones([3])), step.assign_add(1))
        with tf1.train.MonitoredTrainingSession(
            checkpoint_dir=str(directory),
            scaffold=ec.scaffold(format, **options),
            save_checkpoint_steps=1,
            log_step_count_steps=None,
        ) as session:
            for _ in range(steps):
                session.run(update)


ELSEWHERE = {
    "gone": lambda step: f"/gone/model.ckpt-{step}",
    "gone, relative": lambda step: f"../gone/model.ckpt-{step}",
    "a store": lambda step: f"gs://bucket/job/model.ckpt-{step}",
    "another machine": lambda step: rf"C:\job\model.ckpt-{step}",
}


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_moved_model_dir_resumes_and_evaluates(original, path):
    format, _, moved = original
    (moved / "checkpoint").write_text(named(ELSEWHERE[path]))
    est = counting.job(moved, format)
    assert est.evaluate(counting.input_fn, steps=1)["loss"] == 12.0
    (found,) = (p["counter"] for p, _ in zip(est.predict(counting.input_fn), "1"))
    np.testing.assert_array_equal(found, [4.0] * 3)
    est.train(counting.input_fn, steps=2)
    assert steps_in(moved) == [5, 6]


@pytest.mark.parametrize("path", ["gone", "a store"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_finished_job_that_was_moved_is_finished(original, path, more):
    """Estimator itself finds no checkpoint by such a state file, so begins at 0."""
    format, _, moved = original
    before = steps_in(moved)
    (moved / "checkpoint").write_text(named(ELSEWHERE[path]))
    counting.job(moved, format).train(counting.input_fn, max_steps=before[-1] + more)
    assert steps_in(moved)[-1] == before[-1] + more


def test_a_checkpoint_given_by_its_path_is_evaluated(original):
    format, there, copy = original
    (copy / "checkpoint").unlink()
    est = counting.job(copy, format)
    metrics = est.evaluate(
        counting.input_fn, steps=1, checkpoint_path=str(there / "model.ckpt-3")
    )
    assert metrics["loss"] == 9.0


@pytest.mark.parametrize("slash", ["", "/", "/../copy/", "//"])
def test_absolute_paths_of_its_own_are_its_own(original, slash):
    format, _, copy = original
    (copy / "checkpoint").write_text(named(lambda s: f"{copy}/model.ckpt-{s}"))
    counting.train(f"{copy}{slash}", 3, format)
    assert steps_in(copy) == [6, 7]


def test_a_model_dir_behind_a_link_is_the_same(original, tmp_path):
    format, there, _ = original
    (tmp_path / "link").symlink_to(there)
    (there / "checkpoint").write_text(named(lambda s: f"{there}/model.ckpt-{s}"))
    counting.train(tmp_path / "link", 3, format)
    assert steps_in(there) == [6, 7]


def test_a_copy_of_links_leaves_what_they_lead_to(original):
    format, there, copy = original
    shutil.rmtree(copy)
    copy.mkdir()
    for path in there.iterdir():
        (copy / path.name).symlink_to(path)
    before = files_of(there)
    counting.train(copy, 3, format)
    assert files_of(there) == before
    assert steps_in(copy) == [6, 7]


def test_a_hostile_state_file_deletes_nothing_else(original, tmp_path):
    format, victim, job = original
    paths = [
        f"{victim}/model.ckpt-3",
        "../original/model.ckpt-4",
        f"{victim}/model.ckpt-*",
        "../*/model.ckpt-3",
        "..",
        "",
        f"{victim}/",
        "link/model.ckpt-3",
        "model.ckpt-?",
    ]
    (job / "link").symlink_to(victim)
    state = "".join(f'all_model_checkpoint_paths: "{path}"\n' for path in paths)
    (job / "checkpoint").write_text(f'model_checkpoint_path: "model.ckpt-4"\n{state}')
    before = files_of(victim)
    counting.train(job, 6, format)
    assert files_of(victim) == before
    assert steps_in(job) == [9, 10]


@pytest.mark.parametrize("name", ["model.ckpt-*", "..", "/", "a\nb/.."])
def test_a_latest_that_is_no_name_stops_the_job(original, name):
    format, _, job = original
    (job / "checkpoint").write_bytes(f'model_checkpoint_path: "{name}"\n'.encode())
    before = files_of(job)
    with pytest.raises(DamagedCheckpointError, match=r"whole is .*/model.ckpt-4: "):
        counting.train(job, 1, format)
    assert files_of(job) == before


UNREADABLE = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "blank": lambda path: path.write_bytes(b"\n \n"),
    "cut off": lambda path: os.truncate(path, 30),
    "cut off in the list": lambda path: os.truncate(path, path.stat().st_size - 3),
    "another file": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xfe" * 9),
    "zeros": lambda path: path.write_bytes(bytes(100)),
    "without the latest": lambda path: path.write_text(
        'all_model_checkpoint_paths: "model.ckpt-4"\n'
    ),
}


@pytest.mark.parametrize("damage", UNREADABLE)
class TestAStateFileThatSaysNothing:
    def test_stops_a_job_before_it_begins_anew(self, original, damage):
        format, job, _ = original
        UNREADABLE[damage](job / "checkpoint")
        before = files_of(job)
        with pytest.raises(DamagedCheckpointError) as caught:
            counting.train(job, 1, format)
        message = str(caught.value)
        assert f"whole is {job}/model.ckpt-4: " in message
        assert "fall_back" in message
        assert "\n" not in message
        assert files_of(job) == before

    def test_is_fallen_back_from_when_asked(self, original, damage, caplog):
        format, job, _ = original
        UNREADABLE[damage](job / "checkpoint")
        with caplog.at_level(logging.WARNING, "estimator_ckpt"):
            counting.train(job, 2, format, on_damaged="fall_back")
        assert f"Falling back to {job}/model.ckpt-4, which is whole" in caplog.text
        assert steps_in(job) == [5, 6]


def test_the_newest_whole_one_is_looked_for(original):
    format, job, _ = original
    (job / "checkpoint").unlink()
    shard = next(job.glob("model.ckpt-4.data-*"))
    content = bytearray(shard.read_bytes())
    content[5] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match=r"whole is .*/model.ckpt-3: "):
        counting.train(job, 1, format)
    counting.train(job, 3, format, on_damaged="fall_back")
    assert steps_in(job) == [5, 6]


@pytest.mark.parametrize("damage", ["missing", "cut off", "another file"])
def test_initial_values_are_not_evaluated_beside_checkpoints(original, damage):
    format, job, _ = original
    UNREADABLE[damage](job / "checkpoint")
    est = counting.job(job, format)
    with pytest.raises((DamagedCheckpointError, UnicodeDecodeError)):
        est.evaluate(counting.input_fn, steps=1)
    with pytest.raises((DamagedCheckpointError, UnicodeDecodeError)):
        next(est.predict(counting.input_fn))


def test_train_and_evaluate_stops_too(original):
    format, job, _ = original
    (job / "checkpoint").unlink()
    before = files_of(job)
    with pytest.raises(DamagedCheckpointError, match="state file is missing"):
        tf.estimator.train_and_evaluate(
            counting.job(job, format),
            tf.estimator.TrainSpec(counting.input_fn, max_steps=8),
            tf.estimator.EvalSpec(counting.input_fn, steps=1, throttle_secs=0),
        )
    assert files_of(job) == before


@pytest.mark.parametrize("decorators", ["warm start only", "warm start inside"])
def test_a_warm_start_does_not_begin_over_checkpoints(original, decorators):
    format, job, old = original
    (job / "checkpoint").unlink()
    before = files_of(job)
    fn = ec.warm_start_from(old)(counting.model_fn)
    if decorators == "warm start inside":
        fn = ec.with_scaffold(format)(fn)
    est = tf.estimator.Estimator(fn, str(job))
    with pytest.raises(DamagedCheckpointError, match=r"whole is .*/model.ckpt-4: "):
        est.train(counting.input_fn, steps=1)
    assert files_of(job) == before


def test_a_session_that_says_nothing_of_its_directory_stops_too(original):
    format, job, _ = original
    (job / "checkpoint").unlink()
    before = files_of(job)
    with pytest.raises(DamagedCheckpointError, match=r"whole is .*/model.ckpt-4: "):
        monitored(job, format, steps=1)
    assert files_of(job) == before


def test_what_is_no_jobs_checkpoint_is_nothing_to_begin_over(original, tmp_path):
    format, job, _ = original
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for path in job.glob("model.ckpt-4.*"):
        shutil.copy(path, fresh / path.name.replace("model.ckpt-4", "pretrained.ckpt"))
    counting.train(fresh, 2, format)
    assert (fresh / "pretrained.ckpt.index").exists()
    assert sorted(p.name for p in fresh.glob("model*.index")) == [
        "model.ckpt-1.index",
        "model.ckpt-2.index",
    ]


class TestWhatIsThereAlready:
    """A save replaces what this run restored or saved, and nothing else."""

    def test_is_not_replaced(self, original, caplog):
        format, job, _ = original
        (job / "checkpoint").write_text(named(lambda s: f"model.ckpt-{s}", [3]))
        before = files_of(job)
        caplog.set_level(logging.WARNING, "estimator_ckpt")
        with pytest.raises(ec.CheckpointError, match=r"model.ckpt-4 is there already"):
            counting.train(job, 3, format, fn=twice)
        after = files_of(job)
        for files in (before, after):
            files.pop("model.ckpt-3.meta")  # of what it resumed from: its own
        assert after == before
        assert "newer checkpoints are beside it" in caplog.text

    def test_is_left_alone_if_it_is_the_same(self, original):
        format, job, _ = original
        (job / "checkpoint").write_text(named(lambda s: f"model.ckpt-{s}", [3]))
        counting.train(job, 3, format)
        assert steps_in(job) == [5, 6]

    def test_is_replaced_where_a_killed_job_left_it(self, original):
        format, job, _ = original
        (job / "checkpoint").write_text(named(lambda s: f"model.ckpt-{s}", [3]))
        (mark,) = [commits.mark(str(job / "model.ckpt-4"))]
        os.close(mark.fd)  # as if its process were gone
        counting.train(job, 1, format, fn=twice)
        with ec.open_checkpoint(job / "model.ckpt-4") as found:
            np.testing.assert_array_equal(found.read("counter"), [5.0] * 3)
        assert not list(job.glob(".saving-*"))


def twice(features, labels, mode):
    """As the counting model_fn, at twice the speed."""
    spec = counting.model_fn(features, labels, mode)
    (counter,) = (v for v in tf1.global_variables() if v.op.name == "counter")
    more = tf1.assign_add(counter, tf.ones([3]))
    return spec._replace(train_op=tf.group(spec.train_op, more))


@pytest.mark.parametrize("name", ["run[1]", "run*", "what?", "back\\slash"])
def test_a_model_dir_that_tensorflow_takes_for_a_pattern_is_refused(tmp_path, name):
    path = tmp_path / name / "job"
    est = counting.job(path)
    with pytest.raises(ModelDirError, match="for a pattern") as caught:
        est.train(counting.input_fn, steps=1)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelDirError):
        est.evaluate(counting.input_fn, steps=1)
    with pytest.raises(ModelDirError):
        next(est.predict(counting.input_fn))
    with pytest.raises(ModelDirError):
        monitored(path, "tf2", 1)
    warm = tf.estimator.Estimator(
        ec.warm_start_from("elsewhere")(counting.model_fn), str(path)
    )
    with pytest.raises(ModelDirError):
        warm.train(counting.input_fn, steps=1)


def test_what_a_killed_job_left_is_removed_and_what_a_live_one_saves_is_not(original):
    format, job, _ = original
    (dead,) = [commits.mark(str(job / "model.ckpt-9"))]
    os.close(dead.fd)
    for left in (f"{dead.path}.index", f"{job}/model.ckpt-9.data-00000-of-00001"):
        with open(left, "wb"):
            pass
    os.mkdir(f"{job}/model.ckpt-9_temp")
    alive = commits.mark(str(job / "model.ckpt-8"))
    counting.train(job, 1, format)
    assert not list(job.glob("*model.ckpt-9*"))
    assert os.path.exists(alive.path)
    commits.unmark([alive])
