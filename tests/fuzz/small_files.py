"""Damages every small file that is read at random: a value or a CheckpointError.

    python -m tests.fuzz.small_files --seconds=60 --seed=7

Assignment maps, layout rules, state files, object graphs, `.meta` files, frozen graphs
and `.safetensors` files, in PyTorch's layout too, as people and other programs write
them, changed as the bundle's fuzzer changes an index, or put together from tokens that
mean something there. A case may take `_SECONDS` and, with all others, `_MEMORY`. A case
that fails is kept in a file that is printed; the exit code is 1.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.checkpoint import contents, object_graph, object_keys
from estimator_ckpt.checkpoint.evidence import graph_uses, meta_graph
from estimator_ckpt.checkpoint.paths import state_file
from estimator_ckpt.checkpoint.stored_graph import StoredGraph
from estimator_ckpt.checkpoint.weight_files import graph_file
from estimator_ckpt.checkpoint.weight_files.frozen_graph_reader import FrozenGraphReader
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader
from estimator_ckpt.conversion.exporting import torch_reader, variable_origins
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.layouts.torch import torch_rules
from estimator_ckpt.maps import map_files
from tests.fuzz import bundle

_SECONDS = 5.0
_MEMORY = 512 << 20
TESTDATA = pathlib.Path(__file__).parent.parent / "testdata"
FROZEN = TESTDATA.parent / "checkpoint" / "weight_files" / "frozen_by_tf1"

_MAP = rb"""
- {from: old_scope/, to: new_scope/}
- {from: net/, to: [online/, target/]}
- {regex: 'l_(\d+)/w', to: 'block_\1/kernel'}
- {builtin: rnn_cells}
"""
_LAYOUTS = rb"""
- {lstm: rnn/basic_lstm_cell, to: lstm/lstm_cell, forget_bias: 1.0}
- {gru: rnn/gru_cell, to: gru/gru_cell}
- {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: gru/gru_cell}
- {transpose: table/weights, to: head/kernel, axes: [1, 0]}
- {reshape: fc6/weights, to: fc1/kernel, shape: [7, 7, 512, 4096]}
- {split: attn/c_attn/kernel, to: [q/kernel, k/kernel, v/kernel], axis: -1}
- {mod: table/weights, to: embedding/embeddings, parts: 4}
- {fuse: [q/kernel, k/kernel, v/kernel], to: attn/qkv/kernel, axis: -1}
"""
_YAML = rb"[ ] { } , : - ? & * ! | > ' \" # << &a *a 9999999999999999999999 1e999 .nan"
_YAML_TOKENS = _YAML.split(b" ") + [b"\n", b"\n- ", b"  ", b"\t", b"\\1", b"(", b"~"]
_YAML_TOKENS += [
    b"!!int ",
    b"!!binary ",
    b"0x",
    b"1:1",
    b"2020-99-99",
    b"\xff",
    b"\x00",
]


_JSON = (
    rb"[ ] { } , : \" 0 1 -1 1e9 NaN true null \\ud800 9999999999999999999999".split()
)
_JSON += [b'"F4"', b'"F32"', b'"I64"', b'"a"', b'"shape"', b" ", b"\xff", b"\x00"]


_TORCH_RULES = rb"""
- {dense: fc/weights}
- {dense: 'layer_*/w'}
- {matrix: attn/w, to: attn.weight, variable: [1, 4, 12]}
- {depthwise: mix/w, to: mix.weight, multiplier: 2}
- {lstm: rnn/basic_lstm_cell, to: rnn, forget_bias: 1.0, layer: 1, reverse: true}
- {cudnn_gru: rnn/cudnn_compatible_gru_cell, to: rnn}
- {keras_gru: gru/gru_cell, to: gru, bias: false}
- {split: attn/c_attn/kernel, to: [q, k, v], axis: -1}
"""
_RULES = [b'\\"to\\":\\"A\\"', b'\\"conv\\"', b'\\"as_is\\"', b'\\"gru\\"', b"1e99"]


class Format(NamedTuple):
    """A format of file: who reads it, whole ones, and what means something in it."""

    read: Callable[[pathlib.Path], Any]
    seeds: list[bytes]
    tokens: list[bytes]


def formats() -> dict[str, Format]:
    graphs = []
    for index in sorted(TESTDATA.glob("**/*.index")):
        with BundleReader(str(index)[: -len(".index")]) as reader:
            if object_keys.OBJECT_GRAPH_KEY in reader.index:
                graphs.append(reader.read_string(object_keys.OBJECT_GRAPH_KEY))
    metas = [path.read_bytes() for path in sorted(TESTDATA.glob("**/*.meta"))]
    metas = sorted(metas, key=len)[:10] or [b"\x22\x02\x0a\x00"]
    states = [path.read_bytes() for path in sorted(TESTDATA.glob("**/checkpoint"))]
    words = [b"model_checkpoint_path: ", b"all_model_checkpoint_paths: ", b'"', b"\\"]
    words += [
        b"last_preserved_timestamp: ",
        b"'",
        b"\\777",
        b"1e999",
        b"nan",
        b"-",
        b"\n",
    ]
    numbers = list(bundle._INTERESTING)
    names = ("reference", "resource", "optimized")
    frozen = [(FROZEN / f"{name}.pb").read_bytes() for name in names]
    return {
        "map": Format(map_files.load, [_MAP], _YAML_TOKENS),
        "layouts": Format(layer_rules.rules_of, [_LAYOUTS], _YAML_TOKENS),
        "state": Format(lambda p: state_file.parse(p.read_bytes(), "f"), states, words),
        "graph": Format(_read_graph, graphs, numbers),
        "meta": Format(_read_meta, metas, numbers),
        "safetensors": Format(_read_safetensors, [_safetensors()], _JSON),
        "frozen_graph": Format(_read_frozen_graph, frozen, numbers),
        "torch_rules": Format(torch_rules.requests_of, [_TORCH_RULES], _YAML_TOKENS),
        "torch_file": Format(_read_torch_file, [_torch_file()], _JSON + _RULES),
    }


def _read_graph(path: pathlib.Path) -> Any:
    graph = object_graph.parse(path.read_bytes(), "f")
    keys = [node.key for node in object_graph.saved_nodes(graph)]
    object_graph.parse(object_graph.with_save_counter(path.read_bytes(), "f"), "f")
    object_graph.parse(object_graph.without(graph, keys[::2]), "f")
    stored = StoredGraph(path.read_bytes, "f")
    assert list(stored.saved_nodes()) == list(object_graph.saved_nodes(graph))
    return contents.of_objects(keys, stored.saved_nodes)


def _safetensors() -> bytes:
    header = (
        b'{"__metadata__": {"format": "pt"}, '
        b'"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, '
        b'"b/c": {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]}}      '
    )
    return len(header).to_bytes(8, "little") + header + bytes(26)


def _read_safetensors(path: pathlib.Path) -> Any:
    with SafetensorsReader(str(path)) as reader:
        for name in reader.index:
            reader.read(name)
            list(reader.iter_arrays(name))
        return reader.metadata


def _read_frozen_graph(path: pathlib.Path) -> Any:
    with FrozenGraphReader(str(path)) as reader:
        for name in reader.index:
            reader.read(name)
            list(reader.iter_arrays(name))
    with files.open_file(path) as file:
        return graph_uses.of_nodes(list(graph_file.nodes(file)))


def _torch_file() -> bytes:
    """A file as the export writes it: every rule, and tensors for most of them."""
    rules = (
        b'[{\\"dense\\":\\"a\\",\\"to\\":\\"A\\"},'
        b'{\\"depthwise\\":\\"d\\",\\"to\\":\\"D\\",\\"multiplier\\":2},'
        b'{\\"matrix\\":\\"m\\",\\"to\\":\\"M\\",\\"variable\\":[1,2,3]},'
        b'{\\"lstm\\":\\"l\\",\\"to\\":\\"L\\",\\"forget_bias\\":1.0}]'
    )
    shapes = {
        b"A": (2, 3),
        b"D": (4, 1, 3, 3),
        b"M": (2, 3),
        b"L.weight_ih_l0": (8, 3),
        b"L.weight_hh_l0": (8, 2),
        b"L.bias_ih_l0": (8,),
        b"L.bias_hh_l0": (8,),
        b"bn.weight": (2,),
        b"bn.running_mean": (2,),
    }
    fields, at = [b'"__metadata__":{"format":"pt","layouts":"' + rules + b'"}'], 0
    for name, shape in shapes.items():
        end = at + 4 * math.prod(shape)
        fields.append(
            b'"%s":{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}'
            % (name, str(list(shape)).encode(), at, end)
        )
        at = end
    header = b"{" + b",".join(fields) + b"}"
    return len(header).to_bytes(8, "little") + header + bytes(at)


def _read_torch_file(path: pathlib.Path) -> Any:
    with SafetensorsReader(str(path)) as file:
        reader = torch_reader.TorchReader(file, variable_origins.of_file(file, []))
        for name in reader.index:
            reader.read(name)
            list(reader.iter_arrays(name))
        return reader.left_out


def _read_meta(path: pathlib.Path) -> Any:
    prefix = str(path)[: -len(".meta")]
    return meta_graph.trainable_variables(prefix), meta_graph.creation_order(prefix)


def damage(file: Format, rng: random.Random) -> bytes:
    """A damaged file, or one put together from tokens."""
    seed = bundle.Seed({"": rng.choice(file.seeds)}, {})
    data = seed.files[""]
    if rng.random() < 0.5:
        return bundle._mutate(data, rng, seed)
    for _ in range(rng.choice((1, 3, 10))):
        at, token = rng.randrange(len(data) + 1), rng.choice(file.tokens)
        data = data[:at] + token * rng.choice((1, 1, 1, 2, 300)) + data[at:]
    return data


def run(file: Format, data: bytes, path: pathlib.Path) -> str:
    """Reads a file; anything but a value or a CheckpointError is let out."""
    path.write_bytes(data)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        file.read(path)
    except CheckpointError as error:
        bundle._check_message(error)
        return "refused"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "read"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    files = formats()
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    limit = used * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, bundle._too_long)
    outcomes = {"refused": 0, "read": 0}
    start, number = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as directory:
        while time.monotonic() - start < options.seconds:
            rng = random.Random(f"{options.seed}/{number}")
            name = rng.choice(sorted(files))
            data = damage(files[name], rng)
            suffix = {"meta": "c.meta", "state": "checkpoint"}.get(name, "rules.yaml")
            try:
                path = pathlib.Path(directory, suffix)
                outcomes[run(files[name], data, path)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                traceback.print_exc()
                kept = pathlib.Path(tempfile.mkdtemp(prefix="fuzz-"), f"{name}.bin")
                kept.write_bytes(data)
                print(f"case {number} of seed {options.seed}, a {name}: {kept}")
                return 1
            number += 1
    print(f"seed {options.seed}: {number} cases, {outcomes}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
