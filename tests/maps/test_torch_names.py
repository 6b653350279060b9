"""Maps to PyTorch's names, as facts; against the real models: tests/compat."""

import pytest

from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.builtin_maps import BUILTIN_MAPS
from estimator_ckpt.maps.torch_names.torch_name import Arrangement

AS_IT_IS, DENSE, CONV, MATRIX = Arrangement

FACTS = {
    "bert_to_hf": [
        (
            "bert/embeddings/token_type_embeddings",
            "bert.embeddings.token_type_embeddings.weight",
            AS_IT_IS,
        ),
        ("bert/embeddings/LayerNorm/beta", "bert.embeddings.LayerNorm.bias", AS_IT_IS),
        (
            "bert/encoder/layer_11/attention/self/query/kernel",
            "bert.encoder.layer.11.attention.self.query.weight",
            DENSE,
        ),
        (
            "bert/encoder/layer_23/attention/output/LayerNorm/gamma",
            "bert.encoder.layer.23.attention.output.LayerNorm.weight",
            AS_IT_IS,
        ),
        (
            "bert/encoder/layer_0/intermediate/dense/bias",
            "bert.encoder.layer.0.intermediate.dense.bias",
            AS_IT_IS,
        ),
        ("bert/pooler/dense/kernel", "bert.pooler.dense.weight", DENSE),
        (
            "module/bert/embeddings/LayerNorm/gamma",
            "bert.embeddings.LayerNorm.weight",
            AS_IT_IS,
        ),
        ("cls/predictions/output_bias", "cls.predictions.bias", AS_IT_IS),
        (
            "cls/predictions/transform/dense/kernel",
            "cls.predictions.transform.dense.weight",
            DENSE,
        ),
        # TensorFlow's BERT multiplies by its transpose: it is [2, hidden] already.
        (
            "cls/seq_relationship/output_weights",
            "cls.seq_relationship.weight",
            AS_IT_IS,
        ),
        ("output_weights", "classifier.weight", AS_IT_IS),
        ("cls/squad/output_bias", "qa_outputs.bias", AS_IT_IS),
    ],
    "albert_to_hf": [
        (
            "module/bert/embeddings/word_embeddings",
            "albert.embeddings.word_embeddings.weight",
            AS_IT_IS,
        ),
        (
            "bert/encoder/transformer/group_0/inner_group_1/attention_1/self/key/kernel",
            "albert.encoder.albert_layer_groups.0.albert_layers.1.attention.key.weight",
            DENSE,
        ),
        (
            "bert/encoder/transformer/group_2/inner_group_0/LayerNorm/gamma",
            "albert.encoder.albert_layer_groups.2.albert_layers.0.attention.LayerNorm"
            ".weight",
            AS_IT_IS,
        ),
        (
            "bert/encoder/transformer/group_0/inner_group_0/LayerNorm_1/beta",
            "albert.encoder.albert_layer_groups.0.albert_layers.0"
            ".full_layer_layer_norm.bias",
            AS_IT_IS,
        ),
        (
            "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/"
            "dense/kernel",
            "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output.weight",
            DENSE,
        ),
        ("bert/pooler/dense/bias", "albert.pooler.bias", AS_IT_IS),
        (
            "cls/predictions/transform/LayerNorm/beta",
            "predictions.LayerNorm.bias",
            AS_IT_IS,
        ),
    ],
    "electra_to_hf": [
        (
            "electra/embeddings_project/kernel",
            "electra.embeddings_project.weight",
            DENSE,
        ),
        (
            "electra/encoder/layer_3/output/dense/kernel",
            "electra.encoder.layer.3.output.dense.weight",
            DENSE,
        ),
        (
            "discriminator_predictions/dense_1/bias",
            "discriminator_predictions.dense_prediction.bias",
            AS_IT_IS,
        ),
        ("generator_predictions/output_bias", None, None),
    ],
    "electra_generator_to_hf": [
        (
            "electra/embeddings/word_embeddings",
            "electra.embeddings.word_embeddings.weight",
            AS_IT_IS,
        ),
        (
            "generator/encoder/layer_3/output/dense/kernel",
            "electra.encoder.layer.3.output.dense.weight",
            DENSE,
        ),
        ("electra/encoder/layer_3/output/dense/kernel", None, None),
        ("generator_predictions/output_bias", "generator_lm_head.bias", AS_IT_IS),
    ],
    "gpt2_to_hf": [
        ("model/wte", "transformer.wte.weight", AS_IT_IS),
        ("model/h10/attn/c_attn/w", "transformer.h.10.attn.c_attn.weight", MATRIX),
        ("model/h0/mlp/c_proj/b", "transformer.h.0.mlp.c_proj.bias", AS_IT_IS),
        ("model/h0/ln_2/g", "transformer.h.0.ln_2.weight", AS_IT_IS),
        ("model/ln_f/b", "transformer.ln_f.bias", AS_IT_IS),
    ],
    "t5_to_hf": [
        ("shared/embedding", "shared.weight", AS_IT_IS),
        (
            "decoder/block_011/layer_001/EncDecAttention/k",
            "decoder.block.11.layer.1.EncDecAttention.k.weight",
            DENSE,
        ),
        (
            "encoder/block_000/layer_000/SelfAttention/relative_attention_bias",
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            DENSE,
        ),
        (
            "encoder/block_000/layer_001/DenseReluDense/wi_1/kernel",
            "encoder.block.0.layer.1.DenseReluDense.wi_1.weight",
            DENSE,
        ),
        (
            "decoder/block_001/layer_002/rms_norm/scale",
            "decoder.block.1.layer.2.layer_norm.weight",
            AS_IT_IS,
        ),
        ("encoder/final_layer_norm/scale", "encoder.final_layer_norm.weight", AS_IT_IS),
        ("decoder/rms_norm/scale", "decoder.final_layer_norm.weight", AS_IT_IS),
        ("decoder/logits/kernel", "lm_head.weight", DENSE),
    ],
    "slim_resnet_to_torchvision": [
        ("resnet_v1_50/conv1/weights", "conv1.weight", CONV),
        ("resnet_v1_50/conv1/BatchNorm/moving_mean", "bn1.running_mean", AS_IT_IS),
        (
            "resnet_v1_152/block3/unit_36/bottleneck_v1/conv2/weights",
            "layer3.35.conv2.weight",
            CONV,
        ),
        (
            "resnet_v1_50/block1/unit_1/bottleneck_v1/shortcut/BatchNorm/beta",
            "layer1.0.downsample.1.bias",
            AS_IT_IS,
        ),
        ("resnet_v1_101/logits/weights", "fc.weight", DENSE),
        ("resnet_v2_50/block1/unit_1/bottleneck_v2/conv1/weights", None, None),
    ],
    "official_resnet50_to_torchvision": [
        ("resnet_model/conv2d/kernel", "conv1.weight", CONV),
        ("resnet_model/conv2d_1/kernel", "layer1.0.downsample.0.weight", CONV),
        ("resnet_model/conv2d_4/kernel", "layer1.0.conv3.weight", CONV),
        ("resnet_model/conv2d_11/kernel", "layer2.0.downsample.0.weight", CONV),
        (
            "resnet_model/batch_normalization_52/moving_variance",
            "layer4.2.bn3.running_var",
            AS_IT_IS,
        ),
        ("resnet_model/conv2d_53/kernel", None, None),
        ("resnet_model/dense/kernel", "fc.weight", DENSE),
    ],
    "official_resnet101_to_torchvision": [
        ("resnet_model/conv2d_103/kernel", "layer4.2.conv3.weight", CONV),
        ("conv2d_102/kernel", "layer4.2.conv2.weight", CONV),
        ("resnet_model/conv2d_104/kernel", None, None),
    ],
    "official_resnet152_to_torchvision": [
        ("resnet_model/conv2d_154/kernel", "layer4.2.conv3.weight", CONV),
        ("resnet_model/conv2d_155/kernel", None, None),
    ],
}


@pytest.mark.parametrize("name", FACTS)
def test_names_and_arrangements(name):
    names = [source for source, _, _ in FACTS[name]]
    found = AssignmentMap.of(f"builtin:{name}").rename(names, source="c")
    for source, target, arrangement in FACTS[name]:
        (move,) = [move for move in found.moves if move.old == source]
        assert move.new == (target or source)
        assert (move.rule and move.rule.arrangement) == arrangement


def test_every_map_to_pytorch_has_its_facts():
    assert set(FACTS) == {n for n, found in BUILTIN_MAPS.items() if found.is_to_torch}


@pytest.mark.parametrize(
    ("name", "variable", "slots"),
    [
        ("bert_to_hf", "bert/pooler/dense/kernel", ["/adam_m", "/adam_v"]),
        ("t5_to_hf", "shared/embedding", ["_slot_vc", "_slot_vr"]),
        ("t5_to_hf", "encoder/final_layer_norm/scale", ["_slot_v"]),
    ],
)
def test_slots_follow_their_variable(name, variable, slots):
    names = [variable, *(f"{variable}{slot}" for slot in slots)]
    found = AssignmentMap.of(f"builtin:{name}").rename(names, source="c").targets
    (new,) = found[variable]
    for slot in slots:
        assert found[f"{variable}{slot}"] == (f"{new}{slot}",)


def test_two_maps_of_one_family_do_not_meet():
    with pytest.raises(ValueError, match="gives one name to several variables"):
        AssignmentMap.of("builtin:electra_generator_to_hf").rename(
            [
                "electra/embeddings/word_embeddings",
                "generator/embeddings/word_embeddings",
            ],
            source="c",
        )


def test_averages_are_arranged_as_their_variables():
    names = [
        "model/h0/attn/c_attn/w",
        "model/h0/attn/c_attn/w/ExponentialMovingAverage",
    ]
    found = AssignmentMap.of(["builtin:use_ema", "builtin:gpt2_to_hf"]).rename(
        names, source="c"
    )
    (move,) = found.moves
    assert (move.old, move.new) == (names[1], "transformer.h.0.attn.c_attn.weight")
    assert move.rule.arrangement is MATRIX
    assert found.replaced == (names[0],)


@pytest.mark.parametrize(
    ("arrangement", "shape", "there"),
    [
        (AS_IT_IS, (5, 4), (5, 4)),
        (DENSE, (4, 6), (6, 4)),
        (DENSE, (1, 1, 4, 6), (6, 4)),
        (DENSE, (3, 3, 4, 6), (3, 3, 4, 6)),  # none: it keeps its shape
        (CONV, (7, 5, 3, 4), (4, 3, 7, 5)),
        (MATRIX, (1, 4, 6), (4, 6)),
        (DENSE, (6,), (6,)),
    ],
)
def test_shapes_in_pytorch(arrangement, shape, there):
    assert arrangement.shape_of(shape) == there
