"""estimator-ckpt run: what `python` does, with tf.estimator in place."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from estimator_ckpt.tf_private.estimator_runtime import installation
from tests import processes
from tests.conftest import REPOSITORY

ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ESTIMATOR_CKPT_RUN")
    },
    "PYTHONPATH": REPOSITORY,
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
through_the_runtime = pytest.mark.skipif(
    installation.is_native(), reason="TensorFlow has Estimator"
)
PYTHON = [sys.executable]
RUN = [sys.executable, "-m", "estimator_ckpt", "run"]


def call(command, cwd, stdin="", **environment):
    return subprocess.run(
        command,
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return name


ABOUT_ITSELF = '''
    """What a program can see of itself."""
    import inspect, json, os, pickle, sys

    class Pickled:
        pass

    def source():
        return 1

    if __name__ == "__main__":
        main = sys.modules["__main__"]
        json.dump({
            "argv": sys.argv,
            "name": __name__,
            "doc": __doc__,
            "file": __file__,
            "package": __package__,
            "spec": getattr(__spec__, "name", None),
            "main": vars(main) is globals(),
            "path": sys.path[0],
            "paths": [p for p in sys.path if "startup" in p],
            "pickle": pickle.loads(pickle.dumps(Pickled())).__class__ is Pickled,
            "source": inspect.getsource(source),
            "stdin": sys.stdin.read(),
            "pid is parent's child": os.getppid() == int(os.environ["PARENT"]),
            "tensorflow": "tensorflow" in sys.modules,
        }, sys.stdout)
        sys.stderr.write("to stderr")
        sys.exit(7)
'''


@pytest.mark.parametrize(
    "program",
    [
        ["job.py", "--model_dir=x", "-m", "--help", "--", "run"],
        ["./job.py", "a b"],
        ["folder/job.py"],
        ["-m", "job", "--warnings"],
        ["-m", "folder.job", "-h"],
        ["folder"],
    ],
    ids=" ".join,
)
def test_a_program_sees_what_it_sees_under_python(program, tmp_path):
    for name in ("job.py", "folder/job.py", "folder/__main__.py"):
        write(tmp_path, name, ABOUT_ITSELF)
    parent = str(os.getpid())
    expected = call([*PYTHON, *program], tmp_path, "given\n", PARENT=parent)
    assert expected.returncode == 7
    found = call([*RUN, *program], tmp_path, "given\n", PARENT=parent)
    assert (found.stdout, found.stderr, found.returncode) == (
        expected.stdout,
        expected.stderr,
        7,
    )


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError('mine')",
        "def f():\n    g()\nf()",
        "import sys; sys.exit('a message')",
        "import sys; sys.exit(3)",
        "import os; os.abort()",
        "import nosuchmodule",
        "def broken(:",
        "import atexit; atexit.register(print, 'at exit'); 1 / 0",
        "import sys; sys.excepthook = lambda *a: print('own hook'); 1 / 0",
    ],
)
def test_it_ends_as_under_python(text, tmp_path):
    write(tmp_path, "job.py", text)
    expected = call([*PYTHON, "job.py"], tmp_path)
    found = call([*RUN, "job.py"], tmp_path)
    assert found.returncode == expected.returncode != 0
    assert (found.stdout, found.stderr) == (expected.stdout, expected.stderr)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("handles", [True, False])
def test_a_signal_ends_it_as_it_ends_python(sent, handles, tmp_path):
    handler = (
        "def stop(*_):\n    print('stopped', flush=True); sys.exit(5)\n"
        f"signal.signal({int(sent)}, stop)\n"
    )
    write(
        tmp_path,
        "job.py",
        "import signal, sys, time\n"
        f"{handler if handles else ''}print('up', flush=True)\ntime.sleep(60)",
    )
    ends = []
    for start in (PYTHON, RUN):
        process = subprocess.Popen(
            [*start, "job.py"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=processes.hang_ups_end_it,
        )
        assert process.stdout.readline() == "up\n"
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
        # Which line of the script it was on is a matter of microseconds.
        said = [line for line in err.splitlines() if not line.startswith(" ")]
        ends.append((process.returncode, out, said))
    assert ends[0] == ends[1]
    assert ends[1][0] == (5 if handles else -sent)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "needs a program"),
        (["-m"], "needs a program"),
        (["nosuch.py"], "nosuch.py"),
        (["--nosuch", "job.py"], "--nosuch"),
        (["-m", "nosuch"], "nosuch"),
        (["-m", "nosuch.module"], "nosuch"),
        (["-m", "job.nosuch"], "job is a module"),
        (["-m", "package"], "package.__main__"),
        (["-m", "no such"], "no such"),
    ],
)
def test_what_cannot_be_started_is_one_line(given, says, tmp_path):
    write(tmp_path, "job.py", "print('ran')")
    write(tmp_path, "package/__init__.py", "print('ran')")
    done = call([*RUN, *given], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("estimator-ckpt: error:")
    assert says in line


def test_help_says_how_to_use_it(tmp_path):
    done = call([*RUN, "--help"], tmp_path)
    assert done.returncode == 0
    assert "SCRIPT | -m MODULE" in done.stdout


def test_options_of_the_interpreter_reach_the_program(tmp_path):
    write(tmp_path, "job.py", "import sys; print(sys.warnoptions, sys.flags.optimize)")
    start = [sys.executable, "-O", "-W", "error::UserWarning", *RUN[1:]]
    found = call([*start, "job.py"], tmp_path)
    assert found.stdout == "['error::UserWarning'] 1\n"


JOB = """
    import multiprocessing, subprocess, sys
    import tensorflow as tf
    from tensorflow.compat.v1 import estimator

    def name(_):
        return tf.estimator.Estimator.__name__, tf.keras.Model.__module__[:5]

    @tf.function
    def absolute(x):  # by autograph, which reads the source
        if x > 0:
            return x
        return -x

    if __name__ == "__main__":
        found = {name(0)}
        print(int(absolute(tf.constant(-3))))
        for method in ("fork", "spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                found.update(pool.map(name, [0]))
        child = "import tensorflow as tf; print(tf.estimator.Estimator.__name__)"
        print(subprocess.check_output([sys.executable, "-c", child], text=True).strip())
        print(len(found))
"""


def test_a_program_and_the_processes_it_starts_have_tf_estimator(tmp_path):
    write(tmp_path, "job.py", JOB)
    done = call([*RUN, "job.py"], tmp_path)
    assert done.stdout.split() == ["3", "EstimatorV2", "1"], done.stderr[-3000:]


APP = """
    from absl import app, flags, logging
    import tensorflow.compat.v1 as tf

    flags.DEFINE_integer("steps", 1, "Steps.")

    def model_fn(features, labels, mode):
        loss = tf.reduce_mean(tf.layers.dense(features, 1))
        train = tf.train.GradientDescentOptimizer(0.1)
        train_op = train.minimize(loss, tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def main(argv):
        made = tf.estimator.Estimator(model_fn)
        made.train(lambda: (tf.ones([1, 1]), None), steps=flags.FLAGS.steps)
        print(argv[1:], made.get_variable_value("global_step"))
        return 3

    if __name__ == "__main__":
        app.run(main)
"""


def test_an_absl_app_and_one_line_of_deprecations(tmp_path):
    write(tmp_path, "job.py", APP)
    done = call([*RUN, "job.py", "--steps=2", "rest"], tmp_path)
    assert (done.returncode, done.stdout) == (3, "['rest'] 2\n"), done.stderr[-3000:]
    about = [line for line in done.stderr.splitlines() if "deprecat" in line]
    assert len(about) in (1, 2)  # absl's handler shows TensorFlow's lines once more
    assert all("--warnings" in line for line in about)

    shown = call([*RUN, "--warnings", "job.py", "--steps=2", "rest"], tmp_path)
    assert shown.returncode == 3
    assert shown.stderr.count("Instructions for updating") > 3


def test_pytest_runs_under_it(tmp_path):
    write(
        tmp_path,
        "test_it.py",
        """
        import tensorflow as tf
        def test_passes():
            assert tf.estimator.RunConfig().model_dir is None
        def test_fails():
            assert tf.estimator is None
        """,
    )
    done = call([*RUN, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout


WHERE = ("--model_dir=model", "--max_steps=1")


@pytest.mark.parametrize(
    ("package", "says"),
    [
        ("tensorflow", "pip install 'estimator-ckpt[estimator]'"),
        ("tensorflow_estimator", "pip install"),
        pytest.param("tf_keras", "pip install 'tf-keras", marks=through_the_runtime),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ["run", "job.py"],
        ["train", "--model_fn=job:f", "--input_fn=job:f", *WHERE],
    ],
    ids=["run", "train"],
)
def test_without_a_package_it_says_what_to_install(package, says, command, tmp_path):
    write(tmp_path, "job.py", "print('ran')\ndef f(): pass")
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        f"u.find_spec = lambda n, *a: None if n == {package!r} else find(n, *a)\n"
        "from estimator_ckpt.cli.main import main; main()"
    )
    done = call([sys.executable, "-c", code, *command], tmp_path)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert package.replace("_", "-") in line
    assert says in line


def test_an_older_tensorflow_is_one_line(tmp_path):
    write(tmp_path, "old/tensorflow/__init__.py", "__version__ = '2.11.1'")
    about = "Name: tensorflow\nVersion: 2.11.1\n"
    write(tmp_path, "old/tensorflow-2.11.1.dist-info/METADATA", about)
    write(tmp_path, "job.py", "print('ran')")
    path = f"{tmp_path}/old{os.pathsep}{REPOSITORY}"
    done = call([*RUN, "job.py"], tmp_path, PYTHONPATH=path)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert "TensorFlow 2.11.1 is too old: 2.12 or later" in line


@through_the_runtime
def test_a_job_that_asks_for_a_tpu_ends_in_one_line(tmp_path):
    write(
        tmp_path,
        "job.py",
        """
        import tensorflow.compat.v1 as tf
        from absl import app

        def model_fn(features, labels, mode, params):
            raise AssertionError("never called")

        def main(argv):
            tpu = tf.estimator.tpu
            config = tpu.RunConfig(model_dir="model", tpu_config=tpu.TPUConfig())
            made = tpu.TPUEstimator(model_fn, config=config, train_batch_size=8)
            made.train(lambda params: None, steps=1)

        app.run(main)
        """,
    )
    done = call([*RUN, "job.py"], tmp_path)
    lines = [x for x in done.stderr.splitlines() if x.startswith("estimator-ckpt:")]
    assert done.returncode == 2
    assert len(lines) == 1, done.stderr
    assert "TPU hardware does not work on TensorFlow 2.16 and later" in lines[0]
    assert "Traceback" not in done.stderr


@through_the_runtime
@pytest.mark.parametrize(
    "begins",
    ["import keras", "import os; os.environ['TF_USE_LEGACY_KERAS'] = '0'"],
    ids=["keras first", "asks for Keras 3"],
)
def test_tf_keras_is_tf_keras_whatever_a_job_begins_with(begins, tmp_path):
    text = (
        f"{begins}\nimport tensorflow as tf\n"
        "print(tf.estimator.Estimator.__name__, tf.keras.Model.__module__[:8])"
    )
    write(tmp_path, "job.py", text)
    done = call([*RUN, "job.py"], tmp_path)
    assert done.stdout.split() == ["EstimatorV2", "tf_keras"], done.stderr[-3000:]
