"""Names of published models of vision, games and generation, and of rewrites.

As `migrations`: rows of old name, new name, shape. The old names are those that the
repositories named at each function save.
"""

from tests.maps.suggest.migrations import STATISTICS, Migration, layer, norm

SLIM = ("weights", "biases"), ("kernel", "bias")
WB = ("w", "b"), ("kernel", "bias")
NO_SCALE = STATISTICS[1:]


def resnet_v1_slim():
    """tf-slim's ResNet v1 50 to tf.keras.applications."""
    rows = [("resnet_v1_50/conv1/weights", "conv1_conv/kernel", (7, 7, 3, 64))]
    rows += norm("resnet_v1_50/conv1/BatchNorm", "conv1_bn", 64)
    inputs = 64
    for block, (units, f) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], 1):
        for unit in range(1, units + 1):
            a = f"resnet_v1_50/block{block}/unit_{unit}/bottleneck_v1"
            b = f"conv{block + 1}_block{unit}"
            convs = [
                ("conv1", 1, (1, 1, inputs, f)),
                ("conv2", 2, (3, 3, f, f)),
                ("conv3", 3, (1, 1, f, 4 * f)),
            ]
            if unit == 1:
                convs.append(("shortcut", 0, (1, 1, inputs, 4 * f)))
            for old, new, shape in convs:
                rows.append((f"{a}/{old}/weights", f"{b}_{new}_conv/kernel", shape))
                rows += norm(f"{a}/{old}/BatchNorm", f"{b}_{new}_bn", shape[-1])
            inputs = 4 * f
    return Migration(
        rows,
        only_source={
            "resnet_v1_50/logits/weights": (1, 1, 2048, 1000),
            "resnet_v1_50/logits/biases": (1000,),
        },
    )


def mobilenet_v1():
    """tf-slim's MobileNet v1 to tf.keras.applications."""
    rows = [("MobilenetV1/Conv2d_0/weights", "conv1/kernel", (3, 3, 3, 32))]
    rows += norm("MobilenetV1/Conv2d_0/BatchNorm", "conv1_bn", 32)
    inputs = 32
    for i, f in enumerate([64, 128, 128, 256, 256, *[512] * 6, 1024, 1024], 1):
        a = f"MobilenetV1/Conv2d_{i}"
        rows.append(
            (
                f"{a}_depthwise/depthwise_weights",
                f"conv_dw_{i}/depthwise_kernel",
                (3, 3, inputs, 1),
            )
        )
        rows += norm(f"{a}_depthwise/BatchNorm", f"conv_dw_{i}_bn", inputs)
        rows.append(
            (f"{a}_pointwise/weights", f"conv_pw_{i}/kernel", (1, 1, inputs, f))
        )
        rows += norm(f"{a}_pointwise/BatchNorm", f"conv_pw_{i}_bn", f)
        inputs = f
    rows += layer(
        "MobilenetV1/Logits/Conv2d_1c_1x1", "conv_preds", (1, 1, 1024, 1001), *SLIM
    )
    return Migration(rows)


def deeplab():
    """tensorflow/models deeplab (Xception-65) to bonlime/keras-deeplab-v3-plus."""
    rows = []

    def conv(old, new, shape, leaf="kernel"):
        depthwise = leaf == "depthwise_kernel"
        leaves = ("depthwise_weights", leaf) if depthwise else ("weights", leaf)
        rows.append((f"{old}/{leaves[0]}", f"{new}/{leaves[1]}", shape))
        rows.extend(norm(f"{old}/BatchNorm", f"{new}_BN", shape[2 if depthwise else 3]))

    def separable(old, new, inputs, outputs):
        conv(
            f"{old}_depthwise",
            f"{new}_depthwise",
            (3, 3, inputs, 1),
            "depthwise_kernel",
        )
        conv(f"{old}_pointwise", f"{new}_pointwise", (1, 1, inputs, outputs))

    x = "xception_65"
    conv(f"{x}/entry_flow/conv1_1", "entry_flow_conv1_1", (3, 3, 3, 32))
    conv(f"{x}/entry_flow/conv1_2", "entry_flow_conv1_2", (3, 3, 32, 64))
    inputs = 64
    blocks = [("entry_flow", i, (f, f, f)) for i, f in ((1, 128), (2, 256), (3, 728))]
    blocks += [("middle_flow", i, (728,) * 3) for i in range(1, 17)]
    blocks += [
        ("exit_flow", 1, (728, 1024, 1024)),
        ("exit_flow", 2, (1536, 1536, 2048)),
    ]
    for flow, i, sizes in blocks:
        if flow == "middle_flow":
            a, b = f"{x}/{flow}/block1/unit_{i}/xception_module", f"{flow}_unit_{i}"
        else:
            a, b = f"{x}/{flow}/block{i}/unit_1/xception_module", f"{flow}_block{i}"
        first = inputs
        for n, outputs in enumerate(sizes, 1):
            separable(
                f"{a}/separable_conv{n}", f"{b}_separable_conv{n}", inputs, outputs
            )
            inputs = outputs
        if flow != "middle_flow" and (flow, i) != ("exit_flow", 2):
            conv(f"{a}/shortcut", f"{b}_shortcut", (1, 1, first, outputs))
    conv("image_pooling", "image_pooling", (1, 1, 2048, 256))
    conv("aspp0", "aspp0", (1, 1, 2048, 256))
    for i in (1, 2, 3):
        separable(f"aspp{i}", f"aspp{i}", 2048, 256)
    conv("concat_projection", "concat_projection", (1, 1, 1280, 256))
    conv("decoder/feature_projection0", "feature_projection0", (1, 1, 256, 48))
    separable("decoder/decoder_conv0", "decoder_conv0", 304, 256)
    separable("decoder/decoder_conv1", "decoder_conv1", 256, 256)
    rows += layer("logits/semantic", "logits_semantic", (1, 1, 256, 21), *SLIM)
    return Migration(rows)


def dcgan():
    """carpedm20/DCGAN-tensorflow to layers that Keras numbers."""
    g, d = "generator", "discriminator"
    rows = layer(
        f"{g}/g_h0_lin",
        f"{g}/dense",
        (100, 8192),
        ("Matrix", "bias"),
        ("kernel", "bias"),
    )
    rows += norm(f"{g}/g_bn0", f"{g}/batch_normalization", 512)
    sizes = [512, 256, 128, 64, 3]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        new = f"{g}/conv2d_transpose" + (f"_{i}" if i else "")
        rows.append((f"{g}/g_h{i + 1}/w", f"{new}/kernel", (5, 5, outputs, inputs)))
        rows.append((f"{g}/g_h{i + 1}/biases", f"{new}/bias", (outputs,)))
        if i < 3:
            rows += norm(
                f"{g}/g_bn{i + 1}", f"{g}/batch_normalization_{i + 1}", outputs
            )
    sizes = [3, 64, 128, 256, 512]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        new = f"{d}/conv2d" + (f"_{i}" if i else "")
        rows.append((f"{d}/d_h{i}_conv/w", f"{new}/kernel", (5, 5, inputs, outputs)))
        rows.append((f"{d}/d_h{i}_conv/biases", f"{new}/bias", (outputs,)))
        if i:
            bn = f"{d}/batch_normalization" + (f"_{i - 1}" if i > 1 else "")
            rows += norm(f"{d}/d_bn{i}", bn, outputs)
    rows += layer(
        f"{d}/d_h3_lin", f"{d}/dense", (8192, 1), ("Matrix", "bias"), ("kernel", "bias")
    )
    return Migration(rows)


def wgan():
    """igul222/improved_wgan_training: dots instead of slashes."""
    rows = []
    for i, shape in ((2, (5, 5, 256, 512)), (3, (5, 5, 128, 256)), (5, (5, 5, 3, 128))):
        rows.append((f"Generator.{i}.Filters", f"generator/deconv_{i}/kernel", shape))
        rows.append(
            (f"Generator.{i}.Biases", f"generator/deconv_{i}/bias", (shape[2],))
        )
    rows += layer(
        "Generator.Input",
        "generator/input",
        (128, 8192),
        ("W", "b"),
        ("kernel", "bias"),
    )
    rows += norm(
        "Generator.BN1", "generator/bn_1", 8192, ("offset", "scale"), ("beta", "gamma")
    )
    rows += norm(
        "Generator.BN2", "generator/bn_2", 256, ("offset", "scale"), ("beta", "gamma")
    )
    rows += norm(
        "Generator.BN3", "generator/bn_3", 128, ("offset", "scale"), ("beta", "gamma")
    )
    for i, shape in ((1, (5, 5, 3, 128)), (2, (5, 5, 128, 256)), (3, (5, 5, 256, 512))):
        rows.append((f"Discriminator.{i}.Filters", f"critic/conv_{i}/kernel", shape))
        rows.append((f"Discriminator.{i}.Biases", f"critic/conv_{i}/bias", shape[-1:]))
    rows += layer(
        "Discriminator.Output",
        "critic/output",
        (8192, 1),
        ("W", "b"),
        ("kernel", "bias"),
    )
    return Migration([(old.replace("/", "."), new, shape) for old, new, shape in rows])


def pix2pix():
    """affinelayer/pix2pix-tensorflow; the rewrite counts the decoder upwards."""
    rows, g, d = [], "generator", "discriminator"
    sizes = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), 1):
        rows += layer(
            f"{g}/encoder_{i}/conv2d", f"{g}/down_{i - 1}/conv", (4, 4, inputs, outputs)
        )
        if i > 1:
            rows += norm(
                f"{g}/encoder_{i}/batch_normalization", f"{g}/down_{i - 1}/bn", outputs
            )
    reversed_rows = []
    outs = {
        8: (512, 512),
        7: (512, 1024),
        6: (512, 1024),
        5: (512, 1024),
        4: (256, 1024),
        3: (128, 512),
        2: (64, 256),
        1: (3, 128),
    }
    for i, (outputs, inputs) in outs.items():
        a, b = f"{g}/decoder_{i}", f"{g}/up_{8 - i}"
        some = rows if i not in (5, 6, 7, 8) else reversed_rows
        some.append(
            (
                f"{a}/conv2d_transpose/kernel",
                f"{b}/deconv/kernel",
                (4, 4, outputs, inputs),
            )
        )
        some.append((f"{a}/conv2d_transpose/bias", f"{b}/deconv/bias", (outputs,)))
        if i > 1:
            some += norm(f"{a}/batch_normalization", f"{b}/bn", outputs)
    sizes = [6, 64, 128, 256, 512, 1]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), 1):
        rows += layer(
            f"{d}/layer_{i}/conv2d", f"{d}/conv_{i - 1}", (4, 4, inputs, outputs)
        )
        if 1 < i < 5:
            rows += norm(
                f"{d}/layer_{i}/batch_normalization", f"{d}/bn_{i - 1}", outputs
            )
    return Migration(rows, open=reversed_rows)


def unet():
    """A U-Net of scopes to one whose layers Keras numbers within blocks."""
    rows, inputs = [], 3
    for i, f in enumerate((64, 128, 256, 512), 1):
        for n, shape in enumerate(((3, 3, inputs, f), (3, 3, f, f)), 1):
            new = f"encoder/block_{i - 1}/conv2d" + ("_1" if n == 2 else "")
            rows += layer(f"unet/down{i}/conv{n}", new, shape)
            rows += norm(
                f"unet/down{i}/bn{n}", new.replace("conv2d", "batch_normalization"), f
            )
        inputs = f
    for n, shape in enumerate(((3, 3, 512, 1024), (3, 3, 1024, 1024)), 1):
        rows += layer(
            f"unet/center/conv{n}",
            "bottleneck/conv2d" + ("_1" if n == 2 else ""),
            shape,
        )
    for i, f in enumerate((512, 256, 128, 64), 1):
        rows += layer(
            f"unet/up{i}/upconv",
            f"decoder/block_{i - 1}/conv2d_transpose",
            (2, 2, f, 2 * f),
        )
        for n, shape in enumerate(((3, 3, 2 * f, f), (3, 3, f, f)), 1):
            new = f"decoder/block_{i - 1}/conv2d" + ("_1" if n == 2 else "")
            rows += layer(f"unet/up{i}/conv{n}", new, shape)
    rows += layer("unet/out", "logits", (1, 1, 64, 2))
    return Migration(rows)


def deep_q():
    """openai/baselines' deepq: a target network whose scope begins with target_."""
    rows = []
    for scope, new in (("q_func", "online"), ("target_q_func", "target")):
        a = f"deepq/{scope}"
        for i, shape in enumerate(((8, 8, 4, 32), (4, 4, 32, 64), (3, 3, 64, 64))):
            suffix = f"_{i}" if i else ""
            rows += layer(
                f"{a}/convnet/Conv{suffix}", f"{new}/conv2d{suffix}", shape, *SLIM
            )
        rows += layer(
            f"{a}/action_value/fully_connected", f"{new}/dense", (3136, 512), *SLIM
        )
        rows += layer(
            f"{a}/action_value/fully_connected_1", f"{new}/dense_1", (512, 6), *SLIM
        )
    return Migration(rows)


def dopamine():
    """google/dopamine's DQN of tf-slim, and of tf.keras."""
    rows = []
    for scope in ("Online", "Target"):
        for i, shape in enumerate(((8, 8, 4, 32), (4, 4, 32, 64), (3, 3, 64, 64))):
            old = f"{scope}/Conv" + (f"_{i}" if i else "")
            rows += layer(old, f"{scope}/Conv2d_{i}", shape, *SLIM)
        rows += layer(
            f"{scope}/fully_connected", f"{scope}/Dense_0", (7744, 512), *SLIM
        )
        rows += layer(f"{scope}/fully_connected_1", f"{scope}/Dense_1", (512, 6), *SLIM)
    return Migration(rows)


def policy_and_value():
    """openai/baselines' ppo2 of two networks: pi and vf."""
    rows = []
    for old, new, outputs in (("pi", "policy", 6), ("vf", "value", 1)):
        for i, shape in enumerate(((17, 64), (64, 64))):
            rows += layer(
                f"ppo2_model/{old}/mlp_fc{i}", f"{new}/hidden_{i}", shape, *WB
            )
        head = f"ppo2_model/{old}" if old == "pi" else f"ppo2_model/{old}/out"
        rows += layer(
            f"{head}/head" if old == "pi" else head, f"{new}/output", (64, outputs), *WB
        )
    rows.append(("ppo2_model/pi/logstd", "policy/log_std", (1, 6)))
    return Migration(rows)


def capsules():
    """naturomics/CapsNet-Tensorflow."""
    rows = [
        *layer("Conv1_layer/Conv", "conv1", (9, 9, 1, 256), *SLIM),
        *layer("PrimaryCaps_layer/Conv", "primary_caps/conv", (9, 9, 256, 256), *SLIM),
        ("DigitCaps_layer/routing/Weight", "digit_caps/weight", (1, 1152, 160, 8, 1)),
        ("DigitCaps_layer/routing/biases", "digit_caps/bias", (1, 1, 10, 16, 1)),
    ]
    for i, shape in enumerate(((160, 512), (512, 1024), (1024, 784))):
        old = "Decoder/fully_connected" + (f"_{i}" if i else "")
        rows += layer(old, f"reconstruction/dense_{i + 1}", shape, *SLIM)
    return Migration(rows)


def spleeter():
    """deezer/spleeter's 2stems: two U-Nets numbered through; only order tells them."""
    opened = []
    for stem, new in enumerate(("vocals", "accompaniment")):
        inputs = 2
        for i, f in enumerate((16, 32, 64, 128, 256, 512)):
            n = 7 * stem + i
            opened += layer(
                "conv2d" + (f"_{n}" if n else ""),
                f"{new}/down_{i}/conv",
                (5, 5, inputs, f),
            )
            n = 12 * stem + i
            opened += norm(
                "batch_normalization" + (f"_{n}" if n else ""), f"{new}/down_{i}/bn", f
            )
            inputs = f
    return Migration([], open=opened)


def image_captions():
    """tensorflow/models im2txt."""
    return Migration(
        [
            ("seq_embedding/map", "decoder/word_embedding/embeddings", (12000, 512)),
            ("image_embedding/weights", "encoder/image_embedding/kernel", (2048, 512)),
            *layer("lstm/basic_lstm_cell", "decoder/lstm_cell", (1024, 2048)),
            *layer("logits", "decoder/logits", (512, 12000), *SLIM),
        ]
    )


def mnist_tutorial():
    """TensorFlow's Deep MNIST for Experts."""
    rows = []
    for old, new, shape in (
        ("conv1", "conv2d", (5, 5, 1, 32)),
        ("conv2", "conv2d_1", (5, 5, 32, 64)),
        ("fc1", "dense", (3136, 1024)),
        ("fc2", "dense_1", (1024, 10)),
    ):
        rows.append((f"W_{old}", f"{new}/kernel", shape))
        rows.append((f"b_{old}", f"{new}/bias", shape[-1:]))
    return Migration(rows)


def wc1():
    """aymericdamien/TensorFlow-Examples: wc1, bc1, wd1, out."""
    rows = []
    for n, new, shape in (
        ("c1", "conv1", (5, 5, 1, 32)),
        ("c2", "conv2", (5, 5, 32, 64)),
        ("d1", "fc1", (3136, 1024)),
    ):
        rows.append((f"w{n}", f"{new}/weights", shape))
        rows.append((f"b{n}", f"{new}/biases", shape[-1:]))
    rows += [("w_out", "out/weights", (1024, 10)), ("b_out", "out/biases", (10,))]
    return Migration(rows)


def progressive_gan():
    """tkarras/progressive_growing_of_gans."""
    rows = layer(
        "G/4x4/Dense",
        "generator/block_4/dense",
        (512, 8192),
        ("weight", "bias"),
        ("kernel", "bias"),
    )
    leaves = ("weight", "bias"), ("kernel", "bias")
    rows += layer("G/4x4/Conv", "generator/block_4/conv", (3, 3, 512, 512), *leaves)
    for size, f, inputs in (
        (8, 512, 512),
        (16, 512, 512),
        (32, 512, 512),
        (64, 256, 512),
        (128, 128, 256),
    ):
        a, b = f"G/{size}x{size}", f"generator/block_{size}"
        rows.append((f"{a}/Conv0_up/weight", f"{b}/conv_up/kernel", (3, 3, f, inputs)))
        rows.append((f"{a}/Conv0_up/bias", f"{b}/conv_up/bias", (f,)))
        rows += layer(f"{a}/Conv1", f"{b}/conv", (3, 3, f, f), *leaves)
    for i, f in enumerate((128, 256, 512, 512, 512, 512)):
        rows += layer(f"G/ToRGB_lod{i}", f"generator/to_rgb_{i}", (1, 1, f, 3), *leaves)
    return Migration(rows)


def yolo():
    """wizyoung/YOLOv3_TensorFlow: slim's numbers to those of tf.keras."""
    rows, number, inputs = [], 0, 3
    body, head = "yolov3/darknet53_body", "yolov3/yolov3_head"

    def conv(scope, n, size, outputs, has_norm=True):
        nonlocal inputs, number, norms
        old = f"{scope}/Conv" + (f"_{n}" if n else "")
        new = "conv2d" + (f"_{number}" if number else "")
        rows.append((f"{old}/weights", f"{new}/kernel", (size, size, inputs, outputs)))
        if has_norm:
            bn = "batch_normalization" + (f"_{norms}" if norms else "")
            rows.extend(norm(f"{old}/BatchNorm", bn, outputs))
            norms += 1
        else:
            rows.append((f"{old}/biases", f"{new}/bias", (outputs,)))
        number += 1
        inputs = outputs

    norms, n = 0, 0
    conv(body, n, 3, 32)
    for repeats, f in ((1, 64), (2, 128), (8, 256), (8, 512), (4, 1024)):
        n += 1
        conv(body, n, 3, f)
        for _ in range(repeats):
            conv(body, n + 1, 1, f // 2)
            conv(body, n + 2, 3, f)
            n += 2
    n = 0
    for f, more in ((512, 0), (256, 256), (128, 128)):
        if more:
            conv(head, n, 1, f)
            n += 1
            inputs = f + 2 * f
        for size, outputs in ((1, f), (3, 2 * f)) * 3:
            conv(head, n, size, outputs)
            n += 1
        kept = inputs
        conv(head, n, 1, 255, has_norm=False)
        n += 1
        inputs = kept // 2
    return Migration(rows)


def style_transfer():
    """lengstrom/fast-style-transfer: Variable, Variable_1, ... and nothing else."""
    rows, opened, number = [], [], 0

    def variable(new, shape, some):
        nonlocal number
        some.append((f"Variable_{number}" if number else "Variable", new, shape))
        number += 1

    layers = [("conv1", 9, 3, 32), ("conv2", 3, 32, 64), ("conv3", 3, 64, 128)]
    layers += [(f"resid{i}/conv{n}", 3, 128, 128) for i in range(1, 6) for n in (1, 2)]
    for name, size, inputs, outputs in layers:
        variable(f"net/{name}/kernel", (size, size, inputs, outputs), rows)
        variable(f"net/{name}_norm/beta", (outputs,), opened)
        variable(f"net/{name}_norm/gamma", (outputs,), opened)
    return Migration(rows, open=opened)


def auto_encoder():
    """A variational autoencoder: mu and sigma."""
    rows = []
    for i, shape in enumerate(((784, 512), (512, 256)), 1):
        rows += layer(f"vae/enc/fc{i}", f"encoder/dense_{i - 1}", shape)
    rows += layer("vae/enc/mu", "encoder/z_mean", (256, 32))
    rows += layer("vae/enc/sigma", "encoder/z_log_var", (256, 32))
    for i, shape in enumerate(((32, 256), (256, 512)), 1):
        rows += layer(f"vae/dec/fc{i}", f"decoder/dense_{i - 1}", shape)
    rows += layer("vae/dec/out", "decoder/reconstruction", (512, 784))
    return Migration(rows)


def detection():
    """tensorflow/models object_detection: SSD on MobileNet v1, slim to Keras."""
    rows = []
    inputs = 32
    f1 = "FeatureExtractor/MobilenetV1"
    rows.append((f"{f1}/Conv2d_0/weights", "backbone/conv1/kernel", (3, 3, 3, 32)))
    rows += norm(f"{f1}/Conv2d_0/BatchNorm", "backbone/conv1_bn", 32)
    for i, f in enumerate([64, 128, 128, 256, 256, *[512] * 6, 1024, 1024], 1):
        a = f"{f1}/Conv2d_{i}"
        rows.append(
            (
                f"{a}_depthwise/depthwise_weights",
                f"backbone/conv_dw_{i}/depthwise_kernel",
                (3, 3, inputs, 1),
            )
        )
        rows += norm(f"{a}_depthwise/BatchNorm", f"backbone/conv_dw_{i}_bn", inputs)
        rows.append(
            (
                f"{a}_pointwise/weights",
                f"backbone/conv_pw_{i}/kernel",
                (1, 1, inputs, f),
            )
        )
        rows += norm(f"{a}_pointwise/BatchNorm", f"backbone/conv_pw_{i}_bn", f)
        inputs = f
    for i, size in enumerate((512, 1024, 512, 256, 256, 128)):
        n = 3 if i == 0 else 6
        rows += layer(
            f"BoxPredictor_{i}/BoxEncodingPredictor",
            f"predictor/level_{i}/box",
            (1, 1, size, 4 * n),
            *SLIM,
        )
        rows += layer(
            f"BoxPredictor_{i}/ClassPredictor",
            f"predictor/level_{i}/class",
            (1, 1, size, 91 * n),
            *SLIM,
        )
    return Migration(rows)


def vggish():
    """tensorflow/models audioset."""
    rows, inputs = [], 1
    for old, f in (
        ("conv1", 64),
        ("conv2", 128),
        ("conv3/conv3_1", 256),
        ("conv3/conv3_2", 256),
        ("conv4/conv4_1", 512),
        ("conv4/conv4_2", 512),
    ):
        new = old.rpartition("/")[2].replace("conv", "features/conv")
        rows += layer(f"vggish/{old}", new, (3, 3, inputs, f), *SLIM)
        inputs = f
    for old, new, shape in (
        ("fc1/fc1_1", "fc1", (12288, 4096)),
        ("fc1/fc1_2", "fc2", (4096, 4096)),
        ("fc2", "embedding", (4096, 128)),
    ):
        rows += layer(f"vggish/{old}", f"top/{new}", shape, *SLIM)
    return Migration(rows)


def inception_v3():
    """tf-slim's Inception v3 to names that tf.keras numbers, with slim's own slips."""
    convs = [
        ("Conv2d_1a_3x3", (3, 3, 3, 32)),
        ("Conv2d_2a_3x3", (3, 3, 32, 32)),
        ("Conv2d_2b_3x3", (3, 3, 32, 64)),
        ("Conv2d_3b_1x1", (1, 1, 64, 80)),
        ("Conv2d_4a_3x3", (3, 3, 80, 192)),
    ]
    for mixed, inputs, pool in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        names = (
            ("Conv2d_0b_1x1", "Conv_1_0c_5x5")
            if mixed == "5c"
            else ("Conv2d_0a_1x1", "Conv2d_0b_5x5")
        )
        convs += [
            (f"Mixed_{mixed}/{name}", shape)
            for name, shape in (
                ("Branch_0/Conv2d_0a_1x1", (1, 1, inputs, 64)),
                (f"Branch_1/{names[0]}", (1, 1, inputs, 48)),
                (f"Branch_1/{names[1]}", (5, 5, 48, 64)),
                ("Branch_2/Conv2d_0a_1x1", (1, 1, inputs, 64)),
                ("Branch_2/Conv2d_0b_3x3", (3, 3, 64, 96)),
                ("Branch_2/Conv2d_0c_3x3", (3, 3, 96, 96)),
                ("Branch_3/Conv2d_0b_1x1", (1, 1, inputs, pool)),
            )
        ]
    convs += [
        (f"Mixed_6a/{name}", shape)
        for name, shape in (
            ("Branch_0/Conv2d_1a_1x1", (3, 3, 288, 384)),
            ("Branch_1/Conv2d_0a_1x1", (1, 1, 288, 64)),
            ("Branch_1/Conv2d_0b_3x3", (3, 3, 64, 96)),
            ("Branch_1/Conv2d_1a_1x1", (3, 3, 96, 96)),
        )
    ]
    for mixed, f in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        convs += [
            (f"Mixed_{mixed}/{name}", shape)
            for name, shape in (
                ("Branch_0/Conv2d_0a_1x1", (1, 1, 768, 192)),
                ("Branch_1/Conv2d_0a_1x1", (1, 1, 768, f)),
                ("Branch_1/Conv2d_0b_1x7", (1, 7, f, f)),
                ("Branch_1/Conv2d_0c_7x1", (7, 1, f, 192)),
                ("Branch_2/Conv2d_0a_1x1", (1, 1, 768, f)),
                ("Branch_2/Conv2d_0b_7x1", (7, 1, f, f)),
                ("Branch_2/Conv2d_0c_1x7", (1, 7, f, f)),
                ("Branch_2/Conv2d_0d_7x1", (7, 1, f, f)),
                ("Branch_2/Conv2d_0e_1x7", (1, 7, f, 192)),
                ("Branch_3/Conv2d_0b_1x1", (1, 1, 768, 192)),
            )
        ]
    rows = []
    for number, (name, shape) in enumerate(convs):
        suffix = f"_{number}" if number else ""
        rows.append((f"InceptionV3/{name}/weights", f"conv2d{suffix}/kernel", shape))
        rows += norm(
            f"InceptionV3/{name}/BatchNorm",
            f"batch_normalization{suffix}",
            shape[-1],
            NO_SCALE,
        )
    return Migration(rows)


PUBLIC_VISION = {
    "ResNet v1, slim to Keras": resnet_v1_slim(),
    "MobileNet v1, slim to Keras": mobilenet_v1(),
    "DeepLab": deeplab(),
    "DCGAN": dcgan(),
    "WGAN": wgan(),
    "pix2pix": pix2pix(),
    "U-Net": unet(),
    "DQN, baselines": deep_q(),
    "DQN, Dopamine": dopamine(),
    "PPO": policy_and_value(),
    "CapsNet": capsules(),
    "Spleeter": spleeter(),
    "im2txt": image_captions(),
    "MNIST tutorial": mnist_tutorial(),
    "wc1, bc1, ...": wc1(),
    "Progressive GAN": progressive_gan(),
    "YOLOv3": yolo(),
    "Variable_N": style_transfer(),
    "VAE": auto_encoder(),
    "SSD MobileNet": detection(),
    "VGGish": vggish(),
    "Inception v3, named to numbered": inception_v3(),
}
