"""A checkpoint as a .safetensors file, and back: values, names, what is left out."""

import json
import os
import signal
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import (
    DestinationExistsError,
    DestinationInUseError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from estimator_ckpt.checkpoint import opening
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.exporting import export_requests, exports, torch_reader
from estimator_ckpt.conversion.writing import claims
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.maps.filters import Filter
from tests.cli.command_line import call
from tests.conftest import REPOSITORY
from tests.conversion import nth_change
from tests.testdata_paths import TESTDATA

RANDOM = np.random.RandomState(7)


def random(*shape, dtype=np.float32):
    return RANDOM.standard_normal(shape).astype(dtype)


MODEL = {
    "net/dense/kernel": random(3, 4),
    "net/dense/bias": random(4),
    "conv/kernel": random(3, 3, 2, 5),
    "sep/depthwise_kernel": random(3, 3, 2, 2),
    "sep/pointwise_kernel": random(1, 1, 4, 6),
    "sep/bias": random(6),
    "bn/gamma": random(4),
    "bn/beta": random(4),
    "bn/moving_mean": random(4),
    "bn/moving_variance": random(4),
    "emb/embeddings": random(5, 5),
    "lstm/lstm_cell/kernel": random(3, 16),
    "lstm/lstm_cell/recurrent_kernel": random(4, 16),
    "lstm/lstm_cell/bias": random(16),
    "rnn/basic_lstm_cell/kernel": random(7, 16),
    "rnn/basic_lstm_cell/bias": -np.zeros(16, np.float32),
    "half": random(3, dtype=np.float16),
}
TRAINING = {
    "net/dense/kernel/Adam": random(3, 4),
    "net/dense/kernel/Adam_1": random(3, 4),
    "net/dense/bias/Adam": random(4),
    "net/dense/bias/Adam_1": random(4),
    "beta1_power": np.array(0.9, np.float32),
    "beta2_power": np.array(0.999, np.float32),
    "global_step": np.array(7, np.int64),
}
OTHER = {
    "words": np.array([b"a", b"b"], object),
    "net/dense/kernel/ExponentialMovingAverage": random(3, 4),
}
RULES = [{"lstm": "rnn/basic_lstm_cell", "to": "rnn", "forget_bias": 1.0}]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    prefix = str(tmp_path_factory.mktemp("source") / "model.ckpt-7")
    write_bundle(prefix, {**MODEL, **TRAINING, **OTHER})
    return prefix


def exported(source, path, **options):
    found = ec.convert(source, path, to="safetensors", **options)
    with safe_open(found, "np") as file:
        return safetensors.numpy.load_file(found), file.metadata()


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        got = found[name]
        assert (got.dtype, got.shape) == (value.dtype, value.shape), name
        assert got.tobytes() == value.tobytes(), name


def read(prefix):
    with ec.open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


def test_the_format_s_library_reads_the_model_s_variables(tmp_path, source):
    found, metadata = exported(source, tmp_path / "m.safetensors")
    average = "net/dense/kernel/ExponentialMovingAverage"
    same(found, {**MODEL, average: OTHER[average]})
    assert metadata["format"] == "tf"
    assert metadata["global_step"] == "7"
    assert metadata["tool"] == f"estimator_ckpt {ec.__version__}"
    assert metadata["source"] == "model.ckpt-7"
    assert metadata["source_fingerprint"].startswith("sha256:")
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_all_takes_the_optimizer_along_and_leads_back(tmp_path, source, caplog):
    path = tmp_path / "m.safetensors"
    found, _ = exported(source, path, carry="all")
    same(found, {**MODEL, **TRAINING, **{k: OTHER[k] for k in OTHER if "/" in k}})
    assert "1 left out, string, which the format cannot hold: 'words'" in caplog.text
    for to in ("tf1", "tf2", "dual"):
        new = ec.convert(path, tmp_path / to / "model.ckpt-7", to=to)
        assert ec.verify(new).ok
        same(read(new), found)


def test_pytorch_s_layout(tmp_path, source, caplog):
    path = tmp_path / "m.safetensors"
    found, metadata = exported(source, path, layout="torch", layouts=RULES)
    assert metadata["format"] == "pt"
    equal = np.testing.assert_array_equal
    equal(found["net.dense.weight"], MODEL["net/dense/kernel"].T)
    equal(found["conv.weight"], MODEL["conv/kernel"].transpose(3, 2, 0, 1))
    equal(found["emb.weight"], MODEL["emb/embeddings"])
    equal(found["bn.running_var"], MODEL["bn/moving_variance"])
    assert found["sep.depthwise.weight"].shape == (4, 1, 3, 3)
    assert found["sep.pointwise.weight"].shape == (6, 4, 1, 1)
    equal(found["sep.pointwise.bias"], MODEL["sep/bias"])
    equal(found["lstm.weight_hh_l0"], MODEL["lstm/lstm_cell/recurrent_kernel"].T)
    equal(found["rnn.bias_hh_l0"], np.repeat([0, 1, 0, 0], 4).astype(np.float32))
    equal(found["half"], MODEL["half"])
    assert not any("Adam" in name or "Average" in name for name in found)
    assert "averages; use_ema (--use_ema)" in caplog.text


def test_the_way_back_is_to_the_bit(tmp_path, source):
    path = tmp_path / "m.safetensors"
    exported(source, path, layout="torch", layouts=RULES)
    for to in ("tf1", "tf2", "dual"):
        new = ec.convert(path, tmp_path / to / "m", to=to, layout="torch")
        assert ec.verify(new).ok
        same(read(new), MODEL)


def test_averages_take_their_variables_places(tmp_path, source):
    path = tmp_path / "m.safetensors"
    options = {"layout": "torch", "layouts": RULES}
    found, _ = exported(source, path, assignment_map="builtin:use_ema", **options)
    average = OTHER["net/dense/kernel/ExponentialMovingAverage"]
    np.testing.assert_array_equal(found["net.dense.weight"], average.T)
    back = read(ec.convert(path, tmp_path / "back" / "m", to="tf1", layout="torch"))
    same(back, {**MODEL, "net/dense/kernel": average})


def test_a_variable_of_such_a_file_is_read_in_every_way(tmp_path, source):
    path = tmp_path / "m.safetensors"
    exported(source, path, layout="torch", layouts=RULES)
    with torch_reader.opened(opening.opened(path), []) as checkpoint:
        reader = checkpoint.reader
        for name, value in MODEL.items():
            if name.startswith("rnn/"):
                continue  # the kernel goes into two tensors
            reader.verify_whole(name)
            np.testing.assert_array_equal(reader.read(name), value)
            pieces = list(reader.iter_arrays(name))
            np.testing.assert_array_equal(np.concatenate(pieces), value.reshape(-1))
            assert b"".join(reader.iter_chunks(name.encode())) == value.tobytes()
            rows = [(0, 1), *((0, size) for size in value.shape[1:])]
            np.testing.assert_array_equal(reader.read_slice(name, rows), value[:1])
        with pytest.raises(ec.CheckpointError, match="no tensor 'net"):
            reader.verify_whole("net.dense.weight")


def test_maps_and_filters_hold(tmp_path, source):
    found, _ = exported(
        source,
        tmp_path / "m.safetensors",
        layout="torch",
        include=["net/", "lstm/"],
        exclude=["net/dense/bias"],
        assignment_map={"net/": "encoder/", "lstm/": "decoder/"},
    )
    assert set(found) == {
        "encoder.dense.weight",
        *(
            f"decoder.{what}_{of}_l0"
            for what in ("weight", "bias")
            for of in ("ih", "hh")
        ),
    }


def test_a_map_to_pytorch_s_names_says_what_tensors_are(tmp_path):
    values = {
        "bert/embeddings/word_embeddings": random(9, 4),
        "bert/pooler/dense/kernel": random(4, 4),
        "bert/pooler/dense/bias": random(4),
        "cls/seq_relationship/output_weights": random(2, 4),
    }
    write_bundle(tmp_path / "m", values)
    path = tmp_path / "m.safetensors"
    found, _ = exported(
        tmp_path / "m", path, layout="torch", assignment_map="builtin:bert_to_hf"
    )
    same(
        found,
        {
            "bert.embeddings.word_embeddings.weight": values[
                "bert/embeddings/word_embeddings"
            ],
            "bert.pooler.dense.weight": np.ascontiguousarray(
                values["bert/pooler/dense/kernel"].T
            ),
            "bert.pooler.dense.bias": values["bert/pooler/dense/bias"],
            "cls.seq_relationship.weight": values[
                "cls/seq_relationship/output_weights"
            ],
        },
    )
    same(read(ec.convert(path, tmp_path / "b", to="tf1", layout="torch")), values)


def test_a_map_s_axes_of_size_one_come_back(tmp_path):
    values = {"model/h0/attn/c_attn/w": random(1, 4, 12), "model/wpe": random(3, 4)}
    write_bundle(tmp_path / "m", values)
    path = tmp_path / "m.safetensors"
    found, _ = exported(
        tmp_path / "m", path, layout="torch", assignment_map="builtin:gpt2_to_hf"
    )
    assert found["transformer.h.0.attn.c_attn.weight"].shape == (4, 12)
    same(read(ec.convert(path, tmp_path / "b", to="tf1", layout="torch")), values)


def test_a_partitioned_variable_is_whole(tmp_path):
    whole = random(5, 3)
    parts = {((0, 3), (0, 3)): whole[:3], ((3, 2), (0, 3)): whole[3:]}
    write_bundle(tmp_path / "m", {"emb/embeddings": Partitioned((5, 3), parts)})
    found, _ = exported(tmp_path / "m", tmp_path / "m.safetensors", layout="torch")
    same(found, {"emb.weight": whole})


@pytest.mark.parametrize("folder", ["object-based", "v1-format/sharded", "digits"])
def test_checkpoints_of_tensorflow(tmp_path, folder):
    """Whatever a TensorFlow wrote: its model's variables, as they are."""
    source = TESTDATA / folder
    found, _ = exported(source, tmp_path / "m.safetensors")
    with ec.open_checkpoint(source) as checkpoint:
        model = [n for n in checkpoint if checkpoint.roles.role(n) in MODEL_ROLES]
        same(found, {n: checkpoint.read(n) for n in model})
    assert found


MODEL_ROLES = {"trainable", "model", "average"}


def test_a_file_in_pytorch_s_layout_stays_one(tmp_path, source):
    """Rounded or filtered, it still knows the way back."""
    path = tmp_path / "m.safetensors"
    exported(source, path, layout="torch", layouts=RULES)
    part = tmp_path / "part.safetensors"
    _, metadata = exported(path, part, include=["net", "conv"])
    assert metadata["format"] == "pt"
    names = {"net/dense/kernel", "net/dense/bias", "conv/kernel"}
    back = ec.convert(part, tmp_path / "back", to="tf1", layout="torch")
    same(read(back), {name: MODEL[name] for name in names})
    with pytest.raises(ec.CheckpointError, match="in PyTorch's layout already"):
        exported(path, tmp_path / "x.safetensors", layout="torch")


# Rounding.


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_floating_point_is_rounded_if_asked(tmp_path, dtype):
    values = {
        "a": random(4, dtype=np.float64),
        "b": random(4),
        "n": np.array([1, 2], np.int32),
    }
    write_bundle(tmp_path / "m", values)
    path = ec.convert(
        tmp_path / "m", tmp_path / "m.safetensors", to="safetensors", dtype=dtype
    )
    wanted = np.dtype(getattr(ml_dtypes, dtype, None) or dtype)
    with ec.open_checkpoint(path) as checkpoint:
        for name in ("a", "b"):
            expected = values[name].astype(wanted)
            assert checkpoint.read(name).dtype == wanted
            assert checkpoint.read(name).tobytes() == expected.tobytes()
        assert checkpoint.read("n").dtype == np.int32
    with safe_open(path, "np") as file:
        assert file.metadata()["dtype"] == dtype


def test_numbers_too_large_for_a_type_are_said(tmp_path, caplog):
    values = {"a/kernel": np.array([[1, 70000.0], [-1e6, np.inf]], np.float32)}
    write_bundle(tmp_path / "m", values)
    found, _ = exported(
        tmp_path / "m", tmp_path / "m.safetensors", dtype="float16", layout="torch"
    )
    assert found["a.weight"].tolist() == [[1, -np.inf], [np.inf, np.inf]]
    assert "a.weight: 2 numbers, the largest 1e+06, are too large for" in caplog.text


# What is refused.

BAD = [
    ({"layout": "torch"}, LayoutRuleError, "rnn/basic_lstm_cell, to: rnn, forget_bias"),
    ({"layout": "jax"}, ValueError, "unknown layout 'jax'"),
    ({"dtype": "float8"}, ValueError, "unknown dtype 'float8'"),
    ({"carry": "some"}, ValueError, "unknown carry 'some'"),
    ({"data": "some"}, ValueError, "unknown data 'some'"),
    ({"carry": "all", "layout": "torch"}, ValueError, "no place for optimizer state"),
    ({"layouts": RULES}, ValueError, "are rules for layout='torch'"),
    (
        {"layout": "torch", "layouts": [*RULES, *RULES]},
        LayoutRuleError,
        "layout rule 1 and layout rule 2 are both about 'rnn/basic_lstm_cell/kernel'",
    ),
    (
        {"layout": "torch", "layouts": [{"dense": "nothing"}]},
        LayoutRuleError,
        "the source has no 'nothing'",
    ),
    (
        {"layout": "torch", "layouts": [*RULES, {"conv": "half", "to": "x"}]},
        LayoutRuleError,
        "a kernel has two axes or more",
    ),
    (
        {
            "layout": "torch",
            "layouts": [*RULES, {"as_is": "half", "to": "net.dense.bias"}],
        },
        ec.CheckpointError,
        "would both be the tensor 'net.dense.bias'",
    ),
    ({"include": "words"}, ec.CheckpointError, "nothing of its .* is left"),
]


@pytest.mark.parametrize(("options", "error", "reason"), BAD, ids=lambda v: str(v)[:50])
def test_what_cannot_be_is_one_line_and_nothing_is_written(
    tmp_path, source, options, error, reason
):
    for function in (ec.convert, planned):
        with pytest.raises(error, match=reason) as caught:
            function(source, tmp_path / "m.safetensors", to="safetensors", **options)
        assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def planned(source, path, to, **options):
    """What a dry run sees."""
    assert to == "safetensors"
    chosen = {name: options.pop(name, None) for name in ("include", "exclude")}
    nothing = dict.fromkeys(("carry", "layout", "layouts", "dtype"))
    request = export_requests.ExportRequest.of(
        path,
        Naming(chosen=Filter(**chosen)),
        **{**nothing, **options},
        overwrite=False,
    )
    return exports.plan(source, request)


def test_two_names_that_would_be_one_are_refused(tmp_path):
    write_bundle(tmp_path / "m", {"a/b": random(2), "a.b": random(2)})
    with pytest.raises(ec.CheckpointError, match=r"'a.b' and 'a/b' would both be"):
        exported(tmp_path / "m", tmp_path / "m.safetensors", layout="torch")
    found, _ = exported(tmp_path / "m", tmp_path / "m.safetensors")
    assert set(found) == {"a/b", "a.b"}


def test_a_damaged_tensor_gives_no_file(tmp_path, source):
    write_bundle(tmp_path / "m", MODEL)
    shard = tmp_path / "m.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ec.CheckpointError, match="is damaged: its"):
        exported(tmp_path / "m", tmp_path / "m.safetensors")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_step_that_is_cut_off_is_refused_by_the_dry_run_too(tmp_path):
    """Which is no tensor of the file, but stands in its metadata."""
    write_bundle(tmp_path / "m", {"a/kernel": random(2), "global_step": np.int64(7)})
    shard = tmp_path / "m.data-00000-of-00001"
    os.truncate(shard, shard.stat().st_size - 1)
    for more in ([], ["--dry_run"]):
        new = tmp_path / "m.safetensors"
        done = call("convert", tmp_path / "m", new, "--to=safetensors", *more)
        assert done.returncode == 2
        assert f"{shard}: the shard is cut off" in done.stderr
        assert not new.exists()


def test_a_file_that_is_there_is_replaced_only_if_asked(tmp_path, source):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(DestinationExistsError):
        exported(source, path)
    assert path.read_bytes() == b"old"
    found, _ = exported(source, path, overwrite=True)
    assert "net/dense/kernel" in found
    with pytest.raises(DestinationExistsError, match="the same file"):
        exported(path, path, overwrite=True)


def test_the_name_of_a_file(tmp_path, source):
    assert exported(source, f"{tmp_path}/new/")
    assert os.listdir(tmp_path / "new") == ["model.ckpt-7.safetensors"]
    with pytest.raises(ec.CheckpointError, match=r"must end in .safetensors"):
        exported(source, tmp_path / "model.bin")


def test_a_destination_that_is_being_written_is_refused(tmp_path, source):
    path = tmp_path / "m.safetensors"
    with claims.claimed(str(path)), pytest.raises(DestinationInUseError):
        exported(source, path)
    assert not path.exists()


def test_a_source_that_is_cut_off_meanwhile_gives_no_file(tmp_path, source):
    path = tmp_path / "a.safetensors"
    exported(source, path)
    whole = path.read_bytes()

    def cut(size):
        path.write_bytes(whole)
        os.utime(path, ns=(1, 1))
        with path.open("r+b") as file:
            file.write(whole[:8])

    with pytest.raises(ec.CheckpointError, match="was written to while it was read"):
        ec.convert(path, tmp_path / "b.safetensors", to="safetensors", progress=cut)
    assert os.listdir(tmp_path) == ["a.safetensors"]


EXPORTS = """
ec.convert(*arguments, to="safetensors", overwrite=True)
print(count)
"""


def export_and_kill(at, source, path):
    """Exports, and is killed before the n-th change of the file system."""
    return nth_change.run(EXPORTS, at, signal.SIGKILL, source, path)


def kill_at_every(tmp_path, has_old, step):
    write_bundle(tmp_path / "m", {"a": random(4), "b/kernel": random(3, 2)})
    whole = tmp_path / "whole" / "m.safetensors"
    whole.parent.mkdir()  # as below
    total = int(export_and_kill(0, tmp_path / "m", whole).stdout)
    assert total >= 10
    new, old = whole.read_bytes(), b"what was there"
    for at in range(1, total + 1, step):
        path = tmp_path / f"kill-{at}" / "m.safetensors"
        path.parent.mkdir()
        if has_old:
            path.write_bytes(old)
        done = export_and_kill(at, tmp_path / "m", path)
        assert done.returncode == -signal.SIGKILL, done.stderr
        if has_old or path.exists():
            assert path.read_bytes() in ((old, new) if has_old else (new,))
        assert export_and_kill(0, tmp_path / "m", path).returncode == 0
        assert path.read_bytes() == new
        assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("has_old", [False, True])
def test_killed_at_some_operations(tmp_path, has_old):
    kill_at_every(tmp_path, has_old, step=4)


@pytest.mark.soak
@pytest.mark.parametrize("has_old", [False, True])
def test_killed_at_every_operation(tmp_path, has_old):
    kill_at_every(tmp_path, has_old, step=1)


@pytest.mark.parametrize("layout", [[], ["--layout=torch"]])
def test_no_space_leaves_nothing(tmp_path, layout):
    """A kernel that goes by way of a scratch file, too."""
    write_bundle(tmp_path / "m", {"a/kernel": np.ones((1024, 3000), np.float32)})
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from estimator_ckpt.cli import main; main.main(sys.argv[1:])\n"
    )
    path = tmp_path / "new" / "m.safetensors"
    command = [sys.executable, "-c", script, "convert", str(tmp_path / "m"), str(path)]
    done = subprocess.run(
        [*command, "--to=safetensors", *layout],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "12288" in done.stderr  # the bytes that are needed: 12288000 and more
    assert not path.parent.exists() or os.listdir(path.parent) == []


# The command.


def test_a_dry_run_shows_the_evidence_and_writes_nothing(tmp_path, source):
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps(RULES))
    arguments = [source, tmp_path / "new" / "m.safetensors", "--to=safetensors"]
    arguments += ["--layout=torch", f"--layouts={rules}"]
    shown = call("convert", *arguments, "--dry_run").stdout
    assert "named kernel, beside bias" in shown
    assert "beside recurrent_kernel, 4 gates" in shown
    found = json.loads(call("convert", *arguments, "--dry_run", "--json").stdout)
    items = {item["name"]: item for item in found["tensors"]}
    assert items["net.dense.weight"] == {
        "name": "net.dense.weight",
        "variables": ["net/dense/kernel"],
        "dtype": "float32",
        "shape": [4, 3],
        "rule": "dense",
        "evidence": "named kernel, beside bias",
    }
    assert found["left_out"]["string, which the format cannot hold"] == ["words"]
    assert not (tmp_path / "new").exists()
    done = call("convert", *arguments)
    assert (done.returncode, done.stdout) == (0, f"{arguments[1]}\n")
    with safe_open(arguments[1], "np") as file:
        assert set(file.keys()) == set(items)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--to=safetensors", "--all"], "--all does not go with --to=safetensors"),
        (["--to=safetensors", "--data=link"], "is written anew, with bytes of its own"),
        (["--to=tf2", "--dtype=float16"], "dtype (--dtype) is for to='safetensors'"),
        (["--to=tf2", "--carry=all"], "carry (--carry) is for to='safetensors'"),
        (["--to=tf2", "--layout=torch"], "is for what is written in PyTorch's layout"),
        (["--to=safetensors", "--layout=torch"], "say what these are, with a rule"),
    ],
)
def test_bad_usage_is_one_line(tmp_path, source, options, reason):
    done = call("convert", source, tmp_path / "m.safetensors", *options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


# Files that PyTorch wrote.

WRITTEN = {
    "fc.weight": random(4, 3),
    "fc.bias": random(4),
    "conv.weight": random(5, 2, 3, 3),
    "bn.weight": random(4),
    "bn.bias": random(4),
    "bn.running_mean": random(4),
    "bn.running_var": random(4),
    "bn.num_batches_tracked": np.array(3, np.int64),
    "ln.weight": random(4),
    "ln.bias": random(4),
    "temperature": random(1),
}


def test_a_file_of_pytorch_s_becomes_a_checkpoint(tmp_path, caplog):
    path = tmp_path / "t.safetensors"
    safetensors.numpy.save_file(WRITTEN, path, {"format": "pt"})
    found = read(ec.convert(path, tmp_path / "m", to="tf1", layout="torch"))
    same(
        found,
        {
            "fc/kernel": np.ascontiguousarray(WRITTEN["fc.weight"].T),
            "fc/bias": WRITTEN["fc.bias"],
            "conv/kernel": np.ascontiguousarray(
                WRITTEN["conv.weight"].transpose(2, 3, 1, 0)
            ),
            "bn/gamma": WRITTEN["bn.weight"],
            "bn/beta": WRITTEN["bn.bias"],
            "bn/moving_mean": WRITTEN["bn.running_mean"],
            "bn/moving_variance": WRITTEN["bn.running_var"],
            "ln/gamma": WRITTEN["ln.weight"],
            "ln/beta": WRITTEN["ln.bias"],
            "temperature": WRITTEN["temperature"],
        },
    )
    assert "'bn.num_batches_tracked' left out" in caplog.text
    renamed = ec.convert(
        path,
        tmp_path / "n",
        to="tf2",
        layout="torch",
        assignment_map={"fc/": "dense/", "/": "net/"},
    )
    assert {"dense/kernel", "net/bn/gamma"} <= set(read(renamed))


UNDECIDED = [
    ({"t.weight": random(4, 3)}, "{dense: t.weight}, {embedding: t.weight}"),
    ({"d.weight": random(4, 1, 3, 3)}, "{conv: d.weight}, {depthwise: d.weight}"),
    (
        {"r.weight_ih_l0": random(16, 3), "r.weight_hh_l0": random(16, 4)},
        "{lstm: r/lstm_cell, to: r, forget_bias: 1.0}, {keras_lstm: r/lstm_cell",
    ),
    ({"pos": random(4, 3)}, "{as_is: pos}"),
]


@pytest.mark.parametrize(("tensors", "reason"), UNDECIDED, ids=lambda v: str(v)[:20])
def test_what_pytorch_s_tensors_do_not_say_needs_a_rule(tmp_path, tensors, reason):
    path = tmp_path / "t.safetensors"
    safetensors.numpy.save_file(tensors, path)
    with pytest.raises(LayoutRuleError, match="say what these are") as caught:
        ec.convert(path, tmp_path / "m", to="tf1", layout="torch")
    assert reason in str(caught.value)
    assert os.listdir(tmp_path) == ["t.safetensors"]


def test_rules_say_what_pytorch_s_tensors_are(tmp_path):
    tensors = {
        "h0.weight": random(4, 3),
        "h1.weight": random(4, 3),
        "t.weight": random(9, 3),
        "d.weight": random(4, 1, 3, 3),
        "r.weight_ih_l0": random(16, 3),
        "r.weight_hh_l0": random(16, 4),
        "r.bias_ih_l0": random(16),
        "r.bias_hh_l0": random(16),
    }
    path = tmp_path / "t.safetensors"
    safetensors.numpy.save_file(tensors, path)
    rules = [
        {"dense": "h*.weight"},
        {"embedding": "t.weight"},
        {"depthwise": "d.weight", "multiplier": 2},
        {"keras_lstm": "r/lstm_cell", "to": "r"},
    ]
    found = read(
        ec.convert(path, tmp_path / "m", to="tf1", layout="torch", layouts=rules)
    )
    equal = np.testing.assert_array_equal
    equal(found["h1/kernel"], tensors["h1.weight"].T)
    equal(found["t/embeddings"], tensors["t.weight"])
    assert found["d/depthwise_kernel"].shape == (3, 3, 2, 2)
    equal(found["r/lstm_cell/kernel"], tensors["r.weight_ih_l0"].T)
    equal(found["r/lstm_cell/bias"], tensors["r.bias_ih_l0"] + tensors["r.bias_hh_l0"])


def test_a_tensor_that_is_tied_to_another_is_found(tmp_path):
    """The format's library writes one of them, and notes the other."""
    path = tmp_path / "t.safetensors"
    tensors = {"emb.weight": random(9, 3)}
    safetensors.numpy.save_file(tensors, path, {"head.weight": "emb.weight"})
    rules = [{"embedding": "e/embeddings", "to": "emb.weight"}]
    rules += [{"dense": "head/kernel", "to": "head.weight"}]
    found = read(
        ec.convert(path, tmp_path / "m", to="tf1", layout="torch", layouts=rules)
    )
    np.testing.assert_array_equal(found["head/kernel"], tensors["emb.weight"].T)


HOSTILE = [
    "{",
    "[" * 100_000,
    "3",
    '[{"dense": "a"}]',
    '[{"dense": "a", "to": "nothing"}]',
    '[{"conv": "a", "to": "x"}]',
    '[{"depthwise": "a", "to": "y", "multiplier": 7}]',
    '[{"depthwise": "a", "to": "y", "multiplier": 1e99}]',
    '[{"dense": "a", "to": "y", "variable": [99999999999]}]',
    '[{"dense": "a", "to": "y", "variable": [5]}]',
    '[{"lstm": "a", "to": "b"}]',
    '[{"fuse": ["a", "b"], "to": "y", "axis": 99}]',
    '[{"dense": "a", "to": "y"}, {"dense": "a", "to": "z"}]',
    '[{"dense": "", "to": "y"}]',
]


@pytest.mark.parametrize("layouts", HOSTILE, ids=lambda text: text[:40])
def test_metadata_are_not_believed(tmp_path, layouts):
    path = tmp_path / "t.safetensors"
    tensors = {"x": random(3), "y": random(4, 3), "z": random(4, 3)}
    safetensors.numpy.save_file(tensors, path, {"layouts": layouts})
    done = call("convert", path, tmp_path / "m", "--to=tf1", "--layout=torch")
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["t.safetensors"]


def test_memory_stays_flat(tmp_path):
    """A process that exports 256 MiB, transposed or not, stays below 60 MiB."""
    script = (
        "import sys, estimator_ckpt as ec\n"
        "ec.convert(sys.argv[1], sys.argv[2], to='safetensors', layout='torch')\n"
        "print([l for l in open('/proc/self/status') if l.startswith('VmHWM')][0])\n"
    )
    big = np.ones((1 << 10, 32 << 10), np.float32)
    write_bundle(tmp_path / "m", {"a/kernel": big, "b/embeddings": big})
    del big
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            str(tmp_path / "m"),
            f"{tmp_path}/x.safetensors",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.split()[-2]) < 60 << 10


def test_verify_says_that_there_are_no_checksums(tmp_path, source):
    path = tmp_path / "m.safetensors"
    exported(source, path)
    with pytest.raises(UnsupportedCheckpointError, match="has no checksums"):
        ec.verify(path)


def test_complex_numbers_go_in_with_a_line_and_the_rest_is_left_out(tmp_path, caplog):
    values = {
        "a": np.array([1 + 2j], np.complex64),
        "b": np.array([1 + 2j], np.complex128),
        "c": random(2),
    }
    write_bundle(tmp_path / "m", values)
    found, _ = exported(tmp_path / "m", tmp_path / "m.safetensors")
    same(found, {"a": values["a"], "c": values["c"]})
    assert "'a': complex64, which not every version" in caplog.text
    assert "1 left out, complex128, which the format cannot hold: 'b'" in caplog.text
