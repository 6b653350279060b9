"""Loads the models into PyTorch's, and holds their outputs against TensorFlow's.

    python -m tests.compat.published_models.load_models DIRECTORY NAME...

For each name there is `DIRECTORY/NAME.safetensors`, converted from the checkpoint that
save_models.py wrote, and `DIRECTORY/NAME.npz`, what TensorFlow's model gave. The models
are those of transformers and of torchvision. Knows nothing of the toolkit.
"""

import os
import shutil
import sys
import tempfile

import numpy as np
import safetensors.torch
import torch

from tests.compat.published_models import sizes

# The registry's torchvision is built for CUDA, and PyTorch for CPUs cannot load its
# operators of detection. Undeclared, they keep it and transformers from importing.
OPERATORS = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    OPERATORS.define(f"{_name}(Tensor dets, Tensor scores, float threshold) -> Tensor")

import torchvision  # noqa: E402
import transformers  # noqa: E402

#: The most by which an output may differ from TensorFlow 1.15's.
MOST = 1e-5
BERT = {
    "vocab_size": sizes.VOCABULARY,
    "hidden_size": sizes.HIDDEN,
    "num_attention_heads": sizes.HEADS,
    "intermediate_size": sizes.INTERMEDIATE,
    "max_position_embeddings": sizes.POSITIONS,
    "type_vocab_size": sizes.TYPES,
    "layer_norm_eps": 1e-12,
}


def bert(layers, **more):
    return transformers.BertConfig(
        **BERT, num_hidden_layers=layers, hidden_act="gelu_new", **more
    )


def albert():
    return transformers.AlbertConfig(
        **BERT,
        embedding_size=sizes.EMBEDDING,
        num_hidden_layers=4,
        num_hidden_groups=2,
        inner_group_num=2,
    )


def electra(layers):
    return transformers.ElectraConfig(
        **BERT, embedding_size=sizes.EMBEDDING, num_hidden_layers=layers
    )


def gpt2():
    return transformers.GPT2Config(
        vocab_size=sizes.VOCABULARY,
        n_embd=sizes.HIDDEN,
        n_layer=2,
        n_head=sizes.HEADS,
        n_positions=sizes.POSITIONS,
        bos_token_id=0,
        eos_token_id=0,
    )


def t5(**more):
    return transformers.T5Config(
        vocab_size=sizes.VOCABULARY,
        d_model=sizes.HIDDEN,
        d_kv=sizes.KEY,
        d_ff=sizes.INTERMEDIATE,
        num_layers=2,
        num_heads=sizes.HEADS,
        relative_attention_num_buckets=sizes.BUCKETS,
        relative_attention_max_distance=sizes.FARTHEST,
        **more,
    )


#: Each of Hugging Face's models, and what its outputs are called in TensorFlow's.
TRANSFORMERS = {
    "bert": (transformers.BertForPreTraining, bert(3), {}),
    "bert_classifier": (
        transformers.BertForSequenceClassification,
        bert(1, num_labels=5),
        {},
    ),
    "bert_squad": (transformers.BertForQuestionAnswering, bert(1), {}),
    "albert": (transformers.AlbertForPreTraining, albert(), {}),
    "electra": (
        transformers.ElectraForPreTraining,
        electra(2),
        {"logits": "discriminator_logits"},
    ),
    "electra_generator": (
        transformers.ElectraForMaskedLM,
        electra(1),
        {"logits": "generator_logits"},
    ),
    "gpt2": (transformers.GPT2LMHeadModel, gpt2(), {}),
    "t5": (transformers.T5ForConditionalGeneration, t5(), {}),
    "t5_1_1": (
        transformers.T5ForConditionalGeneration,
        t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        {},
    ),
}
#: Models in which no two tensors are tied: a plain strict load takes all of them.
UNTIED = {"bert_classifier", "bert_squad", "electra"}


def given(name, inputs):
    """What a model of Hugging Face is called with."""
    ids = torch.from_numpy(inputs["ids"])
    if name == "gpt2":
        return {"input_ids": ids}
    if name.startswith("t5"):
        targets = torch.from_numpy(inputs["targets"])
        return {"input_ids": ids, "decoder_input_ids": targets}
    return {"input_ids": ids, "token_type_ids": torch.from_numpy(inputs["type_ids"])}


def pretrained(make, config, path):
    """A model as people load one, from a directory; nothing may be left over."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(path, os.path.join(directory, "model.safetensors"))
        config.save_pretrained(directory)
        model, info = make.from_pretrained(directory, output_loading_info=True)
    assert not any(info.values()), (path, info)
    return model


def loaded(make, config, path):
    """A model that the format's own library fills: strict, but for tied tensors."""
    model = make(config)
    safetensors.torch.load_model(model, path, strict=True)
    return model


def strictly(make, config, path):
    model = make(config)
    model.load_state_dict(safetensors.torch.load_file(path), strict=True)
    return model


def check(found, wanted, where):
    differs = np.abs(found.numpy() - wanted).max()
    print(f"{where}: off by {differs:.1e}")
    assert differs < MOST, (where, differs)
    assert np.ptp(wanted) > 0.01, (where, "all the same")


def check_transformer(name, path, wanted, inputs):
    make, config, called = TRANSFORMERS[name]
    ways = [pretrained, loaded, *([strictly] if name in UNTIED else [])]
    for way in ways:
        model = way(make, config, path).eval()
        outputs = model(**given(name, inputs))
        names = called or {key: key for key in wanted}
        for key, theirs in names.items():
            check(outputs[key], wanted[theirs], f"{name}, {way.__name__}, {key}")


def resnet():
    """torchvision's ResNet-50, which pools as TensorFlow's SAME does."""
    model = torchvision.models.resnet50(num_classes=sizes.CLASSES)
    pad = torch.nn.ConstantPad2d((0, 1, 0, 1), float("-inf"))
    model.maxpool = torch.nn.Sequential(pad, torch.nn.MaxPool2d(3, 2))
    return model


def with_strides_of_slim(model):
    """The stride of a block in its last unit, where slim has it."""
    layers = [model.layer1, model.layer2, model.layer3, model.layer4]
    for layer, following in zip(layers, layers[1:]):
        layer[-1].conv2.stride = (2, 2)
        layer[-1].downsample = torch.nn.MaxPool2d(1, 2)
        following[0].conv2.stride = (1, 1)
        following[0].downsample[0].stride = (1, 1)


def check_resnet(name, path, wanted, inputs):
    model = resnet()
    if name.startswith("slim"):
        with_strides_of_slim(model)
    model.load_state_dict(safetensors.torch.load_file(path), strict=True)
    images = torch.from_numpy(inputs["images"]).permute(0, 3, 1, 2)
    check(model.eval()(images), wanted["logits"], name)


@torch.no_grad()
def main(directory, *names):
    inputs = np.load(os.path.join(directory, "inputs.npz"))
    for name in names:
        path = os.path.join(directory, f"{name}.safetensors")
        outputs = np.load(os.path.join(directory, f"{name}.npz"))
        one = check_resnet if "resnet" in name else check_transformer
        one(name, path, outputs, inputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
