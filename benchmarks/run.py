"""Measures commands against what people use instead: python -m benchmarks.run

Whole processes, ours and theirs in turn, time and peak memory of each. Writes
benchmarks/RESULTS.md and results.json beside it. Needs about 15 GB of disk.
"""

import argparse
import compileall
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

from benchmarks import data

HERE = pathlib.Path(__file__).parent
OURS = [sys.executable, "-m", "estimator_ckpt"]
THEIRS = [sys.executable, "-m", "benchmarks.others"]


#: A process's peak counts from what it was forked off: so that is a small one.
LAUNCHER = """
import os, sys, time
null = os.open(os.devnull, os.O_WRONLY)
started = time.perf_counter()
child = os.fork()
if not child:
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
print(seconds, usage.ru_maxrss, code)
"""


def measure(command, allowed=(0,)):
    """Wall seconds and peak MiB of a process that exits with an allowed code."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak, code = done.stdout.split()
    if int(code) not in allowed:
        raise SystemExit(f"{command} failed with {code}")
    return float(seconds), float(peak) / 1024


def compare(ours, theirs, runs, prepare=lambda: None):
    """Medians of both, run in turn, and the ratio of the times pair by pair."""
    prepare()
    measure(ours)  # warms the caches for both
    pairs = []
    for _ in range(runs):
        prepare()
        mine = measure(ours)
        prepare()
        pairs.append((mine, measure(theirs)))
    mine, other = zip(*pairs)
    return {
        "ours_s": statistics.median(s for s, _ in mine),
        "theirs_s": statistics.median(s for s, _ in other),
        "ratio": statistics.median(b[0] / a[0] for a, b in pairs),
        "ours_mib": max(m for _, m in mine),
        "theirs_mib": max(m for _, m in other),
    }


def one_source(source, tf2, target):
    """What is done to one checkpoint: a title, our arguments and theirs."""
    return [
        (
            "convert to tf2",
            ["convert", source, target, "--to=tf2"],
            ["to_tf2", source, target],
        ),
        (
            "convert to tf1",
            ["convert", tf2, target, "--to=tf1"],
            ["to_tf1", tf2, target],
        ),
        ("inspect / list_variables", ["inspect", source], ["list_variables", source]),
        ("verify / read all tensors", ["verify", source], ["read_all", source]),
    ]


def versus(root, runs):
    """Rows: what is measured, on which checkpoint, with both figures."""
    for title, (shapes, num_shards) in data.SHAPES.items():
        source = str(root / "source" / "model.ckpt-7")
        data.write(source, shapes(), num_shards)
        out = root / "out"

        def clean(out=out):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            os.sync()  # so that nobody waits for another's bytes to reach the disk

        clean()
        target = str(out / "model.ckpt-7")
        tf2 = str(root / "tf2" / "model.ckpt-7")
        measure([*OURS, "convert", source, tf2, "--to=tf2"])
        for what, ours, theirs in one_source(source, tf2, target):
            row = compare([*OURS, *ours], [*THEIRS, *theirs], runs, clean)
            print(f"{title}: {what}: {row['ratio']:.1f}x", file=sys.stderr)
            yield {"checkpoint": title, "what": what, **row}
        for directory in ("source", "tf2", "out"):
            shutil.rmtree(root / directory, ignore_errors=True)


def combining(root, runs):
    """Rows of what takes several checkpoints: a plan, and an average."""

    def clean():
        shutil.rmtree(root / "out", ignore_errors=True)
        (root / "out").mkdir()
        os.sync()

    out = str(root / "out" / "model.ckpt-7")
    variables = data.small_variables()
    sources = [str(root / f"model.ckpt-{i}") for i in range(5)]
    for source in sources[:2]:
        data.write(source, variables, 1)
    row = compare(
        [*OURS, "plan", *sources[:2]],
        [*THEIRS, "compare_shapes", *sources[:2]],
        runs,
        clean,
    )
    what = "plan / compare shapes"
    yield {"checkpoint": "10,000 small variables", "what": what, **row}
    shapes = {f"layer_{i}/kernel": [1 << 10, 2560] for i in range(100)}
    for source in sources:
        data.write(source, shapes, 1)
    row = compare(
        [*OURS, "average", *sources, out],
        [*THEIRS, "average", *sources, out],
        runs,
        clean,
    )
    what = "average / in a graph"
    yield {"checkpoint": "five of 1.05 GB", "what": what, **row}


def many(root):
    """Rows of 100,000 variables; once each, since TensorFlow takes minutes for one."""
    variables, out = data.mixture_of_experts(), root / "out"
    source, other, tf2 = (
        str(root / name / "model.ckpt-7") for name in ("source", "other", "tf2")
    )
    for prefix in (source, other):
        data.write(prefix, variables, 1)

    def clean():
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        os.sync()

    clean()
    measure([*OURS, "convert", source, tf2, "--to=tf2"])
    cases = [
        *one_source(source, tf2, str(out / "model.ckpt-7")),
        *(
            (f"{ours} / {theirs.replace('_', ' ')}", [ours, *both], [theirs, *both])
            for ours, theirs in (("plan", "compare_shapes"), ("diff", "compare_values"))
            for both in [(source, other)]
        ),
    ]
    for what, ours, theirs in cases:
        row = compare([*OURS, *ours], [*THEIRS, *theirs], 1, clean)
        print(f"100,000 variables: {what}: {row['ratio']:.1f}x", file=sys.stderr)
        yield {"checkpoint": "100,000 small variables", "what": what, **row}


def importing(runs):
    """Milliseconds that the package adds to a job; the least of several processes."""
    found = [in_one_process("importing") for _ in range(runs)]
    return min(found, key=lambda ms: sum(ms.values()))


def exports(root, runs):
    """Rows of .safetensors files, and of frozen graphs."""
    shapes = data.bert_base()
    source, out = str(root / "source" / "model.ckpt-7"), root / "out"
    data.write(source, shapes, 1)

    def clean():
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        os.sync()

    target = str(out / "model.safetensors")
    export = [*OURS, "convert", source, target, "--to=safetensors"]
    cases = [
        ("export all / load and save_file", ["--carry=all"], "to_safetensors"),
        ("export for PyTorch / the same by hand", ["--layout=torch"], "to_pytorch"),
    ]
    for what, options, other in cases:
        theirs = [*THEIRS, other, source, target]
        row = compare([*export, *options], theirs, runs, clean)
        yield {"checkpoint": "BERT-base with Adam", "what": what, **row}
    model = {n: s for n, s in shapes.items() if not n.endswith(("adam_m", "adam_v"))}
    frozen = str(root / "frozen.pb")
    data.write_frozen(frozen, model)
    theirs = [*THEIRS, "list_constants", frozen]
    row = compare([*OURS, "inspect", frozen], theirs, runs)
    what = "inspect / parse with TensorFlow"
    yield {"checkpoint": "BERT-base, frozen graph", "what": what, **row}


def memory(root):
    """Peak memory of commands on 10 MB and on 10 GB, the same variables."""
    rows = []
    for what in ("inspect", "convert", "diff"):
        row = {"what": what}
        for size, rows_each in (("10 MB", 2_500), ("10 GB", 2_500_000)):
            at = root / f"{what}-{rows_each}"
            shapes = {f"v{i}": [rows_each // 10, 1000] for i in range(10)}
            a, b = str(at / "a"), str(at / "b")
            for prefix, first in ((a, b"\0"), (b, b"\1")):
                data.write_with_holes(prefix, shapes, first)
            arguments = {
                "inspect": ["inspect", a],
                "convert": ["convert", a, str(at / "new"), "--to=tf2"],
                "diff": ["diff", a, b],
            }[what]
            row[size] = measure([*OURS, *arguments], allowed=(0, 1))[1]
            shutil.rmtree(at)
        rows.append(row)
    return rows


def in_one_process(module, *arguments):
    """What a module of this package measures: saving.py, leaving.py, importing.py."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=HERE.parent,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def saving_table(found):
    lines = [
        "",
        "Savers in turn, 1.07 GB in 100 variables (the graph: 1,000); the fastest of",
        "several runs, and the ratio to TensorFlow's default saver:",
        "",
        "| saver | save | bytes | restore | graph |",
        "|---|---:|---:|---:|---:|",
    ]
    for way in found["save"]:
        size = found["bytes"][way] / found["bytes"]["default"]
        cells = [
            f"{found[what][way]['seconds']:.2f} s ({found[what][way]['ratio']:.2f}x)"
            for what in ("save", "restore", "graph")
        ]
        lines.append(f"| {way} | {cells[0]} | {size:.3f}x | {cells[1]} | {cells[2]} |")
    warm = found["warm start"]["warm_start_from"]
    theirs = found["warm start"]["default"]["seconds"]
    return [
        *lines,
        "",
        f"Building and warm-starting the 1.07 GB graph: {warm['seconds']:.2f} s, "
        f"{warm['ratio']:.2f}x of `tf.compat.v1.train.warm_start` ({theirs:.2f} s).",
    ]


def leaving_lines(found):
    ours, theirs = found["ours"], found["theirs"]
    return [
        "",
        "`convert_for` of a 1.05 GB TF1 checkpoint, Adam's slots included, for a live",
        "Keras model, and filling the model and its slots by hand and saving them, in",
        f"turn: {ours['seconds']:.2f} s and {theirs['seconds']:.2f} s "
        f"({found['ratio']:.1f}x). Meanwhile the process grows by {ours['mib']:.0f} "
        f"and {theirs['mib']:.0f} MiB.",
    ]


def importing_lines(found):
    return [
        "",
        "In a job that has TensorFlow loaded, `import estimator_ckpt` and decorating a",
        f"model_fn twice take {sum(found.values()):.0f} ms.",
    ]


def report(content):
    lines = [
        "# Results",
        "",
        "Made by `make bench`: whole processes, ours and theirs in turn, medians;",
        "`ratio` is the median of theirs / ours, pair by pair. Theirs: the guide's two",
        "converters, `tf.train.list_variables`, reading every tensor with TensorFlow",
        "2.15.1, comparing shape maps, averaging in NumPy to save from a graph, saving",
        "what TensorFlow loads with the library of safetensors, parsing a GraphDef,",
        "comparing values with NumPy. Of 100,000 variables, one run each.",
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}.",
        "",
        "| checkpoint | what | ours | theirs | ratio | ours, peak | theirs, peak |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['checkpoint']} | {r['what']} "
        f"| {r['ours_s']:.3f} s | {r['theirs_s']:.2f} s | {r['ratio']:.0f}x "
        f"| {r['ours_mib']:.0f} MiB | {r['theirs_mib']:.0f} MiB |"
        for part in ("versus", "combining", "many", "exports")
        for r in content.get(part, ())  # of a part that is new, nothing yet
    ]
    lines += [
        "",
        "Peak memory on two checkpoints that differ only in size:",
        "",
        "| command | 10 MB | 10 GB |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {r['what']} | {r['10 MB']:.0f} MiB | {r['10 GB']:.0f} MiB |"
        for r in content["memory"]
    ]
    lines += [*saving_table(content["saving"]), *leaving_lines(content["leaving"])]
    if "importing" in content:
        lines += importing_lines(content["importing"])
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", help="where to put the checkpoints")
    parts = ("versus", "combining", "many", "exports", "memory", "saving", "leaving")
    parts += ("importing",)
    parser.add_argument("--only", choices=parts, help="one part")
    arguments = parser.parse_args()
    # As an installation does; without bytecode every start would compile the package.
    compileall.compile_dir(str(HERE.parent / "estimator_ckpt"), quiet=1)
    with tempfile.TemporaryDirectory(dir=arguments.directory) as temporary:
        root = pathlib.Path(temporary)
        parts = {
            "versus": lambda: list(versus(root, arguments.runs)),
            "combining": lambda: list(combining(root, arguments.runs)),
            "many": lambda: list(many(root)),
            "exports": lambda: list(exports(root, arguments.runs)),
            "memory": lambda: memory(root),
            "saving": lambda: in_one_process("saving", f"--directory={root}"),
            "leaving": lambda: in_one_process("leaving", f"--directory={root}"),
            "importing": lambda: importing(arguments.runs),
        }
        path = HERE / "results.json"
        content = json.loads(path.read_text()) if arguments.only else {"schema": 1}
        for part in [arguments.only] if arguments.only else parts:
            content[part] = parts[part]()
    path.write_text(json.dumps(content, indent=2) + "\n")
    text = report(content)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
