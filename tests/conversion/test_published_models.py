"""Checkpoints with the names of published models, to PyTorch and back, bit by bit."""

import json
import pathlib

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle

CLASSIFIER = pathlib.Path(__file__).parent / "published/bert_classifier/model.ckpt"
RANDOM = np.random.default_rng(5)

#: Of each map, variables and the shapes that PyTorch has.
MODELS = {
    "bert_to_hf": {
        "bert/embeddings/word_embeddings": ([5, 4], [5, 4]),
        "bert/encoder/layer_0/attention/self/query/kernel": ([4, 6], [6, 4]),
        "bert/encoder/layer_0/attention/self/query/bias": ([6], [6]),
        "cls/seq_relationship/output_weights": ([2, 4], [2, 4]),
    },
    "gpt2_to_hf": {
        "model/wte": ([5, 4], [5, 4]),
        "model/h0/attn/c_attn/w": ([1, 4, 12], [4, 12]),
        "model/h0/attn/c_attn/b": ([12], [12]),
    },
    "t5_to_hf": {
        "shared/embedding": ([5, 4], [5, 4]),
        "encoder/block_000/layer_000/SelfAttention/q": ([4, 6], [6, 4]),
        "encoder/block_000/layer_000/SelfAttention/relative_attention_bias": (
            [2, 8],
            [8, 2],
        ),
        "encoder/block_000/layer_000/layer_norm/scale": ([4], [4]),
    },
    "slim_resnet_to_torchvision": {
        "resnet_v1_50/conv1/weights": ([7, 7, 3, 4], [4, 3, 7, 7]),
        "resnet_v1_50/conv1/BatchNorm/moving_mean": ([4], [4]),
        "resnet_v1_50/logits/weights": ([1, 1, 6, 5], [5, 6]),
        "resnet_v1_50/logits/biases": ([5], [5]),
    },
}


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(name, tmp_path):
    values = {
        variable: RANDOM.normal(size=shape).astype(np.float32)
        for variable, (shape, _) in MODELS[name].items()
    }
    source = tmp_path / "model.ckpt"
    write_bundle(source, values)
    path = ec.convert(
        source,
        tmp_path / "model.safetensors",
        to="safetensors",
        layout="torch",
        assignment_map=f"builtin:{name}",
    )
    plain = ec.convert(path, tmp_path / "plain", to="tf1")
    with ec.open_checkpoint(plain) as found:
        shapes = sorted(list(variable.shape) for variable in found.values())
        assert shapes == sorted(shape for _, shape in MODELS[name].values())
    back = ec.convert(path, tmp_path / "back", to="tf1", layout="torch")
    assert not ec.diff(source, back)


def test_slots_stay_behind(tmp_path):
    kernel = np.ones([4, 6], np.float32)
    name = "encoder/block_000/layer_000/SelfAttention/q"
    values = {
        name: kernel,
        f"{name}_slot_vr": kernel[:, 0],
        f"{name}_slot_vc": kernel[0],
        "global_step": np.int64(3),
    }
    write_bundle(tmp_path / "model.ckpt", values)
    path = ec.convert(
        tmp_path / "model.ckpt",
        tmp_path / "model.safetensors",
        to="safetensors",
        layout="torch",
        assignment_map="builtin:t5_to_hf",
    )
    with ec.open_checkpoint(path) as found:
        assert set(found) == {"encoder.block.0.layer.0.SelfAttention.q.weight"}


def exported(path, *more):
    return ec.convert(
        CLASSIFIER,
        path,
        to="safetensors",
        layout="torch",
        assignment_map=[*more, "builtin:bert_to_hf"],
    )


def test_a_checkpoint_of_tensorflow_1_15(tmp_path):
    path = exported(tmp_path / "model.safetensors")
    with ec.open_checkpoint(path) as tensors, ec.open_checkpoint(CLASSIFIER) as old:
        assert len(tensors) == sum(
            v.role in ("trainable", "model") for v in old.values()
        )
        for name in tensors:
            assert name.startswith(("bert.encoder.layer.0.", "bert.", "classifier."))
        query = "bert/encoder/layer_0/attention/self/query/kernel"
        np.testing.assert_array_equal(
            tensors.read("bert.encoder.layer.0.attention.self.query.weight"),
            old.read(query).T,
        )
        np.testing.assert_array_equal(
            tensors.read("classifier.weight"), old.read("output_weights")
        )


TWICE = (
    "bert/embeddings/word_embeddings",
    ["bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"],
)


def test_a_tied_tensor_is_written_twice_where_a_map_says_so(tmp_path):
    path = exported(tmp_path / "model.safetensors", TWICE)
    with ec.open_checkpoint(path) as tensors:
        words, decoder = map(tensors.read, TWICE[1])
        np.testing.assert_array_equal(words, decoder)
    back = ec.convert(path, tmp_path / "back", to="tf1", layout="torch")
    once = ec.convert(
        exported(tmp_path / "once.safetensors"),
        tmp_path / "o",
        to="tf1",
        layout="torch",
    )
    assert not ec.diff(back, once)


def test_copies_that_differ_have_no_way_back(tmp_path):
    path = tmp_path / "model.safetensors"
    exported(path, TWICE)
    content = bytearray(path.read_bytes())
    size = 8 + int.from_bytes(content[:8], "little")
    begin, _ = json.loads(content[8:size])["cls.predictions.decoder.weight"][
        "data_offsets"
    ]
    content[size + begin] ^= 1
    path.write_bytes(content)
    with pytest.raises(ec.CheckpointError, match="would both be the variable"):
        ec.convert(path, tmp_path / "back", to="tf1", layout="torch")
    assert not list(tmp_path.glob("back*"))


def test_a_plan_says_what_a_model_in_pytorch_would_get(tmp_path):
    path = exported(tmp_path / "model.safetensors")
    planned = ec.plan(CLASSIFIER, path, assignment_map="builtin:bert_to_hf")
    assert not planned.problems
    with ec.open_checkpoint(path) as tensors:
        assert sum(row[0] == "renamed" for row in planned.rows()) == len(tensors)
    # Without the map's word for it, [in, out] does not become [out, in].
    kernel = "bert/encoder/layer_0/intermediate/dense/kernel"
    names = {kernel: "bert.encoder.layer.0.intermediate.dense.weight"}
    planned = ec.plan(CLASSIFIER, path, assignment_map=names)
    rows = {row[1]: row[0] for row in planned.rows()}
    assert rows[kernel] == "shape mismatch"


def test_without_a_map_the_one_that_knows_the_names_is_said(tmp_path, caplog):
    path = tmp_path / "model.safetensors"
    ec.convert(CLASSIFIER, path, to="safetensors", layout="torch")
    assert "names of a published model, and 'builtin:bert_to_hf'" in caplog.text
    caplog.clear()
    exported(tmp_path / "other.safetensors")
    assert "published model" not in caplog.text
    # What names alone do not decide is an error, which says the map, too.
    name = "encoder/block_000/layer_000/SelfAttention/q"
    write_bundle(tmp_path / "t5", {name: np.ones([4, 6], np.float32)})
    new = tmp_path / "t5.safetensors"
    with pytest.raises(ec.CheckpointError, match=r"Or: .*builtin:t5_to_hf"):
        ec.convert(tmp_path / "t5", new, to="safetensors", layout="torch")
    assert not new.exists()


def test_ordinary_names_are_no_published_models(tmp_path, caplog):
    values = {"bert/pooler/dense/kernel": np.ones([4, 6], np.float32)}
    write_bundle(tmp_path / "model", values)
    new = tmp_path / "model.safetensors"
    ec.convert(tmp_path / "model", new, to="safetensors", layout="torch")
    assert "published model" not in caplog.text
