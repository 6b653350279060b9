"""Names of the variables of well-known models, before and after they were rewritten.

Each function gives rows of old name, new name, shape. The names and shapes are those of
the published checkpoints: BERT (google-research/bert), GPT-2 (openai/gpt-2), XLNet, the
Transformer of tensor2tensor, ResNet-50 and VGG-16 (tf-slim, tf.keras.applications),
Inception v1 and MobileNet v2 (tf-slim), EfficientNet-B0 (tensorflow/tpu), a fairseq
Transformer, Deep Interest Network, and canned estimators.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")


@dataclasses.dataclass(frozen=True)
class Migration:
    """A model before and after it was rewritten.

    Attributes:
      rows: old name, new name and shape of each variable that names, shapes and
        numbers determine.
      open: the same for those that nothing determines: right if found, and not missed.
      only_source: shapes by name of what only the old model has.
      only_target: the same of the new one.
    """

    rows: Sequence[tuple[str, str, tuple[int, ...]]]
    open: Sequence[tuple[str, str, tuple[int, ...]]] = ()
    only_source: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    only_target: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)

    @property
    def source(self):
        """Shapes by name of the old model."""
        every = (*self.rows, *self.open)
        return {**{old: shape for old, _, shape in every}, **self.only_source}

    @property
    def target(self):
        """Shapes by name of the new model."""
        every = (*self.rows, *self.open)
        return {**{new: shape for _, new, shape in every}, **self.only_target}

    @property
    def truth(self):
        """New names by old ones, of all that both have."""
        return {old: new for old, new, _ in (*self.rows, *self.open)}

    def back(self):
        """The same the other way."""
        rows, opened = (
            [(new, old, shape) for old, new, shape in some]
            for some in (self.rows, self.open)
        )
        return Migration(rows, opened, self.only_target, self.only_source)


def layer(old, new, shape, leaves=("kernel", "bias"), new_leaves=None):
    """The rows of a layer with a kernel, and a bias as long as its last axis."""
    new_leaves = new_leaves or leaves
    return [
        (f"{old}/{leaves[0]}", f"{new}/{new_leaves[0]}", shape),
        (f"{old}/{leaves[1]}", f"{new}/{new_leaves[1]}", shape[-1:]),
    ]


def norm(old, new, size, leaves=STATISTICS, new_leaves=None):
    pairs = zip(leaves, new_leaves or leaves)
    return [(f"{old}/{a}", f"{new}/{b}", (size,)) for a, b in pairs]


def bert(rename, layers=12, h=768):
    """BERT, with `rename` from its names to the new ones."""
    shapes = {
        "bert/embeddings/word_embeddings": (30522, h),
        "bert/embeddings/token_type_embeddings": (2, h),
        "bert/embeddings/position_embeddings": (512, h),
        "bert/embeddings/LayerNorm/gamma": (h,),
        "bert/embeddings/LayerNorm/beta": (h,),
        "bert/pooler/dense/kernel": (h, h),
        "bert/pooler/dense/bias": (h,),
    }
    for i in range(layers):
        scope = f"bert/encoder/layer_{i}"
        for part, shape in (
            ("attention/self/query", (h, h)),
            ("attention/self/key", (h, h)),
            ("attention/self/value", (h, h)),
            ("attention/output/dense", (h, h)),
            ("intermediate/dense", (h, 4 * h)),
            ("output/dense", (4 * h, h)),
        ):
            shapes[f"{scope}/{part}/kernel"] = shape
            shapes[f"{scope}/{part}/bias"] = shape[-1:]
        for part in ("attention/output", "output"):
            shapes[f"{scope}/{part}/LayerNorm/gamma"] = (h,)
            shapes[f"{scope}/{part}/LayerNorm/beta"] = (h,)
    return [(name, rename(name), shape) for name, shape in shapes.items()]


def replacing(first_layer, *replacements):
    """A rename that numbers layers from `first_layer` and replaces texts in order."""

    def rename(name):
        name = re.sub(
            r"layer_(\d+)", lambda m: f"layer_{int(m[1]) + first_layer}", name
        )
        for old, new in replacements:
            name = name.replace(old, new)
        return name

    return rename


SCOPES = (("bert/", "model/"), ("layer_", "block_"))
BLOCKS = (
    ("bert/encoder/layer_", "transformer/block_"),
    ("attention/self/", "attn/"),
    ("attention/output/dense", "attn/out"),
    ("attention/output/LayerNorm", "ln_1"),
    ("intermediate/dense", "ffn/fc1"),
    ("output/dense", "ffn/fc2"),
    ("output/LayerNorm", "ln_2"),
    ("bert/embeddings/word_embeddings", "emb/tokens"),
    ("bert/embeddings/token_type_embeddings", "emb/segments"),
    ("bert/embeddings/position_embeddings", "emb/positions"),
    ("bert/embeddings/LayerNorm", "emb/ln"),
    ("bert/pooler/dense", "pool"),
)
ABBREVIATED = (
    ("bert/encoder/layer_", "tower/h"),
    ("attention/self/query", "mha/q"),
    ("attention/self/key", "mha/k"),
    ("attention/self/value", "mha/v"),
    ("attention/output/dense", "mha/o"),
    ("attention/output/LayerNorm", "mha_norm"),
    ("intermediate/dense", "mlp/up"),
    ("output/dense", "mlp/down"),
    ("output/LayerNorm", "mlp_norm"),
    ("bert/pooler/dense", "pool"),
    ("bert/embeddings/LayerNorm", "emb/ln"),
    ("bert/embeddings/word_embeddings", "emb/tok"),
    ("bert/embeddings/token_type_embeddings", "emb/seg"),
    ("bert/embeddings/position_embeddings", "emb/pos"),
    ("kernel", "w"),
    ("bias", "b"),
    ("gamma", "scale"),
    ("beta", "offset"),
)


def gpt2(h=768):
    rows = [
        ("model/wte", "transformer/token_embedding", (50257, h)),
        ("model/wpe", "transformer/position_embedding", (1024, h)),
    ]
    norms = ("g", "b"), ("gamma", "beta")
    rows += norm("model/ln_f", "transformer/final_norm", h, *norms)
    for i in range(12):
        old, new = f"model/h{i}", f"transformer/layer_{i}"
        rows += norm(f"{old}/ln_1", f"{new}/attn_norm", h, *norms)
        rows += norm(f"{old}/ln_2", f"{new}/mlp_norm", h, *norms)
        for a, b, shape in (
            ("attn/c_attn", "attention/qkv", (1, h, 3 * h)),
            ("attn/c_proj", "attention/output", (1, h, h)),
            ("mlp/c_fc", "mlp/fc", (1, h, 4 * h)),
            ("mlp/c_proj", "mlp/proj", (1, 4 * h, h)),
        ):
            rows += layer(
                f"{old}/{a}", f"{new}/{b}", shape, ("w", "b"), ("kernel", "bias")
            )
    return rows


def xlnet(h=1024):
    old, new = "model/transformer", "tf_xlnet"
    rows = [
        (
            f"{old}/word_embedding/lookup_table",
            f"{new}/word_embedding/weight",
            (32000, h),
        ),
        (f"{old}/mask_emb/mask_emb", f"{new}/mask_emb", (1, 1, h)),
    ]
    for i in range(24):
        a, b = f"{old}/layer_{i}", f"{new}/layer_._{i}"
        rows += [
            (f"{a}/rel_attn/{w}/kernel", f"{b}/rel_attn/{w}", (h, 16, 64))
            for w in "qkvor"
        ]
        for part in ("rel_attn", "ff"):
            rows += norm(
                f"{a}/{part}/LayerNorm",
                f"{b}/{part}/layer_norm",
                h,
                ("gamma", "beta"),
                ("weight", "bias"),
            )
        rows += layer(f"{a}/ff/layer_1", f"{b}/ff/layer_1", (h, 4 * h))
        rows += layer(f"{a}/ff/layer_2", f"{b}/ff/layer_2", (4 * h, h))
    return rows


def tensor2tensor(h=512):
    rows = []
    for side in ("encoder", "decoder"):
        for i in range(6):
            old = f"transformer/body/{side}/layer_{i}"
            new = f"model/Transformer/{side}_stack/layer_{i}"
            norms = "layer_prepostprocess/layer_norm"
            leaves = ("layer_norm_scale", "layer_norm_bias"), ("gamma", "beta")
            attentions = ["self_attention"] + ["encdec_attention"] * (side == "decoder")
            for attention in attentions:
                for q in ("q", "k", "v", "output_transform"):
                    rows.append(
                        (
                            f"{old}/{attention}/multihead_attention/{q}/kernel",
                            f"{new}/{attention}/{q}/kernel",
                            (h, h),
                        )
                    )
                rows += norm(
                    f"{old}/{attention}/{norms}",
                    f"{new}/{attention}/layer_normalization",
                    h,
                    *leaves,
                )
            rows += layer(f"{old}/ffn/conv1", f"{new}/ffn/filter_layer", (h, 4 * h))
            rows += layer(f"{old}/ffn/conv2", f"{new}/ffn/output_layer", (4 * h, h))
            rows += norm(
                f"{old}/ffn/{norms}", f"{new}/ffn/layer_normalization", h, *leaves
            )
    return rows


def resnet50():
    """From names that tf1.layers numbers to the blocks of tf.keras.applications."""
    rows, number = [], 0

    def conv(name, size, inputs, outputs):
        nonlocal number
        suffix = f"_{number}" if number else ""
        number += 1
        rows.append(
            (
                f"resnet_model/conv2d{suffix}/kernel",
                f"{name}_conv/kernel",
                (size, size, inputs, outputs),
            )
        )
        old = f"resnet_model/batch_normalization{suffix}"
        rows.extend(norm(old, f"{name}_bn", outputs))

    conv("conv1", 7, 3, 64)
    inputs = 64
    for stage, (blocks, f) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], 2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}_block{block}"
            if block == 1:
                conv(f"{name}_0", 1, inputs, 4 * f)
            conv(f"{name}_1", 1, inputs, f)
            conv(f"{name}_2", 3, f, f)
            conv(f"{name}_3", 1, f, 4 * f)
            inputs = 4 * f
    return rows + layer("resnet_model/dense", "predictions", (2048, 1000))


def vgg16():
    rows, inputs = [], 3
    leaves = ("weights", "biases"), ("kernel", "bias")
    stages = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
    for stage, (convs, outputs) in enumerate(stages, 1):
        for i in range(1, convs + 1):
            old, new = f"vgg_16/conv{stage}/conv{stage}_{i}", f"block{stage}_conv{i}"
            rows += layer(old, new, (3, 3, inputs, outputs), *leaves)
            inputs = outputs
    for old, new, shape in (
        ("fc6", "fc1", (7, 7, 512, 4096)),
        ("fc7", "fc2", (1, 1, 4096, 4096)),
        ("fc8", "predictions", (1, 1, 4096, 1000)),
    ):
        rows += layer(f"vgg_16/{old}", new, shape, *leaves)
    return rows


def inception_v1():
    """From tf-slim's branches to names that tf.keras numbers."""
    convs = [
        ("Conv2d_1a_7x7", (7, 7, 3, 64)),
        ("Conv2d_2b_1x1", (1, 1, 64, 64)),
        ("Conv2d_2c_3x3", (3, 3, 64, 192)),
    ]
    for mixed, inputs, a, b, c, d, e, f in (
        ("3b", 192, 64, 96, 128, 16, 32, 32),
        ("3c", 256, 128, 128, 192, 32, 96, 64),
        ("4b", 480, 192, 96, 208, 16, 48, 64),
        ("4c", 512, 160, 112, 224, 24, 64, 64),
        ("4d", 512, 128, 128, 256, 24, 64, 64),
        ("4e", 512, 112, 144, 288, 32, 64, 64),
        ("4f", 528, 256, 160, 320, 32, 128, 128),
        ("5b", 832, 256, 160, 320, 32, 128, 128),
        ("5c", 832, 384, 192, 384, 48, 128, 128),
    ):
        convs += [
            (f"Mixed_{mixed}/{name}", shape)
            for name, shape in (
                ("Branch_0/Conv2d_0a_1x1", (1, 1, inputs, a)),
                ("Branch_1/Conv2d_0a_1x1", (1, 1, inputs, b)),
                ("Branch_1/Conv2d_0b_3x3", (3, 3, b, c)),
                ("Branch_2/Conv2d_0a_1x1", (1, 1, inputs, d)),
                ("Branch_2/Conv2d_0b_3x3", (3, 3, d, e)),
                ("Branch_3/Conv2d_0b_1x1", (1, 1, inputs, f)),
            )
        ]
    rows = []
    for number, (name, shape) in enumerate(convs):
        suffix = f"_{number}" if number else ""
        rows.append((f"InceptionV1/{name}/weights", f"conv2d{suffix}/kernel", shape))
        rows += norm(
            f"InceptionV1/{name}/BatchNorm",
            f"batch_normalization{suffix}",
            shape[-1],
            STATISTICS[1:],
        )
    return rows


def canned():
    return [
        row
        for old, new, shape in (
            ("dnn/hiddenlayer_0", "dense", (8, 16)),
            ("dnn/hiddenlayer_1", "dense_1", (16, 16)),
            ("dnn/hiddenlayer_2", "dense_2", (16, 16)),
            ("dnn/logits", "dense_3", (16, 3)),
        )
        for row in layer(old, new, shape)
    ]


def mobilenet_v2():
    old, rows, inputs = "MobilenetV2", [], 32

    def conv(a, b, bn, shape, leaf=("weights", "kernel")):
        size = shape[2] if leaf[1] == "depthwise_kernel" else shape[3]
        rows.append((f"{old}/{a}/{leaf[0]}", f"{b}/{leaf[1]}", shape))
        rows.extend(norm(f"{old}/{a}/BatchNorm", bn, size))

    conv("Conv", "Conv1", "bn_Conv1", (3, 3, 3, 32))
    outputs = [16, *[24] * 2, *[32] * 3, *[64] * 4, *[96] * 3, *[160] * 3, 320]
    for i, f in enumerate(outputs):
        a, b = (f"expanded_conv_{i}", f"block_{i}") if i else ("expanded_conv",) * 2
        wide = inputs * (6 if i else 1)
        if i:
            conv(f"{a}/expand", f"{b}_expand", f"{b}_expand_BN", (1, 1, inputs, wide))
        leaf = "depthwise_weights", "depthwise_kernel"
        names = f"{a}/depthwise", f"{b}_depthwise", f"{b}_depthwise_BN"
        conv(*names, (3, 3, wide, 1), leaf)
        conv(f"{a}/project", f"{b}_project", f"{b}_project_BN", (1, 1, wide, f))
        inputs = f
    conv("Conv_1", "Conv_1", "Conv_1_bn", (1, 1, 320, 1280))
    return rows


def efficientnet():
    """From names that tf1.layers numbers within blocks to those of tf.keras."""
    old, rows, inputs, number = "efficientnet-b0", [], 32, 0

    def conv(a, b, bns, shape, leaf="kernel"):
        size = shape[2] if leaf == "depthwise_kernel" else shape[3]
        rows.append((f"{old}/{a}/{leaf}", f"{b}/{leaf}", shape))
        rows.extend(norm(f"{old}/{bns[0]}", bns[1], size))

    bn = "tpu_batch_normalization"
    conv("stem/conv2d", "stem_conv", (f"stem/{bn}", "stem_bn"), (3, 3, 3, 32))
    for stage, (repeats, k, expansion, f) in enumerate(
        [(1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112)]
        + [(4, 5, 6, 192), (1, 3, 6, 320)],
        1,
    ):
        for letter in "abcd"[:repeats]:
            a, b, wide = f"blocks_{number}", f"block{stage}{letter}", inputs * expansion
            bns = iter((f"{a}/{bn}", f"{a}/{bn}_1", f"{a}/{bn}_2"))
            if expansion > 1:
                names = f"{a}/conv2d", f"{b}_expand_conv", (next(bns), f"{b}_expand_bn")
                conv(*names, (1, 1, inputs, wide))
            names = f"{a}/depthwise_conv2d", f"{b}_dwconv", (next(bns), f"{b}_bn")
            conv(*names, (k, k, wide, 1), "depthwise_kernel")
            less = inputs // 4
            se = f"{old}/{a}/se/conv2d"
            rows += layer(se, f"{b}_se_reduce", (1, 1, wide, less))
            rows += layer(f"{se}_1", f"{b}_se_expand", (1, 1, less, wide))
            last = f"{a}/conv2d_1" if expansion > 1 else f"{a}/conv2d"
            conv(
                last,
                f"{b}_project_conv",
                (next(bns), f"{b}_project_bn"),
                (1, 1, wide, f),
            )
            inputs, number = f, number + 1
    conv("head/conv2d", "top_conv", (f"head/{bn}", "top_bn"), (1, 1, 320, 1280))
    return rows + layer(f"{old}/head/dense", "predictions", (1280, 1000))


def fairseq(h=512):
    rows, norms = [], (("weight", "bias"), ("gamma", "beta"))
    for side in ("encoder", "decoder"):
        attentions = [("self_attn", "SelfAttention")]
        attentions += [("encoder_attn", "CrossAttention")] * (side == "decoder")
        for i in range(6):
            a, b = f"{side}/layers/{i}", f"model/{side.title()}/Block{i + 1}"
            for old, new in attentions:
                for q in ("q", "k", "v", "out"):
                    names = f"{a}/{old}/{q}_proj", f"{b}/{new}/{q.upper()[0]}"
                    rows += layer(*names, (h, h), norms[0], ("kernel", "bias"))
                rows += norm(f"{a}/{old}_layer_norm", f"{b}/{new}/LayerNorm", h, *norms)
            for n, shape in ((1, (h, 4 * h)), (2, (4 * h, h))):
                names = f"{a}/fc{n}", f"{b}/FeedForward/Dense{n}"
                rows += layer(*names, shape, norms[0], ("kernel", "bias"))
            names = f"{a}/final_layer_norm", f"{b}/FeedForward/LayerNorm"
            rows += norm(*names, h, *norms)
    return rows


def deep_interest():
    rows = [
        ("user_emb_w", "embeddings/user/embeddings", (192403, 128)),
        ("item_emb_w", "embeddings/item/embeddings", (63001, 64)),
        ("cate_emb_w", "embeddings/category/embeddings", (801, 64)),
        *norm("b1", "mlp/batch_normalization", 384),
    ]
    for old, new, inputs in (("f{}", "mlp", 384), ("f{}_att", "attention_unit", 512)):
        for i, shape in enumerate([(inputs, 80), (80, 40), (40, 1)], 1):
            rows += layer(old.format(i), f"{new}/dense_{i}", shape)
    return rows


#: Rows by what was migrated.
MIGRATIONS = {
    "BERT, other scopes": bert(replacing(0, *SCOPES)),
    "BERT, layers from 1": bert(replacing(1)),
    "BERT, other blocks": bert(replacing(0, *BLOCKS)),
    "BERT, other blocks from 1": bert(replacing(1, *BLOCKS)),
    "BERT, abbreviated": bert(replacing(0, *ABBREVIATED)),
    "BERT, abbreviated from 1": bert(replacing(1, *ABBREVIATED)),
    "GPT-2": gpt2(),
    "XLNet": xlnet(),
    "tensor2tensor": tensor2tensor(),
    "ResNet-50, numbered to named": resnet50(),
    "VGG-16, slim to Keras": vgg16(),
    "Inception v1, named to numbered": inception_v1(),
    "MobileNet v2, slim to Keras": mobilenet_v2(),
    "EfficientNet-B0": efficientnet(),
    "fairseq Transformer": fairseq(),
    "Deep Interest Network": deep_interest(),
    "canned DNN": canned(),
}
