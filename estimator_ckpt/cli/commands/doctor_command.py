"""Say whether tf.estimator jobs run here, and what is missing if not.

Shows which Python, TensorFlow, Keras and Estimator are installed, whether tf.estimator
is TensorFlow's own or comes through the runtime (estimator-ckpt run), and what does not
work. Exit code 1 if jobs do not run.
"""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import platform
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from typing import Any, Optional

from estimator_ckpt.bundle import install_hints, printing
from estimator_ckpt.cli import output, progress_bar, shared_arguments
from estimator_ckpt.estimator import runtime
from estimator_ckpt.tf_private.estimator_runtime import installation

NATIVE, RUNTIME = "native", "runtime"

#: What a job cannot do through the runtime; using it is an error of one line.
UNSUPPORTED = (
    "TPUEstimator with use_tpu=True, TPU embeddings",
    "a RunConfig whose experimental_distribute has a remote_cluster",
)
#: The tf-keras that runs with each TensorFlow, through the runtime.
_ANY_TENSORFLOWS = (2, 15)
#: What the import of tf.estimator imports.
_IMPORTED = ("tensorflow", "tensorflow_estimator", "keras", "tf_keras", "numpy")
_TRIAL = (
    "from estimator_ckpt.estimator import runtime; runtime.enable_estimator().Estimator"
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is installed here, and what comes of it."""

    versions: dict[str, Optional[str]]  # by package; None: not installed
    estimator: Optional[str]  # NATIVE, RUNTIME; None: jobs do not run
    problems: tuple[str, ...]  # what keeps them from running, and what to do
    remarks: tuple[str, ...]
    unsupported: tuple[str, ...]


#: Of --help; old_job is a model dir.
EXAMPLES = (
    "doctor",
    "doctor --json",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_json(parser)


def run(arguments: Namespace) -> int:
    """Prints what was found; 1 if tf.estimator jobs do not run here."""
    with progress_bar.progress("importing tf.estimator", in_bytes=False):
        found = examine()
    if arguments.json:
        output.print_json(dataclasses.asdict(found))
    else:
        _show(found)
    return 0 if found.estimator else 1


def examine() -> Finding:
    """Looks at what is installed, and imports tf.estimator in a process of its own."""
    versions: dict[str, Optional[str]] = {"python": platform.python_version()}
    versions.update({name: installation.version(name) for name in _IMPORTED})
    versions["protobuf"] = installation.version("google.protobuf")
    problems = runtime.problems() or _trial()
    way = NATIVE if installation.is_native() else RUNTIME
    return Finding(
        versions=versions,
        estimator=None if problems else way,
        problems=tuple(problems),
        remarks=tuple(_remarks(versions, way)),
        unsupported=UNSUPPORTED if way == RUNTIME and versions["tensorflow"] else (),
    )


def _trial() -> list[str]:
    """What goes wrong when tf.estimator is imported, in lines; none if nothing does."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {_TRIAL}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return []
    said = _error(done.stderr) or f"exit code {done.returncode}"
    return [f"importing tf.estimator fails: {said}", *_elsewhere()]


def _error(stderr: str) -> str:
    """The error that a traceback ends with, as one line; else the last line."""
    lines = stderr.strip().splitlines()
    traces = [i for i, line in enumerate(lines) if line.startswith("Traceback (")]
    ends = lines[traces[-1] + 1 :] if traces else lines[-1:]
    error = itertools.dropwhile(lambda line: not line or line[0].isspace(), ends)
    return printing.one_line("\n".join(error))


def _elsewhere() -> list[str]:
    """Packages that a file hides of the same name: `tensorflow.py` beside a script."""
    found = []
    for package in _IMPORTED:
        spec = installation.spec(package)
        origin = spec.origin if spec is not None else None
        if origin is None:
            continue
        path = pathlib.Path(origin)
        place = path.parent.parent if path.name == "__init__.py" else path.parent
        if not any(place.glob("*-info")):  # nothing was installed there
            found.append(
                f"{package} is imported from {origin}, where no package is installed: "
                "if that is not meant, rename it or take its directory off the path"
            )
    return found


def _remarks(versions: dict[str, Optional[str]], way: str) -> list[str]:
    """What is worth knowing, though jobs run."""
    if way == NATIVE or not (versions["tensorflow"] and versions["tf_keras"]):
        return []
    said = []
    tensorflow = installation.numbers(versions["tensorflow"])
    tf_keras = installation.numbers(versions["tf_keras"])
    wanted = ".".join(map(str, tensorflow))
    if tf_keras == _ANY_TENSORFLOWS:
        said.append(
            f"tf-keras {versions['tf_keras']} is tf.keras in a job; `import tf_keras` "
            f"elsewhere needs: {install_hints.install(f'tf-keras=={wanted}.*')}"
        )
    elif tf_keras and tensorflow and tf_keras != tensorflow:
        said.append(
            f"tf-keras {versions['tf_keras']} is not the one for this TensorFlow: "
            f"{install_hints.install(f'tf-keras=={wanted}.*')}"
        )
    if versions["keras"] and not versions["keras"].startswith("2."):
        said.append(
            f"in a job tf.keras is tf-keras; `import keras` is Keras "
            f"{versions['keras']}, which Estimator does not take"
        )
    return said


def _show(found: Finding) -> None:
    remark: dict[str, Any] = {
        "tensorflow": "has tf.estimator" if found.estimator == NATIVE else "",
        "tensorflow_estimator": {
            NATIVE: "TensorFlow's own",
            RUNTIME: "through the runtime: estimator-ckpt run SCRIPT",
        }.get(found.estimator or "", ""),
        "tf_keras": "tf.keras in a job" if found.estimator == RUNTIME else "",
    }
    rows = [
        (package.replace("_", "-"), version or "-", remark.get(package, ""))
        for package, version in found.versions.items()
    ]
    output.print_table(["package", "version", ""], rows)
    for line in (*found.problems, *found.remarks):
        print(line)
    for line in found.unsupported:
        print(f"Does not work: {line}")
    runs = {
        NATIVE: "tf.estimator jobs run here",
        RUNTIME: "tf.estimator jobs run here with estimator-ckpt run, or after "
        "estimator_ckpt.enable_estimator()",
    }
    print(runs.get(found.estimator or "", "tf.estimator jobs do not run here"))
