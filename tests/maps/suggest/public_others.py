"""Names of more published models and of rewrites, written after matching was tuned.

As `migrations`: rows of old name, new name, shape. They were measured once before
anything was changed for them, so that the others are not only what they were made for.
"""

from tests.maps.suggest.migrations import STATISTICS, Migration, gpt2, layer, norm

SLIM = ("weights", "biases"), ("kernel", "bias")
MATRIX = ("Matrix", "Bias"), ("kernel", "bias")
NO_SCALE = STATISTICS[1:]


def resnet_cifar():
    """tensorflow/models research/resnet: unit_1_0/sub1/conv1/DW."""
    rows = [("init/init_conv/DW", "stem/conv/kernel", (3, 3, 3, 16))]
    inputs = 16
    for stage, f in enumerate((16, 32, 64), 1):
        for unit in range(5):
            a, b = f"unit_{stage}_{unit}", f"stage{stage - 1}/block{unit}"
            scope = (
                "shared_activation"
                if (stage, unit) == (1, 0)
                else "residual_only_activation"
            )
            first = "init_bn" if scope == "shared_activation" else "bn"
            rows += norm(f"{a}/{scope}/{first}", f"{b}/bn1", inputs)
            rows.append((f"{a}/sub1/conv1/DW", f"{b}/conv1/kernel", (3, 3, inputs, f)))
            rows += norm(f"{a}/sub2/bn2", f"{b}/bn2", f)
            rows.append((f"{a}/sub2/conv2/DW", f"{b}/conv2/kernel", (3, 3, f, f)))
            inputs = f
    rows += norm("unit_last/final_bn", "final_bn", 64)
    rows += layer("logit", "classifier", (64, 10), ("DW", "biases"), ("kernel", "bias"))
    return Migration(rows)


def facenet():
    """davidsandberg/facenet: Inception-ResNet v1, the blocks."""
    rows = []

    def conv(a, b, shape):
        rows.append((f"InceptionResnetV1/{a}/weights", f"{b}_conv/kernel", shape))
        rows.extend(
            norm(f"InceptionResnetV1/{a}/BatchNorm", f"{b}_bn", shape[-1], NO_SCALE)
        )

    inputs = 3
    for name, k, f in (
        ("Conv2d_1a_3x3", 3, 32),
        ("Conv2d_2a_3x3", 3, 32),
        ("Conv2d_2b_3x3", 3, 64),
        ("Conv2d_3b_1x1", 1, 80),
        ("Conv2d_4a_3x3", 3, 192),
        ("Conv2d_4b_3x3", 3, 256),
    ):
        conv(name, f"stem_{name[7:9]}", (k, k, inputs, f))
        inputs = f
    for i in range(1, 6):
        a, b = f"Repeat/block35_{i}", f"block35_{i - 1}"
        conv(f"{a}/Branch_0/Conv2d_1x1", f"{b}_branch0_0", (1, 1, 256, 32))
        conv(f"{a}/Branch_1/Conv2d_0a_1x1", f"{b}_branch1_0", (1, 1, 256, 32))
        conv(f"{a}/Branch_1/Conv2d_0b_3x3", f"{b}_branch1_1", (3, 3, 32, 32))
        conv(f"{a}/Branch_2/Conv2d_0a_1x1", f"{b}_branch2_0", (1, 1, 256, 32))
        conv(f"{a}/Branch_2/Conv2d_0b_3x3", f"{b}_branch2_1", (3, 3, 32, 32))
        conv(f"{a}/Branch_2/Conv2d_0c_3x3", f"{b}_branch2_2", (3, 3, 32, 32))
        rows.extend(
            layer(
                f"InceptionResnetV1/{a}/Conv2d_1x1", f"{b}_up", (1, 1, 96, 256), *SLIM
            )
        )
    return Migration(rows)


def style_gan_2():
    """NVlabs/stylegan2, and its port to PyTorch."""
    rows = [
        (f"G_mapping/Dense{i}/{a}", f"mapping.fc{i}.{a}", s)
        for i in range(8)
        for a, s in (("weight", (512, 512)), ("bias", (512,)))
    ]
    rows.append(("G_synthesis/4x4/Const/const", "synthesis.b4.const", (1, 512, 4, 4)))
    inputs = 512
    for size, f in ((4, 512), (8, 512), (16, 512), (32, 512), (64, 512), (128, 256)):
        convs = (
            [("Conv", "conv1", f)]
            if size == 4
            else [("Conv0_up", "conv0", inputs), ("Conv1", "conv1", f)]
        )
        for old, new, channels in convs:
            a, b = f"G_synthesis/{size}x{size}/{old}", f"synthesis.b{size}.{new}"
            rows += [
                (f"{a}/weight", f"{b}.weight", (3, 3, channels, f)),
                (f"{a}/bias", f"{b}.bias", (f,)),
                (f"{a}/mod_weight", f"{b}.affine.weight", (512, channels)),
                (f"{a}/mod_bias", f"{b}.affine.bias", (channels,)),
                (f"{a}/noise_strength", f"{b}.noise_strength", ()),
            ]
        a, b = f"G_synthesis/{size}x{size}/ToRGB", f"synthesis.b{size}.torgb"
        rows += [
            (f"{a}/weight", f"{b}.weight", (1, 1, f, 3)),
            (f"{a}/bias", f"{b}.bias", (3,)),
            (f"{a}/mod_weight", f"{b}.affine.weight", (512, f)),
            (f"{a}/mod_bias", f"{b}.affine.bias", (f,)),
        ]
        inputs = f
    return Migration(rows)


def srgan():
    """tensorlayer/srgan's generator."""
    leaves = ("W_conv2d", "b_conv2d"), ("kernel", "bias")
    g, h = "SRGAN_g", "generator"
    rows = layer(f"{g}/n64s1/c", f"{h}/conv_in", (3, 3, 3, 64), *leaves)
    for i in range(16):
        for n in (1, 2):
            rows.append(
                (
                    f"{g}/n64s1/c{n}/{i}/W_conv2d",
                    f"{h}/res/{i}/conv{n}/kernel",
                    (3, 3, 64, 64),
                )
            )
            rows += norm(f"{g}/n64s1/b{n}/{i}", f"{h}/res/{i}/bn{n}", 64)
    rows.append((f"{g}/n64s1/c/m/W_conv2d", f"{h}/conv_mid/kernel", (3, 3, 64, 64)))
    rows += norm(f"{g}/n64s1/b/m", f"{h}/bn_mid", 64)
    for i, inputs in ((1, 64), (2, 256)):
        rows += layer(
            f"{g}/n256s1/{i}", f"{h}/up_{i - 1}", (3, 3, inputs, 256), *leaves
        )
    return Migration(rows + layer(f"{g}/out", f"{h}/conv_out", (1, 1, 256, 3), *leaves))


def pointer_generator():
    """abisee/pointer-generator."""
    a, b = "seq2seq", "summarizer"
    d, e = f"{a}/decoder/attention_decoder", f"{b}/decoder"
    rows = [
        (f"{a}/embedding/embedding", f"{b}/embedding/embeddings", (50000, 128)),
        *layer(
            f"{a}/encoder/bidirectional_rnn/fw/lstm_cell",
            f"{b}/encoder/forward/lstm",
            (384, 1024),
        ),
        *layer(
            f"{a}/encoder/bidirectional_rnn/bw/lstm_cell",
            f"{b}/encoder/backward/lstm",
            (384, 1024),
        ),
        *layer(f"{d}/lstm_cell", f"{e}/lstm", (384, 1024)),
        (f"{d}/W_h", f"{e}/attention/memory/kernel", (1, 1, 512, 512)),
        (f"{d}/v", f"{e}/attention/v", (512,)),
        (f"{d}/w_c", f"{e}/attention/coverage/kernel", (1, 1, 1, 512)),
        *layer(f"{d}/Linear", f"{e}/input_projection", (640, 128), *MATRIX),
        *layer(f"{d}/Attention/Linear", f"{e}/attention/query", (512, 512), *MATRIX),
        *layer(f"{d}/calculate_pgen/Linear", f"{e}/p_gen", (1152, 1), *MATRIX),
        *layer(
            f"{d}/AttnOutputProjection/Linear",
            f"{e}/attention_output",
            (768, 256),
            *MATRIX,
        ),
        (f"{a}/output_projection/w", f"{b}/logits/kernel", (256, 50000)),
        (f"{a}/output_projection/v", f"{b}/logits/bias", (50000,)),
    ]
    for x in "ch":
        rows.append(
            (f"{a}/reduce_final_st/w_reduce_{x}", f"{b}/bridge/{x}/kernel", (512, 256))
        )
        rows.append(
            (f"{a}/reduce_final_st/bias_reduce_{x}", f"{b}/bridge/{x}/bias", (256,))
        )
    return Migration(rows)


def two_towers():
    """A DSSM of a user and an item tower that are alike."""
    rows = []
    for side in ("user", "item"):
        rows.append(
            (
                f"{side}_embedding_weights",
                f"{side}_tower/embedding/embeddings",
                (10000, 32),
            )
        )
        for i, shape in enumerate(((32, 256), (256, 256), (256, 64))):
            suffix = f"_{i}" if i else ""
            rows += layer(f"dnn_{side}/fc{i + 1}", f"{side}_tower/dense{suffix}", shape)
            if i < 2:
                rows += norm(
                    f"dnn_{side}/bn{i + 1}",
                    f"{side}_tower/batch_normalization{suffix}",
                    shape[1],
                )
    return Migration(rows)


def mixture_of_experts():
    """alibaba/EasyRec's MMoE."""
    rows = []
    for e in range(3):
        for i, shape in enumerate(((128, 256), (256, 192), (192, 128))):
            rows += layer(f"expert_{e}/dnn_{i}", f"mmoe/experts/{e}/layers/{i}", shape)
            rows += norm(
                f"expert_{e}/dnn_{i}/bn", f"mmoe/experts/{e}/norms/{i}", shape[1]
            )
    for t in range(2):
        rows += layer(f"gate_{t}/dnn", f"mmoe/gates/{t}", (128, 3))
        for i, shape in enumerate(((128, 256), (256, 64))):
            rows += layer(f"task_{t}/dnn_{i}", f"towers/{t}/layers/{i}", shape)
        rows += layer(f"task_{t}_output", f"towers/{t}/logits", (64, 1))
    return Migration(rows)


def faster_rcnn():
    """endernewton/tf-faster-rcnn: what is not the backbone."""
    rows = []
    for a, b, shape in (
        ("rpn_conv/3x3", "rpn/conv", (3, 3, 1024, 512)),
        ("rpn_cls_score", "rpn/class", (1, 1, 512, 18)),
        ("rpn_bbox_pred", "rpn/box", (1, 1, 512, 36)),
        ("cls_score", "detector/class", (2048, 21)),
        ("bbox_pred", "detector/box", (2048, 84)),
    ):
        rows += layer(f"resnet_v1_101/{a}", b, shape, *SLIM)
    return Migration(rows)


def open_pose():
    """ildoonet/tf-pose-estimation: numbers in another order."""
    rows = []
    for branch, out in ((1, 38), (2, 19)):
        inputs = 128
        for i, (k, f) in enumerate([(3, 128)] * 3 + [(1, 512), (1, out)], 1):
            rows += layer(
                f"conv5_{i}_CPM_L{branch}",
                f"stage1/branch{branch}/conv{i}",
                (k, k, inputs, f),
                *SLIM,
            )
            inputs = f
    for stage in range(2, 7):
        for branch, out in ((1, 38), (2, 19)):
            inputs = 185
            for i, (k, f) in enumerate([(7, 128)] * 5 + [(1, 128), (1, out)], 1):
                old = f"Mconv{i}_stage{stage}_L{branch}"
                rows += layer(
                    old,
                    f"stage{stage}/branch{branch}/conv{i}",
                    (k, k, inputs, f),
                    *SLIM,
                )
                inputs = f
    return Migration(rows)


def dense_net():
    """pudae/tensorflow-densenet to tf.keras.applications."""
    rows, inputs = (
        [("densenet121/conv1/weights", "conv1/conv/kernel", (7, 7, 3, 64))],
        64,
    )
    for block, layers in enumerate((6, 12, 24, 16), 1):
        for i in range(1, layers + 1):
            a, b = (
                f"densenet121/dense_block{block}/conv_block{i}",
                f"conv{block + 1}_block{i}",
            )
            rows += norm(f"{a}/x1/BatchNorm", f"{b}_0_bn", inputs)
            rows.append(
                (f"{a}/x1/Conv/weights", f"{b}_1_conv/kernel", (1, 1, inputs, 128))
            )
            rows += norm(f"{a}/x2/BatchNorm", f"{b}_1_bn", 128)
            rows.append((f"{a}/x2/Conv/weights", f"{b}_2_conv/kernel", (3, 3, 128, 32)))
            inputs += 32
        if block < 4:
            a, b = f"densenet121/transition_block{block}/blk", f"pool{block + 1}"
            rows += norm(f"{a}/BatchNorm", f"{b}_bn", inputs)
            rows.append(
                (f"{a}/Conv/weights", f"{b}_conv/kernel", (1, 1, inputs, inputs // 2))
            )
            inputs //= 2
    rows += norm("densenet121/final_block/BatchNorm", "bn", inputs)
    return Migration(rows)


def squeeze_net():
    """SqueezeNet of tf-slim."""
    rows, inputs = layer("squeezenet/conv1", "conv1", (7, 7, 3, 96), *SLIM), 96
    for i, (s, e) in enumerate(
        (
            (16, 64),
            (16, 64),
            (32, 128),
            (32, 128),
            (48, 192),
            (48, 192),
            (64, 256),
            (64, 256),
        ),
        2,
    ):
        a, b = f"squeezenet/fire{i}", f"fire_module_{i - 2}"
        rows += layer(f"{a}/squeeze", f"{b}/squeeze", (1, 1, inputs, s), *SLIM)
        rows += layer(f"{a}/expand/1x1", f"{b}/expand_1x1", (1, 1, s, e), *SLIM)
        rows += layer(f"{a}/expand/3x3", f"{b}/expand_3x3", (3, 3, s, e), *SLIM)
        inputs = 2 * e
    return Migration(
        rows + layer("squeezenet/conv10", "classifier", (1, 1, 512, 1000), *SLIM)
    )


def tacotron_2():
    """Rayhane-mamah/Tacotron-2."""
    a, b = "Tacotron_model/inference", "tacotron2"
    rows = [(f"{a}/inputs_embedding", f"{b}/embedding/embeddings", (66, 512))]
    for i in (1, 2, 3):
        s = f"{a}/encoder_convolutions/conv_layer_{i}_encoder_convolutions"
        rows += layer(f"{s}/conv1d", f"{b}/encoder/conv_{i - 1}", (5, 512, 512))
        rows += norm(f"{s}/batch_normalization", f"{b}/encoder/bn_{i - 1}", 512)
    for way in ("forward", "backward"):
        s = f"{a}/encoder_LSTM/bidirectional_rnn/{way[0]}w/encoder_{way[0]}w_LSTM"
        rows += layer(s, f"{b}/encoder/{way}_lstm", (768, 1024))
    for i, shape in ((1, (80, 256)), (2, (256, 256))):
        rows += layer(
            f"{a}/decoder/decoder_prenet/dense_{i}",
            f"{b}/decoder/prenet/dense_{i - 1}",
            shape,
        )
        size = 1024 + (768 if i == 1 else 1024)
        rows += layer(
            f"{a}/decoder/decoder_LSTM/multi_rnn_cell/cell_{i - 1}/decoder_LSTM_{i}",
            f"{b}/decoder/lstm_{i - 1}",
            (size, 4096),
        )
    rows += layer(
        f"{a}/decoder/linear_transform_projection/projection_linear_transform_projection",
        f"{b}/decoder/frame",
        (1536, 80),
    )
    rows += layer(
        f"{a}/decoder/stop_token_projection/projection_stop_token_projection",
        f"{b}/decoder/stop",
        (1536, 1),
    )
    inputs = 80
    for i, f in enumerate((512, 512, 512, 512, 512), 1):
        s = f"{a}/postnet_convolutions/conv_layer_{i}_postnet_convolutions"
        rows += layer(f"{s}/conv1d", f"{b}/postnet/conv_{i - 1}", (5, inputs, f))
        rows += norm(f"{s}/batch_normalization", f"{b}/postnet/bn_{i - 1}", f)
        inputs = f
    return Migration(rows)


def jasper():
    """NVIDIA/OpenSeq2Seq: conv11 is the first layer of the first block."""
    rows, inputs = [], 64
    for block, (k, f, repeats) in enumerate(
        ((11, 256, 1), (11, 256, 3), (13, 384, 3), (17, 512, 3)), 1
    ):
        for n in range(1, repeats + 1):
            a, b = (
                f"ForwardPass/w2l_encoder/conv{block}{n}",
                f"encoder/block_{block}/layer_{n}",
            )
            rows.append((f"{a}/kernel", f"{b}/conv/kernel", (k, inputs, f)))
            rows += norm(f"{a}/bn", f"{b}/bn", f)
            inputs = f
    rows += layer(
        "ForwardPass/fully_connected_ctc_decoder/fully_connected",
        "decoder/logits",
        (512, 29),
    )
    return Migration(rows)


def gpt2_torch():
    """GPT-2 to the names that Hugging Face gives it in PyTorch."""
    rows = []
    for old, _, shape in gpt2():
        new = old.replace("model/", "transformer/")
        if new.endswith(("/g", "/w")):
            new = f"{new[:-1]}weight"
        if new.endswith("/b"):
            new = f"{new[:-1]}bias"
        for i in range(12):
            new = new.replace(f"/h{i}/", f"/h/{i}/")
        new += "/weight" if new.endswith(("wte", "wpe")) else ""
        rows.append((old, new.replace("/", "."), shape))
    return Migration(rows)


PUBLIC_OTHERS = {
    "ResNet, CIFAR": resnet_cifar(),
    "FaceNet": facenet(),
    "StyleGAN2": style_gan_2(),
    "SRGAN": srgan(),
    "Pointer-generator": pointer_generator(),
    "DSSM": two_towers(),
    "MMoE": mixture_of_experts(),
    "Faster R-CNN": faster_rcnn(),
    "OpenPose": open_pose(),
    "DenseNet": dense_net(),
    "SqueezeNet": squeeze_net(),
    "Tacotron 2": tacotron_2(),
    "Jasper": jasper(),
    "GPT-2, PyTorch's names": gpt2_torch(),
}
