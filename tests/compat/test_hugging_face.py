"""The maps to PyTorch's names, with the real models of transformers and torchvision.

TensorFlow 1.15.5 saves each model with random weights and says what it gives; the
command converts the checkpoint; PyTorch loads the file and gives the same.
"""

import sys

import pytest

from tests.compat.environments import READERS, TORCH, run

pytestmark = pytest.mark.compat
MODELS = "tests.compat.published_models"

#: Each model: the checkpoint, its map, and what of the checkpoint is another model's.
CONVERSIONS = {
    "bert": ("bert", "bert_to_hf", None),
    "bert_classifier": ("bert_classifier", "bert_to_hf", None),
    "bert_squad": ("bert_squad", "bert_to_hf", None),
    "albert": ("albert", "albert_to_hf", None),
    "electra": ("electra", "electra_to_hf", "generator"),
    "electra_generator": (
        "electra",
        "electra_generator_to_hf",
        "electra/(?!embeddings/)|discriminator",
    ),
    "gpt2": ("gpt2", "gpt2_to_hf", None),
    "t5": ("t5", "t5_to_hf", None),
    "t5_1_1": ("t5_1_1", "t5_to_hf", None),
    "slim_resnet50": ("slim_resnet50", "slim_resnet_to_torchvision", None),
    "official_resnet50": (
        "official_resnet50",
        "official_resnet50_to_torchvision",
        None,
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The checkpoints of TensorFlow 1.15.5, and what its models give."""
    if not READERS["1.15.5"].exists() or not TORCH.exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 or PyTorch (make compat)")
    directory = tmp_path_factory.mktemp("published")
    sources = dict.fromkeys(source for source, _, _ in CONVERSIONS.values())
    run(READERS["1.15.5"], "-m", f"{MODELS}.save_models", directory, *sources)
    for name, (source, _, _) in CONVERSIONS.items():
        if name != source:
            (directory / f"{name}.npz").symlink_to(f"{source}.npz")
    return directory


def converted(saved, name, directory, file="model.ckpt"):
    """Converts a model with the command."""
    source, given_map, excluded = CONVERSIONS[name]
    command = [
        *("-m", "estimator_ckpt", "convert", saved / source / file),
        *(directory / f"{name}.safetensors", "--to=safetensors", "--layout=torch"),
        f"--assignment_map=builtin:{given_map}",
    ]
    run(sys.executable, *command, *([f"--exclude={excluded}"] if excluded else []))


def test_real_models_give_what_tensorflow_gave(saved):
    """One process for all of them: PyTorch and transformers take long to start."""
    for name in CONVERSIONS:
        converted(saved, name, saved)
    said = run(TORCH, "-m", f"{MODELS}.load_models", saved, *CONVERSIONS)
    print(said)
    assert all(f"{name}" in said for name in CONVERSIONS)


def test_a_frozen_graph_without_its_code_is_enough(saved, tmp_path):
    names = ["bert", "gpt2", "t5", "slim_resnet50"]
    for name in names:
        converted(saved, name, tmp_path, "frozen.pb")
    for name in ("inputs", *names):
        (tmp_path / f"{name}.npz").symlink_to(saved / f"{name}.npz")
    print(run(TORCH, "-m", f"{MODELS}.load_models", tmp_path, *names))


def test_pytorch_would_say_if_a_tensor_lay_otherwise(saved, tmp_path):
    """A kernel that was not transposed is found: the proof above can fail."""
    rule = tmp_path / "layouts.yaml"
    rule.write_text(
        "- {as_is: 'bert/pooler/dense/kernel', to: bert.pooler.dense.weight}\n"
    )
    (tmp_path / "inputs.npz").symlink_to(saved / "inputs.npz")
    (tmp_path / "bert.npz").symlink_to(saved / "bert.npz")
    run(
        sys.executable,
        *("-m", "estimator_ckpt", "convert", saved / "bert" / "model.ckpt"),
        *(tmp_path / "bert.safetensors", "--to=safetensors", "--layout=torch"),
        *("--assignment_map=builtin:bert_to_hf", f"--layouts={rule}"),
    )
    with pytest.raises(AssertionError, match="off by"):
        run(TORCH, "-m", f"{MODELS}.load_models", tmp_path, "bert")
