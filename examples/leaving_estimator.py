"""The way out of Estimator, stage by stage, with no jump in the loss.

    python -m examples.leaving_estimator

1. the model dir that TensorFlow 1.15.5 left after 300 steps (tests/testdata/digits)
2. the same Estimator goes on in a copy of it, and saves TF2 checkpoints
3. the body of its model_fn in eager TensorFlow 2 (`track_tf1_style_variables`), with a
   loop of its own
4. a Keras model, written anew, with the same loop
5. a Keras model and `model.fit`

At each hand-over the later stage is given the earlier one's checkpoint, optimizer state
included, and nothing else. The earlier stage then goes on a little, on the batches that
the later one gets: both must have the same losses. Those that TensorFlow 1.15.5 itself
had when it went on are recorded in tests/testdata/values/digits-losses.

Leaves a plot, build/leaving/leaving-estimator.png.
"""

import dataclasses
import json
import logging
import os
import pathlib
import shutil
import sys
import warnings

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
from rich import box
from rich.console import Console
from rich.table import Table

import estimator_ckpt as ec
from model_fns import digits, digits_keras

tf1 = tf.compat.v1

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLD = ROOT / "tests" / "testdata" / "digits"
RECORDED = ROOT / "tests" / "testdata" / "values" / "digits-losses" / "losses.json"
MAP = ROOT / "configs" / "digits_keras.yaml"
WORK = ROOT / "build" / "leaving"
PLOT = "leaving-estimator.png"
HANDED_OVER = 300  # the step at which TensorFlow 1.15 stopped
NOISE = 2e-6  # float32's, in a loss
LEAST = 1e-10  # a log scale shows no 0
COLOURS = ["#555555", "#0072b2", "#d17a00", "#00845f", "#a3458c"]  # of the stages
CONTRAST = "#cc2222"

console = Console(highlight=False, soft_wrap=True)


@dataclasses.dataclass
class Stage:
    """What one stage did.

    Attributes:
      name: what it is called.
      first: the global step at which it took over.
      last: the global step at which it handed over.
      losses: the loss of each training step from `first` on; past `last` they are those
        of the steps that it went on for comparison.
      evaluated: the loss on the held-out images by global step.
    """

    name: str
    first: int
    last: int
    losses: list = dataclasses.field(default_factory=list)
    evaluated: dict = dataclasses.field(default_factory=dict)

    def loss(self, step):
        """The loss of the training step that began at a global step."""
        return self.losses[step - self.first]


@dataclasses.dataclass
class HandOver:
    """How two stages agree where one takes over from the other.

    Attributes:
      step: the global step.
      before: the loss on the held-out images in the earlier stage.
      after: the same in the later one, before any training.
      steps: over how many steps from there both went on.
      apart: the largest difference of their training losses in these.
    """

    step: int
    before: float
    after: float
    steps: int
    apart: float


def main():
    warnings.simplefilter("ignore")  # TensorFlow's, of deprecated calls
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    shutil.rmtree(WORK, ignore_errors=True)
    with console.status("Five stages ..."):
        stages, anew = leave(
            WORK, say=lambda text: console.print(f"[bold]{text}[/bold]")
        )
    found = hand_overs(stages)
    show(stages, found)
    apart = max(furthest(stage, stages[0]) for stage in stages[1:])
    console.print(
        f"From what TensorFlow 1.15 had when it went on to the end: {apart:.0e} in "
        f"{stages[-1].last - HANDED_OVER} steps;\nwith the optimizer state left behind "
        f"at step {anew.first}: {furthest(anew, stages[0]):.0e} in "
        f"{anew.last - anew.first}.\n"
    )
    path = plot(stages, anew, WORK / PLOT)
    console.print(f"The plot is {path.relative_to(ROOT)}")
    jumps = [h.step for h in found if max(abs(h.after - h.before), h.apart) > NOISE]
    if jumps:
        sys.exit(f"The example failed: the loss jumps at {jumps}.")


# ------------------------------------------------------------------------ the stages


def leave(work, steps=100, beyond=20, every=20, say=lambda text: None):
    """Goes all the way.

    Args:
      work: a directory that is not there yet.
      steps: how many steps each stage trains.
      beyond: how many more it trains for comparison.
      every: the held-out images are evaluated after so many steps.
      say: is told what begins.

    Returns:
      The five stages, and a sixth that leaves the optimizer state behind where the
      third took it over.
    """
    work = pathlib.Path(work)
    stages = [from_tensorflow_1()]

    def run(name, trainer):
        stage = Stage(name, trainer.step, trainer.step + steps)
        stage.evaluated[stage.first] = trainer.evaluate()
        while trainer.step < stage.last:
            size = min(every, stage.last - trainer.step)
            stage.losses += trainer.train(size)
            stage.evaluated[trainer.step] = trainer.evaluate()
        prefix = trainer.save(work / f"trained-{len(stages) + 1}")
        stage.losses += trainer.train(beyond)
        return stage, prefix

    def go(name, trainer):
        stage, prefix = run(name, trainer)
        stages.append(stage)
        return prefix

    say("1. A model dir of TensorFlow 1.15")
    shutil.copytree(OLD, work / "estimator")

    say("2. The same Estimator, saving TF2 checkpoints")
    prefix = go("Estimator, TF2 checkpoints", EstimatorJob(work / "estimator"))

    say("3. The body of its model_fn in eager TensorFlow 2")
    tracked = digits_keras.tf1_style_trackable()
    converted = ec.convert_for(tracked, prefix, work / "tf1-style")
    anew = ec.convert_for(tracked, prefix, work / "anew", optimizer_state=False)
    prefix = go("TF1-style layers, own loop", Loop(tracked, converted))

    say("4. A Keras model of other names")
    model = digits_keras.trackable()
    converted = ec.convert_for(model, prefix, work / "keras", assignment_map=MAP)
    prefix = go("Keras model, own loop", Loop(model, converted))

    say("5. model.fit")
    go("Keras model, model.fit", Fit(digits_keras.trackable(), prefix))
    tracked = digits_keras.tf1_style_trackable()
    left = Loop(tracked, anew, step=stages[1].last)
    without, _ = run("optimizer state left behind", left)
    return stages, without


def from_tensorflow_1():
    """What TensorFlow 1.15 recorded, the steps included that it went on by itself."""
    recorded = json.loads(RECORDED.read_text())
    stage = Stage("TensorFlow 1.15 Estimator", 0, HANDED_OVER, recorded["train"])
    every = recorded["every"]
    for number, (loss, _) in enumerate(recorded["evaluate"]):
        stage.evaluated[number * every] = loss
    return stage


class EstimatorJob:
    """The model_fn as it is, saving TF2 checkpoints, in a model dir of TensorFlow 1."""

    def __init__(self, model_dir):
        config = tf.estimator.RunConfig(str(model_dir), log_step_count_steps=None)
        model_fn = ec.with_scaffold("tf2")(digits.model_fn)
        self.estimator = tf.estimator.Estimator(model_fn, config=config)

    @property
    def step(self):
        return ec.open_checkpoint(self.estimator.model_dir).global_step

    def train(self, steps):
        first, hook = self.step, LossRecorder()
        self.estimator.train(
            lambda: digits.ordered_input_fn({"first_step": first}),
            steps=steps,
            hooks=[hook],
        )
        return hook.losses

    def evaluate(self):
        metrics = self.estimator.evaluate(
            lambda: digits.eval_input_fn({"batch_size": 360})  # all of them
        )
        return float(metrics["loss"])

    def save(self, directory):
        return tf.train.latest_checkpoint(self.estimator.model_dir)


class LossRecorder(tf1.train.SessionRunHook):
    """Keeps the loss of each training step."""

    def __init__(self):
        self.losses = []

    def before_run(self, run_context):
        return tf1.train.SessionRunArgs(tf1.get_collection(tf1.GraphKeys.LOSSES)[0])

    def after_run(self, run_context, run_values):
        self.losses.append(float(run_values.results))


class Loop:
    """A training loop of one's own, from a checkpoint on.

    Args:
      trackable: the model and its optimizer.
      prefix: the checkpoint.
      step: the global step there; None: the optimizer knows.
    """

    def __init__(self, trackable, prefix, step=None):
        self.model, self.optimizer = trackable["model"], trackable["optimizer"]
        self.checkpoint = tf.train.Checkpoint(**trackable)
        self.checkpoint.restore(prefix).assert_consumed()
        self.step = int(self.optimizer.iterations) if step is None else step

    def train(self, steps):
        losses = []
        for _ in range(steps):
            images, labels = digits.batch(self.step)
            losses.append(float(self.train_step(images, labels)))
            self.step += 1
        return losses

    @tf.function
    def train_step(self, images, labels):
        with tf.GradientTape() as tape:
            loss = digits_keras.loss_fn(labels, self.model(images, training=True))
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        return loss

    def evaluate(self):
        images, labels = digits.load("test")
        return float(digits_keras.loss_fn(labels, self.model(images, training=False)))

    def save(self, directory):
        manager = tf.train.CheckpointManager(self.checkpoint, str(directory), None)
        return manager.save(checkpoint_number=self.step)


class Fit(Loop):
    """The same with `model.fit`."""

    def __init__(self, trackable, prefix):
        super().__init__(trackable, prefix)
        self.model.compile(self.optimizer, digits_keras.loss_fn)

    def train(self, steps):
        batches = digits.ordered_input_fn({"first_step": self.step})
        history = self.model.fit(
            batches.map(lambda features, labels: (features["image"], labels)),
            steps_per_epoch=1,  # so that its history has the loss of each step
            epochs=steps,
            verbose=0,
        )
        self.step += steps
        return history.history["loss"]

    def evaluate(self):
        return self.model.evaluate(*digits.load("test"), batch_size=360, verbose=0)


# ------------------------------------------------------------------ what came of it


def hand_overs(stages):
    """A HandOver for each stage after the first."""
    found = []
    for earlier, later in zip(stages, stages[1:]):
        both = min(earlier.first + len(earlier.losses), later.last) - later.first
        steps = range(later.first, later.first + both)
        found.append(
            HandOver(
                step=later.first,
                before=earlier.evaluated[later.first],
                after=later.evaluated[later.first],
                steps=both,
                apart=max(abs(later.loss(s) - earlier.loss(s)) for s in steps),
            )
        )
    return found


def show(stages, found):
    """Prints the hand-overs."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("taken over by", no_wrap=True)
    for title in ("step", "held-out loss", "differs by", "next losses by"):
        table.add_column(title, justify="right")
    for stage, h in zip(stages[1:], found):
        jump = abs(h.after - h.before)
        loss, apart = f"{h.after:.6f}", f"{h.apart:.0e} in {h.steps}"
        table.add_row(stage.name, str(h.step), loss, f"{jump:.0e}", apart)
    console.print(table)
    console.print(
        "Differences from the stage before: on the held-out images, and the largest of "
        "the\nnext training losses, where that stage went on too."
    )


def furthest(stage, alone):
    """The largest difference of a stage's training losses from TensorFlow 1.15's."""
    steps = range(stage.first, stage.last)
    return max(abs(stage.loss(step) - alone.loss(step)) for step in steps)


def plot(stages, anew, path):
    """Draws the losses of all stages over the global step.

    Args:
      stages: the stages in order; the first one's losses reach to the end.
      anew: the stage that left the optimizer state behind.
      path: the PNG to write.

    Returns:
      The path.
    """
    from matplotlib.figure import Figure  # without pyplot no display is asked for

    figure = Figure(figsize=(10, 7), dpi=100, layout="constrained")
    figure.suptitle("From a TensorFlow 1.15 Estimator to model.fit: digits, Adam")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    _plot_losses(above, stages)
    _plot_differences(below, stages, anew)
    for axes in (above, below):
        for stage in stages[1:]:
            axes.axvline(stage.first, color="black", ls="--", lw=0.8)
        axes.grid(axis="y", alpha=0.25)
        axes.set_xlim(0, stages[-1].last)
    _save(figure, path)
    return path


def _plot_losses(axes, stages):
    """The losses themselves, each stage in its colour and under its name."""
    training = {"lw": 0.8, "alpha": 0.5}
    held_out = {"lw": 1.6, "marker": "o", "ms": 3.5}
    for stage, colour in zip(stages, COLOURS):
        steps = range(stage.first, stage.last + 1)
        axes.semilogy(steps, [stage.loss(s) for s in steps], color=colour, **training)
        steps = [s for s in stage.evaluated if s <= stage.last]
        losses = [stage.evaluated[s] for s in steps]
        axes.semilogy(steps, losses, color=colour, **held_out)
        axes.text(
            (stage.first + stage.last) / 2,
            1.02,
            stage.name.replace(", ", ",\n").replace("1.15 ", "1.15\n"),
            color=colour,
            fontsize="small",
            fontweight="bold",
            ha="center",
            va="bottom",
            transform=axes.get_xaxis_transform(),
        )
    axes.plot([], [], color="black", label="360 held-out images", **held_out)
    axes.plot([], [], color="black", label="training batches of 64", **training)
    axes.legend(loc="upper right")
    axes.set_ylabel("loss (cross-entropy, log scale)")


def _plot_differences(axes, stages, anew):
    """How far each training loss is from TensorFlow 1.15's."""
    alone = stages[0]
    for stage, colour in [*zip(stages[1:], COLOURS[1:]), (anew, CONTRAST)]:
        steps = range(stage.first, stage.last)
        apart = [max(abs(stage.loss(s) - alone.loss(s)), LEAST) for s in steps]
        axes.semilogy(steps, apart, ".", color=colour, ms=4)
    axes.text(
        anew.last,
        2e-3,
        "  " + anew.name.replace(" left", "\n  left") + "\n  (for comparison)",
        color=CONTRAST,
        fontsize="small",
        va="center",
    )
    axes.text(
        0.02,
        0.5,
        "How far the loss of each training step is\nfrom what TensorFlow 1.15 itself "
        f"had\nwhen it went on to the end\n({LEAST:.0e} stands for none)",
        va="center",
        transform=axes.transAxes,
    )
    axes.set_ylim(LEAST / 3, 1)
    axes.set_ylabel("difference (log scale)")
    axes.set_xlabel("global step")


def _save(figure, path):
    """Writes a PNG of 256 colours, which is half as large."""
    import io

    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn)
    with Image.open(drawn) as image:
        # With half as many, a few small points lose their colour.
        image.convert("RGB").quantize(256, dither=0).save(path, optimize=True)


if __name__ == "__main__":
    main()
