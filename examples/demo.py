"""The main job, end to end: a TF1 model dir becomes a TF2-saving job, and TF2 code.

    python -m examples.demo

Everything is real: the model dir in tests/testdata/digits was written by TensorFlow
1.15.5, the digits are the UCI digits that scikit-learn ships.
"""

import logging
import os
import pathlib
import shutil
import sys
import warnings

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLD = ROOT / "tests" / "testdata" / "digits"
NEW = ROOT / "build" / "demo"
STEPS = 300

warnings.simplefilter("ignore")  # TensorFlow's, of deprecated calls
console = Console(highlight=False, soft_wrap=True)


def main():
    say("1. What TensorFlow 1.15 left behind")
    show_variables(OLD)

    with console.status("loading TensorFlow ..."):
        import tensorflow as tf

        import estimator_ckpt as ec
        from model_fns import digits
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    shutil.rmtree(NEW, ignore_errors=True)
    results = []

    say("2. That model dir, evaluated with its model_fn as it is")
    old = tf.estimator.Estimator(digits.model_fn, str(NEW / "old"))  # for its events
    before = old.evaluate(
        digits.eval_input_fn, checkpoint_path=tf.train.latest_checkpoint(str(OLD))
    )
    add(results, "TF1 model dir", before)

    say(
        "3. The same model_fn, wrapped: saves TF2 checkpoints, begins with the old ones"
    )
    console.print(
        '   model_fn = ec.with_scaffold("tf2")(\n'
        f'       ec.warm_start_from("{OLD.relative_to(ROOT)}")(digits.model_fn))\n'
    )
    show_log()
    model_fn = ec.with_scaffold("tf2")(ec.warm_start_from(OLD)(digits.model_fn))
    new = tf.estimator.Estimator(
        model_fn,
        config=tf.estimator.RunConfig(str(NEW / "new"), save_checkpoints_steps=100),
    )
    new.train(digits.train_input_fn, steps=1)
    begun = new.evaluate(
        digits.eval_input_fn,
        checkpoint_path=str(NEW / "new" / "model.ckpt-0"),
        name="begun",
    )
    add(results, "new job, before any training", begun)

    say(f"4. {STEPS} steps of training")
    new.train(digits.train_input_fn, max_steps=STEPS)
    trained = new.evaluate(digits.eval_input_fn)
    add(results, "new job, trained", trained)

    say("5. Its last checkpoint in plain TF2 code, without Estimator, graph or session")
    prefix = tf.train.latest_checkpoint(str(NEW / "new"))
    variables = {
        name: tf.Variable(tf.zeros(info.shape, info.dtype))
        for name, info in ec.open_checkpoint(prefix).items()
        if name != "global_step"
    }
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(var_list=variables, step=step)
    checkpoint.restore(prefix).assert_consumed()
    console.print(
        "   tf.train.Checkpoint(var_list=variables, step=step)"
        f".restore({os.path.basename(prefix)!r}).assert_consumed()\n"
    )
    eager = {
        "accuracy": eager_accuracy(tf, variables, digits),
        "global_step": step.numpy(),
    }
    add(results, "TF2 eager code", eager)

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("where")
    table.add_column("global step", justify="right")
    table.add_column("accuracy on 360 unseen digits", justify="right")
    for where, at, accuracy in results:
        table.add_row(where, str(at), f"{accuracy:.4f}")
    console.print(table)
    require(begun["global_step"] == 0, "the global step was carried")
    require(results[0][2] == results[1][2], "the warm start lost accuracy")
    require(results[2][2] == results[3][2], "TF2 restored something else")
    console.print(
        "The step began at 0 with the old accuracy, and TF2 code reads what the job "
        "saved.\nLook around:\n"
        f"  .venv/bin/estimator-ckpt inspect {NEW.relative_to(ROOT)}/new\n"
        f"  .venv/bin/estimator-ckpt inspect {OLD.relative_to(ROOT)} --slots"
    )


def show_variables(path):
    """A table of a checkpoint's variables, read without TensorFlow."""
    import estimator_ckpt as ec

    checkpoint = ec.open_checkpoint(path)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("variable")
    table.add_column("dtype")
    table.add_column("shape")
    slots = 0
    for name, info in checkpoint.items():
        if "/Adam" in name:
            slots += 1
            continue
        table.add_row(name, info.dtype, str(list(info.shape)))
    console.print(table)
    console.print(
        f"   {len(checkpoint)} variables ({slots} of them Adam's slots, not listed), "
        f"format {checkpoint.format}, global step {checkpoint.global_step}\n"
    )


def eager_accuracy(tf, variables, digits):
    """The accuracy of the digits network, written as plain TF2 functions."""

    def batch_norm(x, name):
        return tf.nn.batch_normalization(
            x,
            variables[f"{name}/moving_mean"],
            variables[f"{name}/moving_variance"],
            variables[f"{name}/beta"],
            variables[f"{name}/gamma"],
            variance_epsilon=1e-3,
        )

    images, labels = digits.load("test")
    x = tf.nn.conv2d(images, variables["conv1/kernel"], 1, "SAME")
    x = tf.nn.relu(batch_norm(x, "bn1"))
    x = tf.nn.conv2d(x, variables["conv2/kernel"], 2, "SAME")
    x = tf.nn.relu(batch_norm(x, "bn2"))
    x = tf.reshape(x, [len(images), -1])
    logits = x @ variables["logits/kernel"] + variables["logits/bias"]
    return np.mean(np.argmax(logits.numpy(), axis=1) == labels, dtype=np.float32)


def show_log():
    """Shows the summary of the toolkit's log: one line for each variable is INFO."""
    logger = logging.getLogger("estimator_ckpt")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("   %(message)s"))
    handler.addFilter(lambda record: "Warm start from" in record.getMessage())
    logger.addHandler(handler)
    logger.propagate = False


def add(results, where, metrics):
    step, accuracy = int(metrics["global_step"]), float(metrics["accuracy"])
    console.print(f"   step {step}: accuracy {accuracy:.4f}\n")
    results.append((where, step, accuracy))


def say(title):
    console.print(f"[bold]{title}[/bold]")


def require(condition, problem):
    if not condition:
        sys.exit(f"The demo failed: {problem}.")


if __name__ == "__main__":
    main()
